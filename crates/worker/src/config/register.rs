use std::time::Duration;

use clap::Args;
use secrecy::SecretString;

/// A public register of plates. Off without an address.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Plates")]
pub struct RegisterConfig {
    /// Where the register is asked which car has a plate that a customer names, such as
    /// `https://opendata.rdw.nl/resource/m9d7-ebf2.json`. The plate is sent there.
    #[arg(long, env = "PLATE_REGISTER_URL", value_name = "URL")]
    pub plate_register_url: Option<String>,

    /// Its application token, which allows more questions.
    #[arg(long, env = "PLATE_REGISTER_TOKEN", hide_env_values = true)]
    pub plate_register_token: Option<SecretString>,

    /// How long an answer may take; without it the turn goes on.
    #[arg(long, env = "PLATE_REGISTER_TIMEOUT_MS", default_value_t = 1_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(50..=10_000))]
    pub plate_register_timeout_ms: u64,

    /// How many questions each worker may ask in a minute.
    #[arg(long, env = "PLATE_REGISTER_PER_MINUTE", default_value_t = 60, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=6_000))]
    pub plate_register_per_minute: u32,
}

impl RegisterConfig {
    /// How long an answer may take.
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.plate_register_timeout_ms)
    }
}
