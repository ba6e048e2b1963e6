//! What is for sale, kept beside the CRM, so that several workers share one reading of a feed.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{Any, Transaction};
use stock::Item;

use super::notices::{mark, tell_of_machine};
use super::rows;
use super::store::{Crm, CrmError, text};
use crate::notice::Kind;

/// How many items go into one statement.
const AT_ONCE: usize = 500;
/// A stock with fewer items than this may shrink as it likes.
const FEW: usize = 4;

/// Where items come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A feed that the settings name.
    Feed,
    /// A file that somebody imported.
    Hand,
    /// Single items that somebody pushes.
    Push,
}

impl Origin {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Hand => "hand",
            Self::Push => "push",
        }
    }
}

/// What is known of a feed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KeptFeed {
    /// By which the settings call it.
    pub name: String,
    /// `feed`, `hand` or `push`.
    pub origin: String,
    /// As its server said last.
    pub etag: Option<String>,
    /// As its server said last.
    pub last_modified: Option<String>,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
    /// When it was last read.
    pub read_at: Option<Timestamp>,
    /// How the last try ended.
    pub outcome: String,
    /// Why.
    pub detail: Option<String>,
    /// How often its items changed.
    pub revision: i64,
    /// How many there are.
    pub items: i64,
}

/// A whole reading of a feed.
#[derive(Debug, Clone)]
pub struct WholeFeed<'a> {
    /// By which the settings call it.
    pub name: &'a str,
    /// Where it comes from.
    pub origin: Origin,
    /// Everything that it has.
    pub items: &'a [Item],
    /// As its server said.
    pub etag: Option<String>,
    /// As its server said.
    pub last_modified: Option<String>,
    /// It may be smaller than half of what is kept.
    pub may_shrink: bool,
}

/// What became of a whole reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is what is for sale now: so many items were written and removed.
    Changed {
        /// New and changed.
        written: usize,
        /// Gone.
        removed: usize,
    },
    /// It is less than half of what is kept, which stays.
    Suspect {
        /// How many are kept.
        kept: usize,
    },
}

/// One item that is pushed.
#[derive(Debug, Clone)]
pub enum Push {
    /// It is so now.
    Put(Box<Item>),
    /// It is gone.
    Remove(String),
}

impl Crm {
    /// What is known of every feed, by name.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn stock_feeds(&self) -> Result<Vec<KeptFeed>, CrmError> {
        type Row = (
            String,
            String,
            Option<String>,
            Option<String>,
            String,
            Option<String>,
            String,
            Option<String>,
            i64,
            i64,
        );
        let select = "SELECT name, origin, etag, last_modified, tried_at, read_at, outcome, detail, revision, \
                      (SELECT COUNT(*) FROM stock_items WHERE source = name) FROM stock_feeds ORDER BY name";
        let rows: Vec<Row> = sqlx::query_as(select).fetch_all(&self.pool).await?;
        let feeds = rows.into_iter().map(
            |(name, origin, etag, last_modified, tried, read, outcome, detail, revision, items)| {
                KeptFeed {
                    name,
                    origin,
                    etag,
                    last_modified,
                    tried_at: tried.parse().ok(),
                    read_at: read.and_then(|at| at.parse().ok()),
                    outcome,
                    detail,
                    revision,
                    items,
                }
            },
        );
        Ok(feeds.collect())
    }

    /// Everything that is for sale by these feeds.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn stock_items(&self, feeds: &[&KeptFeed]) -> Result<Vec<Item>, CrmError> {
        let mut items = Vec::new();
        for feed in feeds {
            let select =
                sqlx::query_scalar("SELECT item FROM stock_items WHERE source = $1 ORDER BY id");
            let mut rows = select.bind(&feed.name).fetch(&self.pool);
            while let Some(row) = rows.try_next().await? {
                let row: String = row;
                // What an older version wrote is read again with its feed.
                if let Ok(mut item) = serde_json::from_str::<Item>(&row) {
                    item.source = feed.name.as_str().into();
                    item.seen_at = feed.read_at.unwrap_or_default();
                    items.push(item);
                }
            }
        }
        Ok(items)
    }

    /// Takes a whole reading as what is for sale by its feed, unless it is suspect: then a notice goes out,
    /// once until it is taken again.
    ///
    /// # Errors
    /// When the database cannot be reached; what was kept stays then.
    pub async fn take_stock(
        &self,
        feed: &WholeFeed<'_>,
        now: Timestamp,
    ) -> Result<Taken, CrmError> {
        let mut transaction = self.begin().await?;
        let select =
            sqlx::query_as("SELECT id, digest FROM stock_items WHERE source = $1").bind(feed.name);
        let kept: Vec<(String, String)> = select.fetch_all(&mut *transaction).await?;
        let mut kept: BTreeMap<String, String> = kept.into_iter().collect();
        let before = kept.len();
        if !feed.may_shrink && is_suspect(before, feed.items.len()) {
            let why = format!("{} of {before} items", feed.items.len());
            note(
                &mut transaction,
                feed.name,
                feed.origin,
                "suspect",
                Some(&why),
                now,
            )
            .await?;
            suspect(&mut transaction, feed.name, before, &why, now).await?;
            transaction.commit().await?;
            return Ok(Taken::Suspect { kept: before });
        }
        note(
            &mut transaction,
            feed.name,
            feed.origin,
            "changed",
            None,
            now,
        )
        .await?;
        let mut changed: Vec<(&str, String, String)> = Vec::new();
        for item in feed.items {
            let json =
                serde_json::to_string(item).map_err(|error| sqlx::Error::Encode(error.into()))?;
            let digest = digest(&json);
            if kept.remove(&*item.id).is_none_or(|before| before != digest) {
                changed.push((&item.id, digest, json));
            }
        }
        put(&mut transaction, feed.name, &changed).await?;
        remove(&mut transaction, feed.name, kept.keys()).await?;
        let moved = i64::from(!changed.is_empty() || !kept.is_empty());
        let update = "UPDATE stock_feeds SET etag = $1, last_modified = $2, read_at = $3, revision = revision + $4 WHERE name = $5";
        let update = sqlx::query(update)
            .bind(&feed.etag)
            .bind(&feed.last_modified)
            .bind(text(now))
            .bind(moved);
        update.bind(feed.name).execute(&mut *transaction).await?;
        mark(&mut transaction, &watermark(feed.name), 0).await?;
        transaction.commit().await?;
        Ok(Taken::Changed {
            written: changed.len(),
            removed: kept.len(),
        })
    }

    /// Notes how a try of a feed ended that brought no items: `unchanged` counts as a reading.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn note_stock(
        &self,
        feed: &str,
        outcome: &str,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<(), CrmError> {
        let mut transaction = self.begin().await?;
        note(&mut transaction, feed, Origin::Feed, outcome, detail, now).await?;
        if outcome == "unchanged" {
            let update = sqlx::query("UPDATE stock_feeds SET read_at = $1 WHERE name = $2")
                .bind(text(now))
                .bind(feed);
            update.execute(&mut *transaction).await?;
        }
        if outcome == "refused" {
            let count =
                sqlx::query_scalar("SELECT COUNT(*) FROM stock_items WHERE source = $1").bind(feed);
            let kept: i64 = count.fetch_one(&mut *transaction).await?;
            let kept = usize::try_from(kept).unwrap_or_default();
            suspect(
                &mut transaction,
                feed,
                kept,
                detail.unwrap_or_default(),
                now,
            )
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Takes single items, in this order.
    ///
    /// # Errors
    /// When the database cannot be reached; nothing of them is taken then.
    pub async fn push_stock(
        &self,
        feed: &str,
        pushes: &[Push],
        now: Timestamp,
    ) -> Result<(), CrmError> {
        let mut transaction = self.begin().await?;
        note(&mut transaction, feed, Origin::Push, "changed", None, now).await?;
        for push in pushes {
            match push {
                Push::Put(item) => {
                    let json = serde_json::to_string(item)
                        .map_err(|error| sqlx::Error::Encode(error.into()))?;
                    put(&mut transaction, feed, &[(&item.id, digest(&json), json)]).await?;
                }
                Push::Remove(id) => remove(&mut transaction, feed, [id].into_iter()).await?,
            }
        }
        let update = sqlx::query(
            "UPDATE stock_feeds SET read_at = $1, revision = revision + 1 WHERE name = $2",
        );
        update
            .bind(text(now))
            .bind(feed)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Whether a whole reading is too small to be believed.
const fn is_suspect(before: usize, after: usize) -> bool {
    before > 0 && after == 0 || before >= FEW && after * 2 < before
}

fn watermark(feed: &str) -> String {
    format!("suspect stock of {feed}")
}

/// Tells once that a feed is not believed.
async fn suspect(
    transaction: &mut Transaction<'_, Any>,
    feed: &str,
    kept: usize,
    why: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    if mark(transaction, &watermark(feed), 1).await? == 0 {
        let data = json!({"feed": feed, "kept": kept, "why": why});
        tell_of_machine(transaction, Kind::StockSuspect, feed, data, now).await?;
    }
    Ok(())
}

async fn note(
    transaction: &mut Transaction<'_, Any>,
    feed: &str,
    origin: Origin,
    outcome: &str,
    detail: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<()> {
    let upsert = "INSERT INTO stock_feeds (name, origin, tried_at, outcome, detail, revision) VALUES ($1, $2, $3, $4, $5, 0) \
                  ON CONFLICT (name) DO UPDATE SET origin = excluded.origin, tried_at = excluded.tried_at, \
                  outcome = excluded.outcome, detail = excluded.detail";
    let upsert = sqlx::query(upsert)
        .bind(feed)
        .bind(origin.as_str())
        .bind(text(now))
        .bind(outcome)
        .bind(detail);
    upsert.execute(&mut **transaction).await?;
    Ok(())
}

async fn put(
    transaction: &mut Transaction<'_, Any>,
    feed: &str,
    items: &[(&str, String, String)],
) -> sqlx::Result<()> {
    const UPSERT: &str = "INSERT INTO stock_items (source, id, digest, item) \
                          SELECT r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3 FROM {rows} WHERE true \
                          ON CONFLICT (source, id) DO UPDATE SET digest = excluded.digest, item = excluded.item";
    for some in items.chunks(AT_ONCE) {
        let some: Vec<_> = some
            .iter()
            .map(|(id, digest, item)| (feed, id, digest, item))
            .collect();
        rows::over(transaction, UPSERT, &some)?
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

async fn remove(
    transaction: &mut Transaction<'_, Any>,
    feed: &str,
    ids: impl Iterator<Item = &String>,
) -> sqlx::Result<()> {
    const DELETE: &str =
        "DELETE FROM stock_items WHERE source = $2 AND id IN (SELECT r.value ->> 0 FROM {rows})";
    let ids: BTreeSet<(&String,)> = ids.map(|id| (id,)).collect();
    if !ids.is_empty() {
        rows::over(transaction, DELETE, &ids)?
            .bind(feed.to_owned())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

fn digest(json: &str) -> String {
    hex::encode(Sha256::digest(json).get(..16).unwrap_or_default())
}
