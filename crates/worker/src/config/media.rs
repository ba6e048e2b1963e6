use std::time::Duration;

use clap::Args;
use secrecy::SecretString;

/// Voice messages as text. Off without a URL.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Voice messages")]
pub struct MediaConfig {
    /// An OpenAI-compatible endpoint for transcription.
    #[arg(long, env = "TRANSCRIBE_BASE_URL", value_name = "URL")]
    pub transcribe_base_url: Option<String>,

    /// Its key.
    #[arg(long, env = "TRANSCRIBE_API_KEY", hide_env_values = true)]
    pub transcribe_api_key: Option<SecretString>,

    /// The model.
    #[arg(long, env = "TRANSCRIBE_MODEL", default_value = "whisper-1")]
    pub transcribe_model: String,

    /// How long fetching a voice message and putting it into text may take.
    #[arg(long, env = "TRANSCRIBE_TIMEOUT_MS", default_value_t = 4_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(100..=30_000))]
    pub transcribe_timeout_ms: u64,

    /// Hosts that media may be fetched from without credentials; names that begin with a dot cover
    /// what lies below.
    #[arg(
        long,
        env = "WORKER_MEDIA_HOSTS",
        value_delimiter = ',',
        default_value = ".twiliocdn.com,.amazonaws.com",
        value_name = "HOSTS"
    )]
    pub media_hosts: Vec<String>,

    /// Where Twilio's media are fetched with the account's credentials.
    #[arg(
        long,
        env = "TWILIO_API_BASE_URL",
        default_value = "https://api.twilio.com",
        value_name = "URL"
    )]
    pub twilio_api_base_url: String,

    /// The account.
    #[arg(long, env = "TWILIO_ACCOUNT_SID")]
    pub twilio_account_sid: Option<String>,

    /// Its auth token.
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

    /// Where WAHA's media are fetched with its key.
    #[arg(long, env = "WAHA_BASE_URL", value_name = "URL")]
    pub waha_base_url: Option<String>,

    /// WAHA's key.
    #[arg(long, env = "WAHA_API_KEY", hide_env_values = true)]
    pub waha_api_key: Option<SecretString>,
}

impl MediaConfig {
    /// How long fetching a voice message and putting it into text may take.
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.transcribe_timeout_ms)
    }
}
