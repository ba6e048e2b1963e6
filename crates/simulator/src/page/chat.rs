//! One conversation as the customer's phone shows it.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::chatwoot::ConversationStatus;
use crate::desk::Seat;
use crate::journal::{MessageStatus, Query, Record};
use crate::provider::{Endpoint, Provider};
use crate::world::World;
use crate::xray::{Fate, Xray};

/// How many messages of a conversation are shown.
const SHOWN: usize = 80;
/// WhatsApp takes the typing sign away after this time.
const TYPING: SignedDuration = SignedDuration::from_secs(25);

/// A conversation on the page.
pub(super) struct Chat {
    /// Unique on the page, and a valid `id`.
    pub(super) id: String,
    pub(super) provider: &'static str,
    pub(super) channel: &'static str,
    pub(super) customer: String,
    pub(super) name: String,
    pub(super) initials: String,
    pub(super) lines: Vec<Line>,
    pub(super) is_typing: bool,
    /// Chatwoot only: who answers.
    pub(super) hands: Option<Hands>,
}

/// Who has a conversation of Chatwoot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hands {
    Bot,
    Human,
    Resolved,
    Snoozed,
}

impl Hands {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Bot => "bot answers",
            Self::Human => "Petra has it",
            Self::Resolved => "resolved",
            Self::Snoozed => "snoozed",
        }
    }

    pub(super) fn is_human(self) -> bool {
        self == Self::Human
    }
}

/// A message, or what happened between messages.
#[derive(Default)]
pub(super) struct Line {
    pub(super) seq: u64,
    /// `mine`, `theirs`, `colleague` or `notice`.
    pub(super) kind: &'static str,
    pub(super) by: &'static str,
    pub(super) text: String,
    pub(super) extras: Vec<Extra>,
    pub(super) at: String,
    pub(super) clock: String,
    pub(super) tick: String,
    pub(super) tick_kind: &'static str,
    pub(super) tick_title: String,
    pub(super) fault: Option<&'static str>,
    /// Why nothing was said to it.
    pub(super) why: Option<Why>,
    pub(super) has_xray: bool,
}

/// Why a message got no answer.
pub(super) struct Why {
    pub(super) kind: &'static str,
    pub(super) words: String,
}

/// What came with a message.
pub(super) struct Extra {
    pub(super) text: String,
    pub(super) image: Option<String>,
}

impl Chat {
    pub(super) fn of(world: &World, seat: Seat) -> Self {
        let query = Query {
            provider: Some(seat.provider),
            to: Some(seat.customer.clone()),
            limit: SHOWN,
            ..Query::default()
        };
        let newest_first = world.journal.newest(&query, 0);
        let mut lines: Vec<Line> = Vec::new();
        let mut is_answered = false;
        for record in &newest_first {
            let Some(mut line) = line(record) else {
                continue;
            };
            is_answered |= line.kind == "theirs";
            if line.kind == "mine" && !is_answered {
                line.why = why(world, record);
            }
            lines.push(line);
        }
        lines.reverse();
        let name = seat.name.unwrap_or_else(|| seat.customer.clone());
        let id: String = seat.customer.chars().map(id_char).collect();
        Self {
            id: format!("{}-{id}", seat.provider),
            provider: seat.provider.as_str(),
            channel: channel(seat.provider),
            initials: initials(&name),
            is_typing: is_typing(&newest_first, Timestamp::now()),
            hands: hands(world, seat.provider, &seat.customer, &newest_first),
            customer: seat.customer,
            name,
            lines,
        }
    }
}

/// The name of a channel.
pub(super) fn channel(provider: Provider) -> &'static str {
    match provider {
        Provider::Twilio => "Twilio",
        Provider::Waha => "WAHA",
        Provider::Chatwoot => "Chatwoot",
        Provider::Llm => "Model",
    }
}

/// Other characters than letters and digits as their numbers.
fn id_char(c: char) -> char {
    if c.is_ascii_alphanumeric() { c } else { '_' }
}

fn initials(name: &str) -> String {
    let words = name.split_whitespace();
    let first = words.filter_map(|word| word.trim_start_matches('+').chars().next());
    first.take(2).flat_map(char::to_uppercase).collect()
}

fn is_typing(newest_first: &[Record], now: Timestamp) -> bool {
    let told = |record: &&Record| {
        let entry = &record.entry;
        matches!(entry.endpoint, Endpoint::Typing | Endpoint::Send) && entry.outcome.is_accepted()
    };
    newest_first.iter().find(told).is_some_and(|record| {
        let entry = &record.entry;
        entry.endpoint == Endpoint::Typing
            && entry.text != "stop"
            && now.duration_since(entry.arrived.at) < TYPING
    })
}

/// A colleague's word makes the conversation theirs although Chatwoot leaves it pending.
fn hands(
    world: &World,
    provider: Provider,
    customer: &str,
    newest_first: &[Record],
) -> Option<Hands> {
    if provider != Provider::Chatwoot {
        return None;
    }
    let status = world
        .chatwoot
        .of_customer(customer)
        .map(|found| found.status);
    let last = newest_first.iter().find(|record| {
        matches!(
            record.entry.endpoint,
            Endpoint::Colleague | Endpoint::Status
        )
    });
    let has_written = last.is_some_and(|record| record.entry.endpoint == Endpoint::Colleague);
    Some(match status.unwrap_or(ConversationStatus::Pending) {
        ConversationStatus::Open => Hands::Human,
        ConversationStatus::Pending if has_written => Hands::Human,
        ConversationStatus::Pending => Hands::Bot,
        ConversationStatus::Resolved => Hands::Resolved,
        ConversationStatus::Snoozed => Hands::Snoozed,
    })
}

fn why(world: &World, record: &Record) -> Option<Why> {
    let verdict = Xray::of(world, record.entry.seq)?.verdict;
    match verdict.fate {
        Fate::Answered | Fate::Waiting => None,
        Fate::Silent | Fate::Refused | Fate::Lost => Some(Why {
            kind: verdict.fate.as_str(),
            words: verdict.words,
        }),
    }
}

/// How an entry looks; none for what a customer would not see.
fn line(record: &Record) -> Option<Line> {
    let entry = &record.entry;
    let is_accepted = entry.outcome.is_accepted();
    Some(match entry.endpoint {
        Endpoint::Webhook => Line {
            kind: "mine",
            ..inbound(record)
        },
        Endpoint::Send if is_accepted && entry.request["private"] == true => Line {
            kind: "notice",
            text: format!("Note for colleagues: {}", entry.text),
            ..empty(record)
        },
        Endpoint::Send if is_accepted => Line {
            kind: "theirs",
            has_xray: true,
            ..outbound(record)
        },
        Endpoint::Colleague => Line {
            kind: "colleague",
            by: "Petra, a colleague",
            ..outbound(record)
        },
        Endpoint::Send => Line {
            kind: "notice",
            text: refused(record),
            ..empty(record)
        },
        Endpoint::Status if is_accepted => Line {
            kind: "notice",
            text: format!("conversation set to {}", entry.text),
            ..empty(record)
        },
        _ => return None,
    })
}

fn refused(record: &Record) -> String {
    let entry = &record.entry;
    let code = match &entry.outcome {
        crate::journal::Outcome::Refused { code } => code.as_str(),
        crate::journal::Outcome::Accepted => "",
    };
    let fault = entry.fault.map(|fault| format!(" ({fault})"));
    format!(
        "{} refused a reply: {code}{}",
        channel(entry.provider),
        fault.unwrap_or_default()
    )
}

fn empty(record: &Record) -> Line {
    let at = record.entry.arrived.at;
    Line {
        seq: record.entry.seq,
        at: at.to_string(),
        clock: at
            .to_zoned(jiff::tz::TimeZone::system())
            .strftime("%H:%M")
            .to_string(),
        ..Line::default()
    }
}

fn inbound(record: &Record) -> Line {
    let (entry, progress) = (&record.entry, &record.progress);
    let code = progress.code.unwrap_or_default();
    let (tick, tick_kind, tick_title) = match progress.status {
        MessageStatus::Posting => ("…".to_owned(), "", "being posted".to_owned()),
        MessageStatus::Received => ("✓".to_owned(), "", format!("ingress answered {code}")),
        MessageStatus::Rejected => (
            format!("✗ {code}"),
            "bad",
            format!("ingress answered {code}"),
        ),
        _ => (
            "✗ no answer".to_owned(),
            "bad",
            "ingress did not answer".to_owned(),
        ),
    };
    Line {
        text: entry.text.clone(),
        extras: extras(&entry.request),
        tick,
        tick_kind,
        tick_title,
        has_xray: true,
        ..empty(record)
    }
}

fn outbound(record: &Record) -> Line {
    let (entry, progress) = (&record.entry, &record.progress);
    let (sign, tick_kind) = match progress.status {
        MessageStatus::Sent => ("✓", ""),
        MessageStatus::Delivered => ("✓✓", ""),
        MessageStatus::Read => ("✓✓", "read"),
        MessageStatus::Failed | MessageStatus::Undelivered => ("✗", "bad"),
        _ => ("…", ""),
    };
    let code = progress.code.filter(|_| tick_kind == "bad");
    Line {
        text: entry.text.clone(),
        extras: extras(&entry.request),
        tick: code.map_or_else(|| sign.to_owned(), |code| format!("{sign} {code}")),
        tick_kind,
        tick_title: progress.status.as_str().to_owned(),
        fault: entry.fault,
        ..empty(record)
    }
}

/// Attachments, places, buttons and templates.
fn extras(request: &Value) -> Vec<Extra> {
    let plain = |text: String| Extra { text, image: None };
    let sent = [&request["media"], &request["attachments"]].into_iter();
    let media = sent.filter_map(Value::as_array).flatten();
    let mut extras: Vec<Extra> = media.map(file).collect();
    for url in sent_pictures(request) {
        extras.push(Extra {
            text: format!("Picture: {url}"),
            image: Some(super::picture::path(url)),
        });
        extras.push(plain(url.to_owned()));
    }
    if let Some(place) = request["location"].as_object() {
        let label = place
            .get("label")
            .and_then(Value::as_str)
            .unwrap_or("a place");
        extras.push(plain(format!("Place: {label}")));
    }
    if let Some(payload) = request["button"]["payload"].as_str() {
        extras.push(plain(format!("Button, {payload}")));
    }
    if let Some(template) = request["ContentSid"].as_str() {
        extras.push(plain(format!("template {template}")));
    }
    extras
}

/// Addresses of pictures that a service sent: Twilio's form, WAHA's JSON.
fn sent_pictures(request: &Value) -> Vec<&str> {
    let several = request["MediaUrl"].as_array().into_iter().flatten();
    let all = several.chain([&request["MediaUrl"], &request["file"]["url"]]);
    all.filter_map(Value::as_str).collect()
}

/// Only pictures that cannot hold a script are shown as such.
fn file(media: &Value) -> Extra {
    let kind = media["content_type"].as_str().unwrap_or_default();
    let name = media["filename"].as_str().unwrap_or(kind);
    let url = media["url"].as_str().or(media["data_url"].as_str());
    let url = url.unwrap_or_default();
    let is_picture = matches!(
        kind,
        "image/png" | "image/jpeg" | "image/webp" | "image/gif"
    );
    let id = url.rsplit('/').next().filter(|_| is_picture);
    let sign = match kind.split('/').next() {
        Some("audio") => "Voice:",
        Some("image") => "Picture:",
        _ => "File:",
    };
    Extra {
        text: format!("{sign} {name}"),
        image: id.map(|id| format!("/page/media/{id}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_picture_that_a_service_uploaded_is_shown() {
        let file = json!({
            "content_type": "image/jpeg", "filename": "golf-1.jpg",
            "data_url": "http://localhost:8090/rails/active_storage/blobs/ME1",
        });
        let extras = extras(&json!({"attachments": [file]}));
        let [shown] = extras.as_slice() else {
            panic!("{}", extras.len())
        };
        assert_eq!(shown.text, "Picture: golf-1.jpg");
        assert_eq!(shown.image.as_deref(), Some("/page/media/ME1"));
    }
}
