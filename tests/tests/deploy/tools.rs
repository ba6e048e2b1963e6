//! The tools that the files under `deploy/` are for.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::files::root;

/// Runs one of the tools that `deploy/tools/setup` brings, in a folder of the repository. Answers what
/// it printed; panics with it when the tool is not content.
pub(crate) fn run<A: AsRef<OsStr>>(
    folder: &str,
    tool: &str,
    arguments: impl IntoIterator<Item = A>,
) -> String {
    output(
        Command::new(path(tool))
            .args(arguments)
            .current_dir(root().join(folder)),
    )
}

/// The folder of the tools, set up.
pub(crate) fn folder() -> PathBuf {
    output(&mut Command::new(root().join("deploy/tools/setup")));
    let target =
        option_env!("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("deploy-tools")
}

/// Where a tool is.
pub(crate) fn path(tool: &str) -> PathBuf {
    folder().join("bin").join(tool)
}

/// Runs a command to its end.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{text}\n{errors}");
    text
}
