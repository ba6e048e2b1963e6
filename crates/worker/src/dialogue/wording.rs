//! The words of a reply, from the domain's texts. Pure.

use std::collections::BTreeMap;

use super::plan::{Plan, Saying};
use crate::domain::{Filling, Replies, Template};

/// A reply in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worded {
    /// What the customer reads.
    pub text: String,
    /// Which variant of each text was used.
    pub variants: BTreeMap<String, usize>,
}

/// WhatsApp through Twilio takes no more (Twilio error 21617).
const MAX_CHARS: usize = 1_600;

/// Puts a plan into words. `last` is which variants were used before; the same text never follows
/// itself. `dice` picks among the rest.
pub fn word(
    replies: &Replies,
    plan: &Plan,
    message: &str,
    filling: &Filling,
    last: &BTreeMap<String, usize>,
    dice: u64,
) -> Worded {
    let mut variants = BTreeMap::new();
    let mut choose = |key: String, texts: &[Template]| {
        let chosen = choose(texts, filling, last.get(&key).copied(), dice)?;
        variants.insert(key, chosen);
        texts.get(chosen)?.fill(filling)
    };
    let (key, texts) = texts_of(replies, &plan.saying, message, filling);
    let said = choose(key, texts);
    let asked = plan.ask.as_ref().and_then(|topic| {
        choose(
            format!("ask:{topic}"),
            replies.questions.get(topic)?.as_slice(),
        )
    });
    let text: Vec<String> = [said, asked]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .collect();
    Worded {
        text: text.join(" ").chars().take(MAX_CHARS).collect(),
        variants,
    }
}

fn texts_of<'r>(
    replies: &'r Replies,
    saying: &Saying,
    message: &str,
    filling: &Filling,
) -> (String, &'r [Template]) {
    let intent = |name: &str| replies.intents.get(name);
    match saying {
        Saying::Occasion(name) => (
            (*name).to_owned(),
            replies
                .occasions
                .get(*name)
                .map(Vec::as_slice)
                .unwrap_or_default(),
        ),
        Saying::Opening(name) => {
            let Some(texts) = intent(name) else {
                return (name.clone(), &[]);
            };
            let message = message.to_lowercase();
            let is_asked = |facet: &&crate::domain::Facet| {
                facet.words.iter().any(|word| contains_word(&message, word))
            };
            match texts.facets.iter().enumerate().find(|(_, facet)| {
                is_asked(facet) && facet.texts.iter().any(|text| text.fits(filling))
            }) {
                Some((place, facet)) => (format!("{name}:facet{place}"), &facet.texts),
                None => (format!("{name}:opening"), &texts.opening),
            }
        }
        Saying::More(name) => (
            format!("{name}:more"),
            intent(name)
                .map(|texts| texts.more.as_slice())
                .unwrap_or_default(),
        ),
        Saying::Done(name) => (
            format!("{name}:done"),
            intent(name)
                .map(|texts| texts.done.as_slice())
                .unwrap_or_default(),
        ),
    }
}

/// Among the texts that can be filled, those that say most; of these not the last one again.
fn choose(texts: &[Template], filling: &Filling, last: Option<usize>, dice: u64) -> Option<usize> {
    let fitting = texts
        .iter()
        .enumerate()
        .filter(|(_, text)| text.fits(filling));
    let fitting: Vec<(usize, usize)> = fitting
        .map(|(place, text)| (place, text.required().len()))
        .collect();
    let most = fitting.iter().map(|(_, gaps)| *gaps).max()?;
    let mut best: Vec<usize> = fitting
        .iter()
        .filter(|(_, gaps)| *gaps == most)
        .map(|(place, _)| *place)
        .collect();
    if best.iter().any(|place| Some(*place) != last) {
        best.retain(|place| Some(*place) != last);
    } else if let Some((other, _)) = fitting.iter().find(|(place, _)| Some(*place) != last) {
        return Some(*other);
    }
    let pick = usize::try_from(dice % best.len().max(1) as u64).unwrap_or_default();
    best.get(pick).copied()
}

/// Whether a text has a word or phrase that begins at a word's beginning. Both in lower case.
pub(super) fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn the_text_that_says_most_is_chosen_and_never_twice_in_a_row() {
        let texts = [template("a {car}"), template("b {car}"), template("c")];
        let filling: Filling = [("car".to_owned(), "Golf".to_owned())].into();
        let first = choose(&texts, &filling, None, 0).unwrap();
        let second = choose(&texts, &filling, Some(first), 0).unwrap();
        assert!(first < 2 && second < 2 && first != second);
        assert_eq!(choose(&texts, &Filling::new(), None, 7), Some(2));
        assert_eq!(
            choose(&texts, &Filling::new(), Some(2), 7),
            Some(2),
            "better twice than nothing"
        );
        assert_eq!(choose(&[], &filling, None, 0), None);
    }

    #[test]
    fn words_are_found_at_their_beginning() {
        assert!(contains_word("zijn jullie open?", "open"));
        assert!(contains_word("jullie openingstijden", "opening"));
        assert!(!contains_word("heropening", "opening"));
    }
}
