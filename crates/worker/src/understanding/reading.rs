//! Reads a message: words, then what they name, then what the surroundings tell about it.

use std::cell::OnceCell;

use super::language::Guess;
use super::lattice::{Lattice, Span};
use super::mentions::{Mention, Named};
use super::moments::Moments;
use super::numbers::Quantity;
use super::surroundings::Surroundings;
use super::symbols::Symbol;
use super::tokens::{Token, tokenize};
use super::vocabulary::Compiled;

mod addresses;
mod names;
mod settle;
mod words;

use addresses::addresses;
use names::{define, find_names, find_values, is_part_of_name};
use words::{correct_typos, word_edges};

/// The words of a message, and the names among them.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) tokens: Vec<Token>,
    names: Vec<Mention>,
    /// Those that are names whatever stands around them.
    pub(super) certain: Vec<Span>,
}

impl Outline {
    pub(super) fn new(compiled: &Compiled, text: &str) -> Self {
        let is_abbreviation = |word: &str| compiled.abbreviations.iter().any(|other| other == word);
        let mut tokens = tokenize(text, is_abbreviation);
        correct_typos(compiled, &mut tokens);
        let names = find_names(compiled, text, &tokens);
        let certain = names.iter().filter(|name| name.is_certain());
        Self {
            certain: certain.map(|name| name.span).collect(),
            tokens,
            names,
        }
    }
}

/// A message as far as it is understood without knowing what the customer wants.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) tokens: Vec<Token>,
    /// Names that are names whatever stands around them.
    pub(super) certain: Vec<Span>,
    /// One for each token: it is a frequent word of some language.
    pub(super) frequent: Vec<bool>,
    pub(super) guess: Guess,
    pub(super) lattice: Lattice,
    pub(super) mentions: Vec<Mention>,
    pub(super) quantities: Vec<Quantity>,
    pub(super) surroundings: Surroundings,
    pub(super) moments: Moments,
    /// What the examples say of the whole, once that was asked.
    pub(super) opinion: OnceCell<Vec<f64>>,
}

impl Reading {
    /// The words of a stretch, and the names among them, as if they stood alone.
    pub(super) fn part(&self, part: Span) -> (&[Token], Vec<Span>) {
        let tokens = self.tokens.get(part.start..part.end).unwrap_or_default();
        let names = self.certain.iter().filter(|name| part.covers(**name));
        let moved = |name: &Span| Span::new(name.start - part.start, name.end - part.start);
        (tokens, names.map(moved).collect())
    }

    /// `talk` is the language of the talk so far.
    pub(super) fn new(compiled: &Compiled, text: &str, talk: Option<usize>) -> Self {
        let Outline {
            tokens,
            names: mut mentions,
            certain,
        } = Outline::new(compiled, text);
        let is_frequent = |token: &Token| {
            compiled
                .lexicon
                .get(&token.text)
                .is_some_and(|word| word.frequent_in != 0)
        };
        let frequent = tokens.iter().map(is_frequent).collect();
        let is_word = |at: usize| {
            let named = certain.iter().any(|span| span.start <= at && at < span.end);
            let text = tokens.get(at).map_or("", |token| token.text.as_str());
            !named && !compiled.numbers.is_unit(text) && !compiled.numbers.is_number_word(text)
        };
        let guess = compiled.guesser.guess(&tokens, &compiled.lexicon, is_word);
        let mut moments = compiled.moments.read(text, &tokens, &guess.likely(talk));
        // "KLE-AB 12" names no hour.
        let plates = mentions
            .iter()
            .filter(|one| matches!(one.named, Named::Text(_)));
        plates.for_each(|plate| moments.drop_within(plate.span));
        moments.drop_prices(certain.iter().copied());
        let bytes = |name: &Span| {
            let first = tokens.get(name.start)?.start;
            Some(first..tokens.get(name.end.checked_sub(1)?)?.end)
        };
        let long = certain.iter().filter(|name| name.len() > 1);
        let names = long.filter_map(bytes);
        names.for_each(|name| moments.drop_hours_within(&name));
        let taken: Vec<Span> = certain.iter().copied().chain(moments.spans()).collect();
        // "Sorry für den Ton" says no number.
        let foreign = |at: usize| {
            let text = tokens.get(at).map_or("", |token| token.text.as_str());
            let mut large = compiled.large_numbers.iter();
            large.any(|(word, language)| word == text && guess.best != *language)
        };
        let quantities = compiled.numbers.read(&tokens, |at| {
            foreign(at) || taken.iter().any(|span| span.start <= at && at < span.end)
        });
        let mut lattice = Lattice::new(&tokens, word_edges(compiled, &tokens));
        lattice.extend(quantities.iter().flat_map(|quantity| {
            let spans = [quantity.span, quantity.digits, quantity.with_unit_before];
            spans.map(|span| (Symbol::NUMBER, span))
        }));
        lattice.extend(mentions.iter().flat_map(Mention::edges));
        define(compiled, &mut lattice);
        let mut values = find_values(compiled, &lattice, &guess);
        values.retain(|value| !is_part_of_name(value, &mentions));
        lattice.extend(values.iter().flat_map(Mention::edges));
        mentions.extend(values);
        let addresses = addresses(text);
        let is_addressed = |mention: &Mention| {
            let token = tokens.get(mention.span.start);
            token.is_some_and(|token| addresses.iter().any(|range| range.contains(&token.start)))
        };
        mentions.retain(|mention| addresses.is_empty() || !is_addressed(mention));
        mentions.sort_by_key(|mention| mention.span);
        let surroundings = Surroundings::new(compiled, &lattice, &guess, &quantities);
        let mut reading = Self {
            tokens,
            certain,
            frequent,
            guess,
            lattice,
            mentions,
            quantities,
            surroundings,
            moments,
            opinion: OnceCell::new(),
        };
        reading.settle();
        reading
    }
}
