//! What colleagues do with a conversation: events that take their place in its order, so that it is the
//! worker who changes it.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use shared_types::{ColleagueMessage, ControlEvent, ControlKind, ConversationId, Source, Template};
use streams::{Ingest, Ingested, NewEntry, Queue, Redis, StreamsError};

use crate::{ByHand, Changed, Matter, Status};

/// Why a conversation did not change hands.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The event cannot be written as JSON.
    #[error("event: {0}")]
    Event(#[from] serde_json::Error),
    /// The event was not taken.
    #[error("the event was not taken: {0:?}")]
    NotTaken(Ingested),
    /// Nobody can be written to there.
    #[error("that is no conversation of a channel")]
    NoChannel,
    /// There are no words, or too many.
    #[error("write 1 to {MOST_CHARS} characters")]
    Length,
}

/// The longest answer; a channel with shorter messages gets several.
pub const MOST_CHARS: usize = 4_096;

/// For how long an answer is known, so that it is not taken twice.
const KNOWN_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// What a colleague answers a customer from here.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The conversation.
    pub conversation: &'a ConversationId,
    /// The words, as the customer gets them.
    pub text: &'a str,
    /// The template that they are sent as, where free text is not taken.
    pub template: Option<&'a Template>,
    /// The colleague.
    pub by: &'a str,
    /// The same for each try: one answer is sent once. Other words, or another customer, are another answer.
    pub token: uuid::Uuid,
}

/// Queues the event; it takes its place in the conversation's order.
///
/// # Errors
/// When Redis cannot be reached, or does not take it.
pub async fn change_hands(
    redis: &Redis,
    conversation: &ConversationId,
    kind: ControlKind,
    by: &str,
) -> Result<(), DeskError> {
    let at = Timestamp::now();
    let event = ControlEvent {
        conversation_id: conversation.clone(),
        source: Source::Twilio,
        kind,
        by: Some(by.to_owned()),
        changed_at: None,
        late: false,
        at,
    };
    let name = format!("operator:control:{conversation}:{}", at.as_nanosecond());
    let entry = NewEntry::new(&event, name.as_str(), conversation.as_str())?;
    let ingest = Ingest::unlimited(Queue::Inbound, &entry);
    match redis.ingest(&ingest).await? {
        Ingested::Queued { .. } => Ok(()),
        other => Err(DeskError::NotTaken(other)),
    }
}

/// Who has the conversation after a change by hand: a hand-over that is taken is the colleague's, one that
/// is closed the bot's. A change that was killed half way is finished by its repetition.
///
/// # Errors
/// When Redis cannot be reached, or does not take it.
pub async fn follow(
    redis: &Redis,
    by_hand: &ByHand<'_>,
    changed: &Changed,
) -> Result<(), DeskError> {
    let conversation = match changed {
        Changed::Done { conversation } => conversation,
        Changed::Late {
            status,
            by,
            conversation,
            ..
        } if *status == by_hand.to && by == by_hand.by => conversation,
        Changed::Late { .. } | Changed::Unknown => return Ok(()),
    };
    let hands = match (by_hand.matter, by_hand.to) {
        (Matter::Handover, Status::Taken) => Some(ControlKind::HumanTookOver),
        (Matter::Handover, Status::Closed) => Some(ControlKind::Released),
        _ => None,
    };
    match hands.zip(conversation.parse().ok()) {
        Some((kind, conversation)) => change_hands(redis, &conversation, kind, by_hand.by).await,
        None => Ok(()),
    }
}

/// Queues an answer. It is in the conversation's order, and no turn that was begun before it commits; the
/// worker makes the conversation the colleague's and has the answer sent. False when it was taken before.
///
/// # Errors
/// When nobody can be written to so, or Redis does not take it.
pub async fn answer(redis: &Redis, answer: Answer<'_>) -> Result<bool, DeskError> {
    let text = answer.text.trim();
    if text.is_empty() || text.chars().count() > MOST_CHARS {
        return Err(DeskError::Length);
    }
    let source = answer.conversation.source().ok_or(DeskError::NoChannel)?;
    let id = id_of(&answer);
    let message = ColleagueMessage {
        id: id.parse().map_err(|_| DeskError::NoChannel)?,
        conversation_id: answer.conversation.clone(),
        source,
        to: Vec::new(),
        content: text.to_owned(),
        attachments: Vec::new(),
        by: Some(answer.by.to_owned()),
        mirrored: None,
        unsent: true,
        template: answer.template.cloned(),
        at: Timestamp::now(),
    };
    let name = format!("{source}:colleague:{id}");
    let entry = NewEntry {
        fences: true,
        ..NewEntry::new(&message, name, answer.conversation.as_str())?
    };
    let ingest = Ingest {
        dedup_for: KNOWN_FOR,
        ..Ingest::unlimited(Queue::Inbound, &entry)
    };
    match redis.ingest(&ingest).await? {
        Ingested::Queued { .. } => Ok(true),
        Ingested::Duplicate { .. } => Ok(false),
        other => Err(DeskError::NotTaken(other)),
    }
}

/// The same for each try of one answer, and for no other: a program that uses a token again for other words,
/// or another customer, does not lose them.
fn id_of(answer: &Answer<'_>) -> String {
    let mut hash = Sha256::new();
    hash.update(answer.conversation.as_str());
    hash.update([0_u8]);
    hash.update(answer.text.trim());
    if let Some(template) = answer.template {
        // Two templates may read alike.
        hash.update([0_u8]);
        hash.update(&template.content_sid);
        for (name, value) in &template.variables {
            hash.update(format!("\0{name}\0{value}"));
        }
    }
    let hash = hex::encode(hash.finalize());
    let short = hash.get(..16).unwrap_or(&hash);
    format!("console-{}-{short}", answer.token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_same_by_token_words_and_customer() {
        let token = uuid::Uuid::from_u128(1);
        let id = |conversation: &str, text: &str, token| {
            id_of(&Answer {
                conversation: &conversation.parse().unwrap(),
                text,
                template: None,
                by: "Anna",
                token,
            })
        };
        let first = id("whatsapp:+31612345678", "Dag", token);
        assert!(first.starts_with("console-00000000-0000-0000-0000-000000000001-"));
        assert_eq!(id("whatsapp:+31612345678", " Dag\n", token), first);
        assert_ne!(id("whatsapp:+31612345678", "Hoi", token), first);
        assert_ne!(id("whatsapp:+31612345679", "Dag", token), first);
        let other = uuid::Uuid::from_u128(2);
        assert_ne!(id("whatsapp:+31612345678", "Dag", other), first);
        let template = Template {
            content_sid: "HX1".into(),
            variables: [("1".to_owned(), "Sanne".to_owned())].into(),
        };
        let conversation = "whatsapp:+31612345678".parse().unwrap();
        let templated = id_of(&Answer {
            conversation: &conversation,
            text: "Dag",
            template: Some(&template),
            by: "Anna",
            token,
        });
        assert_ne!(templated, first);
    }
}
