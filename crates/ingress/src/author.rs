//! Who wrote a message from our side of a conversation: we, or a colleague.
//!
//! Providers do not say it reliably, so what egress noted of its sends decides. A known id is ours. A send
//! whose id nobody knows yet is ours when the text is the same, white space aside: providers tell of a
//! message before they answer who sent it. Everything else a colleague wrote: a bot that is silent without
//! need costs less than two voices.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use shared_types::fields::{conversation, send};
use shared_types::{
    ChannelAddress, ColleagueMessage, ConversationId, OutboundMessage, Source, provider_key,
};
use streams::{Partition, PartitionKeys, Redis, StreamsError};

use crate::event::Written;

/// How many sends of a conversation are looked at. They leave one after the other.
const LOOKED_AT: usize = 10;

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Author {
    /// We did, and the reason why it is ignored.
    Us(&'static str),
    /// A colleague did.
    Colleague {
        /// In this conversation.
        conversation: ConversationId,
        /// A request of ours had begun, which nothing calls back.
        on_the_wire: bool,
    },
}

/// What a send is to a message that somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// The message itself, known by its id.
    Same,
    /// The message itself, as far as its text tells.
    Alike,
    /// A request that has begun and not ended.
    OnTheWire,
    /// Something else.
    Other,
}

/// Asks what egress noted of its sends.
pub(crate) async fn author(redis: &Redis, written: &Written) -> Result<Author, StreamsError> {
    let message = &written.message;
    let id = message.id.as_str();
    if is_known(redis, message.source, id, &written.conversations).await? {
        return Ok(Author::Us("own_message"));
    }
    let conversations = conversations_of(redis, written).await?;
    let mut on_the_wire = false;
    for own in &conversations {
        let keys = keys(redis, own);
        for id in redis.list(&keys.sends(own.as_str()), LOOKED_AT).await? {
            let send = redis.hash(&keys.send(&id)).await?;
            match relation(&send, message, own) {
                Relation::Same => return Ok(Author::Us("own_message")),
                Relation::Alike => return Ok(Author::Us("own_text")),
                Relation::OnTheWire => on_the_wire = true,
                Relation::Other => {}
            }
        }
    }
    let conversation = conversation_of(redis, conversations, message).await?;
    Ok(Author::Colleague {
        conversation,
        on_the_wire,
    })
}

/// Whether a send of ours is noted under a provider's id, in one of the conversations that a message may
/// have been written in.
///
/// A chat may be named by its hidden id, a recipient in another spelling, and the send be noted with the
/// one that the customer wrote from. In a cluster that is another partition, and nobody says which.
pub(crate) async fn is_known(
    redis: &Redis,
    source: Source,
    id: &str,
    conversations: &[ConversationId],
) -> Result<bool, StreamsError> {
    let Some(first) = conversations.first() else {
        return Ok(false);
    };
    let scoped = provider_key(source, first, id);
    let is_noted = async |keys: PartitionKeys| {
        let names = [scoped.as_str(), id].map(|id| keys.provider_message(source.as_str(), id));
        let values = redis.values(&names).await?;
        Ok::<_, StreamsError>(values.into_iter().flatten().count() > 0)
    };
    let named: BTreeSet<Partition> = conversations
        .iter()
        .map(|own| keys(redis, own).partition())
        .collect();
    for partition in &named {
        if is_noted(redis.keys().of(*partition)).await? {
            return Ok(true);
        }
    }
    if redis.keys().spans_partitions() || source == Source::Chatwoot {
        return Ok(false);
    }
    let others = redis.partitions().all().filter(|one| !named.contains(one));
    let others = others.map(|other| is_noted(redis.keys().of(other)));
    Ok(try_join_all(others).await?.contains(&true))
}

/// The conversations that the message may have been written in: those of its addresses, and those of
/// the person who is known to have one of them, in the same session.
async fn conversations_of(
    redis: &Redis,
    written: &Written,
) -> Result<Vec<ConversationId>, StreamsError> {
    let mut all = written.conversations.clone();
    let named = &written.message.conversation_id;
    let session = named.as_str().rsplit_once(':').map(|(session, _)| session);
    if written.message.source == Source::Waha {
        let names: Vec<String> = written
            .message
            .to
            .iter()
            .map(ChannelAddress::name)
            .collect();
        for other in redis.conversations_of(&names).await? {
            let is_of_session = other.rsplit_once(':').map(|(session, _)| session) == session;
            let other = other
                .parse()
                .ok()
                .filter(|other| is_of_session && !all.contains(other));
            all.extend(other);
        }
    }
    Ok(all)
}

fn keys(redis: &Redis, conversation: &ConversationId) -> PartitionKeys {
    let partition = redis.partitions().partition_of(conversation.as_str());
    redis.keys().of(partition)
}

/// The one in which the customer writes, where there are several.
async fn conversation_of(
    redis: &Redis,
    conversations: Vec<ConversationId>,
    message: &ColleagueMessage,
) -> Result<ConversationId, StreamsError> {
    if conversations.len() > 1 {
        for own in conversations {
            let state = keys(redis, &own).conversation(own.as_str());
            let state = redis.hash(&state).await?;
            if state.contains_key(conversation::LAST_INBOUND) {
                return Ok(own);
            }
        }
    }
    Ok(message.conversation_id.clone())
}

/// Compares a send with what somebody wrote in the conversation.
fn relation(
    fields: &BTreeMap<String, String>,
    message: &ColleagueMessage,
    own: &ConversationId,
) -> Relation {
    let field = |name| fields.get(name).map_or("", String::as_str);
    let key = |id| provider_key(message.source, own, id);
    match field(send::PROVIDER_ID) {
        "" => {}
        id if key(id) == key(message.id.as_str()) => return Relation::Same,
        _ => return Relation::Other,
    }
    let state = field(send::STATE);
    if ![send::INTENT, send::DOUBT, send::SENT].contains(&state) {
        return Relation::Other;
    }
    let sent: Option<OutboundMessage> = serde_json::from_str(field(send::PAYLOAD)).ok();
    let said = sent.map(|sent| match sent.picture {
        // A picture is a part of its own, and has no text but this one.
        Some(picture) if sent.text.is_empty() => folded(&picture.caption),
        _ => folded(&sent.text),
    });
    match said.unwrap_or_default() {
        said if said.is_empty() => Relation::Other,
        said if said == folded(&message.content) => Relation::Alike,
        _ if state == send::INTENT => Relation::OnTheWire,
        _ => Relation::Other,
    }
}

/// Providers trim texts and break their lines anew.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
