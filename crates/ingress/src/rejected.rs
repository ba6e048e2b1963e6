//! What is kept of a genuine webhook that cannot be used: enough to see what it was, and so little
//! that a customer cannot fill Redis with it. Pure.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared_types::Source;
use streams::NewEntry;

use crate::event::Rejection;
use crate::twilio::Params;

/// The most bytes of a body's head, as JSON writes them.
const HEAD_BYTES: usize = 2_048;
/// More than Redis needs for an entry: the head, the reason, and the fields around them.
pub(crate) const MOST_KEPT_BYTES: u32 = 4_096;
/// A longer id of a message is no id, and the body's hash names it in the list of rejected webhooks.
const MAX_ID_BYTES: usize = 256;

#[derive(Serialize)]
struct Kept<'a> {
    source: Source,
    rejection: &'a Rejection,
    request_id: &'a str,
    body: String,
    body_bytes: usize,
}

/// The entry of a webhook of `sender`. Without a sender it stands alone.
pub(crate) fn entry(
    source: Source,
    rejection: &Rejection,
    request_id: &str,
    body: &[u8],
    sender: Option<String>,
) -> NewEntry {
    let kept = Kept {
        source,
        rejection,
        request_id,
        body: head(body),
        body_bytes: body.len(),
    };
    let id = rejection.event_id.clone();
    let id = id.filter(|id| id.len() <= MAX_ID_BYTES);
    let id = id.unwrap_or_else(|| hex::encode(Sha256::digest(body)));
    // Only Twilio's ids are unique beyond an account or a session.
    let event = match (source, &sender) {
        (Source::Twilio, _) | (_, None) => format!("{source}:rejected:{id}"),
        (_, Some(conversation)) => format!("{source}:rejected:{conversation}:{id}"),
    };
    NewEntry {
        kind: "rejected".into(),
        conversation: sender.unwrap_or_else(|| event.clone()),
        event,
        payload: serde_json::to_string(&kept).unwrap_or_default(),
        ..NewEntry::default()
    }
}

/// The beginning of a body as text.
pub(crate) fn head(body: &[u8]) -> String {
    // A character that is cut here lies beyond the end in any case.
    let start = body.get(..HEAD_BYTES + 4).unwrap_or(body);
    let mut room = HEAD_BYTES;
    let fits = |character: &char| {
        let left = room.checked_sub(bytes_in_json(*character));
        room = left.unwrap_or_default();
        left.is_some()
    };
    String::from_utf8_lossy(start)
        .chars()
        .take_while(fits)
        .collect()
}

const fn bytes_in_json(character: char) -> usize {
    match character {
        '"' | '\\' => 2,
        '\0'..='\x1f' => 6,
        other => other.len_utf8(),
    }
}

/// The conversation of whoever wrote what was rejected, as far as the body tells.
pub(crate) fn sender(source: Source, body: &[u8]) -> Option<String> {
    const MAX_SENDER_BYTES: usize = 200;
    let sender = match source {
        Source::Twilio => match serde_json::from_slice::<Value>(body) {
            Ok(object) => object.get("From")?.as_str()?.to_owned(),
            Err(_) => {
                let params = Params::parse(body)?;
                params.get("From").ok().flatten()?.to_owned()
            }
        },
        Source::Waha => {
            let event: Value = serde_json::from_slice(body).ok()?;
            let session = event.get("session").and_then(Value::as_str);
            let from = event.pointer("/payload/from")?.as_str()?;
            format!("waha:{}:{from}", session.unwrap_or("default"))
        }
        Source::Chatwoot => {
            let event: Value = serde_json::from_slice(body).ok()?;
            let account = event.pointer("/account/id")?.as_u64()?;
            let conversation = event.pointer("/conversation/id")?.as_u64()?;
            format!("chatwoot:{account}:{conversation}")
        }
    };
    (sender.len() <= MAX_SENDER_BYTES).then_some(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_body_is_its_entry_stays_small() {
        let rejection = Rejection::new("message_too_long", "the text has 31000 characters");
        for body in [
            "a".repeat(60_000).into_bytes(),
            "\u{1}".repeat(60_000).into_bytes(),
            "\"".repeat(60_000).into_bytes(),
            "😀".repeat(15_000).into_bytes(),
            vec![0xff; 60_000],
        ] {
            let entry = entry(Source::Twilio, &rejection, &"r".repeat(64), &body, None);
            let bytes: usize = [entry.payload, entry.event, entry.conversation]
                .iter()
                .map(String::len)
                .sum();
            assert!(bytes < MOST_KEPT_BYTES as usize, "{bytes}");
        }
    }

    #[test]
    fn a_short_body_is_kept_whole_and_a_character_is_never_split() {
        assert_eq!(head("één 👍".as_bytes()), "één 👍");
        let long = "é".repeat(3_000);
        assert_eq!(head(long.as_bytes()), "é".repeat(HEAD_BYTES / 2));
    }

    #[test]
    fn the_sender_is_the_conversation_that_a_good_message_would_have() {
        let form = b"From=whatsapp%3A%2B31612345678&Body=x";
        assert_eq!(
            sender(Source::Twilio, form).as_deref(),
            Some("whatsapp:+31612345678")
        );
        let json = br#"{"From":"whatsapp:+31612345678","Body":"x"}"#;
        assert_eq!(sender(Source::Twilio, json), sender(Source::Twilio, form));
        let waha = br#"{"session":"s","payload":{"from":"31612345678@c.us"}}"#;
        assert_eq!(
            sender(Source::Waha, waha).as_deref(),
            Some("waha:s:31612345678@c.us")
        );
        let chatwoot = br#"{"account":{"id":1},"conversation":{"id":42}}"#;
        assert_eq!(
            sender(Source::Chatwoot, chatwoot).as_deref(),
            Some("chatwoot:1:42")
        );
        assert_eq!(sender(Source::Waha, b"{"), None);
    }
}
