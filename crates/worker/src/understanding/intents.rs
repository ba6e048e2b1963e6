//! Weighs the cues of a message and decides what the customer wants.

use super::lattice::Span;
use super::reading::Reading;
use super::tokens::{Kind, MAX_TOKENS};
use crate::domain::{Intent, Settings};

/// A cue that matched.
#[derive(Debug, Clone)]
pub(super) struct CueMatch {
    pub(super) id: usize,
    pub(super) intent: usize,
    pub(super) weight: f64,
    pub(super) tokens: TokenSet,
    /// The first of them.
    pub(super) first: usize,
}

/// A set of tokens of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TokenSet([u64; MAX_TOKENS / 64]);

impl TokenSet {
    pub(super) fn add(&mut self, span: Span) {
        for token in span.start..span.end {
            if let Some(word) = self.0.get_mut(token / 64) {
                *word |= 1 << (token % 64);
            }
        }
    }

    pub(super) fn contains(&self, token: usize) -> bool {
        self.0
            .get(token / 64)
            .is_some_and(|word| word & (1 << (token % 64)) != 0)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    pub(super) fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }
}

/// What the customer wants.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decision {
    /// Place of the intent.
    pub(super) intent: usize,
    /// 0 to 1.
    pub(super) confidence: f64,
    /// The place of the next best, if anything speaks for it.
    pub(super) second: Option<usize>,
}

/// Decides between the intents of a domain.
#[derive(Debug)]
pub(super) struct Decider<'d> {
    pub(super) settings: &'d Settings,
    pub(super) intents: &'d [Intent],
    /// Place of an intent that cues and examples cannot give.
    pub(super) closed: Option<usize>,
}

impl Decider<'_> {
    /// Decides by the cues, and then, the less sure that is the more, with the `opinion` that the
    /// examples have of each intent. A message in a language that is not served gets the fallback.
    pub(super) fn decide(
        &self,
        reading: &Reading,
        clause: Span,
        cues: &mut [CueMatch],
        opinion: &[f64],
        foreign: bool,
    ) -> Decision {
        let mut scores = self.scores(reading, clause, cues);
        if foreign {
            let intent = self.fallback();
            return self.decision(&scores, intent);
        }
        self.close(&mut scores);
        let first = self.by_scores(&scores);
        let doubt = 1.0 - self.confidence(&scores, first);
        for (score, more) in scores.iter_mut().zip(opinion) {
            *score += doubt * more;
        }
        self.close(&mut scores);
        let intent = self.by_scores(&scores);
        self.decision(&scores, intent)
    }

    fn decision(&self, scores: &[f64], intent: usize) -> Decision {
        let others = scores
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != intent);
        let second = others.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
        let enough = self.settings.fallback_score;
        Decision {
            intent,
            confidence: self.confidence(scores, intent),
            second: second
                .filter(|(_, score)| **score >= enough)
                .map(|(place, _)| place),
        }
    }

    fn close(&self, scores: &mut [f64]) {
        if let Some(score) = self.closed.and_then(|intent| scores.get_mut(intent)) {
            *score = 0.0;
        }
    }

    fn by_scores(&self, scores: &[f64]) -> usize {
        let score = |intent: &usize| scores.get(*intent).copied().unwrap_or(0.0);
        let best = (0..self.intents.len())
            .rev()
            .max_by(|a, b| score(a).total_cmp(&score(b)));
        let found = self.by_precedence(scores).or(best);
        let found = found.filter(|intent| score(intent) >= self.settings.fallback_score);
        found.unwrap_or_else(|| self.fallback())
    }

    /// The first intent of the list that is decisive, unless one further down is far ahead of it.
    fn by_precedence(&self, scores: &[f64]) -> Option<usize> {
        let decisive = |(intent, score): &(&Intent, &f64)| {
            intent.decisive.is_some_and(|enough| **score >= enough)
        };
        let pairs = || self.intents.iter().zip(scores);
        let highest = pairs()
            .filter(decisive)
            .map(|(_, score)| *score)
            .fold(0.0, f64::max);
        pairs().position(|pair| decisive(&pair) && *pair.1 >= highest - self.settings.precedence)
    }

    fn fallback(&self) -> usize {
        let named = |intent: &Intent| intent.name == self.settings.fallback_intent;
        self.intents.iter().position(named).unwrap_or_default()
    }

    /// The score of each intent: its strongest cue in full, further ones less and less.
    fn scores(&self, reading: &Reading, clause: Span, cues: &mut [CueMatch]) -> Vec<f64> {
        cues.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.id.cmp(&b.id)));
        let of = |place: usize| cues.iter().filter(move |cue| cue.intent == place);
        let intents = self.intents.iter().enumerate();
        intents
            .map(|(place, intent)| {
                let mut explained = TokenSet::default();
                let (mut score, mut share) = (0.0, 1.0);
                for cue in of(place) {
                    if cue.weight < 0.0 {
                        score += cue.weight;
                    } else if !explained.overlaps(&cue.tokens) {
                        score += cue.weight * share;
                        share *= self.settings.corroboration;
                        explained.unite(&cue.tokens);
                    }
                }
                for cue in of(place).filter(|cue| cue.weight > 0.0) {
                    explained.unite(&cue.tokens);
                }
                if intent.small_talk {
                    score -=
                        self.settings.unexplained_word * unexplained(reading, clause, &explained);
                }
                score
            })
            .collect()
    }

    /// The logistic function of the domain over the winner's score and its distance to the next.
    fn confidence(&self, scores: &[f64], winner: usize) -> f64 {
        const MOST: f64 = 8.0;
        let weights = &self.settings.confidence;
        let best_of = |own: bool| {
            let scores = (0..)
                .zip(scores)
                .filter(|(place, _)| (*place == winner) == own);
            scores.map(|(_, score)| *score).fold(0.0, f64::max)
        };
        // Where nothing speaks for the winner, not much has to speak for the others either.
        let least = self.settings.fallback_score / 2.0;
        let (own, other) = match winner == self.fallback() {
            true => (best_of(true).max(least), best_of(false)),
            false => (best_of(true), best_of(false).max(least)),
        };
        let sum = weights.bias
            + weights.score * own.min(MOST)
            + weights.margin * (own - other).clamp(-MOST, MOST);
        1.0 / (1.0 + (-sum).exp())
    }
}

/// How many words of a clause neither filler, nor the language, nor a cue of the intent explains.
fn unexplained(reading: &Reading, clause: Span, explained: &TokenSet) -> f64 {
    let tokens = reading.tokens.iter().zip(&reading.frequent).enumerate();
    let tokens = tokens.skip(clause.start).take(clause.len());
    let open = tokens.filter(|(at, (token, frequent))| {
        let explained = **frequent || reading.lattice.is_filler(*at) || explained.contains(*at);
        token.kind != Kind::Sign && !explained
    });
    f64::from(u32::try_from(open.count()).unwrap_or(u32::MAX))
}
