//! Chatwoot's conversations and their messages (<https://developers.chatwoot.com/api-reference>): one list
//! for what customers wrote, and one for what colleagues wrote where other channels are shown. Of the first
//! only what waits for the bot, in its own inboxes, counts: all else is a colleague's, or another bot's.

use std::collections::{HashSet, VecDeque};

use jiff::Timestamp;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::compare::Window;
use super::hands;
use super::http::{Credentials, Http, Unreadable, path};
use super::list::{List, Listed, Page};
use crate::chatwoot::mirror::OURS;
use crate::chatwoot::{read, read_with_mirror};
use crate::config::MirrorConfig;
use crate::event::{Event, Reading};
use crate::lenient::time;

/// More pages are not read of one conversation: so much nobody wrote in a day.
const MOST_PAGES: u32 = 100;

/// An account.
pub(super) struct Chatwoot {
    http: Http,
    account: u64,
    about: About,
}

/// Whose messages are listed.
#[derive(Debug)]
pub(super) enum About {
    /// Customers', in the inboxes that the bot answers in.
    Customers(Vec<u64>),
    /// Colleagues', in the inbox in which other channels are shown.
    Colleagues(MirrorConfig),
}

impl Chatwoot {
    pub(super) fn new(
        base: &Url,
        token: SecretString,
        account: u64,
        about: About,
    ) -> reqwest::Result<Self> {
        let credentials = Credentials::Header {
            name: "api_access_token",
            value: token,
        };
        let http = Http::new(base, credentials)?;
        Ok(Self {
            http,
            account,
            about,
        })
    }

    fn is_ours(&self, conversation: &Value) -> bool {
        let inbox = conversation["inbox_id"].as_u64();
        match &self.about {
            About::Customers(inboxes) => inbox.is_some_and(|inbox| inboxes.contains(&inbox)),
            About::Colleagues(shown) => inbox == shown.chatwoot_mirror_inbox_id,
        }
    }

    /// An inbox of the account.
    pub(super) async fn inbox(&self, number: u64) -> Result<Value, Unreadable> {
        let path = self.path(&["inboxes", &number.to_string()]);
        self.http.get(&path, &[]).await
    }

    /// The unread list.
    pub(super) fn list(&self) -> List<'_> {
        List::Chatwoot(ChatwootList {
            chatwoot: self,
            name: match self.about {
                About::Customers(_) => format!("chatwoot:{}", self.account),
                About::Colleagues(_) => format!("chatwoot:{}:colleagues", self.account),
            },
            read: HashSet::new(),
            conversations: VecDeque::new(),
            before: None,
            pages: 0,
            page: Some(1),
        })
    }

    /// Who has a conversation of the inbox in which other channels are shown, read as the event that was lost.
    fn hands(&self, conversation: &Value, at: Timestamp) -> Option<(Map<String, Value>, Reading)> {
        let About::Colleagues(shown) = &self.about else {
            return None;
        };
        let (webhook, name) = hands::change(conversation, self.account);
        let body = serde_json::to_vec(&webhook).unwrap_or_default();
        let reading = read_with_mirror(&body, &name, Some(self.account), shown, at);
        let is_change = matches!(reading, Reading::Event(Event::Control { .. }));
        is_change.then_some((webhook, reading))
    }

    /// A path below the account.
    fn path(&self, parts: &[&str]) -> String {
        let account = self.account.to_string();
        path(&[["api", "v1", "accounts", &account].as_slice(), parts].concat())
    }
}

/// What was written in the account.
pub(crate) struct ChatwootList<'a> {
    chatwoot: &'a Chatwoot,
    name: String,
    /// Conversations whose messages are read.
    read: HashSet<String>,
    /// Conversations in which something happened, whose messages are not read to the window's beginning.
    conversations: VecDeque<Value>,
    /// The oldest message that was read of the first of them.
    before: Option<u64>,
    /// How many pages of its messages were read.
    pages: u32,
    /// The next page of conversations; none when there are no more.
    page: Option<u32>,
}

impl ChatwootList<'_> {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn rewind(&mut self) {
        self.page = Some(1);
    }

    pub(super) fn leave_out(&mut self, read: HashSet<String>) {
        self.read = read;
    }

    pub(super) fn take_read(&mut self) -> HashSet<String> {
        std::mem::take(&mut self.read)
    }

    /// A page of messages, or none of a page of conversations.
    pub(super) async fn next_page(&mut self, window: Window) -> Result<Option<Page>, Unreadable> {
        if let Some(conversation) = self.conversations.front() {
            let messages = self.messages(conversation).await?;
            let listed = messages
                .iter()
                .filter_map(|message| self.listed(message, conversation));
            // Each page is the other way round than the pages are.
            let listed = listed.rev();
            // Whoever has it got it after what was written.
            let hands = (self.pages == 0)
                .then(|| self.hands(conversation))
                .flatten();
            let listed = hands.into_iter().chain(listed).collect();
            let oldest = messages
                .iter()
                .filter_map(|message| message["id"].as_u64())
                .min();
            let mut times = messages
                .iter()
                .filter_map(|message| time(&message["created_at"]));
            self.pages += 1;
            let is_endless = self.pages == MOST_PAGES;
            if is_endless {
                tracing::warn!(
                    list = self.name,
                    pages = MOST_PAGES,
                    "a conversation has more messages than are compared"
                );
            }
            let is_over = is_endless || times.any(|at| at < window.since) || oldest == self.before;
            self.before = oldest.filter(|_| !is_over);
            let ends = self.before.is_none();
            if ends {
                let read = self.conversations.pop_front();
                self.read.extend(read.map(|one| one["id"].to_string()));
                self.pages = 0;
            }
            return Ok(Some(Page { listed, ends }));
        }
        let Some(page) = self.page else {
            return Ok(None);
        };
        let conversations = self.waiting(page).await?;
        let quiet = |one: &Value| last_activity(one).is_some_and(|at| at < window.since);
        let is_over = conversations.is_empty() || conversations.iter().all(quiet);
        self.page = (!is_over).then_some(page + 1);
        self.conversations = conversations
            .into_iter()
            .filter(|one| !quiet(one) && self.chatwoot.is_ours(one))
            .filter(|one| !self.read.contains(&one["id"].to_string()))
            .collect();
        Ok(Some(Page::default()))
    }

    /// The conversations that may hold what is looked for, the one with the newest message first.
    async fn waiting(&self, page: u32) -> Result<Vec<Value>, Unreadable> {
        let page = page.to_string();
        let (status, inbox) = match &self.chatwoot.about {
            About::Customers(_) => ("pending", None),
            About::Colleagues(shown) => ("all", shown.chatwoot_mirror_inbox_id),
        };
        let inbox = inbox.map(|inbox| inbox.to_string());
        let mut query = vec![
            ("status", status),
            ("assignee_type", "all"),
            ("sort_by", "last_activity_at_desc"),
            ("page", &page),
        ];
        query.extend(inbox.iter().map(|inbox| ("inbox_id", inbox.as_str())));
        let path = self.chatwoot.path(&["conversations"]);
        let answer = self.chatwoot.http.get(&path, &query).await?;
        list(answer.pointer("/data/payload"))
    }

    /// The newest messages of a conversation, or those before the oldest that was read.
    async fn messages(&self, conversation: &Value) -> Result<Vec<Value>, Unreadable> {
        let id = conversation["id"].to_string();
        let path = self.chatwoot.path(&["conversations", &id, "messages"]);
        let before = self.before.map(|id| id.to_string());
        let query: Vec<_> = before.iter().map(|id| ("before", id.as_str())).collect();
        let answer = self.chatwoot.http.get(&path, &query).await?;
        list(answer.get("payload"))
    }

    /// Who has the conversation, where that says something; with when it became so.
    fn hands(&self, conversation: &Value) -> Option<Listed> {
        let written_at = last_activity(conversation)?;
        let (webhook, reading) = self.chatwoot.hands(conversation, written_at)?;
        let id = conversation["id"].to_string();
        Some(Listed {
            written_at,
            webhook,
            reading,
            more: Some(self.chatwoot.path(&["conversations", &id])),
        })
    }

    /// The message with what its inbox proves of the contact: an inbox of Twilio's knows the number. Of who
    /// has a conversation, whether it is still so: we may have changed it meanwhile.
    pub(super) async fn complete(
        &self,
        listed: &Listed,
        more: &str,
    ) -> Result<Reading, Unreadable> {
        let answer = match self.chatwoot.http.get(more, &[]).await {
            Err(Unreadable::Status(404)) if listed.control().is_some() => {
                return Ok(Reading::Ignored("gone"));
            }
            answer => answer?,
        };
        if let Some(event) = listed.control() {
            let now = self.chatwoot.hands(&answer, listed.written_at);
            let is_same = now.is_some_and(|(_, now)| match now {
                Reading::Event(Event::Control { event: now, .. }) => now.kind == event.kind,
                _ => false,
            });
            return Ok(match is_same {
                true => listed.reading.clone(),
                false => Reading::Ignored("changed_meanwhile"),
            });
        }
        let inboxes = list(answer.pointer("/payload/contact_inboxes"))?;
        let mut webhook = listed.webhook.clone();
        let conversation = webhook
            .get_mut("conversation")
            .and_then(Value::as_object_mut);
        if let Some(conversation) = conversation {
            let inbox = conversation.get("inbox_id").cloned();
            let its = |one: &&Value| one.pointer("/inbox/id") == inbox.as_ref();
            let source = inboxes
                .iter()
                .find(its)
                .and_then(|one| one.get("source_id"));
            let known = json!({ "source_id": source });
            conversation.insert("contact_inbox".into(), known);
        }
        Ok(self.read(&webhook, listed.written_at))
    }

    /// A customer's message, or a colleague's; none of what we wrote, and of what says nothing of its time.
    fn listed(&self, message: &Value, conversation: &Value) -> Option<Listed> {
        let is_wanted = match self.chatwoot.about {
            About::Customers(_) => message["message_type"] == 0,
            About::Colleagues(_) => {
                let mark = message["source_id"].as_str().unwrap_or_default();
                message["message_type"] == 1 && !mark.starts_with(OURS)
            }
        };
        if !is_wanted {
            return None;
        }
        let written_at = time(&message["created_at"])?;
        let mut webhook = message.as_object()?.clone();
        let mut conversation = conversation.clone();
        conversation["channel"] = conversation["meta"]["channel"].clone();
        let contact = conversation
            .pointer("/meta/sender/id")
            .and_then(Value::as_u64);
        let is_customers = matches!(self.chatwoot.about, About::Customers(_));
        let inbox = conversation["inbox_id"].clone();
        let more = contact
            .filter(|_| is_customers)
            .map(|id| self.chatwoot.path(&["contacts", &id.to_string()]));
        for (name, value) in [
            ("event", json!("message_created")),
            ("account", json!({ "id": self.chatwoot.account })),
            ("inbox", json!({ "id": inbox })),
            ("conversation", conversation),
        ] {
            webhook.insert(name.into(), value);
        }
        Some(Listed {
            written_at,
            reading: self.read(&webhook, written_at),
            webhook,
            more,
        })
    }

    fn read(&self, webhook: &Map<String, Value>, written_at: Timestamp) -> Reading {
        let body = serde_json::to_vec(webhook).unwrap_or_default();
        let account = Some(self.chatwoot.account);
        match &self.chatwoot.about {
            About::Customers(_) => read(&body, "", account, written_at),
            About::Colleagues(shown) => read_with_mirror(&body, "", account, shown, written_at),
        }
    }
}

fn list(value: Option<&Value>) -> Result<Vec<Value>, Unreadable> {
    match value {
        Some(Value::Array(items)) => Ok(items.clone()),
        _ => Err(Unreadable::Unexpected),
    }
}

fn last_activity(conversation: &Value) -> Option<Timestamp> {
    let mut names = ["last_activity_at", "timestamp"].into_iter();
    names.find_map(|name| time(&conversation[name]))
}
