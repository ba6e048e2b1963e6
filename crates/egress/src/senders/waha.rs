//! WAHA's REST interface (<https://waha.devlike.pro/docs/how-to/send-messages/>), at a human pace.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared_types::{FailureClass, OutboundMessage, Picture, Purpose, Receipt, Source};

use super::http::{Answer, Http};
use super::{Content, Pace, Part, Sender, Trace, Unclaimed, with_picture};
use crate::attempt::{Attempt, Refusal, Trouble, masked};
use crate::config::EgressConfig;
use crate::split::{Limit, Unit, split};
use crate::typing::Typing;

/// WhatsApp's own limit is 4,096.
const LIMIT: Limit = Limit {
    most: 4_000,
    unit: Unit::Utf16,
};
const MAX_PARTS: usize = 10;
const SEND_TEXT: &str = "/api/sendText";
const DEFAULT_SESSION: &str = "default";
const HISTORY: usize = 30;
const CLOCK_TOLERANCE_SECS: i64 = 5;
/// How long a gesture, or an id to choose, may take before the message leaves without it.
const GESTURE: Duration = Duration::from_secs(2);

/// How long a session counts as one whose server or engine lets nobody choose ids.
const FORGETS_AFTER: Duration = Duration::from_secs(600);

pub(super) struct Waha {
    http: Http,
    /// Sessions in which ids cannot be chosen, and since when that is known.
    without_ids: Mutex<HashMap<String, Instant>>,
    api_key: Option<SecretString>,
    typing: Typing,
    per_second: Option<f64>,
}

impl Waha {
    pub(super) fn new(config: &EgressConfig) -> reqwest::Result<Option<Self>> {
        let Some(base) = &config.waha.waha_base_url else {
            return Ok(None);
        };
        Ok(Some(Self {
            http: Http::new(base, config.sending.request_timeout())?,
            without_ids: Mutex::default(),
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
        let request = self.with_key(self.http.post(format!("{}{path}", self.http.base())));
        let asked = tokio::time::timeout(GESTURE, self.http.ask(request.json(&body))).await;
        if let Err(error) = asked.unwrap_or_else(|_| Err("no answer in time".into())) {
            tracing::debug!(%error, path, "WAHA did not take a gesture");
        }
    }

    /// An id for a message (WAHA 2026.4, engines NOWEB and GOWS:
    /// <https://waha.devlike.pro/docs/how-to/send-messages/>).
    async fn new_id(&self, part: &Part) -> Option<String> {
        let session = session(&part.message);
        let since = self.without_ids().get(&session).copied();
        if since.is_some_and(|since| since.elapsed() < FORGETS_AFTER) {
            return None;
        }
        let name = escaped(&session);
        let url = format!("{}/api/{name}/new-message-id", self.http.base());
        let asked = self.http.ask(self.with_key(self.http.get(url)));
        let asked = tokio::time::timeout(GESTURE, asked).await;
        let answer = asked
            .unwrap_or_else(|_| Err("no answer in time".into()))
            .inspect_err(|error| tracing::debug!(%error, "WAHA gave no id"))
            .ok()?;
        if answer.status.is_success() {
            let id = answer.json.get("id")?.as_str()?;
            let is_key = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            return is_key.then(|| id.to_owned());
        }
        // A session that is reconnecting, or a WAHA in trouble, may give one the next time.
        if matches!(answer.status.as_u16(), 403 | 404 | 405 | 501) {
            tracing::debug!(session, status = %answer.status, "ids cannot be chosen in this session");
            self.without_ids().insert(session, Instant::now());
        }
        None
    }

    fn without_ids(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.without_ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn post(&self, part: &Part, extras: bool, deadline: Instant) -> Attempt {
        let text = match &part.content {
            Content::Text(text) => text,
            Content::Picture(picture) => return self.post_picture(part, picture, deadline).await,
            Content::Template(_) | Content::Note(_) | Content::Handoff => {
                let words = "WAHA takes texts and pictures only";
                return Attempt::Refused(Refusal::of_message(
                    FailureClass::Permanent,
                    "content",
                    words,
                ));
            }
        };
        let mut plain = json!({
            "session": session(&part.message),
            "chatId": part.message.to,
            "text": text,
        });
        if let Some(id) = &part.chosen_id {
            plain["id"] = json!(id);
        }
        // A colleague's words answer no message that WAHA knows.
        if extras && part.message.purpose != Purpose::Colleague {
            let mut quoting = plain.clone();
            quoting["reply_to"] = json!(part.message.in_reply_to);
            match self.post_json(SEND_TEXT, &quoting, deadline).await {
                Ok(answer) if refuses_quote(&answer) => {
                    let error = masked(answer.words());
                    tracing::info!(outbound.id = %part.id, error, "WAHA refuses the quote; sent without");
                }
                Ok(answer) => return meaning(&answer, part),
                Err(attempt) => return attempt,
            }
        }
        match self.post_json(SEND_TEXT, &plain, deadline).await {
            Ok(answer) => meaning(&answer, part),
            Err(attempt) => attempt,
        }
    }

    /// WAHA fetches the picture itself.
    async fn post_picture(&self, part: &Part, picture: &Picture, deadline: Instant) -> Attempt {
        let path = picture.url.split(['?', '#']).next().unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        let body = json!({
            "session": session(&part.message),
            "chatId": part.message.to,
            "file": {"mimetype": picture_type(name), "filename": name, "url": picture.url},
            "caption": picture.caption,
        });
        match self.post_json("/api/sendImage", &body, deadline).await {
            Ok(answer) => meaning(&answer, part),
            Err(attempt) => attempt,
        }
    }

    async fn post_json(
        &self,
        path: &str,
        body: &Value,
        deadline: Instant,
    ) -> Result<Answer, Attempt> {
        let request = self
            .with_key(self.http.post(format!("{}{path}", self.http.base())))
            .header(CONTENT_TYPE, "application/json");
        self.http.send(request, body.to_string(), deadline).await
    }

    async fn look_up(&self, part: &Part, since: Timestamp, unclaimed: Unclaimed<'_>) -> Trace {
        let url = format!(
            "{}/api/{}/chats/{}/messages?limit={HISTORY}&downloadMedia=false",
            self.http.base(),
            escaped(&session(&part.message)),
            escaped(part.message.to.as_str()),
        );
        let answer = match self.http.ask(self.with_key(self.http.get(url))).await {
            Ok(answer) => answer,
            Err(text) => return Trace::Unreadable(text),
        };
        let messages = match answer.status.as_u16() {
            200 => answer.json.as_array().cloned().unwrap_or_default(),
            // A key that may only send, or an engine without a store.
            401 | 403 | 404 | 405 | 501 => return Trace::NoRecords,
            status => return Trace::Unreadable(format!("the history was answered with {status}")),
        };
        if let Some(chosen) = &part.chosen_id {
            let mut ids = messages.iter().filter_map(message_id);
            let found = ids.find(|id| key_of(id) == chosen);
            return found.map_or(Trace::Absent, |id| Trace::Found(receipt(part, id)));
        }
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

    fn connect(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.http.connect())
    }

    fn contents(&self, message: &OutboundMessage) -> Vec<Content> {
        let texts = split(&message.text, LIMIT);
        with_picture(texts, message.picture.as_ref(), MAX_PARTS)
    }

    fn choose_id<'a>(&'a self, part: &'a Part) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            // What is never looked up needs none.
            match part.content.is_extra() {
                true => None,
                false => self.new_id(part).await,
            }
        })
    }

    fn begin_typing<'a>(&'a self, part: &'a Part) -> BoxFuture<'a, Duration> {
        Box::pin(async move {
            if !self.typing.on || part.content.is_extra() {
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
            if self.typing.on && !part.content.is_extra() {
                self.gesture("/api/stopTyping", part).await;
            }
        })
    }

    fn send<'a>(
        &'a self,
        part: &'a Part,
        extras: bool,
        deadline: Instant,
    ) -> BoxFuture<'a, Attempt> {
        Box::pin(self.post(part, extras, deadline))
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

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// What the engine calls a message: the end of `true_<chat>_<key>`.
fn key_of(id: &str) -> &str {
    id.rsplit('_').next().unwrap_or(id)
}

/// By the name of the file; most are JPEG.
fn picture_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some(end) if end.eq_ignore_ascii_case("png") => "image/png",
        Some(end) if end.eq_ignore_ascii_case("webp") => "image/webp",
        _ => "image/jpeg",
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

/// Whether WAHA did not send because of the quote. Engines say so with a 500, too; without a word about
/// the quote it may be anything, and the message may be there.
fn refuses_quote(answer: &Answer) -> bool {
    let words = answer.words().to_lowercase();
    let of_quote = ["quot", "reply"].iter().any(|word| words.contains(word));
    match answer.status.as_u16() {
        404 | 500..=599 => of_quote,
        401 | 403 | 408 | 429 => false,
        400..=499 => !is_reconnecting(answer),
        _ => false,
    }
}

/// The session cannot send now: WAHA says which states it expected.
fn is_reconnecting(answer: &Answer) -> bool {
    answer.status.as_u16() == 422 && answer.json.get("status").is_some_and(Value::is_string)
}

fn meaning(answer: &Answer, part: &Part) -> Attempt {
    if let Some(attempt) = answer.common_meaning() {
        return attempt;
    }
    let (code, words) = (answer.status.as_u16().to_string(), answer.words());
    let refused = |class| Attempt::Refused(Refusal::of_message(class, code.clone(), words));
    match answer.status.as_u16() {
        200..=299 => answer.accepted(message_id(&answer.json).map(|id| receipt(part, id))),
        401 | 403 | 404 => Attempt::Refused(Refusal::of_sender(
            FailureClass::Configuration,
            code.clone(),
            words,
        )),
        _ if is_reconnecting(answer) => refused(FailureClass::Transient),
        400..=499 => refused(FailureClass::Permanent),
        _ => Attempt::Unknown(Trouble::with_answer(&format!("{code} without WAHA's JSON"))),
    }
}

/// Each engine has its own shape: a text, an object with `_serialized`, or a key whose parts make
/// up the id that histories and acks show.
fn message_id(message: &Value) -> Option<String> {
    if let Some(id) = message.get("id") {
        let whole = id.get("_serialized").or_else(|| id.get("id")).unwrap_or(id);
        return whole
            .as_str()
            .filter(|id| !id.is_empty())
            .map(str::to_owned);
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
