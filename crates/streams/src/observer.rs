use std::time::Duration;

use crate::Queue;

/// Told what happens on the way to and from Redis, so that a service can count it.
///
/// Every method does nothing unless it is implemented.
pub trait Observer: Send + Sync + 'static {
    /// A script ended after `elapsed`; `ok` is false when Redis failed, not when it said no.
    fn script(&self, _name: &'static str, _elapsed: Duration, _ok: bool) {}
    /// Redis refused a script for a reason that does not pass by itself, such as `NOPERM`.
    fn refused(&self, _script: &'static str, _code: &str) {}
    /// A script refused `operation` because another consumer owns the partition by now.
    fn fenced(&self, _queue: Queue, _operation: &'static str) {}
    /// The number of partitions that this process owns changed.
    fn leases_owned(&self, _queue: Queue, _count: usize) {}
    /// An entry was read from a stream.
    fn fetched(&self, _queue: Queue, _entries: usize) {}
    /// An entry was handled again after an earlier start did not end.
    fn redelivered(&self, _queue: Queue) {}
    /// An entry became a dead letter.
    fn dead_letter(&self, _queue: Queue, _reason: &str) {}
}

/// Observes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
