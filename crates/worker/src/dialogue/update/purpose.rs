//! What appointments are made for.

use super::Update;
use crate::dialogue::act::{Asked, Dates, Does, Times};
use crate::dialogue::topics;
use crate::domain::About;

impl Update<'_> {
    /// What an appointment is made for: what is said, what stands, what is pursued, or the first goal
    /// that takes one.
    pub(super) fn purpose(&self, named: Option<&str>) -> Option<String> {
        let takes = |goal: &&str| topics::takes_appointment(self.domain, goal);
        let visited = |goal: &&str| topics::is_visited(self.domain, goal);
        let standing = self.state.appointment().map(|one| one.purpose.as_str());
        let pursued = self.state.goals.iter().rev().map(|open| open.goal.as_str());
        // Who has a car and wants none brings that one, and so does who complains.
        let has_one = !self.state.own.is_empty() || self.state.complains();
        let brings = self.state.wanted.is_empty() && has_one;
        let side = if brings { About::Own } else { About::Wanted };
        let all = self.domain.dialogue.goals.iter();
        let all = all.map(|goal| goal.intent.as_str());
        let likely = all
            .clone()
            .filter(|goal| topics::side(self.domain, goal) == side);
        let in_mind = self.state.in_mind.as_deref();
        // An hour completes what has a day.
        let unfinished = self.state.appointment().filter(|one| {
            one.date.is_some_and(Dates::is_narrow) && !matches!(one.time, Some(Times::At(_)))
        });
        let unfinished = unfinished.map(|one| one.purpose.as_str());
        // "When can I collect it? Saturday at ten": who looks for one collects what he bought.
        let asked = self.state.last_ask.as_ref();
        let asked = asked.and_then(|last| match &last.topic {
            Asked::Attribute(name) => self.domain.knowledge.attribute(name)?.in_mind.as_deref(),
            _ => None,
        });
        let collects = asked.filter(|_| self.state.own.is_empty() && !self.knows_visit());
        let acts = self.heard.acts.iter();
        let requested = acts.filter_map(|act| match &act.does {
            Does::Request { goal, .. } => Some(goal.as_str()),
            _ => None,
        });
        let mut candidates = (named.filter(visited).into_iter())
            .chain(unfinished)
            .chain(collects.filter(visited))
            .chain(pursued.clone().filter(takes))
            .chain(requested.filter(visited))
            .chain(standing)
            .chain(pursued.filter(visited).filter(|_| brings))
            .chain(in_mind.filter(visited))
            .chain(likely.filter(takes))
            .chain(all.filter(takes));
        candidates.next().map(str::to_owned)
    }

    /// Whether an appointment stands for a goal.
    pub(super) fn comes_for(&self, goal: &str) -> bool {
        let standing = self.state.appointment();
        standing.is_some_and(|one| one.purpose == goal && one.date.is_some())
    }

    pub(super) fn knows_visit(&self) -> bool {
        self.state.appointment().is_some()
    }

    /// Whether an appointment stands or is being made.
    pub(super) fn arranges(&self) -> bool {
        let mut goals = self.state.goals.iter();
        self.knows_visit() || goals.any(|open| topics::takes_appointment(self.domain, &open.goal))
    }
}
