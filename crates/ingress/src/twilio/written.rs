//! What was sent from a number of ours, by whomever: a message as Twilio's API shows it. Pure
//! (<https://www.twilio.com/docs/messaging/api/message-resource>).

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;
use shared_types::{Attachment, ChannelAddress, ColleagueMessage, ConversationId, Source};

use crate::event::{Reading, Rejection, Written};
use crate::text::{MAX_CHARS, message_text};

/// These never reach the customer, or not yet.
const UNSAID: [&str; 4] = ["failed", "undelivered", "canceled", "scheduled"];

/// When a message of the API was sent, else when it was made.
pub(crate) fn written_at(item: &Value) -> Option<Timestamp> {
    ["date_sent", "date_created"].into_iter().find_map(|name| {
        let at = item.get(name)?.as_str()?;
        Some(rfc2822::parse(at).ok()?.timestamp())
    })
}

/// Reads a message that went out from one of `numbers`; from any number where there are none.
pub(crate) fn read_written(item: &Value, numbers: &[ChannelAddress]) -> Reading {
    written(item, numbers).unwrap_or_else(Reading::Rejected)
}

fn written(item: &Value, numbers: &[ChannelAddress]) -> Result<Reading, Rejection> {
    let text = |name| item.get(name).and_then(Value::as_str).unwrap_or_default();
    let address = |name| text(name).parse::<ChannelAddress>().ok();
    let sid = text("sid");
    let lacks = |field: &str| {
        Rejection::new("invalid_payload", format!("the message lacks {field}")).of(sid)
    };
    match text("direction") {
        // An answer that Twilio took from a webhook, or gave by itself to STOP.
        "outbound-reply" => return Ok(Reading::Ignored("automatic_reply")),
        direction if direction.starts_with("outbound") => {}
        _ => return Ok(Reading::Ignored("not_outgoing")),
    }
    if UNSAID.contains(&text("status")) {
        return Ok(Reading::Ignored("not_sent"));
    }
    let is_ours = |from| numbers.is_empty() || numbers.contains(&from);
    if !address("from").is_some_and(is_ours) {
        return Ok(Reading::Ignored("another_number"));
    }
    let to = address("to").ok_or_else(|| lacks("to"))?;
    let conversation: ConversationId = String::from(to.clone())
        .try_into()
        .map_err(|_| lacks("to"))?;
    let content = message_text(text("body"), MAX_CHARS).map_err(|rejection| rejection.of(sid))?;
    let has_media = !["", "0"].contains(&text("num_media"));
    if content.is_empty() && !has_media {
        return Ok(Reading::Ignored("nothing_said"));
    }
    let message = ColleagueMessage {
        id: sid.parse().map_err(|_| lacks("sid"))?,
        conversation_id: conversation.clone(),
        source: Source::Twilio,
        to: vec![to],
        content,
        attachments: has_media.then(Attachment::default).into_iter().collect(),
        by: None,
        mirrored: None,
        unsent: false,
        template: None,
        at: written_at(item).ok_or_else(|| lacks("date_created"))?,
    };
    Ok(Reading::Written(Box::new(Written {
        message,
        conversations: vec![conversation],
    })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(changes: &Value) -> Reading {
        let mut item = json!({
            "sid": "SM1", "from": "whatsapp:+14155238886", "to": "whatsapp:+31612345678",
            "body": "Kom morgen langs", "direction": "outbound-api", "status": "delivered",
            "num_media": "0", "date_sent": "Sat, 28 Nov 2026 11:00:05 +0000",
            "date_created": "Sat, 28 Nov 2026 11:00:04 +0000",
        });
        for (name, value) in changes.as_object().unwrap() {
            item[name] = value.clone();
        }
        read_written(&item, &["whatsapp:+14155238886".parse().unwrap()])
    }

    #[test]
    fn what_went_out_is_somebodys_word_to_the_customer() {
        for changes in [json!({}), json!({ "direction": "outbound-call" })] {
            let Reading::Written(written) = read(&changes) else {
                panic!("{changes}")
            };
            assert_eq!(written.conversations[0].as_str(), "whatsapp:+31612345678");
            assert_eq!(written.message.content, "Kom morgen langs");
            assert_eq!(written.message.at.to_string(), "2026-11-28T11:00:05Z");
        }
        let Reading::Written(photo) = read(&json!({ "body": "", "num_media": "1" })) else {
            panic!("no photo")
        };
        assert_eq!(photo.message.attachments.len(), 1);
    }

    #[test]
    fn what_nobody_said_to_the_customer_is_left_out() {
        for (changes, reason) in [
            (json!({ "direction": "inbound" }), "not_outgoing"),
            (json!({ "direction": null }), "not_outgoing"),
            (json!({ "direction": "outbound-reply" }), "automatic_reply"),
            (json!({ "status": "failed" }), "not_sent"),
            (json!({ "status": "scheduled" }), "not_sent"),
            (json!({ "from": "whatsapp:+31201234567" }), "another_number"),
            (json!({ "from": null }), "another_number"),
            (json!({ "body": " " }), "nothing_said"),
            (json!({ "body": null, "num_media": null }), "nothing_said"),
        ] {
            assert_eq!(read(&changes), Reading::Ignored(reason), "{changes}");
        }
    }

    #[test]
    fn whatever_the_api_says_nothing_breaks() {
        for changes in [
            json!({ "to": "gis teren" }),
            json!({ "to": 7 }),
            json!({ "sid": "" }),
            json!({ "date_sent": null, "date_created": [] }),
            json!({ "body": "a".repeat(70_000) }),
        ] {
            let reading = read(&changes);
            assert!(matches!(reading, Reading::Rejected(_)), "{reading:?}");
        }
        for item in [json!(null), json!([]), json!("x")] {
            assert_eq!(read_written(&item, &[]), Reading::Ignored("not_outgoing"));
        }
    }
}
