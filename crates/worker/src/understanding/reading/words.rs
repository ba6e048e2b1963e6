//! Single words: undoing typos, and what rules call them.

use crate::understanding::lattice::Span;
use crate::understanding::symbols::Symbol;
use crate::understanding::tokens::{Boundary, Kind, Token};
use crate::understanding::vocabulary::Compiled;

/// Replaces unknown words by what was probably meant.
pub(super) fn correct_typos(compiled: &Compiled, tokens: &mut [Token]) {
    let is_name = |text: &str| {
        compiled
            .catalogue
            .as_ref()
            .is_some_and(|(_, index)| index.has(text))
    };
    for token in tokens.iter_mut().filter(|token| token.kind == Kind::Word) {
        let known = compiled.lexicon.knows(&token.text)
            || is_name(&token.text)
            || compiled.numbers.is_number_word(&token.text)
            || compiled.moments.knows(&token.text);
        let meant = match known {
            true => None,
            false => {
                name_inside(compiled, &token.text).or_else(|| compiled.lexicon.meant(&token.text))
            }
        };
        if let Some(meant) = meant {
            token.text = meant;
        }
    }
}

/// The name in a plural or diminutive: `polootje` is `polo`.
fn name_inside(compiled: &Compiled, text: &str) -> Option<String> {
    let (_, index) = compiled.catalogue.as_ref()?;
    let stems = compiled
        .name_endings
        .iter()
        .filter_map(|ending| text.strip_suffix(&**ending));
    let mut names = stems.filter(|stem| stem.len() >= 2).flat_map(|stem| {
        let undoubled = stem
            .get(..stem.len() - 1)
            .filter(|short| short.ends_with(|c| stem.ends_with(c)));
        [Some(stem), undoubled].into_iter().flatten()
    });
    names.find(|name| index.has(name)).map(str::to_owned)
}

/// The symbols of each word, and of neighbours that are one word elsewhere (`proef rit`).
pub(super) fn word_edges(compiled: &Compiled, tokens: &[Token]) -> Vec<(Symbol, Span)> {
    let mut edges = Vec::with_capacity(tokens.len() * 8);
    for (at, token) in tokens.iter().enumerate() {
        let span = Span::new(at, at + 1);
        let word = compiled.lexicon.get(&token.text);
        edges.extend(
            word.iter()
                .flat_map(|word| word.symbols)
                .map(|symbol| (*symbol, span)),
        );
        if token.asked {
            edges.push((Symbol::ASKED, span));
        }
        if token.kind == Kind::Word {
            compiled
                .lexicon
                .for_each_affix(&token.text, |symbol| edges.push((symbol, span)));
        }
        if let Some(next) = tokens.get(at + 1) {
            edges.extend(joined_edges(compiled, token, next, Span::new(at, at + 2)));
        }
    }
    edges
}

fn joined_edges(
    compiled: &Compiled,
    token: &Token,
    next: &Token,
    span: Span,
) -> Vec<(Symbol, Span)> {
    const SHORTEST: usize = 7;
    let words = token.kind == Kind::Word && next.kind == Kind::Word;
    if !words || next.boundary != Boundary::None || token.text.len() + next.text.len() < SHORTEST {
        return Vec::new();
    }
    let joined = format!("{}{}", token.text, next.text);
    let word = compiled.lexicon.get(&joined);
    word.iter()
        .flat_map(|word| word.symbols)
        .map(|symbol| (*symbol, span))
        .collect()
}
