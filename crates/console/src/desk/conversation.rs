//! A conversation as it is: what was said, who has it, whether the customer may be written to.

use std::collections::BTreeMap;

use crm::{Contact, Matter, Row};
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use shared_types::fields::{contact, conversation as state, send};
use shared_types::{ConversationId, HistoryLine, OutboundMessage, Role, Source};
use streams::StreamsError;

use super::xray::Xray;
use super::{Desk, Problem};

/// Lines of history that are shown.
const LINES: usize = 200;
/// Sends whose fate is shown.
const SENDS: usize = 60;
/// WhatsApp takes free text for so long after the customer's last message.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Who has a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hands {
    /// The bot answers.
    Bot,
    /// A colleague has it, and the bot is silent.
    Colleague {
        /// For how long, without another word of the colleague.
        until: Timestamp,
    },
}

/// Whether free text reaches the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// At any time.
    Always,
    /// Until then.
    Open {
        /// When it closes.
        until: Timestamp,
    },
    /// Not before the customer writes again.
    Closed,
}

/// Who spoke, or what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The customer.
    Customer,
    /// The bot.
    Bot,
    /// A colleague.
    Colleague,
    /// The system, or a change by hand.
    Note,
}

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Who.
    pub by: Speaker,
    /// What.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// How far it got, of what we sent: `sent`, `delivered`, `read`, `failed`.
    pub status: Option<String>,
    /// Why it did not get there.
    pub error: Option<String>,
    /// What a note is about, and how that changed: subject, from, to, by.
    pub change: Option<[String; 4]>,
    /// What happened to a customer's message, as long as the worker keeps it.
    pub xray: Option<Box<Xray>>,
}

/// How things stand with a customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) is_known: bool,
    pub(crate) hands: Hands,
    pub(crate) window: Window,
    pub(crate) opted_out: Option<Timestamp>,
}

/// Everything that is shown of a conversation.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Its key.
    pub id: ConversationId,
    /// The contact in the CRM.
    pub contact: Option<Contact>,
    /// What was said and done, oldest first.
    pub lines: Vec<Line>,
    /// Who has it.
    pub hands: Hands,
    /// Whether free text reaches the customer.
    pub window: Window,
    /// Since when the customer wants no messages.
    pub opted_out: Option<Timestamp>,
    /// The hand-over that is open.
    pub handover: Option<Row>,
    /// The contact's leads.
    pub leads: Vec<Row>,
    /// The contact's appointments.
    pub appointments: Vec<Row>,
}

/// A message that egress knows of.
pub(super) struct Sent {
    /// Its outbound id.
    pub(super) id: String,
    /// What the ledger says of it.
    pub(super) fields: Fields,
}

pub(super) type Fields = BTreeMap<String, String>;

pub(super) fn time(fields: &Fields, name: &str) -> Option<Timestamp> {
    let ms = fields.get(name)?.parse().ok().filter(|ms| *ms > 0)?;
    Timestamp::from_millisecond(ms).ok()
}

/// Who has a conversation of which Redis has this.
fn hands(fields: &Fields, now: Timestamp) -> Hands {
    match time(fields, state::HUMAN_UNTIL).filter(|until| *until > now) {
        Some(until) => Hands::Colleague { until },
        None => Hands::Bot,
    }
}

/// The window of a channel that has one; the customer wrote last at `last`.
fn window(source: Option<Source>, last: Option<Timestamp>, now: Timestamp) -> Window {
    if source != Some(Source::Twilio) {
        return Window::Always;
    }
    let until = last.and_then(|last| last.checked_add(WINDOW).ok());
    match until.filter(|until| *until > now) {
        Some(until) => Window::Open { until },
        None => Window::Closed,
    }
}

impl Desk {
    /// How things stand with the customer of a conversation.
    pub(crate) async fn standing(&self, id: &ConversationId) -> Result<Standing, StreamsError> {
        let partition = self.redis.partitions().partition_of(id.as_str());
        let keys = self.redis.keys().of(partition);
        let (kept, contact_key) = (keys.conversation(id.as_str()), keys.contact(id.as_str()));
        let (fields, contact) =
            tokio::try_join!(self.redis.hash(&kept), self.redis.hash(&contact_key))?;
        let now = Timestamp::now();
        Ok(Standing {
            is_known: !fields.is_empty(),
            hands: hands(&fields, now),
            window: window(id.source(), time(&fields, state::LAST_INBOUND), now),
            opted_out: time(&contact, contact::OPTED_OUT),
        })
    }

    /// Everything of a conversation.
    ///
    /// # Errors
    /// When nothing is known of it, or Redis or the CRM cannot be reached.
    pub async fn conversation(&self, id: &ConversationId) -> Result<Conversation, Problem> {
        let partition = self.redis.partitions().partition_of(id.as_str());
        let history = self.redis.keys().of(partition).history(id.as_str());
        let (standing, said, sent) = tokio::try_join!(
            self.standing(id),
            self.redis.list_end(&history, LINES),
            self.sends(id)
        )?;
        let xrays = self.xrays(id, &sent).await?;
        let contact = self.crm.contact_of(id.as_str()).await?;
        if contact.is_none() && !standing.is_known && said.is_empty() {
            return Err(Problem::Unknown("conversation"));
        }
        let (mut leads, mut appointments, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(contact) = &contact {
            leads = self.crm.matters_of(Matter::Lead, &contact.id).await?;
            appointments = self
                .crm
                .matters_of(Matter::Appointment, &contact.id)
                .await?;
            changes = self.crm.changes_about(&contact.id).await?;
        }
        Ok(Conversation {
            id: id.clone(),
            lines: timeline(&said, sent, &changes, xrays),
            contact,
            hands: standing.hands,
            window: standing.window,
            opted_out: standing.opted_out,
            handover: self.crm.open_handover(id.as_str()).await?,
            leads,
            appointments,
        })
    }

    /// A text that changes when a conversation has something new.
    pub(crate) async fn revision_of(&self, id: &ConversationId) -> Result<String, StreamsError> {
        let partition = self.redis.partitions().partition_of(id.as_str());
        let keys = self.redis.keys().of(partition);
        let kept = self.redis.hash(&keys.conversation(id.as_str())).await?;
        let last = self.redis.list(&keys.sends(id.as_str()), 1).await?;
        let fate = match last.first() {
            Some(last) => self.redis.hash(&keys.send(last)).await?,
            None => Fields::new(),
        };
        let version = kept.get(state::VERSION).map_or("", String::as_str);
        let (status, _) = fate_of(&fate);
        let last = last.first().map_or("", String::as_str);
        Ok(format!("{version} {last} {}", status.unwrap_or_default()))
    }

    /// What became of what was sent last.
    async fn sends(&self, id: &ConversationId) -> Result<Vec<Sent>, StreamsError> {
        let partition = self.redis.partitions().partition_of(id.as_str());
        let keys = self.redis.keys().of(partition);
        let ids = self.redis.list(&keys.sends(id.as_str()), SENDS).await?;
        let records = ids.into_iter().map(|id| {
            let key = keys.send(&id);
            async move {
                let fields = self.redis.hash(&key).await?;
                Ok(Sent { id, fields })
            }
        });
        try_join_all(records).await
    }
}

/// What was said with how far it got, and what was changed, in the order of time.
fn timeline(
    said: &[String],
    sent: Vec<Sent>,
    changes: &[Map<String, Value>],
    mut xrays: Vec<Xray>,
) -> Vec<Line> {
    let mut sent: Vec<_> = sent
        .into_iter()
        .filter_map(|Sent { fields, .. }| {
            let payload = fields.get(send::PAYLOAD)?;
            let message: OutboundMessage = serde_json::from_str(payload).ok()?;
            Some((message, fields))
        })
        .collect();
    let spoken = said
        .iter()
        .filter_map(|line| serde_json::from_str::<HistoryLine>(line).ok());
    let spoken = spoken.map(|line| {
        let by = match line.role {
            Role::Customer => Speaker::Customer,
            Role::Bot => Speaker::Bot,
            Role::Colleague => Speaker::Colleague,
            Role::System => Speaker::Note,
        };
        let is_it = |(message, _): &(OutboundMessage, Fields)| {
            message.created_at == line.at && matches!(by, Speaker::Bot | Speaker::Colleague)
        };
        let fate = sent.iter().position(is_it).map(|at| sent.swap_remove(at).1);
        let (status, error) = fate.map_or((None, None), |fields| fate_of(&fields));
        let is_taken = |xray: &Xray| by == Speaker::Customer && xray.at == line.at;
        let xray = xrays.iter().position(is_taken);
        Line {
            xray: xray.map(|at| Box::new(xrays.swap_remove(at))),
            by,
            text: line.text,
            at: line.at,
            status,
            error,
            change: None,
        }
    });
    let mut lines: Vec<Line> = spoken.collect();
    lines.extend(changes.iter().filter_map(changed));
    lines.sort_by_key(|line| line.at);
    lines
}

/// How far a send got, and why not further.
fn fate_of(fields: &Fields) -> (Option<String>, Option<String>) {
    let text = |name: &str| fields.get(name).filter(|text| !text.is_empty()).cloned();
    let status = text(send::STATUS).or_else(|| text(send::STATE));
    let status = status.map(|status| match status.as_str() {
        "intent" | "due" | "doubt" | "queued" | "accepted" | "sending" => "pending".to_owned(),
        "undelivered" => "failed".to_owned(),
        _ => status,
    });
    (status, text("error"))
}

fn changed(change: &Map<String, Value>) -> Option<Line> {
    let text = |name: &str| {
        let value = change.get(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    Some(Line {
        by: Speaker::Note,
        text: text("note"),
        at: text("at").parse().ok()?,
        status: None,
        error: None,
        xray: None,
        change: Some([text("subject"), text("from"), text("to"), text("by")]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + hours * 3600).unwrap()
    }

    #[test]
    fn only_twilio_has_a_window_and_it_is_a_day() {
        let last = Some(at(0));
        let twilio = Some(Source::Twilio);
        assert_eq!(window(twilio, last, at(23)), Window::Open { until: at(24) });
        assert_eq!(window(twilio, last, at(24)), Window::Closed);
        assert_eq!(window(twilio, None, at(1)), Window::Closed);
        assert_eq!(window(Some(Source::Waha), None, at(1)), Window::Always);
    }

    #[test]
    fn the_conversation_is_the_bots_when_the_colleagues_time_is_over() {
        let until = at(1).as_millisecond().to_string();
        let fields: Fields = [(state::HUMAN_UNTIL.to_owned(), until)].into();
        assert_eq!(hands(&fields, at(0)), Hands::Colleague { until: at(1) });
        assert_eq!(hands(&fields, at(2)), Hands::Bot);
        assert_eq!(hands(&Fields::new(), at(0)), Hands::Bot);
    }

    #[test]
    fn what_was_sent_is_shown_once_with_how_far_it_got() {
        let said = [
            format!(
                "{{\"role\":\"customer\",\"text\":\"hoi\",\"at\":\"{}\"}}",
                at(0)
            ),
            format!("{{\"role\":\"bot\",\"text\":\"dag\",\"at\":\"{}\"}}", at(1)),
            "no json".to_owned(),
        ];
        let payload = serde_json::json!({
            "id": "ob_1", "source": "waha", "conversation_id": "waha:d:1@c.us", "to": "1@c.us",
            "text": "dag", "in_reply_to": "A0", "created_at": at(1),
        });
        let fields = Fields::from([
            ("payload".to_owned(), payload.to_string()),
            ("state".to_owned(), "sent".to_owned()),
            ("status".to_owned(), "read".to_owned()),
        ]);
        let sent = Sent {
            id: "ob_1".to_owned(),
            fields,
        };
        let change = serde_json::json!({"at": at(2).to_string(), "by": "Anna", "subject": "h_1", "from": "waiting", "to": "taken", "note": null});
        let lines = timeline(
            &said,
            vec![sent],
            &[change.as_object().unwrap().clone()],
            Vec::new(),
        );
        let seen: Vec<_> = lines
            .iter()
            .map(|line| (line.by, line.status.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                (Speaker::Customer, None),
                (Speaker::Bot, Some("read")),
                (Speaker::Note, None)
            ]
        );
    }
}
