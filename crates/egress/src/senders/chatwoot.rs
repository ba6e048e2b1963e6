//! Chatwoot's REST interface as an agent bot
//! (<https://developers.chatwoot.com/api-reference/messages/create-new-message>).

use std::time::Instant;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared_types::{FailureClass, OutboundMessage, Picture, Purpose, Receipt, Source};

use super::http::{Answer, Http};
use super::pictures::{File, PictureError, Pictures};
use super::{Content, Pace, Part, Sender, Trace, Unclaimed, with_picture};
use crate::attempt::{Attempt, Refusal, Trouble};
use crate::config::EgressConfig;
use crate::split::{Limit, Unit, split};

const LIMIT: Limit = Limit {
    most: 10_000,
    unit: Unit::Chars,
};
const MAX_PARTS: usize = 10;

pub(super) struct Chatwoot {
    http: Http,
    token: SecretString,
    account: Option<u64>,
    per_second: Option<f64>,
    pictures: Pictures,
}

impl Chatwoot {
    pub(super) fn new(config: &EgressConfig) -> reqwest::Result<Option<Self>> {
        let chatwoot = &config.chatwoot;
        let (Some(base), Some(token)) = (&chatwoot.chatwoot_base_url, &chatwoot.chatwoot_api_token)
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            http: Http::new(base, config.sending.request_timeout())?,
            token: token.clone(),
            account: chatwoot.chatwoot_account_id,
            per_second: Some(chatwoot.chatwoot_per_second).filter(|rate| *rate > 0.0),
            pictures: Pictures::new(chatwoot.pictures_allow_private)?,
        }))
    }

    fn conversation_url(&self, message: &OutboundMessage) -> Option<String> {
        let account = message.endpoint.account_id.or(self.account)?;
        let conversation = message.endpoint.conversation_id?;
        Some(format!(
            "{}/api/v1/accounts/{account}/conversations/{conversation}",
            self.http.base()
        ))
    }

    async fn post(&self, part: &Part, deadline: Instant) -> Attempt {
        let Some(conversation) = self.conversation_url(&part.message) else {
            let text = "the message names no Chatwoot conversation";
            return Attempt::Refused(Refusal::of_message(
                FailureClass::Permanent,
                "endpoint",
                text,
            ));
        };
        let message = |content: &str, private: bool| {
            json!({
                "content": content,
                "message_type": "outgoing",
                "private": private,
                "content_attributes": attributes(part),
            })
        };
        let (path, body) = match &part.content {
            Content::Text(text) => ("messages", message(text, false)),
            Content::Note(text) => ("messages", message(text, true)),
            Content::Handoff => ("toggle_status", json!({"status": "open"})),
            Content::Picture(picture) => {
                return self
                    .post_picture(part, picture, &conversation, deadline)
                    .await;
            }
            Content::Template(_) => {
                let text = "Chatwoot takes no Twilio template";
                return Attempt::Refused(Refusal::of_message(
                    FailureClass::Permanent,
                    "content",
                    text,
                ));
            }
        };
        let request = self
            .http
            .post(format!("{conversation}/{path}"))
            .header("api_access_token", self.token.expose_secret())
            .header(CONTENT_TYPE, "application/json");
        match self.http.send(request, body.to_string(), deadline).await {
            Ok(answer) => meaning(&answer, part),
            Err(attempt) => attempt,
        }
    }

    /// Chatwoot takes files and no addresses.
    async fn post_picture(
        &self,
        part: &Part,
        picture: &Picture,
        conversation: &str,
        deadline: Instant,
    ) -> Attempt {
        let file = match self.pictures.fetch(&picture.url).await {
            Ok(file) => file,
            Err(error) => return no_picture(&error),
        };
        // The id is a hash: it stands in no file.
        let boundary = format!("postduif-{}", part.id.as_str().replace(':', "-"));
        let request = self
            .http
            .post(format!("{conversation}/messages"))
            .header("api_access_token", self.token.expose_secret())
            .header(
                CONTENT_TYPE,
                format!("multipart/form-data; boundary={boundary}"),
            );
        let fields = [
            ("content", picture.caption.clone()),
            ("message_type", "outgoing".to_owned()),
            ("private", "false".to_owned()),
            ("content_attributes", attributes(part).to_string()),
        ];
        let form = form(&boundary, &fields, &file);
        match self.http.send(request, form, deadline).await {
            Ok(answer) => meaning(&answer, part),
            Err(attempt) => attempt,
        }
    }

    async fn look_up(&self, part: &Part) -> Trace {
        // Opening a conversation twice is the same as once.
        let Some(conversation) = self.conversation_url(&part.message) else {
            return Trace::Absent;
        };
        if part.content == Content::Handoff {
            return Trace::Absent;
        }
        let request = self
            .http
            .get(format!("{conversation}/messages"))
            .header("api_access_token", self.token.expose_secret());
        let answer = match self.http.ask(request).await {
            Ok(answer) => answer,
            Err(text) => return Trace::Unreadable(text),
        };
        match answer.status.as_u16() {
            200 => {}
            // A bot's token may not read.
            401 | 403 | 404 => return Trace::NoRecords,
            status => {
                return Trace::Unreadable(format!("the messages were answered with {status}"));
            }
        }
        let messages = answer.json.get("payload").and_then(Value::as_array);
        let ours = |message: &&Value| {
            let id = message
                .pointer("/content_attributes/external_id")
                .and_then(Value::as_str);
            id == Some(part.id.as_str())
        };
        let found = messages.and_then(|all| all.iter().find(ours));
        found.map_or(Trace::Absent, |message| {
            Trace::Found(receipt(part, message_id(message).unwrap_or_default()))
        })
    }
}

impl Sender for Chatwoot {
    fn source(&self) -> Source {
        Source::Chatwoot
    }

    fn pace(&self, message: &OutboundMessage) -> Pace {
        let account = message
            .endpoint
            .account_id
            .or(self.account)
            .unwrap_or_default();
        Pace {
            clock: format!("chatwoot:{account}"),
            per_second: self.per_second,
        }
    }

    fn connect(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.http.connect())
    }

    fn contents(&self, message: &OutboundMessage) -> Vec<Content> {
        let texts = split(&message.text, LIMIT);
        if message.purpose != Purpose::HandoffNotice {
            return with_picture(texts, message.picture.as_ref(), MAX_PARTS);
        }
        let mut contents = with_picture(texts, None, MAX_PARTS);
        if !contents.is_empty() {
            contents.extend(message.handoff_note.clone().map(Content::Note));
            contents.push(Content::Handoff);
        }
        contents
    }

    fn send<'a>(
        &'a self,
        part: &'a Part,
        _extras: bool,
        deadline: Instant,
    ) -> BoxFuture<'a, Attempt> {
        Box::pin(self.post(part, deadline))
    }

    fn find<'a>(&'a self, part: &'a Part, _: Timestamp, _: Unclaimed<'a>) -> BoxFuture<'a, Trace> {
        Box::pin(self.look_up(part))
    }
}

/// What marks a message as ours.
fn attributes(part: &Part) -> Value {
    json!({"postduif": true, "external_id": part.id})
}

fn no_picture(error: &PictureError) -> Attempt {
    let text = format!("the picture was not fetched: {error}");
    Attempt::Refused(Refusal::of_message(
        FailureClass::Permanent,
        "picture",
        &text,
    ))
}

/// A form with a file, as browsers send it (RFC 7578).
fn form(boundary: &str, fields: &[(&str, String)], file: &File) -> Vec<u8> {
    let mut form = String::new();
    for (name, value) in fields {
        form.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    form.push_str(&format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"attachments[]\"; filename=\"{}\"\r\n\
         Content-Type: {}\r\n\r\n",
        file.name, file.content_type
    ));
    let end = format!("\r\n--{boundary}--\r\n");
    [form.as_bytes(), &file.bytes, end.as_bytes()].concat()
}

fn meaning(answer: &Answer, part: &Part) -> Attempt {
    if let Some(attempt) = answer.common_meaning() {
        return attempt;
    }
    let (code, words) = (answer.status.as_u16().to_string(), answer.words());
    let refused = |class| Attempt::Refused(Refusal::of_message(class, code.clone(), words));
    match answer.status.as_u16() {
        // Opening a conversation makes no message.
        200..=299 if part.content == Content::Handoff => Attempt::Accepted(receipt(part, 0)),
        200..=299 => answer.accepted(message_id(&answer.json).map(|id| receipt(part, id))),
        401 | 403 => Attempt::Refused(Refusal::of_sender(
            FailureClass::Configuration,
            code.clone(),
            words,
        )),
        // The flood guard counts messages of a conversation in a minute.
        422 if words.to_lowercase().contains("too many messages") => {
            refused(FailureClass::Transient)
        }
        400..=499 => refused(FailureClass::Permanent),
        _ => Attempt::Unknown(Trouble::with_answer(&format!(
            "{code} without Chatwoot's JSON"
        ))),
    }
}

fn message_id(message: &Value) -> Option<u64> {
    message.get("id").and_then(Value::as_u64)
}

fn receipt(part: &Part, chatwoot_message_id: u64) -> Receipt {
    let conversation = part.message.endpoint.conversation_id.unwrap_or_default();
    Receipt::Chatwoot {
        chatwoot_message_id,
        to: conversation.to_string(),
    }
}
