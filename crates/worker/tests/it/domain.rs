//! Loading and checking domain files.

use std::path::{Path, PathBuf};

use shared_types::SlotValue;
use worker::domain::{Domain, Filling, SlotKind};

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

#[test]
fn dealer_can_answer_thirty_questions_in_each_language() {
    let domain = Domain::embedded().unwrap();
    let languages: Vec<_> = domain.replies.iter().map(|one| &one.language).collect();
    let facts = &domain.knowledge.facts;
    let mut names: Vec<_> = facts.iter().map(|fact| &fact.name).collect();
    names.dedup();
    assert!(names.len() >= 30, "{names:?}");
    for language in languages {
        let answered = facts
            .iter()
            .filter(|fact| fact.answer.contains_key(language));
        assert_eq!(answered.count(), facts.len(), "{language}");
        let asked = &domain.knowledge.attributes;
        assert!(asked.iter().all(|one| one.clause.contains_key(language)));
    }
}

#[test]
fn fact_holds_on_its_days_and_of_what_is_known() {
    let domain = Domain::embedded().unwrap();
    let said = |name: &str, day: &str, fuel: Option<&str>| {
        let known = fuel.map(|fuel| ("fuel_type".to_owned(), SlotValue::Text(fuel.into())));
        let (known, day) = (known.into_iter().collect(), day.parse().unwrap());
        let mut facts = domain.knowledge.facts.iter();
        let fact = facts.find(|fact| fact.name == name && fact.holds(day, &known, None));
        fact.map(|fact| fact.answer["en"].fill(&Filling::new()).unwrap())
    };
    assert!(said("holidays", "2026-12-20", None).is_some());
    assert_eq!(said("holidays", "2026-11-20", None), None);
    let electric = said("guarantee", "2026-12-20", Some("electric")).unwrap();
    assert!(electric.contains("battery"), "{electric}");
    let other = said("guarantee", "2026-12-20", Some("diesel")).unwrap();
    assert!(!other.contains("battery"), "{other}");
}

#[test]
fn mistakes_in_what_is_known_are_named_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["bicycle-repair", "bicycle-repair.toml"] {
        copy(&fixture(file), &folder.path().join(file));
    }
    let path = folder.path().join("bicycle-repair.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.insert_str(
        text.find("[understanding]").unwrap(),
        "knowledge = \"known.toml\"\n",
    );
    std::fs::write(&path, text).unwrap();
    let known = r#"[prices]
tyre = { nl = "€ 20" }
[[facts]]
name = "a"
ask = { nl = ["wat kost een band"], en = ["how much is a tyre"] }
answer.nl = "{price of tube}"
answer.en = "{email}"
from = "tomorrow"
[[facts]]
name = "b"
ask = { nl = ["Wat kost een band"], en = [] }
answer = { nl = "x", en = "y" }
only_if = { wheels = "3" }
[[attributes]]
name = "bell"
cues.nl = ["bel* ..", "@bell"]
clause.nl = "of {bike} een bel heeft"
[[alarms]]
name = "fire"
safety = { nl = "Bel {number}", en = "Run" }
"#;
    std::fs::write(folder.path().join("known.toml"), known).unwrap();
    let error = Domain::load(&path).expect_err("nearly everything is wrong");
    insta::assert_snapshot!(error.to_string());
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}

#[test]
fn what_is_missing_of_the_stocks_texts_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let domains = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/domains");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([domains.join("car-dealer"), domains.join("car-dealer.toml")])
        .arg(folder.path())
        .status();
    assert!(copied.unwrap().success());
    let offers = folder.path().join("car-dealer/offers.toml");
    let text = std::fs::read_to_string(&offers).unwrap();
    let text = text.replacen("chosen.de =", "chosen.xx =", 1);
    let text = text.replacen("price_max = \"price <=\"", "price_max = \"prize =<\"", 1);
    let text = text.replacen("{misses}\"]", "{mistakes}\"]", 1);
    std::fs::write(&offers, text).unwrap();
    let error = Domain::load(&folder.path().join("car-dealer.toml")).unwrap_err();
    let told = error.to_string();
    for wrong in [
        "`chosen.de` needs a text that can always be filled",
        "[[offers.attributes]] has no `prize`",
        "`=<` is no bound",
        "nothing fills the gap `{mistakes}`",
    ] {
        assert!(told.contains(wrong), "{wrong}: {told}");
    }
}
