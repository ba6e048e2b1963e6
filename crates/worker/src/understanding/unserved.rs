//! Which language a message is in that nobody here writes.

use rustc_hash::FxHashMap;

use super::fold::fold;
use super::lexicon::Lexicon;
use super::tokens::{Kind, Token};
use crate::domain::Unserved;

/// What a frequent word counts that no served language has, and one that some has too.
const OWN_WORD: f64 = 1.0;
const SHARED_WORD: f64 = 0.5;
/// What a word counts that is written in letters of that language alone.
const OWN_LETTERS: f64 = 1.5;
/// What it takes, and how much more than the words of the served languages.
const ENOUGH: f64 = 1.5;
const MORE_THAN_SERVED: f64 = 0.8;

/// Knows the languages that get one honest sentence.
#[derive(Debug, Default)]
pub(super) struct UnservedGuesser {
    codes: Vec<String>,
    /// Places of the languages that have a word.
    words: FxHashMap<String, Vec<usize>>,
    letters: FxHashMap<char, Vec<usize>>,
}

impl UnservedGuesser {
    pub(super) fn new(languages: &[Unserved]) -> Self {
        let mut guesser = Self::default();
        for (place, language) in languages.iter().enumerate() {
            guesser.codes.push(language.code.clone());
            for word in language.words.iter().flat_map(|word| parts(word)) {
                let places = guesser.words.entry(word).or_default();
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            for letter in &language.letters {
                guesser.letters.entry(*letter).or_default().push(place);
            }
        }
        guesser
    }

    /// The code of the language that the message is in, when it is one of these. `is_served` tells
    /// whether a served language has a word.
    pub(super) fn guess(
        &self,
        text: &str,
        tokens: &[Token],
        lexicon: &Lexicon,
        served: u32,
    ) -> Option<&str> {
        let mut scores = vec![0.0; self.codes.len()];
        let mut of_served = 0.0;
        let signs: Vec<usize> = text
            .chars()
            .filter(|c| !c.is_alphabetic())
            .filter_map(|c| self.letters.get(&c))
            .flatten()
            .copied()
            .collect();
        add(&mut scores, &signs, OWN_LETTERS);
        for token in tokens.iter().filter(|token| token.kind == Kind::Word) {
            let frequent = lexicon
                .get(&token.text)
                .is_some_and(|word| word.frequent_in & served != 0);
            let written = text.get(token.start..token.end).unwrap_or_default();
            let letters = written.chars().find_map(|c| self.letters.get(&c));
            let known = self.words.get(&fold(written));
            match (known, letters) {
                (_, Some(places)) => add(&mut scores, places, OWN_LETTERS),
                (Some(places), None) => {
                    let weight = if frequent { SHARED_WORD } else { OWN_WORD };
                    add(&mut scores, places, weight);
                }
                (None, None) if frequent => of_served += OWN_WORD,
                (None, None) => {}
            }
        }
        let best = (0..scores.len()).max_by(|a, b| {
            let score = |place: &usize| scores.get(*place).copied().unwrap_or(0.0);
            score(a).total_cmp(&score(b)).then(b.cmp(a))
        })?;
        let score = scores.get(best).copied()?;
        let enough = score >= ENOUGH && score > MORE_THAN_SERVED * of_served;
        self.codes.get(best).map(String::as_str).filter(|_| enough)
    }
}

/// `j'ai` is one word of a message, `s'il` too: without their apostrophes.
fn parts(word: &str) -> Option<String> {
    let word: String = fold(word).chars().filter(|c| *c != '\'').collect();
    (word.chars().count() > 1).then_some(word)
}

/// A word of several languages speaks for each of them less.
fn add(scores: &mut [f64], places: &[usize], weight: f64) {
    for place in places {
        if let Some(score) = scores.get_mut(*place) {
            *score += weight / places.len().max(1) as f64;
        }
    }
}
