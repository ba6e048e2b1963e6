//! What a customer is told whose message could not be handled, and what a colleague reads.

use jiff::{SignedDuration, Timestamp};
use shared_types::{HistoryTurn, InboundMessage, OutboundId, Purpose, Role};

use crate::agents::{dice, replies_in};
use crate::budget::Deadline;
use crate::carried::customer_line;
use crate::dialogue::{self, Escalation};
use crate::domain::{About, Domain};
use crate::effects::{Effects, reply_to};
use crate::turn::Turn;
use crate::turns::Known;
use crate::understanding::Understanding;

/// The place of this reply among those to one message. A replayed message is answered under the
/// usual one, which must not look as if it was sent already.
const PLACE: usize = 1;

/// The turn of a message that could not be handled: a colleague looks at it. The text is not
/// understood once more, it may be what the turn failed of.
pub(crate) fn last_words(
    domain: &Domain,
    message: InboundMessage,
    mut known: Known,
    now: Timestamp,
) -> Effects {
    let lang = known.memory.lang.clone().unwrap_or_default();
    let mut effects = Effects {
        history: vec![customer_line(&message, now), failed(now)],
        ..Effects::default()
    };
    let silent = known.opted_out || known.memory.is_with_human(now);
    if let Some(replies) = replies_in(domain, &lang).filter(|_| !silent) {
        let reason = Escalation::Failed.as_str();
        let hours = SignedDuration::from_hours(i64::from(domain.dialogue.human_hours));
        known.memory.human_until = now.checked_add(hours).ok();
        known.memory.human_reason = Some(reason.to_owned());
        let about = (About::Wanted, known.memory.known(About::Wanted));
        let filling = dialogue::fill(domain, replies, about, None, "", now);
        let plan = dialogue::hand_over_plan(domain, now, Escalation::Failed);
        let variants = &known.memory.variants;
        let text = dialogue::word(replies, &plan, "", &filling, variants, dice(&message)).text;
        let mut reply = reply_to(&message, text, Purpose::HandoffNotice, now);
        reply.id = OutboundId::of_reply(message.source, &message.id, PLACE);
        let nothing = Understanding::default();
        let deadline = Deadline::after(std::time::Duration::ZERO);
        let turn = Turn::new(
            domain,
            message,
            Vec::new(),
            known.memory,
            nothing,
            now,
            deadline,
        );
        reply.handoff_note = Some(dialogue::handoff_note(domain, &turn, reason));
        known.memory = turn.memory;
        effects.history.push(HistoryTurn {
            role: Role::Bot,
            text: reply.text.clone(),
            at: now,
        });
        effects.reply = Some(reply);
    }
    effects.memory = known.memory;
    effects
}

/// The history's line for a message that could not be handled.
pub(crate) fn failed(at: Timestamp) -> HistoryTurn {
    HistoryTurn {
        role: Role::System,
        text: "a message could not be handled".into(),
        at,
    }
}
