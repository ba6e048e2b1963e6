//! What a message carries besides its text, in words for agents, colleagues and the CRM. Pure.

use jiff::Timestamp;
use shared_types::{Attachment, ColleagueMessage, HistoryLine, InboundMessage, Role};

use crate::dialogue::withhold;

/// The most of a message that the agents read, in characters. The history keeps it whole.
const READ_CHARS: usize = 4_096;

/// The conversation's line for a message: its text, or what it is.
pub(crate) fn customer_line(message: &InboundMessage, at: Timestamp) -> HistoryLine {
    let mut parts: Vec<String> = Vec::new();
    if message.edits.is_some() {
        parts.push("[edited]".into());
    }
    parts.extend(words(&message.content, &message.attachments));
    if message.location.is_some() && message.content.is_empty() {
        parts.push("[location]".into());
    }
    HistoryLine {
        role: Role::Customer,
        text: joined(&parts),
        at,
    }
}

/// The conversation's line for what a colleague wrote, without numbers that may not be kept.
pub(crate) fn colleague_line(message: &ColleagueMessage) -> HistoryLine {
    let (content, _) = withhold(&message.content);
    HistoryLine {
        role: Role::Colleague,
        text: joined(&words(&content, &message.attachments)),
        at: message.at,
    }
}

/// The text, and what was sent with it or instead of it.
fn words(content: &str, attachments: &[Attachment]) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    if !content.is_empty() {
        parts.push(content.to_owned());
    }
    for file in attachments {
        match &file.text {
            Some(text) => parts.push(format!("[{}] {text}", kind(file))),
            None if content.is_empty() => parts.push(format!("[{}]", kind(file))),
            None => {}
        }
    }
    parts
}

fn joined(parts: &[String]) -> String {
    match parts {
        [] => "[message without text]".into(),
        parts => parts.join(" "),
    }
}

/// `image` of `image/jpeg`, `poll` of `application/x-whatsapp-poll`.
fn kind(file: &Attachment) -> &str {
    if file.is_contact() {
        return "contact";
    }
    let content_type = file.content_type.as_deref().unwrap_or("file");
    let (kind, rest) = content_type.split_once('/').unwrap_or((content_type, ""));
    rest.strip_prefix("x-whatsapp-").unwrap_or(kind)
}

/// Leaves in a message what the agents read: as much of a long text as they can, or the words of a
/// form, a product or an order that has no text. A contact's card says nothing of its sender.
pub(crate) fn for_agents(message: &mut InboundMessage) {
    if message.content.is_empty() {
        let words = message.attachments.iter().filter(|file| !file.is_contact());
        let words: Vec<&str> = words.filter_map(|file| file.text.as_deref()).collect();
        message.content = words.join("\n");
    }
    if let Some((end, _)) = message.content.char_indices().nth(READ_CHARS) {
        message.content.truncate(end);
    }
}

/// What "this one" may be: the quoted message, the advertisement that opened the chat.
pub(crate) fn context(message: &InboundMessage) -> Option<String> {
    let quoted = message
        .reply_to
        .iter()
        .filter_map(|quoted| quoted.text.as_deref());
    let ad = message.referral.iter();
    let ad = ad
        .flat_map(|ad| [ad.headline.as_deref(), ad.body.as_deref()])
        .flatten();
    let words: Vec<&str> = quoted.chain(ad).collect();
    (!words.is_empty()).then(|| words.join("\n"))
}

/// What is noted with the lead, once there is one: where it came from, and whom the customer named.
pub(crate) fn lead_fields(message: &InboundMessage) -> Vec<(&'static str, String)> {
    let ad = message.referral.as_ref();
    let of_ad = [
        ("ad_click_id", ad.and_then(|ad| ad.click_id.clone())),
        ("ad_source_id", ad.and_then(|ad| ad.source_id.clone())),
        ("ad_source_url", ad.and_then(|ad| ad.source_url.clone())),
        ("ad_headline", ad.and_then(|ad| ad.headline.clone())),
    ];
    let cards = message.attachments.iter().filter(|file| file.is_contact());
    let cards: Vec<&str> = cards.filter_map(|file| file.text.as_deref()).collect();
    let shared = (!cards.is_empty()).then(|| cards.join("; "));
    of_ad
        .into_iter()
        .chain([("shared_contact", shared)])
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn message(additions: &Value) -> InboundMessage {
        let mut message = json!({
            "id": "A1", "conversation": {"id": "c"}, "sender": {"id": "31612345678@c.us"},
            "content": "", "message_type": "incoming", "channel": "whatsapp", "source": "waha",
        });
        message
            .as_object_mut()
            .unwrap()
            .extend(additions.as_object().unwrap().clone());
        serde_json::from_value(message).unwrap()
    }

    fn line(additions: &Value) -> String {
        customer_line(&message(additions), Timestamp::UNIX_EPOCH).text
    }

    #[test]
    fn the_history_says_what_came() {
        let poll = json!([{"content_type": "application/x-whatsapp-poll", "text": "Welke kleur?"}]);
        let card = json!([{"content_type": "text/vcard", "text": "Piet, +31611111111"}]);
        assert_eq!(line(&json!({"content": "hoi"})), "hoi");
        assert_eq!(
            line(&json!({"content": "hoi", "edits": "A0"})),
            "[edited] hoi"
        );
        assert_eq!(line(&json!({"attachments": poll})), "[poll] Welke kleur?");
        assert_eq!(
            line(&json!({"attachments": card})),
            "[contact] Piet, +31611111111"
        );
        assert_eq!(
            line(&json!({"attachments": [{"content_type": "image/jpeg"}]})),
            "[image]"
        );
        assert_eq!(
            line(&json!({"location": {"latitude": 1.0, "longitude": 1.0}})),
            "[location]"
        );
        assert_eq!(line(&json!({})), "[message without text]");
    }

    #[test]
    fn agents_read_the_words_of_what_is_no_text_and_the_head_of_what_is_long() {
        let mut order = message(&json!({"attachments": [
            {"content_type": "application/x-whatsapp-order", "text": "Ik wil deze Golf"},
            {"content_type": "text/vcard", "text": "Piet, +31611111111"},
        ]}));
        for_agents(&mut order);
        assert_eq!(order.content, "Ik wil deze Golf");
        let mut long = message(&json!({"content": "é".repeat(10_000)}));
        for_agents(&mut long);
        assert_eq!(long.content.chars().count(), READ_CHARS);
    }

    #[test]
    fn the_lead_knows_the_advertisement_and_the_contact() {
        let message = message(&json!({
            "referral": {"click_id": "ARA1", "source_id": "120", "headline": "Volkswagen Golf"},
            "reply_to": {"message_id": "A0", "text": "Wilt u een proefrit?"},
            "attachments": [{"content_type": "text/vcard", "text": "Piet, +31611111111"}],
        }));
        assert_eq!(
            context(&message).unwrap(),
            "Wilt u een proefrit?\nVolkswagen Golf"
        );
        let fields = lead_fields(&message);
        assert!(
            fields.contains(&("ad_click_id", "ARA1".into())),
            "{fields:?}"
        );
        assert!(
            fields.contains(&("shared_contact", "Piet, +31611111111".into())),
            "{fields:?}"
        );
    }
}
