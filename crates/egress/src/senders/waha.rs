//! WAHA's REST interface (<https://waha.devlike.pro/docs/how-to/send-messages/>), at a human pace.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared_types::{FailureClass, OutboundMessage, Receipt, Source};

use super::http::{self, Answer};
use super::{Content, Pace, Part, Sender, Trace, Unclaimed};
use crate::attempt::{Attempt, Refusal, Trouble};
use crate::config::EgressConfig;
use crate::split::{Limit, Unit, split};

/// WhatsApp's own limit is 4,096.
const LIMIT: Limit = Limit {
    most: 4_000,
    unit: Unit::Utf16,
};
const MAX_PARTS: usize = 10;
const DEFAULT_SESSION: &str = "default";
const HISTORY: usize = 30;
const CLOCK_TOLERANCE_SECS: i64 = 5;

pub(super) struct Waha {
    client: Client,
    base: String,
    api_key: Option<SecretString>,
    typing: Typing,
    per_second: Option<f64>,
}

/// How long the bot seems to type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Typing {
    /// Whether to show it at all.
    pub(crate) on: bool,
    /// Characters a second.
    pub(crate) speed: f64,
    /// The longest time.
    pub(crate) longest: Duration,
}

impl Typing {
    /// The time for a text: a beginning, its length, and a share of chance (`dice`, 0 to 1), so that
    /// no two replies take alike.
    pub(crate) fn time(self, text: &str, dice: f64) -> Duration {
        if !self.on {
            return Duration::ZERO;
        }
        #[expect(clippy::cast_precision_loss, reason = "texts are short")]
        let typed = text.chars().count() as f64 / self.speed;
        let seconds = (0.5 + typed) * (0.75 + 0.5 * dice.clamp(0.0, 1.0));
        Duration::from_secs_f64(seconds).min(self.longest)
    }
}

impl Waha {
    pub(super) fn new(config: &EgressConfig) -> reqwest::Result<Option<Self>> {
        let Some(base) = &config.waha.waha_base_url else {
            return Ok(None);
        };
        Ok(Some(Self {
            client: http::client(config.sending.request_timeout())?,
            base: base.trim_end_matches('/').to_owned(),
            api_key: config.waha.waha_api_key.clone(),
            typing: config.waha.typing(),
            per_second: Some(config.waha.waha_per_second).filter(|rate| *rate > 0.0),
        }))
    }

    fn with_key(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.api_key {
            Some(key) => request.header("X-Api-Key", key.expose_secret()),
            None => request,
        }
    }

    /// Posts something whose failure does not matter.
    async fn gesture(&self, path: &str, part: &Part) {
        let body = json!({"session": session(&part.message), "chatId": part.message.to});
        let request = self.with_key(self.client.post(format!("{}{path}", self.base)));
        if let Err(error) = http::ask(request.json(&body)).await {
            tracing::debug!(%error, path, "WAHA did not take a gesture");
        }
    }

    async fn post(&self, part: &Part, deadline: Instant) -> Attempt {
        let Content::Text(text) = &part.content else {
            let class = FailureClass::Permanent;
            return Attempt::Refused(Refusal::of_message(
                class,
                "content",
                "WAHA takes text only",
            ));
        };
        let body = json!({
            "session": session(&part.message),
            "chatId": part.message.to,
            "text": text,
            "reply_to": part.message.in_reply_to,
        });
        let request = self
            .with_key(self.client.post(format!("{}/api/sendText", self.base)))
            .header(CONTENT_TYPE, "application/json");
        match http::send(request, body.to_string(), deadline).await {
            Ok(answer) => meaning(&answer, part),
            Err(attempt) => attempt,
        }
    }

    async fn look_up(&self, part: &Part, since: Timestamp, unclaimed: Unclaimed<'_>) -> Trace {
        let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let url = format!(
            "{}/api/{}/chats/{}/messages?limit={HISTORY}&downloadMedia=false",
            self.base,
            escape(&session(&part.message)),
            escape(part.message.to.as_str()),
        );
        let answer = match http::ask(self.with_key(self.client.get(url))).await {
            Ok(answer) => answer,
            Err(text) => return Trace::Unreadable(text),
        };
        let messages = match answer.status.as_u16() {
            200 => answer.json.as_array().cloned().unwrap_or_default(),
            // A key that may only send, or an engine without a store.
            401 | 403 | 404 | 405 | 501 => return Trace::NoRecords,
            status => return Trace::Unreadable(format!("the history was answered with {status}")),
        };
        let is_trace = |message: &&Value| {
            let text = message
                .get("body")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let at = message
                .get("timestamp")
                .and_then(Value::as_f64)
                .unwrap_or_default();
            #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
            let recent = at as i64 >= since.as_second() - CLOCK_TOLERANCE_SECS;
            let ours = message.get("fromMe").and_then(Value::as_bool) == Some(true);
            ours && recent
                && part
                    .content
                    .text()
                    .is_some_and(|sent| sent.trim() == text.trim())
        };
        let ids: Vec<_> = messages
            .iter()
            .filter(is_trace)
            .filter_map(message_id)
            .collect();
        match unclaimed(ids).await {
            // Newest first: of two equal texts the first was sent first.
            Ok(mut ids) => ids
                .pop()
                .map_or(Trace::Absent, |id| Trace::Found(receipt(part, id))),
            Err(error) => Trace::Unreadable(error),
        }
    }
}

impl Sender for Waha {
    fn source(&self) -> Source {
        Source::Waha
    }

    fn pace(&self, message: &OutboundMessage) -> Pace {
        Pace {
            clock: format!("waha:{}", session(message)),
            per_second: self.per_second,
        }
    }

    fn contents(&self, message: &OutboundMessage) -> Vec<Content> {
        let texts = split(&message.text, LIMIT);
        if texts.len() > MAX_PARTS {
            return Vec::new();
        }
        texts.into_iter().map(Content::Text).collect()
    }

    fn begin_typing<'a>(&'a self, part: &'a Part) -> BoxFuture<'a, Duration> {
        Box::pin(async move {
            if !self.typing.on {
                return Duration::ZERO;
            }
            self.gesture("/api/sendSeen", part).await;
            self.gesture("/api/startTyping", part).await;
            self.typing
                .time(part.content.text().unwrap_or_default(), dice(&part.id))
        })
    }

    fn end_typing<'a>(&'a self, part: &'a Part) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if self.typing.on {
                self.gesture("/api/stopTyping", part).await;
            }
        })
    }

    fn send<'a>(&'a self, part: &'a Part, deadline: Instant) -> BoxFuture<'a, Attempt> {
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

fn session(message: &OutboundMessage) -> String {
    message
        .endpoint
        .session
        .clone()
        .unwrap_or_else(|| DEFAULT_SESSION.into())
}

/// A number from 0 to 1 that differs from message to message: ids are hashes already.
fn dice(id: &shared_types::OutboundId) -> f64 {
    let digits: String = id
        .as_str()
        .chars()
        .filter(char::is_ascii_hexdigit)
        .rev()
        .take(4)
        .collect();
    f64::from(u16::from_str_radix(&digits, 16).unwrap_or_default()) / f64::from(u16::MAX)
}

fn meaning(answer: &Answer, part: &Part) -> Attempt {
    if let Some(attempt) = answer.common_meaning() {
        return attempt;
    }
    let status = answer.status.as_u16();
    let error = ["message", "error"]
        .into_iter()
        .find_map(|name| answer.json.get(name)?.as_str());
    let words = error.unwrap_or("no reason given");
    let code = status.to_string();
    match status {
        200..=299 if answer.json.is_object() => {
            Attempt::Accepted(receipt(part, message_id(&answer.json).unwrap_or_default()))
        }
        401 | 403 | 404 => {
            Attempt::Refused(Refusal::of_sender(FailureClass::Configuration, code, words))
        }
        // The session is reconnecting: WAHA says which states it expected.
        422 if answer.json.get("status").is_some_and(Value::is_string) => {
            Attempt::Refused(Refusal::of_message(FailureClass::Transient, code, words))
        }
        400..=499 => Attempt::Refused(Refusal::of_message(FailureClass::Permanent, code, words)),
        _ => Attempt::Unknown(Trouble::with_answer(&format!(
            "{status} without WAHA's JSON"
        ))),
    }
}

/// Each engine has its own shape: a text, an object with `_serialized`, or a key whose parts make
/// up the id that histories and acks show.
fn message_id(message: &Value) -> Option<String> {
    if let Some(id) = message.get("id") {
        let whole = id.get("_serialized").or_else(|| id.get("id")).unwrap_or(id);
        return whole.as_str().map(str::to_owned);
    }
    let key = message.get("key")?;
    let id = key.get("id")?.as_str()?;
    let chat = key.get("remoteJid").and_then(Value::as_str);
    Some(match chat {
        Some(chat) => format!("true_{}_{id}", chat.replace("@s.whatsapp.net", "@c.us")),
        None => id.to_owned(),
    })
}

fn receipt(part: &Part, id: String) -> Receipt {
    Receipt::Waha {
        waha_message_id: id,
        to: part.message.to.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_takes_longer_for_longer_texts_up_to_a_limit() {
        let typing = Typing {
            on: true,
            speed: 20.0,
            longest: Duration::from_secs(6),
        };
        let short = typing.time("ja", 0.5);
        let long = typing.time(&"a".repeat(60), 0.5);
        assert!(short < long && long < Duration::from_secs(4));
        assert_eq!(typing.time(&"a".repeat(4000), 0.5), Duration::from_secs(6));
        assert!(typing.time("hallo daar", 0.0) < typing.time("hallo daar", 1.0));
        assert!(
            Typing {
                on: false,
                ..typing
            }
            .time("ja", 0.5)
            .is_zero()
        );
    }

    #[test]
    fn the_id_is_found_whatever_the_engine_calls_it() {
        for (answer, id) in [
            (json!({"id": "true_1@c.us_A"}), Some("true_1@c.us_A")),
            (
                json!({"id": {"_serialized": "true_1@c.us_B"}}),
                Some("true_1@c.us_B"),
            ),
            (json!({"key": {"id": "C"}}), Some("C")),
            (
                json!({"key": {"id": "C", "remoteJid": "1@s.whatsapp.net"}}),
                Some("true_1@c.us_C"),
            ),
            (json!({"sent": true}), None),
        ] {
            assert_eq!(message_id(&answer).as_deref(), id, "{answer}");
        }
    }
}
