//! What a message tells: what a model found, beside what the rules found. Pure.

use serde_json::{Map, Value};
use shared_types::{SlotValue, Slots};

use super::answers::{same, text};
use crate::domain::{Amount, Catalogue, Domain, SlotKind};
use crate::understanding::{Understander, Understanding};

/// The rules' values with a model's beside and over them. What the model leaves out, or says that the
/// domain does not know, the rules fill in; what the message denies is not told.
pub(super) fn merged(
    domain: &Domain,
    rules: &Understander,
    reading: &Understanding,
    answer: &Map<String, Value>,
) -> Slots {
    let mut told = read(domain, rules, answer);
    told.retain(|name, value| !reading.negated.contains(&(name.clone(), value.clone())));
    let mut slots = reading.slots.clone();
    for slot in &domain.slots {
        if let SlotKind::Catalogue(names) = &slot.kind {
            let another = told
                .get(&names.upper)
                .is_some_and(|make| slots.get(&names.upper) != Some(make));
            if another {
                slots.remove(&names.lower);
            }
        }
    }
    slots.extend(told);
    slots
}

/// The values that the domain knows, in its own words. A make that is in no catalogue, a year outside
/// of the bounds, a name that is no slot: all dropped.
fn read(domain: &Domain, rules: &Understander, answer: &Map<String, Value>) -> Slots {
    let mut slots = Slots::new();
    for slot in &domain.slots {
        match &slot.kind {
            SlotKind::Catalogue(names) => slots.extend(things(names, rules, answer)),
            SlotKind::Choice { values, .. } => {
                let value = text(answer, &slot.name).and_then(|given| {
                    let exact = values.iter().find(|value| same(value, given));
                    let value = exact.cloned().map(SlotValue::Text);
                    value.or_else(|| rules.understand(given).slots.remove(&slot.name))
                });
                slots.extend(value.map(|value| (slot.name.clone(), value)));
            }
            SlotKind::Amount(amount) | SlotKind::Year(amount) => {
                slots.extend(amounts(amount, rules, answer));
            }
            SlotKind::Plate { .. } => {
                let fits = |plate: &&str| (4..=12).contains(&plate.len()) && plate.is_ascii();
                let plate = text(answer, &slot.name).filter(fits);
                slots.extend(
                    plate.map(|plate| (slot.name.clone(), SlotValue::Text(plate.to_uppercase()))),
                );
            }
        }
    }
    slots
}

/// A make and a model of it. "VW" is a make as customers write it, and a model has its make.
fn things(names: &Catalogue, rules: &Understander, answer: &Map<String, Value>) -> Slots {
    let (upper, lower) = (text(answer, &names.upper), text(answer, &names.lower));
    let mut slots = Slots::new();
    let mut put = |name: &String, value: &String| {
        slots.insert(name.clone(), SlotValue::Text(value.clone()));
    };
    let make = upper.and_then(|given| names.makes.iter().find(|make| same(&make.name, given)));
    let of_make = |make: &'_ crate::domain::Make| {
        let model =
            lower.and_then(|given| make.models.iter().find(|model| same(&model.name, given)));
        model.map(|model| model.name.clone())
    };
    if let Some(make) = make {
        put(&names.upper, &make.name);
        if let Some(model) = of_make(make) {
            put(&names.lower, &model);
            return slots;
        }
    }
    if upper.is_none() {
        let mut found = names
            .makes
            .iter()
            .filter_map(|make| Some((make, of_make(make)?)));
        if let (Some((make, model)), None) = (found.next(), found.next()) {
            put(&names.upper, &make.name);
            put(&names.lower, &model);
            return slots;
        }
    }
    let written: Vec<&str> = upper.into_iter().chain(lower).collect();
    let understood = rules.understand(&written.join(" ")).slots;
    let made = make.map(|make| SlotValue::Text(make.name.clone()));
    if made.is_none() || understood.get(&names.upper) == made.as_ref() {
        let both = [&names.upper, &names.lower];
        slots.extend(
            both.into_iter()
                .filter_map(|name| Some((name.clone(), understood.get(name)?.clone()))),
        );
    }
    slots
}

fn amounts(amount: &Amount, rules: &Understander, answer: &Map<String, Value>) -> Slots {
    let (from, to) = amount.bounds;
    let names: Vec<&String> = amount.min.iter().chain(&amount.max).collect();
    let value_of = |name: &String| match answer.get(name)? {
        Value::Number(number) => whole(number.as_f64()?),
        Value::String(text) => written(text).or_else(|| {
            // "15 mille": which end of the range it is, the model has said.
            let understood = rules.understand(text).slots;
            let found = names.iter().find_map(|name| understood.get(*name));
            match found? {
                SlotValue::Integer(value) => Some(*value),
                SlotValue::Text(_) => None,
            }
        }),
        _ => None,
    };
    let values = names
        .iter()
        .filter_map(|name| Some(((*name).clone(), value_of(name)?)));
    let believable = values.filter(|(_, value)| (from..=to).contains(value));
    believable
        .map(|(name, value)| (name, SlotValue::Integer(value)))
        .collect()
}

fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 1e12).then(|| number.round() as i64)
}

/// `15000`, `15.000`, `€ 15,000`, `15000.0`.
fn written(text: &str) -> Option<i64> {
    let bare = text.trim().trim_matches(['€', '$', ' ', '\u{a0}']);
    if !bare.starts_with(|c: char| c.is_ascii_digit())
        || bare.contains(|c: char| !c.is_ascii_digit() && !" .,'\u{a0}".contains(c))
    {
        return None;
    }
    let cents = bare
        .rsplit_once(['.', ','])
        .filter(|(_, cents)| cents.len() <= 2);
    let digits: String = cents
        .map_or(bare, |(euros, _)| euros)
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use serde_json::json;

    use super::*;

    fn shown(message: &str, answer: &Value) -> Vec<String> {
        static RULES: LazyLock<(Domain, Understander)> = LazyLock::new(|| {
            let domain = Domain::embedded().unwrap();
            let rules = Understander::new(&domain);
            (domain, rules)
        });
        let (domain, rules) = &*RULES;
        let reading = rules.understand(message);
        let slots = merged(domain, rules, &reading, answer.as_object().unwrap());
        slots
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    #[test]
    fn only_values_that_the_domain_knows_are_believed() {
        let answer = json!({
            "car_make": "volkswagen", "car_model": "golf", "fuel_type": "plutonium",
            "transmission": "automatic", "price_max": 15000, "year_min": 1066, "year_max": "2019",
            "license_plate": "12-kdb-4", "admin": true
        });
        let expected = [
            "car_make=Volkswagen",
            "car_model=Golf",
            "license_plate=12-KDB-4",
            "price_max=15000",
            "transmission=automatic",
            "year_max=2019",
        ];
        assert_eq!(shown("", &answer), expected);
    }

    #[test]
    fn values_are_read_through_the_vocabulary() {
        for (answer, expected) in [
            (json!({"car_make": "VW"}), vec!["car_make=Volkswagen"]),
            (
                json!({"car_make": "VW", "car_model": "Golf"}),
                vec!["car_make=Volkswagen", "car_model=Golf"],
            ),
            (
                json!({"car_model": "Golf"}),
                vec!["car_make=Volkswagen", "car_model=Golf"],
            ),
            (
                json!({"car_make": null, "car_model": "polo"}),
                vec!["car_make=Volkswagen", "car_model=Polo"],
            ),
            (
                json!({"transmission": "Automatic"}),
                vec!["transmission=automatic"],
            ),
            (
                json!({"transmission": "automaat"}),
                vec!["transmission=automatic"],
            ),
            (json!({"fuel_type": "Benzine"}), vec!["fuel_type=petrol"]),
            (json!({"price_max": 15000.0}), vec!["price_max=15000"]),
            (json!({"price_max": "15000"}), vec!["price_max=15000"]),
            (json!({"price_max": "€ 15.000"}), vec!["price_max=15000"]),
            (json!({"price_max": "15,000.00"}), vec!["price_max=15000"]),
            (json!({"price_max": "15 mille"}), vec!["price_max=15000"]),
            (json!({"car_make": "Trabant de Luxe 9000"}), vec![]),
        ] {
            assert_eq!(shown("", &answer), expected, "{answer}");
        }
    }

    #[test]
    fn a_model_loses_nothing_that_the_rules_find() {
        let message = "Ik zoek een Volkswagen Golf automaat tot 15.000 euro, geen diesel";
        let rules = shown(message, &json!({}));
        assert!(rules.len() >= 4, "{rules:?}");
        let nothing = json!({"car_make": null, "price_max": null, "transmission": "warp", "fuel_type": "diesel"});
        assert_eq!(shown(message, &nothing), rules);
        let more = shown(message, &json!({"color": "red"}));
        assert!(
            rules.iter().all(|value| more.contains(value)) && more.len() == rules.len() + 1,
            "{more:?}"
        );
        let another = shown(message, &json!({"car_make": "Audi"}));
        assert!(
            another.contains(&"car_make=Audi".into())
                && !another.iter().any(|v| v.starts_with("car_model"))
        );
    }
}
