//! What can be told without asking a person, from the main file and the files that `knowledge` names.

use std::collections::BTreeMap;

use super::attributes::{self, Alarm, Attribute};
use super::facts::{self, Fact, Known, Prices};
use super::offers::{self, Offers};
use super::section::Section;
use super::unserved::{self, Unserved};
use super::vocabulary::Reference;

/// Facts, attributes, alarms, prices and languages that get one sentence.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Knowledge {
    /// Answers that the owner wrote.
    pub facts: Vec<Fact>,
    /// What can be asked of a thing.
    pub attributes: Vec<Attribute>,
    /// What is dangerous.
    pub alarms: Vec<Alarm>,
    /// What things cost.
    pub prices: Prices,
    /// Languages that are known but not written.
    pub unserved: Vec<Unserved>,
    /// What is said of the stock, where there may be one.
    pub offers: Option<Offers>,
}

impl Knowledge {
    /// The attribute with this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// The alarm with this name.
    #[must_use]
    pub fn alarm(&self, name: &str) -> Option<&Alarm> {
        self.alarms.iter().find(|alarm| alarm.name == name)
    }

    /// Adds what a file has. Prices are read before, since facts name them.
    pub(super) fn add(
        &mut self,
        root: &Section<'_>,
        known: &Known<'_>,
        references: &mut Vec<Reference>,
    ) {
        let languages = known.languages;
        self.facts.extend(facts::read(root, known, &self.prices));
        let attributes = attributes::read(root, languages, known.slots, references);
        self.attributes.extend(attributes);
        self.alarms
            .extend(attributes::read_alarms(root, languages, references));
        self.unserved.extend(unserved::read(root));
        let around = offers::Around {
            languages,
            goals: known.goals,
            slots: known.slots,
        };
        if let Some(offers) = offers::read(root, &around, references) {
            self.offers = Some(offers);
        }
    }

    /// Questions that stand with two facts of different names: which of them is meant?
    pub(super) fn ambiguous(&self) -> Vec<String> {
        let mut asked: BTreeMap<String, &str> = BTreeMap::new();
        let mut twice = Vec::new();
        for fact in &self.facts {
            for question in fact.ask.values().flatten() {
                let other = asked.insert(question.to_lowercase(), &fact.name);
                if let Some(other) = other.filter(|other| *other != fact.name) {
                    let name = &fact.name;
                    twice.push(format!(
                        "the facts `{other}` and `{name}` share the question \"{question}\""
                    ));
                }
            }
        }
        twice
    }
}
