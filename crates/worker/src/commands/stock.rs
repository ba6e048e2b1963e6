//! `worker stock`: what is for sale, and how its feeds are read.

mod unread;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use crm::{Crm, CrmConfig, KeptFeed, Origin, Taken, WholeFeed};
use jiff::Timestamp;
use serde_json::json;
use stock::{Import, Item, Report, Value};

use self::unread::UnreadArgs;
use crate::config::{DomainConfig, Named};
use crate::domain::Domain;
use crate::stock::{import_file, mapping, of_domain, or_refuse};

/// `worker stock`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub struct StockArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    crm: CrmConfig,
    #[command(flatten)]
    domain: DomainConfig,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Read a feed and tell what was read, what was not, and why. Changes nothing. Exit code 1 when
    /// something was not read.
    Check {
        /// The feed; `shipped` is the example that comes with the domain.
        file: PathBuf,
        /// The mapping by which it is read, or a file of one; the first that fits without it.
        #[arg(long, value_name = "MAPPING")]
        mapping: Option<String>,
    },
    /// Take a feed as all that is for sale by its name. The workers follow within seconds.
    Import {
        /// The feed; `shipped` is the example that comes with the domain.
        file: PathBuf,
        /// By which the feed is known: that of a feed in WORKER_STOCK is read again at its time.
        #[arg(long = "as", value_name = "NAME")]
        name: String,
        /// The mapping by which it is read, or a file of one; the first that fits without it.
        #[arg(long, value_name = "MAPPING")]
        mapping: Option<String>,
        /// Take it though it is smaller than half of what is kept.
        #[arg(long)]
        smaller: bool,
    },
    /// Print the feeds and what is for sale.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Print all that is known of a thing.
    Show {
        /// Its id.
        id: String,
    },
    /// Things that were pushed and could not be read: list, show, replay, discard.
    Unread(Box<UnreadArgs>),
}

impl StockArgs {
    /// The domain whose stock it is.
    pub const fn domain(&self) -> &DomainConfig {
        &self.domain
    }

    /// Does what is asked. Only what reads a feed needs the domain.
    ///
    /// # Errors
    /// When the CRM or the output fails.
    pub async fn run(&self, domain: impl FnOnce() -> Domain) -> anyhow::Result<ExitCode> {
        match &self.action {
            Action::Check { file, mapping } => {
                let import = read(&domain(), file, "check", mapping.as_deref())?;
                tell(&import)?;
                let whole =
                    import.report.read == import.report.elements && import.report.unread.is_empty();
                Ok(if whole {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                })
            }
            Action::Import {
                file,
                name,
                mapping,
                smaller,
            } => {
                // The rules of a name in the settings.
                if let Err(wrong) = format!("{name}=file").parse::<Named>() {
                    runtime::refuse(&[format!("--as: {wrong}")]);
                }
                let import = read(&domain(), file, name, mapping.as_deref())?;
                tell(&import)?;
                self.import(&import, name, *smaller).await
            }
            Action::List { json } => self.list(*json).await,
            Action::Show { id } => self.show(id).await,
            Action::Unread(args) => args.run(&domain()).await,
        }
    }

    async fn open(&self) -> anyhow::Result<Crm> {
        let crm = Crm::new(&self.crm.crm_database_url)?;
        crm.migrate().await?;
        Ok(crm)
    }

    async fn import(&self, import: &Import, name: &str, smaller: bool) -> anyhow::Result<ExitCode> {
        let whole = WholeFeed {
            name,
            origin: Origin::Hand,
            items: &import.items,
            etag: None,
            last_modified: None,
            may_shrink: smaller,
        };
        match self
            .open()
            .await?
            .take_stock(&whole, Timestamp::now())
            .await?
        {
            Taken::Changed { written, removed } => {
                runtime::print(&format!(
                    "kept as {name}: {written} new or changed, {removed} gone"
                ))?;
                Ok(ExitCode::SUCCESS)
            }
            Taken::Suspect { kept } => {
                let items = import.items.len();
                runtime::print(&format!(
                    "not kept: {items} items are less than half of the {kept} that are kept as {name}; --smaller takes them"
                ))?;
                Ok(ExitCode::FAILURE)
            }
        }
    }

    async fn list(&self, json: bool) -> anyhow::Result<ExitCode> {
        let crm = self.open().await?;
        let feeds = crm.stock_feeds().await?;
        let items = crm.stock_items(&feeds.iter().collect::<Vec<_>>()).await?;
        for feed in &feeds {
            runtime::print(&if json {
                json!({"feed": feed}).to_string()
            } else {
                feed_line(feed)
            })?;
        }
        for item in &items {
            runtime::print(&if json {
                serde_json::to_string(item)?
            } else {
                item_line(item)
            })?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn show(&self, id: &str) -> anyhow::Result<ExitCode> {
        let crm = self.open().await?;
        let feeds = crm.stock_feeds().await?;
        let items = crm.stock_items(&feeds.iter().collect::<Vec<_>>()).await?;
        let mut found = false;
        for item in items.iter().filter(|item| *item.id == *id) {
            found = true;
            for line in lines(item) {
                runtime::print(&line)?;
            }
        }
        if !found {
            runtime::print(&format!("nothing is for sale with the id {id}"))?;
        }
        Ok(if found {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn read(
    domain: &Domain,
    file: &std::path::Path,
    name: &str,
    by: Option<&str>,
) -> anyhow::Result<Import> {
    let known = or_refuse(of_domain(domain));
    let by = by.map(|by| mapping(known, by).unwrap_or_else(|wrong| runtime::refuse(&[wrong])));
    import_file(known, file, name, by.as_ref())
}

fn tell(import: &Import) -> std::io::Result<()> {
    for line in report_lines(&import.report) {
        runtime::print(&line)?;
    }
    Ok(())
}

/// How many places of a reason are printed.
const PLACES: usize = 20;

fn report_lines(report: &Report) -> Vec<String> {
    let mut lines = vec![format!(
        "{} of {} read, by the mapping {}",
        report.read, report.elements, report.mapping
    )];
    for (reason, count) in &report.skipped {
        let places = report
            .places
            .iter()
            .filter(|(_, other)| other == reason)
            .map(|(place, _)| place.to_string());
        let places: Vec<String> = places.take(PLACES).collect();
        let more = if *count > places.len() { " …" } else { "" };
        lines.push(format!(
            "not read, {reason}: {count} ({}{more})",
            places.join(", ")
        ));
    }
    for (field, unread) in &report.unread {
        lines.push(format!(
            "{field} unknown: {} (first {}: \"{}\")",
            unread.count, unread.place, unread.text
        ));
    }
    lines
}

fn feed_line(feed: &KeptFeed) -> String {
    let read = feed
        .read_at
        .map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
    let why = feed
        .detail
        .as_ref()
        .map(|why| format!(": {why}"))
        .unwrap_or_default();
    format!(
        "{} ({}) {} items, read {read}, {}{why}",
        feed.name, feed.origin, feed.items, feed.outcome
    )
}

fn item_line(item: &Item) -> String {
    let price = item
        .price
        .map_or_else(|| "-".to_owned(), |price| price.whole().to_string());
    format!(
        "{}\t{}\t{}\t{price}\t{}",
        item.source,
        item.id,
        item.status.as_str(),
        item.title
    )
}

/// All that is known of a thing, a line each.
pub fn lines(item: &Item) -> Vec<String> {
    let mut lines = vec![item_line(item)];
    let attributes = item.attributes.iter().map(|(name, value)| {
        let value = match value {
            Value::Word(text) | Value::Text(text) => text.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Flag(has) => has.to_string(),
        };
        format!("  {name}: {value}")
    });
    lines.extend(attributes);
    lines.extend(item.url.iter().map(|url| format!("  url: {url}")));
    lines.extend(item.images.iter().map(|image| format!("  image: {image}")));
    lines.extend(
        item.options
            .iter()
            .map(|option| format!("  option: {option}")),
    );
    lines.extend(item.text.iter().map(|text| format!("  text: {text}")));
    lines
}
