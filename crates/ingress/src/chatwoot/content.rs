//! What a Chatwoot message carries beside its text. Pure.

use serde_json::Value;
use shared_types::{Attachment, Location, Referral, ReplyTo};

use crate::lenient::Fields;
use crate::text::clean_line;

const MAX_NAME_CHARS: usize = 100;
const MAX_LINE_CHARS: usize = 500;
const MAX_TRANSCRIPT_CHARS: usize = 4_000;

fn files<'a>(message: Fields<'a>) -> impl Iterator<Item = Fields<'a>> {
    let files = message.list("attachments").iter();
    files.map(move |file| message.within(file))
}

fn is_place(file: Fields<'_>) -> bool {
    file.text("file_type") == Some("location")
}

pub(super) fn attachments(message: Fields<'_>, is_unsupported: bool) -> Vec<Attachment> {
    let files = files(message).filter(|file| !is_place(*file));
    let mut attachments: Vec<Attachment> = files.map(attachment).collect();
    if is_unsupported {
        attachments.push(Attachment::of_kind("unsupported", None));
    }
    attachments
}

/// Something came that could not be read: the agents should at least know of it.
pub(super) fn or_unknown(mut attachments: Vec<Attachment>, nothing: bool) -> Vec<Attachment> {
    if nothing {
        attachments.push(Attachment::of_kind("unknown", None));
    }
    attachments
}

fn attachment(file: Fields<'_>) -> Attachment {
    let title = |max| {
        file.text("fallback_title")
            .and_then(|title| clean_line(title, max))
    };
    let kind = file.text("file_type").unwrap_or("file");
    let content_type = match kind {
        "contact" => return Attachment::contact(card(file)),
        "image" | "audio" | "video" => format!("{kind}/*"),
        _ => "application/octet-stream".into(),
    };
    Attachment {
        url: file.text("data_url").map(str::to_owned),
        content_type: Some(content_type),
        file_name: title(MAX_NAME_CHARS),
        text: file
            .text("transcribed_text")
            .and_then(|text| clean_line(text, MAX_TRANSCRIPT_CHARS)),
    }
}

/// Name and number of a shared contact.
fn card(file: Fields<'_>) -> Option<String> {
    let meta = file.object("meta");
    let part = |name| meta.and_then(|meta| meta.raw(name)?.as_str());
    let names: Vec<&str> = match part("formattedName") {
        Some(name) => vec![name],
        None => ["firstName", "lastName"]
            .into_iter()
            .filter_map(part)
            .collect(),
    };
    let name = Some(names.join(" ")).filter(|name| !name.trim().is_empty());
    let number = file.text("fallback_title").map(str::to_owned);
    let words: Vec<String> = name.into_iter().chain(number).collect();
    clean_line(&words.join(", "), MAX_LINE_CHARS)
}

pub(super) fn location(message: Fields<'_>) -> Option<Location> {
    let place = files(message).find(|file| is_place(*file))?;
    let degrees = |name, most: f64| place.number(name).filter(|degrees| degrees.abs() <= most);
    Some(Location {
        latitude: degrees("coordinates_lat", 90.0)?,
        longitude: degrees("coordinates_long", 180.0)?,
        address: None,
        label: place
            .text("fallback_title")
            .and_then(|title| clean_line(title, MAX_LINE_CHARS)),
    })
}

pub(super) fn reply_to(message: Fields<'_>) -> Option<ReplyTo> {
    let id = message.object("content_attributes")?.whole("in_reply_to")?;
    Some(ReplyTo {
        message_id: id.to_string().parse().ok()?,
        sender: None,
        text: None,
    })
}

/// The advertisement, in the words of WhatsApp's Cloud API.
pub(super) fn referral(message: Fields<'_>) -> Option<Referral> {
    let ad = message.object("content_attributes")?.object("referral")?;
    let line = |name: &str| {
        let text = ad.raw(name).and_then(Value::as_str);
        text.and_then(|text| clean_line(text, MAX_LINE_CHARS))
    };
    let referral = Referral {
        source_id: line("source_id"),
        source_type: line("source_type"),
        source_url: line("source_url"),
        headline: line("headline"),
        body: line("body"),
        click_id: line("ctwa_clid"),
    };
    Some(referral).filter(|referral| *referral != Referral::default())
}
