//! What each provider's sender is told.

use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use secrecy::SecretString;
use shared_types::{ChannelAddress, OwnNumber, Template};

use super::numbers::{Paces, SenderPace};
use crate::typing::Typing;

const TWILIO_API: &str = "https://api.twilio.com";
const TWILIO_MESSAGING_API: &str = "https://messaging.twilio.com";

/// Sending through Twilio. Off without account and token.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Twilio")]
pub struct TwilioConfig {
    /// The account.
    #[arg(long, env = "TWILIO_ACCOUNT_SID")]
    pub twilio_account_sid: Option<String>,

    /// The account's auth token.
    #[arg(long, env = "TWILIO_AUTH_TOKEN", hide_env_values = true)]
    pub twilio_auth_token: Option<SecretString>,

    /// Further auth tokens, tried when Twilio refuses the first: for a rotation; separated by commas.
    #[arg(
        long,
        env = "TWILIO_EXTRA_AUTH_TOKENS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub twilio_extra_auth_tokens: Vec<SecretString>,

    /// Our WhatsApp numbers, separated by commas. Replies leave from the one that the customer wrote
    /// to, else from the first.
    #[arg(
        long,
        env = "TWILIO_WHATSAPP_NUMBER",
        value_delimiter = ',',
        value_name = "+E164"
    )]
    pub twilio_whatsapp_number: Vec<OwnNumber>,

    /// A Messaging Service, for messages that no number of ours was written to.
    #[arg(long, env = "TWILIO_MESSAGING_SERVICE_SID", value_name = "MG…")]
    pub twilio_messaging_service_sid: Option<String>,

    /// A Content template to send instead of text outside of WhatsApp's 24-hour window.
    #[arg(long, env = "TWILIO_WINDOW_TEMPLATE_SID", value_name = "HX…")]
    pub twilio_window_template_sid: Option<String>,

    /// Twilio's API, or what stands in for it.
    #[arg(long, env = "TWILIO_API_BASE_URL", default_value = TWILIO_API, value_name = "URL")]
    pub twilio_api_base_url: String,

    /// Show WhatsApp users that an answer is being written when it takes long (Twilio's beta). It
    /// also marks their message as read.
    #[arg(long, env = "EGRESS_TYPING_INDICATOR", action = ArgAction::Set, default_value_t = false,
          value_parser = BoolishValueParser::new())]
    pub typing_indicator: bool,

    /// Messages a second and sender number, over all replicas; 0 is off.
    #[arg(
        long,
        env = "EGRESS_TWILIO_PER_SECOND",
        default_value_t = 80.0,
        value_name = "N", value_parser = runtime::number_within(0.0..=10_000.0))]
    pub twilio_per_second: f64,

    /// Other rates for single senders, as `+31201234567=20,+14155238886=0.33`.
    #[arg(
        long,
        env = "EGRESS_SENDER_PACE",
        value_delimiter = ',',
        value_name = "NUMBER=N"
    )]
    pub sender_pace: Vec<SenderPace>,
}

/// Sending through WAHA. Off without a URL.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "WAHA")]
pub struct WahaConfig {
    /// Where WAHA is.
    #[arg(long, env = "WAHA_BASE_URL", value_name = "URL")]
    pub waha_base_url: Option<String>,

    /// WAHA's API key; one that may only send is enough.
    #[arg(long, env = "WAHA_API_KEY", hide_env_values = true)]
    pub waha_api_key: Option<SecretString>,

    /// Messages a second and session, over all replicas; 0 is off.
    #[arg(
        long,
        env = "EGRESS_WAHA_PER_SECOND",
        default_value_t = 1.0,
        value_name = "N", value_parser = runtime::number_within(0.0..=10_000.0))]
    pub waha_per_second: f64,

    /// Characters a second that the bot seems to type; 0 shows no typing.
    #[arg(
        long,
        env = "EGRESS_WAHA_TYPING_SPEED",
        default_value_t = 25.0,
        value_name = "N", value_parser = runtime::number_within(0.0..=10_000.0))]
    pub waha_typing_speed: f64,
}

/// Sending through Chatwoot. Off without a URL and token.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chatwoot")]
pub struct ChatwootConfig {
    /// Where Chatwoot is.
    #[arg(long, env = "CHATWOOT_BASE_URL", value_name = "URL")]
    pub chatwoot_base_url: Option<String>,

    /// The agent bot's access token.
    #[arg(long, env = "CHATWOOT_API_TOKEN", hide_env_values = true)]
    pub chatwoot_api_token: Option<SecretString>,

    /// The account, for messages that do not name one.
    #[arg(long, env = "CHATWOOT_ACCOUNT_ID", value_parser = runtime::within::<u64>(1..=runtime::MOST_ID))]
    pub chatwoot_account_id: Option<u64>,

    /// Messages a second and account, over all replicas; 0 is off.
    #[arg(
        long,
        env = "EGRESS_CHATWOOT_PER_SECOND",
        default_value_t = 20.0,
        value_name = "N", value_parser = runtime::number_within(0.0..=10_000.0))]
    pub chatwoot_per_second: f64,

    /// Pictures that go to Chatwoot may be on private addresses and without encryption, such as of a
    /// container next door.
    #[arg(long, env = "EGRESS_PICTURES_ALLOW_PRIVATE", action = ArgAction::Set, default_value_t = false,
          value_parser = BoolishValueParser::new())]
    pub pictures_allow_private: bool,
}

impl TwilioConfig {
    /// Our addresses.
    pub fn senders(&self) -> Vec<ChannelAddress> {
        self.twilio_whatsapp_number
            .iter()
            .map(|number| number.address().clone())
            .collect()
    }

    /// The account's auth tokens, the first one first; none where it has none.
    pub fn tokens(&self) -> Option<Vec<SecretString>> {
        let first = self.twilio_auth_token.clone()?;
        let further = self.twilio_extra_auth_tokens.iter().cloned();
        Some(std::iter::once(first).chain(further).collect())
    }

    /// The rates. The sandbox has its own where the real Twilio is behind it.
    pub fn paces(&self) -> Paces {
        Paces {
            default: self.twilio_per_second,
            own: self.sender_pace.clone(),
            real_twilio: self.is_real_twilio(),
        }
    }

    /// Whether Twilio itself is behind the base URL, and not what stands in for it.
    pub fn is_real_twilio(&self) -> bool {
        self.twilio_api_base_url.starts_with(TWILIO_API)
    }

    /// Where typing indicators go: Twilio has another host for them.
    pub fn indicator_base_url(&self) -> &str {
        if self.is_real_twilio() {
            TWILIO_MESSAGING_API
        } else {
            self.twilio_api_base_url.trim_end_matches('/')
        }
    }

    /// What is sent outside of the 24-hour window.
    pub fn window_template(&self) -> Option<Template> {
        let content_sid = self.twilio_window_template_sid.clone()?;
        Some(Template {
            content_sid,
            variables: Default::default(),
        })
    }
}

impl WahaConfig {
    pub(crate) fn typing(&self) -> Typing {
        let speed = self.waha_typing_speed;
        Typing {
            on: speed > 0.0,
            speed: speed.max(0.1),
            longest: Duration::from_secs(6),
        }
    }
}
