//! What a clause makes of what was planned: moved, dropped, or kept after all.

use super::{Clause, SURE, Talk};
use crate::dialogue::act::{Act, Does, Social, Thing};
use crate::domain::{ActCue, IntentAct};
use crate::understanding::lattice::Span;
use crate::understanding::marks::Mark;
use crate::understanding::said::Said;

impl Talk<'_> {
    /// Moves or drops something; true when the clause does.
    pub(super) fn changes_of_plan(&self, clause: &Clause, acts: &mut Vec<Act>) -> bool {
        let moved = self.reschedule(clause);
        if let Some((does, span)) = moved.filter(|_| !self.only_calls_off(clause)) {
            acts.push(self.act(does, SURE, span, clause.place));
            // "I have a test drive in the Kuga tomorrow, can we move it?" names the Kuga.
            if !self.knows_thing() {
                self.tells(clause, |said| self.is_name(&said.slot), acts);
            }
            return true;
        }
        let Some(span) = self.mark(ActCue::Cancel, clause) else {
            return false;
        };
        if self.keeps(clause, span)
            || self.cannot_fetch(clause)
            || self.says_own_is_gone(clause)
            || self.judges_a_thing(clause)
            || self.drops_a_value(clause, span)
        {
            return false;
        }
        if self.drops_aside(clause, span) {
            let nicety = Does::Social(Social::Nicety);
            acts.push(self.act(nicety, SURE, clause.span, clause.place));
            return true;
        }
        // "I have an appointment on Friday, must call it off" calls one off.
        let same =
            |act: &Act| act.clause + 1 == clause.place && matches!(act.does, Does::Cancel { .. });
        if acts.iter().any(same) && !self.is_dated(clause) {
            return true;
        }
        let goal = Some(clause.decision.intent).filter(|_| clause.act == IntentAct::Request);
        let goal = goal.and_then(|intent| self.understander.intents.get(intent));
        let goal = goal.map(|intent| intent.name.clone());
        let whole = Span::new(0, self.reading.tokens.len());
        let does = Does::Cancel {
            goal,
            when: None,
            visit: self.mark(ActCue::Visit, clause).is_some(),
            over: self.signs.marks.act(ActCue::Over, whole).is_some(),
        };
        acts.push(self.act(does, SURE, clause.span, clause.place));
        true
    }

    /// "Can't make it, please cancel": what may move lies within what cannot be, beside a word that calls off.
    fn only_calls_off(&self, clause: &Clause) -> bool {
        let of = |cue: ActCue| {
            let marks = self.signs.marks.within(clause.span);
            marks
                .filter(move |(mark, _)| *mark == Mark::Act(cue))
                .map(|(_, span)| span)
        };
        let moves = |span: Span| of(ActCue::Move).any(|moved| moved.overlaps(span));
        let calls_off = of(ActCue::Cancel).any(|off| !moves(off) && !self.keeps(clause, off));
        let cannot = |moved: Span| of(ActCue::Cancel).any(|off| off.overlaps(moved));
        calls_off
            && of(ActCue::Reschedule).next().is_none()
            && of(ActCue::Move).all(cannot)
            && !self.is_dated(clause)
    }

    /// "The price, it's not gonna happen": what keeps something may begin in the clause before.
    fn keeps(&self, clause: &Clause, drop: Span) -> bool {
        let whole = Span::new(0, self.reading.tokens.len());
        let mut marks = self.signs.marks.within(whole);
        self.mark(ActCue::Keep, clause).is_some()
            || marks.any(|(mark, span)| mark == Mark::Act(ActCue::Keep) && span.overlaps(drop))
    }

    /// "Laat die cabrio maar zitten" drops a wish that is known, and no plan.
    pub(super) fn drops_a_value(&self, clause: &Clause, span: Span) -> bool {
        let known = |said: &Said| {
            let mut wanted = self.context.wanted.iter();
            wanted.any(|(slot, value)| *slot == said.slot && *value == said.value)
        };
        let mut said = clause.said.iter();
        said.any(|said| said.thing == Thing::Wanted && span.overlaps(said.span) && known(said))
    }

    /// "Forget the Fiat" drops the Fiat, and no plan.
    fn judges_a_thing(&self, clause: &Clause) -> bool {
        let names = |said: &Said| said.thing == Thing::Wanted && self.is_name(&said.slot);
        self.mark(ActCue::Verdict, clause).is_some() && clause.said.iter().any(names)
    }

    fn reschedule(&self, clause: &Clause) -> Option<(Does, Span)> {
        let mut marks = self.signs.marks.within(clause.span);
        let shift = marks.find_map(|(mark, span)| match mark {
            Mark::Act(ActCue::Shift(minutes)) => Some((minutes, span)),
            _ => None,
        });
        let stands = self.context.has_appointment;
        let named = self.mark(ActCue::Reschedule, clause);
        // "Do you have any electric SUVs instead" moves no appointment.
        let there = self.mark(ActCue::Existence, clause).is_some();
        let moved = self.mark(ActCue::Move, clause).filter(|_| stands && !there);
        let shifted = shift.filter(|_| stands || clause.asking.asks());
        named.or(moved).or(shifted.map(|(_, span)| span))?;
        let shift_minutes = shift.map(|(minutes, span)| self.times_said(minutes, span));
        Some((
            Does::Reschedule {
                when: None,
                shift_minutes,
                standing: self.mark(ActCue::Toward, clause).is_none(),
            },
            clause.span,
        ))
    }
}
