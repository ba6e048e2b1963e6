//! Who is who: the names by which one person is known, and what joined them.
//!
//! A name is an address or a conversation; what it means is the caller's knowledge. Each name is a key
//! that holds the person's id, each person a hash: `m:<name>` for a name, `p:<name>` for one that an
//! operator split away, `l:<time>` for a line of the audit trail, `since`, and `rev`, which grows with
//! every change. In a cluster all of them share a slot, so that one script can join two persons.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use crate::erase::kind_of;
use crate::script::{CONTACT_NOTE, IDENTITY_JOIN, IDENTITY_SPLIT};
use crate::{Redis, StreamsError};

/// What is known of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The person's id, `p_…`.
    pub id: String,
    /// The names. A conversation has the address that it is held with here; an address has nothing.
    pub names: BTreeMap<String, String>,
    /// Names that an operator split away from another person: no webhook joins them again.
    pub pinned: BTreeSet<String>,
    /// What joined and split the person, oldest first, as the callers wrote it.
    pub log: Vec<String>,
    /// Grows with every change.
    pub revision: u64,
    /// Since when the person is known, milliseconds since 1970.
    since: i64,
    /// How many fields the hash has.
    fields: usize,
}

/// Who says that names belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// A webhook: it joins nobody whom an operator split.
    Evidence,
    /// An operator: what was split before may be joined again.
    Operator,
}

/// Names that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Join<'a> {
    /// The names. Everybody who has one of them is one person.
    pub names: &'a [String],
    /// A conversation that goes with the first of the names. Whose it was before proves nothing.
    pub conversation: Option<&'a str>,
    /// Who says so.
    pub claim: Claim,
    /// Whether probably nobody has any of the names yet. It saves a round trip.
    pub is_new: bool,
    /// Noted when two persons become one.
    pub audit: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The person's id.
    pub id: String,
    /// The person's revision.
    pub revision: u64,
    /// Whether nobody had any of the names before.
    pub is_new: bool,
    /// The persons who are this one now.
    pub absorbed: Vec<String>,
    /// Who does not have the conversation any more.
    pub left: Option<String>,
    /// Whether names belong to several persons still, because an operator split them.
    pub kept_apart: bool,
}

/// What stands before a conversation that is one of a person's names.
pub(crate) const CONVERSATION_NAME: &str = "conv:";

const TRIES: usize = 32;

impl Redis {
    /// The ids of the persons with these names, in the order of the names.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn identities_of(
        &self,
        names: &[String],
    ) -> Result<Vec<Option<String>>, StreamsError> {
        let keys: Vec<String> = names.iter().map(|name| self.keys().who(name)).collect();
        self.values(&keys).await
    }

    /// A person; without names when there is none with this id.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn identity(&self, id: &str) -> Result<Identity, StreamsError> {
        let fields = self.hash(&self.keys().person(id)).await?;
        Ok(Identity::read(id, fields))
    }

    /// The conversations of the first person with one of these names.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn conversations_of(&self, names: &[String]) -> Result<Vec<String>, StreamsError> {
        match self
            .identities_of(names)
            .await?
            .into_iter()
            .flatten()
            .next()
        {
            Some(id) => {
                let person = self.identity(&id).await?;
                Ok(person.conversations().map(str::to_owned).collect())
            }
            None => Ok(Vec::new()),
        }
    }

    /// Every person, for the few commands that look for somebody.
    ///
    /// # Errors
    /// When Redis cannot be reached, or forbids SCAN.
    pub async fn all_identities(&self) -> Result<Vec<Identity>, StreamsError> {
        let mut all = Vec::new();
        for key in self.all_keys().await? {
            if let ("person", id) = kind_of(&key) {
                all.push(self.identity(id).await?);
            }
        }
        Ok(all)
    }

    /// Makes one person of everybody who has one of the names.
    ///
    /// # Errors
    /// When Redis cannot be reached, or others change the same persons all the time.
    pub async fn join(&self, join: Join<'_>) -> Result<Joined, StreamsError> {
        let conversation = join.conversation.map(str::to_owned);
        let all: Vec<String> = join.names.iter().cloned().chain(conversation).collect();
        for attempt in 0..TRIES {
            let owners = match join.is_new && attempt == 0 {
                true => vec![None; all.len()],
                false => self.identities_of(&all).await?,
            };
            let change = self.decide(join, &all, &owners).await?;
            if let Some(revision) = self.try_join(&change).await? {
                return Ok(Joined {
                    id: change.id,
                    revision,
                    is_new: change.is_new,
                    absorbed: change.absorbed.into_iter().map(|one| one.id).collect(),
                    left: change.conversation.and_then(|(.., left)| left),
                    kept_apart: change.kept_apart,
                });
            }
        }
        Err(StreamsError::Answer {
            script: IDENTITY_JOIN.name(),
        })
    }

    /// What a join comes to, by the names' owners.
    async fn decide<'a>(
        &self,
        join: Join<'a>,
        all: &'a [String],
        owners: &[Option<String>],
    ) -> Result<Change<'a>, StreamsError> {
        let mut ids: Vec<&String> = Vec::new();
        for id in owners.iter().take(join.names.len()).flatten() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let mut persons = try_join_all(ids.into_iter().map(|id| self.identity(id))).await?;
        let is_split = |person: &Identity| all.iter().any(|name| person.pinned.contains(name));
        let several = persons.len() > 1;
        let kept_apart = several && join.claim == Claim::Evidence && persons.iter().any(is_split);
        if kept_apart {
            // Whoever wrote stays who it was; a name that is new goes with it.
            persons.truncate(1);
        } else {
            persons.sort_by_key(|person| (person.since, person.id.clone()));
        }
        let mut persons = persons.into_iter();
        let kept = persons.next().map(|person| person.id);
        let absorbed: Vec<Identity> = persons.collect();
        let is_new = kept.is_none();
        let id = kept.unwrap_or_else(|| new_id(all, join.now));
        let is_ours = |owner: &String| *owner == id || absorbed.iter().any(|one| one.id == *owner);
        // Each name once, with its owner as it was read.
        let mut moves: BTreeMap<String, Move> = BTreeMap::new();
        for person in &absorbed {
            for (name, by) in &person.names {
                let (owner, by) = (person.id.clone(), by.clone());
                moves.insert(name.clone(), Move { owner, by });
            }
        }
        for (name, owner) in join.names.iter().zip(owners) {
            if owner.as_ref().is_none_or(is_ours) {
                let owner = owner.clone().unwrap_or_default();
                let by = String::new();
                moves.entry(name.clone()).or_insert(Move { owner, by });
            }
        }
        let conversation = join.conversation.map(|conversation| {
            moves.remove(conversation);
            let owner = owners.get(join.names.len()).cloned().flatten();
            let by = join.names.first().cloned().unwrap_or_default();
            let leaves = owner.clone().filter(|owner| !is_ours(owner));
            let owner = owner.unwrap_or_default();
            (conversation, Move { owner, by }, leaves)
        });
        Ok(Change {
            join,
            id,
            is_new,
            absorbed,
            kept_apart,
            moves,
            conversation,
        })
    }

    /// The revision; none when something has changed since it was read.
    async fn try_join(&self, change: &Change<'_>) -> Result<Option<u64>, StreamsError> {
        let audit = match change.absorbed.is_empty() {
            true => "",
            false => change.join.audit,
        };
        let now = change.join.now;
        let leaves = change
            .conversation
            .as_ref()
            .and_then(|(.., leaves)| leaves.as_ref());
        let moved = change
            .conversation
            .as_ref()
            .map(|(name, how, _)| (*name, how));
        let moves = change.moves.iter().map(|(name, how)| (name.as_str(), how));
        let moves: Vec<(&str, &Move)> = moves.chain(moved).collect();
        let revision: u64 = self
            .run_beside(&IDENTITY_JOIN, |invocation| {
                invocation.key(self.keys().person(&change.id));
                for person in &change.absorbed {
                    invocation.key(self.keys().person(&person.id));
                }
                for (name, _) in &moves {
                    invocation.key(self.keys().who(name));
                }
                if let Some(owner) = leaves {
                    invocation.key(self.keys().person(owner));
                }
                invocation
                    .arg(&change.id)
                    .arg(now.as_millisecond())
                    .arg(log_field(now))
                    .arg(audit)
                    .arg(u8::from(change.is_new))
                    .arg(u8::from(change.join.claim == Claim::Operator))
                    .arg(change.absorbed.len())
                    .arg(u8::from(leaves.is_some()));
                for person in &change.absorbed {
                    invocation.arg(person.fields);
                }
                for (name, how) in &moves {
                    invocation.arg(&how.owner).arg(*name).arg(&how.by);
                }
            })
            .await?;
        Ok((revision > 0).then_some(revision))
    }

    /// Makes a person of their own of who has these names, which must be one person's. The names are
    /// kept apart from then on. Gives the new person's id; none when the names are not one
    /// person's, or are all that the person has.
    ///
    /// # Errors
    /// When Redis cannot be reached, or others change the same person all the time.
    pub async fn split(
        &self,
        names: &[String],
        audit: &str,
        now: Timestamp,
    ) -> Result<Option<String>, StreamsError> {
        for _ in 0..TRIES {
            let owners = self.identities_of(names).await?;
            let Some(Some(owner)) = owners.first().cloned() else {
                return Ok(None);
            };
            if owners.iter().any(|other| other.as_ref() != Some(&owner)) {
                return Ok(None);
            }
            let person = self.identity(&owner).await?;
            let goes = |(name, by): &(&String, &String)| names.contains(name) || names.contains(by);
            let going: Vec<(&String, &String)> = person.names.iter().filter(goes).collect();
            if going.len() == person.names.len() {
                return Ok(None);
            }
            let id = new_id(names, now);
            let done: u8 = self
                .run(&IDENTITY_SPLIT, |invocation| {
                    invocation.key(self.keys().person(&owner));
                    invocation.key(self.keys().person(&id));
                    for (name, _) in &going {
                        invocation.key(self.keys().who(name));
                    }
                    invocation
                        .arg(&owner)
                        .arg(&id)
                        .arg(now.as_millisecond())
                        .arg(log_field(now))
                        .arg(audit);
                    for (name, by) in &going {
                        let pinned = u8::from(names.contains(name));
                        invocation.arg(*name).arg(*by).arg(pinned);
                    }
                })
                .await?;
            if done == 1 {
                return Ok(Some(id));
            }
        }
        Err(StreamsError::Answer {
            script: IDENTITY_SPLIT.name(),
        })
    }

    /// Notes what outlives a conversation's state, outside of a turn, unless something newer is kept:
    /// both begin with a number. Without a value the field is dropped. Whether it was done.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn note_contact(
        &self,
        conversation: &str,
        field: &str,
        value: Option<&str>,
        number: u64,
    ) -> Result<bool, StreamsError> {
        let partition = self.partitions().partition_of(conversation);
        let key = self.keys().of(partition).contact(conversation);
        let done: u8 = self
            .run(&CONTACT_NOTE, |invocation| {
                let value = value.unwrap_or_default();
                invocation.key(key).arg(field).arg(value).arg(number);
            })
            .await?;
        Ok(done == 1)
    }
}

/// A join as it was decided, to be made only if nothing has changed meanwhile.
struct Change<'a> {
    join: Join<'a>,
    id: String,
    is_new: bool,
    absorbed: Vec<Identity>,
    kept_apart: bool,
    moves: BTreeMap<String, Move>,
    /// The conversation, and who has it no longer.
    conversation: Option<(&'a str, Move, Option<String>)>,
}

/// A name on its way to another owner.
struct Move {
    /// The owner as it was read; empty for nobody.
    owner: String,
    /// The name that it goes with; empty for none.
    by: String,
}

impl Identity {
    /// The name of a conversation, which may be spelled as an address is.
    pub fn name_of_conversation(conversation: &str) -> String {
        format!("{CONVERSATION_NAME}{conversation}")
    }

    /// The person's conversations.
    pub fn conversations(&self) -> impl Iterator<Item = &str> {
        let names = self.names.keys();
        names.filter_map(|name| name.strip_prefix(CONVERSATION_NAME))
    }

    /// The person's addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let names = self.names.keys().map(String::as_str);
        names.filter(|name| !name.starts_with(CONVERSATION_NAME))
    }

    fn read(id: &str, fields: BTreeMap<String, String>) -> Self {
        let mut person = Self {
            id: id.to_owned(),
            fields: fields.len(),
            ..Self::default()
        };
        for (field, value) in fields {
            match field.split_once(':') {
                Some(("m", name)) => {
                    person.names.insert(name.to_owned(), value);
                }
                Some(("p", name)) => {
                    person.pinned.insert(name.to_owned());
                }
                Some(("l", _)) => person.log.push(value),
                _ if field == "since" => person.since = value.parse().unwrap_or_default(),
                _ if field == "rev" => person.revision = value.parse().unwrap_or_default(),
                _ => {}
            }
        }
        person
    }
}

fn new_id(names: &[String], now: Timestamp) -> String {
    let hash = xxh3_64(names.join("\n").as_bytes());
    format!("p_{:x}{hash:016x}", now.as_millisecond())
}

fn log_field(now: Timestamp) -> String {
    let (ms, ns) = (now.as_millisecond(), now.subsec_nanosecond());
    format!("l:{ms:013}.{ns:09}")
}
