//! What is linked into the programs, the release and the workflow.

use std::process::Command;

use crate::files::root;
use crate::tools::{self, run};

/// Advisories are left to CI: their database is not a package. Crates of other platforms, which no
/// build has fetched, are fetched where cargo's cache lacks them.
#[test]
fn every_dependency_is_allowed() {
    run(
        ".",
        "cargo-deny",
        ["--locked", "check", "bans", "licenses", "sources"],
    );
}

#[test]
fn the_bill_of_materials_fits_its_schema() {
    let script = root().join("deploy/tools/sbom");
    let bill = tools::output(Command::new(script).args(["ingress", "x86_64-unknown-linux-gnu"]));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bill).unwrap();
    let check = "import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()))";
    let python = tools::folder().join("python/bin/python");
    tools::output(Command::new(python).arg("-c").arg(check).arg(file.path()));
    let bill: serde_json::Value = serde_json::from_str(&bill).unwrap();
    let components = bill["components"].as_array().unwrap();
    let has = |name: &str| components.iter().any(|component| component["name"] == name);
    assert!(has("actix-web") && has("streams"));
    assert!(!has("proptest"), "a test's dependency");
}

#[test]
fn the_scripts_are_sound() {
    let scripts = [
        "scripts/compose-smoke",
        "scripts/release",
        "deploy/tools/setup",
        "deploy/tools/sbom",
    ];
    run(".", "shellcheck", scripts);
}

#[test]
fn the_workflow_fits_its_schema() {
    let file = ".github/workflows/ci.yml";
    run(
        ".",
        "check-jsonschema",
        ["--builtin-schema", "vendor.github-workflows", file],
    );
}

#[test]
fn actions_are_pinned_by_commit() {
    let workflow = crate::files::read(".github/workflows/ci.yml");
    let used: Vec<_> = workflow
        .lines()
        .filter_map(|line| line.split_once("uses: "))
        .collect();
    assert!(used.len() > 5);
    for (_, action) in used {
        let pinned = action.split_once('@').is_some_and(|(_, rest)| {
            let commit = rest.split(' ').next().unwrap_or_default();
            commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        assert!(pinned && action.contains("# v"), "{action}");
    }
}
