//! What the words around tell about what is named.

use super::language::Guess;
use super::lattice::{Lattice, Span};
use super::numbers::Quantity;
use super::symbols::Symbol;
use super::tokens::Boundary;
use super::vocabulary::{Compiled, Surrounding};
use crate::domain::{Negation, SlotRule};

/// What the words around tell: which rules of the domain matched, and on what.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    slots: Vec<SlotFact>,
    ends: Vec<EndFact>,
    negations: Vec<(Negation, Span)>,
}

#[derive(Debug)]
struct SlotFact {
    slot: usize,
    rule: SlotRule,
    /// The whole match.
    extent: Span,
    /// What the pattern named by `#` or `<slot>`.
    captured: Vec<Span>,
}

/// A number, or two, at an end of a range.
#[derive(Debug)]
pub(super) struct EndFact {
    /// The slot that the rule is of; none for rules of all numbers.
    pub(super) slot: Option<usize>,
    pub(super) rule: SlotRule,
    pub(super) length: usize,
    pub(super) numbers: Vec<Span>,
}

impl EndFact {
    /// Whether this number is one of those at the end.
    pub(super) fn names(&self, number: Span) -> bool {
        self.numbers.iter().any(|span| span.start == number.start)
    }
}

impl Surroundings {
    pub(super) fn new(
        compiled: &Compiled,
        lattice: &Lattice,
        guess: &Guess,
        quantities: &[Quantity],
    ) -> Self {
        let mut facts = Self::default();
        let without_unit_before = |span: Span| {
            let mut all = quantities.iter();
            let quantity = all.find(|quantity| quantity.with_unit_before == span);
            quantity.map_or(span, |quantity| quantity.span)
        };
        compiled.surroundings.for_each_match(
            lattice,
            Boundary::Clause,
            |(language, surrounding), found| {
                if language.is_some_and(|language| !guess.is_spoken(language)) {
                    return;
                }
                let extent = found.extent();
                let numbers = || -> Vec<Span> {
                    let spans = found.spans_of(Symbol::NUMBER);
                    spans.map(without_unit_before).collect()
                };
                match *surrounding {
                    Surrounding::Slot(
                        slot,
                        rule @ (SlotRule::Min | SlotRule::Max | SlotRule::Range),
                    ) => {
                        facts.ends.push(EndFact {
                            slot: Some(slot),
                            rule,
                            length: extent.len(),
                            numbers: numbers(),
                        });
                    }
                    Surrounding::End(rule) => {
                        facts.ends.push(EndFact {
                            slot: None,
                            rule,
                            length: extent.len(),
                            numbers: numbers(),
                        });
                    }
                    Surrounding::Slot(slot, rule) => {
                        let captured = match rule {
                            SlotRule::Mention
                            | SlotRule::Never
                            | SlotRule::Thousands
                            | SlotRule::Age => numbers(),
                            _ => found.spans_of(Symbol::slot(slot)).collect(),
                        };
                        facts.slots.push(SlotFact {
                            slot,
                            rule,
                            extent,
                            captured,
                        });
                    }
                    Surrounding::Negation(Negation::Around) => {
                        let named = found.spans_of(Symbol::ANY_SLOT).chain(numbers());
                        let around = named.map(|span| (Negation::Around, span));
                        facts.negations.extend(around);
                    }
                    Surrounding::Negation(kind) => facts.negations.push((kind, extent)),
                }
            },
        );
        facts
    }

    fn of(&self, slot: usize, rule: SlotRule) -> impl Iterator<Item = &SlotFact> {
        self.slots
            .iter()
            .filter(move |fact| fact.slot == slot && fact.rule == rule)
    }

    /// Where a rule of a slot matched.
    pub(super) fn spans(&self, slot: usize, rule: SlotRule) -> impl Iterator<Item = Span> {
        self.of(slot, rule).map(|fact| fact.extent)
    }

    /// Whether a rule of a slot matched anywhere.
    pub(super) fn any(&self, slot: usize, rule: SlotRule) -> bool {
        self.of(slot, rule).next().is_some()
    }

    /// Whether a context rule named just this.
    pub(super) fn points_at(&self, slot: usize, span: Span) -> bool {
        self.is_captured_by(slot, SlotRule::Context, span)
    }

    /// The shortest and the longest match of a rule that named just this, in tokens.
    pub(super) fn is_captured(
        &self,
        slot: usize,
        rule: SlotRule,
        span: Span,
    ) -> Option<(usize, usize)> {
        let same = |captured: &Span| captured.start == span.start;
        let facts = self
            .of(slot, rule)
            .filter(|fact| fact.captured.iter().any(same));
        let lengths: Vec<usize> = facts.map(|fact| fact.extent.len()).collect();
        Some((*lengths.iter().min()?, *lengths.iter().max()?))
    }

    /// Whether a rule named just this.
    pub(super) fn is_captured_by(&self, slot: usize, rule: SlotRule, span: Span) -> bool {
        self.is_captured(slot, rule, span).is_some()
    }

    /// What rules of a slot named, such as `mijn auto`; where a rule names nothing, all of its match.
    pub(super) fn captured(&self, slot: usize, rule: SlotRule) -> impl Iterator<Item = Span> {
        self.of(slot, rule)
            .flat_map(|fact| match fact.captured.as_slice() {
                [] => std::slice::from_ref(&fact.extent),
                captured => captured,
            })
            .copied()
    }

    pub(super) fn ends(&self) -> &[EndFact] {
        &self.ends
    }

    /// Where negations begin, stop or go on.
    pub(super) fn negations(&self, kind: Negation) -> Vec<Span> {
        let facts = self.negations.iter().filter(|(other, _)| *other == kind);
        facts.map(|(_, span)| *span).collect()
    }
}
