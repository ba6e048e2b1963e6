//! Railway's infrastructure file.

use std::os::unix::fs::symlink;

use crate::files::{read, root};
use crate::tools;

#[test]
fn the_infrastructure_file_has_the_types_that_the_command_line_wants() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["railway.ts", "tsconfig.json"] {
        std::fs::copy(
            root().join("deploy/railway").join(file),
            folder.path().join(file),
        )
        .unwrap();
    }
    symlink(
        tools::folder().join("node/node_modules"),
        folder.path().join("node_modules"),
    )
    .unwrap();
    let project = folder.path().as_os_str();
    tools::run(
        ".",
        "tsc",
        ["--noEmit".as_ref(), "--project".as_ref(), project],
    );
}

#[test]
fn the_checked_package_is_the_named_one() {
    let package: serde_json::Value =
        serde_json::from_str(&read("deploy/railway/package.json")).unwrap();
    for name in ["railway", "typescript"] {
        let version = package["devDependencies"][name].as_str().unwrap();
        let wanted = format!("{name}@{version}");
        assert!(read("deploy/tools/setup").contains(&wanted), "{wanted}");
    }
}

#[test]
fn work_in_progress_survives_a_deployment() {
    let text = read("deploy/railway/railway.ts");
    assert!(
        text.contains("RAILWAY_DEPLOYMENT_DRAINING_SECONDS: \"40\""),
        "the default is 0"
    );
    assert!(text.contains("--appendonly yes --appendfsync always"));
    assert!(text.contains("--maxmemory-policy noeviction"));
}
