//! What the console is told of the domain: names to label with, and facts as their file has them. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crm::{DomainNames, FactNames};

use crate::domain::{Domain, Fact, Template};

/// Example questions of a fact that are told, in each language.
const QUESTIONS: usize = 40;

/// The names of a domain.
pub(crate) fn of(domain: &Domain) -> DomainNames {
    let mut facts: Vec<FactNames> = Vec::new();
    for fact in domain
        .knowledge
        .facts
        .iter()
        .filter(|fact| !fact.ask.is_empty())
    {
        if !facts.iter().any(|known| known.name == fact.name) {
            facts.push(names(fact));
        }
    }
    DomainNames {
        languages: domain
            .replies
            .iter()
            .map(|one| one.language.clone())
            .collect(),
        threshold: domain.settings.confidence_threshold,
        intents: domain
            .intents
            .iter()
            .map(|intent| intent.name.clone())
            .collect(),
        facts,
    }
}

fn names(fact: &Fact) -> FactNames {
    let ask = fact.ask.iter().map(|(language, questions)| {
        let questions = questions.iter().take(QUESTIONS).cloned();
        (language.clone(), questions.collect())
    });
    FactNames {
        name: fact.name.clone(),
        ask: ask.collect(),
        rest: rest(fact),
    }
}

/// The lines of its table behind `ask`.
fn rest(fact: &Fact) -> String {
    let mut lines = String::new();
    let mut line = |key: &str, value: String| {
        // Writing into a text cannot fail.
        let _infallible = writeln!(lines, "{key} = {value}");
    };
    texts("answer", &fact.answer, &mut line);
    texts("short", &fact.short, &mut line);
    for (key, day) in [("from", fact.from), ("until", fact.until)] {
        if let Some(day) = day {
            line(key, quoted(&day.to_string()));
        }
    }
    for (slot, value) in &fact.only_if {
        line(&format!("only_if.{slot}"), quoted(value));
    }
    for (key, goal) in [("goal", &fact.goal), ("during", &fact.during)] {
        if let Some(goal) = goal {
            line(key, quoted(goal));
        }
    }
    if fact.pass_on {
        line("pass_on", "true".to_owned());
    }
    lines
}

fn texts(key: &str, texts: &BTreeMap<String, Template>, line: &mut impl FnMut(&str, String)) {
    for (language, text) in texts {
        line(&format!("{key}.{language}"), quoted(&text.to_string()));
    }
}

/// A text between quotation marks: JSON's are TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_of_the_shipped_domain_can_be_written_again() {
        let domain = Domain::embedded().unwrap();
        let names = of(&domain);
        assert!(names.intents.contains(&"car_inquiry".to_owned()));
        let address = names
            .facts
            .iter()
            .find(|fact| fact.name == "address")
            .unwrap();
        assert!(
            address.ask["nl"]
                .iter()
                .any(|ask| ask == "waar zitten jullie")
        );
        for fact in &names.facts {
            let table: toml::Table = toml::from_str(&fact.rest).unwrap();
            assert!(table["answer"].get("nl").is_some(), "{}", fact.name);
        }
        for fact in &domain.knowledge.facts {
            for text in fact.answer.values() {
                assert_eq!(&Template::parse(&text.to_string()).unwrap(), text);
            }
        }
    }
}
