//! The message as rules see it: symbols over stretches of tokens.

use super::symbols::Symbol;
use super::tokens::{Boundary, Token};

/// Tokens from `start` up to, not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub(super) fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether at most so many tokens stand between.
    pub(super) fn is_near(self, other: Self, tokens: usize) -> bool {
        self.start <= other.end + tokens && other.start <= self.end + tokens
    }

    pub(super) fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// How many words of bits say which symbols are there.
const PRESENT: usize = 16;

/// Symbols over stretches of tokens.
#[derive(Debug, Default)]
pub(super) struct Lattice {
    boundaries: Vec<Boundary>,
    filler: Vec<bool>,
    /// Sorted once by start (longest first), once by symbol.
    by_start: Vec<(Span, Symbol)>,
    by_symbol: Vec<(Symbol, Span)>,
    /// A bit for each symbol that is there; several symbols share one. Most that are looked for are not
    /// there, which this tells at once.
    present: [u64; PRESENT],
    /// Where the edges of each token begin in `by_start`.
    offsets: Vec<usize>,
}

impl Lattice {
    pub(super) fn new(tokens: &[Token], edges: Vec<(Symbol, Span)>) -> Self {
        let mut lattice = Self {
            boundaries: tokens.iter().map(|token| token.boundary).collect(),
            filler: vec![false; tokens.len()],
            by_symbol: edges,
            ..Self::default()
        };
        lattice.index();
        lattice
    }

    /// The number of tokens.
    pub(super) fn len(&self) -> usize {
        self.boundaries.len()
    }

    pub(super) fn extend(&mut self, edges: impl IntoIterator<Item = (Symbol, Span)>) {
        let before = self.by_symbol.len();
        self.by_symbol.extend(edges);
        if self.by_symbol.len() != before {
            self.index();
        }
    }

    /// Takes out the edges that fulfil a condition.
    pub(super) fn remove(&mut self, condition: impl Fn(Symbol, Span) -> bool) {
        self.by_symbol
            .retain(|(symbol, span)| !condition(*symbol, *span));
        self.index();
    }

    fn index(&mut self) {
        self.by_symbol.sort_unstable();
        self.by_symbol.dedup();
        self.present = [0; PRESENT];
        for (symbol, _) in &self.by_symbol {
            let (word, bit) = symbol.bit(PRESENT);
            if let Some(word) = self.present.get_mut(word) {
                *word |= bit;
            }
        }
        self.by_start.clear();
        self.by_start
            .extend(self.by_symbol.iter().map(|(symbol, span)| (*span, *symbol)));
        self.by_start.sort_unstable_by_key(|(span, symbol)| {
            (span.start, std::cmp::Reverse(span.end), *symbol)
        });
        self.offsets.clear();
        let mut at = 0;
        for token in 0..=self.boundaries.len() {
            while self
                .by_start
                .get(at)
                .is_some_and(|(span, _)| span.start < token)
            {
                at += 1;
            }
            self.offsets.push(at);
        }
    }

    /// The edges that begin at a token, the longest first.
    pub(super) fn starting_at(&self, token: usize) -> &[(Span, Symbol)] {
        let from = self
            .offsets
            .get(token)
            .copied()
            .unwrap_or(self.by_start.len());
        let to = self
            .offsets
            .get(token + 1)
            .copied()
            .unwrap_or(self.by_start.len());
        self.by_start.get(from..to).unwrap_or_default()
    }

    /// Where a symbol stands.
    pub(super) fn spans_of(&self, symbol: Symbol) -> impl Iterator<Item = Span> {
        let rest = if self.may_have(symbol) {
            let from = self.by_symbol.partition_point(|(other, _)| *other < symbol);
            self.by_symbol.get(from..).unwrap_or_default()
        } else {
            &[]
        };
        rest.iter()
            .take_while(move |(other, _)| *other == symbol)
            .map(|(_, span)| *span)
    }

    fn may_have(&self, symbol: Symbol) -> bool {
        let (word, bit) = symbol.bit(PRESENT);
        let word = self.present.get(word).copied().unwrap_or(0);
        word & bit != 0
    }

    /// Every symbol of the message, once.
    pub(super) fn symbols(&self) -> impl Iterator<Item = Symbol> {
        self.by_symbol
            .chunk_by(|a, b| a.0 == b.0)
            .filter_map(|run| run.first())
            .map(|(symbol, _)| *symbol)
    }

    pub(super) fn boundary_before(&self, token: usize) -> Boundary {
        self.boundaries
            .get(token)
            .copied()
            .unwrap_or(Boundary::Sentence)
    }

    pub(super) fn mark_filler(&mut self, span: Span) {
        for filler in self.filler.iter_mut().take(span.end).skip(span.start) {
            *filler = true;
        }
    }

    pub(super) fn is_filler(&self, token: usize) -> bool {
        self.filler.get(token).copied().unwrap_or(true)
    }

    pub(super) fn only_filler_before(&self, token: usize) -> bool {
        self.filler.iter().take(token).all(|filler| *filler)
    }

    pub(super) fn only_filler_from(&self, token: usize) -> bool {
        self.filler.iter().skip(token).all(|filler| *filler)
    }
}
