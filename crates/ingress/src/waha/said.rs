//! What a WAHA message says: text, files, place, contacts and the rest. Pure.

use serde_json::Value;
use shared_types::{Attachment, ButtonReply, Location, ReplyTo, card_text};

use super::engine::{Engine, Kind};
use crate::event::Rejection;
use crate::lenient::{Fields, Unread};
use crate::text::{MAX_CHARS, clean_line, message_text};
use crate::whatsapp::chat_of;

const MAX_NAME_CHARS: usize = 100;
const MAX_LINE_CHARS: usize = 500;
const MAX_QUOTED_CHARS: usize = 1_000;
/// WhatsApp lets people share 257 contacts at once.
const MAX_CARDS: usize = 300;
const MAX_FILES: usize = 30;

/// Everything that a person put into a message.
pub(super) struct Said {
    pub(super) content: String,
    pub(super) attachments: Vec<Attachment>,
    pub(super) location: Option<Location>,
    pub(super) button: Option<ButtonReply>,
}

impl Said {
    /// None when nothing was said.
    ///
    /// # Errors
    /// When the text is longer than WhatsApp allows.
    pub(super) fn read(
        message: Fields<'_>,
        engine: Engine<'_>,
        unread: &Unread,
    ) -> Result<Option<Self>, Rejection> {
        let kind = engine.kind();
        if kind == Kind::Housekeeping {
            return Ok(None);
        }
        let body = message.words("body");
        let body = body.as_ref();
        let place = Place::read(message, engine);
        let mut cards = cards(message, engine);
        if cards.is_empty() && body.starts_with("BEGIN:VCARD") {
            cards.push(body);
        }
        // Beside a place the body is a picture of the map, beside contacts their cards.
        let is_text = cards.is_empty() && !place.was_sent && !is_picture(body);
        let words = Some(body).filter(|body| is_text && !body.trim().is_empty());
        let words = words
            .or(place.comment)
            .or_else(|| engine.text().filter(|text| is_text && !is_picture(text)));
        let button = engine.tapped();
        let mut content = message_text(words.unwrap_or_default(), MAX_CHARS)?;
        if let Some(button) = button.as_ref().filter(|_| content.is_empty()) {
            content.clone_from(&button.text);
        }
        let mut attachments = files(message, engine, &kind);
        let cards = cards.into_iter().take(MAX_CARDS);
        attachments.extend(cards.map(|card| Attachment::contact(card_text(card))));
        if let Kind::Thing(name) = &kind {
            attachments.push(Attachment::of_kind(name, engine.words()));
        }
        if place.was_sent && place.location.is_none() {
            attachments.push(Attachment::of_kind("location", None));
        }
        let nothing = content.is_empty() && attachments.is_empty() && place.location.is_none();
        if nothing && unread.is_empty() {
            return Ok(None);
        }
        if nothing {
            // Something came that could not be read: the agents should at least know of it.
            attachments.push(Attachment::of_kind("unknown", None));
        }
        Ok(Some(Self {
            content,
            attachments,
            location: place.location,
            button,
        }))
    }
}

/// Some engines put the picture of a preview, in base64, where the text should be.
fn is_picture(text: &str) -> bool {
    const LEAST: usize = 100;
    let begins = ["/9j/", "iVBOR", "R0lGOD", "UklGR"];
    text.len() >= LEAST
        && begins.iter().any(|start| text.starts_with(start))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=\n".contains(&byte))
}

fn cards<'a>(message: Fields<'a>, engine: Engine<'a>) -> Vec<&'a str> {
    let listed: Vec<&str> = match message.raw("vCards") {
        Some(Value::String(card)) if card.starts_with("BEGIN:VCARD") => vec![card],
        _ => message.list("vCards").iter().filter_map(card).collect(),
    };
    if listed.is_empty() {
        engine.cards()
    } else {
        listed
    }
}

/// A card, or an object that has it.
fn card(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("vcard")?.as_str())
}

fn files(message: Fields<'_>, engine: Engine<'_>, kind: &Kind) -> Vec<Attachment> {
    let line = |text: &str| clean_line(text, MAX_LINE_CHARS);
    let media: Vec<Attachment> = media(message)
        .into_iter()
        .map(|media| Attachment {
            url: media.text("url").map(str::to_owned),
            content_type: media.text("mimetype").and_then(line),
            file_name: media
                .text("filename")
                .and_then(|name| clean_line(name, MAX_NAME_CHARS)),
            text: None,
        })
        .collect();
    if !media.is_empty() {
        return media;
    }
    match kind {
        // What WAHA does not download, it does not count as media either.
        Kind::File("sticker") => vec![Attachment::of_kind("sticker", None)],
        Kind::File(kind) => {
            let content_type = engine.mimetype().and_then(line);
            let mut file = Attachment::of_kind(kind, None);
            file.content_type = content_type.or(file.content_type);
            vec![file]
        }
        // The session is set not to download media; the agents should at least know of it.
        _ if message.flag("hasMedia") => vec![Attachment::default()],
        _ => vec![],
    }
}

/// The file, or a list of them.
fn media(message: Fields<'_>) -> Vec<Fields<'_>> {
    match message.raw("media") {
        Some(Value::Array(files)) => {
            let files = files.iter().filter(|file| file.is_object()).take(MAX_FILES);
            files.map(|file| message.within(file)).collect()
        }
        _ => message.object("media").into_iter().collect(),
    }
}

/// A place, and what was written beside it.
struct Place<'a> {
    was_sent: bool,
    location: Option<Location>,
    comment: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn read(message: Fields<'a>, engine: Engine<'a>) -> Self {
        let sent = message.raw("location").is_some();
        let place = message.object("location");
        let degrees =
            |place: Fields<'_>| Some((place.number("latitude")?, place.number("longitude")?));
        let degrees = place.and_then(degrees).or_else(|| engine.degrees());
        let degrees = degrees.filter(|(north, east)| north.abs() <= 90.0 && east.abs() <= 180.0);
        if sent && degrees.is_none() {
            message.note("location");
        }
        let line = |name| {
            let text = place.and_then(|place| place.text(name));
            text.and_then(|text| clean_line(text, MAX_LINE_CHARS))
        };
        let live = place.is_some_and(|place| place.flag("live"));
        let description = place.and_then(|place| place.text("description"));
        let comment = description.filter(|_| live);
        Self {
            was_sent: sent || degrees.is_some(),
            location: degrees.map(|(latitude, longitude)| Location {
                latitude,
                longitude,
                address: line("address"),
                label: line("name")
                    .or_else(|| line("title"))
                    .or_else(|| line("description").filter(|_| !live)),
            }),
            comment,
        }
    }
}

/// The quoted message: an object, its id alone, or only the engine's word for it.
pub(super) fn reply_to(message: Fields<'_>, engine: Engine<'_>) -> Option<ReplyTo> {
    let quoted = match message.raw("replyTo") {
        Some(Value::String(id)) => Some((id.as_str(), None, None)),
        Some(Value::Object(_)) => message.object("replyTo").and_then(|quoted| {
            let id = quoted.text("id")?;
            Some((id, quoted.text("participant"), quoted.text("body")))
        }),
        Some(_) => message.read("replyTo", |_| None),
        None => None,
    };
    let (id, author, text) = quoted.or_else(|| engine.quoted())?;
    Some(ReplyTo {
        message_id: id.parse().ok()?,
        sender: author.and_then(|address| chat_of(address).ok()),
        text: text
            .filter(|text| !is_picture(text))
            .and_then(|text| clean_line(text, MAX_QUOTED_CHARS)),
    })
}
