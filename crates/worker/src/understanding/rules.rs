//! Patterns over the lattice.

use rustc_hash::FxHashMap;

use super::lattice::{Lattice, Span};
use super::symbols::Symbol;
use super::tokens::Boundary;
use crate::domain::Reach;

mod list;

use list::{Kept, number};
pub(super) use list::{RuleList, Step};

/// How many words a gap may span.
const NEAR: usize = 3;
const SENTENCE: usize = 24;
const MESSAGE: usize = 80;

/// Patterns that are looked for together, each with what it stands for.
#[derive(Debug)]
pub(super) struct RuleSet<T> {
    rules: RuleList<T>,
    /// Which of `places` are those of the rules that cannot match without a symbol.
    by_anchor: FxHashMap<Symbol, (u32, u32)>,
    places: Box<[u32]>,
}

/// Where the steps of a pattern matched; empty for steps that take up nothing.
#[derive(Debug)]
pub(super) struct Match<'m> {
    steps: &'m [Kept],
    symbols: &'m [Symbol],
    pub(super) spans: &'m [Span],
}

impl Match<'_> {
    /// Where one of these symbols was asked for, and found.
    pub(super) fn spans_of(&self, symbol: Symbol) -> impl Iterator<Item = Span> {
        let asked = self.steps.iter().zip(self.spans);
        asked.filter_map(move |(step, span)| match step {
            Kept::OneOf { symbols, .. } => {
                let asked = span.len() > 0 && symbols.of(self.symbols).contains(&symbol);
                asked.then_some(*span)
            }
            _ => None,
        })
    }

    /// From the first token to the last.
    pub(super) fn extent(&self) -> Span {
        let taken = || self.spans.iter().filter(|span| span.len() > 0);
        Span::new(
            taken().map(|span| span.start).min().unwrap_or(0),
            taken().map(|span| span.end).max().unwrap_or(0),
        )
    }
}

impl<T> RuleSet<T> {
    pub(super) fn new(mut rules: RuleList<T>) -> Self {
        rules.shrink();
        let all = rules.symbols();
        let mut uses: FxHashMap<Symbol, usize> = FxHashMap::default();
        for (_, steps) in rules.all() {
            for symbol in steps
                .iter()
                .filter_map(|step| required(step, all))
                .flatten()
            {
                *uses.entry(*symbol).or_default() += 1;
            }
        }
        let burden = |symbols: &&[Symbol]| -> usize {
            let uses = symbols.iter().map(|symbol| uses.get(symbol));
            uses.map(|uses| uses.copied().unwrap_or(0)).sum()
        };
        let mut anchored: Vec<(Symbol, u32)> = Vec::with_capacity(rules.len());
        for (place, steps) in rules.all() {
            let anchor = steps.iter().filter_map(|step| required(step, all));
            let anchor = anchor.min_by_key(burden).into_iter().flatten();
            anchored.extend(anchor.map(|symbol| (*symbol, place)));
        }
        anchored.sort_unstable();
        let mut by_anchor = FxHashMap::default();
        let mut from = 0;
        for of_symbol in anchored.chunk_by(|one, next| one.0 == next.0) {
            let to = from + number(of_symbol.len());
            by_anchor.extend(of_symbol.first().map(|(symbol, _)| (*symbol, (from, to))));
            from = to;
        }
        by_anchor.shrink_to_fit();
        Self {
            rules,
            by_anchor,
            places: anchored.into_iter().map(|(_, place)| place).collect(),
        }
    }

    fn anchored_at(&self, symbol: Symbol) -> &[u32] {
        let bounds = self.by_anchor.get(&symbol);
        let places = bounds.and_then(|(from, to)| self.places.get(*from as usize..*to as usize));
        places.unwrap_or_default()
    }

    /// Calls back for every match. A rule matches at most once from each of its first words. Words
    /// side by side, and those of a near gap, have no boundary such as `limit` between them.
    pub(super) fn for_each_match(
        &self,
        lattice: &Lattice,
        limit: Boundary,
        mut visit: impl FnMut(&T, &Match<'_>),
    ) {
        let symbols = self.rules.symbols();
        let walk = Walk {
            lattice,
            limit,
            symbols,
        };
        let mut candidates: Vec<u32> = Vec::with_capacity(64);
        for symbol in lattice.symbols() {
            candidates.extend(self.anchored_at(symbol));
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut spans = Vec::with_capacity(16);
        let mut starts = Vec::with_capacity(16);
        for (steps, value) in candidates
            .into_iter()
            .filter_map(|place| self.rules.get(place))
        {
            walk.first_tokens(steps, &mut starts);
            for start in &starts {
                spans.clear();
                if walk.advance(steps, *start, false, &mut spans) {
                    visit(
                        value,
                        &Match {
                            steps,
                            symbols,
                            spans: &spans,
                        },
                    );
                }
            }
        }
    }
}

fn required<'s>(step: &Kept, symbols: &'s [Symbol]) -> Option<&'s [Symbol]> {
    match step {
        Kept::OneOf {
            symbols: asked,
            optional: false,
        } => Some(asked.of(symbols)),
        _ => None,
    }
}

/// Matches the steps of a pattern on a lattice.
struct Walk<'l> {
    lattice: &'l Lattice,
    limit: Boundary,
    /// Those of all patterns.
    symbols: &'l [Symbol],
}

impl Walk<'_> {
    /// Tokens at which a pattern can begin.
    fn first_tokens(&self, steps: &[Kept], starts: &mut Vec<usize>) {
        let lattice = self.lattice;
        starts.clear();
        for step in steps {
            match step {
                Kept::OneOf { symbols, optional } => {
                    let symbols = symbols.of(self.symbols);
                    let spans = symbols.iter().flat_map(|symbol| lattice.spans_of(*symbol));
                    starts.extend(spans.map(|span| span.start));
                    if !optional {
                        break;
                    }
                }
                Kept::NoneOf(_) | Kept::Gap(_) => {
                    starts.extend(0..lattice.len());
                    break;
                }
                Kept::Start | Kept::End => {}
            }
        }
        starts.sort_unstable();
        starts.dedup();
    }

    /// Matches the steps from a token on. `inside` is whether a word has matched before.
    fn advance(&self, steps: &[Kept], at: usize, inside: bool, spans: &mut Vec<Span>) -> bool {
        let Some((step, rest)) = steps.split_first() else {
            return true;
        };
        let lattice = self.lattice;
        let depth = spans.len();
        let go_on = |spans: &mut Vec<Span>, span: Span, inside: bool| {
            spans.truncate(depth);
            spans.push(span);
            self.advance(rest, span.end, inside, spans)
        };
        let nothing = Span::new(at, at);
        match step {
            Kept::OneOf { symbols, optional } => {
                let symbols = symbols.of(self.symbols);
                let cut_off = inside && lattice.boundary_before(at) >= self.limit;
                let fits = |edge: &&(Span, Symbol)| !cut_off && symbols.contains(&edge.1);
                let mut edges = lattice.starting_at(at).iter().filter(fits);
                edges.any(|(span, _)| go_on(spans, *span, true))
                    || *optional && go_on(spans, nothing, inside)
            }
            Kept::NoneOf(symbols) => {
                let symbols = symbols.of(self.symbols);
                let mut edges = lattice.starting_at(at).iter();
                !edges.any(|(_, symbol)| symbols.contains(symbol)) && go_on(spans, nothing, inside)
            }
            Kept::Start => lattice.only_filler_before(at) && go_on(spans, nothing, inside),
            Kept::End => lattice.only_filler_from(at) && go_on(spans, nothing, inside),
            Kept::Gap(reach) => {
                self.ends_of_gap(*reach, at).any(|next| {
                    // What follows a gap has been allowed already.
                    go_on(spans, Span::new(next, next), false)
                })
            }
        }
    }

    /// Where the words after a gap can begin.
    fn ends_of_gap(&self, reach: Reach, at: usize) -> impl Iterator<Item = usize> {
        let length = self.lattice.len();
        let (span, limit) = match reach {
            Reach::Near => (NEAR, Some(self.limit)),
            Reach::Sentence => (SENTENCE, Some(Boundary::Sentence)),
            Reach::Message => (MESSAGE, None),
        };
        let last = (at + span).min(length);
        let within = move |next: &usize| {
            limit.is_none_or(|limit| self.lattice.boundary_before(*next) < limit)
        };
        (at..=last).take_while(within)
    }
}
