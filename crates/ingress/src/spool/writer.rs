//! The thread that writes: waiting for a disk must not stop a runtime thread.

use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::store::Store;
use super::{Arriving, SpoolError};

/// The most webhooks that share one commit.
const BATCH: usize = 256;

/// A webhook to write, and whom to tell.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) bytes: Vec<u8>,
    pub(super) arriving: Arriving,
    pub(super) done: oneshot::Sender<Result<(), SpoolError>>,
}

/// Starts the thread. It ends when the last handle on the spool is gone.
pub(super) fn start(store: Arc<Store>, mut writes: mpsc::Receiver<Write>) -> std::io::Result<()> {
    let work = move || {
        let mut batch = Vec::with_capacity(BATCH);
        while writes.blocking_recv_many(&mut batch, BATCH) > 0 {
            let webhooks: Vec<_> = batch.iter().map(|write| write.bytes.as_slice()).collect();
            let written = store.append(&webhooks).map_err(SpoolError::Disk);
            for write in batch.drain(..) {
                drop(write.arriving);
                // A caller that has gone away needs no answer.
                drop(write.done.send(written.clone()));
            }
        }
    };
    thread::Builder::new()
        .name("spool".into())
        .spawn(work)
        .map(drop)
}
