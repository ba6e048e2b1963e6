use std::env::temp_dir;
use std::fs::File;
use std::net::TcpListener;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Below the ports that the system gives to outgoing connections (32,768 and up on Linux): one of
/// those might take a port while its service is down for a moment. A Redis Cluster node also takes
/// the port 10,000 above its own, so those must stay below as well, and be nobody's.
const PORTS: Range<u16> = 10_000..20_000;

/// A process takes this many at once.
const BLOCK: u16 = 100;

/// The ports that are this process' own, because it holds the locks.
struct Own {
    left: Range<u16>,
    next_block: u16,
    locks: Vec<File>,
}

static OWN: Mutex<Own> = Mutex::new(Own {
    left: 0..0,
    next_block: PORTS.start,
    locks: Vec::new(),
});

/// A TCP port that nothing listens on, and that no other test takes before this process ends.
///
/// # Panics
/// When the machine has none.
pub fn free_port() -> u16 {
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        for port in own.left.by_ref() {
            if is_free(port) && is_free(port + PORTS.end - PORTS.start) {
                return port;
            }
        }
        own.take_block();
    }
}

impl Own {
    fn take_block(&mut self) {
        while self.next_block < PORTS.end {
            let first = self.next_block;
            self.next_block += BLOCK;
            if let Some(lock) = lock(first) {
                self.locks.push(lock);
                self.left = first..first + BLOCK;
                return;
            }
        }
        panic!("no free port");
    }
}

/// The lock of the block that begins with this port; the system lets go of it when the process
/// ends, however it ends.
fn lock(first: u16) -> Option<File> {
    let path = temp_dir().join(format!("postduif-test-ports-{first}.lock"));
    let file = File::open(&path).or_else(|_| File::create(&path)).ok()?;
    file.try_lock().ok()?;
    Some(file)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_port_is_given_twice_nor_is_the_one_that_a_cluster_node_takes_beside_it() {
        let ports: HashSet<u16> = (0..250).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 250);
        assert!(ports.iter().all(|port| !ports.contains(&(port + 10_000))));
        assert!(ports.iter().all(|port| port + 10_000 < 32_768));
    }

    #[test]
    fn a_block_that_somebody_holds_is_nobody_elses() {
        let block = PORTS.end;
        let held = lock(block);
        assert!(held.is_some());
        assert!(lock(block).is_none(), "taken twice");
        drop(held);
        assert!(lock(block).is_some(), "not given back");
    }
}
