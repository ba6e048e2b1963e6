//! What verifies each provider's webhooks.

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use secrecy::SecretString;
use shared_types::OwnNumber;

use crate::twilio::{SharedKey, TwilioKeys};

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

    /// Our WhatsApp numbers, separated by commas: whose lost messages are looked for.
    #[arg(
        long,
        env = "TWILIO_WHATSAPP_NUMBER",
        value_delimiter = ',',
        value_name = "+E164"
    )]
    pub twilio_whatsapp_number: Vec<OwnNumber>,

    /// Twilio's API, or what stands in for it.
    #[arg(
        long,
        env = "TWILIO_API_BASE_URL",
        default_value = "https://api.twilio.com",
        value_name = "URL"
    )]
    pub twilio_api_base_url: String,
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
        value_name = "SECONDS", value_parser = runtime::within::<u32>(1..=31_536_000))]
    pub waha_max_age_secs: u32,

    /// Where WAHA is: for lost messages.
    #[arg(long, env = "WAHA_BASE_URL", value_name = "URL")]
    pub waha_base_url: Option<String>,

    /// WAHA's API key; it must be allowed to read chats.
    #[arg(long, env = "WAHA_API_KEY", hide_env_values = true)]
    pub waha_api_key: Option<SecretString>,

    /// The sessions whose lost messages are looked for, separated by commas.
    #[arg(
        long,
        env = "WAHA_SESSIONS",
        value_delimiter = ',',
        default_value = "default",
        value_name = "NAMES"
    )]
    pub waha_sessions: Vec<String>,
}

impl WahaConfig {
    /// How old a signed event may be.
    pub fn max_age(&self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_secs(self.waha_max_age_secs.into())
    }
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
    #[arg(long, env = "CHATWOOT_ACCOUNT_ID", value_parser = runtime::within::<u64>(1..=runtime::MOST_ID))]
    pub chatwoot_account_id: Option<u64>,

    /// Where Chatwoot is: for lost messages.
    #[arg(long, env = "CHATWOOT_BASE_URL", value_name = "URL")]
    pub chatwoot_base_url: Option<String>,

    /// The access token of an agent who sees the bot's inboxes: bots may not list conversations.
    #[arg(long, env = "CHATWOOT_READ_TOKEN", hide_env_values = true)]
    pub chatwoot_read_token: Option<SecretString>,

    /// The numbers of the inboxes that the bot answers in, separated by commas: in no other are lost
    /// messages looked for.
    #[arg(
        long,
        env = "CHATWOOT_INBOX_IDS",
        value_delimiter = ',',
        value_name = "NUMBERS", value_parser = runtime::within::<u64>(1..=runtime::MOST_ID))]
    pub chatwoot_inbox_ids: Vec<u64>,
}

/// The API inbox in which conversations of other channels are shown.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Mirror")]
pub struct MirrorConfig {
    /// The number of the inbox. What colleagues write in it goes to the customer.
    #[arg(long, env = "CHATWOOT_MIRROR_INBOX_ID", value_name = "NUMBER", value_parser = runtime::within::<u64>(1..=runtime::MOST_ID))]
    pub chatwoot_mirror_inbox_id: Option<u64>,

    /// Whom egress assigns handed-over conversations to: that they have one does not say that they took it.
    #[arg(long, env = "CHATWOOT_MIRROR_ASSIGNEE_ID", value_name = "NUMBER", value_parser = runtime::within::<u64>(1..=runtime::MOST_ID))]
    pub chatwoot_mirror_assignee_id: Option<u64>,

    /// Whether what Chatwoot's automation rules write goes to the customer.
    #[arg(
        long,
        env = "CHATWOOT_MIRROR_SEND_AUTOMATION",
        action = ArgAction::Set,
        default_value_t = false,
        value_parser = BoolishValueParser::new()
    )]
    pub chatwoot_mirror_send_automation: bool,
}
