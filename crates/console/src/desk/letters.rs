//! Dead letters of every queue, grouped by reason; replayed and discarded by a choice that says how many.

use std::collections::BTreeMap;

use runtime::letters::{payload, why};
use serde_json::Value;
use streams::{Letter, LetterId, Queue, Shelf, StreamsError};

use super::{Desk, Problem, Who};

/// Letters of one shelf that are looked at.
pub const LETTERS: usize = 5_000;

const SHELVES: [Shelf; 5] = [
    Shelf::Dead(Queue::Inbound),
    Shelf::Dead(Queue::Outbound),
    Shelf::Dead(Queue::Crm),
    Shelf::Dead(Queue::Mirror),
    Shelf::Rejected,
];

/// What a shelf is called.
#[must_use]
pub const fn shelf_name(shelf: Shelf) -> &'static str {
    match shelf {
        Shelf::Dead(queue) => queue.as_str(),
        Shelf::Rejected => "rejected",
    }
}

/// The shelf that is called so.
#[must_use]
pub fn shelf_named(name: &str) -> Option<Shelf> {
    SHELVES.into_iter().find(|shelf| shelf_name(*shelf) == name)
}

/// Letters that are here for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Where they lie.
    pub shelf: Shelf,
    /// Why.
    pub reason: String,
    /// How many.
    pub count: usize,
    /// When the first of them was set aside, milliseconds since 1970.
    pub first_ms: i64,
    /// When the last was.
    pub last_ms: i64,
}

/// Which letters are meant.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// Where they lie.
    pub shelf: Shelf,
    /// Why they are there; all reasons without it.
    pub reason: Option<&'a str>,
    /// Only those of conversations with this in their name.
    pub conversation: Option<&'a str>,
    /// Only those that were set aside until then, milliseconds since 1970: what came since was not seen.
    pub until_ms: i64,
}

/// A letter for a person: no JSON.
#[derive(Debug, Clone)]
pub struct LetterDetails {
    /// The letter.
    pub letter: Letter,
    /// Why it is here.
    pub reason: String,
    /// What went wrong, with its causes.
    pub error: String,
    /// What it says, name by name.
    pub said: Vec<(String, String)>,
}

/// Why letters were not touched.
#[derive(Debug, thiserror::Error)]
pub enum LettersError {
    /// There are others than those that were shown.
    #[error("there are {now} now, not {shown}: look again before you choose")]
    Changed {
        /// How many there were.
        shown: usize,
        /// How many there are.
        now: usize,
    },
    /// They would be rejected again.
    #[error("rejected webhooks cannot be replayed: they would be rejected again")]
    NoReplay,
    /// It does not say why.
    #[error("say why they are discarded")]
    NoReason,
}

impl Desk {
    /// All letters by shelf and reason, the most first. Of a shelf with more than [`LETTERS`] the oldest are
    /// counted.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn letter_groups(&self) -> Result<Vec<Group>, Problem> {
        let mut all = Vec::new();
        for shelf in SHELVES {
            let mut groups: BTreeMap<String, Group> = BTreeMap::new();
            for letter in self.redis.letters(shelf, None, LETTERS).await? {
                let (reason, _) = why(&letter);
                let group = groups.entry(reason.clone()).or_insert(Group {
                    shelf,
                    reason,
                    count: 0,
                    first_ms: letter.last_ms,
                    last_ms: letter.last_ms,
                });
                group.count += 1;
                group.last_ms = group.last_ms.max(letter.last_ms);
            }
            all.extend(groups.into_values());
        }
        all.sort_by_key(|group| std::cmp::Reverse(group.count));
        Ok(all)
    }

    /// The letters that are meant, oldest first.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn letters(&self, chosen: Chosen<'_>) -> Result<Vec<Letter>, Problem> {
        let mut letters = self.redis.letters(chosen.shelf, None, LETTERS).await?;
        letters.retain(|letter| {
            let conversation = letter.fields.get("conv").map_or("", String::as_str);
            letter.last_ms <= chosen.until_ms
                && chosen.reason.is_none_or(|reason| why(letter).0 == reason)
                && chosen
                    .conversation
                    .is_none_or(|part| conversation.contains(part.trim()))
        });
        Ok(letters)
    }

    /// One letter, readable.
    ///
    /// # Errors
    /// When there is none, or Redis cannot be reached.
    pub async fn letter(&self, shelf: Shelf, id: LetterId) -> Result<LetterDetails, Problem> {
        let letter = self.redis.letter(shelf, id).await?;
        let letter = letter.ok_or(Problem::Unknown("letter"))?;
        let (reason, error) = why(&letter);
        let mut said = Vec::new();
        flatten(&mut said, "", &payload(&letter));
        Ok(LetterDetails {
            letter,
            reason,
            error,
            said,
        })
    }

    /// Puts letters back at the end of their queue. How many.
    ///
    /// # Errors
    /// When there are not as many as were shown, or Redis cannot be reached; some may be put back by then.
    pub async fn replay(
        &self,
        who: &Who,
        chosen: Chosen<'_>,
        shown: usize,
    ) -> Result<usize, Problem> {
        let Shelf::Dead(queue) = chosen.shelf else {
            return Err(LettersError::NoReplay.into());
        };
        let ids = self.as_shown(chosen, shown).await?;
        let (done, failed) = each(ids, async |id| self.redis.replay(queue, id).await).await;
        let what = format!("{done} of {} ({})", queue.as_str(), reason_of(chosen));
        self.note_done(who, "letters.replay", Some(&what), None, None)
            .await;
        failed.map_or(Ok(done), |error| Err(error.into()))
    }

    /// Removes letters for good. How many.
    ///
    /// # Errors
    /// When there are not as many as were shown, no reason is given, or Redis cannot be reached; some may be
    /// removed by then.
    pub async fn discard(
        &self,
        who: &Who,
        chosen: Chosen<'_>,
        shown: usize,
        because: &str,
    ) -> Result<usize, Problem> {
        if because.trim().is_empty() {
            return Err(LettersError::NoReason.into());
        }
        let ids = self.as_shown(chosen, shown).await?;
        let discard = async |id| self.redis.discard(chosen.shelf, id).await;
        let (done, failed) = each(ids, discard).await;
        let shelf = shelf_name(chosen.shelf);
        let what = format!("{done} of {shelf} ({})", reason_of(chosen));
        self.note_done(who, "letters.discard", Some(&what), Some(because), None)
            .await;
        failed.map_or(Ok(done), |error| Err(error.into()))
    }

    async fn as_shown(&self, chosen: Chosen<'_>, shown: usize) -> Result<Vec<LetterId>, Problem> {
        let letters = self.letters(chosen).await?;
        let now = letters.len();
        if now != shown {
            return Err(LettersError::Changed { shown, now }.into());
        }
        Ok(letters.into_iter().map(|letter| letter.id).collect())
    }
}

/// Does something to letters one after the other. To how many, and what it failed with: those before it
/// are done all the same, and that is noted.
async fn each(
    ids: Vec<LetterId>,
    act: impl AsyncFn(LetterId) -> Result<bool, StreamsError>,
) -> (usize, Option<StreamsError>) {
    let mut done = 0;
    for id in ids {
        match act(id).await {
            Ok(was_there) => done += usize::from(was_there),
            Err(error) => return (done, Some(error)),
        }
    }
    (done, None)
}

fn reason_of<'a>(chosen: Chosen<'a>) -> &'a str {
    chosen.reason.unwrap_or("any reason")
}

/// The values of a JSON document, each with the way to it; what is empty is left out.
fn flatten(into: &mut Vec<(String, String)>, way: &str, value: &Value) {
    let below = |name: &str| match way {
        "" => name.to_owned(),
        way => format!("{way} › {name}"),
    };
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(into, &below(&name.replace('_', " ")), value);
            }
        }
        Value::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                flatten(into, &below(&(number + 1).to_string()), value);
            }
        }
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => into.push((way.to_owned(), text.clone())),
        other => into.push((way.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_told_name_by_name() {
        let payload = serde_json::json!({
            "sender": {"id": "x", "phone_number": null}, "content": "hoi", "parts": ["a", 2], "empty": "",
        });
        let mut said = Vec::new();
        flatten(&mut said, "", &payload);
        let said: Vec<_> = said
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            said,
            ["content=hoi", "parts › 1=a", "parts › 2=2", "sender › id=x"]
        );
    }

    #[tokio::test]
    async fn what_was_done_before_a_failure_is_counted() {
        let ids: [LetterId; 4] = ["0/1-0", "0/2-0", "0/3-0", "0/4-0"].map(|id| id.parse().unwrap());
        let [_, gone, broken, _] = ids;
        let act = async |id: LetterId| match id {
            id if id == broken => Err(StreamsError::Unreachable),
            id => Ok(id != gone),
        };
        let (done, failed) = each(ids.to_vec(), act).await;
        assert_eq!(done, 1);
        assert!(matches!(failed, Some(StreamsError::Unreachable)));
        let (done, failed) = each(ids.to_vec(), async |_| Ok(true)).await;
        assert!(done == 4 && failed.is_none());
    }

    #[test]
    fn every_shelf_is_found_by_its_name() {
        for shelf in SHELVES {
            assert_eq!(shelf_named(shelf_name(shelf)), Some(shelf));
        }
        assert_eq!(shelf_named("other"), None);
    }
}
