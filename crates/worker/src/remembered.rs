//! What Redis has of a conversation, as a turn begins with it. Pure.

use jiff::{SignedDuration, Timestamp};
use shared_types::HistoryLine;
use shared_types::fields::{contact, conversation as state};
use streams::{ReadValues, StreamId};

use crate::dialogue::State;
use crate::identity::Kin;
use crate::turns::Known;

/// The place of the conversation's hash among those that are read.
pub(crate) const STATE: usize = 0;
/// The place of the contact's.
pub(crate) const CONTACT: usize = 1;
/// What is read of the conversation.
pub(crate) const STATE_FIELDS: &[&str] = &[
    state::VERSION,
    state::MEMORY,
    state::LAST_INBOUND,
    state::LAST_INBOUND_TO,
    state::COLLEAGUE,
];
/// What is read of the contact.
pub(crate) const CONTACT_FIELDS: &[&str] = &[contact::OPTED_OUT, contact::PERSON];

/// The clocks of a provider and ours are as close as this: signatures that are further off are refused.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// The version of the conversation's state.
pub(crate) fn version(values: &ReadValues) -> u64 {
    let version = values.field(STATE, state::VERSION);
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

/// What is known of a conversation that the provider began at `begun`. What was kept before that is of
/// another one with the same number.
pub(crate) fn known(values: &ReadValues, begun: Option<Timestamp>) -> Known {
    let from = from(begun);
    let is_ours = time(values.field(STATE, state::LAST_INBOUND)).is_none_or(|last| last >= from);
    if !is_ours {
        tracing::warn!("a conversation with the number of an older one begins anew");
    }
    let memory = values.field(STATE, state::MEMORY).filter(|_| is_ours);
    let history = values.list.iter();
    let history = history.filter_map(|line| serde_json::from_str::<HistoryLine>(line).ok());
    Known {
        memory: memory.map(read).unwrap_or_default(),
        history: history.filter(|line| line.at >= from).collect(),
        opted_out: opted_out(values).is_some_and(|since| since >= from),
        colleague: colleague(values),
    }
}

/// The last word of a colleague.
fn colleague(values: &ReadValues) -> StreamId {
    let word = values.field(STATE, state::COLLEAGUE);
    word.and_then(|id| id.parse().ok()).unwrap_or_default()
}

/// When the customer wrote last in the conversation, in milliseconds since 1970.
pub(crate) fn last_inbound(values: &ReadValues, begun: Option<Timestamp>) -> Option<i64> {
    let last = time(values.field(STATE, state::LAST_INBOUND))?;
    (last >= from(begun)).then(|| last.as_millisecond())
}

/// Which address of ours the customer wrote to last.
pub(crate) fn our_address(values: &ReadValues) -> Option<&str> {
    values.field(STATE, state::LAST_INBOUND_TO)
}

/// Whose the conversation is.
pub(crate) fn kin(values: &ReadValues) -> Option<Kin> {
    values.field(CONTACT, contact::PERSON).and_then(Kin::read)
}

/// Whether the contact's opt-out is one of somebody who had the conversation's number before.
pub(crate) fn has_anothers_opt_out(values: &ReadValues, begun: Option<Timestamp>) -> bool {
    opted_out(values).is_some_and(|since| since < from(begun))
}

fn from(begun: Option<Timestamp>) -> Timestamp {
    let with_clocks = begun.and_then(|begun| begun.checked_sub(CLOCKS).ok());
    with_clocks.unwrap_or(Timestamp::MIN)
}

/// Since when no messages are wanted. A time that cannot be read is one that holds.
fn opted_out(values: &ReadValues) -> Option<Timestamp> {
    let since = values.field(CONTACT, contact::OPTED_OUT)?;
    Some(time(Some(since)).unwrap_or(Timestamp::MAX))
}

fn time(ms: Option<&str>) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms?.parse().ok()?).ok()
}

fn read(memory: &str) -> State {
    serde_json::from_str(memory).unwrap_or_else(|_| {
        tracing::warn!("what was remembered of a conversation cannot be read; it starts anew");
        State::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + 60 * minute).unwrap()
    }

    /// Somebody wrote last, and wanted no more messages, at this minute.
    fn left_at(minute: i64) -> ReadValues {
        let ms = at(minute).as_millisecond().to_string();
        let mut memory = State::default();
        memory.lang = Some("de".into());
        let memory = serde_json::to_string(&memory);
        let line = format!(
            "{{\"role\":\"customer\",\"text\":\"hallo\",\"at\":\"{}\"}}",
            at(minute)
        );
        ReadValues {
            list: vec![line],
            hashes: vec![
                [
                    (state::MEMORY, memory.unwrap()),
                    (state::LAST_INBOUND, ms.clone()),
                ]
                .into(),
                [(contact::OPTED_OUT, ms)].into(),
            ],
        }
    }

    #[test]
    fn a_conversation_that_began_later_has_nothing_of_the_one_before() {
        let values = left_at(0);
        let known = known(&values, Some(at(60)));
        assert!(known.memory.lang.is_none() && known.history.is_empty() && !known.opted_out);
        assert!(has_anothers_opt_out(&values, Some(at(60))));
    }

    #[test]
    fn one_that_goes_on_keeps_all_of_it_also_when_clocks_differ_or_nobody_says_when_it_began() {
        let values = left_at(0);
        for begun in [None, Some(at(-60)), Some(at(4))] {
            let known = known(&values, begun);
            assert_eq!(known.memory.lang.as_deref(), Some("de"), "{begun:?}");
            assert!(known.history.len() == 1 && known.opted_out, "{begun:?}");
            assert!(!has_anothers_opt_out(&values, begun));
        }
    }
}
