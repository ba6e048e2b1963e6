//! Patterns over the lattice.

use rustc_hash::FxHashMap;

use super::lattice::{Lattice, Span};
use super::symbols::Symbol;
use super::tokens::Boundary;
use crate::domain::Reach;

/// How many words a gap may span.
const NEAR: usize = 3;
const SENTENCE: usize = 24;
const MESSAGE: usize = 80;

/// One step of a compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    OneOf {
        symbols: Vec<Symbol>,
        optional: bool,
    },
    NoneOf(Vec<Symbol>),
    Gap(Reach),
    Start,
    End,
}

/// Patterns that are looked for together, each with what it stands for.
#[derive(Debug)]
pub(super) struct RuleSet<T> {
    rules: Vec<(Vec<Step>, T)>,
    /// Rules by a symbol that they cannot match without.
    by_anchor: FxHashMap<Symbol, Vec<usize>>,
}

/// Where the steps of a pattern matched; empty for steps that take up nothing.
#[derive(Debug)]
pub(super) struct Match<'m> {
    pub(super) steps: &'m [Step],
    pub(super) spans: &'m [Span],
}

impl Match<'_> {
    /// Where one of these symbols was asked for, and found.
    pub(super) fn spans_of(&self, symbol: Symbol) -> impl Iterator<Item = Span> {
        let asked = self.steps.iter().zip(self.spans);
        asked.filter_map(move |(step, span)| match step {
            Step::OneOf { symbols, .. } if symbols.contains(&symbol) && span.len() > 0 => {
                Some(*span)
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
    pub(super) fn new(rules: Vec<(Vec<Step>, T)>) -> Self {
        let mut uses: FxHashMap<Symbol, usize> = FxHashMap::default();
        for (steps, _) in &rules {
            for symbol in steps.iter().filter_map(required).flatten() {
                *uses.entry(*symbol).or_default() += 1;
            }
        }
        let mut by_anchor: FxHashMap<Symbol, Vec<usize>> = FxHashMap::default();
        for (place, (steps, _)) in rules.iter().enumerate() {
            let burden = |symbols: &&[Symbol]| -> usize {
                symbols
                    .iter()
                    .map(|symbol| uses.get(symbol).copied().unwrap_or(0))
                    .sum()
            };
            let anchor = steps.iter().filter_map(required).min_by_key(burden);
            for symbol in anchor.into_iter().flatten() {
                by_anchor.entry(*symbol).or_default().push(place);
            }
        }
        Self { rules, by_anchor }
    }

    /// Calls back for every match. A rule matches at most once from each of its first words. Words
    /// side by side, and those of a near gap, have no boundary such as `limit` between them.
    pub(super) fn for_each_match(
        &self,
        lattice: &Lattice,
        limit: Boundary,
        mut visit: impl FnMut(&T, &Match<'_>),
    ) {
        let walk = Walk { lattice, limit };
        let mut candidates: Vec<usize> = Vec::with_capacity(64);
        for symbol in lattice.symbols() {
            candidates.extend(self.by_anchor.get(&symbol).into_iter().flatten());
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut spans = Vec::with_capacity(16);
        let mut starts = Vec::with_capacity(16);
        for (steps, value) in candidates
            .into_iter()
            .filter_map(|place| self.rules.get(place))
        {
            first_tokens(steps, lattice, &mut starts);
            for start in &starts {
                spans.clear();
                if walk.advance(steps, *start, false, &mut spans) {
                    visit(
                        value,
                        &Match {
                            steps,
                            spans: &spans,
                        },
                    );
                }
            }
        }
    }
}

fn required(step: &Step) -> Option<&[Symbol]> {
    match step {
        Step::OneOf {
            symbols,
            optional: false,
        } => Some(symbols),
        _ => None,
    }
}

/// Tokens at which a pattern can begin.
fn first_tokens(steps: &[Step], lattice: &Lattice, starts: &mut Vec<usize>) {
    starts.clear();
    for step in steps {
        match step {
            Step::OneOf { symbols, optional } => {
                let spans = symbols.iter().flat_map(|symbol| lattice.spans_of(*symbol));
                starts.extend(spans.map(|span| span.start));
                if !optional {
                    break;
                }
            }
            Step::NoneOf(_) | Step::Gap(_) => {
                starts.extend(0..lattice.len());
                break;
            }
            Step::Start | Step::End => {}
        }
    }
    starts.sort_unstable();
    starts.dedup();
}

/// Matches the steps of a pattern on a lattice.
struct Walk<'l> {
    lattice: &'l Lattice,
    limit: Boundary,
}

impl Walk<'_> {
    /// Matches the steps from a token on. `inside` is whether a word has matched before.
    fn advance(&self, steps: &[Step], at: usize, inside: bool, spans: &mut Vec<Span>) -> bool {
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
            Step::OneOf { symbols, optional } => {
                let cut_off = inside && lattice.boundary_before(at) >= self.limit;
                let fits = |edge: &&(Span, Symbol)| !cut_off && symbols.contains(&edge.1);
                let mut edges = lattice.starting_at(at).iter().filter(fits);
                edges.any(|(span, _)| go_on(spans, *span, true))
                    || *optional && go_on(spans, nothing, inside)
            }
            Step::NoneOf(symbols) => {
                let mut edges = lattice.starting_at(at).iter();
                !edges.any(|(_, symbol)| symbols.contains(symbol)) && go_on(spans, nothing, inside)
            }
            Step::Start => lattice.only_filler_before(at) && go_on(spans, nothing, inside),
            Step::End => lattice.only_filler_from(at) && go_on(spans, nothing, inside),
            Step::Gap(reach) => {
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
