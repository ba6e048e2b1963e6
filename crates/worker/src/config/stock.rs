use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

/// What is for sale.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Stock")]
pub struct StockConfig {
    /// Feeds of what is for sale: `name=address` or `name=file`, with spaces between; `shipped` is the
    /// example that comes with the domain.
    #[arg(
        long,
        env = "WORKER_STOCK",
        hide_env_values = true,
        value_delimiter = ' ',
        value_name = "FEEDS"
    )]
    pub stock: Vec<FeedSetting>,

    /// By which mapping a feed is read, where it is not recognised: `name=mapping`, with spaces between. A
    /// mapping is one of the domain, or a file of your own.
    #[arg(
        long,
        env = "WORKER_STOCK_MAPPINGS",
        value_delimiter = ' ',
        value_name = "MAPPINGS"
    )]
    pub stock_mappings: Vec<Named>,

    /// Who fetches a feed, where its server asks: `name=user:password`, with spaces between.
    #[arg(
        long,
        env = "WORKER_STOCK_LOGINS",
        hide_env_values = true,
        value_delimiter = ' ',
        value_name = "LOGINS"
    )]
    pub stock_logins: Vec<FeedSetting>,

    /// How often feeds are read.
    #[arg(long, env = "WORKER_STOCK_EVERY_SECS", default_value_t = 900, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub stock_every_secs: u64,

    /// How long reading a feed may take.
    #[arg(long, env = "WORKER_STOCK_TIMEOUT_SECS", default_value_t = 120, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=900))]
    pub stock_timeout_secs: u64,

    /// How large a feed may be.
    #[arg(long, env = "WORKER_STOCK_MAX_MB", default_value_t = 200, value_name = "MEGABYTES",
          value_parser = clap::value_parser!(u64).range(1..=2_000))]
    pub stock_max_mb: u64,

    /// Feeds may be on private addresses and without encryption, such as of a container next door.
    #[arg(long, env = "WORKER_STOCK_ALLOW_PRIVATE")]
    pub stock_allow_private: bool,
}

/// A feed by its name, with what must not be shown: an address may hold a key.
#[derive(Debug, Clone)]
pub struct FeedSetting {
    /// By which it is known.
    pub name: String,
    /// The rest.
    pub value: SecretString,
}

impl FromStr for FeedSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = text.parse::<Named>()?;
        Ok(Self {
            name: named.name,
            value: named.value.into(),
        })
    }
}

/// Something of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The feed.
    pub name: String,
    /// What of it.
    pub value: String,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == crate::stock::SHIPPED {
            return Ok(Self {
                name: text.into(),
                value: text.into(),
            });
        }
        let (name, value) = text.split_once('=').ok_or("expected name=value")?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 40 || !name.chars().all(is_plain) || value.is_empty() {
            return Err(
                "a feed's name has letters, digits, - and _, at most 40, and something after the ="
                    .into(),
            );
        }
        Ok(Self {
            name: name.into(),
            value: value.into(),
        })
    }
}

impl StockConfig {
    /// How often feeds are read.
    pub const fn every(&self) -> Duration {
        Duration::from_secs(self.stock_every_secs)
    }

    /// How long reading a feed may take.
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.stock_timeout_secs)
    }

    /// What is wrong with the settings, without an address or a password.
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        for (at, feed) in self.stock.iter().enumerate() {
            if self
                .stock
                .iter()
                .take(at)
                .any(|other| other.name == feed.name)
            {
                mistakes.push(format!("WORKER_STOCK: two feeds are called {}", feed.name));
            }
            let address = feed.value.expose_secret();
            if address.contains("://")
                && !self.stock_allow_private
                && !crate::stock::is_public(address)
            {
                mistakes.push(format!(
                    "WORKER_STOCK: the address of {} must be https with a host name, or WORKER_STOCK_ALLOW_PRIVATE be set",
                    feed.name
                ));
            }
        }
        let known = |name: &str| self.stock.iter().any(|feed| feed.name == name);
        for (variable, name) in self
            .stock_mappings
            .iter()
            .map(|named| ("WORKER_STOCK_MAPPINGS", &named.name))
            .chain(
                self.stock_logins
                    .iter()
                    .map(|login| ("WORKER_STOCK_LOGINS", &login.name)),
            )
        {
            if !known(name) {
                mistakes.push(format!("{variable}: WORKER_STOCK has no feed {name}"));
            }
        }
        if self
            .stock_logins
            .iter()
            .any(|login| !login.value.expose_secret().contains(':'))
        {
            mistakes.push("WORKER_STOCK_LOGINS: expected name=user:password".into());
        }
        mistakes
    }
}
