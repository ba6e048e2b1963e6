//! Settings of egress.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use runtime::RuntimeConfig;
use secrecy::{ExposeSecret, SecretString};
use shared_types::{ChannelAddress, Template};
use streams::{ConsumerConfig, MemberId, Queue, RedisConfig};

use crate::retry::schedule::Schedule;
use crate::senders::Typing;

/// Twilio's sandbox sender, and its pace of one message in three seconds (provider facts, 2.3).
const SANDBOX: &str = "whatsapp:+14155238886";
const SANDBOX_PER_SECOND: f64 = 1.0 / 3.0;
const TWILIO_API: &str = "https://api.twilio.com";

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

/// A number of ours, `+31201234567` or `whatsapp:+31201234567`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnNumber(ChannelAddress);

impl FromStr for OwnNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let address = if text.contains(':') {
            text.to_owned()
        } else {
            format!("whatsapp:{text}")
        };
        let address: ChannelAddress = address.parse().map_err(|error| format!("{error}"))?;
        let is_number = address.phone_number().is_some();
        is_number
            .then_some(Self(address))
            .ok_or_else(|| "must be a number such as +31201234567".into())
    }
}

/// The rate of one sender.
#[derive(Debug, Clone, PartialEq)]
pub struct SenderPace {
    sender: ChannelAddress,
    per_second: f64,
}

impl FromStr for SenderPace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (sender, rate) = text
            .split_once('=')
            .ok_or("must look like +31201234567=20")?;
        let per_second: f64 = rate
            .trim()
            .parse()
            .map_err(|_| "the rate must be a number")?;
        if !per_second.is_finite() || per_second < 0.0 {
            return Err("the rate must not be negative".into());
        }
        Ok(Self {
            sender: sender.parse::<OwnNumber>()?.0,
            per_second,
        })
    }
}

/// The rates of all Twilio senders.
#[derive(Debug, Clone)]
pub struct Paces {
    default: f64,
    own: Vec<SenderPace>,
    real_twilio: bool,
}

impl Paces {
    /// Messages a second of a sender; none when there is no limit.
    pub fn of(&self, sender: &str) -> Option<f64> {
        let own = self.own.iter().find(|own| own.sender.as_str() == sender);
        let sandbox = self.real_twilio && sender == SANDBOX && self.default > 0.0;
        let rate = match own {
            Some(own) => own.per_second,
            None if sandbox => SANDBOX_PER_SECOND,
            None => self.default,
        };
        Some(rate).filter(|rate| *rate > 0.0)
    }
}

impl TwilioConfig {
    /// Our addresses.
    pub fn senders(&self) -> Vec<ChannelAddress> {
        self.twilio_whatsapp_number
            .iter()
            .map(|number| number.0.clone())
            .collect()
    }

    /// The rates. The sandbox has its own where the real Twilio is behind it.
    pub fn paces(&self) -> Paces {
        Paces {
            default: self.twilio_per_second,
            own: self.sender_pace.clone(),
            real_twilio: self.twilio_api_base_url.starts_with(TWILIO_API),
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
    /// one that waits costs no request.
    pub fn consumer(&self, member: MemberId) -> ConsumerConfig {
        ConsumerConfig {
            lease_ttl: Duration::from_millis(self.sending.lease_ms),
            window: 256,
            concurrency: 256,
            in_flight: self.sending.in_flight.get(),
            ..ConsumerConfig::new(Queue::Outbound, member)
        }
    }

    /// What is wrong with the settings as a whole; empty when nothing is.
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let Err(error) = self.redis.check() {
            mistakes.push(error.to_string());
        }
        let consumer = self.consumer(MemberId::unique("check"));
        if let Err(error) = consumer.check(self.sending.request_timeout()) {
            mistakes.push(format!(
                "EGRESS_LEASE_MS and EGRESS_REQUEST_TIMEOUT_MS: {error}"
            ));
        }
        let twilio = &self.twilio;
        if twilio.twilio_account_sid.is_some() != twilio.twilio_auth_token.is_some() {
            mistakes.push("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: set both or none".into());
        }
        let has_sender = !twilio.twilio_whatsapp_number.is_empty()
            || twilio.twilio_messaging_service_sid.is_some();
        if twilio.twilio_account_sid.is_some() && !has_sender {
            mistakes.push(
                "TWILIO_WHATSAPP_NUMBER: is missing; replies need a number to leave from".into(),
            );
        }
        if self.chatwoot.chatwoot_base_url.is_some() && self.chatwoot.chatwoot_api_token.is_none() {
            mistakes.push("CHATWOOT_API_TOKEN: is missing; CHATWOOT_BASE_URL is set".into());
        }
        let urls = [
            ("TWILIO_API_BASE_URL", Some(&twilio.twilio_api_base_url)),
            ("WAHA_BASE_URL", self.waha.waha_base_url.as_ref()),
            (
                "CHATWOOT_BASE_URL",
                self.chatwoot.chatwoot_base_url.as_ref(),
            ),
            ("PUBLIC_BASE_URL", self.public_base_url.as_ref()),
        ];
        for (variable, url) in urls {
            let is_http = |url: &str| url.starts_with("http://") || url.starts_with("https://");
            if url.is_some_and(|url| !is_http(url)) {
                mistakes.push(format!("{variable}: must start with http:// or https://"));
            }
        }
        let empty = |secret: &SecretString| secret.expose_secret().trim().is_empty();
        if twilio.twilio_auth_token.as_ref().is_some_and(empty) {
            mistakes.push("TWILIO_AUTH_TOKEN: is set but blank".into());
        }
        let rates = [
            ("EGRESS_TWILIO_PER_SECOND", twilio.twilio_per_second),
            ("EGRESS_WAHA_PER_SECOND", self.waha.waha_per_second),
            (
                "EGRESS_CHATWOOT_PER_SECOND",
                self.chatwoot.chatwoot_per_second,
            ),
            ("EGRESS_WAHA_TYPING_SPEED", self.waha.waha_typing_speed),
        ];
        for (variable, rate) in rates {
            if !rate.is_finite() || rate < 0.0 {
                mistakes.push(format!("{variable}: must not be negative; 0 is off"));
            }
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

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
