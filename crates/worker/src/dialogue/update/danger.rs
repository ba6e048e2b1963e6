//! Danger: what is said first, and as long as it lasts. Who is in danger is asked nothing and sold
//! nothing until he says that he is safe.

use jiff::SignedDuration;
use jiff::civil::Time;

use super::{SURE_ENOUGH_FOR_ALARM, Update};
use crate::dialogue::act::{Act, Asked, Does};
use crate::dialogue::calendar;
use crate::dialogue::piece::{Piece, Status};
use crate::dialogue::state::Alarm;
use crate::dialogue::topics;
use crate::domain::About;

/// Who says nothing for this time is not on the hard shoulder any more.
const A_WHILE: SignedDuration = SignedDuration::from_hours(2);
/// Unasked, what to do is not said again more often.
const MOST_REPEATED: u32 = 2;
/// An alarm lasts no longer, where no hours are known.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

impl Update<'_> {
    pub(super) fn alarm(&mut self, name: &str) {
        let known = self.domain.knowledge.alarm(name);
        let mild = known.is_some_and(|alarm| alarm.mild);
        if mild && self.tells_grave_danger() {
            return;
        }
        self.owe(Piece::Safety(name.to_owned()));
        let is_new = self.tell("alarm", !mild);
        self.owe(Piece::Status(match (mild, is_new) {
            (false, _) => Status::Urgent,
            (true, true) => Status::Told,
            (true, false) => Status::ToldAgain,
        }));
        self.has_repair_in_mind();
        if known.is_some_and(|alarm| !alarm.again.is_empty()) {
            self.state.alarm = Some(Alarm {
                name: name.to_owned(),
                at: self.heard.now,
                safe: false,
                repeated: 0,
            });
        }
    }

    /// Who is in danger with the own thing will want it seen to.
    fn has_repair_in_mind(&mut self) {
        let goals = self.domain.dialogue.goals.iter();
        let mut goals = goals.map(|goal| &goal.intent);
        let seen_to = goals.find(|goal| {
            topics::side(self.domain, goal) == About::Own
                && topics::takes_appointment(self.domain, goal)
        });
        if self.state.goals.is_empty() && self.state.in_mind.is_none() {
            self.state.in_mind = seen_to.cloned();
        }
    }

    /// A danger is over when the business has opened on a later day, or when who told of it comes back
    /// after a while with something that is no call for help.
    pub(super) fn end_alarm(&mut self, pause: SignedDuration) {
        let Some(alarm) = &self.state.alarm else {
            return;
        };
        let since = self.heard.now.duration_since(alarm.at);
        let told = self
            .heard
            .local
            .checked_sub(since)
            .unwrap_or(self.heard.local);
        let opened =
            calendar::next_opening(&self.domain.business, told.date().to_datetime(Time::MAX));
        let next_day = opened.is_some_and(|opening| opening <= self.heard.local);
        let calls =
            self.asks_for_help() || self.heard.acts.iter().any(|act| self.tells_danger(act));
        if next_day || since >= LONGEST || pause >= A_WHILE && !calls {
            self.state.alarm = None;
        }
    }

    fn tells_danger(&self, act: &Act) -> bool {
        matches!(act.does, Does::Alarm { .. }) && act.confidence >= SURE_ENOUGH_FOR_ALARM
    }

    /// Beside smoke, a needle in the red is no danger of its own.
    fn tells_grave_danger(&self) -> bool {
        let mut acts = self.heard.acts.iter();
        acts.any(|act| match &act.does {
            Does::Alarm { name } if self.tells_danger(act) => {
                let alarm = self.domain.knowledge.alarm(name);
                alarm.is_some_and(|alarm| !alarm.mild)
            }
            _ => false,
        })
    }

    pub(super) fn safe(&mut self) {
        if let Some(alarm) = &mut self.state.alarm {
            alarm.safe = true;
        }
    }

    /// Who tells of danger, or is in it, wants nothing sold, and is not asked what he means.
    pub(super) fn is_out_of_place(&self, act: &Act) -> bool {
        let alarms = |name: &str, mild: bool| {
            let alarm = self.domain.knowledge.alarm(name);
            alarm.is_some_and(|alarm| alarm.mild == mild)
        };
        let told_mildly = |act: &Act| match &act.does {
            Does::Alarm { name } => act.confidence >= SURE_ENOUGH_FOR_ALARM && alarms(name, true),
            _ => false,
        };
        match &act.does {
            Does::Unclear { .. } => self.is_in_danger(),
            Does::Request { goal, when, .. } => {
                // Who tells what is wrong with the own thing may want it seen to, on a day of his own.
                let of_own = topics::side(self.domain, goal) == About::Own;
                self.is_in_danger() && !self.is_told_now() && !(of_own && when.is_some())
                    || !of_own && self.heard.acts.iter().any(told_mildly)
            }
            _ => false,
        }
    }

    /// Says again what to do as long as the danger lasts, and afterwards to who asks for help.
    pub(super) fn stay_safe(&mut self) {
        let Some(alarm) = self.state.alarm.clone() else {
            return;
        };
        if self.is_told_now() {
            self.dues
                .pieces
                .retain(|piece| !matches!(piece, Piece::TakeUp(_)));
        } else if alarm.repeated > 0 && (self.only_courtesies() || self.only_asks_calmly()) {
            // Who says thanks has read it, and so has who asks what an inspection costs.
        } else if !alarm.safe || self.asks_for_help() {
            self.dues.question = None;
            self.dues.pieces.retain(|piece| {
                !matches!(
                    piece,
                    Piece::TakeUp(_)
                        | Piece::Next(_)
                        | Piece::Courtesy(_)
                        | Piece::Possible
                        | Piece::Answered(..)
                )
            });
            self.repeat(&alarm);
        }
    }

    /// What to do, once more: to who asks, or who has not heard it often.
    fn repeat(&mut self, alarm: &Alarm) {
        let alone = self.dues.pieces.is_empty();
        if alone || alarm.repeated < MOST_REPEATED || self.asks_for_help() {
            self.owe(Piece::StaySafe(alarm.name.clone()));
        }
        if let Some(known) = &mut self.state.alarm {
            known.repeated += 1;
        }
    }

    fn only_courtesies(&self) -> bool {
        let mut acts = self.heard.acts.iter();
        acts.all(|act| matches!(act.does, Does::Social(_)))
    }

    /// Whether nothing is said but questions about the business that are no call for help.
    fn only_asks_calmly(&self) -> bool {
        let facts = &self.domain.knowledge.facts;
        let is_calm = |name: &String| facts.iter().any(|fact| fact.name == *name && fact.calm);
        let acts = self.heard.acts.iter();
        let mut said = acts.filter(|act| !matches!(act.does, Does::Social(_)));
        let asks = |act: &Act| match &act.does {
            Does::Ask(ask) => match &ask.topic {
                Asked::Hours => true,
                Asked::Fact(name) => is_calm(name),
                _ => false,
            },
            _ => false,
        };
        said.clone().next().is_some() && said.all(asks)
    }

    pub(super) fn is_in_danger(&self) -> bool {
        self.state.alarm.as_ref().is_some_and(|alarm| !alarm.safe)
    }

    /// The danger was told just now, so that what to do stands in the reply.
    fn is_told_now(&self) -> bool {
        let mut pieces = self.dues.pieces.iter();
        pieces.any(|piece| matches!(piece, Piece::Safety(_)))
    }

    fn asks_for_help(&self) -> bool {
        self.heard.acts.iter().any(|act| match &act.does {
            Does::Ask(ask) => self.is_help(&ask.topic),
            _ => false,
        })
    }

    /// Whether a question is one that an alarm answers as long as it lasts.
    pub(super) fn is_help(&self, topic: &Asked) -> bool {
        let Asked::Attribute(name) = topic else {
            return false;
        };
        let attribute = self.domain.knowledge.attribute(name);
        self.state.alarm.is_some() && attribute.is_some_and(|attribute| attribute.danger)
    }
}
