//! Which language a message is in.

use super::fold::fold;
use super::lexicon::Lexicon;
use super::tokens::{Kind, Token};
use crate::domain::Language;

const FREQUENT: f64 = 1.0;
const IN_A_PATTERN: f64 = 0.6;
const ENDING: f64 = 0.4;
const FOREIGN_LETTERS: f64 = 2.0;
/// What it takes to believe that a message is in a language that is not served.
const FOREIGN_ENOUGH: f64 = 1.5;

/// Tells languages apart by their frequent words, the words of their patterns and word endings.
#[derive(Debug)]
pub(super) struct LanguageGuesser {
    endings: Vec<Vec<String>>,
    /// Places of languages that messages are not answered in.
    foreign: Vec<usize>,
}

/// How many words of a message a language has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WordCount {
    /// Frequent words of the language, also those that others have.
    pub all: usize,
    /// Those that no other served language has.
    pub own: usize,
}

/// What speaks for each language.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Guess {
    /// Place of the likeliest.
    pub(super) best: usize,
    scores: Vec<f64>,
    /// One a language.
    pub(super) words: Vec<WordCount>,
}

impl Guess {
    /// Whether some of the message may be in a language.
    pub(super) fn is_spoken(&self, language: usize) -> bool {
        let score = |place: usize| self.scores.get(place).copied().unwrap_or(0.0);
        language == self.best || score(language) >= 0.4 * score(self.best)
    }

    /// One bit for each language that some of the message may be in.
    pub(super) fn spoken(&self) -> u32 {
        let spoken = (0..self.scores.len()).filter(|place| self.is_spoken(*place));
        spoken.fold(0, |bits, place| bits | 1 << place)
    }

    /// The languages, the likeliest first, each with whether some of the message may be in it. The language
    /// of the talk is it where the message does not say: "half 12".
    pub(super) fn likely(&self, talk: Option<usize>) -> Vec<(usize, bool)> {
        let score = |place: &usize| self.scores.get(*place).copied().unwrap_or(0.0);
        let words = self.words.get(self.best).map_or(0, |count| count.all);
        let talk = talk.filter(|talk| self.allows(*talk) || words <= 1);
        let best = talk.unwrap_or(self.best);
        let mut places: Vec<usize> = (0..self.scores.len()).collect();
        places.sort_by(|a, b| {
            (*b == best)
                .cmp(&(*a == best))
                .then(score(b).total_cmp(&score(a)))
        });
        places
            .into_iter()
            .map(|place| (place, self.is_spoken(place)))
            .collect()
    }

    /// Whether a language is so likely that its cues count in full.
    pub(super) fn allows(&self, language: usize) -> bool {
        let score = |place: usize| self.scores.get(place).copied().unwrap_or(0.0);
        language == self.best || score(language) >= 0.6 * score(self.best)
    }
}

impl LanguageGuesser {
    pub(super) fn new(languages: &[Language]) -> Self {
        let endings = |language: &Language| {
            language
                .vocabulary
                .endings
                .iter()
                .map(|ending| fold(ending))
                .collect()
        };
        let foreign = (0..)
            .zip(languages)
            .filter(|(_, language)| language.answer_in.is_some());
        Self {
            endings: languages.iter().map(endings).collect(),
            foreign: foreign.map(|(place, _)| place).collect(),
        }
    }

    /// Guesses by all words but those that are `names` or numbers and units, which count little in
    /// any language.
    pub(super) fn guess(
        &self,
        tokens: &[Token],
        lexicon: &Lexicon,
        is_counted: impl Fn(usize) -> bool,
    ) -> Guess {
        let mut scores = vec![0.0; self.endings.len()];
        let mut words = vec![WordCount::default(); self.endings.len()];
        let said = tokens.iter().enumerate().filter(|(at, _)| is_counted(*at));
        for word in said.filter_map(|(_, token)| lexicon.get(&token.text)) {
            self.count(word.frequent_in, &mut words);
        }
        for token in tokens.iter().filter(|token| token.kind == Kind::Word) {
            if !token.text.is_ascii() {
                self.foreign
                    .iter()
                    .for_each(|place| add(&mut scores, *place, FOREIGN_LETTERS));
            }
            match lexicon.get(&token.text) {
                Some(word) if word.frequent_in != 0 => {
                    share(&mut scores, word.frequent_in, FREQUENT)
                }
                Some(word) if word.pattern_of != 0 => {
                    share(&mut scores, word.pattern_of, IN_A_PATTERN)
                }
                Some(word) if word.name => {}
                _ => self.add_endings(&token.text, &mut scores),
            }
        }
        let mut best = 0;
        for (place, score) in scores.iter().enumerate() {
            let doubtful = self.foreign.contains(&place) && *score < FOREIGN_ENOUGH;
            if *score > scores.get(best).copied().unwrap_or(0.0) && !doubtful {
                best = place;
            }
        }
        Guess {
            best,
            scores,
            words,
        }
    }

    fn count(&self, languages: u32, words: &mut [WordCount]) {
        let places = (0..words.len()).filter(|place| languages & (1 << place) != 0);
        let served: Vec<usize> = places
            .filter(|place| !self.foreign.contains(place))
            .collect();
        for place in &served {
            if let Some(count) = words.get_mut(*place) {
                count.all += 1;
                count.own += usize::from(served.len() == 1);
            }
        }
    }

    fn add_endings(&self, text: &str, scores: &mut [f64]) {
        for (place, endings) in self.endings.iter().enumerate() {
            if endings
                .iter()
                .any(|ending| text.len() > ending.len() + 1 && text.ends_with(&**ending))
            {
                add(scores, place, ENDING);
            }
        }
    }
}

/// A word that several languages have speaks for each of them less.
fn share(scores: &mut [f64], languages: u32, weight: f64) {
    let each = weight / f64::from(languages.count_ones());
    for place in (0..scores.len()).filter(|place| languages & (1 << place) != 0) {
        add(scores, place, each);
    }
}

fn add(scores: &mut [f64], place: usize, weight: f64) {
    if let Some(score) = scores.get_mut(place) {
        *score += weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Domain;
    use crate::understanding::Understander;
    use crate::understanding::reading::Reading;

    fn understander() -> Understander {
        Understander::new(&Domain::embedded().expect("the embedded domain is valid"))
    }

    #[test]
    fn languages_are_told_from_a_few_words() {
        let understander = understander();
        for (message, lang) in [
            ("heb je nog een polo staan?", "nl"),
            ("do you still have a polo?", "en"),
            ("habt ihr noch einen polo da?", "de"),
            ("wat kost ie", "nl"),
            ("how much is it", "en"),
            ("was kostet der", "de"),
            // Two words: one of two languages, one that only ends like English.
            ("he managed!", "en"),
            // Nothing but a name: the first language.
            ("Golf 2019", "nl"),
            // English words in a Dutch message.
            ("hi, ik wil graag een test drive met de model y", "nl"),
            // Not served, so answered in English.
            ("bonjour, avez-vous une voiture pour moi ?", "en"),
            ("Здравствуйте, сколько стоит машина?", "en"),
        ] {
            assert_eq!(understander.understand(message).lang, lang, "{message}");
        }
    }

    #[test]
    fn mixed_message_allows_both_of_its_languages() {
        let compiled = understander().compiled;
        let place = |code: &str| ["nl", "en", "de"].iter().position(|other| *other == code);
        for (message, allowed, refused) in
            [("is this car still te koop bij jullie", ["nl", "en"], "de")]
        {
            let guess = Reading::new(&compiled, message, None).guess;
            for code in allowed {
                assert!(
                    place(code).is_some_and(|place| guess.allows(place)),
                    "{code}"
                );
            }
            assert!(
                place(refused).is_some_and(|place| !guess.allows(place)),
                "{refused}"
            );
        }
    }

    #[test]
    fn word_of_several_languages_speaks_for_each_of_them_less() {
        let mut scores = [0.0; 3];
        share(&mut scores, 0b101, 1.0);
        assert_eq!(scores, [0.5, 0.0, 0.5]);
    }
}
