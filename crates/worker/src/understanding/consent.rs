//! Whether a message is a command about messages and data: no more of them, again, erase what is
//! kept. Only the domain's tables decide it, and only what is said to us, as a command.

use super::intents::TokenSet;
use super::lattice::Span;
use super::reading::Reading;
use super::rules::Match;
use super::tokens::{Boundary, Kind, Token};
use crate::dialogue::act::Consent;
use crate::domain::ConsentCue;

/// How many words the name after a letter's end may have.
const NAME: usize = 3;

/// What the consent tables found.
#[derive(Debug, Default)]
pub(super) struct ConsentFinder {
    found: Vec<Found>,
}

#[derive(Debug)]
struct Found {
    cue: ConsentCue,
    /// From the first word to the last.
    extent: Span,
    /// The words that the pattern asks for, without those in its gaps.
    words: TokenSet,
}

impl ConsentFinder {
    pub(super) fn add(&mut self, cue: ConsentCue, found: &Match<'_>) {
        let mut words = TokenSet::default();
        found.spans.iter().for_each(|span| words.add(*span));
        self.found.push(Found {
            cue,
            extent: found.extent(),
            words,
        });
    }

    /// The command that the message is, if it is one, and the words that say so.
    pub(super) fn decide(self, text: &str, reading: &Reading) -> Option<(Consent, Span)> {
        let is_command =
            |found: &Found| matches!(found.cue, ConsentCue::Command(_) | ConsentCue::Named(_));
        if !self.found.iter().any(is_command) {
            return None;
        }
        let cited = cited(text, &reading.tokens);
        let table = Table {
            reading,
            found: self.found,
            cited,
        };
        table.decide()
    }
}

const fn stop(span: Span, doubtful: bool) -> (Consent, Span) {
    match doubtful {
        true => (Consent::Doubtful, span),
        false => (Consent::Stop, span),
    }
}

/// What was found, on the message in which it stands.
struct Table<'r> {
    reading: &'r Reading,
    found: Vec<Found>,
    /// Words between quotation marks: somebody else's.
    cited: TokenSet,
}

impl Table<'_> {
    fn decide(&self) -> Option<(Consent, Span)> {
        let said = |consent| self.named(consent).or_else(|| self.command(consent));
        for consent in [Consent::Start, Consent::Erase] {
            if let Some(span) = said(consent) {
                return Some((consent, span));
            }
        }
        if let Some(span) = self.named(Consent::Stop) {
            let doubtful = self.spans(ConsentCue::But).next().is_some();
            return Some(stop(span, doubtful));
        }
        if let Some(clause) = self.command(Consent::Stop) {
            let rest = [
                Span::new(0, clause.start),
                Span::new(clause.end, self.reading.tokens.len()),
            ];
            let alone = rest.into_iter().all(|part| self.says_nothing(part));
            return Some(stop(clause, !alone));
        }
        let doubtful = self.command(Consent::Doubtful);
        doubtful.map(|clause| (Consent::Doubtful, clause))
    }

    fn spans(&self, cue: ConsentCue) -> impl Iterator<Item = Span> {
        self.found
            .iter()
            .filter(move |found| found.cue == cue)
            .map(|found| found.extent)
    }

    /// An act whose object is named, outside of sentences that only speak of commands.
    fn named(&self, consent: Consent) -> Option<Span> {
        self.spans(ConsentCue::Named(consent))
            .find(|span| !self.is_spoken_of(*span))
    }

    /// A clause that is a command and nothing else.
    fn command(&self, consent: Consent) -> Option<Span> {
        self.spans(ConsentCue::Command(consent))
            .filter(|span| !self.is_spoken_of(*span))
            .map(|span| self.around(span, Boundary::Clause))
            .find(|clause| self.is_only(*clause, consent))
    }

    fn is_spoken_of(&self, span: Span) -> bool {
        let sentence = self.around(span, Boundary::Sentence);
        let mut unless = self.spans(ConsentCue::Unless);
        self.cited.contains(span.start) || unless.any(|other| sentence.overlaps(other))
    }

    /// The stretch between two boundaries that a span stands in.
    fn around(&self, span: Span, boundary: Boundary) -> Span {
        let lattice = &self.reading.lattice;
        let ends = |at: &usize| lattice.boundary_before(*at) >= boundary;
        let start = (1..=span.start).rev().find(ends).unwrap_or(0);
        let end = (span.end..lattice.len())
            .find(ends)
            .unwrap_or(lattice.len());
        Span::new(start, end)
    }

    fn is_only(&self, clause: Span, consent: Consent) -> bool {
        self.is_covered(clause, |cue| {
            matches!(cue, ConsentCue::Around | ConsentCue::SignOff)
                || cue == ConsentCue::Command(consent)
        })
    }

    fn says_nothing(&self, part: Span) -> bool {
        self.is_covered(part, |cue| {
            matches!(
                cue,
                ConsentCue::Around | ConsentCue::SignOff | ConsentCue::Command(Consent::Stop)
            )
        })
    }

    /// Whether every word of a stretch is part of such a pattern, filler, or a name at the end.
    fn is_covered(&self, part: Span, counts: impl Fn(ConsentCue) -> bool) -> bool {
        let mut covered = TokenSet::default();
        let length = self.reading.tokens.len();
        for found in self.found.iter().filter(|found| counts(found.cue)) {
            match found.cue {
                ConsentCue::Around => covered.add(found.extent),
                _ => covered.unite(&found.words),
            }
            if found.cue == ConsentCue::SignOff && found.extent.end + NAME >= length {
                covered.add(Span::new(found.extent.end, length));
            }
        }
        let tokens = self.reading.tokens.iter().enumerate();
        let mut tokens = tokens.skip(part.start).take(part.len());
        tokens.all(|(at, token)| {
            token.kind == Kind::Sign || covered.contains(at) || self.reading.lattice.is_filler(at)
        })
    }
}

/// The words between quotation marks, unless the whole message is in them.
fn cited(text: &str, tokens: &[Token]) -> TokenSet {
    let mut cited = TokenSet::default();
    let is_mark = |c: char| matches!(c, '"' | '“' | '”' | '„' | '«' | '»');
    if !text.contains(is_mark) {
        return cited;
    }
    let mut inside = 0;
    for (at, token) in tokens.iter().enumerate() {
        let before = text.get(..token.start).unwrap_or_default();
        if before.chars().filter(|c| is_mark(*c)).count() % 2 == 1 {
            cited.add(Span::new(at, at + 1));
            inside += 1;
        }
    }
    if inside == tokens.len() {
        TokenSet::default()
    } else {
        cited
    }
}
