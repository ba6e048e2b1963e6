use std::time::Duration;

use clap::Args;
use secrecy::SecretString;

use crate::llm::{Auto, Format, Settings, Temperature, TokenField};

/// A language model. Without a URL the rules do everything.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Language model")]
pub struct ModelConfig {
    /// An OpenAI-compatible endpoint, such as `https://api.openai.com/v1`.
    #[arg(long, env = "LLM_BASE_URL", value_name = "URL")]
    pub llm_base_url: Option<String>,

    /// Its key.
    #[arg(long, env = "LLM_API_KEY", hide_env_values = true)]
    pub llm_api_key: Option<SecretString>,

    /// The model.
    #[arg(long, env = "LLM_MODEL", default_value = "gpt-4o-mini")]
    pub llm_model: String,

    /// How freely it may word: `auto` is 0, and 0.4 for replies, and leaves it out when the server
    /// refuses; `none`, or a number from 0 to 2.
    #[arg(
        long,
        env = "LLM_TEMPERATURE",
        default_value = "auto",
        value_name = "T"
    )]
    pub llm_temperature: Auto<Temperature>,

    /// The field that bounds an answer: `max_completion_tokens`, `max_tokens`, `none`; `auto` tries
    /// them in this order.
    #[arg(
        long,
        env = "LLM_TOKEN_LIMIT_FIELD",
        default_value = "auto",
        value_name = "FIELD"
    )]
    pub llm_token_limit_field: Auto<TokenField>,

    /// How JSON is asked for: `json_schema`, `json_object`, `none` (by the prompt alone); `auto` tries
    /// them in this order.
    #[arg(
        long,
        env = "LLM_RESPONSE_FORMAT",
        default_value = "auto",
        value_name = "FORMAT"
    )]
    pub llm_response_format: Auto<Format>,

    /// How long one question may take; then the rules answer.
    #[arg(long, env = "LLM_TIMEOUT_MS", default_value_t = 2_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(50..=20_000))]
    pub llm_timeout_ms: u64,

    /// Retries of a question within its time.
    #[arg(long, env = "LLM_RETRIES", default_value_t = 1, value_name = "N", value_parser = runtime::within::<u32>(0..=10))]
    pub llm_retries: u32,

    /// Questions in progress at once.
    #[arg(long, env = "LLM_CONCURRENCY", default_value_t = 32, value_name = "N", value_parser = runtime::within::<usize>(1..=10_000))]
    pub llm_concurrency: usize,

    /// What a million tokens of questions cost, in any currency; for the metrics only.
    #[arg(
        long,
        env = "LLM_PROMPT_PRICE",
        default_value_t = 0.0,
        value_name = "PRICE", value_parser = runtime::number_within(0.0..=1_000_000.0))]
    pub llm_prompt_price: f64,

    /// What a million tokens of answers cost.
    #[arg(
        long,
        env = "LLM_COMPLETION_PRICE",
        default_value_t = 0.0,
        value_name = "PRICE", value_parser = runtime::number_within(0.0..=1_000_000.0))]
    pub llm_completion_price: f64,

    /// Tokens for one contact on one day; then the rules answer.
    #[arg(
        long,
        env = "LLM_TOKENS_PER_CONTACT_PER_DAY",
        default_value_t = 50_000,
        value_name = "N", value_parser = runtime::within::<u64>(0..=1_000_000_000))]
    pub llm_tokens_per_contact_per_day: u64,
}

impl ModelConfig {
    /// What the server is asked for.
    pub(crate) const fn dialect(&self) -> Settings {
        Settings {
            temperature: self.llm_temperature,
            tokens: self.llm_token_limit_field,
            format: self.llm_response_format,
        }
    }

    /// How long one question may take.
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.llm_timeout_ms)
    }
}
