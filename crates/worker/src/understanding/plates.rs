//! Finds texts of fixed formats, such as licence plates.

use super::fold::fold;
use super::lattice::Span;
use super::tokens::{Kind, Token};

const MAX_PARTS: usize = 7;

/// Finds texts in one of the formats. Spaces may stand where the format has a hyphen only when a
/// format says so; hyphens may be left out.
#[derive(Debug, Default)]
pub(super) struct PlateFinder {
    formats: Vec<Vec<Place>>,
    /// Those that are believed only after one of these words.
    loose: Vec<Vec<Place>>,
    after: Vec<String>,
}

/// How many words may stand between such a word and the plate: "Kennzeichen ist …".
const BETWEEN: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Letter { optional: bool },
    Digit { optional: bool },
    Fixed(char),
}

/// A text in one of the formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plate {
    /// In upper case, as written otherwise.
    pub(super) text: String,
    pub(super) span: Span,
}

impl PlateFinder {
    /// `loose` formats look like other things; they count `after` certain words.
    pub(super) fn new(formats: &[String], loose: &[String], after: &[String]) -> Self {
        let parsed = |formats: &[String]| formats.iter().map(|format| parse(format)).collect();
        Self {
            formats: parsed(formats),
            loose: parsed(loose),
            after: after.iter().map(|word| fold(word)).collect(),
        }
    }

    /// All such texts, in order.
    pub(super) fn find(&self, message: &str, tokens: &[Token]) -> Vec<Plate> {
        let mut plates = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            // "is KX 482 B": the word before fits a format too, and would cost the plate its end.
            let plate = self.at(message, tokens, at).map(|plate| {
                let next = self.at(message, tokens, at + 1);
                next.filter(|next| next.span.end > plate.span.end)
                    .unwrap_or(plate)
            });
            at = plate.as_ref().map_or(at + 1, |plate| plate.span.end);
            plates.extend(plate);
        }
        plates
    }

    fn at(&self, message: &str, tokens: &[Token], at: usize) -> Option<Plate> {
        let first = tokens.get(at).filter(|token| token.kind != Kind::Sign)?;
        let window = tokens.get(at..tokens.len().min(at + MAX_PARTS))?;
        if window.iter().all(|token| token.kind != Kind::Number) {
            return None;
        }
        let before = tokens.get(at.saturating_sub(BETWEEN + 1)..at)?;
        let mentioned = before.iter().any(|token| self.after.contains(&token.text));
        let loose = self.loose.iter().filter(|_| mentioned);
        let formats = self.formats.iter().chain(loose);
        let longest = (at + 1..=tokens.len().min(at + MAX_PARTS)).rev();
        for end in longest {
            let last = tokens.get(end - 1)?;
            let torn = tokens.get(end).is_some_and(|next| next.start == last.end);
            let digit = tokens
                .get(at..end)?
                .iter()
                .any(|token| token.kind == Kind::Number);
            if torn || !digit || last.end - first.start > 12 {
                continue;
            }
            let text = message.get(first.start..last.end)?;
            if formats.clone().any(|format| matches(format, text)) {
                return Some(Plate {
                    text: text.to_uppercase(),
                    span: Span::new(at, end),
                });
            }
        }
        None
    }
}

fn parse(format: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for c in format.chars() {
        match (c, places.last_mut()) {
            ('L', _) => places.push(Place::Letter { optional: false }),
            ('9', _) => places.push(Place::Digit { optional: false }),
            ('?', Some(Place::Letter { optional } | Place::Digit { optional })) => *optional = true,
            (c, _) => places.push(Place::Fixed(c)),
        }
    }
    places
}

fn matches(format: &[Place], text: &str) -> bool {
    let Some((place, rest)) = format.split_first() else {
        return text.is_empty();
    };
    let mut chars = text.chars();
    let first = chars.next();
    let after = chars.as_str();
    match place {
        Place::Letter { optional } => {
            first.is_some_and(|c| c.is_ascii_alphabetic()) && matches(rest, after)
                || *optional && matches(rest, text)
        }
        Place::Digit { optional } => {
            first.is_some_and(|c| c.is_ascii_digit()) && matches(rest, after)
                || *optional && matches(rest, text)
        }
        Place::Fixed(c) => {
            first.is_some_and(|first| first.eq_ignore_ascii_case(c)) && matches(rest, after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::tokens::tokenize;

    #[test]
    fn plates_are_found_as_written() {
        let formats = ["LL-999-L", "LL999L", "L?L?L-L?L 9?9?9?9"].map(str::to_owned);
        let loose = ["L?L?L L?L 9?9?9?9", "LL 999 L"].map(str::to_owned);
        let finder = PlateFinder::new(&formats, &loose, &["Kennzeichen".to_owned()]);
        for (message, expected) in [
            ("mijn zb-612-n staat er", vec!["ZB-612-N"]),
            ("ZB612N?", vec!["ZB612N"]),
            ("KLE-AB 123.", vec!["KLE-AB 123"]),
            ("azb-612-n", vec![]),
            ("Kennzeichen ist HH AB 1234", vec!["HH AB 1234"]),
            ("Kennzeichen is KX 482 B", vec!["KX 482 B"]),
            ("Kennzeichen KX 482 B", vec!["KX 482 B"]),
            ("der BMW HH AB 1234", vec![]),
            ("a4 avant", vec![]),
        ] {
            let plates = finder.find(message, &tokenize(message, |_| false));
            let texts: Vec<&str> = plates.iter().map(|plate| plate.text.as_str()).collect();
            assert_eq!(texts, expected, "{message}");
        }
    }
}
