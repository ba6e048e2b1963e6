//! Which kind of answer a question asks for: a person, a place, a time, a reason, a length of time.

use super::fold::fold;
use super::tokens::Token;
use crate::domain::Domain;

/// One bit for each kind, in the order of the vocabularies.
pub(super) type KindsAsked = u32;

/// How each kind is asked for, in all languages.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    phrases: Vec<Phrase>,
}

#[derive(Debug)]
struct Phrase {
    words: Vec<String>,
    kind: KindsAsked,
    /// The bit of its language.
    language: u32,
}

impl Kinds {
    pub(super) fn new(domain: &Domain) -> Self {
        let languages = domain.languages.iter().enumerate();
        let phrases = languages.flat_map(|(place, language)| {
            let kinds = language.vocabulary.kinds_asked.iter().enumerate();
            kinds.flat_map(move |(kind, phrases)| {
                phrases.iter().map(move |phrase| Phrase {
                    words: phrase.split_whitespace().map(fold).collect(),
                    kind: 1 << kind.min(31),
                    language: 1 << place.min(31),
                })
            })
        });
        Self {
            phrases: phrases.collect(),
        }
    }

    /// The kinds that some words ask for, in the languages of `spoken`.
    pub(super) fn asked(&self, tokens: &[Token], spoken: u32) -> KindsAsked {
        let stands = |phrase: &&Phrase| {
            let mut places = tokens.windows(phrase.words.len().max(1));
            phrase.language & spoken != 0
                && places.any(|place| {
                    let words = place.iter().map(|token| token.text.as_str());
                    words.eq(phrase.words.iter().map(String::as_str))
                })
        };
        let found = self.phrases.iter().filter(stands);
        found.fold(0, |kinds, phrase| kinds | phrase.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::tokens::tokenize;

    #[test]
    fn a_kind_is_the_same_in_every_language() {
        const ALL: u32 = 0b111;
        let kinds = Kinds::new(&Domain::embedded().unwrap());
        let asked = |text: &str, spoken| kinds.asked(&tokenize(text, |_| false), spoken);
        let when = asked("wanneer is hij klaar", ALL);
        assert_ne!(when, 0);
        assert_eq!(asked("when is it ready", ALL), when);
        assert_eq!(asked("wann ist er fertig", ALL), when);
        assert_ne!(
            asked("wie is daar vandaag", 0b001),
            asked("waar is dat", ALL)
        );
        assert_eq!(asked("wat kost dat", ALL), 0);
        assert_eq!(asked("when is it ready", 0b001), 0, "of another language");
    }
}
