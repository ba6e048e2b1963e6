use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// One file under `tests/fixtures`, as bytes.
///
/// # Panics
/// When it is not there.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files of a folder under `tests/fixtures`, by name.
///
/// # Panics
/// When the folder is not there.
pub fn fixtures(name: &str) -> Vec<(String, Vec<u8>)> {
    let path = folder().join(name);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let read = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, fs::read(entry.path()).expect("a readable fixture"))
    };
    let mut all: Vec<_> = entries
        .map(|entry| read(entry.expect("an entry")))
        .collect();
    all.sort();
    all
}
