//! What is linked into the programs, the release and the workflow.

use std::process::Command;

use crate::files::{read, root};
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
        "--external-sources",
        "scripts/compose-smoke",
        "deploy/tools/version-notes",
        "scripts/release",
        "deploy/tools/setup",
        "deploy/tools/sbom",
    ];
    run(".", "shellcheck", scripts);
}

const WORKFLOWS: [&str; 2] = [".github/workflows/ci.yml", ".github/workflows/release.yml"];

#[test]
fn the_workflows_fit_their_schema() {
    let arguments = ["--builtin-schema", "vendor.github-workflows"];
    run(
        ".",
        "check-jsonschema",
        arguments.into_iter().chain(WORKFLOWS),
    );
}

/// What a tag makes is what compose and kustomize ask for.
#[test]
fn a_release_has_one_number() {
    let version = env!("CARGO_PKG_VERSION");
    let notes = root().join("deploy/tools/version-notes");
    let notes = tools::output(Command::new(notes).arg(version));
    assert!(notes.contains("### Upgrade"), "{notes}");
    for (file, pinned) in [
        (
            "docker-compose.yml",
            format!("${{POSTDUIF_VERSION:-{version}}}"),
        ),
        (
            "deploy/kubernetes/base/kustomization.yaml",
            format!("newTag: {version}"),
        ),
        ("deploy/Dockerfile", format!("ARG VERSION={version}\n")),
    ] {
        assert!(read(file).contains(&pinned), "{file} has no {pinned}");
    }
    let release = read(".github/workflows/release.yml");
    for service in ["ingress", "worker", "egress", "console", "simulator"] {
        let image = format!("image: \"${{POSTDUIF_IMAGES:-localhost/postduif}}/{service}:");
        assert!(read("docker-compose.yml").contains(&image), "{image}");
        assert!(release.contains(service), "nobody makes {service}");
    }
    for wanted in ["amd64", "arm64", "--sbom=true", "--provenance=mode=max"] {
        assert!(release.contains(wanted), "{wanted}");
    }
}

#[test]
fn a_number_without_notes_is_refused() {
    let notes = root().join("deploy/tools/version-notes");
    let output = Command::new(notes).arg("99.0.0").output().unwrap();
    assert!(!output.status.success());
}

#[test]
fn actions_are_pinned_by_commit() {
    let workflows: String = WORKFLOWS.map(read).concat();
    let used: Vec<_> = workflows
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
