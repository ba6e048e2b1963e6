//! Tells partitions that something new came, by reads that take nothing away.
//!
//! `XREAD BLOCK` leaves the group untouched, so unlike a blocking `XREADGROUP` it may be cut off at
//! any time. One node: one read watches all owned partitions. Cluster: one read a partition.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::Value;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connector::Connection;
use crate::entry::{parse_entries, text};
use crate::{Redis, StreamId, StreamsError};

/// How one partition and the watcher talk to each other.
pub(super) struct Waker {
    stream: String,
    woken: Notify,
    /// Everything up to here was fetched, or its arrival was announced. Kept with the waker and not
    /// by the stream's name: a partition that is lost and acquired again has a new waker, and what
    /// was announced to the old one must be announced to it as well.
    position: Mutex<StreamId>,
    /// The partition has more to fetch than it has room for and needs no waking.
    backlogged: AtomicBool,
    /// Redis may have forgotten what this process believes to be done.
    suspect: AtomicBool,
}

impl Waker {
    pub(super) fn new(stream: String) -> Self {
        Self {
            stream,
            woken: Notify::new(),
            position: Mutex::default(),
            backlogged: AtomicBool::new(true),
            suspect: AtomicBool::new(false),
        }
    }

    /// Completes when there may be something new.
    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// The partition fetched up to `last`; `backlogged` says whether it stopped for lack of room.
    pub(super) fn fetched(&self, last: Option<StreamId>, backlogged: bool) {
        self.advance(last);
        self.backlogged.store(backlogged, Ordering::Release);
    }

    /// Something up to `last` has arrived. What was fetched while the watcher read wakes nobody.
    fn announce(&self, last: StreamId) {
        if self.advance(Some(last)) {
            self.woken.notify_one();
        }
    }

    /// Whether that is news.
    fn advance(&self, last: Option<StreamId>) -> bool {
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *position;
        *position = last.map_or(before, |last| last.max(before));
        *position > before
    }

    /// The connection broke: Redis may have restarted or failed over, and lost its last writes.
    /// Entries that were done may be pending again, and new ones may have ids that were seen already.
    fn connection_broke(&self) {
        self.start_over();
        self.suspect.store(true, Ordering::Release);
        self.woken.notify_one();
    }

    /// Whether the connection broke since this was asked last.
    pub(super) fn take_suspicion(&self) -> bool {
        self.suspect.swap(false, Ordering::AcqRel)
    }

    /// Everything in the stream counts as new again.
    pub(super) fn start_over(&self) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = StreamId::ZERO;
    }

    fn position(&self) -> StreamId {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) type Watched = watch::Receiver<Vec<Arc<Waker>>>;

/// One node: short, so that a partition which was backlogged a moment ago is watched again soon.
const BLOCK_MANY: Duration = Duration::from_millis(200);
/// Cluster: the read belongs to one partition, which knows when it needs it.
const BLOCK_ONE: Duration = Duration::from_secs(1);
/// Lets entries gather, so that a burst costs a few reads and not one each.
const GATHER: Duration = Duration::from_millis(1);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);

/// Watches the owned partitions until `stop`.
pub(super) async fn watch_all(redis: Redis, mut watched: Watched, stop: CancellationToken) {
    if redis.keys().spans_partitions() {
        let wakers = || watched.borrow().clone();
        stop.run_until_cancelled(Box::pin(watch_wakers(&redis, wakers, BLOCK_MANY)))
            .await;
        return;
    }
    let mut watchers: Vec<(Arc<Waker>, DropGuard)> = Vec::new();
    let mut tasks = JoinSet::new();
    loop {
        let wakers = watched.borrow_and_update().clone();
        watchers.retain(|(watching, _)| wakers.iter().any(|waker| Arc::ptr_eq(waker, watching)));
        for waker in wakers {
            if watchers
                .iter()
                .any(|(watching, _)| Arc::ptr_eq(&waker, watching))
            {
                continue;
            }
            let token = stop.child_token();
            watchers.push((waker.clone(), token.clone().drop_guard()));
            let redis = redis.clone();
            tasks.spawn(async move {
                let only = || vec![waker.clone()];
                token
                    .run_until_cancelled(watch_wakers(&redis, only, BLOCK_ONE))
                    .await
            });
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = watched.changed() => if changed.is_err() { return },
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
        }
    }
}

async fn watch_wakers(redis: &Redis, wakers: impl Fn() -> Vec<Arc<Waker>>, block: Duration) {
    let mut connection = None;
    loop {
        let mut idle = wakers();
        idle.retain(|waker| !waker.backlogged.load(Ordering::Acquire));
        if idle.is_empty() {
            tokio::time::sleep(GATHER * 20).await;
            continue;
        }
        match read(redis, &mut connection, &idle, block).await {
            Ok(news) => {
                for (stream, last) in news {
                    if let Some(waker) = idle.iter().find(|waker| waker.stream == stream) {
                        waker.announce(last);
                    }
                }
                tokio::time::sleep(GATHER).await;
            }
            Err(error) => {
                tracing::debug!(%error, "watching streams failed");
                connection = None;
                wakers().iter().for_each(|waker| waker.connection_broke());
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

/// The streams that have something after their position, with the id of what was seen.
async fn read(
    redis: &Redis,
    connection: &mut Option<Connection>,
    idle: &[Arc<Waker>],
    block: Duration,
) -> Result<Vec<(String, StreamId)>, StreamsError> {
    let first = idle.first().map_or("", |waker| waker.stream.as_str());
    let connection = match connection {
        Some(open) => open,
        None => connection.insert(redis.blocking_connection(block, first).await?),
    };
    let mut command = redis::cmd("XREAD");
    command
        .arg("COUNT")
        .arg(1)
        .arg("BLOCK")
        .arg(block.as_millis().max(1) as u64)
        .arg("STREAMS");
    for waker in idle {
        command.arg(&waker.stream);
    }
    for waker in idle {
        command.arg(waker.position().to_string());
    }
    let reply: Value = command.query_async(connection).await?;
    Ok(parse_news(reply))
}

fn parse_news(reply: Value) -> Vec<(String, StreamId)> {
    let Value::Array(streams) = reply else {
        return Vec::new();
    };
    let news = streams.into_iter().filter_map(|stream| {
        let Value::Array(parts) = stream else {
            return None;
        };
        let mut parts = parts.into_iter();
        let name = text(parts.next()?)?;
        let last = parse_entries(parts.next()?).last()?.id;
        Some((name, last))
    });
    news.collect()
}
