use std::path::PathBuf;

/// The path of one of the workspace's programs, beside the running test.
///
/// # Panics
/// When it was not built: `scripts/test` builds all of them first.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    let folders = test.ancestors().skip(1).take(3);
    let candidates = folders.map(|folder| folder.join(name));
    let found = candidates.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built: run `cargo build --workspace --bins`"))
}
