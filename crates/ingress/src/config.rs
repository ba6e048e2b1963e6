//! Settings of ingress.

use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use runtime::RuntimeConfig;
use secrecy::{ExposeSecret, SecretString};
use streams::{PartitionCount, RateLimit, RedisConfig};

use crate::twilio::{SharedKey, TwilioKeys};

/// Everything that `ingress serve` reads.
#[derive(Debug, Clone, Args)]
pub struct IngressConfig {
    /// Where to listen for webhooks, health and metrics.
    #[arg(long, env = "PORT", default_value_t = 8080)]
    pub port: u16,

    /// What providers call us by, such as `https://bot.example.nl`. Twilio signs it.
    #[arg(long, env = "PUBLIC_BASE_URL", value_name = "URL", value_parser = base_url)]
    pub public_base_url: Option<String>,

    /// The public host name that Railway gives; used when PUBLIC_BASE_URL is not set.
    #[arg(long, env = "RAILWAY_PUBLIC_DOMAIN", hide = true)]
    pub railway_public_domain: Option<String>,

    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub twilio: TwilioConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub waha: WahaConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub chatwoot: ChatwootConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub limits: LimitsConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub spool: SpoolConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub redis: RedisConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub runtime: RuntimeConfig,
}

/// What verifies Twilio's webhooks. Without a key the route does not exist.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Twilio")]
pub struct TwilioConfig {
    /// Webhooks of other accounts are refused.
    #[arg(long, env = "TWILIO_ACCOUNT_SID")]
    pub twilio_account_sid: Option<String>,

    /// The account's auth token, with which Twilio signs.
    #[arg(long, env = "TWILIO_AUTH_TOKEN", hide_env_values = true)]
    pub twilio_auth_token: Option<SecretString>,

    /// Further auth tokens that are good during a rotation, separated by commas.
    #[arg(
        long,
        env = "TWILIO_EXTRA_AUTH_TOKENS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub twilio_extra_auth_tokens: Vec<SecretString>,

    /// Shared keys of Twilio's webhook settings as `id:SHA256:secret`, separated by commas.
    #[arg(
        long,
        env = "TWILIO_SHARED_KEYS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub twilio_shared_keys: Vec<SharedKey>,
}

/// What verifies WAHA's webhooks. Without a secret the route does not exist.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "WAHA")]
pub struct WahaConfig {
    /// The `hmac.key` of the session's webhook.
    #[arg(long, env = "WAHA_WEBHOOK_SECRET", hide_env_values = true)]
    pub waha_webhook_secret: Option<SecretString>,

    /// Older events are refused, and kept as rejected.
    #[arg(
        long,
        env = "WAHA_MAX_AGE_SECS",
        default_value_t = 3600,
        value_name = "SECONDS"
    )]
    pub waha_max_age_secs: u32,
}

/// What verifies Chatwoot's webhooks. Without a secret or token the routes do not exist.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chatwoot")]
pub struct ChatwootConfig {
    /// The secrets of the webhook, bot and inbox that call us, separated by commas.
    #[arg(
        long,
        env = "CHATWOOT_WEBHOOK_SECRET",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub chatwoot_webhook_secret: Vec<SecretString>,

    /// For servers that do not sign: the unguessable last part of the webhook's path.
    #[arg(long, env = "CHATWOOT_PATH_TOKEN", hide_env_values = true)]
    pub chatwoot_path_token: Option<SecretString>,

    /// The account, for events that do not name one.
    #[arg(long, env = "CHATWOOT_ACCOUNT_ID")]
    pub chatwoot_account_id: Option<u64>,
}

/// What protects the service.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitsConfig {
    /// Verified requests a minute and client address, over all replicas; 0 is off.
    #[arg(
        long,
        env = "INGRESS_RATE_LIMIT_PER_MINUTE",
        default_value_t = 50,
        value_name = "N"
    )]
    pub rate_limit_per_minute: u32,

    /// Requests with a bad signature a minute and client address, in each replica; 0 is off.
    /// Half of the rate limit when not set.
    #[arg(long, env = "INGRESS_FAILED_SIGNATURES_PER_MINUTE", value_name = "N")]
    pub failed_signatures_per_minute: Option<u32>,

    /// Where the client address comes from. Set it only behind a proxy that overwrites the header.
    #[arg(long, env = "INGRESS_CLIENT_ADDRESS", default_value = "peer")]
    pub client_address: ClientAddressSource,

    /// How many proxies of ours stand in X-Forwarded-For.
    #[arg(
        long,
        env = "INGRESS_TRUSTED_HOPS",
        default_value = "1",
        value_name = "N"
    )]
    pub trusted_hops: NonZeroU16,

    /// Entries that may wait in one partition before webhooks are refused; 0 is off. A warning
    /// comes at half of it.
    #[arg(
        long,
        env = "INGRESS_MAX_BACKLOG",
        default_value_t = 100_000,
        value_name = "N"
    )]
    pub max_backlog: u32,

    /// Webhooks that failed validation and are kept, over all partitions; the oldest go first.
    #[arg(
        long,
        env = "INGRESS_MAX_REJECTED",
        default_value = "10000",
        value_name = "N"
    )]
    pub max_rejected: NonZeroU32,

    /// How long a client may take to send its headers, and again to send its body.
    #[arg(
        long,
        env = "INGRESS_REQUEST_TIMEOUT_SECS",
        default_value = "10",
        value_name = "SECONDS"
    )]
    pub request_timeout_secs: NonZeroU16,

    /// Replicas of Redis that must have a message before the 200.
    #[arg(
        long,
        env = "REDIS_WAIT_REPLICAS",
        default_value_t = 0,
        value_name = "N"
    )]
    pub wait_replicas: u16,

    /// How long to wait for those replicas.
    #[arg(
        long,
        env = "REDIS_WAIT_TIMEOUT_MS",
        default_value_t = 500,
        value_name = "MS"
    )]
    pub wait_timeout_ms: u64,

    /// How long a repeated message is recognised.
    #[arg(
        long,
        env = "INGRESS_DEDUP_SECS",
        default_value_t = 3600,
        value_name = "SECONDS"
    )]
    pub dedup_secs: u64,

    /// Threads that serve requests; as many as cores when not set.
    #[arg(long, env = "INGRESS_THREADS", value_name = "N")]
    pub threads: Option<NonZeroU16>,

    /// Check signatures and count the bad ones, but refuse nothing. For a rollout only.
    #[arg(long, env = "INGRESS_OBSERVE_ONLY", action = clap::ArgAction::Set, default_value_t = false,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub observe_only: bool,
}

/// Where webhooks wait on disk while Redis is away.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Spool")]
pub struct SpoolConfig {
    /// Folder of the spool, one for each replica. Without it webhooks get 503 while Redis is away.
    #[arg(long, env = "INGRESS_SPOOL_DIR", value_name = "FOLDER")]
    pub spool_dir: Option<PathBuf>,

    /// The most webhooks in the spool.
    #[arg(
        long,
        env = "INGRESS_SPOOL_MAX_ENTRIES",
        default_value_t = 100_000,
        value_name = "N"
    )]
    pub spool_max_entries: u64,
}

/// Where the address of a client is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClientAddressSource {
    /// The other end of the connection.
    Peer,
    /// `X-Real-IP`, as Railway sets it.
    XRealIp,
    /// `X-Forwarded-For`, counted from the right.
    XForwardedFor,
}

impl IngressConfig {
    /// What is wrong with the settings as a whole; empty when nothing is.
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let Err(error) = self.redis.check() {
            mistakes.push(error.to_string());
        }
        let empty = |secret: &SecretString| secret.expose_secret().trim().is_empty();
        let secrets = [
            (
                "TWILIO_AUTH_TOKEN",
                self.twilio.twilio_auth_token.iter().any(empty),
            ),
            (
                "TWILIO_EXTRA_AUTH_TOKENS",
                self.twilio.twilio_extra_auth_tokens.iter().any(empty),
            ),
            (
                "WAHA_WEBHOOK_SECRET",
                self.waha.waha_webhook_secret.iter().any(empty),
            ),
            (
                "CHATWOOT_WEBHOOK_SECRET",
                self.chatwoot.chatwoot_webhook_secret.iter().any(empty),
            ),
            (
                "CHATWOOT_PATH_TOKEN",
                self.chatwoot.chatwoot_path_token.iter().any(empty),
            ),
        ];
        for (variable, is_empty) in secrets {
            if is_empty {
                mistakes.push(format!(
                    "{variable}: is set but empty; everybody could sign with it"
                ));
            }
        }
        let token = self.chatwoot.chatwoot_path_token.as_ref();
        if token.is_some_and(|token| !empty(token) && token.expose_secret().len() < 16) {
            mistakes
                .push("CHATWOOT_PATH_TOKEN: needs at least 16 characters to be unguessable".into());
        }
        if self.takes_twilio() && self.base_url().is_none() {
            mistakes.push(
                "PUBLIC_BASE_URL: is missing; Twilio signs the URL that it calls, such as \
                 https://bot.example.nl"
                    .into(),
            );
        }
        if !self.takes_twilio() && !self.takes_waha() && !self.takes_chatwoot() {
            mistakes.push(
                "no provider is configured: set TWILIO_AUTH_TOKEN, WAHA_WEBHOOK_SECRET or \
                 CHATWOOT_WEBHOOK_SECRET"
                    .into(),
            );
        }
        mistakes
    }

    /// Whether Twilio's webhooks are taken in.
    pub fn takes_twilio(&self) -> bool {
        let keys = self.twilio.keys();
        !keys.auth_tokens.is_empty() || !keys.shared.is_empty()
    }

    /// Whether WAHA's webhooks are taken in.
    pub const fn takes_waha(&self) -> bool {
        self.waha.waha_webhook_secret.is_some()
    }

    /// Whether Chatwoot's webhooks are taken in.
    pub fn takes_chatwoot(&self) -> bool {
        !self.chatwoot.chatwoot_webhook_secret.is_empty()
            || self.chatwoot.chatwoot_path_token.is_some()
    }

    /// What providers call us by.
    pub fn base_url(&self) -> Option<String> {
        let railway = || {
            self.railway_public_domain
                .as_ref()
                .map(|host| format!("https://{host}"))
        };
        self.public_base_url.clone().or_else(railway)
    }
}

impl TwilioConfig {
    /// All keys that a signature may be made with.
    pub fn keys(&self) -> TwilioKeys {
        let tokens = self
            .twilio_auth_token
            .iter()
            .chain(&self.twilio_extra_auth_tokens);
        TwilioKeys {
            auth_tokens: tokens.cloned().collect(),
            shared: self.twilio_shared_keys.clone(),
        }
    }
}

impl WahaConfig {
    /// How old a signed event may be.
    pub fn max_age(&self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_secs(self.waha_max_age_secs.into())
    }
}

impl LimitsConfig {
    /// The budget of a client address.
    pub const fn rate(&self) -> RateLimit {
        RateLimit {
            limit: self.rate_limit_per_minute,
            window: Duration::from_secs(60),
        }
    }

    /// How long a client may take to send its headers, and again to send its body.
    pub fn request_patience(&self) -> Duration {
        Duration::from_secs(self.request_timeout_secs.get().into())
    }

    /// The share of one partition in the rejected webhooks that are kept.
    pub fn max_rejected_of(&self, partitions: PartitionCount) -> u32 {
        self.max_rejected.get().div_ceil(partitions.get().into())
    }

    /// The budget of bad signatures; 0 is off.
    pub fn failed_signatures(&self) -> u32 {
        self.failed_signatures_per_minute
            .unwrap_or(self.rate_limit_per_minute / 2)
    }
}

/// A base is scheme, host and perhaps a path; a fragment or query would end up in the middle of the
/// signed URL.
fn base_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    if host.is_none_or(str::is_empty) {
        return Err("must start with https:// (or http://) and a host".into());
    }
    if text.contains(['?', '#']) || text.chars().any(char::is_whitespace) {
        return Err("must have no query, fragment or white space".into());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        ingress: IngressConfig,
    }

    fn parse(args: &[&str]) -> IngressConfig {
        Cli::parse_from(["test"].iter().chain(args)).ingress
    }

    #[test]
    fn every_mistake_is_named_at_once_and_no_secret_is_shown() {
        let config = parse(&[
            "--twilio-auth-token",
            "hunter2",
            "--waha-webhook-secret",
            " ",
            "--chatwoot-path-token",
            "short",
            "--redis-sentinels",
            "a:1",
            "--redis-cluster-nodes",
            "b:1",
        ]);
        let mistakes = config.mistakes();
        for variable in [
            "PUBLIC_BASE_URL",
            "WAHA_WEBHOOK_SECRET",
            "CHATWOOT_PATH_TOKEN",
            "REDIS_SENTINELS",
        ] {
            assert!(
                mistakes.iter().any(|line| line.contains(variable)),
                "{variable}: {mistakes:?}"
            );
        }
        assert!(!format!("{config:?} {mistakes:?}").contains("hunter2"));
        assert!(!format!("{config:?} {mistakes:?}").contains("short\""));
    }

    #[test]
    fn a_base_url_is_scheme_and_host() {
        for good in ["https://a.nl", "http://localhost:8080", "https://a.nl/bot/"] {
            assert!(base_url(good).is_ok(), "{good}");
        }
        for bad in [
            "a.nl",
            "https://",
            "ftp://a",
            "https://a.nl?x",
            "https://a.nl#rc=5",
            "https://a nl",
        ] {
            assert!(base_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bad_signatures_get_half_the_budget() {
        let config = parse(&["--twilio-auth-token", "t"]);
        assert_eq!(config.limits.failed_signatures(), 25);
        let off = parse(&["--rate-limit-per-minute", "0"]);
        assert_eq!(off.limits.failed_signatures(), 0);
    }
}
