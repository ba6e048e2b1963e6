//! How patterns are kept: a domain has tens of thousands, so their steps and symbols lie in lists that
//! all share, not in small pieces of memory of each.

use crate::domain::Reach;
use crate::understanding::symbols::Symbol;

/// One step of a compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::understanding) enum Step {
    OneOf {
        symbols: Vec<Symbol>,
        optional: bool,
    },
    NoneOf(Vec<Symbol>),
    Gap(Reach),
    Start,
    End,
}

/// A step as it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    OneOf { symbols: Run, optional: bool },
    NoneOf(Run),
    Gap(Reach),
    Start,
    End,
}

/// A stretch of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    from: u32,
    length: u16,
}

impl Run {
    pub(super) fn of<T>(self, list: &[T]) -> &[T] {
        let from = self.from as usize;
        let to = from + usize::from(self.length);
        list.get(from..to).unwrap_or_default()
    }
}

/// Patterns in the order in which they came, each with what it stands for.
#[derive(Debug)]
pub(in crate::understanding) struct RuleList<T> {
    symbols: Vec<Symbol>,
    steps: Vec<Kept>,
    /// With the place of its first step.
    rules: Vec<(u32, T)>,
}

impl<T> Default for RuleList<T> {
    fn default() -> Self {
        Self {
            symbols: Vec::new(),
            steps: Vec::new(),
            rules: Vec::new(),
        }
    }
}

impl<T> RuleList<T> {
    pub(in crate::understanding) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(in crate::understanding) fn push(&mut self, steps: &[Step], value: T) {
        self.rules.push((number(self.steps.len()), value));
        for step in steps {
            let kept = match step {
                Step::OneOf { symbols, optional } => Kept::OneOf {
                    symbols: self.keep(symbols),
                    optional: *optional,
                },
                Step::NoneOf(symbols) => Kept::NoneOf(self.keep(symbols)),
                Step::Gap(reach) => Kept::Gap(*reach),
                Step::Start => Kept::Start,
                Step::End => Kept::End,
            };
            self.steps.push(kept);
        }
    }

    fn keep(&mut self, symbols: &[Symbol]) -> Run {
        let from = number(self.symbols.len());
        self.symbols.extend(symbols);
        Run {
            from,
            length: u16::try_from(symbols.len()).unwrap_or(u16::MAX),
        }
    }

    /// Gives back what was taken for more.
    pub(super) fn shrink(&mut self) {
        self.symbols.shrink_to_fit();
        self.steps.shrink_to_fit();
        self.rules.shrink_to_fit();
    }

    pub(super) fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The steps of the pattern at a place, and what it stands for.
    pub(super) fn get(&self, place: u32) -> Option<(&[Kept], &T)> {
        let place = place as usize;
        let (from, value) = self.rules.get(place)?;
        let next = self.rules.get(place + 1);
        let to = next.map_or(self.steps.len(), |(next, _)| *next as usize);
        Some((self.steps.get(*from as usize..to)?, value))
    }

    /// The steps of each.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &[Kept])> {
        let places = 0..number(self.rules.len());
        places.filter_map(|place| Some((place, self.get(place)?.0)))
    }
}

/// Lists are never that long.
pub(super) fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
