//! Notices to colleagues' own numbers, by the way that replies to customers go.

use std::time::Duration;

use crm::Notice;
use jiff::Timestamp;
use shared_types::{
    ChannelAddress, ConversationId, Endpoint, MessageId, OutboundId, OutboundMessage, PhoneNumber,
    Purpose, Source, Template,
};
use streams::{Ingest, Ingested, NewEntry, Queue, Redis};

use super::channel::Outcome;

/// For how long a notice is known again.
const KNOWN: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// One message of Twilio's.
const LONGEST: usize = 1_500;

/// Who is written to, and how.
pub(super) struct Colleagues {
    pub(super) redis: Redis,
    pub(super) numbers: Vec<PhoneNumber>,
    pub(super) by: Source,
    pub(super) template: Option<String>,
}

impl Colleagues {
    /// Queues a message for each of them. Its id follows from the notice: queued twice it is sent once.
    pub(super) async fn tell(
        &self,
        notice: &Notice,
        title: &str,
        body: &str,
        now: Timestamp,
    ) -> Outcome {
        for number in &self.numbers {
            let Some(message) = self.message(notice, number, title, body, now) else {
                return Outcome::failed("the number is no address of WhatsApp");
            };
            if let Err(error) = self.queue(&message).await {
                return Outcome::failed(&error);
            }
        }
        Outcome::Sent
    }

    /// Whether a conversation is with one of them.
    pub(super) fn has(&self, conversation: &str) -> bool {
        let mut numbers = self.numbers.iter();
        numbers.any(|number| self.address(number).1 == conversation)
    }

    /// Where a number is written to, and in which conversation.
    fn address(&self, number: &PhoneNumber) -> (String, String) {
        let digits = number.as_str().trim_start_matches('+');
        match self.by {
            Source::Waha => (
                format!("{digits}@c.us"),
                format!("waha:default:{digits}@c.us"),
            ),
            _ => (format!("whatsapp:+{digits}"), format!("whatsapp:+{digits}")),
        }
    }

    fn message(
        &self,
        notice: &Notice,
        number: &PhoneNumber,
        title: &str,
        body: &str,
        now: Timestamp,
    ) -> Option<OutboundMessage> {
        let digits = number.as_str().trim_start_matches('+');
        let (to, conversation) = self.address(number);
        let to: ChannelAddress = to.parse().ok()?;
        let conversation: ConversationId = conversation.parse().ok()?;
        let about: MessageId = format!("{}:{digits}", notice.id).parse().ok()?;
        let text: String = format!("{title}\n{body}").chars().take(LONGEST).collect();
        Some(OutboundMessage {
            id: OutboundId::of_reply(self.by, &about, 0),
            source: self.by,
            conversation_id: conversation,
            to,
            endpoint: Endpoint::default(),
            text,
            in_reply_to: about,
            purpose: Purpose::Reply,
            template: self.template.as_ref().map(|sid| Template {
                content_sid: sid.clone(),
                variables: [("1".to_owned(), title.to_owned())].into(),
            }),
            picture: None,
            handoff_note: None,
            not_before: None,
            colleague_seen: None,
            mirrored: None,
            created_at: now,
        })
    }

    async fn queue(&self, message: &OutboundMessage) -> Result<(), String> {
        let entry = NewEntry::new(
            message,
            message.id.as_str(),
            message.conversation_id.as_str(),
        );
        let entry = entry.map_err(|error| error.to_string())?;
        let ingest = Ingest {
            dedup_for: KNOWN,
            ..Ingest::unlimited(Queue::Outbound, &entry)
        };
        match self.redis.ingest(&ingest).await {
            Ok(Ingested::Queued { .. } | Ingested::Duplicate { .. }) => Ok(()),
            Ok(other) => Err(format!("not queued: {other:?}")),
            Err(error) => Err(error.to_string()),
        }
    }
}
