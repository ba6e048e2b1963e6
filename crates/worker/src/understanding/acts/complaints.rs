//! Whether a clause complains.

use super::goals::{STRONG, TELLING};
use super::{Clause, Talk};
use crate::dialogue::act::{Act, Does, Feeling};
use crate::domain::{ActCue, IntentAct, MoodCue};
use crate::understanding::lattice::Span;
use crate::understanding::marks::Mark;
use crate::understanding::topics::CERTAIN as CERTAIN_FACT;

/// What words of anger or of a threat are worth where no intent says the same.
const HEATED: f64 = 0.8;
/// What no complaint is worth.
const NEVER: f64 = 1.1;
/// What it takes for a question to be a complaint.
const CERTAIN: f64 = 0.75;
/// What it takes where no words of dissatisfaction stand in the clause.
const WORDLESS: f64 = 0.95;
/// From here on a pattern complains however friendly the rest is.
const STRONG_CUES: f64 = 8.0;

impl Talk<'_> {
    pub(super) fn complaint(&self, clause: &Clause, acts: &mut Vec<Act>) -> bool {
        let mood = |mood| {
            let mut marks = self.signs.marks.within(clause.span);
            marks.any(|(mark, _)| mark == Mark::Mood(mood))
        };
        let soothes = [ActCue::Feels(Feeling::Regret), ActCue::Safe];
        if soothes.iter().any(|cue| self.mark(*cue, clause).is_some()) {
            // "Sorry, that was rude" and "nobody is hurt" complain of nothing.
            return false;
        }
        let whole = Span::new(0, self.reading.tokens.len());
        let mourns = ActCue::Feels(Feeling::Loss);
        let mourns = self.signs.marks.act(mourns, whole).is_some();
        let certain = self.has_cue_of(clause, STRONG);
        if mourns && !certain && !mood(MoodCue::Negative) && !mood(MoodCue::Angry) {
            // "My husband died and his car is still here" blames nobody.
            return false;
        }
        // "Your colleague called, very nice."
        let pleased = mood(MoodCue::Positive) && !mood(MoodCue::Negative);
        let legal = mood(MoodCue::LegalThreat) && self.mark(ActCue::Threat, clause).is_some();
        let angry = mood(MoodCue::Angry);
        // A question may have the words of a complaint, and examples alone may err.
        let heard = mood(MoodCue::Negative) || angry || self.has_cue_of(clause, TELLING);
        let enough = match (clause.asking.asks(), heard) {
            (_, false) => WORDLESS,
            // A question complains in words of displeasure alone.
            (true, true) if !(mood(MoodCue::Negative) || self.has_cue_of(clause, STRONG)) => NEVER,
            (true, true) => CERTAIN,
            (false, true) => 0.0,
        };
        // "Can it be tomorrow, same time as was agreed?" proposes a moment.
        let proposes = clause.asking.asks() && self.is_dated(clause) && !mood(MoodCue::Negative);
        let asks_fact = clause.asking.asks() && self.is_like_a_fact(clause, CERTAIN_FACT);
        let by_intent = clause.act == IntentAct::Complain
            && clause.decision.confidence >= enough
            && !(asks_fact || proposes || pleased && !self.has_cue_of(clause, STRONG_CUES))
            && self.says_enough(clause);
        if by_intent || legal || angry {
            let confidence = match by_intent {
                true => clause.decision.confidence,
                false => HEATED,
            };
            let does = Does::Complain { legal, angry };
            acts.push(self.act(does, confidence, clause.span, clause.place));
        }
        by_intent || legal || angry
    }

    /// "Oh jammer." is a pity, and no complaint; "waardeloze service" is one.
    fn says_enough(&self, clause: &Clause) -> bool {
        const WORDS: usize = 3;
        let words = clause.span.start..clause.span.end;
        let telling = words.filter(|at| !self.reading.lattice.is_filler(*at));
        let telling = telling.count();
        telling >= WORDS || telling > 1 && self.has_cue_of(clause, STRONG)
    }
}
