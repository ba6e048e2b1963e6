//! Settings of ingress.

mod limits;
mod providers;
mod reconcile;
mod strangers;

use clap::Args;
use runtime::RuntimeConfig;
use secrecy::{ExposeSecret, SecretString};
use streams::RedisConfig;

use crate::reconcile::wrong_urls;

pub(crate) use limits::LimitsConfig;
use limits::SpoolConfig;
pub use providers::MirrorConfig;
use providers::{ChatwootConfig, TwilioConfig, WahaConfig};
pub(crate) use reconcile::ReconcileConfig;
pub use strangers::ClientAddressSource;
pub(crate) use strangers::StrangersConfig;

/// Everything that `ingress serve` reads.
#[derive(Debug, Clone, Args)]
pub struct IngressConfig {
    /// Where to listen for webhooks, health and metrics.
    #[arg(long, env = "PORT", default_value_t = 8080)]
    pub port: u16,

    /// Where to listen for /health/ready and /metrics instead, where PORT is public.
    #[arg(long, env = "INGRESS_HEALTH_PORT", value_name = "PORT")]
    pub health_port: Option<u16>,

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
    pub mirror: MirrorConfig,
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
    pub strangers: StrangersConfig,
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
    pub reconcile: ReconcileConfig,
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

/// Twilio makes its tokens itself; people choose these.
const LEAST_SECRET: usize = 12;

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
        let short =
            |secret: &SecretString| !empty(secret) && secret.expose_secret().len() < LEAST_SECRET;
        let chosen_by_people = [
            (
                "WAHA_WEBHOOK_SECRET",
                self.waha.waha_webhook_secret.iter().any(short),
            ),
            (
                "CHATWOOT_WEBHOOK_SECRET",
                self.chatwoot.chatwoot_webhook_secret.iter().any(short),
            ),
        ];
        for (variable, _) in chosen_by_people.iter().filter(|(_, is_short)| *is_short) {
            mistakes.push(format!(
                "{variable}: needs at least {LEAST_SECRET} characters; whoever sees one signature \
                 can try all shorter ones"
            ));
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
        if self.mirror.chatwoot_mirror_inbox_id.is_some() && !self.takes_chatwoot() {
            mistakes.push(
                "CHATWOOT_WEBHOOK_SECRET: is missing; CHATWOOT_MIRROR_INBOX_ID is set".into(),
            );
        }
        mistakes.extend(wrong_urls(self));
        mistakes
    }

    /// The budget of unverified requests a minute and client address; 0 is off.
    pub fn failed_signatures(&self) -> u32 {
        self.strangers
            .failed_signatures_per_minute
            .unwrap_or(self.limits.rate_limit_per_minute / 2)
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
        let short = parse(&[
            "--waha-webhook-secret",
            "elf tekens!",
            "--chatwoot-webhook-secret",
            "x",
        ]);
        let short = short.mistakes();
        assert!(
            short.iter().all(|line| line.contains("at least 12")),
            "{short:?}"
        );
        assert_eq!(short.len(), 2);
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
        assert_eq!(config.failed_signatures(), 25);
        let off = parse(&["--rate-limit-per-minute", "0"]);
        assert_eq!(off.failed_signatures(), 0);
    }
}
