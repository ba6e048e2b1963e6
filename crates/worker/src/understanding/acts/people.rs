//! Who writes: a name, a company, a mail address, a number.

use super::{Clause, SURE, Talk};
use crate::dialogue::act::{Act, Does};
use crate::domain::ActCue;
use crate::understanding::lattice::Span;
use crate::understanding::tokens::Boundary;

/// The most words that a name has.
const NAME: usize = 4;

impl Talk<'_> {
    pub(super) fn people(&self, clause: &Clause, acts: &mut Vec<Act>) {
        let introduced = self.mark(ActCue::IAm, clause);
        let named = introduced.and_then(|span| self.capitals(span.end));
        let after = named
            .map(|span| span.end)
            .or(introduced.map(|span| span.end));
        let company = self
            .mark(ActCue::Company, clause)
            .filter(|span| Some(span.start) == after)
            .and_then(|span| self.capitals(span.end));
        let supplier = self.mark(ActCue::Supplier, clause);
        let email = self.email(clause.span);
        let phone = self.phone(clause.span);
        let tells = named.is_some() || company.is_some() || supplier.is_some();
        if !tells && email.is_none() && phone.is_none() {
            return;
        }
        let written = |span: Span| self.written(span).to_owned();
        let does = Does::Identify {
            name: named.map(written),
            company: company.map(written),
            email,
            phone,
            supplier: supplier.is_some(),
        };
        let span = introduced.or(supplier).unwrap_or(clause.span);
        acts.push(self.act(does, SURE, span, clause.place));
    }

    /// Words in a row that begin with a capital and are no common ones, no abbreviations, no things.
    fn capitals(&self, from: usize) -> Option<Span> {
        let is_name = |at: &usize| {
            let word = self.written(Span::new(*at, at + 1));
            let first = word.chars().next();
            let shouts = word.chars().nth(1).is_some() && !word.chars().any(char::is_lowercase);
            let thing = self.is_thing(*at);
            let joined = *at == from || self.reading.lattice.boundary_before(*at) == Boundary::None;
            let common = self.reading.frequent.get(*at).copied().unwrap_or(true);
            joined && !common && !shouts && !thing && first.is_some_and(char::is_uppercase)
        };
        let end = (from..self.reading.tokens.len())
            .take(NAME)
            .take_while(is_name)
            .last()?
            + 1;
        Some(Span::new(from, end))
    }

    /// A make, a model.
    fn is_thing(&self, at: usize) -> bool {
        let mut names = self.reading.certain.iter();
        names.any(|span| span.start <= at && at < span.end)
    }

    fn email(&self, clause: Span) -> Option<String> {
        let words = self.written(clause).split_whitespace();
        let trimmed = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        let is_one = |word: &&str| {
            let parts = word.split_once('@');
            parts.is_some_and(|(user, host)| {
                !user.is_empty() && host.contains('.') && !host.contains('@')
            })
        };
        trimmed.into_iter().find(is_one).map(str::to_owned)
    }

    /// A number that one can ring: as long as one, and beginning like one.
    fn phone(&self, clause: Span) -> Option<String> {
        const DIGITS: std::ops::RangeInclusive<usize> = 9..=14;
        let written = self.written(clause);
        let inside = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '/' | '(' | ')' | '+');
        let mut runs = written.split(|c: char| !inside(c)).map(str::trim);
        let rings = |run: &&str| {
            let digits = run.chars().filter(char::is_ascii_digit).count();
            DIGITS.contains(&digits) && (run.starts_with('0') || run.starts_with('+'))
        };
        runs.find(rings).map(str::to_owned)
    }

    /// What was written there.
    pub(super) fn written(&self, span: Span) -> &str {
        let start = self.reading.tokens.get(span.start).map(|token| token.start);
        let last = span
            .end
            .checked_sub(1)
            .and_then(|at| self.reading.tokens.get(at));
        let range = start.zip(last).map(|(start, last)| start..last.end);
        range
            .and_then(|range| self.text.get(range))
            .unwrap_or_default()
    }
}
