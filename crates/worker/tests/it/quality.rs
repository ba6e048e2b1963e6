//! How well the default domain understands labelled messages. The floors are a little under what
//! is reached.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use worker::commands::evaluate::{Labelled, Score, measure, read};
use worker::domain::Domain;
use worker::understanding::Understander;

fn labelled(name: &str) -> Vec<Labelled> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/nlu")
        .join(name);
    read(BufReader::new(
        File::open(path).expect("the fixture is there"),
    ))
    .expect("it can be read")
}

fn score(messages: &[Labelled]) -> Score {
    let understander = Understander::new(&Domain::embedded().unwrap());
    measure(&understander, messages).expect("there are messages")
}

fn assert_floors(name: &str, intent: f64, slots: f64, exact: f64) {
    let score = score(&labelled(name));
    let reached = (score.intent_accuracy, score.slots.f1(), score.exact_match);
    let misses: Vec<&str> = score
        .misses
        .iter()
        .take(10)
        .map(|miss| miss.text.as_str())
        .collect();
    assert!(
        reached.0 >= intent && reached.1 >= slots && reached.2 >= exact,
        "{name}: {reached:?}, such as {misses:#?}"
    );
    for (language, score) in &score.by_language {
        let accuracy = score.intent_right as f64 / score.messages as f64;
        assert!(accuracy >= 0.95, "{name}: {language} has {accuracy}");
    }
}

#[test]
fn development_messages_are_understood() {
    assert_floors("development.jsonl", 0.98, 0.98, 0.97);
}

#[test]
fn families_of_wordings_are_understood() {
    assert_floors("families.jsonl", 0.97, 0.97, 0.95);
}

/// Written before the rules, and never looked at while they were made.
#[test]
fn unseen_messages_are_understood() {
    assert_floors("unseen.jsonl", 0.96, 0.96, 0.93);
}

/// Words that the rules cannot read, one of three: what is still believed must still be right.
#[test]
fn confidence_says_how_far_to_trust_the_intent() {
    let threshold = Domain::embedded().unwrap().settings.confidence_threshold;
    let mut messages = labelled("families.jsonl");
    messages.extend(labelled("development.jsonl"));
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
        assert!(all >= 50, "too few messages between {from} and {to}: {all}");
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
    assert!(doubtful < 0.6, "of the doubtful ones, {doubtful} are right");
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
