use clap::{Args, FromArgMatches, Parser, Subcommand};
use runtime::RuntimeConfig;
use secrecy::{ExposeSecret, SecretString};

use crate::waha::Engine;

/// A fake Twilio, WAHA, Chatwoot and OpenAI-compatible model in one process.
///
/// It signs webhooks and posts them to the ingress, answers the APIs that egress and worker call,
/// fails and misbehaves on command, and shows a chat page on its own port. It needs no account.
#[derive(Debug, Parser)]
#[command(name = "simulator", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl runtime::CommandLine for Cli {
    fn mistakes(&self) -> Vec<String> {
        match &self.command {
            Command::Serve(config) => config.validate().err().into_iter().collect(),
            Command::Healthcheck { .. } => Vec::new(),
        }
    }
}

/// What the simulator can be told to do on the command line.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run until SIGINT or SIGTERM.
    Serve(Box<SimulatorConfig>),
    /// Ask a running simulator on this machine whether it lives; exit code 0 when it does.
    Healthcheck {
        /// The address that it listens on.
        #[arg(long, env = "BIND", value_name = "ADDRESS")]
        bind: Option<std::net::IpAddr>,
        /// The port that it listens on.
        #[arg(long, env = "PORT", value_name = "PORT", default_value_t = SimulatorConfig::PORT)]
        port: u16,
    },
}

/// Everything that can be set. The defaults are obviously fake and fit a machine without accounts.
#[derive(Debug, Clone, Args)]
pub struct SimulatorConfig {
    /// Port for the chat page, the providers' APIs and the commands, IPv6 and IPv4.
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = Self::PORT)]
    pub port: u16,

    /// Where the ingress listens: webhooks are posted there.
    #[arg(
        long,
        env = "SIMULATOR_INGRESS_URL",
        value_name = "SIMULATOR_INGRESS_URL",
        default_value = "http://localhost:8080"
    )]
    pub ingress_url: String,

    /// What Twilio would call, and so what its signature is computed over [default: the ingress URL].
    #[arg(long, env = "PUBLIC_BASE_URL", value_name = "PUBLIC_BASE_URL")]
    pub public_base_url: Option<String>,

    /// How the services reach the simulator; media addresses start with it [default: localhost].
    #[arg(
        long,
        env = "SIMULATOR_PUBLIC_URL",
        value_name = "SIMULATOR_PUBLIC_URL"
    )]
    pub simulator_url: Option<String>,

    /// Threads that serve requests.
    #[arg(long, env = "SIMULATOR_THREADS", value_name = "SIMULATOR_THREADS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: u16,

    /// How many calls and webhooks are remembered; the oldest are dropped and counted.
    #[arg(long, env = "SIMULATOR_JOURNAL_ENTRIES", value_name = "SIMULATOR_JOURNAL_ENTRIES", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub journal_entries: u32,

    /// How many bytes the remembered calls may take together.
    #[arg(
        long,
        env = "SIMULATOR_JOURNAL_BYTES", value_name = "SIMULATOR_JOURNAL_BYTES",
        default_value_t = 512 * 1024 * 1024
    )]
    pub journal_bytes: usize,

    /// Milliseconds between the status changes of an accepted message (sent, delivered, read).
    #[arg(
        long,
        env = "SIMULATOR_STATUS_DELAY_MS",
        value_name = "SIMULATOR_STATUS_DELAY_MS",
        default_value_t = 400
    )]
    pub status_delay_ms: u64,

    /// Twilio.
    #[command(flatten)]
    pub twilio: TwilioConfig,

    /// WAHA.
    #[command(flatten)]
    pub waha: WahaConfig,

    /// Chatwoot.
    #[command(flatten)]
    pub chatwoot: ChatwootConfig,

    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub runtime: RuntimeConfig,

    /// Key that the language model asks for (Bearer); without one every caller is served.
    #[arg(
        long,
        env = "LLM_API_KEY",
        value_name = "LLM_API_KEY",
        hide_env_values = true
    )]
    pub llm_api_key: Option<SecretString>,
}

/// The Twilio account that is played.
#[derive(Debug, Clone, Args)]
pub struct TwilioConfig {
    /// Account SID: user name of the API and `AccountSid` of webhooks.
    #[arg(
        id = "twilio_account_sid",
        long = "twilio-account-sid",
        env = "TWILIO_ACCOUNT_SID",
        value_name = "TWILIO_ACCOUNT_SID",
        default_value = "AC00000000000000000000000000000000"
    )]
    pub account_sid: String,

    /// Auth token: password of the API and key of the webhook signature.
    #[arg(
        id = "twilio_auth_token",
        long = "twilio-auth-token",
        env = "TWILIO_AUTH_TOKEN",
        value_name = "TWILIO_AUTH_TOKEN",
        hide_env_values = true,
        default_value = "fake-twilio-token"
    )]
    pub auth_token: SecretString,

    /// The sender numbers of the account, separated by commas; customers write to the first.
    #[arg(
        id = "twilio_whatsapp_number",
        long = "twilio-whatsapp-number",
        env = "TWILIO_WHATSAPP_NUMBER",
        value_name = "TWILIO_WHATSAPP_NUMBER",
        default_value = "whatsapp:+14155238886",
        value_delimiter = ','
    )]
    pub numbers: Vec<String>,
}

/// The WAHA server that is played.
#[derive(Debug, Clone, Args)]
pub struct WahaConfig {
    /// Key that the API asks for in `X-Api-Key`.
    #[arg(
        id = "waha_api_key",
        long = "waha-api-key",
        env = "WAHA_API_KEY",
        value_name = "WAHA_API_KEY",
        hide_env_values = true,
        default_value = "fake-waha-key"
    )]
    pub api_key: SecretString,

    /// Key of the HMAC-SHA512 over webhook bodies.
    #[arg(
        id = "waha_webhook_secret",
        long = "waha-webhook-secret",
        env = "WAHA_WEBHOOK_SECRET",
        value_name = "WAHA_WEBHOOK_SECRET",
        hide_env_values = true,
        default_value = "fake-waha-secret"
    )]
    pub webhook_secret: SecretString,

    /// The session that exists at start, in state WORKING.
    #[arg(
        id = "waha_session",
        long = "waha-session",
        env = "SIMULATOR_WAHA_SESSION",
        value_name = "SIMULATOR_WAHA_SESSION",
        default_value = "default"
    )]
    pub session: String,

    /// The engine whose answers are imitated: they differ in the shape of message ids.
    #[arg(
        id = "waha_engine",
        long = "waha-engine",
        env = "SIMULATOR_WAHA_ENGINE", value_name = "SIMULATOR_WAHA_ENGINE",
        value_enum,
        default_value_t = Engine::Webjs
    )]
    pub engine: Engine,

    /// Tell the ingress of what the services send, too, as `message.any` does on real servers: always as if
    /// the telephone had sent it, which some engines say of every message.
    #[arg(
        id = "waha_own_events",
        long = "waha-own-events",
        env = "SIMULATOR_WAHA_OWN_EVENTS"
    )]
    pub own_events: bool,

    /// Play a server from before 2026.4, which lets nobody choose the id of a message.
    #[arg(
        id = "waha_before_chosen_ids",
        long = "waha-before-chosen-ids",
        env = "SIMULATOR_WAHA_BEFORE_CHOSEN_IDS",
        value_name = "SIMULATOR_WAHA_BEFORE_CHOSEN_IDS",
        action = clap::ArgAction::Set,
        default_value_t = false
    )]
    pub before_chosen_ids: bool,
}

/// The Chatwoot server that is played.
#[derive(Debug, Clone, Args)]
pub struct ChatwootConfig {
    /// Access token of the agent bot: may create messages and toggle the status, no more.
    #[arg(
        id = "chatwoot_api_token",
        long = "chatwoot-api-token",
        env = "CHATWOOT_API_TOKEN",
        value_name = "CHATWOOT_API_TOKEN",
        hide_env_values = true,
        default_value = "fake-chatwoot-bot-token"
    )]
    pub bot_token: SecretString,

    /// Access token of a human agent: may also list messages.
    #[arg(
        id = "chatwoot_user_token",
        long = "chatwoot-user-token",
        env = "SIMULATOR_CHATWOOT_USER_TOKEN",
        value_name = "SIMULATOR_CHATWOOT_USER_TOKEN",
        hide_env_values = true,
        default_value = "fake-chatwoot-user-token"
    )]
    pub user_token: SecretString,

    /// Account number.
    #[arg(
        id = "chatwoot_account_id",
        long = "chatwoot-account-id",
        env = "CHATWOOT_ACCOUNT_ID",
        value_name = "CHATWOOT_ACCOUNT_ID",
        default_value_t = 1
    )]
    pub account_id: u64,

    /// Secret of the agent bot, which signs webhooks.
    #[arg(
        id = "chatwoot_webhook_secret",
        long = "chatwoot-webhook-secret",
        env = "CHATWOOT_WEBHOOK_SECRET",
        value_name = "CHATWOOT_WEBHOOK_SECRET",
        hide_env_values = true,
        default_value = "fake-chatwoot-secret"
    )]
    pub webhook_secret: SecretString,

    /// Secret of the API inbox, which signs webhooks.
    #[arg(
        id = "chatwoot_mirror_secret",
        long = "chatwoot-mirror-secret",
        env = "SIMULATOR_CHATWOOT_MIRROR_SECRET",
        value_name = "SIMULATOR_CHATWOOT_MIRROR_SECRET",
        hide_env_values = true,
        default_value = "fake-mirror-secret"
    )]
    pub mirror_secret: SecretString,

    /// Messages that one conversation may get in a minute before the flood guard answers 422.
    #[arg(
        id = "chatwoot_flood_limit",
        long = "chatwoot-flood-limit",
        env = "SIMULATOR_CHATWOOT_FLOOD_LIMIT",
        value_name = "SIMULATOR_CHATWOOT_FLOOD_LIMIT",
        default_value_t = 200
    )]
    pub flood_limit: usize,
}

impl SimulatorConfig {
    const PORT: u16 = 8090;

    /// The defaults, whatever the environment says, with webhooks posted to (and Twilio's
    /// signatures computed over) this URL.
    #[expect(
        clippy::expect_used,
        reason = "the defaults are constants, and a test parses them"
    )]
    pub fn for_ingress(url: &str) -> Self {
        let command = Self::augment_args(clap::Command::new("simulator"))
            .mut_args(|arg| arg.env(None::<&str>));
        let matches = command.get_matches_from(["simulator", "--ingress-url", url]);
        Self::from_arg_matches(&matches).expect("the defaults are complete")
    }

    /// The URL over which Twilio signs, without a slash at the end.
    pub fn signed_base_url(&self) -> &str {
        self.public_base_url
            .as_deref()
            .unwrap_or(&self.ingress_url)
            .trim_end_matches('/')
    }

    /// Refuses what cannot work.
    ///
    /// # Errors
    ///
    /// One line that names the variable. It never shows a secret.
    pub fn validate(&self) -> Result<(), String> {
        let urls = [
            ("SIMULATOR_INGRESS_URL", Some(&self.ingress_url)),
            ("PUBLIC_BASE_URL", self.public_base_url.as_ref()),
            ("SIMULATOR_PUBLIC_URL", self.simulator_url.as_ref()),
        ];
        for (name, url) in urls {
            let parsed = url.map(|url| reqwest::Url::parse(url));
            if !parsed.is_none_or(|url| url.is_ok_and(|url| url.has_host())) {
                return Err(format!("{name} is not a URL such as http://localhost:8080"));
            }
        }
        let secrets = [
            ("TWILIO_AUTH_TOKEN", &self.twilio.auth_token),
            ("WAHA_API_KEY", &self.waha.api_key),
            ("WAHA_WEBHOOK_SECRET", &self.waha.webhook_secret),
            ("CHATWOOT_API_TOKEN", &self.chatwoot.bot_token),
            ("CHATWOOT_WEBHOOK_SECRET", &self.chatwoot.webhook_secret),
        ];
        for (name, secret) in secrets {
            if secret.expose_secret().is_empty() {
                return Err(format!("{name} is empty"));
            }
        }
        if self.twilio.numbers.iter().any(String::is_empty) {
            return Err("TWILIO_WHATSAPP_NUMBER is empty".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_complete_and_valid() {
        let config = SimulatorConfig::for_ingress("http://localhost:8080/");
        assert_eq!(config.validate(), Ok(()));
        assert_eq!(config.signed_base_url(), "http://localhost:8080");
        assert_eq!(config.port, 8090);
    }

    #[test]
    fn a_public_url_changes_what_is_signed_and_not_where_it_is_posted() {
        let mut config = SimulatorConfig::for_ingress("http://ingress:8080");
        config.public_base_url = Some("https://bot.example.nl/".to_owned());
        assert_eq!(config.signed_base_url(), "https://bot.example.nl");
        assert_eq!(config.ingress_url, "http://ingress:8080");
    }

    #[test]
    fn bad_values_are_named_and_secrets_stay_hidden() {
        let mut config = SimulatorConfig::for_ingress("localhost:8080");
        let error = config.validate().unwrap_err();
        assert!(error.starts_with("SIMULATOR_INGRESS_URL"), "{error}");

        config = SimulatorConfig::for_ingress("http://localhost:8080");
        config.twilio.auth_token = String::new().into();
        assert_eq!(
            config.validate(),
            Err("TWILIO_AUTH_TOKEN is empty".to_owned())
        );
        config.twilio.auth_token = "hush-hush".to_owned().into();
        assert!(!format!("{config:?}").contains("hush-hush"));
    }
}
