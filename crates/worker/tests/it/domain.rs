//! Loading and checking domain files.

use std::path::{Path, PathBuf};

use worker::domain::{Domain, SlotKind};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/domains")
        .join(name)
}

#[test]
fn embedded_domain_is_the_file_that_is_deployed() {
    let deployed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/domains/car-dealer.toml");
    let deployed = Domain::load(&deployed).expect("the deployed domain loads");
    assert_eq!(
        Domain::embedded().expect("the embedded domain loads"),
        deployed
    );
}

#[test]
fn embedded_catalogue_is_as_wide_as_the_market() {
    let domain = Domain::embedded().unwrap();
    let makes = domain.slots.iter().find_map(|slot| match &slot.kind {
        SlotKind::Catalogue(catalogue) => Some(&catalogue.makes),
        _ => None,
    });
    let makes = makes.expect("there is a catalogue");
    let models: usize = makes.iter().map(|make| make.models.len()).sum();
    assert!(
        makes.len() >= 80 && models >= 1100,
        "{} makes, {models} models",
        makes.len()
    );
}

#[test]
fn every_mistake_is_named_with_file_and_line() {
    let error = Domain::load(&fixture("broken.toml")).expect_err("the domain is broken");
    let folder = fixture("").display().to_string();
    insta::assert_snapshot!(error.to_string().replace(&folder, ""));
}

#[test]
fn broken_syntax_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("domain.toml");
    std::fs::write(
        &path,
        "[understanding]\nfallback_score = 1.0\nlanguages = [\n",
    )
    .unwrap();
    let error = Domain::load(&path).expect_err("the file is cut off");
    let syntax = error
        .problems
        .iter()
        .find(|problem| problem.line >= 3)
        .expect("a line is named");
    assert_eq!(syntax.file, "domain.toml");
}

#[test]
fn missing_file_is_one_problem() {
    let error = Domain::load(Path::new("no-such-domain.toml")).expect_err("there is no such file");
    assert_eq!(error.problems.len(), 1);
    assert!(
        error
            .to_string()
            .starts_with("no-such-domain.toml:1: cannot read")
    );
}

#[test]
fn tables_of_other_parts_of_the_worker_are_left_alone() {
    assert!(Domain::load(&fixture("bicycle-repair.toml")).is_ok());
}
