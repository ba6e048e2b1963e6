//! The understanding with another business: no word about cars is in the code.

use std::path::Path;

use shared_types::SlotValue;
use worker::domain::Domain;
use worker::understanding::Understander;

fn domain() -> Domain {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/domains/bicycle-repair.toml");
    Domain::load(&path).expect("the domain loads")
}

fn understander() -> Understander {
    Understander::new(&domain())
}

#[test]
fn bicycle_workshop_is_understood() {
    let understander = understander();
    for (text, lang, intent, slots) in [
        ("hallo", "nl", "hello", ""),
        (
            "mijn Gazelle Ultimate heeft een lekke band",
            "nl",
            "repair",
            "brand=Gazelle model=Ultimate",
        ),
        (
            "mijn batavsu dinsdag is kapot, 20 euro?",
            "nl",
            "repair",
            "brand=Batavus model=Dinsdag",
        ),
        (
            "wil een damesfiets huren tot twintig euro",
            "nl",
            "rental",
            "budget_max=20 frame=step_through",
        ),
        (
            "fiets huren, 12 euro per dag, geen damesfiets",
            "nl",
            "rental",
            "",
        ),
        (
            "can i rent a quip bike for 165-180 cm",
            "en",
            "rental",
            "brand=Batavus height_max=180 height_min=165 model=Quip",
        ),
        (
            "please fix my gazelle orange",
            "en",
            "repair",
            "brand=Gazelle model=Orange",
        ),
        ("a quip", "en", "unclear", ""),
    ] {
        let understanding = understander.understand(text);
        let found: Vec<String> = understanding
            .slots
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let found = (
            understanding.lang.as_str(),
            understanding.intent.as_str(),
            found.join(" "),
        );
        assert_eq!(found, (lang, intent, slots.to_owned()), "{text}");
    }
}

#[test]
fn negations_are_told_apart_from_silence() {
    let understanding = understander().understand("geen damesfiets");
    let expected = (
        "frame".to_owned(),
        SlotValue::Text("step_through".to_owned()),
    );
    assert_eq!(understanding.negated, [expected]);
}

/// No cue of the domain fits any of these.
#[test]
fn what_no_cue_fits_is_told_by_examples() {
    let (domain, understander) = (domain(), understander());
    for (text, intent) in [
        ("er klappert iets als ik trap", "repair"),
        ("something rattles when I pedal", "repair"),
        ("wij logeren en willen een tochtje maken", "rental"),
        ("zzz", "unclear"),
    ] {
        let understanding = understander.understand(text);
        assert_eq!(understanding.intent, intent, "{text}");
        let cues = understander.explain(&domain, text);
        assert!(cues.iter().all(|cue| cue.pattern.is_none()), "{cues:?}");
    }
}
