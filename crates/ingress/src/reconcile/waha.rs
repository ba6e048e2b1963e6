//! WAHA's chats and their messages (<https://waha.devlike.pro/docs/how-to/chats/>): one list for each
//! session. A message there is what its event has as payload, without the file that it may have.

use std::collections::{HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::compare::Window;
use super::http::{Credentials, Http, Unreadable, path};
use super::list::{List, Listed, Page};
use crate::event::Reading;
use crate::lenient::time;
use crate::waha::read;
use crate::whatsapp::chat_of;

const CHATS: usize = 100;
const MESSAGES: usize = 50;
/// More is not read of one chat: so much nobody wrote in a day.
const MOST_OF_A_CHAT: usize = 100 * MESSAGES;
/// What is listed is as old as it is: the window decides.
const ANY_AGE: SignedDuration = SignedDuration::MAX;

/// The sessions of a server.
pub(super) struct Waha {
    http: Http,
    sessions: Vec<String>,
}

impl Waha {
    pub(super) fn new(
        base: &Url,
        key: SecretString,
        sessions: Vec<String>,
    ) -> reqwest::Result<Self> {
        let credentials = Credentials::Header {
            name: "x-api-key",
            value: key,
        };
        let http = Http::new(base, credentials)?;
        Ok(Self { http, sessions })
    }

    /// Unread lists.
    pub(super) fn lists(&self) -> impl Iterator<Item = List<'_>> {
        self.sessions.iter().map(|session| {
            List::Waha(WahaList {
                waha: self,
                session,
                name: format!("waha:{session}"),
                read: HashSet::new(),
                chats: VecDeque::new(),
                messages_read: 0,
                chats_read: Some(0),
            })
        })
    }
}

/// What was written to one session.
pub(crate) struct WahaList<'a> {
    waha: &'a Waha,
    session: &'a str,
    name: String,
    /// Chats whose messages are read.
    read: HashSet<String>,
    /// Chats in which something happened, whose messages are not read to the window's beginning.
    chats: VecDeque<String>,
    /// How many messages of the first of them are.
    messages_read: usize,
    /// How many chats were listed; none when there are no more.
    chats_read: Option<usize>,
}

impl WahaList<'_> {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn rewind(&mut self) {
        self.chats_read = Some(0);
    }

    pub(super) fn leave_out(&mut self, read: HashSet<String>) {
        self.read = read;
    }

    pub(super) fn take_read(&mut self) -> HashSet<String> {
        std::mem::take(&mut self.read)
    }

    /// A page of messages, or none of a page of chats.
    pub(super) async fn next_page(&mut self, window: Window) -> Result<Option<Page>, Unreadable> {
        if let Some(chat) = self.chats.front() {
            let path = path(&["api", self.session, "chats", chat, "messages"]);
            let items = self.page(
                &path,
                MESSAGES,
                self.messages_read,
                &[("downloadMedia", "false")],
            );
            let items = items.await?;
            // Some servers give fewer than asked for although there are more.
            self.messages_read += MESSAGES;
            let is_endless = self.messages_read == MOST_OF_A_CHAT;
            let ends = is_endless
                || items.is_empty()
                || items.iter().any(|item| is_before(written_at(item), window));
            if is_endless {
                tracing::warn!(
                    list = self.name,
                    messages = MOST_OF_A_CHAT,
                    "a chat has more messages than are compared"
                );
            }
            if ends {
                self.read.extend(self.chats.pop_front());
                self.messages_read = 0;
            }
            let listed = items.into_iter().filter_map(|item| self.listed(item));
            let listed = listed.collect();
            return Ok(Some(Page { listed, ends }));
        }
        let Some(read) = self.chats_read else {
            return Ok(None);
        };
        // The documentation has another word for this order; servers refuse it.
        let newest_first = [("sortBy", "conversationTimestamp"), ("sortOrder", "desc")];
        let path = path(&["api", self.session, "chats"]);
        let chats = self.page(&path, CHATS, read, &newest_first).await?;
        let quiet = |chat: &Value| is_before(last_activity(chat), window);
        let is_over = chats.is_empty() || chats.iter().all(quiet);
        self.chats_read = (!is_over).then_some(read + CHATS);
        let busy = chats.iter().filter(|chat| !quiet(chat));
        let unread = busy
            .filter_map(person)
            .filter(|chat| !self.read.contains(chat));
        self.chats = unread.collect();
        Ok(Some(Page::default()))
    }

    async fn page(
        &self,
        path: &str,
        limit: usize,
        offset: usize,
        more: &[(&str, &str)],
    ) -> Result<Vec<Value>, Unreadable> {
        let (limit, offset) = (limit.to_string(), offset.to_string());
        let query = [
            [("limit", limit.as_str()), ("offset", &offset)].as_slice(),
            more,
        ]
        .concat();
        match self.waha.http.get(path, &query).await? {
            Value::Array(items) => Ok(items),
            _ => Err(Unreadable::Unexpected),
        }
    }

    /// The message with its file.
    pub(super) async fn complete(
        &self,
        listed: &Listed,
        more: &str,
    ) -> Result<Reading, Unreadable> {
        let item = self
            .waha
            .http
            .get(more, &[("downloadMedia", "true")])
            .await?;
        if !item.is_object() {
            return Err(Unreadable::Unexpected);
        }
        Ok(read_as_event(&self.event(item), listed.written_at))
    }

    /// A customer's message; none of what we sent, and of what says nothing of its time.
    fn listed(&self, item: Value) -> Option<Listed> {
        if item.get("fromMe").is_some_and(|own| *own == true) {
            return None;
        }
        let written_at = written_at(&item)?;
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let has_file = item.get("hasMedia").is_some_and(|has| *has == true);
        let lacks_file = has_file && item.get("media").is_none_or(Value::is_null);
        let place = text("from").zip(text("id")).filter(|_| lacks_file);
        let more =
            place.map(|(chat, id)| path(&["api", self.session, "chats", chat, "messages", id]));
        let webhook = self.event(item);
        Some(Listed {
            written_at,
            reading: read_as_event(&webhook, written_at),
            webhook,
            more,
        })
    }

    /// The event that told of a message, as far as is known.
    fn event(&self, item: Value) -> Map<String, Value> {
        let named = [
            ("event", json!("message")),
            ("session", json!(self.session)),
            ("payload", item),
        ];
        named
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }
}

fn read_as_event(event: &Map<String, Value>, written_at: Timestamp) -> Reading {
    let body = serde_json::to_vec(event).unwrap_or_default();
    read(&body, written_at, ANY_AGE)
}

fn is_before(at: Option<Timestamp>, window: Window) -> bool {
    at.is_some_and(|at| at < window.since)
}

fn written_at(item: &Value) -> Option<Timestamp> {
    time(item.get("timestamp")?)
}

/// When something happened in a chat; each engine has its own place and form for it.
fn last_activity(chat: &Value) -> Option<Timestamp> {
    let places = [
        "/timestamp",
        "/conversationTimestamp/low",
        "/conversationTimestamp",
        "/lastMessage/timestamp",
    ];
    let mut times = places.iter().filter_map(|place| time(chat.pointer(place)?));
    times.next()
}

/// The chat's id, where a person is behind it.
fn person(chat: &Value) -> Option<String> {
    let id = chat.get("id")?;
    let id = id.as_str().or_else(|| id.get("_serialized")?.as_str())?;
    chat_of(id).is_ok().then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_names_its_chats_in_its_own_way() {
        let at: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let seconds = at.as_second();
        for chat in [
            json!({ "id": { "_serialized": "31612345678@c.us" }, "timestamp": seconds }),
            json!({ "id": "31612345678@c.us", "conversationTimestamp": seconds }),
            json!({ "id": "31612345678@c.us", "conversationTimestamp": { "low": seconds, "high": 0 } }),
        ] {
            assert_eq!(person(&chat).as_deref(), Some("31612345678@c.us"));
            assert_eq!(last_activity(&chat), Some(at), "{chat}");
        }
        for chat in [
            json!({ "id": "1203@g.us" }),
            json!({ "id": "status@broadcast" }),
            json!({ "id": 7 }),
            json!(null),
        ] {
            assert_eq!(person(&chat), None, "{chat}");
        }
    }
}
