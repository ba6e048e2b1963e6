use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Attachment, ButtonReply, ChannelAddress, ConversationId, Location, MessageId, OutboundId,
    PhoneNumber, Referral, ReplyTo, Source,
};

/// A message from a customer, alike for every provider.
///
/// The shape is Chatwoot-compatible. `Debug` leaves the customer's text out.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// The provider's id.
    pub id: MessageId,
    /// The conversation that the message belongs to.
    pub conversation: ConversationRef,
    /// Who wrote it.
    pub sender: Sender,
    /// The text, cleaned; empty for a message that is only media, a location or a contact.
    pub content: String,
    /// Always `incoming`.
    pub message_type: MessageType,
    /// Always `whatsapp` today.
    pub channel: Channel,
    /// The provider it came through.
    pub source: Source,
    /// Where on our side it arrived, and where the answer must leave from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Files that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// A place that the customer shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// A button or list row that the customer tapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub button: Option<ButtonReply>,
    /// The message that the customer quoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// Whether the customer forwarded it from another chat.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forwarded: bool,
    /// The ad that opened the chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    /// The provider took the text for one of its own words, and has answered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_word: Option<ProviderWord>,
    /// The earlier message that this one takes the place of: the customer edited it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<MessageId>,
    /// When it was written, as the provider says; tells Chatwoot's ids apart from those of an
    /// installation that was set up anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<Timestamp>,
    /// Names of fields that ingress could not read and left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// Its webhook never came: it was found in the provider's own list of messages.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// It was found so long after it was written that an answer would come too late: colleagues are told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub too_late: bool,
    /// When ingress took it in; of a late message, when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
}

impl InboundMessage {
    /// What the message's id is unique within: WAHA's session; Chatwoot's account, and the time,
    /// because an installation that is set up anew counts from 1. Twilio's ids are unique.
    fn scope(&self) -> Option<String> {
        let endpoint = self.endpoint.as_ref()?;
        let account = || {
            let account = endpoint.account_id?;
            let at = self.written_at.map(|at| at.as_second());
            Some(at.map_or_else(|| account.to_string(), |at| format!("{account}@{at}")))
        };
        endpoint.session.clone().or_else(account)
    }

    /// The name of the message over all providers, accounts and sessions, `twilio:message:SM…`: what
    /// it is known again by. WAHA may tell of one under both addresses of a chat: its session and the
    /// last part of its id are the same then.
    pub fn event(&self) -> String {
        let id = self.id.as_str();
        match (self.source, self.scope()) {
            (Source::Waha, Some(session)) => {
                let key = id.rsplit('_').next().unwrap_or(id);
                format!("waha:message:{session}:{key}")
            }
            (source, Some(scope)) => format!("{source}:message:{scope}:{id}"),
            (source, None) => format!("{source}:message:{id}"),
        }
    }

    /// The id of reply number `index` (from 0) to it.
    pub fn reply_id(&self, index: usize) -> OutboundId {
        match self.scope() {
            Some(scope) => OutboundId::of_scoped_reply(self.source, &scope, &self.id, index),
            None => OutboundId::of_reply(self.source, &self.id, index),
        }
    }
}

impl fmt::Debug for InboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundMessage")
            .field("id", &self.id)
            .field("conversation", &self.conversation.id)
            .field("source", &self.source)
            .field("content_chars", &self.content.chars().count())
            .field("attachments", &self.attachments.len())
            .finish_non_exhaustive()
    }
}

/// A word by which a provider itself ends, resumes or explains messages (Twilio's `OptOutType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderWord {
    /// No more messages: the provider refuses ours from now on.
    Stop,
    /// Messages again.
    Start,
    /// What the sender is and how to stop it.
    Help,
}

/// The conversation of a message: `{"id": "whatsapp:+31612345678"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRef {
    /// The key by which messages are kept in order.
    pub id: ConversationId,
    /// When the provider began it. What is known of its key from before belongs to another one: an
    /// installation of Chatwoot that is set up anew numbers its conversations from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
}

/// Who wrote a message. A phone number is not guaranteed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The address that an answer goes to.
    pub id: ChannelAddress,
    /// The profile name, as the customer chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The phone number, where the channel tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<PhoneNumber>,
    /// The channel does not prove that the phone number is theirs: a web chat, where anybody may
    /// type anybody's. It is shown to people and joins nobody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub phone_number_is_claimed: bool,
    /// Other addresses of the same person that the channel proves, such as Twilio's
    /// `ExternalUserId` or a WAHA LID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<ChannelAddress>,
    /// The WhatsApp user name. It may change hands, so it joins nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Where on our side a message arrived. Each provider fills what it needs to route the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Twilio: our sender, `whatsapp:+14155238886`. WAHA: our own chat id, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<ChannelAddress>,
    /// WAHA: the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Chatwoot: the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<u64>,
    /// Chatwoot: the conversation's display id, the one its API paths use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<u64>,
}

/// The direction of a message. Inbound messages are always `incoming`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageType {
    /// From the customer to us.
    #[default]
    Incoming,
}

/// The medium that the customer uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// WhatsApp.
    #[default]
    Whatsapp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, endpoint: &str, written_at: &str) -> InboundMessage {
        let text = format!(
            r#"{{"id":"{id}","conversation":{{"id":"c"}},"sender":{{"id":"9@lid"}},"content":"",
                "message_type":"incoming","channel":"whatsapp","source":"chatwoot",
                "endpoint":{endpoint},"written_at":{written_at}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn one_id_in_two_places_is_two_messages() {
        let [first, later] = ["09", "10"].map(|hour| format!("\"2026-11-28T{hour}:00:00Z\""));
        let messages = [
            message("1001", r#"{"account_id":1}"#, &first),
            message("1001", r#"{"account_id":2}"#, &first),
            message("1001", r#"{"account_id":1}"#, &later),
            message("1001", r#"{"account_id":1}"#, "null"),
            message("1001", r#"{"session":"default"}"#, "null"),
            message("1001", r#"{"session":"second"}"#, "null"),
            message("1001", "{}", "null"),
        ];
        for (n, one) in messages.iter().enumerate() {
            for other in messages.iter().skip(n + 1) {
                assert_ne!(one.event(), other.event());
                assert_ne!(one.reply_id(0), other.reply_id(0));
            }
            assert_eq!(one.reply_id(0), one.clone().reply_id(0));
        }
    }
}
