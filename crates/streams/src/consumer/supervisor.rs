//! Which partitions this process owns: membership, fair share, renewal, take-over and release.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::lease::Lease;
use crate::{Partition, StreamsError};

use super::Handler;
use super::partition::{PartitionLoop, Shared};
use super::wake::Waker;

struct Owned {
    lease: Arc<Lease>,
    waker: Arc<Waker>,
    stop: CancellationToken,
    task: Id,
}

pub(super) struct Supervisor<H> {
    shared: Arc<Shared<H>>,
    owned: BTreeMap<Partition, Owned>,
    tasks: JoinSet<()>,
    watched: watch::Sender<Vec<Arc<Waker>>>,
    /// The partitions due to this process at the last count of members.
    target: usize,
}

/// How a drain went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// Partitions whose work did not end within the deadline. It stays pending and is done again
    /// by the next owner.
    pub late: Vec<Partition>,
}

impl<H: Handler> Supervisor<H> {
    pub(super) fn new(shared: Arc<Shared<H>>, watched: watch::Sender<Vec<Arc<Waker>>>) -> Self {
        Self {
            shared,
            owned: BTreeMap::new(),
            tasks: JoinSet::new(),
            watched,
            target: 0,
        }
    }

    /// Keeps this process's share of the partitions running until `stop`.
    pub(super) async fn run(&mut self, stop: &CancellationToken) {
        let tick = self.shared.config.tick();
        let mut next_tick = Instant::now();
        while !stop.is_cancelled() {
            if Instant::now() >= next_tick {
                next_tick = Instant::now() + tick;
                self.keep_layout().await;
                self.renew_all().await;
                match self.count_members().await {
                    Ok(target) => self.target = target,
                    Err(error) => tracing::warn!(%error, "members could not be counted"),
                }
                self.shed();
            }
            if self.running_count() < self.target {
                self.acquire_free().await;
            }
            // Below its share a process looks often: somebody may just have let go.
            let hungry = self.running_count() < self.target;
            let pause = if hungry {
                tick / 10
            } else {
                next_tick - Instant::now().min(next_tick)
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                Some(ended) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    self.forget(id);
                }
            }
        }
    }

    /// Ends everything within `deadline` and says what was late.
    pub(super) async fn drain(&mut self, deadline: Duration) -> DrainReport {
        let redis = self.shared.redis.clone();
        let config = self.shared.config.clone();
        let ends = tokio::time::Instant::now() + deadline;
        for owned in self.owned.values() {
            owned.stop.cancel();
        }
        if let Err(error) = redis.leave(config.queue, &config.member).await {
            tracing::debug!(%error, "could not leave the members");
        }
        let mut renewals = tokio::time::interval(config.tick());
        while !self.tasks.is_empty() {
            tokio::select! {
                Some(ended) = self.tasks.join_next_with_id() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    self.forget(id);
                }
                _ = renewals.tick() => self.renew_all().await,
                () = tokio::time::sleep_until(ends) => break,
            }
        }
        self.tasks.shutdown().await;
        let late: Vec<_> = std::mem::take(&mut self.owned).into_values().collect();
        join_all(late.iter().map(|owned| redis.release(&owned.lease))).await;
        redis.observer().leases_owned(config.queue, 0);
        DrainReport {
            late: late.iter().map(|owned| owned.lease.partition).collect(),
        }
    }

    /// Whoever comes after somebody emptied Redis must find the number of partitions again.
    async fn keep_layout(&self) {
        if let Ok(Err(mismatch)) = self.shared.redis.claim_layout().await {
            tracing::error!(%mismatch, "another deployment took this Redis");
        }
    }

    async fn count_members(&self) -> Result<usize, StreamsError> {
        let config = &self.shared.config;
        let redis = &self.shared.redis;
        let members = redis
            .heartbeat(config.queue, &config.member, config.lease_ttl)
            .await?;
        Ok(fair_share(
            redis.partitions().get().into(),
            &members,
            config.member.as_str(),
        ))
    }

    async fn renew_all(&self) {
        let renewals = self
            .owned
            .values()
            .map(|owned| self.shared.redis.renew(&owned.lease));
        if let Some(error) = join_all(renewals).await.into_iter().find_map(Result::err) {
            tracing::warn!(%error, "leases could not be renewed");
        }
    }

    fn running_count(&self) -> usize {
        self.owned
            .values()
            .filter(|owned| !owned.stop.is_cancelled())
            .count()
    }

    /// Lets go of what is above the fair share, highest numbers first.
    fn shed(&self) {
        let surplus = self.running_count().saturating_sub(self.target);
        let running = self
            .owned
            .values()
            .rev()
            .filter(|owned| !owned.stop.is_cancelled());
        for owned in running.take(surplus) {
            owned.stop.cancel();
        }
    }

    /// Tries partitions from a place of its own in the circle, so that processes which start
    /// together rarely want the same ones.
    async fn acquire_free(&mut self) {
        let redis = self.shared.redis.clone();
        let config = self.shared.config.clone();
        let all: Vec<_> = redis.partitions().all().collect();
        let offset = redis
            .partitions()
            .partition_of(config.member.as_str())
            .number();
        let candidates = all
            .iter()
            .cycle()
            .skip(offset.into())
            .take(all.len())
            .copied();
        let mut candidates = candidates
            .filter(|p| !self.owned.contains_key(p))
            .collect::<Vec<_>>()
            .into_iter();
        loop {
            let missing = self.target.saturating_sub(self.running_count());
            let batch: Vec<_> = candidates.by_ref().take(missing).collect();
            if batch.is_empty() {
                break;
            }
            let attempts = batch.iter().map(|partition| {
                redis.acquire(config.queue, *partition, &config.member, config.lease_ttl)
            });
            for acquired in join_all(attempts).await {
                match acquired {
                    Ok(Some(lease)) => self.start(lease),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(%error, "partitions could not be acquired");
                        return;
                    }
                }
            }
        }
    }

    fn start(&mut self, lease: Lease) {
        let partition = lease.partition;
        let lease = Arc::new(lease);
        let keys = self.shared.redis.keys().of(partition);
        let waker = Arc::new(Waker::new(keys.stream(lease.queue)));
        let stop = CancellationToken::new();
        let work = PartitionLoop::new(
            self.shared.clone(),
            lease.clone(),
            waker.clone(),
            stop.clone(),
        );
        let task = self.tasks.spawn(work.run()).id();
        self.owned.insert(
            partition,
            Owned {
                lease,
                waker,
                stop,
                task,
            },
        );
        self.ownership_changed();
    }

    fn forget(&mut self, task: Id) {
        self.owned.retain(|_, owned| owned.task != task);
        self.ownership_changed();
    }

    fn ownership_changed(&self) {
        let wakers = self.owned.values().map(|owned| owned.waker.clone());
        self.watched.send_replace(wakers.collect());
        self.shared
            .redis
            .observer()
            .leases_owned(self.shared.config.queue, self.owned.len());
    }
}

/// How many of `partitions` are due to `member`: the same for all, and one more for the first few
/// in the order of their names, so that the shares of all members add up exactly.
fn fair_share(partitions: usize, members: &[String], member: &str) -> usize {
    let live = members.len().max(1);
    let before = members
        .iter()
        .filter(|other| other.as_str() < member)
        .count();
    partitions / live + usize::from(before < partitions % live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_all_partitions() {
        let members: Vec<String> = ["c", "a", "b"].map(String::from).into();
        let shares: Vec<_> = members
            .iter()
            .map(|m| fair_share(64, &members, m))
            .collect();
        assert_eq!(shares.iter().sum::<usize>(), 64);
        assert_eq!(shares, [21, 22, 21]);
        assert_eq!(fair_share(64, &[], "alone"), 64);
    }

    #[test]
    fn more_members_than_partitions_leave_some_without() {
        let members: Vec<String> = (0..5).map(|n| n.to_string()).collect();
        let shares: Vec<_> = members.iter().map(|m| fair_share(3, &members, m)).collect();
        assert_eq!(shares, [1, 1, 1, 0, 0]);
    }
}
