//! Keeps the stock: one worker, by a lease, reads the feeds; every worker's shelf follows.

mod aging;
mod trial;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crm::{Crm, CrmError, KeptFeed, Origin, Taken, WholeFeed};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use stock::{FeedError, Import, Limits, Mapping, Reading, Stock};
use streams::Redis;

use self::aging::Aging;
use super::client::{FeedClient, FetchError, Fetched, Version, pipe};
use super::matches::Teller;
use super::pushed::{PUSHED, Takeover};
use super::{SHIPPED, Shelf, mapping};
use crate::config::StockConfig;
use crate::domain::{Domain, DomainStock};
use crate::metrics::WorkerMetrics;

/// How many pushes are taken over together.
const PUSHES: isize = 200;
/// A feed that failed is tried again after this long, when that is sooner than its turn.
const AFTER_FAILURE: Duration = Duration::from_secs(60);
/// For how long a lease outlasts the reading of a feed.
const SPARE: Duration = Duration::from_secs(30);

/// Why a feed brought nothing.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error("the file cannot be read")]
    File,
    #[error("it took longer than {0} s")]
    Slow(u64),
    #[error("the domain comes with no stock")]
    NothingShipped,
    #[error("it could not be read")]
    Broken,
}

impl ReadError {
    /// Whether what came is no feed; else nothing came.
    const fn is_refusal(&self) -> bool {
        match self {
            Self::Feed(error) => !matches!(error, FeedError::Io(_)),
            _ => false,
        }
    }
}

/// A reading of a feed.
enum Read {
    Unchanged,
    Whole(Box<Import>, Version),
}

impl Read {
    fn of_file(import: Import, etag: Option<String>) -> Self {
        let last_modified = None;
        let version = Version {
            etag,
            last_modified,
        };
        Self::Whole(Box::new(import), version)
    }
}

/// Keeps the shelf of this worker, and the stock that all share.
pub struct Keeper {
    crm: Crm,
    redis: Redis,
    domain: Arc<Domain>,
    config: StockConfig,
    shelf: Shelf,
    metrics: WorkerMetrics,
    holder: String,
    client: FeedClient,
    mappings: Vec<(String, Mapping)>,
    /// What the feeds were when the shelf was filled.
    shown: Vec<KeptFeed>,
    aging: Aging,
}

impl Keeper {
    /// None for a domain that has no stock. `holder` names this worker among the others.
    ///
    /// # Errors
    /// When a mapping is not known or wrong, or the domain has no stock that the settings ask for.
    pub fn new(
        crm: Crm,
        redis: Redis,
        domain: Arc<Domain>,
        config: &StockConfig,
        shelf: Shelf,
        metrics: WorkerMetrics,
        holder: String,
    ) -> Result<Option<Self>, String> {
        let Some(known) = domain.stock.as_ref() else {
            return if config.stock.is_empty() {
                Ok(None)
            } else {
                Err("WORKER_STOCK: the domain says nothing of a stock".into())
            };
        };
        let named = config.stock_mappings.iter().map(|named| {
            let found = mapping(known, &named.value);
            found
                .map(|found| (named.name.clone(), found))
                .map_err(|error| format!("WORKER_STOCK_MAPPINGS: {error}"))
        });
        let mappings = named.collect::<Result<_, _>>()?;
        let client = FeedClient::new(config.stock_allow_private)
            .map_err(|error| format!("WORKER_STOCK: {error}"))?;
        Ok(Some(Self {
            crm,
            redis,
            domain,
            config: config.clone(),
            shelf,
            metrics,
            holder,
            client,
            mappings,
            shown: Vec::new(),
            aging: Aging::new(config, Timestamp::now()),
        }))
    }

    /// Reads what is due, and fills the shelf when something changed.
    ///
    /// # Errors
    /// When the database cannot be reached; what was on the shelf stays then.
    pub async fn round(&mut self) -> Result<(), CrmError> {
        let kept = self.crm.stock_feeds().await?;
        let now = Timestamp::now();
        let due: Vec<_> = self
            .config
            .stock
            .iter()
            .filter(|feed| self.is_due(kept.iter().find(|one| one.name == feed.name), now))
            .collect();
        for feed in due {
            let until = now_in(self.config.timeout() + SPARE);
            if !self
                .crm
                .lease("stock", &self.holder, Timestamp::now(), until)
                .await?
            {
                break;
            }
            let known = kept.iter().find(|one| one.name == feed.name);
            self.read(&feed.name, &feed.value, known).await?;
        }
        self.take_pushes().await?;
        let kept = self.crm.stock_feeds().await?;
        let wanted = |feed: &&KeptFeed| {
            feed.read_at.is_some()
                && (feed.origin != "feed"
                    || self.config.stock.iter().any(|one| one.name == feed.name))
        };
        let wanted: Vec<&KeptFeed> = kept.iter().filter(wanted).collect();
        self.count(&kept, &wanted);
        let states = |feed: &KeptFeed| (feed.name.clone(), feed.revision, feed.read_at);
        let same = self
            .shown
            .iter()
            .map(states)
            .eq(wanted.iter().map(|feed| states(feed)));
        if let Some(known) = self.domain.stock.as_ref().filter(|_| !same) {
            let items = self.crm.stock_items(&wanted).await?;
            let schema = Arc::clone(&known.feeds.schema);
            tracing::info!(
                items = items.len(),
                feeds = wanted.len(),
                "the stock is on the shelf"
            );
            self.shelf.put(Stock::new(schema, items));
        }
        self.shelf.is_of(&kept);
        if !same {
            self.tell_of_matches().await?;
            self.shown = wanted.into_iter().cloned().collect();
        }
        Ok(())
    }

    /// Tells of what came in. It may be of a later revision than was known before it was read; so is what is known now.
    async fn tell_of_matches(&self) -> Result<(), CrmError> {
        let offers = self.domain.knowledge.offers.as_ref();
        let Some((offers, stock)) = offers.zip(self.shelf.now()) else {
            return Ok(());
        };
        let feeds = self.crm.stock_feeds().await?;
        let teller = Teller {
            crm: &self.crm,
            redis: &self.redis,
            offers,
            stock: &stock,
            feeds: &feeds,
        };
        teller.tell(Timestamp::now()).await
    }

    /// Takes over what was pushed, in the order in which it came. What nobody can read is kept aside.
    async fn take_pushes(&self) -> Result<(), CrmError> {
        loop {
            let waiting = match self.redis.stock_pushes(PUSHES).await {
                Ok(waiting) => waiting,
                Err(error) => {
                    tracing::debug!(%error, "it is not known what was pushed");
                    return Ok(());
                }
            };
            let until = now_in(SPARE);
            if waiting.is_empty()
                || !self
                    .crm
                    .lease("stock", &self.holder, Timestamp::now(), until)
                    .await?
            {
                return Ok(());
            }
            let now = Timestamp::now();
            let read = Takeover::read(&self.domain, &waiting, now);
            let newest = match self.redis.stock_newest(&read.replayed()).await {
                Ok(newest) => newest,
                Err(error) => {
                    tracing::error!(%error, "it is not known what is the newest of what was pushed");
                    return Ok(());
                }
            };
            let taken = read.judge(newest);
            let (count, unread) = (taken.pushes.len(), taken.unread.len());
            self.metrics.stock().pushed(count, unread, taken.outdated);
            self.crm.push_stock(PUSHED, &taken.pushes, now).await?;
            let done = self
                .redis
                .stock_pushes_taken(waiting.len(), &taken.unread, &taken.newest);
            if let Err(error) = done.await {
                // They are taken over again, which changes nothing.
                tracing::error!(%error, "what was pushed stays in Redis");
                return Ok(());
            }
        }
    }

    fn is_due(&self, known: Option<&KeptFeed>, now: Timestamp) -> bool {
        let Some(feed) = known else { return true };
        let Some(tried) = feed.tried_at else {
            return true;
        };
        let every = if feed.outcome == "failed" {
            AFTER_FAILURE.min(self.config.every())
        } else {
            self.config.every()
        };
        let since = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
        now.duration_since(tried) >= since
    }

    async fn read(
        &self,
        name: &str,
        location: &SecretString,
        known: Option<&KeptFeed>,
    ) -> Result<(), CrmError> {
        let version = known.filter(|known| {
            known.origin == "feed" && known.read_at.is_some() && known.outcome != "suspect"
        });
        let version = version.map_or_else(Version::default, |known| Version {
            etag: known.etag.clone(),
            last_modified: known.last_modified.clone(),
        });
        let limit = self.config.timeout();
        let read = tokio::time::timeout(limit, self.open(name, location, &version)).await;
        let now = Timestamp::now();
        let (outcome, why) = match read.unwrap_or(Err(ReadError::Slow(limit.as_secs()))) {
            Ok(Read::Unchanged) => ("unchanged", None),
            Ok(Read::Whole(import, version)) => {
                let report = &import.report;
                tracing::info!(
                    feed = name,
                    mapping = report.mapping,
                    read = report.read,
                    skipped = report.elements - report.read,
                    "feed read"
                );
                let whole = WholeFeed {
                    name,
                    origin: Origin::Feed,
                    items: &import.items,
                    etag: version.etag,
                    last_modified: version.last_modified,
                    may_shrink: false,
                };
                let outcome = match self.crm.take_stock(&whole, now).await? {
                    Taken::Changed { .. } => "changed",
                    Taken::Suspect { kept } => {
                        tracing::error!(
                            feed = name,
                            read = report.read,
                            kept,
                            "the feed is suspect; what was kept stays"
                        );
                        "suspect"
                    }
                };
                self.metrics.stock().read(outcome);
                return Ok(());
            }
            Err(error) => (
                if error.is_refusal() {
                    "refused"
                } else {
                    "failed"
                },
                Some(runtime::Chain(&error).to_string()),
            ),
        };
        if let Some(why) = &why {
            tracing::error!(
                feed = name,
                why,
                "the feed brought nothing; what was kept stays"
            );
        }
        self.metrics.stock().read(outcome);
        self.crm
            .note_stock(name, outcome, why.as_deref(), now)
            .await
    }

    async fn open(
        &self,
        name: &str,
        location: &SecretString,
        known: &Version,
    ) -> Result<Read, ReadError> {
        let address = location.expose_secret();
        if !address.contains("://") {
            return self.open_file(name, address.to_owned(), known).await;
        }
        let login = self
            .config
            .stock_logins
            .iter()
            .find(|login| login.name == name);
        match self
            .client
            .fetch(location, login.map(|login| &login.value), known)
            .await?
        {
            Fetched::Unchanged => Ok(Read::Unchanged),
            Fetched::Body(response, version) => {
                let (mouth, pipe) = pipe();
                let importing = self.import(name, pipe);
                let (filled, import) = tokio::join!(mouth.fill(response), importing);
                match (import, filled) {
                    (Err(ReadError::Feed(FeedError::EndsEarly(_))), Err(error)) => {
                        Err(error.into())
                    }
                    (Ok(_), Err(error)) => Err(error.into()),
                    (import, _) => Ok(Read::Whole(Box::new(import?), version)),
                }
            }
        }
    }

    async fn open_file(
        &self,
        name: &str,
        path: String,
        known: &Version,
    ) -> Result<Read, ReadError> {
        if path == SHIPPED {
            let text = self
                .domain
                .stock
                .as_ref()
                .and_then(|stock| stock.example.clone())
                .ok_or(ReadError::NothingShipped)?;
            let etag = Some(format!("shipped-{}", text.len()));
            if etag == known.etag {
                return Ok(Read::Unchanged);
            }
            let import = self
                .import(name, std::io::Cursor::new(text.as_bytes().to_vec()))
                .await?;
            return Ok(Read::of_file(import, etag));
        }
        let about = tokio::fs::metadata(Path::new(&path))
            .await
            .map_err(|_| ReadError::File)?;
        let changed = about
            .modified()
            .ok()
            .and_then(|at| Timestamp::try_from(at).ok());
        let etag = Some(format!("{}-{}", about.len(), changed.unwrap_or_default()));
        if etag == known.etag {
            return Ok(Read::Unchanged);
        }
        let file = tokio::task::spawn_blocking(move || File::open(path)).await;
        let file = file
            .map_err(|_| ReadError::Broken)?
            .map_err(|_| ReadError::File)?;
        let import = self.import(name, file).await?;
        Ok(Read::of_file(import, etag))
    }

    async fn import(
        &self,
        name: &str,
        input: impl std::io::Read + Send + 'static,
    ) -> Result<Import, ReadError> {
        let (domain, source) = (Arc::clone(&self.domain), name.to_owned());
        let mapping = self
            .mappings
            .iter()
            .find(|(feed, _)| feed == name)
            .map(|(_, mapping)| mapping.clone());
        let limits = Limits {
            bytes: self.config.stock_max_mb << 20,
            ..Limits::default()
        };
        let now = Timestamp::now();
        let imported = tokio::task::spawn_blocking(move || {
            let known: &DomainStock = domain.stock.as_ref()?;
            let how = Reading {
                source: &source,
                mapping: mapping.as_ref(),
                now,
                limits,
            };
            Some(known.feeds.import(input, &how))
        });
        match imported.await {
            Ok(Some(import)) => Ok(import?),
            Ok(None) | Err(_) => Err(ReadError::Broken),
        }
    }

    fn count(&self, kept: &[KeptFeed], feeds: &[&KeptFeed]) {
        let items = feeds.iter().map(|feed| feed.items).sum();
        self.metrics.stock().set_items(items);
        let fed = feeds.iter().filter(|feed| feed.origin == "feed");
        let settings = self.config.stock.iter();
        let read = settings.filter_map(|one| kept.iter().find(|feed| feed.name == one.name));
        let tried = read.map(|feed| (!is_failing(&feed.outcome), feed.tried_at));
        let oldest = fed.filter_map(|feed| feed.read_at).min();
        self.aging.note(oldest, tried.collect());
        self.aging.tell(self.metrics.stock(), Timestamp::now());
    }
}

/// Whether a reading that ended so brought nothing.
fn is_failing(outcome: &str) -> bool {
    matches!(outcome, "failed" | "refused" | "suspect")
}

fn now_in(wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO);
    Timestamp::now()
        .saturating_add(wait)
        .unwrap_or(Timestamp::MAX)
}
