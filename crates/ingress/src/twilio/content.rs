//! What a Twilio message carries beside its text. Pure.

use serde_json::Value;
use shared_types::{Attachment, ButtonReply, Location, ProviderWord, Referral, ReplyTo};

use super::inbound::Optional;
use crate::text::clean_line;
use crate::whatsapp::form_answers;

/// WhatsApp sends one file a message; other channels up to ten.
const MEDIA: [(&str, &str); 10] = [
    ("MediaUrl0", "MediaContentType0"),
    ("MediaUrl1", "MediaContentType1"),
    ("MediaUrl2", "MediaContentType2"),
    ("MediaUrl3", "MediaContentType3"),
    ("MediaUrl4", "MediaContentType4"),
    ("MediaUrl5", "MediaContentType5"),
    ("MediaUrl6", "MediaContentType6"),
    ("MediaUrl7", "MediaContentType7"),
    ("MediaUrl8", "MediaContentType8"),
    ("MediaUrl9", "MediaContentType9"),
];
const MAX_FORM_CHARS: usize = 2_000;

pub(super) fn attachments(given: Optional<'_>, without_text: bool) -> Vec<Attachment> {
    let count = given.read("NumMedia", |n| n.parse::<usize>().ok());
    let media = MEDIA.iter().take(count.unwrap_or(MEDIA.len()));
    let mut attachments: Vec<Attachment> = media
        .map(|(url, content_type)| Attachment {
            url: given.text(url).map(str::to_owned),
            content_type: given.line(content_type),
            ..Attachment::default()
        })
        .filter(|file| file.url.is_some() || file.content_type.is_some())
        .collect();
    attachments.extend(form(given));
    let kind = given.text("MessageType").unwrap_or("text");
    let is_placed = kind == "location" && location(given).is_some();
    let carries_no_file = ["text", "interactive", "button"].contains(&kind) || is_placed;
    if attachments.is_empty() && !carries_no_file && without_text {
        // Orders and whatever WhatsApp adds next: the agents should at least know of it.
        let kind: String = kind
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(32)
            .collect();
        attachments.push(Attachment::of_kind(&kind.to_ascii_lowercase(), None));
    }
    attachments
}

/// Twilio hands over a document's name as its text.
pub(super) fn file_name(given: Optional<'_>, text: &str) -> Option<String> {
    let is_document = given.text("MessageType") == Some("document");
    let (_, ending) = text.rsplit_once('.').filter(|_| is_document)?;
    let plain = ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_name = plain && (2..=5).contains(&ending.len()) && !text.contains('\n');
    is_name.then(|| text.to_owned())
}

/// The answers to a WhatsApp Flow. `InteractiveData` has them; `FlowData` is what an older name of
/// it held.
fn form(given: Optional<'_>) -> Option<Attachment> {
    let answers = |name| {
        let text = given.text(name)?;
        let answers = match serde_json::from_str::<Value>(text) {
            Ok(form) => form_answers(&form),
            Err(_) => clean_line(text, MAX_FORM_CHARS),
        };
        Some(Attachment::of_kind("form", answers))
    };
    answers("InteractiveData").or_else(|| answers("FlowData"))
}

pub(super) fn location(given: Optional<'_>) -> Option<Location> {
    let degrees = |name, most: f64| {
        given.read(name, |text| {
            let degrees = text.trim().replace(',', ".").parse::<f64>().ok();
            degrees.filter(|degrees| degrees.abs() <= most)
        })
    };
    Some(Location {
        latitude: degrees("Latitude", 90.0)?,
        longitude: degrees("Longitude", 180.0)?,
        address: given.line("Address"),
        label: given.line("Label"),
    })
}

/// A tap. A button without a text is known by what we attached to it.
pub(super) fn button(given: Optional<'_>) -> Option<ButtonReply> {
    [("ButtonText", "ButtonPayload"), ("ListTitle", "ListId")]
        .into_iter()
        .find_map(|(title, payload)| {
            let payload = given.line(payload);
            let text = given.line(title).or_else(|| payload.clone())?;
            Some(ButtonReply { text, payload })
        })
}

pub(super) fn reply_to(given: Optional<'_>) -> Option<ReplyTo> {
    Some(ReplyTo {
        message_id: given.read("OriginalRepliedMessageSid", |id| id.parse().ok())?,
        sender: given.address("OriginalRepliedMessageSender"),
        text: None,
    })
}

pub(super) fn referral(given: Optional<'_>) -> Option<Referral> {
    let referral = Referral {
        source_id: given.line("ReferralSourceId"),
        source_type: given.line("ReferralSourceType"),
        source_url: given.line("ReferralSourceUrl"),
        headline: given.line("ReferralHeadline"),
        body: given.line("ReferralBody"),
        click_id: given.line("ReferralCtwaClid"),
    };
    Some(referral).filter(|referral| *referral != Referral::default())
}

/// Twilio's own word on a text that ends or resumes messages.
pub(super) fn provider_word(given: Optional<'_>) -> Option<ProviderWord> {
    match given.text("OptOutType")?.to_ascii_uppercase().as_str() {
        "STOP" => Some(ProviderWord::Stop),
        "START" => Some(ProviderWord::Start),
        "HELP" => Some(ProviderWord::Help),
        _ => None,
    }
}
