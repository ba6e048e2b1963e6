//! From Twilio's parameters to the one inbound message. Pure (provider facts, section 1.2).

use jiff::Timestamp;
use shared_types::{
    Attachment, ButtonReply, Channel, ChannelAddress, ConversationRef, Endpoint, InboundMessage,
    Location, MessageId, MessageType, PhoneNumber, ProviderWord, Referral, ReplyTo, Sender, Source,
};

use super::Params;
use super::form::ParamError;
use crate::event::{Event, Reading, Rejection};
use crate::text::{MAX_CHARS, clean, clean_line};

/// WhatsApp sends one file a message; other channels up to ten.
const MAX_MEDIA: usize = 10;
const MAX_NAME_CHARS: usize = 100;
const MAX_REFERRAL_CHARS: usize = 500;

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
    match message(params, id, received_at) {
        Ok(message) => Reading::Event(Event::Message(Box::new(message))),
        Err(rejection) => Reading::Rejected(rejection.of(id)),
    }
}

fn message(
    params: &Params<'_>,
    id: &str,
    received_at: Timestamp,
) -> Result<InboundMessage, Rejection> {
    if params.is_malformed() {
        let text = "the body has a percent sign that two hexadecimal digits do not follow";
        return Err(Rejection::new("invalid_percent_encoding", text));
    }
    let id: MessageId = id
        .parse()
        .map_err(|error| Rejection::new("invalid_message_sid", format!("MessageSid: {error}")))?;
    let from = sender_address(params)?;
    let attachments = attachments(params)?;
    let location = location(params)?;
    let button = button(params)?;
    let content = content(params, button.as_ref())?;
    if content.is_empty() && attachments.is_empty() && location.is_none() {
        let text = "the message has no text, media, location or button";
        return Err(Rejection::new("empty_message", text));
    }
    let phone_number = match from.phone_number() {
        Some(number) => Some(number),
        None => whatsapp_number(params)?,
    };
    let alias = address(params, "ExternalUserId")?.filter(|alias| *alias != from);
    Ok(InboundMessage {
        id,
        conversation: ConversationRef {
            id: String::from(from.clone())
                .try_into()
                .map_err(|_| invalid_sender())?,
        },
        sender: Sender {
            id: from,
            name: text(params, "ProfileName")?.and_then(|name| clean_line(name, MAX_NAME_CHARS)),
            phone_number,
            aliases: alias.into_iter().collect(),
        },
        content,
        message_type: MessageType::Incoming,
        channel: Channel::Whatsapp,
        source: Source::Twilio,
        endpoint: recipient(params)?,
        attachments,
        location,
        button,
        reply_to: reply_to(params)?,
        forwarded: flag(params, "Forwarded")? || flag(params, "FrequentlyForwarded")?,
        referral: referral(params)?,
        provider_word: provider_word(params)?,
        received_at: Some(received_at),
    })
}

fn sender_address(params: &Params<'_>) -> Result<ChannelAddress, Rejection> {
    let from = text(params, "From")?.ok_or_else(invalid_sender)?;
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

fn recipient(params: &Params<'_>) -> Result<Option<Endpoint>, Rejection> {
    let address = match text(params, "To")? {
        None => return Ok(None),
        Some(to) => to.parse::<ChannelAddress>(),
    };
    match address {
        Ok(address) => Ok(Some(Endpoint {
            address: Some(address),
            ..Endpoint::default()
        })),
        Err(error) => Err(Rejection::new("invalid_recipient", format!("To: {error}"))),
    }
}

/// `WaId` is the number without its plus; the only trace of it when `From` holds another id.
fn whatsapp_number(params: &Params<'_>) -> Result<Option<PhoneNumber>, Rejection> {
    Ok(text(params, "WaId")?.and_then(|digits| format!("+{digits}").parse().ok()))
}

fn content(params: &Params<'_>, button: Option<&ButtonReply>) -> Result<String, Rejection> {
    let mut content = clean(text(params, "Body")?.unwrap_or_default());
    if let Some(button) = button.filter(|_| content.is_empty()) {
        content.clone_from(&button.text);
    }
    let length = content.chars().count();
    if length > MAX_CHARS {
        let text = format!("the text has {length} characters; {MAX_CHARS} are allowed");
        return Err(Rejection::new("message_too_long", text));
    }
    Ok(content)
}

fn attachments(params: &Params<'_>) -> Result<Vec<Attachment>, Rejection> {
    let count: usize = text(params, "NumMedia")?
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let mut attachments = Vec::new();
    for index in 0..count.min(MAX_MEDIA) {
        let url = text(params, &format!("MediaUrl{index}"))?.map(str::to_owned);
        let content_type = text(params, &format!("MediaContentType{index}"))?.map(str::to_owned);
        if url.is_some() || content_type.is_some() {
            attachments.push(Attachment {
                url,
                content_type,
                file_name: None,
            });
        }
    }
    let kind = text(params, "MessageType")?.unwrap_or("text");
    let carries_no_file = ["text", "interactive", "button", "location"].contains(&kind);
    if attachments.is_empty() && !carries_no_file && text(params, "Body")?.is_none() {
        // Contacts and whatever WhatsApp adds next: the agents should at least know of it.
        let kind: String = kind
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(32)
            .collect();
        let content_type = Some(format!(
            "application/x-whatsapp-{}",
            kind.to_ascii_lowercase()
        ));
        attachments.push(Attachment {
            url: None,
            content_type,
            file_name: None,
        });
    }
    Ok(attachments)
}

fn location(params: &Params<'_>) -> Result<Option<Location>, Rejection> {
    let degrees = |name, most: f64| {
        let value = text(params, name)?.and_then(|text| text.parse::<f64>().ok());
        Ok::<_, Rejection>(value.filter(|degrees| degrees.abs() <= most))
    };
    let (Some(latitude), Some(longitude)) =
        (degrees("Latitude", 90.0)?, degrees("Longitude", 180.0)?)
    else {
        return Ok(None);
    };
    let address = line(params, "Address")?;
    Ok(Some(Location {
        latitude,
        longitude,
        address,
        label: line(params, "Label")?,
    }))
}

fn button(params: &Params<'_>) -> Result<Option<ButtonReply>, Rejection> {
    for (title, payload) in [("ButtonText", "ButtonPayload"), ("ListTitle", "ListId")] {
        if let Some(text) = line(params, title)? {
            return Ok(Some(ButtonReply {
                text,
                payload: line(params, payload)?,
            }));
        }
    }
    Ok(None)
}

fn reply_to(params: &Params<'_>) -> Result<Option<ReplyTo>, Rejection> {
    let quoted = text(params, "OriginalRepliedMessageSid")?.and_then(|id| id.parse().ok());
    let Some(message_id) = quoted else {
        return Ok(None);
    };
    Ok(Some(ReplyTo {
        message_id,
        sender: address(params, "OriginalRepliedMessageSender")?,
    }))
}

/// Set where Twilio's Advanced Opt-Out took the text for one of its words, and has answered it.
fn provider_word(params: &Params<'_>) -> Result<Option<ProviderWord>, Rejection> {
    Ok(match text(params, "OptOutType")? {
        Some("STOP") => Some(ProviderWord::Stop),
        Some("START") => Some(ProviderWord::Start),
        Some("HELP") => Some(ProviderWord::Help),
        _ => None,
    })
}

fn referral(params: &Params<'_>) -> Result<Option<Referral>, Rejection> {
    let referral = Referral {
        source_id: line(params, "ReferralSourceId")?,
        source_type: line(params, "ReferralSourceType")?,
        source_url: line(params, "ReferralSourceUrl")?,
        headline: line(params, "ReferralHeadline")?,
        body: line(params, "ReferralBody")?,
        click_id: line(params, "ReferralCtwaClid")?,
    };
    Ok(Some(referral).filter(|referral| *referral != Referral::default()))
}

fn line(params: &Params<'_>, name: &str) -> Result<Option<String>, Rejection> {
    Ok(text(params, name)?.and_then(|text| clean_line(text, MAX_REFERRAL_CHARS)))
}

fn address(params: &Params<'_>, name: &str) -> Result<Option<ChannelAddress>, Rejection> {
    Ok(text(params, name)?.and_then(|text| text.parse().ok()))
}

fn flag(params: &Params<'_>, name: &str) -> Result<bool, Rejection> {
    Ok(text(params, name)? == Some("true"))
}

fn text<'p>(params: &'p Params<'_>, name: &str) -> Result<Option<&'p str>, Rejection> {
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
