//! What the reader of a message has to know of the talk. Pure.

use shared_types::SlotValue;

use super::act::{Context, Ours};
use super::state::{OursAbout, State};
use super::wish::Wishes;
use crate::domain::About;

/// What a state says to the reader, in the form that it borrows from.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    topic: Option<(String, Vec<String>, bool)>,
    goal: Option<String>,
    is_pursued: bool,
    goals: Vec<String>,
    wanted: Vec<(String, SlotValue)>,
    own: Vec<(String, SlotValue)>,
    spoke_of_own: bool,
    lang: Option<String>,
    has_appointment: bool,
    in_alarm: bool,
    complains: bool,
    opted_out: bool,
    stock: bool,
    offered: bool,
}

impl Standing {
    /// How things stand before a message.
    #[must_use]
    pub fn of(state: &State, opted_out: bool) -> Self {
        let topic = state.ours.as_ref().map(|ours| {
            let moments = ours.moments.iter().map(ToString::to_string);
            let choices = ours.choices.iter().cloned().chain(moments);
            let (topic, yes_no) = match &ours.about {
                OursAbout::Topic(topic) => (topic.as_str(), false),
                OursAbout::Moment => ("moment", true),
                OursAbout::Meaning => ("meaning", ours.choices.len() == 1),
                OursAbout::Colleague => ("colleague", true),
                OursAbout::Stop => ("stop", true),
                OursAbout::Offer => ("offer", true),
            };
            (topic.to_owned(), choices.collect(), yes_no)
        });
        let asks_values = topic.as_ref().is_some_and(|(_, _, yes_no)| !yes_no);
        Self {
            spoke_of_own: state.spoke_of_own && !asks_values,
            topic,
            goal: state.in_light_of().map(str::to_owned),
            is_pursued: state.goal().is_some(),
            goals: state.goals.iter().map(|open| open.goal.clone()).collect(),
            wanted: pairs(state.wishes(About::Wanted)),
            own: pairs(state.wishes(About::Own)),
            lang: state.lang.clone(),
            has_appointment: !state.appointments.is_empty(),
            in_alarm: state.alarm.is_some(),
            complains: state.complains(),
            opted_out,
            stock: false,
            offered: !state.stock.offered.is_empty(),
        }
    }

    /// The same where there is a stock.
    #[must_use]
    pub fn with_stock(self, stock: bool) -> Self {
        Self { stock, ..self }
    }

    /// As the reader takes it.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context {
            ours: self.topic.as_ref().map(|(topic, choices, yes_no)| Ours {
                topic,
                choices,
                yes_no: *yes_no,
            }),
            goal: self.goal.as_deref(),
            is_pursued: self.is_pursued,
            goals: &self.goals,
            wanted: &self.wanted,
            own: &self.own,
            spoke_of_own: self.spoke_of_own,
            lang: self.lang.as_deref(),
            has_appointment: self.has_appointment,
            in_alarm: self.in_alarm,
            complains: self.complains,
            opted_out: self.opted_out,
            stock: self.stock,
            offered: self.stock && self.offered,
        }
    }
}

fn pairs(wishes: &Wishes) -> Vec<(String, SlotValue)> {
    let pairs = wishes.iter().flat_map(|(slot, wish)| {
        wish.any_of
            .iter()
            .map(|value| (slot.clone(), value.clone()))
    });
    pairs.collect()
}
