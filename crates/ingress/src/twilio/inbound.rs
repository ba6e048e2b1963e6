//! From Twilio's parameters to the one inbound message. Pure.
//!
//! Twilio's parameters: <https://www.twilio.com/docs/messaging/guides/webhook-request>.

use jiff::Timestamp;
use shared_types::{
    Channel, ChannelAddress, ConversationRef, Endpoint, InboundMessage, MessageId, MessageType,
    Sender, Source,
};

use super::form::ParamError;
use super::{Params, content};
use crate::event::{Event, Reading, Rejection};
use crate::lenient::Unread;
use crate::text::{clean_line, message_text};
use crate::whatsapp::machine;

/// The longest text that Twilio hands over.
const MAX_CHARS: usize = 1_600;
const MAX_NAME_CHARS: usize = 100;
const MAX_LINE_CHARS: usize = 500;

/// The parameters of a message. Only id, sender and text must be what they should be.
#[derive(Clone, Copy)]
pub(super) struct Optional<'a> {
    pub(super) params: &'a Params<'a>,
    pub(super) unread: &'a Unread,
}

impl<'a> Optional<'a> {
    /// A parameter that a message can do without.
    pub(super) fn text(self, name: &'static str) -> Option<&'a str> {
        self.params.get(name).unwrap_or_else(|_| {
            self.unread.note(name);
            None
        })
    }

    pub(super) fn line(self, name: &'static str) -> Option<String> {
        self.text(name)
            .and_then(|text| clean_line(text, MAX_LINE_CHARS))
    }

    /// What `read` makes of a parameter; one that is there and cannot be read is named.
    pub(super) fn read<T>(
        self,
        name: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Option<T> {
        let value = read(self.text(name)?);
        if value.is_none() {
            self.unread.note(name);
        }
        value
    }

    pub(super) fn address(self, name: &'static str) -> Option<ChannelAddress> {
        self.read(name, |text| text.parse().ok())
    }

    pub(super) fn flag(self, name: &'static str) -> bool {
        self.text(name) == Some("true")
    }
}

/// Reads an inbound WhatsApp message.
pub fn read_message(params: &Params<'_>, received_at: Timestamp) -> Reading {
    let id = match params.get("MessageSid") {
        Ok(Some(id)) => id,
        Ok(None) => {
            let text = "the parameter MessageSid is missing";
            return Reading::Rejected(Rejection::new("missing_message_sid", text));
        }
        Err(error) => return Reading::Rejected(unusable("MessageSid", error)),
    };
    message(params, id, received_at).unwrap_or_else(|rejection| Reading::Rejected(rejection.of(id)))
}

fn message(params: &Params<'_>, id: &str, received_at: Timestamp) -> Result<Reading, Rejection> {
    if params.is_malformed() {
        let text = "the body has a percent sign that two hexadecimal digits do not follow";
        return Err(Rejection::new("invalid_percent_encoding", text));
    }
    let id: MessageId = id
        .parse()
        .map_err(|error| Rejection::new("invalid_message_sid", format!("MessageSid: {error}")))?;
    let from = sender_address(params)?;
    let unread = Unread::default();
    let given = Optional {
        params,
        unread: &unread,
    };
    if let Some(reason) = not_a_customer(given, &from) {
        return Ok(Reading::Ignored(reason));
    }
    let button = content::button(given);
    let mut text = message_text(required(params, "Body")?.unwrap_or_default(), MAX_CHARS)?;
    if let Some(button) = button.as_ref().filter(|_| text.is_empty()) {
        text.clone_from(&button.text);
    }
    let mut attachments = content::attachments(given, text.is_empty());
    if let Some(name) = content::file_name(given, &text)
        && let [file] = attachments.as_mut_slice()
    {
        file.file_name = Some(name);
        text.clear();
    }
    let location = content::location(given);
    if text.is_empty() && attachments.is_empty() && location.is_none() {
        return Ok(Reading::Ignored("nothing_said"));
    }
    let sender = sender(given, from);
    let conversation = String::from(sender.id.clone());
    let message = InboundMessage {
        id,
        conversation: ConversationRef {
            id: conversation.try_into().map_err(|_| invalid_sender())?,
            begun_at: None,
        },
        sender,
        content: text,
        message_type: MessageType::Incoming,
        channel: Channel::Whatsapp,
        source: Source::Twilio,
        endpoint: given.address("To").map(|address| Endpoint {
            address: Some(address),
            ..Endpoint::default()
        }),
        attachments,
        location,
        button,
        reply_to: content::reply_to(given),
        forwarded: given.flag("Forwarded") || given.flag("FrequentlyForwarded"),
        referral: content::referral(given),
        edits: None,
        provider_word: content::provider_word(given),
        late: false,
        too_late: false,
        received_at: Some(received_at),
        written_at: None,
        unread: unread.names(),
    };
    Ok(Reading::Event(Event::Message(Box::new(message))))
}

/// Groups, machines, and what WhatsApp itself or a mere thumb says.
fn not_a_customer(given: Optional<'_>, from: &ChannelAddress) -> Option<&'static str> {
    if given.text("GroupId").is_some() {
        return Some("group");
    }
    match given.text("MessageType") {
        Some("reaction") => return Some("reaction"),
        Some("system") => return Some("nothing_said"),
        _ => {}
    }
    let number = from.local_part().strip_prefix('+').or(given.text("WaId"));
    number.and_then(machine)
}

fn sender_address(params: &Params<'_>) -> Result<ChannelAddress, Rejection> {
    let from = required(params, "From")?.ok_or_else(invalid_sender)?;
    if !from.starts_with("whatsapp:") {
        return Err(Rejection::new(
            "not_whatsapp",
            "From is not a WhatsApp address",
        ));
    }
    from.parse()
        .map_err(|error| Rejection::new("invalid_sender", format!("From: {error}")))
}

fn invalid_sender() -> Rejection {
    Rejection::new(
        "invalid_sender",
        "the parameter From is missing or not an address",
    )
}

/// Who wrote: by number, by business-scoped id (`ExternalUserId`), and by WhatsApp id (`WaId`, the
/// digits of a number), whichever of them there are.
fn sender(given: Optional<'_>, from: ChannelAddress) -> Sender {
    let of_whatsapp = given.read("WaId", |digits| format!("whatsapp:+{digits}").parse().ok());
    let scoped = given.address("ExternalUserId");
    let mut aliases: Vec<ChannelAddress> = Vec::new();
    for alias in [of_whatsapp, scoped].into_iter().flatten() {
        if alias != from && !aliases.contains(&alias) {
            aliases.push(alias);
        }
    }
    let numbers = std::iter::once(&from).chain(&aliases);
    Sender {
        name: given
            .text("ProfileName")
            .and_then(|name| clean_line(name, MAX_NAME_CHARS)),
        phone_number: numbers.into_iter().find_map(ChannelAddress::phone_number),
        phone_number_is_claimed: false,
        username: None,
        id: from,
        aliases,
    }
}

fn required<'p>(params: &'p Params<'_>, name: &str) -> Result<Option<&'p str>, Rejection> {
    params.get(name).map_err(|error| unusable(name, error))
}

/// What is wrong with a parameter.
pub(super) fn unusable(name: &str, error: ParamError) -> Rejection {
    match error {
        ParamError::Repeated => Rejection::new(
            "repeated_parameter",
            format!("the parameter {name} is given more than once with different values"),
        ),
        ParamError::NotUtf8 => Rejection::new(
            "invalid_encoding",
            format!("the parameter {name} is not UTF-8"),
        ),
    }
}
