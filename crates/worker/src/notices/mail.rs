//! Notices by e-mail.

use std::time::Duration;

use crm::Notice;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use super::channel::{ChannelError, Outcome};

const TIMEOUT: Duration = Duration::from_secs(20);
const CONNECTIONS: u32 = 2;

/// A mail server, and whom it brings notices.
#[derive(Clone)]
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    reply_to: Option<Mailbox>,
}

/// Who writes to whom.
pub(super) struct Addresses<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a [String],
    pub(super) reply_to: Option<&'a str>,
}

impl Mailer {
    /// Prepares the mailer; nothing is connected yet.
    ///
    /// # Errors
    /// When the URL or an address is wrong, or the URL asks for a connection that is not encrypted.
    pub(super) fn new(
        url: &SecretString,
        addresses: &Addresses<'_>,
        unencrypted: bool,
    ) -> Result<Self, ChannelError> {
        let url = url.expose_secret();
        let safe = url.starts_with("smtps://") || url.contains("tls=required");
        if !safe && !unencrypted {
            return Err(ChannelError::new(
                "NOTICE_SMTP_URL",
                "is not encrypted: write smtps://… or smtp://…?tls=required, or set NOTICE_SMTP_UNENCRYPTED",
            ));
        }
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| {
            ChannelError::new(
                "NOTICE_SMTP_URL",
                "must be like smtps://user:password@host:465",
            )
        })?;
        let mailbox = |variable, text: &str| {
            let parsed: Result<Mailbox, _> = text.trim().parse();
            parsed.map_err(|_| ChannelError::new(variable, "holds what is no mail address"))
        };
        let to = addresses
            .to
            .iter()
            .map(|text| mailbox("NOTICE_MAIL_TO or NOTICE_ADF_TO", text));
        Ok(Self {
            transport: builder
                .timeout(Some(TIMEOUT))
                .pool_config(PoolConfig::new().max_size(CONNECTIONS))
                .build(),
            from: mailbox("NOTICE_MAIL_FROM", addresses.from)?,
            to: to.collect::<Result<_, _>>()?,
            reply_to: addresses
                .reply_to
                .map(|text| mailbox("NOTICE_MAIL_REPLY_TO", text))
                .transpose()?,
        })
    }

    /// Sends a notice as plain text.
    pub(super) async fn send(&self, notice: &Notice, subject: String, body: String) -> Outcome {
        let mail = match self.builder(notice, subject).body(body) {
            Ok(mail) => mail,
            Err(error) => return Outcome::failed(&error.to_string()),
        };
        let raw = mail.formatted();
        match self.transport.send_raw(mail.envelope(), &raw).await {
            Ok(_) => Outcome::Sent,
            Err(error) if error.is_permanent() && self.to.len() > 1 => {
                self.send_to_each(&raw).await
            }
            Err(error) => Outcome::failed(&runtime::Chain(&error).to_string()),
        }
    }

    /// Sends a mail that is refused to all to each alone: an address that is no more keeps it from nobody
    /// else.
    async fn send_to_each(&self, raw: &[u8]) -> Outcome {
        let (mut sent, mut refused) = (0, Outcome::failed("there is nobody to send it to"));
        for (place, to) in self.to.iter().enumerate() {
            let from = Some(self.from.email.clone());
            let error = match Envelope::new(from, vec![to.email.clone()]) {
                Ok(envelope) => self.transport.send_raw(&envelope, raw).await.err(),
                Err(_) => None,
            };
            match error {
                None => sent += 1,
                Some(error) => {
                    let error = runtime::Chain(&error).to_string();
                    tracing::warn!(
                        place = place + 1,
                        error,
                        "a mail address of notices is refused"
                    );
                    refused = Outcome::failed(&error);
                }
            }
        }
        if sent > 0 { Outcome::Sent } else { refused }
    }

    /// Whether the server lets us in.
    pub(super) async fn try_out(&self) -> Result<(), String> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("the mail server does not answer".into()),
            Err(error) => Err(runtime::Chain(&error).to_string()),
        }
    }

    fn builder(&self, notice: &Notice, subject: String) -> MessageBuilder {
        let header = |name: &'static str, value: &str| {
            HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
        };
        let host = self.from.email.domain();
        // The same for every try: a mail that comes twice is known by it.
        let id = format!("<{}@{host}>", notice.id);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .message_id(Some(id))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Postduif-Notice", notice.kind.as_str()));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        builder
    }
}
