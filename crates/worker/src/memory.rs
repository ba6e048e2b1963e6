//! What is remembered of a conversation between turns. Stored as JSON in the conversation's state.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared_types::{SlotValue, Slots};

use crate::domain::About;

/// What the bot knows of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The customer's language.
    pub lang: Option<String>,
    /// What the customer last wanted.
    pub intent: Option<String>,
    /// What is known of the thing that the customer wants.
    pub wanted: Slots,
    /// What is known of the thing that the customer has.
    pub own: Slots,
    /// Free answers, by topic.
    pub answers: BTreeMap<String, String>,
    /// Whether something was said about that already.
    pub opened: bool,
    /// Topics that were asked while the intent was pursued.
    pub asked: Vec<String>,
    /// The topic that the last reply asked for.
    pub open_question: Option<String>,
    /// Messages in a row that were not understood.
    pub misunderstandings: u32,
    /// Which variant of each text was used last.
    pub variants: BTreeMap<String, usize>,
    /// A colleague has the conversation until then.
    pub human_until: Option<Timestamp>,
    /// Why.
    pub human_reason: Option<String>,
    /// Tokens that the language model used for this contact on this day.
    pub tokens: TokenCount,
}

/// Tokens used on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenCount {
    /// The day in UTC, `2026-11-22`.
    pub day: String,
    /// How many.
    pub used: u64,
}

impl Memory {
    /// What is known about whichever thing an intent is about.
    pub fn known(&self, about: About) -> &Slots {
        match about {
            About::Wanted => &self.wanted,
            About::Own => &self.own,
        }
    }

    fn known_mut(&mut self, about: About) -> &mut Slots {
        match about {
            About::Wanted => &mut self.wanted,
            About::Own => &mut self.own,
        }
    }

    /// Adds what a message told: new values replace old ones, a new upper name (a make) drops the
    /// lower one (the model) that belonged to another, and what was denied is forgotten.
    pub fn learn(
        &mut self,
        about: About,
        told: &Slots,
        denied: &[(String, SlotValue)],
        catalogues: &[(String, String)],
    ) {
        let known = self.known_mut(about);
        for (name, value) in denied {
            if known.get(name) == Some(value) {
                known.remove(name);
            }
        }
        for (upper, lower) in catalogues {
            let another = told
                .get(upper)
                .is_some_and(|upper_told| known.get(upper) != Some(upper_told));
            if another && !told.contains_key(lower) {
                known.remove(lower);
            }
        }
        known.extend(
            told.iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }

    /// Turns to another intent: what was asked for the old one is no longer open.
    pub fn pursue(&mut self, intent: &str) {
        if self.intent.as_deref() != Some(intent) {
            self.intent = Some(intent.to_owned());
            self.opened = false;
            self.asked.clear();
            self.open_question = None;
        }
    }

    /// Whether a colleague has the conversation.
    pub fn is_with_human(&self, now: Timestamp) -> bool {
        self.human_until.is_some_and(|until| until > now)
    }

    /// The bot takes the conversation back.
    pub fn release(&mut self) {
        self.human_until = None;
        self.human_reason = None;
        self.misunderstandings = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(pairs: &[(&str, &str)]) -> Slots {
        let pair = |(name, value): &(&str, &str)| {
            ((*name).to_owned(), SlotValue::Text((*value).to_owned()))
        };
        pairs.iter().map(pair).collect()
    }

    fn catalogues() -> Vec<(String, String)> {
        vec![("car_make".into(), "car_model".into())]
    }

    #[test]
    fn a_wish_grows_over_turns() {
        let mut memory = Memory::default();
        let learn = |memory: &mut Memory, told: &[(&str, &str)]| {
            memory.learn(About::Wanted, &slots(told), &[], &catalogues());
        };
        learn(
            &mut memory,
            &[("car_make", "Volkswagen"), ("car_model", "Golf")],
        );
        learn(&mut memory, &[("transmission", "automatic")]);
        assert_eq!(memory.wanted.len(), 3);
        learn(&mut memory, &[("car_make", "Audi")]);
        assert_eq!(
            memory.wanted,
            slots(&[("car_make", "Audi"), ("transmission", "automatic")])
        );
        assert!(
            memory.own.is_empty(),
            "the customer's own car is another one"
        );
    }

    #[test]
    fn what_is_denied_is_forgotten_and_nothing_else() {
        let mut memory = Memory {
            wanted: slots(&[("fuel_type", "diesel"), ("color", "red")]),
            ..Memory::default()
        };
        let denied = [
            ("fuel_type".to_owned(), SlotValue::Text("diesel".into())),
            ("color".to_owned(), SlotValue::Text("blue".into())),
        ];
        memory.learn(About::Wanted, &Slots::new(), &denied, &catalogues());
        assert_eq!(memory.wanted, slots(&[("color", "red")]));
    }

    #[test]
    fn another_intent_closes_what_was_asked() {
        let mut memory = Memory::default();
        memory.pursue("car_inquiry");
        memory.asked.push("budget".into());
        memory.open_question = Some("budget".into());
        memory.pursue("car_inquiry");
        assert_eq!(memory.asked, ["budget"]);
        memory.pursue("trade_in");
        assert!(memory.asked.is_empty() && memory.open_question.is_none());
    }

    #[test]
    fn memory_of_an_older_build_is_read() {
        let memory: Memory = serde_json::from_str(r#"{"lang":"nl","mood":"sunny"}"#).unwrap();
        assert_eq!(memory.lang.as_deref(), Some("nl"));
    }
}
