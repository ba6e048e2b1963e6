//! Settings of ingress.

mod check;
mod limits;
mod providers;
mod reconcile;
mod strangers;

use clap::Args;
use runtime::RuntimeConfig;
use secrecy::SecretString;
use streams::RedisConfig;

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
    /// The login with which a dealer's system pushes its stock to /webhooks/hexon: `user:password`. Off when
    /// not set.
    #[arg(
        long,
        env = "HEXON_LOGIN",
        hide_env_values = true,
        value_name = "LOGIN",
        help_heading = "Hexon"
    )]
    pub hexon_login: Option<SecretString>,

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

impl IngressConfig {
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
    if rest.is_some_and(|rest| rest.contains("/webhooks")) {
        return Err("must end before /webhooks: the path of a webhook is put behind it".into());
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
            "https://a.nl/webhooks/twilio/whatsapp",
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
