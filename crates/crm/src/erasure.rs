//! Removing everything that is kept of one person.

use std::time::Duration;

use jiff::Timestamp;
use streams::{Found, Place, Redis, StreamsError};

use crate::help_desk::{forgotten, queue};
use crate::person::Person;
use crate::who::{self, UnknowableError};
use crate::{Crm, CrmError, Rows};

/// Why not everything was removed. It may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// Redis or the CRM failed.
    #[error(transparent)]
    Unknowable(#[from] UnknowableError),
    /// The help desk cannot be told.
    #[error("the help desk is not told: {0}")]
    HelpDesk(String),
}

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Pieces in Redis, by place.
    pub found: Found,
    /// Rows of the CRM.
    pub rows: Rows,
    /// Conversations of a help desk that keep what they were shown, and say so.
    pub shown: usize,
    /// Whether nothing of the person is written any more.
    pub is_quiet: bool,
}

/// How often what is written meanwhile is looked for again.
const SWEEPS: u32 = 20;
const BETWEEN_SWEEPS: Duration = Duration::from_millis(250);

impl Erased {
    /// Pieces in Redis.
    #[must_use]
    pub fn pieces(&self) -> u64 {
        self.found.values().sum()
    }

    /// Every place, with how much was there: what commands and pages show.
    #[must_use]
    pub fn places(&self) -> Vec<(&'static str, u64)> {
        let count = |place| self.found.get(&place).copied().unwrap_or_default();
        let of_redis = Place::ALL.map(|(place, name)| (name, count(place)));
        let of_crm = [
            ("CRM contacts", self.rows.contacts),
            ("CRM addresses", self.rows.addresses),
            ("CRM leads", self.rows.leads),
            ("CRM appointments", self.rows.appointments),
            ("CRM questions", self.rows.questions),
            ("CRM hand-overs", self.rows.handovers),
            ("CRM notices", self.rows.notices),
        ];
        of_redis.into_iter().chain(of_crm).collect()
    }

    /// Whether there was anything.
    #[must_use]
    pub fn was_known(&self) -> bool {
        self.pieces() + self.rows.contacts > 0
    }

    /// What the acts say of it. Who it was is not to be found any more, there neither.
    #[must_use]
    pub fn act(&self) -> String {
        let (pieces, contacts) = (self.pieces(), self.rows.contacts);
        format!("erased a person: {pieces} pieces in Redis, {contacts} contacts of the CRM")
    }
}

/// Removes everything of a person, or only counts it when `dry`.
///
/// # Errors
/// When Redis or the CRM fails.
pub async fn erase(
    mut person: Person,
    crm: &Crm,
    redis: &Redis,
    dry: bool,
) -> Result<Erased, EraseError> {
    let contacts = who::learn(&mut person, crm, redis).await?;
    for notice in crm.notices_of(&contacts).await? {
        person.learn_notice(&notice);
    }
    let shown = redis.shown_of(&person).await?;
    if !dry {
        // First: afterwards nobody knows any more where they were shown.
        let steps = shown
            .iter()
            .filter_map(|display| forgotten(*display, Timestamp::now()));
        for step in steps {
            queue(redis, &step).await.map_err(EraseError::HelpDesk)?;
        }
    }
    let mut found = redis.erase(&person, dry).await?;
    let mut is_quiet = dry || found.values().sum::<u64>() == 0;
    for _ in 0..SWEEPS {
        if is_quiet {
            break;
        }
        // What was in somebody's hands when it was removed may have been written since.
        tokio::time::sleep(BETWEEN_SWEEPS).await;
        let late = redis.erase(&person, false).await?;
        is_quiet = late.values().sum::<u64>() == 0;
        for (place, count) in late {
            *found.entry(place).or_default() += count;
        }
    }
    let rows = crm.erase(&contacts, dry).await?;
    Ok(Erased {
        found,
        rows,
        shown: shown.len(),
        is_quiet,
    })
}
