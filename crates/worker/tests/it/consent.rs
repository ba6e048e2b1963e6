//! Opt-outs and what sounds like them, by language: written before the tables that decide it.

use std::path::Path;

use worker::dialogue::act::Consent;

use crate::dealer;

/// Lines of `label: text`.
fn lines(language: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/consent")
        .join(format!("{language}.txt"));
    let text = std::fs::read_to_string(path).expect("the lines are there");
    let split = |line: &str| {
        let (label, text) = line.split_once(": ").expect("a label and a text");
        (label.to_owned(), text.to_owned())
    };
    text.lines().map(split).collect()
}

fn label(consent: Option<Consent>) -> &'static str {
    match consent {
        Some(Consent::Stop) => "stop",
        Some(Consent::Start) => "start",
        Some(Consent::Erase) => "erase",
        Some(Consent::Doubtful) => "doubtful",
        None => "none",
    }
}

#[test]
fn commands_are_taken_and_what_sounds_like_them_is_not() {
    let understander = dealer::understander();
    let mut misses = Vec::new();
    for language in ["nl", "en", "de"] {
        for (label, text) in lines(language) {
            let read = self::label(understander.understand(&text).consent);
            if read != label {
                misses.push(format!("{language}: {label} read as {read}: {text}"));
            }
        }
    }
    assert!(misses.is_empty(), "{misses:#?}");
}
