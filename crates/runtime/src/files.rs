use std::path::Path;

use rustix::fs::statvfs;
use rustix::io;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the number of files and connections that this process may have open to what it is allowed
/// to, and says what it has now. Without a bound it is `u64::MAX`.
pub fn raise_file_limit() -> u64 {
    let allowed = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: allowed,
        maximum: allowed,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => {}
        // macOS allows less than it says; what there was stays.
        Err(io::Errno::INVAL | io::Errno::PERM) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
    }
    file_limit()
}

/// The number of files and connections that this process may have open.
pub fn file_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Bytes that may still be written to the disk of a folder; none where it does not tell.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_tells_what_is_left_of_it() {
        assert!(free_bytes(Path::new("/")).is_some_and(|free| free > 0));
        assert_eq!(free_bytes(Path::new("/nowhere/at/all")), None);
    }

    #[test]
    fn all_that_is_allowed_is_taken() {
        let raised = raise_file_limit();
        let allowed = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        assert_eq!(raised, allowed);
        assert_eq!(file_limit(), raised);
    }
}
