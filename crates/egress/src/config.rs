//! Settings of egress.

mod check;
mod mirror;
mod numbers;
mod providers;
mod sending;

use std::time::Duration;

use clap::Args;
use runtime::RuntimeConfig;
use streams::{ConsumerConfig, MemberId, Queue, RedisConfig};

use crate::ticks::Ticks;
pub(crate) use mirror::MirrorConfig;
pub(crate) use numbers::{Paces, SANDBOX};
use providers::ChatwootConfig;
pub(crate) use providers::{TwilioConfig, WahaConfig};
pub(crate) use sending::{OnUnknown, SendingConfig};

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
    pub mirror: MirrorConfig,
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

/// Requests to the help desk in progress at once. It is nobody's customer: what waits may wait.
const MIRROR_IN_FLIGHT: usize = 8;

impl EgressConfig {
    /// What the help desk is told of how far messages got.
    pub(crate) fn ticks(&self) -> Ticks {
        Ticks {
            mirrors: self.mirror.chatwoot_mirror_inbox_id.is_some(),
        }
    }

    /// How the mirror's queue is consumed.
    pub fn mirror_consumer(&self, member: MemberId) -> ConsumerConfig {
        ConsumerConfig {
            queue: Queue::Mirror,
            concurrency: 64,
            in_flight: MIRROR_IN_FLIGHT,
            ..self.consumer(member)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use shared_types::OwnNumber;

    use super::numbers::SANDBOX_PER_SECOND;
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
