//! What the appointments of a message are for.

use super::Update;
use crate::dialogue::act::{Act, Dates, Does, Social, Times, When};
use crate::dialogue::calendar::spans;
use crate::dialogue::state::{Appointment, AppointmentStatus};
use crate::dialogue::{filling, topics};
use crate::domain::About;

impl Update<'_> {
    /// The thing that an appointment for `purpose` is about, in words.
    pub(super) fn thing_of(&self, purpose: &str) -> Option<String> {
        let side = topics::side(self.domain, purpose);
        let chosen = self.chosen_title(side);
        chosen.or_else(|| filling::thing_name(self.domain, self.state.wishes(side)))
    }

    /// "Thursday morning, as soon as you open" is the hour at which it opens on that day.
    pub(super) fn at_opening(&self, wish: When) -> When {
        let opening = |act: &Act| act.does == Does::Social(Social::AtOpening);
        let says_so = self.heard.acts.iter().any(opening);
        let open = |day| spans(&self.domain.business, day).into_iter().next();
        let first = match (wish.date, wish.time) {
            (Some(Dates::On(day)), None | Some(Times::Between(..))) if says_so => open(day),
            _ => None,
        };
        let time = first.map(|(from, _)| Times::At(from)).or(wish.time);
        When { time, ..wish }
    }

    /// "Zaterdag een proefrit, in de Peugeot": the thing is told behind the moment.
    pub(super) fn name_things(&mut self) {
        let before = self.state.before.as_deref();
        let told = |side: About| {
            let mut changes = self.dues.changes.iter();
            changes.any(|(about, changes)| *about == side && !changes.is_empty())
        };
        let follows = |one: &Appointment| {
            one.status != AppointmentStatus::Cancelled
                && told(topics::side(self.domain, &one.purpose))
                && before.is_none_or(|before| !before.has(one))
        };
        let appointments = self.state.appointments.iter();
        let things: Vec<Option<String>> = appointments
            .map(|one| {
                let told = Some(one).filter(|one| follows(one));
                let told = told.and_then(|one| self.thing_of(&one.purpose));
                told.or_else(|| one.thing.clone())
            })
            .collect();
        for (appointment, thing) in self.state.appointments.iter_mut().zip(things) {
            appointment.thing = thing;
        }
    }
}
