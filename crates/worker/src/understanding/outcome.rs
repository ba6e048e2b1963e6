//! What is understood of a message as a whole, and what spoke for it.

use shared_types::{SlotValue, Slots};

use super::{HoursAsked, Moments, Mood, Sought, WordCount};
use crate::dialogue::act::{Act, Consent};
use crate::domain::Answer;

/// What a message says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Understanding {
    /// The language to answer in, as a code of the domain: `nl`.
    pub lang: String,
    /// How many of its words each served language has; names, numbers and units aside.
    pub words_in: Vec<(String, WordCount)>,
    /// The language that it is in, when that is one of those that are known but not written.
    pub unserved: Option<String>,
    /// One of the domain's intents.
    pub intent: String,
    /// How sure the intent is, 0 to 1.
    pub confidence: f64,
    /// What the message tells.
    pub slots: Slots,
    /// What it says is not so: "geen automaat" gives `transmission`, `automatic`.
    pub negated: Vec<(String, SlotValue)>,
    /// How the customer seems to feel.
    pub mood: Mood,
    /// Set when the message is nothing but a yes or a no.
    pub answer: Option<Answer>,
    /// Set when the message is a command about messages or data.
    pub consent: Option<Consent>,
    /// The dates and times in it; what they mean depends on when it was said.
    pub moments: Moments,
    /// What it asks about opening hours.
    pub hours_asked: HoursAsked,
    /// What it asks of the stock.
    pub sought: Sought,
}

impl Understanding {
    /// The same with what it does: who wants something further is not only asked whether to stop.
    pub(super) fn beside(self, acts: &[Act]) -> Self {
        let wishes = acts.iter().any(|act| act.does.wishes());
        Self {
            consent: self
                .consent
                .filter(|one| !wishes || *one != Consent::Doubtful),
            ..self
        }
    }

    /// The language to go on in with a customer who was answered in another one: a customer who
    /// changes language is followed, one foreign word changes nothing.
    #[must_use]
    pub fn lang_after<'a>(&'a self, before: Option<&'a str>) -> &'a str {
        const ENOUGH_WORDS: usize = 3;
        const ONE_WORD: usize = 1;
        let Some(before) = before.filter(|before| *before != self.lang) else {
            return &self.lang;
        };
        let count = |code: &str| {
            let mut counts = self.words_in.iter();
            let found = counts.find(|(other, _)| other == code);
            found.map_or_else(WordCount::default, |(_, count)| *count)
        };
        let (new, old) = (count(&self.lang), count(before));
        let changed = new.all >= ENOUGH_WORDS && new.own > old.own.max(ONE_WORD);
        if changed || self.unserved.is_some() {
            &self.lang
        } else {
            before
        }
    }
}

/// Something that speaks for or against an intent.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Evidence {
    /// The intent that it speaks for, or against.
    pub intent: String,
    /// How much; negative when it speaks against.
    pub weight: f64,
    /// The pattern, as it stands in the domain file; none for what the examples say.
    pub pattern: Option<String>,
}
