//! What WhatsApp's addresses and forms say, alike for every provider. Pure.

use serde_json::Value;
use shared_types::ChannelAddress;

use crate::text::clean_line;

const MAX_FORM_CHARS: usize = 2_000;
const MAX_FORM_DEPTH: usize = 4;

/// A person's chat without its device, or what else the address is: a chat that is no customer's.
///
/// WAHA writes `@c.us` for numbers and `@lid` for hidden ones; `@s.whatsapp.net`, `@hosted` and
/// `@hosted.lid` are the engines' names for the same chats.
pub(crate) fn chat_of(address: &str) -> Result<ChannelAddress, &'static str> {
    if address == "whatsapp.integration" {
        return Err("waha_system");
    }
    let (local, host) = address.split_once('@').ok_or("address")?;
    let local = local.split([':', '.']).next().unwrap_or(local);
    let host = match host {
        "c.us" | "s.whatsapp.net" | "hosted" => "c.us",
        "lid" | "hosted.lid" => "lid",
        "g.us" => return Err("group"),
        "newsletter" => return Err("newsletter"),
        "broadcast" if local == "status" => return Err("status"),
        "broadcast" => return Err("broadcast"),
        "bot" => return Err("machine"),
        _ => return Err("address"),
    };
    let digits = local.bytes().all(|byte| byte.is_ascii_digit()) && !local.is_empty();
    if !digits {
        return Err("address");
    }
    if host == "c.us" {
        match machine(local) {
            Some(kind) => return Err(kind),
            None if local.starts_with('0') => return Err("address"),
            None => {}
        }
    }
    format!("{local}@{host}").parse().map_err(|_| "address")
}

/// Numbers behind which nobody reads: WhatsApp's own announcements, Meta's assistant and the bots
/// that people make with it (whatsapp-web.js and Baileys know them by the same patterns).
pub(crate) fn machine(digits: &str) -> Option<&'static str> {
    let is_bot = |prefix: &str, rest: usize| {
        let tail = digits.strip_prefix(prefix);
        tail.is_some_and(|tail| {
            tail.len() == rest && tail.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    match digits {
        "0" => Some("announcement"),
        _ if is_bot("1313555", 4) || is_bot("131655500", 2) => Some("machine"),
        _ => None,
    }
}

/// What belongs to the form itself, not to the answers.
const OF_THE_FORM: [&str; 5] = [
    "flow_token",
    "id",
    "screen",
    "version",
    "wa_flow_response_params",
];

/// The answers to a form (a WhatsApp Flow), on one line: `first_name: Sanne, date: 2026-12-01`.
pub(crate) fn form_answers(form: &Value) -> Option<String> {
    let mut answers = Vec::new();
    collect(form, "", &mut answers, 0);
    clean_line(&answers.join(", "), MAX_FORM_CHARS)
}

fn collect(value: &Value, name: &str, answers: &mut Vec<String>, depth: usize) {
    let mut answer = |text: &str| {
        answers.push(if name.is_empty() {
            text.to_owned()
        } else {
            format!("{name}: {text}")
        });
    };
    match value {
        Value::Null => {}
        Value::String(text) => answer(text),
        Value::Bool(_) | Value::Number(_) => answer(&value.to_string()),
        _ if depth == MAX_FORM_DEPTH => {}
        Value::Array(items) => {
            for item in items {
                collect(item, name, answers, depth + 1);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                if !OF_THE_FORM.contains(&name.as_str()) {
                    collect(value, name, answers, depth + 1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_people_have_chats() {
        for (address, expected) in [
            ("31612345678@c.us", Ok("31612345678@c.us")),
            ("31612345678:12@s.whatsapp.net", Ok("31612345678@c.us")),
            ("31612345678.0:3@c.us", Ok("31612345678@c.us")),
            ("31612345678@hosted", Ok("31612345678@c.us")),
            ("150000000004711@hosted.lid", Ok("150000000004711@lid")),
            ("000000000004711@lid", Ok("000000000004711@lid")),
            ("120363000000000001@g.us", Err("group")),
            ("31612345678-1600000000@g.us", Err("group")),
            ("status@broadcast", Err("status")),
            ("1700000000@broadcast", Err("broadcast")),
            ("120363000000000002@newsletter", Err("newsletter")),
            ("0@c.us", Err("announcement")),
            ("0@s.whatsapp.net", Err("announcement")),
            ("13135550002@c.us", Err("machine")),
            ("13165550042@s.whatsapp.net", Err("machine")),
            ("867051314767696@bot", Err("machine")),
            ("whatsapp.integration", Err("waha_system")),
            ("server@c.us", Err("address")),
            ("31612345678", Err("address")),
            ("@c.us", Err("address")),
        ] {
            let chat = chat_of(address);
            assert_eq!(
                chat.as_ref().map(|chat| chat.as_str()),
                expected.as_ref().copied(),
                "{address}"
            );
        }
        // Their neighbours are people.
        for number in ["131355500021", "1313555000", "13165550142", "13145550002"] {
            assert_eq!(machine(number), None, "{number}");
        }
    }

    #[test]
    fn a_form_is_its_answers() {
        let form = json!({
            "flow_token": "x", "first_name": "Sanne", "cars": ["Golf", "Polo"], "agreed": true,
            "trade_in": {"km": 90_000, "nothing": null},
        });
        let answers = form_answers(&form).unwrap();
        for answer in [
            "first_name: Sanne",
            "cars: Golf",
            "cars: Polo",
            "agreed: true",
            "km: 90000",
        ] {
            assert!(answers.contains(answer), "{answers}");
        }
        assert!(!answers.contains("flow_token"), "{answers}");
        assert_eq!(form_answers(&json!({"flow_token": "x"})), None);
    }
}
