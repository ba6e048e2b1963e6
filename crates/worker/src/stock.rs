//! What is for sale: where it comes from, and the shelf on which turns find it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use crm::KeptFeed;
use jiff::Timestamp;
use stock::{FeedError, Import, Limits, Mapping, Reading, Stock};

use crate::domain::{Domain, DomainStock};

mod client;
mod keeper;
mod matches;
mod pushed;

pub(crate) use client::is_public;
pub use keeper::Keeper;
pub(crate) use pushed::{id_of, pushed};

/// The name by which commands and settings ask for the feed that comes with the domain.
pub const SHIPPED: &str = "shipped";

/// What is for sale now. Clones share it; a turn takes one look and keeps what it saw.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<RwLock<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    stock: Option<Arc<Stock>>,
    /// Of which revision each feed is at least, also those that are not for sale here.
    revisions: BTreeMap<String, i64>,
}

impl Shelf {
    /// A shelf with a stock on it.
    #[must_use]
    pub fn of(stock: Stock) -> Self {
        let shelf = Self::default();
        shelf.put(stock);
        shelf
    }

    /// What is for sale; none while nothing is known.
    #[must_use]
    pub fn now(&self) -> Option<Arc<Stock>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .stock
            .clone()
    }

    /// Whether what is on it is of that revision of a feed, or a later one.
    pub(crate) fn has(&self, feed: &str, revision: i64) -> bool {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shown.revisions.get(feed).is_some_and(|at| *at >= revision)
    }

    /// From now on this is for sale.
    pub fn put(&self, stock: Stock) {
        let mut shown = self.0.write().unwrap_or_else(PoisonError::into_inner);
        shown.stock = Some(Arc::new(stock));
    }

    /// What was put on it is of these revisions or later ones.
    pub(crate) fn is_of(&self, feeds: &[KeptFeed]) {
        let revisions = feeds.iter().map(|feed| (feed.name.clone(), feed.revision));
        let mut shown = self.0.write().unwrap_or_else(PoisonError::into_inner);
        shown.revisions = revisions.collect();
    }
}

/// The stock of a feed in a file, or of the one that comes with the domain ([`SHIPPED`]).
///
/// # Errors
/// When the domain has no stock, or the file cannot be read as a feed.
pub fn from_file(domain: &Domain, file: &Path) -> anyhow::Result<Stock> {
    let known = of_domain(domain)?;
    let source = file
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned());
    let import = import_file(known, file, &source.unwrap_or_default(), None)?;
    Ok(Stock::new(Arc::clone(&known.feeds.schema), import.items))
}

/// What the domain says of its stock.
pub(crate) fn of_domain(domain: &Domain) -> anyhow::Result<&DomainStock> {
    domain
        .stock
        .as_ref()
        .context("the domain says nothing of a stock")
}

/// What a file, or the feed that comes with the domain, has.
pub(crate) fn import_file(
    known: &DomainStock,
    file: &Path,
    source: &str,
    mapping: Option<&Mapping>,
) -> anyhow::Result<Import> {
    let how = Reading {
        source,
        mapping,
        now: Timestamp::now(),
        limits: Limits::default(),
    };
    let import: Result<Import, FeedError> = if file.as_os_str() == SHIPPED {
        let example = known
            .example
            .as_deref()
            .context("the domain comes with no stock")?;
        known.feeds.import(example.as_bytes(), &how)
    } else {
        let open =
            File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
        known.feeds.import(open, &how)
    };
    import.with_context(|| format!("the feed {}", file.display()))
}

/// A mapping of the domain, or one in a file.
pub(crate) fn mapping(known: &DomainStock, name: &str) -> Result<Mapping, String> {
    if let Some(mapping) = known.feeds.mapping(name) {
        return Ok(mapping.clone());
    }
    if Path::new(name).extension().is_none_or(|end| end != "toml") {
        let names: Vec<&str> = known
            .feeds
            .mappings
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        return Err(format!(
            "there is no mapping {name}; there are {}, or a file of yours (.toml)",
            names.join(", ")
        ));
    }
    let text = std::fs::read_to_string(name).map_err(|error| format!("{name}: {error}"))?;
    Mapping::parse(&text, &known.feeds.schema).map_err(|mistake| format!("{name}: {mistake}"))
}

/// The stock, or the end of the command with one line that says what is wrong.
pub(crate) fn or_refuse<T>(stock: anyhow::Result<T>) -> T {
    stock.unwrap_or_else(|error| runtime::refuse(&[format!("{error:#}")]))
}
