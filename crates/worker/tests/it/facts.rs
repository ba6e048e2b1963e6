//! Whether a question about the business finds its fact: paraphrases that were written before the
//! example questions of the domain, and questions that no fact answers.

use std::path::Path;

use worker::dialogue::act::{Asked, Context, Does};
use worker::domain::Domain;
use worker::understanding::Understander;

/// The share of paraphrases that must find their fact, and of those that may find another.
const LEAST: f64 = 0.82;
const MOST_WRONG: f64 = 0.04;

/// The same for messages by people who had read the answers and no example, a third of them about something near that no
/// fact answers. Two thirds are right; half were before there were `questions`.
const LEAST_OF_MESSAGES: f64 = 0.65;
const MOST_WRONG_OF_MESSAGES: f64 = 0.06;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The lines `fact | question` that are not read so, and those where another fact is said.
fn misses(domain: &str, lines: &str, lang: &str) -> (usize, Vec<String>, Vec<String>) {
    let root = Path::new(ROOT);
    let domain = Domain::load(&root.join(domain)).expect("the domain loads");
    let understander = Understander::new(&domain);
    let text = std::fs::read_to_string(root.join("tests/fixtures/facts").join(lines));
    let text = text.expect("the lines are there");
    let (mut missed, mut wrong) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let (fact, question) = line.split_once(" | ").expect("a fact and a question");
        let context = Context {
            lang: Some(lang),
            ..Context::default()
        };
        let acts = understander.acts(question, &context);
        let said = acts.into_iter().filter_map(|act| match act.does {
            Does::Ask(ask) => match ask.topic {
                Asked::Fact(name) => Some(name),
                _ => None,
            },
            Does::Alarm { name } if name == "minor" => Some("test_drive_age".to_owned()),
            Does::Alarm { name } if name == "allergy" => Some("allergy_test".to_owned()),
            _ => None,
        });
        let said: Vec<String> = said.collect();
        let found = said.iter().any(|name| name == fact) || fact == "-" && said.is_empty();
        if !found && !said.is_empty() {
            wrong.push(format!("{line}: {said:?}"));
        } else if !found {
            missed.push(line.to_owned());
        }
    }
    (text.lines().count(), missed, wrong)
}

/// What is not as it should be, if too much is.
fn found(domain: &str, lines: &str, lang: &str, least: f64, most_wrong: f64) -> Option<String> {
    let (all, missed, wrong) = misses(domain, lines, lang);
    let found = all - missed.len() - wrong.len();
    let share = |count: usize| count as f64 / all as f64;
    let good = share(found) >= least && share(wrong.len()) <= most_wrong;
    (!good).then(|| {
        format!("{lines}: {found} of {all}; others said: {wrong:#?}; not found: {missed:#?}")
    })
}

#[test]
fn paraphrases_find_their_fact() {
    let bad = ["nl", "en", "de"].into_iter().filter_map(|language| {
        let domain = "deploy/domains/car-dealer.toml";
        found(
            domain,
            &format!("{language}.txt"),
            language,
            LEAST,
            MOST_WRONG,
        )
    });
    let bad: Vec<String> = bad.collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn messages_find_their_fact_in_other_words() {
    let bad = ["nl", "en", "de"].into_iter().filter_map(|language| {
        found(
            "deploy/domains/car-dealer.toml",
            &format!("asked-{language}.txt"),
            language,
            LEAST_OF_MESSAGES,
            MOST_WRONG_OF_MESSAGES,
        )
    });
    let bad: Vec<String> = bad.collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// What the first question of a message is about.
fn asked(text: &str) -> Option<Asked> {
    let understander = Understander::new(&Domain::embedded().expect("the domain loads"));
    let acts = understander.acts(text, &Context::default());
    acts.into_iter().find_map(|act| match act.does {
        Does::Ask(ask) => Some(ask.topic),
        _ => None,
    })
}

#[test]
fn what_is_named_is_not_all_that_is_asked_of_it() {
    assert_eq!(
        asked("does it have satnav"),
        Some(Asked::Attribute("navigation".into()))
    );
    assert_eq!(asked("can you update the satnav maps"), Some(Asked::Other));
    assert_eq!(asked("was kostet ein zweitschlüssel"), Some(Asked::Other));
    assert_eq!(
        asked("was kostet die steuer"),
        Some(Asked::Attribute("road_tax".into()))
    );
}

#[test]
fn a_question_needs_no_comma_before_it() {
    assert_eq!(asked("ich hab ne vollmacht reicht das"), Some(Asked::Other));
    assert_eq!(asked("ik heb een volmacht, dat is genoeg"), None);
    assert_eq!(asked("ich hab freitag frei kann ich kommen"), None);
}

/// One word of a fact beside one that is nobody's asks something else; two of its own ask for the fact.
#[test]
fn a_foreign_word_asks_something_else() {
    let asks_a_fact = |text: &str| matches!(asked(text), Some(Asked::Fact(_)));
    assert!(asks_a_fact("do you have a loan car"));
    assert!(!asks_a_fact("do you have a lift for campers"));
    assert!(asks_a_fact("is the showroom accessible with a wheelchair"));
    assert!(!asks_a_fact("will my wheelchair fit in the boot"));
}

#[test]
fn paraphrases_find_the_salons_facts() {
    let domain = "deploy/domains/hair-salon.toml";
    let bad = found(domain, "salon.txt", "nl", LEAST, MOST_WRONG);
    assert_eq!(bad, None);
}
