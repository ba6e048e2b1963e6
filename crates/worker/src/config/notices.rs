use clap::Args;
use secrecy::SecretString;
use shared_types::{PhoneNumber, Source};

use crate::notices::Preset;

/// How colleagues are told that they are needed. Without any of these they are in `worker handovers`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Notices")]
pub struct NoticeConfig {
    /// A webhook of yours, called as Standard Webhooks 1.0 says.
    #[arg(
        long,
        env = "NOTICE_WEBHOOK_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub notice_webhook_url: Option<SecretString>,

    /// What it is signed with: `whsec_…`; two with a comma between while one is changed.
    #[arg(
        long,
        env = "NOTICE_WEBHOOK_SECRET",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "SECRETS"
    )]
    pub notice_webhook_secret: Vec<SecretString>,

    /// A service that takes one POST.
    #[arg(long, env = "NOTICE_HTTP_PRESET", value_enum, value_name = "SERVICE")]
    pub notice_http_preset: Option<Preset>,

    /// Its address: Slack's webhook, the server of ntfy or Gotify, Apprise's `…/notify/<key>`.
    #[arg(
        long,
        env = "NOTICE_HTTP_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub notice_http_url: Option<SecretString>,

    /// Its token, where it wants one. Apprise wants `<user>:<password>`.
    #[arg(
        long,
        env = "NOTICE_HTTP_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub notice_http_token: Option<SecretString>,

    /// The topic, for ntfy.
    #[arg(long, env = "NOTICE_HTTP_TOPIC", value_name = "TOPIC")]
    pub notice_http_topic: Option<String>,

    /// Webhooks and services may be on private addresses, such as of a container next door.
    #[arg(long, env = "NOTICE_ALLOW_PRIVATE")]
    pub notice_allow_private: bool,

    /// Colleagues who get a WhatsApp message, `+31612345678`, with commas between. What they write is
    /// not answered: they are no customers.
    #[arg(
        long,
        env = "NOTICE_WHATSAPP_TO",
        value_delimiter = ',',
        value_name = "NUMBERS"
    )]
    pub notice_whatsapp_to: Vec<PhoneNumber>,

    /// The provider that brings them: twilio or waha.
    #[arg(
        long,
        env = "NOTICE_WHATSAPP_BY",
        default_value = "twilio",
        value_name = "PROVIDER"
    )]
    pub notice_whatsapp_by: Source,

    /// Twilio's Content template for colleagues who have not written within 24 hours; its variable 1
    /// is what happened.
    #[arg(long, env = "NOTICE_WHATSAPP_TEMPLATE_SID", value_name = "SID")]
    pub notice_whatsapp_template_sid: Option<String>,

    /// The mail server: `smtps://user:password@host:465`, or `smtp://…:587?tls=required`.
    #[arg(
        long,
        env = "NOTICE_SMTP_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub notice_smtp_url: Option<SecretString>,

    /// The mail server may be spoken to without encryption.
    #[arg(long, env = "NOTICE_SMTP_UNENCRYPTED")]
    pub notice_smtp_unencrypted: bool,

    /// Whom mail is from.
    #[arg(long, env = "NOTICE_MAIL_FROM", value_name = "ADDRESS")]
    pub notice_mail_from: Option<String>,

    /// Who reads mail, with commas between.
    #[arg(
        long,
        env = "NOTICE_MAIL_TO",
        value_delimiter = ',',
        value_name = "ADDRESSES"
    )]
    pub notice_mail_to: Vec<String>,

    /// Where answers to mail go.
    #[arg(long, env = "NOTICE_MAIL_REPLY_TO", value_name = "ADDRESS")]
    pub notice_mail_reply_to: Option<String>,

    /// Which dealers' systems get each complete lead as ADF, with commas between.
    #[arg(
        long,
        env = "NOTICE_ADF_TO",
        value_delimiter = ',',
        value_name = "ADDRESSES"
    )]
    pub notice_adf_to: Vec<String>,
}
