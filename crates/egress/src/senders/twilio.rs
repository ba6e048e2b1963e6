//! Twilio's Messages API (<https://www.twilio.com/docs/messaging/api/message-resource>).

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret;
use serde_json::Value;
use shared_types::{ChannelAddress, FailureClass, OutboundMessage, Receipt, Source, TypingSignal};

use super::http::{Answer, Http};
use super::twilio_tokens::Tokens;
use super::{Content, Pace, Part, Sender, Trace, Unclaimed, twilio_error_class, with_picture};
use crate::attempt::{Attempt, Refusal};
use crate::config::EgressConfig;
use crate::split::{Limit, Unit, split};

/// Twilio's limit for `Body` (error 21617).
const LIMIT: Limit = Limit {
    most: 1_600,
    unit: Unit::Utf16,
};
/// Twilio's clock has whole seconds, and need not agree with ours.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(5);
/// An indicator that takes longer comes too late.
const INDICATOR_TIMEOUT: Duration = Duration::from_secs(2);
/// How many of a recipient's latest messages are looked through.
const PAGE: usize = 50;
/// Codes have five digits; a text in their place has been seen.
const MAX_CODE: usize = 40;
/// More parts than this are no reply but a mistake.
const MAX_PARTS: usize = 10;

pub(super) struct Twilio {
    http: Http,
    messages_url: String,
    indicator_url: String,
    account_sid: String,
    tokens: Tokens,
    senders: Vec<ChannelAddress>,
    messaging_service: Option<String>,
    status_callback: Option<String>,
    paces: Arc<crate::config::Paces>,
}

impl Twilio {
    pub(super) fn new(config: &EgressConfig) -> reqwest::Result<Option<Self>> {
        let twilio = &config.twilio;
        let (Some(account_sid), Some(tokens)) = (&twilio.twilio_account_sid, twilio.tokens())
        else {
            return Ok(None);
        };
        let base = twilio.twilio_api_base_url.trim_end_matches('/');
        let public = config.public_base_url.as_deref();
        Ok(Some(Self {
            http: Http::new(base, config.sending.request_timeout())?,
            messages_url: format!("{base}/2010-04-01/Accounts/{account_sid}/Messages.json"),
            indicator_url: format!("{}/v2/Indicators/Typing.json", twilio.indicator_base_url()),
            account_sid: account_sid.clone(),
            tokens: Tokens::new(tokens),
            senders: twilio.senders(),
            messaging_service: twilio.twilio_messaging_service_sid.clone(),
            status_callback: public
                .map(|base| format!("{}/webhooks/twilio/status", base.trim_end_matches('/'))),
            paces: Arc::new(twilio.paces()),
        }))
    }

    /// The number that the customer wrote to when it is one of ours, else the first of ours.
    fn from(&self, message: &OutboundMessage) -> Option<&ChannelAddress> {
        let written_to = message.endpoint.address.as_ref();
        let own = self.senders.iter().find(|own| Some(*own) == written_to);
        own.or_else(|| {
            self.senders
                .first()
                .filter(|_| self.messaging_service.is_none())
        })
    }

    fn form(&self, part: &Part) -> Vec<(&'static str, String)> {
        let mut form = vec![("To", part.message.to.to_string())];
        match self.from(&part.message) {
            Some(from) => form.push(("From", from.to_string())),
            None => form.extend(
                self.messaging_service
                    .iter()
                    .map(|sid| ("MessagingServiceSid", sid.clone())),
            ),
        }
        match &part.content {
            Content::Text(text) => form.push(("Body", text.clone())),
            Content::Picture(picture) => {
                form.push(("Body", picture.caption.clone()));
                form.push(("MediaUrl", picture.url.clone()));
            }
            Content::Template(template) => {
                form.push(("ContentSid", template.content_sid.clone()));
                if !template.variables.is_empty() {
                    let variables = serde_json::to_string(&template.variables).unwrap_or_default();
                    form.push(("ContentVariables", variables));
                }
            }
            Content::Note(_) | Content::Handoff => {}
        }
        if let Some(callback) = &self.status_callback {
            form.push(("StatusCallback", format!("{callback}?oid={}", part.id)));
        }
        form
    }

    async fn post(&self, part: &Part, deadline: Instant) -> Attempt {
        let form = encode(&self.form(part));
        let mut refused = None;
        for (place, token) in self.tokens.in_turn() {
            let request = self
                .http
                .post(&self.messages_url)
                .basic_auth(&self.account_sid, Some(token.expose_secret()))
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            match self.http.send(request, form.clone(), deadline).await {
                Ok(answer) => {
                    let attempt = meaning(&answer, &part.message.to);
                    if self.tokens.is_taken(place, &answer) {
                        return attempt;
                    }
                    refused = Some(attempt);
                }
                // What is known of the first token is no reason to be less sure of the second request.
                Err(attempt) => return attempt,
            }
        }
        refused.unwrap_or(Attempt::TooLate)
    }

    /// Asks with each token until one is taken.
    async fn ask(&self, request: &RequestBuilder) -> Result<Answer, String> {
        let mut refused = Err("the request cannot be made".to_owned());
        for (place, token) in self.tokens.in_turn() {
            let Some(request) = request.try_clone() else {
                break;
            };
            let request = request.basic_auth(&self.account_sid, Some(token.expose_secret()));
            let answer = self.http.ask(request).await?;
            if self.tokens.is_taken(place, &answer) {
                return Ok(answer);
            }
            refused = Ok(answer);
        }
        refused
    }

    /// <https://www.twilio.com/docs/whatsapp/api/typing-indicators-resource>
    async fn indicate(&self, signal: &TypingSignal) -> Result<(), String> {
        let form = [
            ("channel", "whatsapp".to_owned()),
            ("messageId", signal.message_id.to_string()),
        ];
        let request = self
            .http
            .post(&self.indicator_url)
            .timeout(INDICATOR_TIMEOUT)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encode(&form));
        match self.ask(&request).await?.status {
            status if status.is_success() => Ok(()),
            status => Err(format!("answered with {status}")),
        }
    }

    async fn look_up(&self, part: &Part, since: Timestamp, unclaimed: Unclaimed<'_>) -> Trace {
        let mut query = vec![
            ("To", part.message.to.to_string()),
            ("PageSize", PAGE.to_string()),
        ];
        query.extend(
            self.from(&part.message)
                .map(|from| ("From", from.to_string())),
        );
        let request = self
            .http
            .get(format!("{}?{}", self.messages_url, encode(&query)));
        let answer = match self.ask(&request).await {
            Ok(answer) => answer,
            Err(text) => return Trace::Unreadable(text),
        };
        match answer.status.as_u16() {
            200 => {}
            // Not Twilio itself: it answers this for no existing account.
            404 | 405 | 501 => return Trace::NoRecords,
            status => return Trace::Unreadable(format!("the list was answered with {status}")),
        }
        let Some(messages) = answer.json.get("messages").and_then(Value::as_array) else {
            return Trace::Unreadable("the list has no messages field".into());
        };
        let matching = messages
            .iter()
            .filter(|message| is_trace(message, part, since));
        let receipts: Vec<_> = matching
            .filter_map(|message| receipt(message, &part.message.to))
            .collect();
        let ids = receipts.iter().map(Receipt::provider_id).collect();
        let untaken = match unclaimed(ids).await {
            Ok(untaken) => untaken,
            Err(error) => return Trace::Unreadable(error),
        };
        // The oldest that nobody else claims: of two equal texts the first was sent first.
        let found = receipts
            .into_iter()
            .rev()
            .find(|receipt| untaken.contains(&receipt.provider_id()));
        found.map_or(Trace::Absent, Trace::Found)
    }
}

impl Sender for Twilio {
    fn source(&self) -> Source {
        Source::Twilio
    }

    fn pace(&self, message: &OutboundMessage) -> Pace {
        let service = self.messaging_service.as_deref().unwrap_or("twilio");
        let sender = self.from(message).map_or(service, ChannelAddress::as_str);
        Pace {
            clock: sender.to_owned(),
            per_second: self.paces.of(sender),
        }
    }

    fn connect(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.http.connect())
    }

    fn contents(&self, message: &OutboundMessage) -> Vec<Content> {
        if let Some(template) = &message.template
            && message.text.is_empty()
        {
            return vec![Content::Template(template.clone())];
        }
        let texts = split(&message.text, LIMIT);
        with_picture(texts, message.picture.as_ref(), MAX_PARTS)
    }

    fn show_typing<'a>(&'a self, signal: &'a TypingSignal) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(self.indicate(signal))
    }

    fn send<'a>(
        &'a self,
        part: &'a Part,
        _extras: bool,
        deadline: Instant,
    ) -> BoxFuture<'a, Attempt> {
        Box::pin(self.post(part, deadline))
    }

    fn find<'a>(
        &'a self,
        part: &'a Part,
        since: Timestamp,
        unclaimed: Unclaimed<'a>,
    ) -> BoxFuture<'a, Trace> {
        Box::pin(self.look_up(part, since, unclaimed))
    }
}

fn encode(pairs: &[(&'static str, String)]) -> String {
    let pair = |(name, value): &(&str, String)| {
        format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
    };
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn meaning(answer: &Answer, to: &ChannelAddress) -> Attempt {
    if let Some(attempt) = answer.common_meaning() {
        return attempt;
    }
    let status = answer.status.as_u16();
    if answer.status.is_success() {
        // 201 is documented; what counts is the id.
        return answer.accepted(receipt(&answer.json, to));
    }
    let code: String = match answer.json.get("code") {
        Some(Value::Number(code)) => code.to_string(),
        Some(Value::String(code)) => code.chars().take(MAX_CODE).collect(),
        _ => String::new(),
    };
    let words = answer.words();
    if code.is_empty() {
        let class = FailureClass::Configuration;
        return match status {
            401 | 403 | 404 => {
                Attempt::Refused(Refusal::of_sender(class, status.to_string(), words))
            }
            _ => {
                let class = FailureClass::Permanent;
                Attempt::Refused(Refusal::of_message(class, status.to_string(), words))
            }
        };
    }
    let (class, scope) = twilio_error_class(&code);
    Attempt::Refused(Refusal {
        scope,
        ..Refusal::of_message(class, code, words)
    })
}

fn receipt(message: &Value, to: &ChannelAddress) -> Option<Receipt> {
    let sid = message.get("sid")?.as_str().filter(|sid| !sid.is_empty())?;
    let status = message
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or("accepted");
    Some(Receipt::Twilio {
        message_sid: sid.to_owned(),
        to: to.local_part().to_owned(),
        twilio_status: status.to_owned(),
    })
}

/// Whether a message of the list may be the part: same recipient and text, not older than the
/// intent. The list's own filters know whole days only.
fn is_trace(message: &Value, part: &Part, since: Timestamp) -> bool {
    let text = |name: &str| {
        message
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let created = jiff::fmt::rfc2822::parse(text("date_created")).map(|at| at.timestamp());
    let recent =
        created.is_ok_and(|at| at >= since.saturating_sub(CLOCK_TOLERANCE).unwrap_or(since));
    let same_text = part
        .content
        .text()
        .is_none_or(|sent| sent.trim() == text("body").trim());
    recent && same_text && text("to") == part.message.to.as_str() && text("direction") != "inbound"
}
