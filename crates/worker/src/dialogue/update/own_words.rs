//! What an answer says beside what we asked: a day that does not suit, a number, a wish of one's own.

use jiff::civil::DateTime;

use super::people::SUPPLIER;
use super::{Update, shortened};
use crate::dialogue::act::{Act, Dates, Does, Thing, When};
use crate::dialogue::piece::{Piece, Question};
use crate::dialogue::state::Appointment;
use crate::dialogue::topics;
use crate::domain::{About, TopicKind};

impl Update<'_> {
    /// A day that does not suit: another one is asked for.
    pub(super) fn not_then(&mut self, when: &When) {
        let takes = |goal: &str| topics::takes_appointment(self.domain, goal);
        let goals = self.state.goals.iter().rev().map(|open| &open.goal);
        let Some(goal) = goals.into_iter().find(|goal| takes(goal)).cloned() else {
            return;
        };
        self.touch(&goal);
        self.owe(Piece::NotThen(when.date));
        let asks = self.domain.dialogue.goal(&goal).map(|goal| &goal.asks);
        let mut topics = asks.into_iter().flatten();
        let is_day = |name: &&String| {
            let topic = self.domain.dialogue.topic(name);
            topic.is_some_and(|topic| topic.kind == TopicKind::Date)
        };
        let day = topics.find(is_day);
        if let Some(topic) = day
            .filter(|topic| topics::may_ask(&self.state, topic))
            .cloned()
        {
            self.must_ask(Question::Topic(topic));
        }
    }

    /// The day that was just called off is offered no more, where there is another one.
    pub(super) fn drop_called_off(&self, known: Option<&Appointment>, moments: &mut Vec<DateTime>) {
        let cancels = |act: &Act| matches!(act.does, Does::Cancel { .. });
        let day = known.and_then(|known| known.date);
        let day = day.filter(|_| self.heard.acts.iter().any(cancels));
        let off = |moment: &DateTime| day == Some(Dates::On(moment.date()));
        if !moments.iter().all(off) {
            moments.retain(|moment| !off(moment));
        }
    }

    /// Of an appointment that nobody here knows of nothing is asked but when it shall be.
    pub(super) fn made_elsewhere(&mut self) {
        if !self.state.appointments.is_empty() || self.arranges() {
            return;
        }
        let Some(purpose) = self.purpose(None).filter(|_| self.state.wanted.is_empty()) else {
            return;
        };
        self.touch(&purpose);
        let asks = self.domain.dialogue.goal(&purpose).map(|goal| &goal.asks);
        let topics = asks.into_iter().flatten();
        let topics = topics.filter_map(|name| self.domain.dialogue.topic(name));
        let others =
            topics.filter(|topic| !matches!(topic.kind, TopicKind::Date | TopicKind::Time));
        let others: Vec<String> = others.map(|topic| topic.name.clone()).collect();
        if let Some(open) = self.state.goals.last_mut() {
            open.skipped.extend(others);
        }
        let words = shortened(self.heard.text);
        self.keep_remark(&words);
    }

    /// What was to be taken over is sold to somebody else: nothing of it is wanted any more.
    pub(super) fn own_is_gone(&mut self) {
        let of_own = |goal: &str| topics::side(self.domain, goal) == About::Own;
        let mut goals = self.state.goals.iter().rev().map(|open| open.goal.clone());
        let open = goals.find(|goal| of_own(goal));
        self.state.own.clear();
        self.state.goals.retain(|open| !of_own(&open.goal));
        self.state.ours = None;
        let made = self.state.appointment().map(|one| one.purpose.clone());
        match made.filter(|purpose| of_own(purpose)) {
            Some(purpose) => self.cancel_appointment(&purpose),
            None => self.owe(Piece::Dropped(open)),
        }
    }

    /// The number of what the customer has with us answers what the goal asks for in words.
    pub(super) fn reference(&mut self, number: &str) {
        let goal = self
            .state
            .goal()
            .and_then(|goal| self.domain.dialogue.goal(goal));
        let mut asks = goal.into_iter().flat_map(|goal| &goal.asks);
        let is_text = |name: &&String| {
            let topic = self.domain.dialogue.topic(name);
            topic.is_some_and(|topic| topic.kind == TopicKind::Text)
        };
        let Some(topic) = asks.find(is_text).cloned() else {
            return self.keep_remark(number);
        };
        self.state.answers.insert(topic.clone(), number.to_owned());
        self.dues.answered.push(topic.clone());
        self.touch_current();
        self.owe(Piece::Answered(topic, number.to_owned()));
    }

    /// Whether somebody writes who sells to us, and wants nothing for himself.
    pub(super) fn supplies(&self) -> bool {
        let told = self.state.told.as_ref();
        let tells_wish = |act: &Act| match &act.does {
            Does::Inform(inform) => inform.thing != Thing::Third && !inform.values.is_empty(),
            _ => false,
        };
        told.is_some_and(|told| told.reason == SUPPLIER)
            && self.state.goals.is_empty()
            && !self.heard.acts.iter().any(tells_wish)
    }
}
