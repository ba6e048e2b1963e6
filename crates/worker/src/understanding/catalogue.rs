//! Finds makes and models, however they are spaced and hyphenated.

use rustc_hash::FxHashMap;

use super::fold::{fold, umlauts_spelled_out};
use super::lattice::Span;
use super::lexicon::{Lexicon, LexiconBuilder};
use super::tokens::{Boundary, Kind, Token};
use crate::domain::{Catalogue, Form, Needs};

const MAX_PARTS: usize = 6;

/// A make or model in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) make: usize,
    pub(super) model: Option<usize>,
    pub(super) needs: Needs,
    pub(super) span: Span,
}

/// The forms of a catalogue, squashed: without spaces, hyphens and accents.
#[derive(Debug, Default)]
pub(super) struct CatalogueIndex {
    forms: FxHashMap<String, Vec<Entry>>,
    longest: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    make: usize,
    model: Option<usize>,
    needs: Needs,
    /// The form is written as one word.
    one_word: bool,
}

impl CatalogueIndex {
    pub(super) fn new(catalogue: &Catalogue, lexicon: &mut LexiconBuilder) -> Self {
        let mut index = Self::default();
        for (make, entry) in catalogue.makes.iter().enumerate() {
            for form in &entry.forms {
                index.add(form, make, None, lexicon);
            }
            for (model, entry) in entry.models.iter().enumerate() {
                for form in &entry.forms {
                    index.add(form, make, Some(model), lexicon);
                }
            }
        }
        index
    }

    fn add(
        &mut self,
        form: &Form,
        make: usize,
        model: Option<usize>,
        lexicon: &mut LexiconBuilder,
    ) {
        let spelled_out = umlauts_spelled_out(&form.text).map(|text| fold(&text));
        for text in std::iter::once(fold(&form.text)).chain(spelled_out) {
            let squashed: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
            self.longest = self.longest.max(squashed.len());
            let entry = Entry {
                make,
                model,
                needs: form.needs,
                one_word: !text.contains([' ', '-', '.', '/', '&']),
            };
            let entries = self.forms.entry(squashed).or_default();
            let known = entries
                .iter()
                .any(|other| other.make == make && other.model == model);
            if !known {
                entries.push(entry);
            }
            let words = text.split(|c: char| !c.is_alphabetic());
            for word in words.filter(|word| word.len() >= 4) {
                lexicon.word(word).name = true;
            }
        }
    }

    /// Whether a single word is a name.
    pub(super) fn has(&self, text: &str) -> bool {
        self.forms.contains_key(text)
    }

    /// All names in the message, in order, none overlapping. Models right behind their make are one
    /// name with it; so is the digit of a generation behind a model, unless `is_unit` follows.
    pub(super) fn find(
        &self,
        tokens: &[Token],
        taken: impl Fn(usize) -> bool,
        lexicon: &Lexicon,
        is_unit: impl Fn(&str) -> bool,
    ) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let before = names
                .last()
                .filter(|name| name.model.is_none() && name.span.end == at)
                .copied();
            let separated = tokens
                .get(at)
                .is_none_or(|token| token.boundary != Boundary::None);
            let before = before.filter(|_| !separated);
            if begins_inside(tokens, at) {
                at += 1;
                continue;
            }
            let Some(mut name) = self.longest_at(tokens, at, before, &taken, lexicon) else {
                at += 1;
                continue;
            };
            if name.model.is_some() && is_generation(tokens, name.span.end, &is_unit) {
                name.span.end += 1;
            }
            at = name.span.end;
            match (before, name.model) {
                (Some(make), Some(_)) if make.make == name.make => {
                    names.pop();
                    names.push(Name {
                        span: Span::new(make.span.start, name.span.end),
                        needs: Needs::Nothing,
                        ..name
                    });
                }
                _ => names.push(name),
            }
        }
        let starts: Vec<usize> = names.iter().map(|name| name.span.start).collect();
        names.retain(|name| !is_year_of_next(tokens, name, &starts));
        names
    }

    fn longest_at(
        &self,
        tokens: &[Token],
        at: usize,
        make: Option<Name>,
        taken: &impl Fn(usize) -> bool,
        lexicon: &Lexicon,
    ) -> Option<Name> {
        let mut squashed = String::with_capacity(24);
        let mut spread = Spread::default();
        let mut best = None;
        for (end, token) in (at + 1..).zip(tokens.iter().skip(at)).take(MAX_PARTS) {
            // "I finish at 5.30 in Utrecht" names no 530i.
            let is_decimal = token.kind == Kind::Number && token.text.contains(['.', ':']);
            if taken(end - 1) || is_decimal || end > at + 1 && token.boundary != Boundary::None {
                break;
            }
            if token.kind == Kind::Sign {
                if end == at + 1 || token.text != "-" && token.text != "&" {
                    break;
                }
                continue;
            }
            spread.add(token, end > at + 1, lexicon);
            squashed.extend(token.text.chars().filter(|c| c.is_alphanumeric()));
            if squashed.len() > self.longest {
                break;
            }
            let entry = self
                .forms
                .get(&squashed)
                .and_then(|entries| choose(entries, make, &spread));
            let cut = tokens.get(end).is_some_and(|next| splits_word(token, next));
            if let Some(entry) = entry.filter(|_| !cut) {
                best = Some(Name {
                    make: entry.make,
                    model: entry.model,
                    needs: entry.needs,
                    span: Span::new(at, end),
                });
            }
        }
        best
    }
}

/// A name must not end inside `80dkm` or `a30`.
fn splits_word(token: &Token, next: &Token) -> bool {
    let tight = next.glued && next.start == token.end;
    tight && token.kind == Kind::Word && next.kind == Kind::Number
        || tight && token.kind == Kind::Number && next.kind == Kind::Word && next.text.len() > 3
}

/// The token goes on a word such as `l2h2`, which is no name.
fn begins_inside(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let tight = before
        .zip(tokens.get(at))
        .filter(|(before, token)| before.end == token.start);
    tight.is_some_and(|(before, token)| {
        before.kind == Kind::Number && token.kind == Kind::Word && token.text.len() == 1
    })
}

/// "A 2008 Golf": what looks like a year right before another name is one.
fn is_year_of_next(tokens: &[Token], name: &Name, starts: &[usize]) -> bool {
    const YEARS: std::ops::RangeInclusive<u16> = 1950..=2035;
    let year = tokens.get(name.span.start).filter(|token| {
        let year = token.text.parse().ok();
        token.kind == Kind::Number && year.is_some_and(|year| YEARS.contains(&year))
    });
    let next = tokens.get(name.span.end);
    let joined = next.is_some_and(|next| next.boundary == Boundary::None);
    name.span.len() == 1 && year.is_some() && joined && starts.contains(&name.span.end)
}

/// A single digit that counts nothing: the 7 of `golf 7`.
fn is_generation(tokens: &[Token], at: usize, is_unit: &impl Fn(&str) -> bool) -> bool {
    let digit = tokens.get(at).is_some_and(|token| {
        token.kind == Kind::Number && token.text.len() == 1 && token.boundary == Boundary::None
    });
    let counts = tokens
        .get(at + 1)
        .is_some_and(|next| next.glued || next.boundary == Boundary::None && is_unit(&next.text));
    digit && !counts
}

/// How the words of a possible name stand in the message.
#[derive(Debug, Default)]
struct Spread {
    spaced: bool,
    /// Two words of letters alone, side by side with a space between.
    letters_apart: bool,
    common_word: bool,
    words: usize,
    last_was_word: bool,
}

impl Spread {
    fn add(&mut self, token: &Token, inner: bool, lexicon: &Lexicon) {
        let is_word = token.kind == Kind::Word;
        self.words += 1;
        if inner && !token.glued {
            self.spaced = true;
            self.letters_apart |= is_word && self.last_was_word;
        }
        let frequent = lexicon
            .get(&token.text)
            .is_some_and(|word| word.frequent_in != 0);
        self.common_word |= is_word && frequent;
        self.last_was_word = is_word;
    }
}

fn choose(entries: &[Entry], make: Option<Name>, spread: &Spread) -> Option<Entry> {
    let behind_make =
        |entry: &&Entry| make.is_some_and(|name| name.make == entry.make) && entry.model.is_some();
    if let Some(entry) = entries.iter().find(behind_make) {
        return Some(Entry {
            needs: Needs::Nothing,
            ..*entry
        });
    }
    let torn = |entry: &&Entry| match entry.one_word {
        true => spread.letters_apart || spread.spaced && spread.common_word,
        false => spread.words == 1 && spread.common_word,
    };
    let free = entries
        .iter()
        .filter(|entry| entry.needs != Needs::Make && !torn(entry));
    free.min_by_key(|entry| entry.needs).copied()
}
