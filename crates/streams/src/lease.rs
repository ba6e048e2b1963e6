//! The exclusive right to a partition, with a token that every later script checks.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::script::{ACQUIRE, HEARTBEAT, RELEASE, RENEW};
use crate::{Partition, Queue, Redis, StreamsError};

/// The name of a running consumer process among its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberId(String);

impl MemberId {
    /// A name that no other process has. `host` makes it readable.
    pub fn unique(host: &str) -> Self {
        Self(format!("{host}-{}", Uuid::new_v4().simple()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A lease that this process holds, or believes to hold.
pub(crate) struct Lease {
    pub(crate) queue: Queue,
    pub(crate) partition: Partition,
    token: String,
    ttl: Duration,
    /// Microseconds from `born` to the start of the last renewal that succeeded.
    renewed_us: AtomicU64,
    born: Instant,
    /// How many reads of new entries had no answer.
    unanswered: AtomicU32,
    lost: CancellationToken,
}

/// After this share of the TTL without a renewal no work is started (self-fence).
const SAFE_SHARE: f64 = 0.6;

impl Lease {
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Until when this process may start work without asking Redis again. Measured from before the
    /// renewal was sent, on the monotonic clock, so that a paused process finds the time passed.
    pub(crate) fn safe_until(&self) -> Instant {
        let renewed = self.born + Duration::from_micros(self.renewed_us.load(Ordering::Acquire));
        renewed + self.ttl.mul_f64(SAFE_SHARE)
    }

    pub(crate) fn may_start_work(&self, now: Instant) -> bool {
        !self.lost.is_cancelled() && now < self.safe_until()
    }

    /// How many reads of new entries under it had no answer: one of them may still run.
    pub(crate) fn unanswered(&self) -> u32 {
        self.unanswered.load(Ordering::Acquire)
    }

    /// As a read knows it that was sent before another one had no answer.
    #[cfg(test)]
    pub(crate) fn as_it_was(&self) -> Self {
        Self {
            queue: self.queue,
            partition: self.partition,
            token: self.token.clone(),
            ttl: self.ttl,
            renewed_us: AtomicU64::new(0),
            born: self.born,
            unanswered: AtomicU32::new(0),
            lost: CancellationToken::new(),
        }
    }

    pub(crate) fn had_no_answer(&self) {
        self.unanswered.fetch_add(1, Ordering::AcqRel);
    }

    /// Another consumer owns the partition: everything that hangs on this lease ends.
    pub(crate) fn mark_lost(&self) {
        self.lost.cancel();
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Completes when the lease is lost.
    pub(crate) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    fn renewed_at(&self, started: Instant) {
        let us = started.saturating_duration_since(self.born).as_micros();
        self.renewed_us
            .store(u64::try_from(us).unwrap_or(u64::MAX), Ordering::Release);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("queue", &self.queue)
            .field("partition", &self.partition)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

impl Redis {
    /// Says that `member` lives and lists the members that do.
    pub(crate) async fn heartbeat(
        &self,
        queue: Queue,
        member: &MemberId,
        ttl: Duration,
    ) -> Result<Vec<String>, StreamsError> {
        self.run(&HEARTBEAT, |invocation| {
            invocation
                .key(self.keys().members(queue))
                .arg(member.as_str())
                .arg(millis(ttl));
        })
        .await
    }

    /// Takes `member` off the list, so that the others share its partitions at once.
    pub(crate) async fn leave(&self, queue: Queue, member: &MemberId) -> Result<(), StreamsError> {
        let mut command = redis::cmd("ZREM");
        command.arg(self.keys().members(queue)).arg(member.as_str());
        self.with_connection("leave", |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// Takes the partition if nobody has it.
    pub(crate) async fn acquire(
        &self,
        queue: Queue,
        partition: Partition,
        member: &MemberId,
        ttl: Duration,
    ) -> Result<Option<Lease>, StreamsError> {
        let keys = self.keys().of(partition);
        let born = Instant::now();
        let token: Option<String> = self
            .run(&ACQUIRE, |invocation| {
                invocation
                    .key(keys.lease(queue))
                    .key(keys.owner(queue))
                    .key(keys.stream(queue));
                invocation
                    .arg(Uuid::new_v4().simple().to_string())
                    .arg(member.as_str());
                invocation.arg(millis(ttl)).arg(queue.group());
            })
            .await?;
        Ok(token.map(|token| Lease {
            queue,
            partition,
            token,
            ttl,
            renewed_us: AtomicU64::new(0),
            born,
            unanswered: AtomicU32::new(0),
            lost: CancellationToken::new(),
        }))
    }

    /// Extends the lease, or marks it lost.
    pub(crate) async fn renew(&self, lease: &Lease) -> Result<(), StreamsError> {
        let keys = self.keys().of(lease.partition);
        let started = Instant::now();
        let held: bool = self
            .run(&RENEW, |invocation| {
                invocation
                    .key(keys.lease(lease.queue))
                    .key(keys.owner(lease.queue));
                invocation.arg(&lease.token).arg(millis(lease.ttl));
            })
            .await?;
        if held {
            lease.renewed_at(started);
        } else {
            self.observer().fenced(lease.queue, "renew");
            lease.mark_lost();
        }
        Ok(())
    }

    /// Gives the partition back, so that another consumer need not wait for the TTL.
    pub(crate) async fn release(&self, lease: &Lease) -> Result<(), StreamsError> {
        let keys = self.keys().of(lease.partition);
        self.run(&RELEASE, |invocation| {
            invocation
                .key(keys.lease(lease.queue))
                .key(keys.owner(lease.queue))
                .arg(&lease.token);
        })
        .await
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
