//! The loop of one owned partition: fetch, hand out, settle.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::begin::{Early, StartEnd};
use crate::entry::RawEntry;
use crate::fetch::{Fetched, From, StartEarly};
use crate::lease::Lease;
use crate::{EarlyReads, Redis, StreamId};

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
    /// Places for what was handed out and waits for its place among the work in flight.
    queueing: Arc<Semaphore>,
    /// Whether something could start that found no place, not even to queue.
    is_short: bool,
    from: From,
    /// What is read with an entry that starts as soon as it comes.
    early_reads: Option<EarlyReads>,
    /// Whether the last fetch left something behind, as far as is known.
    more: bool,
    /// No fetch before this time, after one that failed.
    not_before: Option<Instant>,
}

/// Starts that a fetch made, each with its place among the work in flight.
type Started = HashMap<StreamId, (Early, OwnedSemaphorePermit)>;

/// Where an entry waits that is handed out.
enum Place {
    /// Nowhere: it is in flight.
    InFlight(OwnedSemaphorePermit),
    /// For a place among the work in flight.
    Queueing(OwnedSemaphorePermit),
    /// The fetch may have started it.
    Begun,
}

/// The most starts that a fetch makes. Where more come, they are begun together.
const MOST_EARLY: usize = 4;

/// No more is fetched while so many mailboxes could start at once, and no more in one go: what waits in Redis
/// takes no memory here. Mailboxes that wait for something else do not hide those behind them.
const ENOUGH_READY: usize = 4;
const MOST_FETCHED: usize = 16;

/// The most entries of a partition that are handed out while as much is in flight as may be: each takes
/// several times the memory of one that is not. One that ends lets more follow.
const MOST_QUEUEING: usize = 4;

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
        let keys = shared.redis.keys().of(lease.partition);
        let early_reads = unless_panics(|| shared.handler.early_reads(keys)).flatten();
        Self {
            shared,
            lease,
            waker,
            stop,
            mailboxes,
            running: JoinSet::new(),
            queueing: Arc::new(Semaphore::new(MOST_QUEUEING)),
            is_short: false,
            from: From::Pending {
                after: StreamId::ZERO,
            },
            early_reads,
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
                self.hand_out(&mut Started::new());
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
        let queueing = Arc::clone(&self.queueing);
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
            // Those who wait for something else than a place give theirs up, and end nothing.
            _ = queueing.acquire(), if self.is_short && !stopping => {}
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
            && self.mailboxes.ready() < ENOUGH_READY
            && self.not_before.is_none_or(|at| at <= now)
            && self.lease.may_start_work(now)
    }

    async fn fetch(&mut self) {
        let config = &self.shared.config;
        let room = config
            .held
            .saturating_sub(self.mailboxes.len())
            .min(config.window)
            .min(MOST_FETCHED);
        let permits = self.early_permits();
        let early = self.early_reads.as_ref().map(|reads| StartEarly {
            most: permits.len(),
            reads,
        });
        let redis = &self.shared.redis;
        match redis.fetch(&self.lease, &self.from, room, early).await {
            Ok(Fetched::Entries(entries, started)) => {
                self.fetched(entries, room);
                let pairs = started.into_iter().zip(permits);
                let started = pairs.map(|((id, early), permit)| (id, (early, permit)));
                self.start_early(started.collect()).await;
            }
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

    /// Places for entries that start as soon as they come: nothing of the partition may be before them.
    fn early_permits(&self) -> Vec<OwnedSemaphorePermit> {
        let config = &self.shared.config;
        if self.early_reads.is_none() || self.from != From::New || self.mailboxes.len() > 0 {
            return Vec::new();
        }
        let most = MOST_EARLY.min(config.concurrency).min(config.lane);
        let permits = || self.shared.permits.clone().try_acquire_owned().ok();
        std::iter::from_fn(permits).take(most).collect()
    }

    /// Starts what the fetch started. What is to wait after all has not been started.
    async fn start_early(&mut self, mut started: Started) {
        if started.is_empty() {
            return;
        }
        self.hand_out(&mut started);
        for (id, (early, permit)) in started {
            drop(permit);
            let (redis, lease) = (&self.shared.redis, &self.lease);
            let taken_back = redis.end_start(lease, id, &early.start, StartEnd::Left);
            if let Err(error) = taken_back.await {
                tracing::debug!(%error, "a start could not be taken back");
            }
        }
    }

    fn fetched(&mut self, entries: Vec<RawEntry>, room: usize) {
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

    /// Starts what can start; of `started` with what was read for it.
    fn hand_out(&mut self, started: &mut Started) {
        let (now, now_ms) = (Instant::now(), wall_clock_ms());
        self.mailboxes.wake_delayed(now);
        self.is_short = false;
        while self.running.len() < self.shared.config.concurrency {
            let place = self.place(started);
            self.is_short = place.is_none();
            let Some(place) = place else {
                return;
            };
            let handler = &self.shared.handler;
            let next = self
                .mailboxes
                .start_next(now, now_ms, |waiting| handler.gather(waiting));
            let Some((key, mut item)) = next else {
                return;
            };
            let (early, begun) = started.remove(&item.id).unzip();
            let (permit, queueing) = match (begun, place) {
                (Some(begun), _) => (Some(begun), None),
                (None, Place::InFlight(permit)) => (Some(permit), None),
                (None, Place::Queueing(place)) => (None, Some(place)),
                (None, Place::Begun) => (None, None),
            };
            let context = Context {
                redis: self.shared.redis.clone(),
                lease: self.lease.clone(),
                config: self.shared.config.clone(),
                permits: self.shared.permits.clone(),
                permit,
                queueing,
                weight: 1,
                stop: self.stop.clone(),
            };
            let handler = self.shared.handler.clone();
            self.running.spawn(async move {
                let outcome = process(handler.as_ref(), &mut item, early, context).await;
                (key, item, outcome)
            });
        }
    }

    /// The place of what is handed out next; none when enough waits for one.
    fn place(&self, started: &Started) -> Option<Place> {
        if !started.is_empty() {
            return Some(Place::Begun);
        }
        if let Ok(permit) = self.shared.permits.clone().try_acquire_owned() {
            return Some(Place::InFlight(permit));
        }
        let place = self.queueing.clone().try_acquire_owned();
        place.ok().map(Place::Queueing)
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
