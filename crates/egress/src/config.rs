//! Settings of egress.

mod check;
mod numbers;

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, ValueEnum};
use runtime::RuntimeConfig;
use secrecy::SecretString;
use shared_types::{ChannelAddress, Template};
use streams::{ConsumerConfig, MemberId, Queue, RedisConfig};

use crate::retry::schedule::Schedule;
use crate::senders::Typing;

pub(crate) use numbers::Paces;
use numbers::{OwnNumber, SenderPace};

const TWILIO_API: &str = "https://api.twilio.com";
const TWILIO_MESSAGING_API: &str = "https://messaging.twilio.com";
/// A message whose processing was started this often, and never ended, is set aside.
const MAX_STARTS: u32 = 200;

/// Everything that `egress serve` reads.
#[derive(Debug, Clone, Args)]
pub struct EgressConfig {
    /// Where to listen for health and metrics.
    #[arg(long, env = "PORT", default_value_t = 8082)]
    pub port: u16,

    /// What providers call ingress by; status callbacks go there. Without it there are none.
    #[arg(long, env = "PUBLIC_BASE_URL", value_name = "URL")]
    pub public_base_url: Option<String>,

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
    pub sending: SendingConfig,
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
        value_name = "N"
    )]
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
        value_name = "N"
    )]
    pub waha_per_second: f64,

    /// Characters a second that the bot seems to type; 0 shows no typing.
    #[arg(
        long,
        env = "EGRESS_WAHA_TYPING_SPEED",
        default_value_t = 25.0,
        value_name = "N"
    )]
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
    #[arg(long, env = "CHATWOOT_ACCOUNT_ID")]
    pub chatwoot_account_id: Option<u64>,

    /// Messages a second and account, over all replicas; 0 is off.
    #[arg(
        long,
        env = "EGRESS_CHATWOOT_PER_SECOND",
        default_value_t = 20.0,
        value_name = "N"
    )]
    pub chatwoot_per_second: f64,
}

/// How sends are made, alike for all providers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sending")]
pub struct SendingConfig {
    /// What happens when it is not known whether a provider took a message.
    #[arg(long, env = "EGRESS_ON_UNKNOWN", default_value = "resolve")]
    pub on_unknown: OnUnknown,

    /// How long a provider may be silent.
    #[arg(long, env = "EGRESS_REQUEST_TIMEOUT_MS", default_value_t = 8_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub request_timeout_ms: u64,

    /// How long to wait before a send that may have arrived is looked up.
    #[arg(
        long,
        env = "EGRESS_SETTLE_MS",
        default_value_t = 4_000,
        value_name = "MS"
    )]
    pub settle_ms: u64,

    /// Attempts in a round, with a first pause that doubles.
    #[arg(long, env = "EGRESS_ATTEMPTS", default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=20))]
    pub attempts: u32,

    /// The pause after the first attempt.
    #[arg(
        long,
        env = "EGRESS_FIRST_PAUSE_MS",
        default_value_t = 1_000,
        value_name = "MS"
    )]
    pub first_pause_ms: u64,

    /// Rounds after a failed first one; then the message becomes a dead letter.
    #[arg(long, env = "EGRESS_EXTRA_ROUNDS", default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u32).range(0..=20))]
    pub extra_rounds: u32,

    /// The pause before the first extra round; it doubles.
    #[arg(
        long,
        env = "EGRESS_FIRST_ROUND_PAUSE_MS",
        default_value_t = 4_000,
        value_name = "MS"
    )]
    pub first_round_pause_ms: u64,

    /// Time on the way to a provider that the pace allows for: slots lie this share further apart,
    /// so that the limit holds where the provider counts.
    #[arg(long, env = "EGRESS_PACE_JITTER_MS", default_value_t = 100, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(0..=1_000))]
    pub pace_jitter_ms: u64,

    /// A wait for the pace that is worth a warning.
    #[arg(
        long,
        env = "EGRESS_PACE_WARNING_MS",
        default_value_t = 2_000,
        value_name = "MS"
    )]
    pub pace_warning_ms: u64,

    /// The shortest time between two messages to one recipient.
    #[arg(
        long,
        env = "EGRESS_RECIPIENT_SPACING_MS",
        default_value_t = 0,
        value_name = "MS"
    )]
    pub recipient_spacing_ms: u64,

    /// How long a stopped sender waits before one message probes it; the time doubles up to 5
    /// minutes.
    #[arg(long, env = "EGRESS_PROBE_MS", default_value_t = 15_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(100..=300_000))]
    pub probe_ms: u64,

    /// How long the delivery ledger remembers a message.
    #[arg(long, env = "EGRESS_LEDGER_DAYS", default_value_t = 7, value_name = "DAYS",
          value_parser = clap::value_parser!(u64).range(1..=365))]
    pub ledger_days: u64,

    /// Requests in progress at once.
    #[arg(
        long,
        env = "EGRESS_IN_FLIGHT",
        default_value = "256",
        value_name = "N"
    )]
    pub in_flight: NonZeroUsize,

    /// How long a dead process's partitions stay closed.
    #[arg(long, env = "EGRESS_LEASE_MS", default_value_t = 10_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(500..=120_000))]
    pub lease_ms: u64,
}

/// What to do about a send whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnUnknown {
    /// Look it up, and send again only when there is no trace of it.
    Resolve,
    /// Send again. The customer may get it twice.
    Resend,
    /// Set it aside for an operator.
    Park,
}

impl TwilioConfig {
    /// Our addresses.
    pub fn senders(&self) -> Vec<ChannelAddress> {
        self.twilio_whatsapp_number
            .iter()
            .map(|number| number.address().clone())
            .collect()
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

impl SendingConfig {
    /// How long a provider may be silent.
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// The waits between attempts.
    pub const fn schedule(&self) -> Schedule {
        Schedule {
            attempts: self.attempts,
            first_pause: Duration::from_millis(self.first_pause_ms),
            extra_rounds: self.extra_rounds,
            first_round_pause: Duration::from_millis(self.first_round_pause_ms),
        }
    }

    /// How long the ledger remembers a message.
    pub const fn ledger_ttl(&self) -> Duration {
        Duration::from_secs(self.ledger_days * 24 * 60 * 60)
    }
}

impl EgressConfig {
    /// How the outbound queue is consumed. Every waiting recipient may have its mailbox started:
    /// one that waits costs no request. It may wait through many restarts, so a start that did not
    /// end says little against a message.
    pub fn consumer(&self, member: MemberId) -> ConsumerConfig {
        ConsumerConfig {
            lease_ttl: Duration::from_millis(self.sending.lease_ms),
            window: 256,
            held: 4_096,
            concurrency: 256,
            lane: 32,
            in_flight: self.sending.in_flight.get(),
            max_attempts: MAX_STARTS,
            suspect_from: MAX_STARTS + 1,
            ..ConsumerConfig::new(Queue::Outbound, member)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::numbers::{SANDBOX, SANDBOX_PER_SECOND};
    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        egress: EgressConfig,
    }

    fn parse(args: &[&str]) -> EgressConfig {
        Cli::parse_from(["test"].iter().chain(args)).egress
    }

    #[test]
    fn numbers_are_taken_with_and_without_the_channel() {
        let config = parse(&[
            "--twilio-whatsapp-number",
            "+31201234567,whatsapp:+14155238886",
        ]);
        let senders: Vec<_> = config
            .twilio
            .senders()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(senders, ["whatsapp:+31201234567", "whatsapp:+14155238886"]);
        assert!("0201234567".parse::<OwnNumber>().is_err());
    }

    #[test]
    fn each_sender_has_its_pace() {
        let config = parse(&["--sender-pace", "+31201234567=20"]);
        let paces = config.twilio.paces();
        assert_eq!(paces.of("whatsapp:+31201234567"), Some(20.0));
        assert_eq!(paces.of("whatsapp:+31209999999"), Some(80.0));
        assert_eq!(paces.of(SANDBOX), Some(SANDBOX_PER_SECOND));
        let simulated = parse(&["--twilio-api-base-url", "http://localhost:8090"]);
        assert_eq!(simulated.twilio.paces().of(SANDBOX), Some(80.0));
        assert_eq!(
            parse(&["--twilio-per-second", "0"])
                .twilio
                .paces()
                .of(SANDBOX),
            None
        );
    }

    #[test]
    fn mistakes_are_named_all_at_once() {
        let config = parse(&[
            "--twilio-account-sid",
            "AC1",
            "--waha-base-url",
            "waha:3000",
            "--request-timeout-ms",
            "10000",
            "--chatwoot-base-url",
            "https://c",
        ]);
        let mistakes = config.mistakes().join("\n");
        for variable in [
            "TWILIO_AUTH_TOKEN",
            "TWILIO_WHATSAPP_NUMBER",
            "WAHA_BASE_URL",
            "EGRESS_LEASE_MS",
            "CHATWOOT_API_TOKEN",
        ] {
            assert!(mistakes.contains(variable), "{variable}: {mistakes}");
        }
    }
}
