//! A customer's message as each engine has it: what WAHA makes of it, and the engine's own data beside it
//! in `_data` (WhatsApp Web's for WEBJS, WhatsApp's protocol for NOWEB and GOWS).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Engine, Session};
use crate::address;
use crate::customer::{CustomerMessage, Location, Media};

/// WhatsApp puts a small picture beside places and images, in base64.
const THUMBNAIL: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/wAALCAABAAEBAREA";

/// The payload of the event.
pub(super) fn payload(
    session: Session<'_>,
    id: &str,
    message: &CustomerMessage,
    now: Timestamp,
) -> Value {
    let chat = address::chat_id(&message.from);
    let is_web = session.engine == Engine::Webjs;
    let nothing = || if is_web { json!("") } else { Value::Null };
    let file = message.media.iter().find(|file| !file.is_card());
    let cards = message.media.iter().filter(|file| file.is_card());
    let cards: Vec<&str> = cards.filter_map(|file| file.content.as_deref()).collect();
    let body = match words(message) {
        "" if is_web && message.location.is_some() => json!(THUMBNAIL),
        "" if is_web && !cards.is_empty() => json!(cards.join("\n")),
        "" => nothing(),
        words => json!(words),
    };
    json!({
        "id": id,
        "timestamp": now.as_second(),
        "from": chat,
        "fromMe": false,
        "source": "app",
        "to": is_web.then_some(session.me),
        "participant": null,
        "body": body,
        "hasMedia": file.is_some(),
        "media": file.and_then(|file| file.url.as_ref().map(|url| json!({
            "url": url,
            "mimetype": file.content_type,
            "filename": file.filename,
            "error": null,
        }))),
        "ack": if is_web { 1 } else { 2 },
        "ackName": if is_web { "SERVER" } else { "DEVICE" },
        "vCards": if cards.is_empty() && !is_web { Value::Null } else { json!(cards) },
        "location": message.location.as_ref().map(|place| location(session.engine, place)),
        "replyTo": message.reply_to.as_ref().map(|quoted| json!({
            "id": key_of(quoted), "participant": session.me, "body": "", "hasMedia": false, "media": null,
        })),
        "_data": match session.engine {
            Engine::Webjs => web(session, id, &chat, message, now),
            Engine::Noweb => json!({
                "key": {
                    "remoteJid": jid(&chat), "fromMe": false, "id": key_of(id),
                    "addressingMode": mode(&chat),
                },
                "messageTimestamp": now.as_second(),
                "pushName": message.name,
                "broadcast": false,
                "message": proto(message, &cards),
            }),
            Engine::Gows => json!({
                "Info": {
                    "Chat": jid(&chat), "Sender": jid(&chat), "IsFromMe": false, "IsGroup": false,
                    "AddressingMode": mode(&chat), "SenderAlt": "", "RecipientAlt": "",
                    "ID": key_of(id), "PushName": message.name, "Timestamp": now.to_string(),
                },
                "Message": proto(message, &cards),
                "IsEphemeral": false,
                "RawMessage": null,
            }),
        },
    })
}

fn words(message: &CustomerMessage) -> &str {
    let button = message.button.as_ref().map(|button| button.text.as_str());
    let text = Some(message.text.as_str()).filter(|text| !text.is_empty());
    text.or(button).unwrap_or_default()
}

/// The last part of an id.
fn key_of(id: &str) -> &str {
    id.rsplit('_').next().unwrap_or(id)
}

/// The chat as the protocol names it.
fn jid(chat: &str) -> String {
    chat.replace("@c.us", "@s.whatsapp.net")
}

fn mode(chat: &str) -> &'static str {
    if chat.ends_with("@lid") { "lid" } else { "pn" }
}

fn location(engine: Engine, place: &Location) -> Value {
    let lines = [&place.label, &place.address].into_iter().flatten();
    let lines: Vec<&str> = lines.map(String::as_str).collect();
    let (latitude, longitude, description) = match engine {
        Engine::Webjs => (
            json!(place.latitude),
            json!(place.longitude),
            json!(lines.join("\n")),
        ),
        Engine::Noweb | Engine::Gows => (
            json!(place.latitude.to_string()),
            json!(place.longitude.to_string()),
            Value::Null,
        ),
    };
    json!({
        "live": false, "latitude": latitude, "longitude": longitude, "name": place.label,
        "address": place.address, "description": description, "thumbnail": THUMBNAIL,
    })
}

/// The message of WhatsApp Web.
fn web(
    session: Session<'_>,
    id: &str,
    chat: &str,
    message: &CustomerMessage,
    now: Timestamp,
) -> Value {
    let file = message.media.first();
    let kind = match file {
        _ if message.button.is_some() => "buttons_response",
        _ if message.location.is_some() => "location",
        Some(file) if file.is_card() => "vcard",
        Some(file) => match file.class() {
            "audio" => "ptt",
            class => class,
        },
        None => "chat",
    };
    let mut data = json!({
        "id": { "fromMe": false, "remote": chat, "id": key_of(id), "_serialized": id },
        "t": now.as_second(),
        "from": chat,
        "to": session.me,
        "notifyName": message.name,
        "ack": 1,
        "isNewMsg": true,
        "star": false,
        "type": kind,
        "body": match kind {
            "chat" | "buttons_response" => words(message),
            "vcard" => file.and_then(|file| file.content.as_deref()).unwrap_or_default(),
            _ => THUMBNAIL,
        },
    });
    if message.forwarded {
        data["isForwarded"] = json!(true);
    }
    if let Some(button) = &message.button {
        data["selectedButtonId"] = json!(button.payload);
    }
    if let Some(place) = &message.location {
        data["lat"] = json!(place.latitude);
        data["lng"] = json!(place.longitude);
    }
    if let Some(file) = file.filter(|file| !file.is_card()) {
        data["mimetype"] = json!(file.content_type);
        data["caption"] = json!(message.text);
    }
    if let Some(quoted) = &message.reply_to {
        data["quotedStanzaID"] = json!(key_of(quoted));
        data["quotedParticipant"] = json!(session.me);
    }
    if let Some(ad) = &message.referral {
        data["ctwaContext"] = json!({
            "sourceUrl": ad.source_url, "sourceId": ad.source_id, "title": ad.headline,
            "description": ad.body, "ctwaClid": ad.ctwa_clid,
        });
    }
    data
}

/// The message of WhatsApp's protocol.
fn proto(message: &CustomerMessage, cards: &[&str]) -> Value {
    let context = context(message);
    if let Some(button) = &message.button {
        return json!({ "buttonsResponseMessage": {
            "selectedButtonId": button.payload, "selectedDisplayText": button.text,
            "type": "DISPLAY_TEXT", "contextInfo": context,
        } });
    }
    if let Some(place) = &message.location {
        return json!({ "locationMessage": {
            "degreesLatitude": place.latitude, "degreesLongitude": place.longitude,
            "name": place.label, "address": place.address, "jpegThumbnail": THUMBNAIL,
        } });
    }
    match (message.media.first(), cards) {
        (_, [card]) => json!({ "contactMessage": { "vcard": card } }),
        (_, [_, ..]) => {
            let cards: Vec<Value> = cards.iter().map(|card| json!({ "vcard": card })).collect();
            json!({ "contactsArrayMessage": { "contacts": cards } })
        }
        (Some(file), []) => file_message(file, &message.text, &context),
        (None, []) if context.is_null() => json!({ "conversation": message.text }),
        (None, []) => json!({ "extendedTextMessage": {
            "text": message.text, "contextInfo": context,
        } }),
    }
}

fn file_message(file: &Media, caption: &str, context: &Value) -> Value {
    let caption = Some(caption).filter(|caption| !caption.is_empty());
    let name = match file.class() {
        "image" => "imageMessage",
        "audio" => "audioMessage",
        "video" => "videoMessage",
        "sticker" => "stickerMessage",
        _ => "documentMessage",
    };
    let node = json!({
        "mimetype": file.content_type, "caption": caption, "fileName": file.filename,
        "ptt": name == "audioMessage", "contextInfo": context,
    });
    if name == "documentMessage" && caption.is_some() {
        json!({ "documentWithCaptionMessage": { "message": { name: node } } })
    } else {
        json!({ name: node })
    }
}

/// What a message refers to; null for nothing.
fn context(message: &CustomerMessage) -> Value {
    let ad = message.referral.as_ref().map(|ad| {
        json!({
            "title": ad.headline, "body": ad.body, "sourceType": ad.source_type,
            "sourceId": ad.source_id, "sourceUrl": ad.source_url, "ctwaClid": ad.ctwa_clid,
        })
    });
    if message.reply_to.is_none() && ad.is_none() && !message.forwarded {
        return Value::Null;
    }
    json!({
        "stanzaId": message.reply_to.as_deref().map(key_of),
        "isForwarded": message.forwarded,
        "externalAdReply": ad,
    })
}
