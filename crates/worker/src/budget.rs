//! The time of a turn: one budget, from which every step gets what is left.

use std::time::{Duration, Instant};

/// What the CRM's write may take; what is not written by then is written later.
pub const CRM_LIMIT: Duration = Duration::from_millis(800);

/// What the rules and the commit may take.
const RULES: Duration = Duration::from_millis(400);

/// What is kept of a turn's time for what comes after a model, and must not be late.
pub const KEPT: Duration = CRM_LIMIT.saturating_add(RULES);

/// When a turn must have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// A turn that begins now and may take this long.
    pub fn after(budget: Duration) -> Self {
        Self(Instant::now() + budget)
    }

    /// What is left of the turn.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// What a step may take that has a limit of its own and can be done without: never so much that
    /// the rules and the CRM come late.
    pub fn allows(self, limit: Duration) -> Duration {
        limit.min(self.left().saturating_sub(KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_gets_its_limit_or_what_is_left() {
        let limit = Duration::from_secs(2);
        assert_eq!(
            Deadline::after(Duration::from_secs(60)).allows(limit),
            limit
        );
        let short = Deadline::after(KEPT + Duration::from_secs(1));
        assert!(short.allows(limit) <= Duration::from_secs(1));
        assert_eq!(Deadline::after(KEPT / 2).allows(limit), Duration::ZERO);
        assert_eq!(Deadline::after(Duration::ZERO).left(), Duration::ZERO);
    }
}
