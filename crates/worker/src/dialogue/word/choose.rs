//! Which of several wordings is taken.

use sha2::{Digest, Sha256};

use super::Wording;
use crate::domain::{Filling, Template};

/// The wordings of one thing to say, those that say most first.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// How many gaps are filled, and the text.
    texts: Vec<(usize, String)>,
    /// It tells something: the same again is said to be the same.
    pub(super) tells: bool,
}

impl Choice {
    /// `own` are the gaps that this thing fills: a wording that has them says more.
    pub(super) fn new(variants: &[Template], filling: &Filling, own: &[(&str, String)]) -> Self {
        let says = |text: &Template| {
            let required = text.required();
            own.iter().filter(|(gap, _)| required.contains(gap)).count()
        };
        let mut texts: Vec<(usize, String)> = variants
            .iter()
            .filter_map(|text| Some((says(text), capital(&text.fill(filling)?))))
            .collect();
        texts.sort_by_key(|(gaps, _)| std::cmp::Reverse(*gaps));
        Self {
            texts,
            tells: false,
        }
    }

    pub(super) fn one(text: &str) -> Self {
        Self {
            texts: vec![(0, capital(text))],
            tells: true,
        }
    }

    pub(super) fn telling(self) -> Self {
        Self {
            tells: true,
            ..self
        }
    }

    /// The text that says most.
    pub(super) fn fullest(&self) -> Option<&str> {
        self.texts.first().map(|(_, text)| text.as_str())
    }
}

impl Wording<'_> {
    /// The fullest wording that was not sent before; among equals the dice decide.
    pub(super) fn choose(&self, choice: &Choice) -> String {
        let said = &self.state.said;
        let is_new = |text: &str| !said.contains(&hash(text));
        let fresh: Vec<&(usize, String)> = choice
            .texts
            .iter()
            .filter(|(_, text)| is_new(text))
            .collect();
        if let Some((most, _)) = fresh.first() {
            let best: Vec<&String> = fresh
                .iter()
                .filter(|(gaps, _)| gaps == most)
                .map(|(_, text)| text)
                .collect();
            return self.pick(&best);
        }
        if choice.tells
            && let Some(text) = choice.fullest()
        {
            let again = self.text_of("as_said", &[("said", text.to_owned())]);
            if let Some((_, text)) = again.texts.iter().find(|(_, text)| is_new(text)) {
                return text.clone();
            }
        }
        // All were said; the one said longest ago is the least known.
        let since = |text: &String| said.iter().rposition(|known| *known == hash(text));
        let oldest = choice
            .texts
            .iter()
            .map(|(_, text)| text)
            .min_by_key(|text| since(text));
        oldest.cloned().unwrap_or_default()
    }

    fn pick(&self, texts: &[&String]) -> String {
        let count = u64::try_from(texts.len().max(1)).unwrap_or(1);
        let place = usize::try_from(self.occasion.dice % count).unwrap_or_default();
        texts
            .get(place)
            .map_or_else(String::new, |text| (*text).clone())
    }
}

/// What is remembered of a sentence.
pub(super) fn hash(text: &str) -> u64 {
    let digest = Sha256::digest(text);
    u64::from_be_bytes(digest.first_chunk::<8>().copied().unwrap_or_default())
}

/// A sentence begins with a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
