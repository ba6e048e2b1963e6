//! What messages do, by language: lines of `acts | text`, written before the code that reads them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use worker::dialogue::act::{Act, Context};
use worker::understanding::Understander;

use crate::dealer;

/// Acts as labels, and the text that does them.
fn lines(language: &str) -> Vec<(BTreeSet<String>, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/acts")
        .join(format!("{language}.txt"));
    let text = std::fs::read_to_string(path).expect("the lines are there");
    let split = |line: &str| {
        let (labels, text) = line.split_once(" | ").expect("labels and a text");
        let labels = labels.split(' ').map(str::to_owned).collect();
        (labels, text.to_owned())
    };
    text.lines().map(split).collect()
}

/// The acts of a text as labels. Courtesies count only where there is nothing else, and so does the
/// goal of a wish that is told.
fn read(understander: &Understander, text: &str, lang: &str) -> BTreeSet<String> {
    let context = Context {
        lang: Some(lang),
        has_appointment: text.contains("instead"),
        ..Context::default()
    };
    let acts = understander.acts(text, &context);
    let mut labels: BTreeSet<String> = acts.iter().flat_map(labels_of).collect();
    if labels.len() > 1 {
        labels.remove("social");
    }
    if labels.iter().any(|label| label.contains('=')) {
        labels.remove("request:car_inquiry");
    }
    labels
}

fn labels_of(act: &Act) -> Vec<String> {
    let act = serde_json::to_value(act).unwrap();
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let all = |key: &str| act[key].as_array().cloned().unwrap_or_default();
    let told = |key: &str| -> Vec<String> {
        let told = all(key).into_iter().map(|told| {
            let values: Vec<String> = told["any_of"]
                .as_array()
                .unwrap()
                .iter()
                .map(text)
                .collect();
            match values.is_empty() {
                true => format!("any:{}", text(&told["slot"])),
                false => format!("inform:{}={}", text(&told["slot"]), values.join("|")),
            }
        });
        told.collect()
    };
    let kind = text(&act["act"]);
    match kind.as_str() {
        "ask" if act["form"] == "check" => vec!["ask:check".into()],
        "ask" if act["topic"]["kind"] == "existence" => vec!["existence".into()],
        "ask" => {
            let topic = &act["topic"];
            let name = topic.get("name").unwrap_or(&topic["kind"]);
            vec![format!("ask:{}", text(name))]
        }
        "inform" => told("values"),
        "correct" => {
            let not = all("not").into_iter();
            let not = not.map(|not| format!("not:{}={}", text(&not[0]), text(&not[1])));
            let any = all("indifferent");
            let any = any.iter().map(|slot| format!("any:{}", text(slot)));
            not.chain(told("instead")).chain(any).collect()
        }
        "request" => vec![format!("request:{}", text(&act["goal"]))],
        "offer" => vec![format!("offer:{}", act["amount"])],
        "complain" if act["legal"] == true => vec!["complain:legal".into()],
        "alarm" => vec![format!("alarm:{}", text(&act["name"]))],
        "consent" | "repair" => vec![text(&act["what"])],
        "identify" if act["supplier"] == true => vec!["identify".into(), "supplier".into()],
        _ => vec![kind],
    }
}

/// What it misses, at most, and what else is read then.
fn misses(changed: impl Fn(&str) -> Option<String>, share: f64) {
    let understander = dealer::understander();
    for language in ["nl", "en", "de"] {
        let lines = lines(language);
        let misses: Vec<String> = lines
            .iter()
            .filter_map(|(labels, text)| {
                let text = changed(text)?;
                let read = read(&understander, &text, language);
                let wrong = read != wanted(labels);
                wrong.then(|| format!("{text}: {read:?}"))
            })
            .collect();
        let most = lines.len() as f64 * share;
        assert!(misses.len() as f64 <= most, "{language}: {misses:#?}");
    }
}

/// The goal of a wish counts only where nothing is told beside it.
fn wanted(labels: &BTreeSet<String>) -> BTreeSet<String> {
    let mut labels = labels.clone();
    if labels.iter().any(|label| label.contains('=')) {
        labels.remove("request:car_inquiry");
    }
    labels
}

#[test]
fn messages_are_read_as_the_acts_that_they_do() {
    misses(|text| Some(text.to_owned()), 0.06);
}

#[test]
fn what_a_message_does_survives_capitals_and_a_greeting() {
    misses(|text| Some(text.to_uppercase()), 0.14);
    misses(
        |text| {
            let waits = text.contains("allo") || text.contains("hello");
            (!waits).then(|| format!("hi, {text}"))
        },
        0.14,
    );
}

#[test]
fn most_questions_are_known_without_their_mark() {
    misses(|text| text.strip_suffix('?').map(str::to_owned), 0.1);
}

#[test]
fn another_name_in_the_same_place_is_the_same_act() {
    let understander = dealer::understander();
    let kinds = |text: &str| -> Vec<String> {
        let acts = understander.acts(text, &Context::default());
        let kind = |act: &Act| text_of(&serde_json::to_value(act).unwrap()["act"]);
        acts.iter().map(kind).collect()
    };
    for (text, name) in [
        ("heeft de Tucson een trekhaak", "Tucson"),
        ("heb je de Zoe nog staan?", "Zoe"),
        ("kan ik een proefrit maken in de Golf", "Golf"),
        ("I want to trade in my Corsa", "Corsa"),
        ("ist der Octavia unfallfrei", "Octavia"),
    ] {
        for other in ["Passat", "Fiesta", "Picanto"] {
            let changed = text.replace(name, other);
            assert_eq!(kinds(&changed), kinds(text), "{changed}");
        }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
