//! No plan of a shipped domain ends in an empty reply: every intent, in every state, in every language.

use std::path::Path;

use jiff::Timestamp;
use shared_types::{SlotValue, Slots};
use worker::dialogue::{self, Situation};
use worker::domain::{About, Domain};
use worker::memory::Memory;
use worker::understanding::Mood;

fn shipped() -> Vec<Domain> {
    let bicycles = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/domains/bicycle-repair.toml");
    vec![
        Domain::embedded().unwrap(),
        Domain::load(&bicycles).unwrap(),
    ]
}

/// Every state that changes a plan: nothing said yet, and for each goal something said, each topic
/// open, and everything known.
fn states(domain: &Domain) -> Vec<Memory> {
    let mut states = vec![Memory::default()];
    for goal in &domain.dialogue.goals {
        let at = |opened: bool| Memory {
            intent: Some(goal.intent.clone()),
            opened,
            ..Memory::default()
        };
        states.extend([at(false), at(true)]);
        states.extend(goal.asks.iter().map(|topic| Memory {
            open_question: Some(topic.clone()),
            asked: vec![topic.clone()],
            ..at(true)
        }));
        let known = goal
            .asks
            .iter()
            .map(|topic| (topic.clone(), "x".to_owned()));
        states.push(Memory {
            answers: known.collect(),
            misunderstandings: 1,
            ..at(true)
        });
    }
    states
}

#[test]
fn no_plan_ends_in_an_empty_reply() {
    let now: Timestamp = "2026-11-28T19:00:00Z".parse().unwrap();
    let told = Slots::from([("year_min".to_owned(), SlotValue::Integer(2019))]);
    for domain in shipped() {
        let states = states(&domain);
        let turns = domain
            .intents
            .iter()
            .flat_map(|intent| states.iter().map(move |memory| (intent, memory)));
        for (intent, memory) in turns {
            for (text, confidence) in [("hm", 0.2), ("hoe laat zijn jullie open", 0.95)] {
                for told in [&Slots::new(), &told] {
                    let plan = dialogue::plan(
                        &domain,
                        &Situation {
                            intent: &intent.name,
                            confidence,
                            told,
                            answer: None,
                            mood: Mood::default(),
                            text,
                            attachments: &[],
                            has_location: false,
                            memory,
                            named_day: None,
                            now,
                        },
                    );
                    for replies in &domain.replies {
                        let known = (About::Wanted, &Slots::new());
                        let mut filling = dialogue::fill(&domain, replies, known, None, text, now);
                        // What the owner may leave out of [business].
                        for gap in ["address", "phone", "email", "website", "hours", "today"] {
                            filling.remove(gap);
                        }
                        let last = Default::default();
                        let worded = dialogue::word(replies, &plan, text, &filling, &last, 7);
                        assert!(
                            !worded.text.trim().is_empty(),
                            "{} {} {plan:?} {memory:?}",
                            replies.language,
                            intent.name
                        );
                    }
                }
            }
        }
    }
}
