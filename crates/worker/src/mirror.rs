//! What a help desk is shown of a conversation that is held on another channel. Pure.
//!
//! The steps are committed with what they tell of, so none is lost and their order is the conversation's.

use jiff::Timestamp;
use shared_types::{
    ChannelAddress, ColleagueMessage, ControlEvent, ControlKind, ConversationId, Endpoint,
    InboundMessage, MirrorStatus, MirrorStep, MirrorWhat, OutboundMessage, Picture, Purpose, Role,
    Source, TickStatus, Ticked, Wanted,
};

use crate::effects::Effects;
use crate::identity::is_told_by_kin;

/// What the steps of a turn tell of its message.
#[derive(Debug)]
pub(crate) struct Shown {
    conversation: ConversationId,
    /// The message's event.
    event: String,
    at: Timestamp,
    name: Option<String>,
    phone_number: Option<String>,
}

impl Shown {
    /// None of a conversation that the help desk has itself.
    pub(crate) fn of(message: &InboundMessage, event: &str) -> Option<Self> {
        let sender = &message.sender;
        is_mirrored(&message.conversation.id).then(|| Self {
            conversation: message.conversation.id.clone(),
            event: event.to_owned(),
            at: message.received_at.unwrap_or_else(Timestamp::now),
            name: sender.name.clone(),
            phone_number: sender.phone_number.as_ref().map(ToString::to_string),
        })
    }

    /// The lines that a turn adds to the history are what was said, without what may not be kept.
    pub(crate) fn steps(self, effects: &Effects) -> Vec<MirrorStep> {
        let step = |id: String, at, what| MirrorStep {
            conversation_id: self.conversation.clone(),
            id,
            at,
            what,
        };
        let reply = effects.reply.as_ref();
        let mut steps: Vec<MirrorStep> = Vec::new();
        for (number, line) in effects.history.iter().enumerate() {
            let text = line.text.clone();
            match line.role {
                Role::Customer => steps.push(step(
                    self.event.clone(),
                    self.at,
                    MirrorWhat::Customer {
                        name: self.name.clone(),
                        phone_number: self.phone_number.clone(),
                        text,
                    },
                )),
                Role::Bot => {
                    let id = reply.map(|reply| reply.id.to_string());
                    let id = id.unwrap_or_else(|| format!("{}:{number}", self.event));
                    let picture = reply.and_then(|reply| reply.picture.as_ref());
                    steps.push(step(id, line.at, said(&text, picture)));
                }
                Role::Colleague | Role::System => {}
            }
        }
        let note = reply.and_then(|reply| reply.handoff_note.as_ref());
        if let Some(note) = effects.handoff_note.as_ref().or(note) {
            let told = effects.memory.told.as_ref();
            let what = MirrorWhat::HandedOver {
                note: note.clone(),
                urgent: told.is_some_and(|told| told.urgent),
            };
            steps.push(step(format!("{}:handover", self.event), self.at, what));
        }
        steps
    }
}

/// What is shown when a conversation changes hands by this event.
pub(crate) fn of_control(event: &ControlEvent, name: &str) -> Option<MirrorStep> {
    let to = match event.kind {
        ControlKind::HumanTookOver => MirrorStatus::Open,
        ControlKind::Released => MirrorStatus::Pending,
        ControlKind::Resolved => MirrorStatus::Resolved,
        ControlKind::MessageDeleted => return None,
    };
    is_mirrored(&event.conversation_id).then(|| MirrorStep {
        conversation_id: event.conversation_id.clone(),
        id: format!("{name}:hands"),
        at: event.at,
        what: MirrorWhat::Hands {
            to,
            // The person's other conversations do not know yet.
            told: event.source == Source::Chatwoot && !is_told_by_kin(name),
        },
    })
}

/// What is shown when a colleague wrote past the help desk. What is sent is found there by its own id, when
/// it does not arrive.
pub(crate) fn of_colleague(
    message: &ColleagueMessage,
    name: &str,
    text: &str,
) -> Option<MirrorStep> {
    is_mirrored(&message.conversation_id).then(|| MirrorStep {
        conversation_id: message.conversation_id.clone(),
        id: match message.unsent {
            true => message.outbound_id().to_string(),
            false => name.to_owned(),
        },
        at: message.at,
        what: MirrorWhat::Colleague {
            text: text.to_owned(),
        },
    })
}

/// What comes of a message that a colleague wrote in the help desk.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    /// What the customer gets.
    pub(crate) reply: Option<OutboundMessage>,
    /// What the help desk is told.
    pub(crate) steps: Vec<MirrorStep>,
}

const NO_FILES: &str =
    "Files cannot be sent from here. Write text, or send the file from the telephone.";
const NOT_SHOWN: &str = "This conversation is not connected any more: nothing was sent.";

/// None of a message that was written elsewhere. `ours` is the address that the customer wrote to last.
pub(crate) fn answered(
    message: &ColleagueMessage,
    name: &str,
    ours: Option<&str>,
) -> Option<Answered> {
    let mirrored = message.mirrored?;
    let mut answered = Answered::default();
    if message.takes_over() {
        let agent = mirrored.agent;
        let what = MirrorWhat::Answered { agent };
        answered
            .steps
            .push(step(message, format!("{name}:answered"), what));
    }
    let resend = match mirrored.wanted {
        Wanted::Delivered => return Some(answered),
        Wanted::Answer | Wanted::Automation => 0,
        Wanted::Again { resend } => resend,
    };
    let place = place(&message.conversation_id, ours).filter(|_| message.attachments.is_empty());
    let Some((source, to, endpoint)) = place else {
        answered.steps.extend(failed(message, name, NO_FILES));
        return Some(answered);
    };
    answered.reply = Some(OutboundMessage {
        id: message.outbound_id().resend(resend),
        mirrored: Some(mirrored.message),
        ..as_outbound(message, source, to, endpoint)
    });
    Some(answered)
}

/// What the customer gets of a message that was written in the console.
pub(crate) fn unsent(message: &ColleagueMessage, ours: Option<&str>) -> Option<OutboundMessage> {
    let (source, to, endpoint) = place(&message.conversation_id, ours)?;
    Some(as_outbound(message, source, to, endpoint))
}

fn as_outbound(
    message: &ColleagueMessage,
    source: Source,
    to: ChannelAddress,
    endpoint: Endpoint,
) -> OutboundMessage {
    OutboundMessage {
        id: message.outbound_id(),
        source,
        conversation_id: message.conversation_id.clone(),
        to,
        endpoint,
        text: message.content.clone(),
        in_reply_to: message.id.clone(),
        purpose: Purpose::Colleague,
        template: message.template.clone(),
        picture: None,
        handoff_note: None,
        not_before: None,
        colleague_seen: None,
        mirrored: None,
        created_at: message.at,
    }
}

/// What is shown of a message that nobody's turn said, such as that nobody took the hand-over in time.
pub(crate) fn of_late_reply(reply: &OutboundMessage) -> Option<MirrorStep> {
    is_mirrored(&reply.conversation_id).then(|| MirrorStep {
        conversation_id: reply.conversation_id.clone(),
        id: reply.id.to_string(),
        at: reply.created_at,
        what: said(&reply.text, reply.picture.as_ref()),
    })
}

/// What the bot said. Files are named, not copied.
fn said(text: &str, picture: Option<&Picture>) -> MirrorWhat {
    let text = picture.map_or_else(|| text.to_owned(), |one| format!("{text}\n{}", one.url));
    MirrorWhat::Bot { text }
}

/// Whether an event of the help desk is about a conversation that is held elsewhere, and shown there.
pub(crate) fn is_about_shown(event: &ControlEvent, name: &str) -> bool {
    event.source == Source::Chatwoot && !is_told_by_kin(name) && is_mirrored(&event.conversation_id)
}

/// A message of a conversation that is not known here, as after an erasure.
pub(crate) fn unknown(message: &ColleagueMessage, name: &str) -> Option<MirrorStep> {
    failed(message, name, NOT_SHOWN)
}

fn failed(message: &ColleagueMessage, name: &str, why: &str) -> Option<MirrorStep> {
    let what = MirrorWhat::Tick {
        of: Ticked::Theirs(message.mirrored?.message),
        status: TickStatus::Failed,
        error: Some(why.to_owned()),
    };
    Some(step(message, format!("{name}:failed"), what))
}

fn step(message: &ColleagueMessage, id: String, what: MirrorWhat) -> MirrorStep {
    MirrorStep {
        conversation_id: message.conversation_id.clone(),
        id,
        at: message.at,
        what,
    }
}

/// Over which channel the customer of a conversation is reached, and from where.
fn place(
    conversation: &ConversationId,
    ours: Option<&str>,
) -> Option<(Source, ChannelAddress, Endpoint)> {
    let source = conversation.source()?;
    let name = conversation.as_str();
    let (to, session) = match source {
        Source::Twilio => (name, None),
        Source::Waha => {
            let (session, chat) = name.strip_prefix("waha:")?.split_once(':')?;
            (chat, Some(session.to_owned()))
        }
        Source::Chatwoot => {
            let (account, display) = name.strip_prefix("chatwoot:")?.split_once(':')?;
            let endpoint = Endpoint {
                account_id: account.parse().ok(),
                conversation_id: Some(display.parse().ok()?),
                ..Endpoint::default()
            };
            return Some((source, name.parse().ok()?, endpoint));
        }
    };
    let endpoint = Endpoint {
        address: ours.and_then(|ours| ours.parse().ok()),
        session,
        ..Endpoint::default()
    };
    Some((source, to.parse().ok()?, endpoint))
}

fn is_mirrored(conversation: &ConversationId) -> bool {
    matches!(conversation.source(), Some(Source::Twilio | Source::Waha))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_late_reply_is_shown_with_the_address_of_its_picture() {
        let reply = json!({
            "id": "o:1", "source": "twilio", "conversation_id": "whatsapp:+31612345678",
            "to": "whatsapp:+31612345678", "endpoint": {}, "text": "Er is een Golf",
            "picture": {"url": "https://a.test/golf.jpg", "caption": "Golf"},
            "in_reply_to": "SM1", "purpose": "reply", "created_at": "2026-12-01T10:00:00Z",
        });
        let mut reply: OutboundMessage = serde_json::from_value(reply).unwrap();
        let shown = |reply: &OutboundMessage| match of_late_reply(reply).unwrap().what {
            MirrorWhat::Bot { text } => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(shown(&reply), "Er is een Golf\nhttps://a.test/golf.jpg");
        reply.picture = None;
        assert_eq!(shown(&reply), "Er is een Golf");
    }
}
