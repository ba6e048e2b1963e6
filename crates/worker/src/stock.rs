//! What is for sale: where it comes from, and the shelf on which turns find it.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use jiff::Timestamp;
use stock::{Limits, Reading, Stock};

use crate::domain::Domain;

/// The name by which commands and settings ask for the feed that comes with the domain.
pub const SHIPPED: &str = "shipped";

/// What is for sale now. Clones share it; a turn takes one look and keeps what it saw.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<RwLock<Option<Arc<Stock>>>>);

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
            .clone()
    }

    /// From now on this is for sale.
    pub fn put(&self, stock: Stock) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(stock));
    }
}

/// The stock of a feed in a file, or of the one that comes with the domain ([`SHIPPED`]).
///
/// # Errors
/// When the domain has no stock, or the file cannot be read as a feed.
pub fn from_file(domain: &Domain, file: &Path) -> anyhow::Result<Stock> {
    let known = domain
        .stock
        .as_ref()
        .context("the domain says nothing of a stock")?;
    let how = Reading {
        source: SHIPPED,
        mapping: None,
        now: Timestamp::now(),
        limits: Limits::default(),
    };
    let import = if file.as_os_str() == SHIPPED {
        let example = known
            .example
            .as_deref()
            .context("the domain comes with no stock")?;
        known.feeds.import(example.as_bytes(), &how)
    } else {
        let name = file.display();
        let open = File::open(file).with_context(|| format!("{name} cannot be read"))?;
        let source = file
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned());
        let source = source.unwrap_or_default();
        known.feeds.import(
            open,
            &Reading {
                source: &source,
                ..how
            },
        )
    };
    let import = import.with_context(|| format!("the feed {}", file.display()))?;
    Ok(Stock::new(Arc::clone(&known.feeds.schema), import.items))
}

/// The stock, or the end of the command with one line that says what is wrong.
pub(crate) fn or_refuse(stock: anyhow::Result<Stock>) -> Stock {
    stock.unwrap_or_else(|error| runtime::refuse(&[format!("{error:#}")]))
}
