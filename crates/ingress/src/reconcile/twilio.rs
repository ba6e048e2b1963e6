//! Twilio's message list (<https://www.twilio.com/docs/messaging/api/message-resource>): what was written to
//! each number of ours, and what was sent from it. It has no name, button, place or quoted message of what a
//! webhook has, and tells of media in another call.

use jiff::Timestamp;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Map, Value};
use shared_types::ChannelAddress;

use super::compare::Window;
use super::http::{Credentials, Http, Unreadable, path};
use super::list::{List, Listed, Page};
use crate::event::Reading;
use crate::twilio::{Params, read_message, read_written, written_at};

/// Most comparisons see a few messages.
const PAGE_SIZE: &str = "200";

/// The message lists of an account.
pub(crate) struct Twilio {
    http: Http,
    account: String,
    numbers: Vec<ChannelAddress>,
}

impl Twilio {
    pub(super) fn new(
        base: &Url,
        account: String,
        passwords: Vec<SecretString>,
        numbers: Vec<ChannelAddress>,
    ) -> reqwest::Result<Self> {
        let user = account.clone();
        Ok(Self {
            http: Http::new(base, Credentials::Basic { user, passwords })?,
            account,
            numbers,
        })
    }

    /// Unread lists.
    pub(super) fn lists(&self) -> impl Iterator<Item = List<'_>> {
        let list = |number, way, name| {
            List::Twilio(TwilioList {
                twilio: self,
                number,
                way,
                name,
                next: Next::First,
            })
        };
        self.numbers.iter().flat_map(move |number| {
            [
                list(number, Way::To, format!("twilio:{number}")),
                list(number, Way::From, format!("twilio:from:{number}")),
            ]
        })
    }

    /// What went out from a number of ours under this id, as the API shows it.
    pub(super) async fn sent(&self, sid: &str) -> Result<Reading, Unreadable> {
        let (account, message) = (&self.account, path(&[sid]));
        let path = format!("/2010-04-01/Accounts/{account}/Messages{message}.json");
        let item = self.http.get(&path, &[]).await?;
        Ok(read_written(&item, &self.numbers))
    }
}

/// Which messages of a number.
#[derive(Clone, Copy)]
enum Way {
    /// What customers wrote to it.
    To,
    /// What was sent from it, by us or by others.
    From,
}

/// What was written to one number, or sent from it.
pub(crate) struct TwilioList<'a> {
    twilio: &'a Twilio,
    number: &'a ChannelAddress,
    way: Way,
    name: String,
    next: Next,
}

/// The page to ask for.
enum Next {
    First,
    At(String),
    None,
}

impl TwilioList<'_> {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn rewind(&mut self) {
        self.next = Next::First;
    }

    /// The list goes over all conversations: only its end is one of theirs.
    pub(super) async fn next_page(&mut self, window: Window) -> Result<Option<Page>, Unreadable> {
        let http = &self.twilio.http;
        let page = match &self.next {
            Next::None => return Ok(None),
            Next::At(path) => http.get(path, &[]).await?,
            Next::First => {
                let path = format!("/2010-04-01/Accounts/{}/Messages.json", self.twilio.account);
                let since = Timestamp::from_second(window.since.as_second());
                let since = since.unwrap_or(window.since).to_string();
                let end = match self.way {
                    Way::To => "To",
                    Way::From => "From",
                };
                let query = [
                    (end, self.number.as_str()),
                    ("DateSent>", &since),
                    ("PageSize", PAGE_SIZE),
                ];
                http.get(&path, &query).await?
            }
        };
        let items = page.get("messages").and_then(Value::as_array);
        let items = items.ok_or(Unreadable::Unexpected)?;
        let next = page.get("next_page_uri").and_then(Value::as_str);
        // The list's own filter may know whole days only; the newest come first.
        let times: Vec<_> = items.iter().filter_map(written_at).collect();
        let is_over = !times.is_empty() && times.iter().all(|at| *at < window.since);
        self.next = match next {
            Some(next) if !is_over => Next::At(next.to_owned()),
            _ => Next::None,
        };
        let listed = items.iter().filter_map(|item| match self.way {
            Way::To => listed(item),
            Way::From => sent(item, self.number),
        });
        Ok(Some(Page {
            listed: listed.collect(),
            ends: matches!(self.next, Next::None),
        }))
    }

    /// `more` is where the message's media are listed. What the answer does not tell stays unknown.
    pub(super) async fn complete(
        &self,
        listed: &Listed,
        more: &str,
    ) -> Result<Reading, Unreadable> {
        let answer = self.twilio.http.get(more, &[]).await?;
        let files = answer.get("media_list").and_then(Value::as_array);
        let files = files.ok_or(Unreadable::Unexpected)?;
        let mut webhook = listed.webhook.clone();
        for (n, file) in files.iter().enumerate() {
            let text = |name| file.get(name).and_then(Value::as_str);
            if let Some(kind) = text("content_type") {
                webhook.insert(format!("MediaContentType{n}"), kind.into());
                webhook.insert("MessageType".into(), message_type(kind).into());
            }
            if let Some(uri) = text("uri") {
                let url = self.twilio.http.url(uri.trim_end_matches(".json"))?;
                webhook.insert(format!("MediaUrl{n}"), String::from(url).into());
            }
        }
        Ok(read(&webhook, listed.written_at))
    }
}

/// `MessageType` of a webhook with a file of this kind.
fn message_type(content_type: &str) -> &'static str {
    match content_type.split('/').next() {
        Some("image") => "image",
        Some("audio") => "audio",
        Some("video") => "video",
        _ => "document",
    }
}

/// A customer's message; none of what we sent, and of what says nothing of its time.
fn listed(item: &Value) -> Option<Listed> {
    let text = |name| item.get(name).and_then(Value::as_str);
    if text("direction") != Some("inbound") {
        return None;
    }
    let written_at = written_at(item)?;
    let media = text("num_media").filter(|count| *count != "0");
    let more = media.and_then(|_| item.pointer("/subresource_uris/media")?.as_str());
    let webhook = webhook(item, media.is_some());
    Some(Listed {
        written_at,
        reading: read(&webhook, written_at),
        webhook,
        more: more.map(str::to_owned),
    })
}

/// What was sent from a number; none of what says nothing of its time.
fn sent(item: &Value, number: &ChannelAddress) -> Option<Listed> {
    Some(Listed {
        written_at: written_at(item)?,
        reading: read_written(item, std::slice::from_ref(number)),
        webhook: Map::new(),
        more: None,
    })
}

/// The parameters that a webhook of the message would have had. The list says nothing of places and
/// reactions: what has no text and no file is of a kind that nobody knows.
fn webhook(item: &Value, has_media: bool) -> Map<String, Value> {
    let names = [
        ("MessageSid", "sid"),
        ("AccountSid", "account_sid"),
        ("From", "from"),
        ("To", "to"),
        ("Body", "body"),
        ("NumMedia", "num_media"),
    ];
    let given = |name| item.get(name).filter(|value| !value.is_null()).cloned();
    let named = names.into_iter();
    let mut webhook: Map<String, Value> = named
        .filter_map(|(name, field)| Some((name.to_owned(), given(field)?)))
        .collect();
    let says_nothing = item["body"].as_str().is_none_or(str::is_empty);
    let kind = match (has_media, says_nothing) {
        (true, _) => "media",
        (false, true) => "unknown",
        (false, false) => "text",
    };
    webhook.insert("MessageType".into(), kind.into());
    webhook
}

fn read(webhook: &Map<String, Value>, written_at: Timestamp) -> Reading {
    read_message(&Params::from_json(webhook), written_at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::Event;

    fn item(change: &Value) -> Value {
        let mut item = json!({
            "sid": "SM0123456789abcdef0123456789abcdef", "account_sid": "AC1",
            "from": "whatsapp:+31612345678", "to": "whatsapp:+14155238886", "body": "Hoi",
            "direction": "inbound", "status": "received", "num_media": "0", "num_segments": "1",
            "date_sent": "Sat, 28 Nov 2026 11:00:05 +0000",
            "date_created": "Sat, 28 Nov 2026 11:00:04 +0000",
            "messaging_service_sid": null, "error_code": null, "price": null,
            "subresource_uris": { "media": "/2010-04-01/Accounts/AC1/Messages/SM0/Media.json" },
        });
        for (name, value) in change.as_object().unwrap() {
            item[name] = value.clone();
        }
        item
    }

    fn message(listed: Listed) -> shared_types::InboundMessage {
        match listed.reading {
            Reading::Event(Event::Message(message)) => *message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_item_is_the_message_that_its_webhook_would_have_been() {
        let found = listed(&item(&json!({}))).unwrap();
        assert_eq!(found.written_at.to_string(), "2026-11-28T11:00:05Z");
        assert_eq!(found.more, None);
        let message = message(found);
        assert_eq!(
            message.event(),
            "twilio:message:SM0123456789abcdef0123456789abcdef"
        );
        assert_eq!(message.conversation.id.as_str(), "whatsapp:+31612345678");
        assert_eq!(message.content, "Hoi");
        assert_eq!(
            message.sender.phone_number.unwrap().as_str(),
            "+31612345678"
        );
        let ours = message.endpoint.unwrap().address.unwrap();
        assert_eq!(ours.as_str(), "whatsapp:+14155238886");
    }

    #[test]
    fn what_the_list_leaves_out_is_a_message_all_the_same() {
        let photo = listed(&item(&json!({ "body": "", "num_media": "1" }))).unwrap();
        assert!(photo.more.as_deref().unwrap().ends_with("/Media.json"));
        assert_eq!(message(photo).attachments.len(), 1);
        let place = listed(&item(&json!({ "body": "" }))).unwrap();
        let attachments = message(place).attachments;
        let kind = attachments[0].content_type.as_deref().unwrap();
        assert_eq!(kind, "application/x-whatsapp-unknown");
    }

    #[test]
    fn what_we_sent_and_what_has_no_time_is_left_out() {
        for change in [
            json!({ "direction": "outbound-api" }),
            json!({ "direction": "outbound-reply" }),
            json!({ "direction": null }),
            json!({ "date_sent": null, "date_created": "gisteren" }),
        ] {
            assert!(listed(&item(&change)).is_none(), "{change}");
        }
        let unsent = listed(&item(&json!({ "date_sent": null }))).unwrap();
        assert_eq!(unsent.written_at.to_string(), "2026-11-28T11:00:04Z");
    }

    #[test]
    fn whatever_a_list_holds_nothing_breaks() {
        for item in [
            json!(null),
            json!([]),
            json!("x"),
            json!({ "direction": "inbound" }),
        ] {
            assert!(listed(&item).is_none());
        }
        let odd =
            json!({ "sid": 7, "from": {}, "body": [], "num_media": 3, "subresource_uris": 1 });
        let found = listed(&item(&odd)).unwrap();
        assert!(matches!(found.reading, Reading::Rejected(_)), "{found:?}");
    }
}
