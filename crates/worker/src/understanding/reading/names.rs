//! What a message names: by the catalogue, by the formats of plates, by words for values.

use crate::domain::Needs;
use crate::understanding::language::Guess;
use crate::understanding::lattice::{Lattice, Span};
use crate::understanding::mentions::{Mention, Named};
use crate::understanding::tokens::{Boundary, Kind, Token};
use crate::understanding::vocabulary::Compiled;

pub(super) fn find_names(compiled: &Compiled, text: &str, tokens: &[Token]) -> Vec<Mention> {
    let plates = compiled.plates.iter().flat_map(|(slot, finder)| {
        finder
            .find(text, tokens)
            .into_iter()
            .map(|plate| Mention::plate(*slot, plate))
    });
    let mut plates: Vec<Mention> = plates.collect();
    let Some((slot, index)) = &compiled.catalogue else {
        return plates;
    };
    let is_unit = |word: &str| compiled.numbers.is_unit(word);
    let names = index.find(tokens, |_| false, &compiled.lexicon, is_unit);
    // The "44" of a plate is no Morgan 4/4.
    let is_number = |span: Span| {
        let kinds = tokens.get(span.start..span.end).unwrap_or_default();
        kinds.iter().all(|token| token.kind == Kind::Number)
    };
    let clashes = |plate: &Mention| {
        let certain = names.iter().filter(|name| name.needs == Needs::Nothing);
        let certain = certain.filter(|name| !is_number(name.span));
        certain
            .map(|name| name.span)
            .any(|span| span.start == plate.span.start || span.covers(plate.span))
    };
    plates.retain(|plate| !clashes(plate));
    let taken = |at: usize| {
        plates
            .iter()
            .any(|plate| plate.span.start <= at && at < plate.span.end)
    };
    let names = if plates.is_empty() {
        names
    } else {
        index.find(tokens, taken, &compiled.lexicon, is_unit)
    };
    let names: Vec<Mention> = names
        .into_iter()
        .map(|name| Mention::name(*slot, name))
        .collect();
    plates.extend(names);
    plates
}

/// Adds the phrases that stand for a symbol, and notes filler.
pub(super) fn define(compiled: &Compiled, lattice: &mut Lattice) {
    let mut edges = Vec::new();
    compiled
        .definitions
        .for_each_match(lattice, Boundary::Sentence, |symbol, found| {
            edges.push((*symbol, found.extent()));
        });
    lattice.extend(edges);
    let filler: Vec<Span> = lattice.spans_of(compiled.filler).collect();
    filler
        .into_iter()
        .for_each(|span| lattice.mark_filler(span));
}

/// A single word inside a name is no value: a (Volkswagen) Transporter, a (Kia) EV6.
pub(super) fn is_part_of_name(value: &Mention, names: &[Mention]) -> bool {
    let inside = |name: &&Mention| name.make().is_some() && name.span.covers(value.span);
    value.span.len() == 1
        && names
            .iter()
            .filter(inside)
            .any(|name| name.needs <= Needs::Context)
}

/// Values of choice slots; of overlapping ones of a slot the longest.
pub(super) fn find_values(compiled: &Compiled, lattice: &Lattice, guess: &Guess) -> Vec<Mention> {
    let mut found: Vec<Mention> = Vec::new();
    compiled
        .values
        .for_each_match(lattice, Boundary::Clause, |value, found_at| {
            if value
                .native_to
                .is_some_and(|language| language != guess.best)
            {
                return;
            }
            found.push(Mention::new(
                value.slot,
                Named::Value(value.value),
                found_at.extent(),
            ));
        });
    found.sort_by_key(|mention| (std::cmp::Reverse(mention.span.len()), mention.span));
    let mut kept: Vec<Mention> = Vec::new();
    for mention in found {
        let beaten =
            |other: &Mention| other.slot == mention.slot && other.span.overlaps(mention.span);
        if !kept.iter().any(beaten) {
            kept.push(mention);
        }
    }
    kept
}
