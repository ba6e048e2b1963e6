//! Whether the spool's folder can be one. Ingress, which runs, has the spool itself open.

use std::fs::{self, OpenOptions};
use std::path::Path;

/// With less the spool has no room for what it is for.
const LEAST_FREE: u64 = 64 * 1024 * 1024;

/// What is wrong with the folder.
pub(super) fn mistake(folder: &Path) -> Option<String> {
    let why = look(folder).err()?;
    Some(format!("INGRESS_SPOOL_DIR: {why}"))
}

fn look(folder: &Path) -> Result<(), String> {
    if folder.is_file() {
        return Err("it is a file; name a folder".into());
    }
    fs::create_dir_all(folder).map_err(|error| {
        format!("the folder cannot be made ({error}); name one on a disk that ingress may write to")
    })?;
    let file = folder.join(".doctor");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&file);
    written.map_err(|error| {
        format!("nothing can be written there ({error}); give the folder to the user of ingress")
    })?;
    // It was there for a moment; what stays does no harm.
    drop(fs::remove_file(&file));
    match runtime::free_bytes(folder) {
        Some(free) if free < LEAST_FREE => Err(format!(
            "its disk has {} MiB left; make room",
            free / (1024 * 1024)
        )),
        _ => Ok(()),
    }
}
