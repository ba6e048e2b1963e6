//! Changes of who has a conversation. Pure.

use crm::{HandoverChange, Status};
use jiff::Timestamp;
use shared_types::{ControlEvent, ControlKind};

use crate::dialogue::State;

/// Whether a change is older than what is known: its event came behind that of a newer one, or it was
/// found later and would end what began since. `until` is how long a colleague would have the conversation
/// who took it with the change.
pub(crate) fn is_overtaken(event: &ControlEvent, memory: &State, until: Timestamp) -> bool {
    let last = memory.hands_at;
    let is_older = event
        .changed_at
        .zip(last)
        .is_some_and(|(at, last)| at < last);
    let ends = matches!(event.kind, ControlKind::Released | ControlKind::Resolved);
    let began_since = || memory.human_until.is_some_and(|known| known > until);
    is_older || (event.late && ends && began_since())
}

/// What becomes of the hand-over. A help desk also opens a conversation because we asked it to: only
/// a colleague's name says that somebody has it.
pub(crate) fn handed(event: &ControlEvent, memory: &State) -> Option<HandoverChange> {
    let to = match event.kind {
        ControlKind::HumanTookOver if event.by.is_some() => Status::Taken,
        ControlKind::Released | ControlKind::Resolved
            if memory.told.is_some() || memory.human_until.is_some() =>
        {
            Status::Closed
        }
        _ => return None,
    };
    let by = event.by.clone();
    Some(HandoverChange {
        conversation_id: event.conversation_id.to_string(),
        to,
        by: by.unwrap_or_else(|| event.source.to_string()),
        at: event.at,
    })
}
