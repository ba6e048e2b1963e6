//! Forgets a person: everything in Redis that is theirs, wherever it lies.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use redis::{FromRedisValue, ToRedisArgs};
use shared_types::fields::mirror::DISPLAY;

use crate::entry::RawEntry;
use crate::identities::CONVERSATION_NAME;
use crate::{Queue, Redis, StreamsError};

/// Who is erased. What messages mean is known to others.
pub trait Person: Sync {
    /// Whether a conversation or an address is theirs.
    fn has(&self, address: &str) -> bool;
    /// Whether an entry's payload is from them, to them or about them.
    fn is_in(&self, payload: &str) -> bool;
    /// Whether a text names them in any spelling.
    fn is_named_in(&self, text: &str) -> bool;
}

/// Where something of a person may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// What is known of a conversation, its last turns, its history, its opt-out, the list of its sends,
    /// where it is shown in a help desk.
    Conversations,
    /// The records of what was sent.
    Sends,
    /// The names under which providers know what was sent.
    ProviderIds,
    /// Who they are: the names that are one person's.
    Names,
    /// The markers by which repetitions are known.
    Markers,
    /// Entries that wait or are in progress.
    Waiting,
    /// Messages that could not be handled.
    DeadLetters,
    /// Webhooks that could not be used.
    Rejected,
    /// Any other key that names them.
    Others,
}

impl Place {
    /// All places, in the order in which they are told.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Conversations, "conversations"),
        (Self::Sends, "records of sends"),
        (Self::ProviderIds, "providers' message ids"),
        (Self::Names, "names of the person"),
        (Self::Markers, "markers of handled messages"),
        (Self::Waiting, "waiting entries"),
        (Self::DeadLetters, "dead letters"),
        (Self::Rejected, "rejected webhooks"),
        (Self::Others, "other keys"),
    ];
}

const NOTHING: &[&str] = &[];

/// How much was found in each place.
pub type Found = BTreeMap<Place, u64>;

/// A key's name without the tag of its partition: its kind, and the rest.
pub(crate) fn kind_of(key: &str) -> (&str, &str) {
    let bare = key
        .strip_prefix('{')
        .and_then(|rest| rest.split_once("}:"))
        .map_or(key, |(_, bare)| bare);
    bare.split_once(':').unwrap_or((bare, ""))
}

/// The place of a stream's entries, by the kind of its key.
fn stream_place(kind: &str) -> Option<Place> {
    match kind {
        "in" | "out" | "crm" | "mir" => Some(Place::Waiting),
        "dlq" | "odlq" | "cdlq" | "mdlq" => Some(Place::DeadLetters),
        "rejected" => Some(Place::Rejected),
        _ => None,
    }
}

impl Redis {
    /// Removes what is a person's, or only counts it when `dry`. What is written meanwhile is found
    /// by the next call: everything is gone when one finds nothing.
    ///
    /// # Errors
    /// When Redis cannot be reached; what is left is removed by the next try.
    pub async fn erase(&self, person: &impl Person, dry: bool) -> Result<Found, StreamsError> {
        let keys = self.all_keys().await?;
        let mut found = Found::new();
        let mut doomed: Vec<(Place, String)> = Vec::new();
        let mut sends: HashSet<String> = HashSet::new();
        for key in &keys {
            let (kind, rest) = kind_of(key);
            if let Some(place) = stream_place(kind) {
                let count = self.erase_entries(key, place, person, dry).await?;
                *found.entry(place).or_default() += count;
            } else if kind == "sent" {
                if self.is_send_to(key, person).await? {
                    sends.insert(rest.to_owned());
                    doomed.push((Place::Sends, key.clone()));
                }
            } else if kind == "person" {
                let known = self.identity(rest).await?;
                if known.names.keys().any(|name| person.has(address_of(name))) {
                    doomed.push((Place::Names, key.clone()));
                }
            } else if let Some(place) = place_of(kind, rest, person) {
                doomed.push((place, key.clone()));
            }
        }
        doomed.extend(self.provider_ids_of(&keys, &sends).await?);
        let doomed: BTreeSet<(Place, String)> = doomed.into_iter().collect();
        for (place, key) in doomed {
            let command = if dry { "EXISTS" } else { "DEL" };
            *found.entry(place).or_default() +=
                self.erase_command::<u64, _>(command, &key, NOTHING).await?;
        }
        Ok(found)
    }

    /// Where a person's conversations are shown in a help desk: the numbers that they have there.
    ///
    /// # Errors
    /// When Redis cannot be reached, or forbids SCAN.
    pub async fn shown_of(&self, person: &impl Person) -> Result<BTreeSet<u64>, StreamsError> {
        let mut shown = BTreeSet::new();
        for key in self.all_keys().await? {
            if let ("mirror", conversation) = kind_of(&key)
                && person.has(conversation)
            {
                let fields = self.hash(&key).await?;
                let display = fields.get(DISPLAY).and_then(|id| id.parse::<u64>().ok());
                shown.extend(display.filter(|id| *id > 0));
            }
        }
        Ok(shown)
    }

    async fn is_send_to(&self, key: &str, person: &impl Person) -> Result<bool, StreamsError> {
        let fields = ["conv", "to", "payload"];
        let values: Vec<Option<String>> = self.erase_command("HMGET", key, &fields).await?;
        let mut values = values.into_iter().map(Option::unwrap_or_default);
        let (conversation, to) = (
            values.next().unwrap_or_default(),
            values.next().unwrap_or_default(),
        );
        Ok(person.has(&conversation)
            || person.has(&to)
            || values.any(|payload| person.is_in(&payload)))
    }

    /// The providers' ids that lead to one of these sends.
    async fn provider_ids_of(
        &self,
        keys: &BTreeSet<String>,
        sends: &HashSet<String>,
    ) -> Result<Vec<(Place, String)>, StreamsError> {
        let mut found = Vec::new();
        if sends.is_empty() {
            return Ok(found);
        }
        for key in keys.iter().filter(|key| kind_of(key).0 == "sid") {
            let send: Option<String> = self.erase_command("GET", key, NOTHING).await?;
            if send.is_some_and(|send| sends.contains(&send)) {
                found.push((Place::ProviderIds, key.clone()));
            }
        }
        Ok(found)
    }

    /// Removes a stream's entries that are the person's. Who has one of them in hand finds it gone
    /// with the next thing that is written about it.
    async fn erase_entries(
        &self,
        key: &str,
        place: Place,
        person: &impl Person,
        dry: bool,
    ) -> Result<u64, StreamsError> {
        let mut ids = Vec::new();
        let mut start = "-".to_owned();
        loop {
            let page = self.page(key, &start).await?;
            let Some(last) = page.last() else { break };
            start = format!("({}", last.id);
            let theirs = page.iter().filter(|entry| is_theirs(entry, place, person));
            ids.extend(theirs.map(|entry| entry.id.to_string()));
        }
        if dry || ids.is_empty() {
            return Ok(ids.len() as u64);
        }
        let queue = Queue::ALL
            .into_iter()
            .find(|queue| queue.pick("in", "out", "crm", "mir") == kind_of(key).0);
        if let Some(queue) = queue {
            let group = (queue.group(), &ids);
            self.erase_command::<u64, _>("XACK", key, group).await?;
            let attempts = key.replacen(
                queue.pick("in", "out", "crm", "mir"),
                queue.pick("att", "oatt", "catt", "matt"),
                1,
            );
            let starts = ids.iter().flat_map(|id| [id.clone(), format!("{id}:s")]);
            let starts: Vec<String> = starts.collect();
            self.erase_command::<u64, _>("HDEL", &attempts, &starts)
                .await?;
        }
        self.erase_command("XDEL", key, &ids).await
    }

    async fn erase_command<T: FromRedisValue, A: ToRedisArgs>(
        &self,
        name: &'static str,
        key: &str,
        arguments: A,
    ) -> Result<T, StreamsError> {
        let mut command = redis::cmd(name);
        command.arg(key).arg(arguments);
        self.with_connection("erase", |mut connection| async move {
            command.query_async(&mut connection).await
        })
        .await
    }

    async fn page(&self, key: &str, start: &str) -> Result<Vec<RawEntry>, StreamsError> {
        const PAGE: usize = 500;
        let range = (start, "+", "COUNT", PAGE);
        let reply = self.erase_command("XRANGE", key, range).await?;
        Ok(crate::entry::parse_entries(reply))
    }
}

/// The place of a key that is the person's, as far as its name tells.
fn place_of(kind: &str, rest: &str, person: &impl Person) -> Option<Place> {
    match kind {
        "conv" | "turn" | "turns" | "hist" | "contact" | "sends" | "mirror" => {
            person.has(rest).then_some(Place::Conversations)
        }
        "who" => person.has(address_of(rest)).then_some(Place::Names),
        _ if !person.is_named_in(rest) => None,
        "sid" => Some(Place::ProviderIds),
        "done" | "twilio" | "waha" | "chatwoot" => Some(Place::Markers),
        _ => Some(Place::Others),
    }
}

/// A name of a person as an address or a conversation.
pub(crate) fn address_of(name: &str) -> &str {
    name.strip_prefix(CONVERSATION_NAME).unwrap_or(name)
}

fn is_theirs(entry: &RawEntry, place: Place, person: &impl Person) -> bool {
    let field = |name: &str| {
        entry
            .fields
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    };
    person.has(field("conv"))
        || person.is_in(field("payload"))
        || (place == Place::Rejected && person.is_named_in(field("payload")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_every_shape_of_redis_have_a_kind() {
        assert_eq!(kind_of("conv:whatsapp:+316"), ("conv", "whatsapp:+316"));
        assert_eq!(
            kind_of("{p17}:conv:whatsapp:+316"),
            ("conv", "whatsapp:+316")
        );
        assert_eq!(kind_of("in:17"), ("in", "17"));
        assert_eq!(kind_of("{p17}:in"), ("in", ""));
        assert_eq!(kind_of("partitions"), ("partitions", ""));
    }
}
