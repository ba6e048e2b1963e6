//! The ways to colleagues that are configured.

use std::time::Duration;

use crm::{Kind, Notice};
use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::adf;
use super::mail::{Addresses, Mailer};
use super::post::Poster;
use super::presets::{self, Preset};
use super::text::{self, Labels};
use super::webhook::{self, Secret, sign};
use super::whatsapp::Colleagues;
use shared_types::Source;
use streams::Redis;

use crate::config::NoticeConfig;
use crate::domain::Domain;

/// No try takes longer.
const LIMIT: Duration = Duration::from_secs(20);

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Sent,
    /// The receiver wants no more of them.
    Gone,
    /// It has to be tried again.
    Failed {
        /// Why, without secrets.
        error: String,
        /// How long the receiver wants to be left alone.
        after: Option<Duration>,
    },
}

impl Outcome {
    pub(super) fn failed(error: &str) -> Self {
        Self::Failed {
            error: error.to_owned(),
            after: None,
        }
    }
}

/// A setting of a channel is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {why}")]
pub(super) struct ChannelError {
    variable: &'static str,
    why: String,
}

impl ChannelError {
    pub(super) fn new(variable: &'static str, why: &str) -> Self {
        Self {
            variable,
            why: why.to_owned(),
        }
    }
}

/// A way to colleagues.
pub struct Channel {
    /// As the command line and the CRM call it.
    pub name: &'static str,
    way: Way,
}

enum Way {
    Webhook { url: Url, secrets: Vec<Secret> },
    Service(Service),
    Mail(Mailer),
    Adf(Mailer),
    Whatsapp(Colleagues),
}

struct Service {
    preset: Preset,
    url: Url,
    token: Option<SecretString>,
    topic: String,
}

/// All ways that are configured.
pub struct Channels {
    all: Vec<Channel>,
    poster: Poster,
    labels: Labels,
    business: String,
}

impl Channels {
    /// Reads the settings; nothing is connected yet.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(config: &NoticeConfig, domain: &Domain, redis: &Redis) -> Result<Self, Vec<String>> {
        let (mut all, mut wrong) = (Vec::new(), Vec::new());
        for way in ways(config) {
            match way {
                Ok(channel) => all.extend(channel),
                Err(error) => wrong.push(error.to_string()),
            }
        }
        all.extend(whatsapp_of(config, redis));
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let poster = Poster::new(config.notice_allow_private);
        Ok(Self {
            all,
            poster: poster.map_err(|error| vec![format!("HTTP client: {error}")])?,
            labels: Labels::of(
                domain
                    .replies
                    .first()
                    .map_or("", |replies| &replies.language),
            ),
            business: domain.business.name.clone(),
        })
    }

    /// The channels.
    pub fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.all.iter()
    }

    /// The channel with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Channel> {
        self.all.iter().find(|channel| channel.name == name)
    }

    /// Whether a conversation is with a colleague who is told there.
    #[must_use]
    pub fn is_with_colleague(&self, conversation: &str) -> bool {
        self.all.iter().any(|channel| match &channel.way {
            Way::Whatsapp(colleagues) => colleagues.has(conversation),
            _ => false,
        })
    }

    /// Sends a notice over a channel, once.
    pub async fn send(&self, channel: &Channel, notice: &Notice, now: Timestamp) -> Outcome {
        let sent = Box::pin(self.bring(channel, notice, now));
        let sent = tokio::time::timeout(LIMIT, sent).await;
        sent.unwrap_or_else(|_| Outcome::failed("no answer in time"))
    }

    async fn bring(&self, channel: &Channel, notice: &Notice, now: Timestamp) -> Outcome {
        let title = || text::title(notice, self.labels);
        match &channel.way {
            Way::Webhook { url, secrets } => {
                let body = webhook::body(notice);
                let signature = sign(secrets, &notice.id, now.as_second(), &body);
                let headers = headers([
                    ("webhook-id", notice.id.clone()),
                    ("webhook-timestamp", now.as_second().to_string()),
                    ("webhook-signature", signature),
                ]);
                self.poster.post(url, headers, body, |_, _| true).await
            }
            Way::Service(service) => {
                let call = presets::call(service.preset, &service.topic, notice, self.labels);
                let token = service.token.as_ref();
                let token = token.and_then(|token| call.auth.header(token.expose_secret()));
                let url = with_path(&service.url, call.path);
                let is_taken = |status, said: &str| presets::is_taken(service.preset, status, said);
                self.poster
                    .post(&url, headers(token), call.body.to_string(), is_taken)
                    .await
            }
            Way::Whatsapp(colleagues) => {
                let body = text::body(notice, self.labels);
                colleagues.tell(notice, &title(), &body, now).await
            }
            Way::Mail(mailer) => {
                let body = text::body(notice, self.labels);
                mailer.send(notice, title(), body).await
            }
            Way::Adf(mailer) => {
                let document = adf::document(notice, &self.business);
                let subject = format!("ADF lead {}", self.business);
                mailer.send(notice, subject, document).await
            }
        }
    }
}

impl Channel {
    /// Whether notices of this kind go over it.
    #[must_use]
    pub fn takes(&self, kind: Kind) -> bool {
        match self.way {
            Way::Adf(_) => matches!(kind, Kind::LeadCompleted | Kind::Test),
            _ => true,
        }
    }

    /// Whether it could be used, as far as that can be told without a notice.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn try_out(&self) -> Result<String, String> {
        match &self.way {
            Way::Mail(mailer) | Way::Adf(mailer) => mailer
                .try_out()
                .await
                .map(|()| "the mail server lets us in".to_owned()),
            Way::Webhook { .. } | Way::Service(_) | Way::Whatsapp(_) => {
                let name = self.name;
                Ok(format!("set; `worker notices test {name}` sends a notice"))
            }
        }
    }
}

fn headers(pairs: impl IntoIterator<Item = (&'static str, String)>) -> HeaderMap {
    let pairs = pairs.into_iter().filter_map(|(name, value)| {
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_static(name), value))
    });
    pairs.collect()
}

fn with_path(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    if !path.is_empty() {
        let whole = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole);
    }
    url
}

type Configured = Result<Option<Channel>, ChannelError>;

fn by_of(config: &NoticeConfig) -> Configured {
    match config.notice_whatsapp_by {
        Source::Twilio | Source::Waha => Ok(None),
        Source::Chatwoot => Err(ChannelError::new(
            "NOTICE_WHATSAPP_BY",
            "must be twilio or waha",
        )),
    }
}

fn ways(config: &NoticeConfig) -> [Configured; 5] {
    [
        by_of(config),
        webhook_of(config),
        service_of(config),
        mail_of(config),
        adf_of(config),
    ]
}

/// What is wrong with the settings; empty when nothing is.
pub(crate) fn mistakes(config: &NoticeConfig) -> Vec<String> {
    let wrong = ways(config).into_iter().filter_map(Result::err);
    let wrong = wrong.chain(nobody_reads_mail(config));
    wrong.map(|error| error.to_string()).collect()
}

/// A mail server that nothing would be sent by.
fn nobody_reads_mail(config: &NoticeConfig) -> Option<ChannelError> {
    let is_read = !config.notice_mail_to.is_empty() || !config.notice_adf_to.is_empty();
    let is_set = config.notice_smtp_url.is_some() && !is_read;
    is_set.then(|| {
        ChannelError::new(
            "NOTICE_MAIL_TO",
            "is missing; NOTICE_SMTP_URL is set: nobody would be told",
        )
    })
}

/// An address that is posted to.
fn url_of(variable: &'static str, text: &SecretString) -> Result<Url, ChannelError> {
    let url = Url::parse(text.expose_secret().trim()).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| ChannelError::new(variable, "must start with http:// or https://"))
}

fn webhook_of(config: &NoticeConfig) -> Configured {
    let Some(url) = &config.notice_webhook_url else {
        return Ok(None);
    };
    const SECRET: &str = "NOTICE_WEBHOOK_SECRET";
    let secrets = config.notice_webhook_secret.iter();
    let secrets = secrets.map(|text| Secret::read(text.expose_secret()));
    let secrets: Result<Vec<_>, _> = secrets.collect();
    let secrets = secrets.map_err(|error| ChannelError::new(SECRET, &error.to_string()))?;
    if secrets.is_empty() {
        return Err(ChannelError::new(SECRET, "is missing: webhooks are signed"));
    }
    Ok(Some(Channel {
        name: "webhook",
        way: Way::Webhook {
            url: url_of("NOTICE_WEBHOOK_URL", url)?,
            secrets,
        },
    }))
}

fn service_of(config: &NoticeConfig) -> Configured {
    let Some(url) = &config.notice_http_url else {
        return Ok(None);
    };
    let url = url_of("NOTICE_HTTP_URL", url)?;
    let preset = config.notice_http_preset.ok_or_else(|| {
        ChannelError::new(
            "NOTICE_HTTP_PRESET",
            "is missing: slack, ntfy, gotify or apprise",
        )
    })?;
    let topic = config.notice_http_topic.clone().unwrap_or_default();
    if preset == Preset::Ntfy && topic.is_empty() {
        return Err(ChannelError::new(
            "NOTICE_HTTP_TOPIC",
            "is missing: ntfy wants one",
        ));
    }
    let name = match preset {
        Preset::Slack => "slack",
        Preset::Ntfy => "ntfy",
        Preset::Gotify => "gotify",
        Preset::Apprise => "apprise",
    };
    Ok(Some(Channel {
        name,
        way: Way::Service(Service {
            preset,
            url,
            token: config.notice_http_token.clone(),
            topic,
        }),
    }))
}

fn mailer_of(config: &NoticeConfig, to: &[String]) -> Result<Option<Mailer>, ChannelError> {
    if to.is_empty() {
        return Ok(None);
    }
    let missing = |variable| ChannelError::new(variable, "is missing: mail needs it");
    let url = config
        .notice_smtp_url
        .as_ref()
        .ok_or_else(|| missing("NOTICE_SMTP_URL"))?;
    let from = config
        .notice_mail_from
        .as_deref()
        .ok_or_else(|| missing("NOTICE_MAIL_FROM"))?;
    let addresses = Addresses {
        from,
        to,
        reply_to: config.notice_mail_reply_to.as_deref(),
    };
    Mailer::new(url, &addresses, config.notice_smtp_unencrypted).map(Some)
}

fn mail_of(config: &NoticeConfig) -> Configured {
    let mailer = mailer_of(config, &config.notice_mail_to)?;
    Ok(mailer.map(|mailer| Channel {
        name: "mail",
        way: Way::Mail(mailer),
    }))
}

fn adf_of(config: &NoticeConfig) -> Configured {
    let mailer = mailer_of(config, &config.notice_adf_to)?;
    Ok(mailer.map(|mailer| Channel {
        name: "adf",
        way: Way::Adf(mailer),
    }))
}

fn whatsapp_of(config: &NoticeConfig, redis: &Redis) -> Option<Channel> {
    (!config.notice_whatsapp_to.is_empty()).then(|| Channel {
        name: "whatsapp",
        way: Way::Whatsapp(Colleagues {
            redis: redis.clone(),
            numbers: config.notice_whatsapp_to.clone(),
            by: config.notice_whatsapp_by,
            template: config.notice_whatsapp_template_sid.clone(),
        }),
    })
}
