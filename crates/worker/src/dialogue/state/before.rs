//! What held before a message, to undo it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stock::Test;

use super::{Appointment, Pursued};
use crate::dialogue::wish::Wishes;

/// What a message may change and a misreading gives back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Before {
    pub(super) wanted: Wishes,
    /// Wishes that no slot has; none in what an older build remembered, which gives none back.
    pub(super) needs: Option<BTreeMap<String, Test>>,
    pub(super) own: Wishes,
    pub(super) answers: BTreeMap<String, String>,
    pub(super) goals: Vec<Pursued>,
    pub(super) appointments: Vec<Appointment>,
}

impl Before {
    /// Whether an appointment stood already.
    pub(in crate::dialogue) fn knows_appointment(&self, purpose: &str) -> bool {
        self.appointments.iter().any(|one| one.purpose == purpose)
    }

    /// Whether an appointment stood as it is, whatever it was about.
    pub(in crate::dialogue) fn has(&self, one: &Appointment) -> bool {
        self.appointments.iter().any(|other| {
            (&other.purpose, other.date, other.time, other.status)
                == (&one.purpose, one.date, one.time, one.status)
        })
    }
}
