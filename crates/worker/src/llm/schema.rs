//! What a model is asked to fill in. Pure.

use serde_json::{Value, json};

use super::request::Schema;
use crate::domain::{Domain, SlotKind};

pub(super) fn router(domain: &Domain) -> Schema {
    let intents: Vec<_> = domain.intents.iter().map(|intent| &intent.name).collect();
    let languages: Vec<_> = domain
        .replies
        .iter()
        .map(|replies| &replies.language)
        .collect();
    Schema {
        name: "router",
        properties: vec![
            ("intent".into(), json!({"type": "string", "enum": intents})),
            ("confidence".into(), json!({"type": "number"})),
            (
                "language".into(),
                json!({"type": "string", "enum": languages}),
            ),
        ],
    }
}

pub(super) fn extraction(domain: &Domain) -> Schema {
    let mut properties = Vec::new();
    let text = || json!({"type": ["string", "null"]});
    for slot in &domain.slots {
        match &slot.kind {
            SlotKind::Catalogue(names) => {
                properties.extend([&names.upper, &names.lower].map(|name| (name.clone(), text())));
            }
            SlotKind::Choice { values, .. } => {
                let values: Vec<Value> = values
                    .iter()
                    .map(|value| json!(value))
                    .chain([Value::Null])
                    .collect();
                properties.push((
                    slot.name.clone(),
                    json!({"type": ["string", "null"], "enum": values}),
                ));
            }
            SlotKind::Amount(amount) | SlotKind::Year(amount) => {
                let names = amount.min.iter().chain(&amount.max);
                properties
                    .extend(names.map(|name| (name.clone(), json!({"type": ["integer", "null"]}))));
            }
            SlotKind::Plate { .. } => properties.push((slot.name.clone(), text())),
        }
    }
    Schema {
        name: "extraction",
        properties,
    }
}

pub(super) fn conversation() -> Schema {
    let moods = ["positive", "neutral", "negative"];
    Schema {
        name: "conversation",
        properties: vec![
            ("response_text".into(), json!({"type": "string"})),
            ("sentiment".into(), json!({"type": "string", "enum": moods})),
            ("should_escalate".into(), json!({"type": "boolean"})),
            (
                "escalation_reason".into(),
                json!({"type": ["string", "null"]}),
            ),
        ],
    }
}

/// The properties in words, for servers that do nothing with a schema.
pub(super) fn in_words(schema: &Schema) -> String {
    let line = |(name, property): &(String, Value)| {
        let values = property
            .get("enum")
            .and_then(Value::as_array)
            .map(|values| {
                let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                format!("one of {}, or null", values.join(", "))
            });
        let whole = property["type"]
            .as_array()
            .is_some_and(|types| types.contains(&json!("integer")));
        let kind = values.unwrap_or_else(|| {
            if whole {
                "a whole number or null"
            } else {
                "a text or null"
            }
            .into()
        });
        format!("- `{name}`: {kind}")
    };
    schema
        .properties
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_are_strict_and_in_order() {
        let domain = Domain::embedded().unwrap();
        for schema in [router(&domain), extraction(&domain), conversation()] {
            let written = serde_json::to_string(&schema).unwrap();
            let value: Value = serde_json::from_str(&written).unwrap();
            assert_eq!(value["additionalProperties"], false);
            let required = value["required"].as_array().unwrap();
            assert_eq!(
                required.len(),
                value["properties"].as_object().unwrap().len()
            );
        }
        let written = serde_json::to_string(&router(&domain)).unwrap();
        assert!(written.find("\"intent\":").unwrap() < written.find("\"confidence\":").unwrap());
    }

    #[test]
    fn the_form_is_told_in_words() {
        let words = in_words(&extraction(&Domain::embedded().unwrap()));
        for line in [
            "- `car_make`: a text or null",
            "- `price_max`: a whole number or null",
            "- `transmission`: one of ",
        ] {
            assert!(words.contains(line), "{line} is not in\n{words}");
        }
    }
}
