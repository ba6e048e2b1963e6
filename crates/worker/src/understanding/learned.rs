//! Which fact a question asks for, by what the questions of each fact have in common and what others have.

use classifier::{Classifier, Example};

use super::tokens::{Kind, tokenize};
use crate::domain::{Domain, IntentAct};

/// How far ahead of "none" a fact is beyond doubt. One that is no further is as likely as not.
const SURE: f32 = 0.012;

/// What the sentence before counts.
const BEFORE: f32 = 0.4;

/// What the questions of all facts taught.
#[derive(Debug, Default)]
pub(super) struct Learned(Classifier);

/// The class of what no fact answers; those of the facts follow.
const NONE: u16 = 0;

impl Learned {
    pub(super) fn new(domain: &Domain, abbreviations: &[String]) -> Self {
        let is_abbreviation = |word: &str| abbreviations.iter().any(|other| other == word);
        // A handful of questions a fact tell too little.
        if domain.questions.is_empty() {
            return Self::default();
        }
        let facts = &domain.knowledge.facts;
        // Facts of one name answer the same questions.
        let class = |name: &str| {
            let place = facts.iter().position(|fact| fact.name == name);
            place.map_or(NONE, |place| u16::try_from(place + 1).unwrap_or(NONE))
        };
        let asked = facts.iter().flat_map(|fact| {
            let texts = fact.ask.values().flatten();
            texts.map(move |text| (class(&fact.name), text.as_str()))
        });
        let questions = domain.questions.iter().map(|question| {
            let fact = question.fact.and_then(|place| facts.get(place));
            let class = fact.map_or(NONE, |fact| class(&fact.name));
            (class, question.text.as_str())
        });
        let tells = |intent: usize| {
            let intent = domain.intents.get(intent);
            intent.is_some_and(|intent| intent.act != Some(IntentAct::Info))
        };
        let others = domain.examples.iter();
        let others = others.filter(|example| tells(example.intent));
        let others = others.map(|example| (NONE, example.text.as_str()));
        let examples = asked.chain(questions).chain(others);
        let examples = examples.map(|(class, text)| {
            let tokens = tokenize(text, is_abbreviation);
            let words = tokens.iter().filter(|token| token.kind == Kind::Word);
            Example::new(class, words.map(|token| token.text.as_str()))
        });
        Self(Classifier::learn(examples))
    }

    /// What it says of a question: `words` are its own, `whole` those of the sentence before as well.
    pub(super) fn opinion(&self, words: &[&str], whole: &[&str]) -> Opinion {
        let alone = self.0.scores(words.iter().copied());
        let together = self.0.scores(whole.iter().copied());
        let scores = alone.iter().zip(&together);
        let scores = scores.map(|(alone, together)| alone + BEFORE * (together - alone));
        Opinion(scores.collect())
    }
}

/// How near a question is to none of the facts, then to each.
pub(super) struct Opinion(Vec<f32>);

impl Opinion {
    /// How likely the fact at a place is meant, 0 to 1. Nothing was learned where there is none.
    pub(super) fn likeness(&self, fact: usize) -> Option<f64> {
        let (none, facts) = self.0.split_first()?;
        let likeness = 0.5 + 0.5 * f64::from((facts.get(fact)? - none) / SURE);
        Some(likeness.clamp(0.0, 1.0))
    }

    /// The place of the likeliest fact, with that.
    pub(super) fn likeliest(&self) -> Option<(usize, f64)> {
        let facts = self.0.iter().skip(1).enumerate();
        let (fact, _) = facts.max_by(|a, b| a.1.total_cmp(b.1))?;
        Some((fact, self.likeness(fact)?))
    }
}
