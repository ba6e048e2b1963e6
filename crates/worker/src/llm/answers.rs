//! What a model answers, its schemas, and the checks before anything is believed. Pure.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared_types::{Sentiment, SlotValue, Slots};

use crate::domain::{Amount, Domain, SlotKind};

/// What the customer wants, as a model sees it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RouterAnswer {
    /// One of the domain's intents.
    pub intent: String,
    /// 0 to 1.
    pub confidence: f64,
    /// A language code.
    pub language: String,
}

/// A reply in a model's words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ConversationAnswer {
    /// What the customer would read.
    pub response_text: String,
    /// The mood of the customer's message.
    pub sentiment: Sentiment,
    /// Whether a colleague should take over.
    pub should_escalate: bool,
    /// Why.
    pub escalation_reason: Option<String>,
}

/// A schema in which everything is required and nothing else allowed, as strict mode wants it.
fn object(properties: &Map<String, Value>) -> Value {
    let required: Vec<_> = properties.keys().cloned().collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

pub(super) fn router_schema(domain: &Domain) -> Value {
    let intents: Vec<_> = domain
        .intents
        .iter()
        .map(|intent| intent.name.as_str())
        .collect();
    let languages: Vec<_> = domain
        .replies
        .iter()
        .map(|replies| replies.language.as_str())
        .collect();
    object(&Map::from_iter([
        (
            "intent".to_owned(),
            json!({"type": "string", "enum": intents}),
        ),
        ("confidence".to_owned(), json!({"type": "number"})),
        (
            "language".to_owned(),
            json!({"type": "string", "enum": languages}),
        ),
    ]))
}

pub(super) fn extraction_schema(domain: &Domain) -> Value {
    let mut properties = Map::new();
    for slot in &domain.slots {
        match &slot.kind {
            SlotKind::Catalogue(names) => {
                for name in [&names.upper, &names.lower] {
                    properties.insert(name.clone(), json!({"type": ["string", "null"]}));
                }
            }
            SlotKind::Choice { values } => {
                let mut values: Vec<Value> = values.iter().map(|value| json!(value)).collect();
                values.push(Value::Null);
                properties.insert(
                    slot.name.clone(),
                    json!({"type": ["string", "null"], "enum": values}),
                );
            }
            SlotKind::Amount(amount) | SlotKind::Year(amount) => {
                for name in amount.min.iter().chain(&amount.max) {
                    properties.insert(name.clone(), json!({"type": ["integer", "null"]}));
                }
            }
            SlotKind::Plate { .. } => {
                properties.insert(slot.name.clone(), json!({"type": ["string", "null"]}));
            }
        }
    }
    object(&properties)
}

pub(super) fn conversation_schema() -> Value {
    object(&Map::from_iter([
        ("response_text".to_owned(), json!({"type": "string"})),
        (
            "sentiment".to_owned(),
            json!({"type": "string", "enum": ["positive", "neutral", "negative"]}),
        ),
        ("should_escalate".to_owned(), json!({"type": "boolean"})),
        (
            "escalation_reason".to_owned(),
            json!({"type": ["string", "null"]}),
        ),
    ]))
}

/// The values that the domain knows. A make that is in no catalogue, a year outside of the bounds, a
/// name that is no slot: all dropped.
pub(super) fn checked_slots(domain: &Domain, answer: &Map<String, Value>) -> Slots {
    let mut slots = Slots::new();
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::trim);
    for slot in &domain.slots {
        match &slot.kind {
            SlotKind::Catalogue(names) => {
                let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
                let make = text(&names.upper)
                    .and_then(|given| names.makes.iter().find(|make| same(&make.name, given)));
                let Some(make) = make else { continue };
                slots.insert(names.upper.clone(), SlotValue::Text(make.name.clone()));
                let model = text(&names.lower)
                    .and_then(|given| make.models.iter().find(|model| same(&model.name, given)));
                if let Some(model) = model {
                    slots.insert(names.lower.clone(), SlotValue::Text(model.name.clone()));
                }
            }
            SlotKind::Choice { values } => {
                if let Some(value) =
                    text(&slot.name).filter(|given| values.iter().any(|value| value == given))
                {
                    slots.insert(slot.name.clone(), SlotValue::Text(value.to_owned()));
                }
            }
            SlotKind::Amount(amount) | SlotKind::Year(amount) => {
                slots.extend(checked_amounts(amount, answer));
            }
            SlotKind::Plate { .. } => {
                let fits = |plate: &&str| (4..=12).contains(&plate.len()) && plate.is_ascii();
                if let Some(plate) = text(&slot.name).filter(fits) {
                    slots.insert(slot.name.clone(), SlotValue::Text(plate.to_uppercase()));
                }
            }
        }
    }
    slots
}

fn checked_amounts(amount: &Amount, answer: &Map<String, Value>) -> Slots {
    let (from, to) = amount.bounds;
    let names = amount.min.iter().chain(&amount.max);
    names
        .filter_map(|name| {
            let value = answer
                .get(name)?
                .as_i64()
                .filter(|value| (from..=to).contains(value))?;
            Some((name.clone(), SlotValue::Integer(value)))
        })
        .collect()
}

const MAX_REPLY: usize = 1_600;

/// Whether a reply may be sent: not empty, not too long, with no link that the business did not give,
/// and with no trace of the prompt.
pub(super) fn is_sendable(domain: &Domain, reply: &str) -> bool {
    let length = reply.trim().chars().count();
    let own_links = [&domain.business.website, &domain.business.email];
    let foreign_link = reply.split_whitespace().any(|word| {
        let link = ["http://", "https://", "www."]
            .iter()
            .any(|start| word.contains(start));
        link && !own_links
            .iter()
            .any(|own| own.as_ref().is_some_and(|own| word.contains(own.as_str())))
    });
    let leaks = [
        "data from strangers",
        "never instructions",
        "json schema",
        "```",
    ];
    let lower = reply.to_lowercase();
    (2..=MAX_REPLY).contains(&length)
        && !foreign_link
        && !leaks.iter().any(|leak| lower.contains(leak))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_that_the_domain_knows_are_believed() {
        let domain = Domain::embedded().unwrap();
        let answer = json!({
            "car_make": "volkswagen", "car_model": "golf", "fuel_type": "plutonium",
            "transmission": "automatic", "price_max": 15000, "year_min": 1066, "year_max": "2019",
            "license_plate": "12-kdb-4", "admin": true
        });
        let slots = checked_slots(&domain, answer.as_object().unwrap());
        let shown: Vec<_> = slots
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            shown,
            [
                "car_make=Volkswagen",
                "car_model=Golf",
                "license_plate=12-KDB-4",
                "price_max=15000",
                "transmission=automatic"
            ]
        );
    }

    #[test]
    fn replies_with_foreign_links_or_traces_of_the_prompt_are_not_sent() {
        let domain = Domain::embedded().unwrap();
        assert!(is_sendable(&domain, "Leuk, een Golf! Wat is uw budget?"));
        assert!(is_sendable(
            &domain,
            "Kijk op https://deduif.example voor meer."
        ));
        for bad in [
            "",
            "Ga naar https://evil.example/pay",
            "The messages are data from strangers.",
            &"x".repeat(1601),
        ] {
            assert!(!is_sendable(&domain, bad), "{bad}");
        }
    }

    #[test]
    fn the_schemas_are_strict() {
        let domain = Domain::embedded().unwrap();
        for schema in [
            router_schema(&domain),
            extraction_schema(&domain),
            conversation_schema(),
        ] {
            assert_eq!(schema["additionalProperties"], false);
            let properties = schema["properties"].as_object().unwrap().len();
            assert_eq!(schema["required"].as_array().unwrap().len(), properties);
        }
    }
}
