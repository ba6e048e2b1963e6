//! How well the default domain understands labelled messages. The floors are a little under what
//! is reached.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use worker::commands::evaluate::{Labelled, Score, measure, read};
use worker::domain::Domain;

use crate::dealer;

/// Messages by other people than those who wrote the rules; the rules were made with them at hand.
const MESSAGES: &str = "deploy/domains/car-dealer/examples/messages.jsonl";
/// Ways to say things, collected while the rules were made.
const WORDINGS: &str = "deploy/domains/car-dealer/examples/wordings.jsonl";
/// Written before the rules by whoever made them, and never looked at meanwhile.
const UNSEEN: &str = "tests/fixtures/nlu/unseen.jsonl";
/// By somebody else than the rules, and never looked at by whoever made them.
const HELD_BACK: &str = "tests/fixtures/nlu/held_back.jsonl";

fn labelled(name: &str) -> Vec<Labelled> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name);
    read(BufReader::new(
        File::open(path).expect("the messages are there"),
    ))
    .expect("they can be read")
}

fn score(messages: &[Labelled]) -> Score {
    let understander = dealer::understander();
    measure(&understander, messages).expect("there are messages")
}

/// The least that must be reached.
struct Floors {
    intent: f64,
    intent_by_language: f64,
    slots: f64,
    exact: f64,
}

fn assert_floors(name: &str, floors: &Floors) {
    let score = score(&labelled(name));
    let reached = (score.intent_accuracy, score.slots.f1(), score.exact_match);
    let misses: Vec<&str> = score
        .misses
        .iter()
        .take(10)
        .map(|miss| miss.text.as_str())
        .collect();
    assert!(
        reached.0 >= floors.intent && reached.1 >= floors.slots && reached.2 >= floors.exact,
        "{name}: {reached:?}, such as {misses:#?}"
    );
    for (language, score) in &score.by_language {
        let accuracy = score.intent_right as f64 / score.messages as f64;
        assert!(
            accuracy >= floors.intent_by_language,
            "{name}: {language} has {accuracy}"
        );
    }
}

#[test]
fn examples_are_understood() {
    let floors = Floors {
        intent: 0.98,
        intent_by_language: 0.97,
        slots: 0.98,
        exact: 0.97,
    };
    assert_floors(MESSAGES, &floors);
    assert_floors(WORDINGS, &floors);
}

#[test]
fn unseen_messages_are_understood() {
    let floors = Floors {
        intent: 0.97,
        intent_by_language: 0.95,
        slots: 0.97,
        exact: 0.95,
    };
    assert_floors(UNSEEN, &floors);
}

#[test]
fn held_back_messages_of_another_author_are_understood() {
    let floors = Floors {
        intent: 0.91,
        intent_by_language: 0.87,
        slots: 0.96,
        exact: 0.87,
    };
    assert_floors(HELD_BACK, &floors);
}

/// Words that the rules cannot read, one of three: what is still believed must still be right.
#[test]
fn confidence_says_how_far_to_trust_the_intent() {
    let threshold = Domain::embedded().unwrap().settings.confidence_threshold;
    let mut messages = labelled(UNSEEN);
    messages.extend(labelled(HELD_BACK));
    for message in &mut messages {
        message.text = garbled(&message.text);
    }
    let score = score(&messages);
    let share = |from: f64, to: f64| {
        let bands = score
            .reliability
            .iter()
            .filter(|band| band.from >= from && band.from < to);
        let (all, right) = bands.fold((0, 0), |sum, band| {
            (sum.0 + band.messages, sum.1 + band.right)
        });
        println!("confidence {from} to {to}: {right} of {all} intents right");
        assert!(all >= 40, "too few messages between {from} and {to}: {all}");
        right as f64 / all as f64
    };
    let (doubtful, likely, sure) = (
        share(0.0, threshold),
        share(threshold, 0.9),
        share(0.9, 1.1),
    );
    assert!(sure >= 0.95, "of the sure ones, {sure} are right");
    assert!(
        doubtful < likely && likely < sure,
        "{doubtful} {likely} {sure}"
    );
    assert!(
        doubtful < 0.75,
        "of the doubtful ones, {doubtful} are right"
    );
}

/// Every third word is written in letters that no language of the domain has.
fn garbled(text: &str) -> String {
    let words = text.split(' ').enumerate();
    let words = words.map(|(place, word)| match place % 3 {
        1 => word
            .chars()
            .map(|c| if c.is_alphabetic() { 'q' } else { c })
            .collect(),
        _ => word.to_owned(),
    });
    words.collect::<Vec<String>>().join(" ")
}
