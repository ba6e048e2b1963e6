//! The little language in which the domain's vocabulary is written.
//!
//! | written | matches |
//! | --- | --- |
//! | `kan ik` | these words, one after the other; small typos are forgiven |
//! | `band*` `*afspraak` `*riem*` | a word that begins with, ends with, contains |
//! | `kan\|mag\|wil` | one of these |
//! | `(in het echt\|live)` | one of these phrases |
//! | `even?` | the word or nothing |
//! | `{kleine,grote} beurt` | short for two patterns |
//! | `@own` | any member of a class |
//! | `<car>` | something recognised for that slot; `<*>` for any slot |
//! | `#` | a number |
//! | `<?>` | a word right before a question mark |
//! | `!@own` | the next word is none of these; takes up nothing |
//! | `..` `...` `~` | up to three words; any words of the sentence; anything |
//! | `^` `$` | begin and end of the message, filler words aside |

use std::sync::Arc;

use super::section::{Section, Text};

/// A pattern that was found to be right. It is kept as text, and parsed again when it is compiled:
/// kept parsed, the patterns of a large domain would take several times the memory for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// As it stands in the file, braces expanded.
    pub(crate) written: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Element {
    /// One of these, or nothing when optional.
    OneOf { atoms: Vec<Atom>, optional: bool },
    /// None of these may follow.
    NoneOf(Vec<Atom>),
    /// Words in between.
    Gap(Reach),
    /// Nothing but filler before.
    Start,
    /// Nothing but filler after.
    End,
}

/// How far a gap reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Up to three words of the same sentence.
    Near,
    /// The same sentence.
    Sentence,
    /// The rest of the message.
    Message,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Atom {
    Word {
        text: String,
        affix: Affix,
    },
    Class(String),
    Slot(String),
    AnySlot,
    Number,
    /// A word before a question mark.
    Asked,
    /// Several words, as one of the choices in parentheses.
    Phrase(Vec<Element>),
}

/// Which end of a word is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Affix {
    Whole,
    Prefix,
    Suffix,
    Infix,
}

impl Pattern {
    /// Parses one pattern without braces.
    ///
    /// # Errors
    /// A sentence saying what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse_elements(text)?;
        Ok(Self {
            written: text.into(),
        })
    }

    /// What it is made of. Words are as written; the understanding folds them.
    pub(crate) fn elements(&self) -> Vec<Element> {
        // Nothing else can be in a pattern: it was parsed before.
        parse_elements(&self.written).unwrap_or_default()
    }
}

/// Calls back for every atom, those inside phrases too.
pub(crate) fn for_each_atom(elements: &[Element], visit: &mut impl FnMut(&Atom)) {
    for element in elements {
        if let Element::OneOf { atoms, .. } | Element::NoneOf(atoms) = element {
            for atom in atoms {
                visit(atom);
                if let Atom::Phrase(phrase) = atom {
                    for_each_atom(phrase, visit);
                }
            }
        }
    }
}

impl Element {
    /// At the beginning or end of a pattern it would change nothing.
    fn is_idle_at_the_edge(&self) -> bool {
        matches!(self, Self::Gap(_) | Self::OneOf { optional: true, .. })
    }
}

/// The patterns of a list in a domain file, braces expanded; mistakes go to the problems.
pub(super) fn patterns<'a>(section: &Section<'a>, key: &str) -> Vec<(Pattern, usize)> {
    section
        .texts(key)
        .into_iter()
        .flat_map(|text| parse_text(section, text))
        .collect()
}

pub(super) fn parse_text(section: &Section<'_>, text: Text<'_>) -> Vec<(Pattern, usize)> {
    let mut patterns = Vec::new();
    for expanded in expand_braces(text.value) {
        match Pattern::parse(&expanded) {
            Ok(pattern) => patterns.push((pattern, text.line)),
            Err(message) => section.problem(text.line, message),
        }
    }
    patterns
}

/// `a{b,c}d` is `abd` and `acd`; several braces multiply. Unbalanced braces stay as they are.
pub(super) fn expand_braces(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once('{') else {
        return vec![text.to_owned()];
    };
    let Some((choices, after)) = rest.split_once('}') else {
        return vec![text.to_owned()];
    };
    let tails = expand_braces(after);
    choices
        .split(',')
        .flat_map(|choice| {
            tails
                .iter()
                .map(move |tail| format!("{before}{choice}{tail}"))
        })
        .collect()
}

fn parse_elements(text: &str) -> Result<Vec<Element>, String> {
    let elements = split_elements(text)?.into_iter().map(parse_element);
    let elements: Vec<Element> = elements.collect::<Result<_, _>>()?;
    let anchored = elements.iter().any(|element| {
        matches!(
            element,
            Element::OneOf {
                optional: false,
                ..
            }
        )
    });
    if !anchored {
        return Err(format!("pattern `{text}` has no word that must be there"));
    }
    let edges = [elements.first(), elements.last()];
    if edges
        .into_iter()
        .flatten()
        .any(Element::is_idle_at_the_edge)
    {
        return Err(format!(
            "pattern `{text}` begins or ends with a gap or an optional word"
        ));
    }
    Ok(elements)
}

/// Splits at spaces outside parentheses.
fn split_elements(text: &str) -> Result<Vec<&str>, String> {
    let mut elements = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let group = rest.starts_with('(') || rest.starts_with("!(");
        let close = if group { rest.find(')') } else { Some(0) };
        let Some(close) = close else {
            return Err(format!(
                "pattern `{text}` has a parenthesis that is not closed"
            ));
        };
        let after = rest.get(close..).unwrap_or_default();
        let end = close + after.find(char::is_whitespace).unwrap_or(after.len());
        let (element, remaining) = rest.split_at(end);
        elements.push(element);
        rest = remaining.trim_start();
    }
    Ok(elements)
}

fn parse_element(text: &str) -> Result<Element, String> {
    match text {
        ".." => return Ok(Element::Gap(Reach::Near)),
        "..." => return Ok(Element::Gap(Reach::Sentence)),
        "~" => return Ok(Element::Gap(Reach::Message)),
        "^" => return Ok(Element::Start),
        "$" => return Ok(Element::End),
        _ => {}
    }
    if let Some(rest) = text.strip_prefix('!').filter(|rest| !rest.is_empty()) {
        return Ok(Element::NoneOf(parse_atoms(rest)?));
    }
    let (text, optional) = match text.strip_suffix('?') {
        Some(rest) if !rest.is_empty() => (rest, true),
        _ => (text, false),
    };
    Ok(Element::OneOf {
        atoms: parse_atoms(text)?,
        optional,
    })
}

fn parse_atoms(text: &str) -> Result<Vec<Atom>, String> {
    match text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(phrases) => phrases.split('|').map(parse_phrase).collect(),
        None => text.split('|').map(parse_atom).collect(),
    }
}

fn parse_phrase(text: &str) -> Result<Atom, String> {
    match text.trim() {
        word if !word.contains(' ') => parse_atom(word),
        phrase => parse_elements(phrase).map(Atom::Phrase),
    }
}

fn parse_atom(text: &str) -> Result<Atom, String> {
    if text == "#" {
        return Ok(Atom::Number);
    }
    if text == "<*>" {
        return Ok(Atom::AnySlot);
    }
    if text == "<?>" {
        return Ok(Atom::Asked);
    }
    if let Some(name) = text.strip_prefix('@').filter(|name| !name.is_empty()) {
        return Ok(Atom::Class(name.to_owned()));
    }
    if let Some(name) = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
    {
        return Ok(Atom::Slot(name.to_owned()));
    }
    let (text, open_start) = strip(text, str::strip_prefix);
    let (text, open_end) = strip(text, str::strip_suffix);
    if text.is_empty() || text.contains(['*', '{', '}', '(']) {
        return Err(format!("`{text}` is no word"));
    }
    let affix = match (open_start, open_end) {
        (false, false) => Affix::Whole,
        (false, true) => Affix::Prefix,
        (true, false) => Affix::Suffix,
        (true, true) => Affix::Infix,
    };
    Ok(Atom::Word {
        text: text.to_owned(),
        affix,
    })
}

fn strip<'t>(text: &'t str, side: fn(&'t str, char) -> Option<&'t str>) -> (&'t str, bool) {
    side(text, '*').map_or((text, false), |rest| (rest, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, affix: Affix) -> Atom {
        Atom::Word {
            text: text.to_owned(),
            affix,
        }
    }

    fn one(atoms: Vec<Atom>) -> Element {
        Element::OneOf {
            atoms,
            optional: false,
        }
    }

    #[test]
    fn every_form_of_the_table_is_understood() {
        let parsed =
            parse_elements("^ kan|mag @i .. band* *dienst *riem* # <car> <*> ~ stop? !niet $");
        let expected = vec![
            Element::Start,
            one(vec![word("kan", Affix::Whole), word("mag", Affix::Whole)]),
            one(vec![Atom::Class("i".to_owned())]),
            Element::Gap(Reach::Near),
            one(vec![word("band", Affix::Prefix)]),
            one(vec![word("dienst", Affix::Suffix)]),
            one(vec![word("riem", Affix::Infix)]),
            one(vec![Atom::Number]),
            one(vec![Atom::Slot("car".to_owned())]),
            one(vec![Atom::AnySlot]),
            Element::Gap(Reach::Message),
            Element::OneOf {
                atoms: vec![word("stop", Affix::Whole)],
                optional: true,
            },
            Element::NoneOf(vec![word("niet", Affix::Whole)]),
            Element::End,
        ];
        assert_eq!(parsed, Ok(expected));
    }

    #[test]
    fn parentheses_hold_phrases() {
        let parsed = Pattern::parse("zien (in het echt|live)?");
        let phrase = parse_elements("in het echt").map(Atom::Phrase);
        let atoms = vec![phrase.unwrap(), word("live", Affix::Whole)];
        let expected = vec![one(vec![word("zien", Affix::Whole)]), one(atoms)];
        let text = Pattern::parse("zien (in het echt|live)").unwrap();
        assert_eq!(text.elements(), expected);
        assert!(parsed.is_err(), "an optional group ends the pattern");
        assert!(Pattern::parse("zien (in het echt").is_err());
    }

    #[test]
    fn braces_multiply() {
        assert_eq!(expand_braces("{a,b} x{,y}"), ["a x", "a xy", "b x", "b xy"]);
        assert_eq!(expand_braces("no {end"), ["no {end"]);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "..",
            "word ..",
            ".. word",
            "maybe?",
            "word maybe?",
            "!not",
            "**",
            "a|*",
        ] {
            assert!(Pattern::parse(text).is_err(), "`{text}` was accepted");
        }
    }
}
