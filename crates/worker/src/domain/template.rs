//! A text with gaps: `Leuk, een {car}![ Tot {price_max}.]`. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A text whose `{gaps}` are filled from what is known. A part in `[brackets]` is left out when one
/// of its gaps cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Gap(String),
    Optional(Vec<Piece>),
}

/// What gaps are filled with, by name.
pub type Filling = BTreeMap<String, String>;

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A sentence about the bracket or brace that is not closed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '[', '}', ']']) {
            let (before, from) = rest.split_at(at);
            push_text(&mut pieces, before);
            let (piece, tail) = parse_piece(from)?;
            pieces.push(piece);
            rest = tail;
        }
        push_text(&mut pieces, rest);
        Ok(Self { pieces })
    }

    /// The names of all gaps.
    #[must_use]
    pub fn gaps(&self) -> BTreeSet<&str> {
        gaps(&self.pieces, true)
    }

    /// The gaps without which the template makes no sense.
    #[must_use]
    pub fn required(&self) -> BTreeSet<&str> {
        gaps(&self.pieces, false)
    }

    /// Whether all required gaps can be filled.
    #[must_use]
    pub fn fits(&self, filling: &Filling) -> bool {
        self.required().iter().all(|gap| filling.contains_key(*gap))
    }

    /// The text. None when a required gap cannot be filled.
    #[must_use]
    pub fn fill(&self, filling: &Filling) -> Option<String> {
        fill(&self.pieces, filling)
    }
}

/// As it was read.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(&self.pieces, f)
    }
}

fn write(pieces: &[Piece], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for piece in pieces {
        match piece {
            Piece::Text(text) => f.write_str(text)?,
            Piece::Gap(name) => write!(f, "{{{name}}}")?,
            Piece::Optional(pieces) => {
                f.write_str("[")?;
                write(pieces, f)?;
                f.write_str("]")?;
            }
        }
    }
    Ok(())
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

fn parse_piece(from: &str) -> Result<(Piece, &str), String> {
    let inside = from.get(1..).unwrap_or_default();
    if from.starts_with('{') {
        let (name, tail) = inside.split_once('}').ok_or("a `{` is not closed")?;
        return Ok((Piece::Gap(name.trim().to_owned()), tail));
    }
    if from.starts_with('[') {
        let (optional, tail) = inside.split_once(']').ok_or("a `[` is not closed")?;
        if optional.contains('[') {
            return Err("brackets cannot stand within brackets".into());
        }
        return Ok((Piece::Optional(Template::parse(optional)?.pieces), tail));
    }
    Err(format!(
        "a `{}` closes nothing",
        from.chars().next().unwrap_or_default()
    ))
}

fn gaps(pieces: &[Piece], with_optional: bool) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for piece in pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::Gap(name) => {
                found.insert(name.as_str());
            }
            Piece::Optional(inner) if with_optional => found.extend(gaps(inner, true)),
            Piece::Optional(_) => {}
        }
    }
    found
}

fn fill(pieces: &[Piece], filling: &Filling) -> Option<String> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Gap(name) => text.push_str(filling.get(name)?),
            Piece::Optional(inner) => text.push_str(&fill(inner, filling).unwrap_or_default()),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filling(pairs: &[(&str, &str)]) -> Filling {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn optional_parts_appear_only_when_they_can_be_filled() {
        let template = Template::parse("Een {car}![ Tot {price_max}.]").unwrap();
        let both = filling(&[("car", "Golf"), ("price_max", "€ 9.000")]);
        assert_eq!(template.fill(&both).unwrap(), "Een Golf! Tot € 9.000.");
        assert_eq!(
            template.fill(&filling(&[("car", "Golf")])).unwrap(),
            "Een Golf!"
        );
        assert_eq!(template.fill(&filling(&[])), None);
        assert_eq!(template.required().into_iter().collect::<Vec<_>>(), ["car"]);
        assert_eq!(template.gaps().len(), 2);
    }

    #[test]
    fn mistakes_are_told() {
        for bad in ["{car", "[x", "}", "]", "[a [b] c]"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
