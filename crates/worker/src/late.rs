//! Messages that were found later in the provider's list: their webhooks never came.

use crm::CrmWrite;
use jiff::{SignedDuration, Timestamp};
use shared_types::{HistoryLine, InboundMessage, Role};

use crate::agents::{contact_of, handover, in_words};
use crate::dialogue::piece::Status;
use crate::dialogue::{Piece, Said, State};
use crate::domain::Domain;
use crate::effects::Effects;
use crate::turn::Turn;

/// A customer who waited for longer is told why.
const NOTICED: SignedDuration = SignedDuration::from_mins(5);
/// Once in this time.
const ONCE: SignedDuration = SignedDuration::from_hours(24);
/// Why a colleague is told of a message that nobody answers.
const FOUND_TOO_LATE: &str = "found_too_late";

/// Whether a message is newer than what the customer was heard saying before: a late one may not be.
pub(crate) fn is_newest(message: &InboundMessage, history: &[HistoryLine]) -> bool {
    let from_customer = |line: &&HistoryLine| line.role == Role::Customer;
    let heard = history.iter().rfind(from_customer).map(|line| line.at);
    !message.late || heard.is_none_or(|heard| message.received_at.is_none_or(|at| at >= heard))
}

/// The reply to a message that came late, which says so once a day.
pub(crate) fn excused(domain: &Domain, turn: &Turn, memory: &State, text: String) -> String {
    let since = turn.message.received_at.unwrap_or(turn.now);
    if !turn.message.late || turn.now.duration_since(since) < NOTICED {
        return text;
    }
    let said = Said {
        first: Piece::Status(Status::Late),
        rest: Vec::new(),
        ask: None,
    };
    let excuse = in_words(domain, turn, memory, &said).text.into_string();
    if excuse.is_empty() || was_said(&excuse, &turn.state.conversation_history, turn.now) {
        return text;
    }
    format!("{excuse} {text}")
}

fn was_said(excuse: &str, history: &[HistoryLine], now: Timestamp) -> bool {
    let recent = |line: &&HistoryLine| now.duration_since(line.at) < ONCE;
    let lines = history.iter().filter(recent);
    let mut ours = lines.filter(|line| line.role == Role::Bot);
    ours.any(|line| line.text.starts_with(excuse))
}

/// The turn of a message that is answered too late: a colleague is told, and judges.
pub(crate) fn told(domain: &Domain, mut turn: Turn) -> Effects {
    turn.memory.tell(FOUND_TOO_LATE, false, turn.now);
    let handover = handover(domain, &turn, true).map(|mut handover| {
        // The customer was promised nothing.
        handover.promised_at = None;
        handover.late_reply = None;
        handover
    });
    let message = &turn.message;
    let write = CrmWrite {
        message: message.event(),
        at: message.received_at.unwrap_or(turn.now),
        contact: contact_of(message, turn.lang()),
        lead: None,
        appointments: Vec::new(),
        withdrawn: None,
        questions: Vec::new(),
        handover,
    };
    Effects {
        memory: turn.memory,
        crm: Some(write),
        ..Effects::default()
    }
}
