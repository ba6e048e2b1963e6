//! The loop of one owned partition: fetch, hand out, settle.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fetch::{Fetched, From};
use crate::lease::Lease;
use crate::{Redis, StreamId};

use super::Handler;
use super::config::ConsumerConfig;
use super::item::{Content, Item, MailboxKey};
use super::job::{Context, Outcome};
use super::mailboxes::Mailboxes;
use super::process::{process, unless_panics};
use super::wake::Waker;

/// What all partitions of a consumer share.
pub(super) struct Shared<H> {
    pub(super) redis: Redis,
    pub(super) handler: Arc<H>,
    pub(super) config: Arc<ConsumerConfig>,
    pub(super) permits: Arc<Semaphore>,
}

pub(super) struct PartitionLoop<H: Handler> {
    shared: Arc<Shared<H>>,
    lease: Arc<Lease>,
    waker: Arc<Waker>,
    stop: CancellationToken,
    mailboxes: Mailboxes<H::Payload>,
    running: JoinSet<Ended<H::Payload>>,
    from: From,
    /// Whether the last fetch left something behind, as far as is known.
    more: bool,
    /// No fetch before this time, after one that failed.
    not_before: Option<Instant>,
}

/// An entry whose processing has ended, and how.
type Ended<P> = (MailboxKey, Item<P>, Outcome);

const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

impl<H: Handler> PartitionLoop<H> {
    pub(super) fn new(
        shared: Arc<Shared<H>>,
        lease: Arc<Lease>,
        waker: Arc<Waker>,
        stop: CancellationToken,
    ) -> Self {
        let mailboxes = Mailboxes::new(shared.config.window, shared.config.lane);
        Self {
            shared,
            lease,
            waker,
            stop,
            mailboxes,
            running: JoinSet::new(),
            from: From::Pending {
                after: StreamId::ZERO,
            },
            more: true,
            not_before: None,
        }
    }

    /// Runs until the lease is lost, or until `stop` and everything that was started has ended;
    /// then gives the lease back.
    pub(super) async fn run(mut self) {
        while !self.lease.is_lost() {
            let stopping = self.stop.is_cancelled();
            if stopping {
                self.mailboxes.drop_waiting();
                if self.running.is_empty() {
                    break;
                }
            } else {
                self.hand_out();
                if self.wants_fetch(Instant::now()) {
                    self.fetch().await;
                    continue;
                }
            }
            self.wait(stopping).await;
        }
        if !self.lease.is_lost() && self.shared.redis.release(&self.lease).await.is_err() {
            tracing::debug!(partition = %self.lease.partition, "lease not released; it will expire");
        }
    }

    async fn wait(&mut self, stopping: bool) {
        let now = Instant::now();
        let retry = self.mailboxes.wake_delayed(now);
        // A renewal that comes late makes the lease safe again, and nothing else will say so.
        let unsafe_lease = self.more && !self.lease.may_start_work(now);
        let recheck = unsafe_lease.then(|| now + self.shared.config.tick() / 10);
        let timer = [retry, self.not_before, recheck]
            .into_iter()
            .flatten()
            .min();
        tokio::select! {
            biased;
            () = self.lease.lost() => {}
            () = self.stop.cancelled(), if !stopping => {}
            Some(ended) = self.running.join_next(), if !self.running.is_empty() => {
                self.ended(ended.ok());
                while let Some(ended) = self.running.try_join_next() {
                    self.ended(ended.ok());
                }
            }
            () = self.waker.woken(), if !stopping => self.woken(),
            () = sleep_until(timer), if timer.is_some() && !stopping => self.not_before = None,
        }
    }

    /// There may be something new. After a broken connection something old as well: a commit that
    /// Redis has lost leaves its entry pending, and only a reading of those finds it.
    fn woken(&mut self) {
        self.more = true;
        if self.waker.take_suspicion() {
            self.from = From::Pending {
                after: StreamId::ZERO,
            };
        }
    }

    fn wants_fetch(&self, now: Instant) -> bool {
        self.more
            && self.mailboxes.len() < self.shared.config.held
            && self.not_before.is_none_or(|at| at <= now)
            && self.lease.may_start_work(now)
    }

    async fn fetch(&mut self) {
        let config = &self.shared.config;
        let room = config
            .held
            .saturating_sub(self.mailboxes.len())
            .min(config.window);
        match self.shared.redis.fetch(&self.lease, &self.from, room).await {
            Ok(Fetched::Entries(entries)) => self.fetched(entries, room),
            Ok(Fetched::Fenced) => self.lease.mark_lost(),
            // The group is gone because Redis came back empty: acquiring again makes it.
            Err(error) if error.is_missing_group() => self.lease.mark_lost(),
            Err(error) => {
                tracing::debug!(%error, partition = %self.lease.partition, "fetch failed");
                // What the lost answer held is pending now; only a reading of those finds it.
                self.from = From::Pending {
                    after: StreamId::ZERO,
                };
                self.waker.start_over();
                self.not_before = Some(Instant::now() + PAUSE_AFTER_ERROR);
            }
        }
    }

    fn fetched(&mut self, entries: Vec<crate::entry::RawEntry>, room: usize) {
        let last = entries.last().map(|entry| entry.id);
        let full = entries.len() >= room;
        for entry in entries {
            let mut item: Item<H::Payload> = entry.into();
            if let Content::Whole(_, payload) = &item.content {
                let lane = unless_panics(|| self.shared.handler.lane(payload));
                item.lane = lane.flatten().map(Into::into);
            }
            self.mailboxes.push(item);
        }
        match (&self.from, last) {
            (From::Pending { .. }, Some(after)) => self.from = From::Pending { after },
            (From::Pending { .. }, None) => self.from = From::New,
            (From::New, _) => self.more = full,
        }
        self.waker.fetched(last, self.more);
    }

    fn hand_out(&mut self) {
        let (now, now_ms) = (Instant::now(), wall_clock_ms());
        self.mailboxes.wake_delayed(now);
        while self.running.len() < self.shared.config.concurrency {
            let handler = &self.shared.handler;
            let started = self
                .mailboxes
                .start_next(now, now_ms, |waiting| handler.gather(waiting));
            let Some((key, mut item)) = started else {
                return;
            };
            let context = Context {
                redis: self.shared.redis.clone(),
                lease: self.lease.clone(),
                config: self.shared.config.clone(),
                permits: self.shared.permits.clone(),
                permit: None,
                weight: 1,
                stop: self.stop.clone(),
            };
            let handler = self.shared.handler.clone();
            self.running.spawn(async move {
                let outcome = process(handler.as_ref(), &mut item, context).await;
                (key, item, outcome)
            });
        }
    }

    fn ended(&mut self, ended: Option<Ended<H::Payload>>) {
        let Some((key, mut item, outcome)) = ended else {
            return;
        };
        match outcome {
            Outcome::Done { merged } => {
                let left_out = item.merged.split_off(merged.min(item.merged.len()));
                self.mailboxes.put_back(&key, left_out);
                self.mailboxes.finish(key, &item);
            }
            Outcome::Retry { after, error } => {
                tracing::warn!(entry = %item.id, partition = %self.lease.partition, %error,
                    retry_in_ms = after.as_millis(), "entry is tried again");
                item.last_error = Some(error);
                self.mailboxes.retry(&key, item, Instant::now() + after);
            }
            Outcome::Lost => self.lease.mark_lost(),
            Outcome::Left => self.mailboxes.retry(&key, item, Instant::now()),
        }
    }
}

fn wall_clock_ms() -> u64 {
    let now = jiff::Timestamp::now().as_millisecond();
    u64::try_from(now).unwrap_or_default()
}

async fn sleep_until(when: Option<Instant>) {
    if let Some(when) = when {
        tokio::time::sleep_until(when.into()).await;
    }
}
