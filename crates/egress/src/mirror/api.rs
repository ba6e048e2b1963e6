//! Chatwoot's REST interface for an API inbox
//! (<https://developers.chatwoot.com/api-reference/introduction>).
//!
//! A bot's token may create messages and change a conversation; only what it posts has the bot as its sender.
//! Contacts, labels, reading, and how far a message got need a person's token
//! (`app/controllers/concerns/access_token_auth_helper.rb`).

use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::attempt::{Attempt, masked};
use crate::config::EgressConfig;
use crate::senders::{Answer, Http};

/// Why something has to be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Numbers are masked.
    pub(super) text: String,
    /// What is counted.
    pub(super) class: &'static str,
    /// How long Chatwoot wants to be left alone.
    pub(super) after: Option<Duration>,
    /// Whether it concerns one conversation alone.
    pub(super) of_conversation: bool,
}

impl Trouble {
    pub(super) fn of_server(text: &str) -> Self {
        Self {
            text: masked(text),
            class: "server",
            after: None,
            of_conversation: false,
        }
    }

    fn of(class: &'static str, text: &str) -> Self {
        Self {
            class,
            ..Self::of_server(text)
        }
    }
}

/// Why a call did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failed {
    /// It may be done another time, or is done already.
    Wait(Trouble),
    /// What it is about is not there.
    Gone,
    /// It never will be done. Numbers are masked.
    Refused(String),
}

/// Whose token a call has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    Bot,
    User,
}

/// Chatwoot, as far as it is configured.
pub(super) struct Api {
    http: Http,
    account: String,
    bot: SecretString,
    user: SecretString,
    pub(super) inbox: u64,
    pub(super) assignee: Option<u64>,
    pub(super) team: Option<u64>,
    pub(super) label: Option<String>,
}

/// A person in Chatwoot, with an address in the inbox.
pub(super) struct NewContact<'a> {
    pub(super) source_id: &'a str,
    pub(super) name: &'a str,
    pub(super) phone_number: Option<&'a str>,
}

impl Api {
    pub(super) fn new(config: &EgressConfig) -> reqwest::Result<Option<Self>> {
        let (chatwoot, mirror) = (&config.chatwoot, &config.mirror);
        let (Some(inbox), Some(user), Some(base), Some(account), Some(bot)) = (
            mirror.chatwoot_mirror_inbox_id,
            &mirror.chatwoot_mirror_user_token,
            &chatwoot.chatwoot_base_url,
            chatwoot.chatwoot_account_id,
            &chatwoot.chatwoot_api_token,
        ) else {
            return Ok(None);
        };
        let http = Http::new(base, config.sending.request_timeout())?;
        Ok(Some(Self {
            account: format!("{}/api/v1/accounts/{account}", http.base()),
            http,
            bot: bot.clone(),
            user: user.clone(),
            inbox,
            assignee: mirror.chatwoot_mirror_assignee_id,
            team: mirror.chatwoot_mirror_team_id,
            label: mirror.chatwoot_mirror_label.clone(),
        }))
    }

    /// Makes a contact; `Refused` when one with the number or identifier is there.
    pub(super) async fn make_contact(
        &self,
        contact: &NewContact<'_>,
        deadline: Instant,
    ) -> Result<u64, Failed> {
        let body = json!({
            "inbox_id": self.inbox,
            "source_id": contact.source_id,
            "identifier": contact.source_id,
            "name": contact.name,
            "phone_number": contact.phone_number,
        });
        let made = self
            .change(As::User, Method::POST, "contacts", &body, deadline)
            .await?;
        number(&made, "/payload/contact/id")
    }

    /// The contact with exactly this identifier or number.
    pub(super) async fn find_contact(&self, wanted: &str) -> Result<Option<u64>, Failed> {
        let found = self
            .read(&format!("contacts/search?q={}", escaped(wanted)))
            .await?;
        let all = found.get("payload").and_then(Value::as_array);
        let is_wanted = |one: &&Value| {
            ["identifier", "phone_number"]
                .iter()
                .any(|name| one.get(*name).and_then(Value::as_str) == Some(wanted))
        };
        Ok(all
            .and_then(|all| all.iter().find(is_wanted))
            .and_then(|one| one.get("id")?.as_u64()))
    }

    /// Gives a contact an address in the inbox; the same again changes nothing.
    pub(super) async fn link_contact(
        &self,
        contact: u64,
        source_id: &str,
        deadline: Instant,
    ) -> Result<(), Failed> {
        let body = json!({"inbox_id": self.inbox, "source_id": source_id});
        let path = format!("contacts/{contact}/contact_inboxes");
        self.change(As::User, Method::POST, &path, &body, deadline)
            .await
            .map(drop)
    }

    /// The conversation of an address, and its status. An inbox that is locked to one gives the one that
    /// there is.
    pub(super) async fn converse(
        &self,
        contact: u64,
        source_id: &str,
        deadline: Instant,
    ) -> Result<(u64, String), Failed> {
        let body = json!({
            "inbox_id": self.inbox,
            "contact_id": contact,
            "source_id": source_id,
            "status": "pending",
            // Lists of conversations leave the address out.
            "additional_attributes": {"postduif": source_id},
        });
        let made = self
            .change(As::Bot, Method::POST, "conversations", &body, deadline)
            .await?;
        let status = made.get("status").and_then(Value::as_str);
        let status = status.unwrap_or("pending").to_owned();
        Ok((number(&made, "/id")?, status))
    }

    /// A conversation as it is now.
    pub(super) async fn conversation(&self, display: u64) -> Result<Value, Failed> {
        self.read(&format!("conversations/{display}")).await
    }

    /// Posts a message, and gives its number.
    pub(super) async fn post(
        &self,
        display: u64,
        message: &Value,
        deadline: Instant,
    ) -> Result<u64, Failed> {
        let path = format!("conversations/{display}/messages");
        let made = self
            .change(As::Bot, Method::POST, &path, message, deadline)
            .await?;
        number(&made, "/id")
    }

    /// The message with this `source_id` among those after `after`.
    pub(super) async fn find_message(
        &self,
        display: u64,
        after: u64,
        source_id: &str,
    ) -> Result<Option<u64>, Failed> {
        /// How many Chatwoot gives at once.
        const PAGE: usize = 100;
        const PAGES: usize = 50;
        let mut after = after;
        for _ in 0..PAGES {
            let path = format!("conversations/{display}/messages?after={after}");
            let answer = self.read(&path).await?;
            let Some(page) = answer.get("payload").and_then(Value::as_array) else {
                return Err(Failed::Wait(Trouble::of(
                    "unexpected",
                    "no list of messages",
                )));
            };
            let id = |message: &Value| message.get("id").and_then(Value::as_u64);
            let is_wanted =
                |one: &&Value| one.get("source_id").and_then(Value::as_str) == Some(source_id);
            if let Some(found) = page.iter().find(is_wanted) {
                return Ok(id(found));
            }
            let last = page.iter().filter_map(id).max();
            match last.filter(|last| page.len() >= PAGE && *last > after) {
                Some(last) => after = last,
                None => break,
            }
        }
        Ok(None)
    }

    /// Says how far a message got.
    pub(super) async fn tick(
        &self,
        display: u64,
        message: u64,
        body: &Value,
        deadline: Instant,
    ) -> Result<(), Failed> {
        let path = format!("conversations/{display}/messages/{message}");
        self.change(As::User, Method::PATCH, &path, body, deadline)
            .await
            .map(drop)
    }

    /// Changes a conversation as the bot: `toggle_status`, `toggle_priority`, `assignments`.
    pub(super) async fn set(
        &self,
        display: u64,
        what: &str,
        body: &Value,
        deadline: Instant,
    ) -> Result<(), Failed> {
        let path = format!("conversations/{display}/{what}");
        let answer = self
            .answered(As::Bot, Method::POST, &path, body, deadline)
            .await?;
        meaning(&answer).map(drop)
    }

    /// Adds a label to those that a conversation has: setting them replaces all.
    pub(super) async fn add_label(
        &self,
        display: u64,
        label: &str,
        deadline: Instant,
    ) -> Result<(), Failed> {
        let path = format!("conversations/{display}/labels");
        let known = self.read(&path).await?;
        let mut labels = known
            .get("payload")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        if labels.iter().any(|known| known == label) {
            return Ok(());
        }
        labels.push(json!(label));
        let body = json!({ "labels": labels });
        self.change(As::User, Method::POST, &path, &body, deadline)
            .await
            .map(drop)
    }

    async fn read(&self, path: &str) -> Result<Value, Failed> {
        let request = self
            .http
            .get(format!("{}/{path}", self.account))
            .header("api_access_token", self.user.expose_secret());
        let answer = self.http.ask(request).await;
        let answer = answer.map_err(|text| Failed::Wait(Trouble::of("unreachable", &text)))?;
        in_json(&answer)
    }

    async fn change(
        &self,
        by: As,
        method: Method,
        path: &str,
        body: &Value,
        deadline: Instant,
    ) -> Result<Value, Failed> {
        in_json(&self.answered(by, method, path, body, deadline).await?)
    }

    async fn answered(
        &self,
        by: As,
        method: Method,
        path: &str,
        body: &Value,
        deadline: Instant,
    ) -> Result<Answer, Failed> {
        let token = match by {
            As::Bot => &self.bot,
            As::User => &self.user,
        };
        let request = self
            .http
            .request(method, format!("{}/{path}", self.account))
            .header("api_access_token", token.expose_secret())
            .header(CONTENT_TYPE, "application/json");
        let answer = self.http.send(request, body.to_string(), deadline).await;
        answer.map_err(|attempt| {
            let text = match attempt {
                Attempt::Unknown(trouble) | Attempt::NotSent(trouble) => trouble.text,
                Attempt::Refused(refusal) => refusal.text,
                Attempt::RateLimited { text, .. } => text,
                Attempt::TooLate | Attempt::Accepted(_) => "too late".into(),
            };
            Failed::Wait(Trouble::of("unreachable", &text))
        })
    }
}

/// What an answer without a needed body means.
fn meaning(answer: &Answer) -> Result<(), Failed> {
    let status = answer.status.as_u16();
    let text = format!("{status}: {}", answer.words());
    let wait = |class| Err(Failed::Wait(Trouble::of(class, &text)));
    match status {
        200..=299 => Ok(()),
        300..=399 => wait("redirected"),
        401 | 403 => wait("forbidden"),
        404 => Err(Failed::Gone),
        429 => Err(Failed::Wait(Trouble {
            after: answer.retry_after(),
            ..Trouble::of("limited", &text)
        })),
        // The flood guard counts messages of a conversation in a minute.
        422 if text.to_lowercase().contains("too many messages") => Err(Failed::Wait(Trouble {
            of_conversation: true,
            ..Trouble::of("limited", &text)
        })),
        408 | 500..=599 => wait("server"),
        // A proxy says no in HTML; Chatwoot does so in JSON.
        _ if answer.json.is_null() => wait("unexpected"),
        _ => Err(Failed::Refused(masked(&text))),
    }
}

fn in_json(answer: &Answer) -> Result<Value, Failed> {
    meaning(answer)?;
    if answer.json.is_null() {
        let text = format!("{} without JSON", StatusCode::as_u16(&answer.status));
        return Err(Failed::Wait(Trouble::of("unexpected", &text)));
    }
    Ok(answer.json.clone())
}

fn number(answer: &Value, place: &str) -> Result<u64, Failed> {
    let found = answer.pointer(place).and_then(Value::as_u64);
    found.ok_or_else(|| Failed::Wait(Trouble::of("unexpected", "an answer without a number")))
}

/// For a query.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
