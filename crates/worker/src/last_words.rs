//! What a customer is told whose message could not be handled, and what a colleague reads.

use crm::CrmWrite;
use jiff::{SignedDuration, Timestamp};
use shared_types::{HistoryLine, InboundMessage, Purpose, Role};

use crate::agents::{contact_of, handover, in_words, remember, told};
use crate::budget::Deadline;
use crate::carried::customer_line;
use crate::dialogue;
use crate::domain::Domain;
use crate::effects::{Effects, reply_to, sender_of};
use crate::turn::{Beginning, Turn};
use crate::turns::Known;
use crate::understanding::Understanding;

/// The place of this reply among those to one message. A replayed message is answered under the
/// usual one, which must not look as if it was sent already.
const PLACE: usize = 1;

/// Why the colleague has it.
const REASON: &str = "turn_failed";

/// The turn of a message that could not be handled: a colleague looks at it. The text is not
/// understood once more, it may be what the turn failed of.
pub(crate) fn last_words(
    domain: &Domain,
    message: InboundMessage,
    known: Known,
    now: Timestamp,
) -> Effects {
    let mut effects = Effects {
        history: vec![customer_line(&message, now), failed(now)],
        sender: Some(sender_of(&message)),
        ..Effects::default()
    };
    if known.opted_out || known.memory.is_with_human(now) {
        effects.memory = known.memory;
        return effects;
    }
    let begun = Beginning {
        message,
        withheld: false,
        history: Vec::new(),
        memory: known.memory,
        colleague: known.colleague,
        reading: Understanding::default(),
        acts: Vec::new(),
    };
    let mut turn = Turn::new(
        domain,
        begun,
        now,
        Deadline::after(std::time::Duration::ZERO),
    );
    let worded = in_words(domain, &turn, &turn.memory, &told());
    remember(&mut turn.memory, &worded);
    let hours = SignedDuration::from_hours(i64::from(domain.dialogue.human_hours));
    let until = now.checked_add(hours).unwrap_or(Timestamp::MAX);
    turn.memory.tell(REASON, true, now);
    turn.memory.taken(until, REASON);
    let mut reply = reply_to(&turn, worded.text.into_string(), Purpose::HandoffNotice);
    reply.id = turn.message.reply_id(PLACE);
    let content = &turn.message.content;
    reply.handoff_note = Some(dialogue::handoff_note(
        domain,
        &turn.memory,
        REASON,
        content,
    ));
    effects.history.push(HistoryLine {
        role: Role::Bot,
        text: reply.text.clone(),
        at: now,
    });
    effects.reply = Some(reply);
    effects.crm = Some(CrmWrite {
        message: turn.message.event(),
        at: turn.message.received_at.unwrap_or(now),
        contact: contact_of(&turn.message, turn.lang()),
        lead: None,
        appointments: Vec::new(),
        withdrawn: None,
        questions: Vec::new(),
        handover: handover(domain, &turn, true),
    });
    effects.memory = turn.memory;
    effects
}

/// The history's line for a message that could not be handled.
pub(crate) fn failed(at: Timestamp) -> HistoryLine {
    HistoryLine {
        role: Role::System,
        text: "a message could not be handled".into(),
        at,
    }
}
