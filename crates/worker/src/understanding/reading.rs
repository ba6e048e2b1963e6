//! Reads a message: words, then what they name, then what the surroundings tell about it.

use super::language::Guess;
use super::lattice::{Lattice, Span};
use super::mentions::Mention;
use super::numbers::Quantity;
use super::surroundings::Surroundings;
use super::symbols::Symbol;
use super::tokens::{Token, tokenize};
use super::vocabulary::Compiled;

mod names;
mod settle;
mod words;

use names::{define, find_names, find_values, is_part_of_name};
use words::{correct_typos, word_edges};

/// A message as far as it is understood without knowing what the customer wants.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) tokens: Vec<Token>,
    /// One for each token: it is a frequent word of some language.
    pub(super) frequent: Vec<bool>,
    pub(super) guess: Guess,
    pub(super) lattice: Lattice,
    pub(super) mentions: Vec<Mention>,
    pub(super) quantities: Vec<Quantity>,
    pub(super) surroundings: Surroundings,
}

impl Reading {
    pub(super) fn new(compiled: &Compiled, text: &str) -> Self {
        let is_abbreviation = |word: &str| compiled.abbreviations.iter().any(|other| other == word);
        let mut tokens = tokenize(text, is_abbreviation);
        correct_typos(compiled, &mut tokens);
        let is_frequent = |token: &Token| {
            compiled
                .lexicon
                .get(&token.text)
                .is_some_and(|word| word.frequent_in != 0)
        };
        let frequent = tokens.iter().map(is_frequent).collect();
        let guess = compiled.guesser.guess(&tokens, &compiled.lexicon);
        let mut mentions = find_names(compiled, text, &tokens);
        let certain: Vec<Span> = mentions
            .iter()
            .filter(|m| m.is_certain())
            .map(|m| m.span)
            .collect();
        let quantities = compiled.numbers.read(&tokens, |at| {
            certain.iter().any(|span| span.start <= at && at < span.end)
        });
        let mut lattice = Lattice::new(&tokens, word_edges(compiled, &tokens));
        lattice.extend(quantities.iter().flat_map(|quantity| {
            [quantity.span, quantity.digits].map(|span| (Symbol::NUMBER, span))
        }));
        lattice.extend(mentions.iter().flat_map(Mention::edges));
        define(compiled, &mut lattice);
        let mut values = find_values(compiled, &lattice, &guess);
        values.retain(|value| !is_part_of_name(value, &mentions));
        lattice.extend(values.iter().flat_map(Mention::edges));
        mentions.extend(values);
        mentions.sort_by_key(|mention| mention.span);
        let surroundings = Surroundings::new(compiled, &lattice, &guess);
        let mut reading = Self {
            tokens,
            frequent,
            guess,
            lattice,
            mentions,
            quantities,
            surroundings,
        };
        reading.settle();
        reading
    }
}
