//! What a model answers, and the checks before anything is believed. Pure.

use serde_json::{Map, Value};
use shared_types::Sentiment;

use super::links;
use super::plain::plain;
use super::redact::Redaction;
use crate::domain::Domain;

/// What the customer wants, as a model sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct RouterAnswer {
    /// One of the domain's intents.
    pub intent: String,
    /// 0 to 1, where the model says it.
    pub confidence: Option<f64>,
    /// One of the domain's languages, where the model says it.
    pub language: Option<String>,
}

/// A reply in a model's words.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationAnswer {
    /// What the customer would read.
    pub response_text: String,
    /// The mood of the customer's message, where the model says it.
    pub sentiment: Option<Sentiment>,
    /// Whether a colleague should take over.
    pub should_escalate: bool,
    /// Why.
    pub escalation_reason: Option<String>,
}

/// Reads a router's answer; none when its intent is none of the domain's.
pub(super) fn router(domain: &Domain, answer: &Map<String, Value>) -> Option<RouterAnswer> {
    let given = text(answer, "intent")?;
    let intent = domain
        .intents
        .iter()
        .find(|intent| same(&intent.name, given))?;
    let language = text(answer, "language").and_then(|given| {
        let code = given
            .split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_lowercase();
        let known = domain
            .replies
            .iter()
            .find(|replies| replies.language == code);
        known.map(|replies| replies.language.clone())
    });
    Some(RouterAnswer {
        intent: intent.name.clone(),
        confidence: answer.get("confidence").and_then(share),
        language,
    })
}

/// Reads a reply; none when it may not be sent.
pub(super) fn conversation(
    domain: &Domain,
    redaction: &Redaction,
    answer: &Map<String, Value>,
) -> Option<ConversationAnswer> {
    let written = plain(text(answer, "response_text")?);
    let response_text = redaction.restored(&written)?;
    if !is_sendable(domain, &response_text) {
        return None;
    }
    let sentiment = match text(answer, "sentiment").map(str::to_lowercase).as_deref() {
        Some("positive") => Some(Sentiment::Positive),
        Some("neutral") => Some(Sentiment::Neutral),
        Some("negative") => Some(Sentiment::Negative),
        _ => None,
    };
    let should_escalate = match answer.get("should_escalate") {
        Some(Value::Bool(wish)) => *wish,
        Some(Value::String(wish)) => ["true", "yes"].contains(&wish.trim().to_lowercase().as_str()),
        _ => false,
    };
    Some(ConversationAnswer {
        response_text,
        sentiment,
        should_escalate,
        escalation_reason: text(answer, "escalation_reason").map(str::to_owned),
    })
}

/// A text that says something.
pub(super) fn text<'a>(answer: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = answer.get(name)?.as_str()?.trim();
    let nothing = ["", "null", "none", "unknown", "n/a"];
    (!nothing.contains(&text.to_lowercase().as_str())).then_some(text)
}

/// Whether two names are one but for case and what stands between their words.
pub(super) fn same(name: &str, given: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace([' ', '-'], "_");
    plain(name) == plain(given)
}

/// 0.9, "0.9", 90 and "90%" alike.
fn share(value: &Value) -> Option<f64> {
    let given = value.as_f64().or_else(|| {
        value
            .as_str()?
            .trim()
            .trim_end_matches('%')
            .trim()
            .parse()
            .ok()
    })?;
    let share = if given > 1.0 { given / 100.0 } else { given };
    (0.0..=1.0).contains(&share).then_some(share)
}

const MAX_REPLY: usize = 1_600;

/// Whether a reply may be sent: not empty, not too long, with no link that the business did not give,
/// and with no trace of the prompt.
fn is_sendable(domain: &Domain, reply: &str) -> bool {
    let length = reply.trim().chars().count();
    let leaks = [
        "data from strangers",
        "never instructions",
        "json schema",
        "```",
    ];
    let lower = reply.to_lowercase();
    (2..=MAX_REPLY).contains(&length)
        && links::are_ours(&domain.business, reply)
        && !leaks.iter().any(|leak| lower.contains(leak))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn said(text: &str) -> Option<ConversationAnswer> {
        static DOMAIN: LazyLock<Domain> = LazyLock::new(|| Domain::embedded().unwrap());
        let domain = &*DOMAIN;
        let redaction = Redaction::of(Some("Sanne"), &domain.business);
        conversation(domain, &redaction, &map(&json!({ "response_text": text })))
    }

    #[test]
    fn a_router_may_write_as_it_likes() {
        let domain = Domain::embedded().unwrap();
        for (answer, confidence, language) in [
            (
                json!({"intent": "car_inquiry", "confidence": 0.9, "language": "nl"}),
                Some(0.9),
                Some("nl"),
            ),
            (
                json!({"intent": "Car Inquiry", "confidence": "0.9", "language": "nl-NL"}),
                Some(0.9),
                Some("nl"),
            ),
            (
                json!({"intent": " car-inquiry ", "confidence": 90, "language": "EN"}),
                Some(0.9),
                Some("en"),
            ),
            (
                json!({"intent": "car_inquiry", "confidence": "high", "language": "tlh"}),
                None,
                None,
            ),
            (json!({"intent": "car_inquiry"}), None, None),
        ] {
            let read = router(&domain, &map(&answer)).unwrap();
            assert_eq!(read.intent, "car_inquiry");
            assert_eq!(
                (read.confidence, read.language.as_deref()),
                (confidence, language),
                "{answer}"
            );
        }
        assert_eq!(
            router(
                &domain,
                &map(&json!({"intent": "world_peace", "confidence": 1}))
            ),
            None
        );
    }

    #[test]
    fn replies_with_foreign_links_or_traces_of_the_prompt_are_not_sent() {
        for good in [
            "Leuk, een Golf! Wat is uw budget?",
            "Kijk op https://deduif.example voor meer.",
            "Dag [name], en/of tot morgen.Fijn",
            "Een **Golf**, [onze site](https://deduif.example)",
        ] {
            assert!(said(good).is_some(), "{good}");
        }
        assert_eq!(said("Dag [name]").unwrap().response_text, "Dag Sanne");
        for bad in [
            "",
            "Ga naar https://evil.example/pay",
            "Ga naar evil.example/pay",
            "[betaal](https://evil.example)",
            "Ik bel u op [number]",
            "The messages are data from strangers.",
            &"x".repeat(1601),
        ] {
            assert_eq!(said(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_left_out_of_a_reply_is_nothing() {
        let answer = said("Leuk!").unwrap();
        assert_eq!(
            (
                answer.sentiment,
                answer.should_escalate,
                answer.escalation_reason
            ),
            (None, false, None)
        );
    }
}
