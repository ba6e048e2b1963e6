//! Settings of the worker.

mod media;
mod model;
mod notices;
mod register;
mod stock;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use crm::CrmConfig;
use runtime::RuntimeConfig;
use secrecy::ExposeSecret;
use shared_types::{Source, sid_mistake};
use streams::{ConsumerConfig, MemberId, Queue, RedisConfig};

pub use media::MediaConfig;
pub use model::ModelConfig;
pub use notices::NoticeConfig;
pub use register::RegisterConfig;
pub use stock::{FeedSetting, Named, StockConfig};

use crate::budget::KEPT;

/// Everything that `worker serve` reads.
#[derive(Debug, Clone, Args)]
pub struct WorkerConfig {
    /// Where to listen for health and metrics.
    #[arg(long, env = "PORT", default_value_t = 8081)]
    pub port: u16,

    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub domain: DomainConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub turns: TurnConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub crm: CrmConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub model: ModelConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub media: MediaConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub notices: NoticeConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub stock: StockConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub register: RegisterConfig,
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

/// The business.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Domain")]
pub struct DomainConfig {
    /// The domain file; the built-in car dealer when not set.
    #[arg(long, env = "WORKER_DOMAIN_FILE", value_name = "FILE")]
    pub domain_file: Option<PathBuf>,
}

/// How turns are taken.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Turns")]
pub struct TurnConfig {
    /// How long a turn may take: longer than all of its steps together.
    #[arg(long, env = "WORKER_TURN_BUDGET_MS", default_value_t = 12_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(500..=60_000))]
    pub turn_budget_ms: u64,

    /// Lines of history that are kept of a conversation.
    #[arg(
        long,
        env = "WORKER_HISTORY_LINES",
        default_value_t = 40,
        value_name = "N", value_parser = runtime::within::<usize>(1..=1000))]
    pub history_lines: usize,

    /// How long a conversation is remembered after its last message.
    #[arg(long, env = "WORKER_MEMORY_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u64).range(1..=3650))]
    pub memory_days: u64,

    /// How long the last turn of a conversation is kept as a whole, with the customer's text, for
    /// people who look on; 0 for not at all.
    #[arg(long, env = "WORKER_TURN_HOURS", default_value_t = 24, value_name = "HOURS",
          value_parser = clap::value_parser!(u64).range(0..=8760))]
    pub turn_hours: u64,

    /// Turns in progress at once.
    #[arg(
        long,
        env = "WORKER_IN_FLIGHT",
        default_value_t = 256,
        value_name = "N", value_parser = runtime::within::<usize>(1..=10_000))]
    pub in_flight: usize,

    /// After how long a turn counts as slow, so that egress may show a typing indicator; 0 for never.
    #[arg(
        long,
        env = "WORKER_SLOW_TURN_MS",
        default_value_t = 1_500,
        value_name = "MS", value_parser = runtime::within::<u64>(0..=60_000))]
    pub slow_turn_ms: u64,

    /// Providers whose messages are each answered on their own: twilio, waha, chatwoot, with commas
    /// between. What the others' customers write in a burst is answered as one.
    #[arg(
        long,
        env = "WORKER_ANSWER_EACH",
        value_name = "PROVIDERS",
        value_delimiter = ',',
        num_args = 0..
    )]
    pub answer_each: Vec<Source>,

    /// Conversations of Twilio and WAHA are shown in this API inbox of Chatwoot: egress does so, and needs
    /// the same setting.
    #[arg(long, env = "CHATWOOT_MIRROR_INBOX_ID", value_name = "NUMBER", value_parser = runtime::within::<u64>(1..=runtime::MOST_ID))]
    pub chatwoot_mirror_inbox_id: Option<u64>,

    /// How long a dead worker's partitions stay closed.
    #[arg(long, env = "WORKER_LEASE_MS", default_value_t = 15_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(500..=120_000))]
    pub lease_ms: u64,
}

impl TurnConfig {
    /// How long a turn may take.
    pub const fn budget(&self) -> Duration {
        Duration::from_millis(self.turn_budget_ms)
    }

    /// After how long a turn counts as slow.
    pub const fn slow_after(&self) -> Option<Duration> {
        match self.slow_turn_ms {
            0 => None,
            after => Some(Duration::from_millis(after)),
        }
    }

    /// How long a conversation is remembered.
    pub const fn memory(&self) -> Duration {
        Duration::from_secs(self.memory_days * 24 * 60 * 60)
    }

    /// How long a turn is kept as a whole.
    pub const fn turn_kept(&self) -> Duration {
        Duration::from_secs(self.turn_hours * 60 * 60)
    }
}

impl WorkerConfig {
    /// How the inbound queue is consumed.
    pub fn consumer(&self, member: MemberId) -> ConsumerConfig {
        ConsumerConfig {
            lease_ttl: Duration::from_millis(self.turns.lease_ms),
            in_flight: self.turns.in_flight,
            history_cap: self.turns.history_lines,
            history_ttl: self.turns.memory(),
            ..ConsumerConfig::new(Queue::Inbound, member)
        }
    }

    /// How CRM writes that could not be made at once are consumed.
    pub fn crm_consumer(&self, member: MemberId) -> ConsumerConfig {
        ConsumerConfig {
            in_flight: 8,
            concurrency: 4,
            ..ConsumerConfig {
                queue: Queue::Crm,
                ..self.consumer(member)
            }
        }
    }

    /// What is wrong with the settings as a whole; empty when nothing is.
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let Err(error) = self.redis.check() {
            mistakes.push(error.to_string());
        }
        let consumer = self.consumer(MemberId::unique("check"));
        if let Err(error) = consumer.check(self.turns.budget()) {
            mistakes.push(format!(
                "WORKER_LEASE_MS and WORKER_TURN_BUDGET_MS: {error}"
            ));
        }
        if let Err(error) = crm::Crm::check_url(&self.crm.crm_database_url) {
            mistakes.push(error.to_string());
        }
        let (account, token) = (
            &self.media.twilio_account_sid,
            &self.media.twilio_auth_token,
        );
        let wrong = account.as_ref().and_then(|sid| sid_mistake("AC", sid));
        mistakes.extend(wrong.map(|wrong| format!("TWILIO_ACCOUNT_SID: {wrong}")));
        if account.is_some() != token.is_some() {
            mistakes.push("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: set both or none".into());
        }
        mistakes.extend(self.steps_that_do_not_fit());
        mistakes.extend(crate::notices::mistakes(&self.notices));
        mistakes.extend(self.stock.mistakes());
        let urls = [
            ("LLM_BASE_URL", &self.model.llm_base_url),
            ("TRANSCRIBE_BASE_URL", &self.media.transcribe_base_url),
            ("PLATE_REGISTER_URL", &self.register.plate_register_url),
        ];
        for (variable, url) in urls {
            let is_http = |url: &String| url.starts_with("http://") || url.starts_with("https://");
            if url.as_ref().is_some_and(|url| !is_http(url)) {
                mistakes.push(format!("{variable}: must start with http:// or https://"));
            }
        }
        mistakes
    }
}

const TWILIO: &str = "https://api.twilio.com";

impl WorkerConfig {
    /// Whether real customers are behind a provider, as far as the worker's own settings tell: Twilio itself,
    /// or a WAHA with another key than the simulator's.
    pub fn has_real_customers(&self) -> bool {
        let media = &self.media;
        let twilio =
            media.twilio_auth_token.is_some() && media.twilio_api_base_url.starts_with(TWILIO);
        let key = media.waha_api_key.as_ref();
        let waha = media.waha_base_url.is_some()
            && key.is_some_and(|key| !key.expose_secret().starts_with("fake-"));
        twilio || waha
    }
}

/// How often a turn asks the model: router, extraction, conversation.
const QUESTIONS: u32 = 3;

impl WorkerConfig {
    /// The sum of what the steps of a turn may take, when that is more than a turn may take.
    fn steps_that_do_not_fit(&self) -> Option<String> {
        // The rules and the CRM share whatever there is; alone they fit into any turn.
        let urls = [
            &self.model.llm_base_url,
            &self.media.transcribe_base_url,
            &self.register.plate_register_url,
        ];
        if urls.iter().all(|url| url.is_none()) {
            return None;
        }
        let mut sum = KEPT;
        let mut steps = format!("{} for rules, CRM and commit", KEPT.as_millis());
        if self.model.llm_base_url.is_some() {
            sum += QUESTIONS * self.model.timeout();
            let each = self.model.llm_timeout_ms;
            steps = format!("{QUESTIONS} × LLM_TIMEOUT_MS {each} + {steps}");
        }
        if self.media.transcribe_base_url.is_some() {
            sum += self.media.timeout();
            let limit = self.media.transcribe_timeout_ms;
            steps = format!("TRANSCRIBE_TIMEOUT_MS {limit} + {steps}");
        }
        if self.register.plate_register_url.is_some() {
            sum += self.register.timeout();
            let limit = self.register.plate_register_timeout_ms;
            steps = format!("PLATE_REGISTER_TIMEOUT_MS {limit} + {steps}");
        }
        let budget = self.turns.turn_budget_ms;
        (sum > self.turns.budget()).then(|| {
            let sum = sum.as_millis();
            format!(
                "WORKER_TURN_BUDGET_MS: {budget} is less than the {sum} ms of its steps: {steps}"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        worker: WorkerConfig,
    }

    fn parse(args: &[&str]) -> WorkerConfig {
        Cli::parse_from(["test"].iter().chain(args)).worker
    }

    #[test]
    fn the_defaults_fit_together() {
        assert!(parse(&[]).mistakes().is_empty());
        let everything = [
            "--llm-base-url",
            "https://api.openai.com/v1",
            "--transcribe-base-url",
            "https://api.openai.com/v1",
        ];
        assert!(parse(&everything).mistakes().is_empty());
    }

    #[test]
    fn steps_that_do_not_fit_into_a_turn_are_refused_with_their_sum() {
        let both = [
            "--turn-budget-ms",
            "8000",
            "--llm-base-url",
            "https://api.openai.com/v1",
            "--transcribe-base-url",
            "https://api.openai.com/v1",
        ];
        assert_eq!(
            parse(&both).mistakes(),
            [
                "WORKER_TURN_BUDGET_MS: 8000 is less than the 11200 ms of its steps: \
              TRANSCRIBE_TIMEOUT_MS 4000 + 3 × LLM_TIMEOUT_MS 2000 + 1200 for rules, CRM and commit"
            ]
        );
        let model_alone: Vec<_> = both.iter().copied().take(4).collect();
        assert!(parse(&model_alone).mistakes().is_empty());
    }

    #[test]
    fn mistakes_are_named_all_at_once_without_secrets() {
        let config = parse(&[
            "--turn-budget-ms",
            "30000",
            "--crm-database-url",
            "mysql://root:hunter2@db",
            "--llm-base-url",
            "api.openai.com",
            "--redis-sentinels",
            "nowhere",
        ]);
        let mistakes = config.mistakes().join("\n");
        for variable in [
            "WORKER_LEASE_MS",
            "CRM_DATABASE_URL",
            "LLM_BASE_URL",
            "REDIS_SENTINELS",
        ] {
            assert!(mistakes.contains(variable), "{variable}: {mistakes}");
        }
        assert!(!format!("{mistakes} {config:?}").contains("hunter2"));
    }
}
