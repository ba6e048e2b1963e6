//! What WAHA's engines add in `_data`: WhatsApp's own message (NOWEB, GOWS) or WhatsApp Web's
//! (WEBJS). It names what WAHA's payload has no field for. Pure.
//!
//! Names of kinds: `WAProto.Message` of Baileys and whatsmeow, `MessageTypes` of whatsapp-web.js.

use serde_json::Value;
use shared_types::{ButtonReply, Referral};

use crate::lenient::Fields;
use crate::text::clean_line;
use crate::whatsapp::form_answers;

const MAX_LINE_CHARS: usize = 500;
const MAX_WRAPPERS: usize = 5;

/// What a message is, by its engine's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// The engine says nothing of it.
    Untold,
    /// Text, a place or a contact.
    Plain,
    /// A file of this kind.
    File(&'static str),
    /// A tap on something that we sent.
    Tapped,
    /// Something else that a person sent, by WhatsApp's name for it.
    Thing(String),
    /// Nothing that anybody said.
    Housekeeping,
}

/// The part of `_data` that the message is in.
#[derive(Clone, Copy)]
pub(super) struct Engine<'a> {
    data: Fields<'a>,
    /// The kind's name and its object; none for WEBJS, where all is in `data`.
    proto: Option<(&'a str, Fields<'a>)>,
}

/// Beside the message, never the message.
const BESIDE: [&str; 3] = [
    "messageContextInfo",
    "senderKeyDistributionMessage",
    "fastRatchetKeySenderKeyDistributionMessage",
];

/// Messages of the protocol that no person wrote.
const PROTO_HOUSEKEEPING: &[&str] = &[
    "albumMessage",
    "botTaskMessage",
    "call",
    "callLogMesssage",
    "callLogMessage",
    "cancelPaymentRequestMessage",
    "chat",
    "declinePaymentRequestMessage",
    "encCommentMessage",
    "encEventResponseMessage",
    "encReactionMessage",
    "initialSecurityNotificationSettingSync",
    "keepInChatMessage",
    "limitSharingMessage",
    "messageHistoryBundle",
    "messageHistoryMetadata",
    "messageHistoryNotice",
    "pinInChatMessage",
    "placeholderMessage",
    "pollUpdateMessage",
    "protocolMessage",
    "reactionMessage",
    "requestPhoneNumberMessage",
    "requestWelcomeMessage",
    "scheduledCallEditMessage",
    "secretEncryptedMessage",
    "statusNotificationMessage",
    "stickerSyncRmrMessage",
];

/// The same in WhatsApp Web's words.
const WEB_HOUSEKEEPING: &[&str] = &[
    "album",
    "broadcast_notification",
    "call_log",
    "ciphertext",
    "debug",
    "e2e_notification",
    "gp2",
    "group_notification",
    "keep_in_chat",
    "newsletter_notification",
    "notification",
    "notification_template",
    "pinned_message",
    "poll_update",
    "poll_vote",
    "protocol",
    "reaction",
    "reaction_enc",
    "request_phone_number",
    "revoked",
];

impl<'a> Engine<'a> {
    pub(super) fn of(data: Fields<'a>) -> Self {
        let message = ["message", "Message"]
            .into_iter()
            .find_map(|name| data.object(name));
        Self {
            data,
            proto: message.and_then(|message| unwrapped(message, MAX_WRAPPERS)),
        }
    }

    pub(super) fn kind(self) -> Kind {
        if let Some((name, _)) = self.proto {
            return proto_kind(name, self.form().is_some());
        }
        let web = self.data.raw("type").and_then(Value::as_str);
        web.map_or(Kind::Untold, web_kind)
    }

    /// The message's own object.
    fn node(self) -> Fields<'a> {
        self.proto.map_or(self.data, |(_, node)| node)
    }

    /// The first of these places that has a text.
    fn word(self, places: &[&str]) -> Option<&'a str> {
        let node = self.node().value();
        let text = |place: &&str| node.pointer(place)?.as_str();
        places.iter().filter_map(text).find(|text| !text.is_empty())
    }

    /// The text of a message whose `body` is missing.
    pub(super) fn text(self) -> Option<&'a str> {
        match self.proto {
            Some((_, node)) => node.value().as_str().or_else(|| self.word(&["/text"])),
            None if self.data.raw("type").and_then(Value::as_str) == Some("chat") => {
                self.word(&["/body"])
            }
            None => None,
        }
    }

    /// Shared contacts, as cards.
    pub(super) fn cards(self) -> Vec<&'a str> {
        let web = self.data.raw("type").and_then(Value::as_str);
        if web == Some("vcard") && self.proto.is_none() {
            return self.word(&["/body"]).into_iter().collect();
        }
        let node = self.node().value();
        let lists = ["contacts", "vcardList"].into_iter();
        let listed = lists
            .filter_map(|name| node.get(name)?.as_array())
            .flatten();
        let card = |contact: &'a Value| contact.get("vcard").and_then(Value::as_str);
        listed.filter_map(card).chain(card(node)).collect()
    }

    /// Degrees, north and east, as the engine has them.
    pub(super) fn degrees(self) -> Option<(f64, f64)> {
        let node = self.node().value();
        [("degreesLatitude", "degreesLongitude"), ("lat", "lng")]
            .into_iter()
            .find_map(|(north, east)| Some((node.get(north)?.as_f64()?, node.get(east)?.as_f64()?)))
    }

    /// The MIME type of a file.
    pub(super) fn mimetype(self) -> Option<&'a str> {
        self.word(&["/mimetype"])
    }

    /// What was tapped.
    pub(super) fn tapped(self) -> Option<ButtonReply> {
        if self.kind() != Kind::Tapped {
            return None;
        }
        let text = self.word(&[
            "/selectedDisplayText",
            "/title",
            "/listResponse/title",
            "/body/text",
            "/body",
        ]);
        let payload = self.word(&[
            "/singleSelectReply/selectedRowId",
            "/singleSelectReply/selectedRowID",
            "/listResponse/singleSelectReply/selectedRowId",
            "/selectedButtonId",
            "/selectedButtonID",
            "/selectedId",
            "/selectedID",
        ]);
        let of_flow = || {
            let id = self.flow()?.get("id")?.as_str()?.to_owned();
            clean_line(&id, MAX_LINE_CHARS)
        };
        let payload = payload
            .and_then(|payload| clean_line(payload, MAX_LINE_CHARS))
            .or_else(of_flow);
        let text = text.and_then(|text| clean_line(text, MAX_LINE_CHARS));
        Some(ButtonReply {
            // A row or button without a text is known by what we attached to it.
            text: text.or_else(|| payload.clone())?,
            payload,
        })
    }

    /// What a native answer carries, which is JSON within JSON.
    fn flow(self) -> Option<Value> {
        serde_json::from_str(self.word(&["/nativeFlowResponseMessage/paramsJson"])?).ok()
    }

    /// The answers to a form.
    fn form(self) -> Option<String> {
        form_answers(&self.flow()?)
    }

    /// The words of a [`Kind::Thing`].
    pub(super) fn words(self) -> Option<String> {
        if let Some(answers) = self.form() {
            return Some(answers);
        }
        let node = self.node().value();
        let names = [
            "/name",
            "/pollName",
            "/eventName",
            "/product/title",
            "/title",
            "/orderTitle",
            "/groupName",
            "/inviteGrpName",
            "/newsletterName",
            "/displayName",
            "/message",
            "/caption",
            "/description",
            "/eventDescription",
            "/product/description",
            "/location/name",
            "/text",
            "/contentText",
            "/body/text",
            "/noteMessage/conversation",
            "/noteMessage/extendedTextMessage/text",
            "/hydratedTemplate/hydratedContentText",
            "/hydratedFourRowTemplate/hydratedContentText",
            "/interactiveMessageTemplate/body/text",
        ];
        let told = names
            .into_iter()
            .filter_map(|place| node.pointer(place)?.as_str());
        let lists = ["options", "pollOptions"].into_iter();
        let options = lists
            .filter_map(|name| node.get(name)?.as_array())
            .flatten();
        let option = |option: &'a Value| {
            let name = option.get("optionName").or_else(|| option.get("name"));
            name.and_then(Value::as_str)
        };
        let starts = ["startTime", "eventStartTime"].into_iter();
        let starts = starts.filter_map(|name| time(node.get(name)?));
        let words: Vec<String> = told
            .chain(options.filter_map(option))
            .map(str::to_owned)
            .chain(starts)
            .filter(|word| !word.is_empty())
            .collect();
        clean_line(&words.join(", "), MAX_LINE_CHARS)
    }

    /// The advertisement behind the message.
    pub(super) fn referral(self) -> Option<Referral> {
        let node = self.node().value();
        let ad = node
            .pointer("/contextInfo/externalAdReply")
            .or_else(|| node.get("ctwaContext"))?;
        let line = |names: &[&str]| {
            let text = names.iter().find_map(|name| ad.get(name)?.as_str());
            text.and_then(|text| clean_line(text, MAX_LINE_CHARS))
        };
        let referral = Referral {
            source_id: line(&["sourceId", "sourceID"]),
            source_type: line(&["sourceType"]),
            source_url: line(&["sourceUrl", "sourceURL"]),
            headline: line(&["title"]),
            body: line(&["body", "description"]),
            click_id: line(&["ctwaClid"]),
        };
        // A preview of a link has the same shape, and comes from no advertisement.
        let is_ad = referral.source_id.is_some()
            || referral.click_id.is_some()
            || referral.source_type.as_deref() == Some("ad")
            || node.get("ctwaContext").is_some();
        is_ad.then_some(referral)
    }

    /// The id, author and text of the quoted message.
    pub(super) fn quoted(self) -> Option<(&'a str, Option<&'a str>, Option<&'a str>)> {
        let id = self.word(&[
            "/contextInfo/stanzaId",
            "/contextInfo/stanzaID",
            "/quotedStanzaID",
        ])?;
        let author = self.word(&["/contextInfo/participant", "/quotedParticipant"]);
        let text = self.word(&[
            "/contextInfo/quotedMessage/conversation",
            "/contextInfo/quotedMessage/extendedTextMessage/text",
            "/quotedMsg/body",
        ]);
        Some((id, author, text))
    }

    pub(super) fn is_forwarded(self) -> bool {
        let node = self.node().value();
        ["/contextInfo/isForwarded", "/isForwarded"]
            .into_iter()
            .any(|place| node.pointer(place) == Some(&Value::Bool(true)))
    }
}

/// Seconds since 1970, as a number or a text, in words.
fn time(seconds: &Value) -> Option<String> {
    let seconds = seconds
        .as_i64()
        .or_else(|| seconds.as_str()?.parse().ok())?;
    Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
}

/// The message within its wrappers (disappearing, seen once, with a caption).
fn unwrapped<'a>(message: Fields<'a>, wrappers: usize) -> Option<(&'a str, Fields<'a>)> {
    let members = message.value().as_object()?.iter();
    let members: Vec<_> = members
        .filter(|(name, value)| !value.is_null() && !BESIDE.contains(&name.as_str()))
        .collect();
    let said = |(name, _): &&(&String, &Value)| !PROTO_HOUSEKEEPING.contains(&name.as_str());
    let (name, value) = members.iter().find(said).or_else(|| members.first())?;
    let inner = value.get("message").filter(|inner| inner.is_object());
    match inner.filter(|_| wrappers > 0) {
        Some(inner) => unwrapped(message.within(inner), wrappers - 1),
        None => Some((name, message.within(value))),
    }
}

fn proto_kind(name: &str, is_form: bool) -> Kind {
    let thing = |kind: &str| Kind::Thing(kind.to_owned());
    match name {
        "conversation"
        | "extendedTextMessage"
        | "locationMessage"
        | "liveLocationMessage"
        | "contactMessage"
        | "contactsArrayMessage" => Kind::Plain,
        "imageMessage" => Kind::File("image"),
        "videoMessage" | "ptvMessage" => Kind::File("video"),
        "audioMessage" => Kind::File("audio"),
        "documentMessage" => Kind::File("document"),
        "stickerMessage" | "stickerPackMessage" => Kind::File("sticker"),
        "interactiveResponseMessage" if is_form => thing("form"),
        "listResponseMessage"
        | "buttonsResponseMessage"
        | "templateButtonReplyMessage"
        | "interactiveResponseMessage" => Kind::Tapped,
        _ if PROTO_HOUSEKEEPING.contains(&name) => Kind::Housekeeping,
        _ if name.starts_with("pollCreation") => thing("poll"),
        "groupInviteMessage"
        | "newsletterAdminInviteMessage"
        | "newsletterFollowerInviteMessage" => thing("invitation"),
        _ => thing(&plain_name(name.trim_end_matches("Message"))),
    }
}

fn web_kind(name: &str) -> Kind {
    let thing = |kind: &str| Kind::Thing(kind.to_owned());
    match name {
        "chat" | "location" | "vcard" | "multi_vcard" => Kind::Plain,
        "image" => Kind::File("image"),
        "video" | "gif" | "ptv" => Kind::File("video"),
        "audio" | "ptt" => Kind::File("audio"),
        "document" => Kind::File("document"),
        "sticker" | "sticker_pack" => Kind::File("sticker"),
        "list_response" | "buttons_response" | "template_button_reply" | "interactive_response" => {
            Kind::Tapped
        }
        _ if WEB_HOUSEKEEPING.contains(&name) => Kind::Housekeeping,
        "poll_creation" => thing("poll"),
        "groups_v4_invite" => thing("invitation"),
        "event_creation" | "scheduled_event_creation" => thing("event"),
        _ => thing(&plain_name(name)),
    }
}

/// What becomes part of a content type.
fn plain_name(name: &str) -> String {
    let plain = name.chars().filter(char::is_ascii_alphanumeric).take(32);
    let plain: String = plain.collect();
    if plain.is_empty() {
        "unknown".into()
    } else {
        plain.to_ascii_lowercase()
    }
}
