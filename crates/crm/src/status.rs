//! How far the things are that colleagues work on. Pure.

use serde::{Deserialize, Serialize};

/// What colleagues work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// A conversation that waits for a person: `waiting → taken → answered → closed`.
    Handover,
    /// A customer's wish: `new → taken → won | dropped`.
    Lead,
    /// An appointment: `wanted → confirmed → moved → cancelled`.
    Appointment,
}

/// How far one of them is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A hand-over that nobody has.
    Waiting,
    /// A colleague has it.
    Taken,
    /// The customer heard from a colleague.
    Answered,
    /// The hand-over has ended; the bot answers.
    Closed,
    /// A lead that nobody has.
    New,
    /// The customer bought.
    Won,
    /// Nothing came of it.
    Dropped,
    /// An appointment that the customer wants.
    Wanted,
    /// The wished moment cannot be; others were offered.
    Offered,
    /// A colleague has confirmed it.
    Confirmed,
    /// It is at another moment now.
    Moved,
    /// It was called off.
    Cancelled,
}

impl Status {
    const ALL: [Self; 12] = [
        Self::Waiting,
        Self::Taken,
        Self::Answered,
        Self::Closed,
        Self::New,
        Self::Won,
        Self::Dropped,
        Self::Wanted,
        Self::Offered,
        Self::Confirmed,
        Self::Moved,
        Self::Cancelled,
    ];

    /// As the database and the command line have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Taken => "taken",
            Self::Answered => "answered",
            Self::Closed => "closed",
            Self::New => "new",
            Self::Won => "won",
            Self::Dropped => "dropped",
            Self::Wanted => "wanted",
            Self::Offered => "offered",
            Self::Confirmed => "confirmed",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this name. `open` is what earlier builds call a new lead.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        if name == "open" {
            return Some(Self::New);
        }
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl Matter {
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Handover => "handovers",
            Self::Lead => "leads",
            Self::Appointment => "appointments",
        }
    }

    /// What one of them is called.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handover => "hand-over",
            Self::Lead => "lead",
            Self::Appointment => "appointment",
        }
    }

    /// Every status that one may have.
    #[must_use]
    pub const fn statuses(self) -> &'static [Status] {
        use Status::{
            Answered, Cancelled, Closed, Confirmed, Dropped, Moved, New, Offered, Taken, Waiting,
            Wanted, Won,
        };
        match self {
            Self::Handover => &[Waiting, Taken, Answered, Closed],
            Self::Lead => &[New, Taken, Won, Dropped],
            Self::Appointment => &[Wanted, Offered, Confirmed, Moved, Cancelled],
        }
    }

    /// Whether a colleague may bring one from this status to that. None leads out of an end.
    #[must_use]
    pub const fn allows(self, from: Status, to: Status) -> bool {
        use Status::{
            Answered, Cancelled, Closed, Confirmed, Dropped, Moved, New, Offered, Taken, Waiting,
            Wanted, Won,
        };
        matches!(
            (self, from, to),
            (Self::Handover, Waiting, Taken | Answered | Closed)
                | (Self::Handover, Taken, Answered | Closed)
                | (Self::Handover, Answered, Closed)
                | (Self::Lead, New, Taken | Won | Dropped)
                | (Self::Lead, Taken, Won | Dropped)
                | (
                    Self::Appointment,
                    Wanted | Offered | Moved,
                    Confirmed | Cancelled
                )
                | (Self::Appointment, Confirmed, Cancelled)
        )
    }

    /// Whether nothing is to be done about one any more.
    #[must_use]
    pub const fn is_over(status: Status) -> bool {
        matches!(
            status,
            Status::Closed | Status::Won | Status::Dropped | Status::Cancelled
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_an_end() {
        for matter in [Matter::Handover, Matter::Lead, Matter::Appointment] {
            let over = matter
                .statuses()
                .iter()
                .filter(|one| Matter::is_over(**one));
            for from in over {
                for to in Status::ALL {
                    assert!(!matter.allows(*from, to), "{from:?} {to:?}");
                }
            }
        }
    }

    #[test]
    fn every_status_is_read_as_it_is_written() {
        for status in Status::ALL {
            assert_eq!(Status::read(status.as_str()), Some(status));
        }
        assert_eq!(Status::read("open"), Some(Status::New));
        assert_eq!(Status::read("Waiting"), None);
    }
}
