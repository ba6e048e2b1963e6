//! How much a client address may do in a minute. Pure but for its memory.
//!
//! It is asked only about requests that failed verification: a stranger who shares an address with
//! the provider cannot use up the budget of genuine webhooks. Each replica counts for itself, so
//! that unverified traffic never reaches Redis.

use std::collections::HashMap;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);
/// Beyond this the oldest counts are forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// Counts by address.
#[derive(Debug)]
pub(crate) struct AddressBudget {
    limit: u32,
    counts: HashMap<String, Count>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Instant,
    spent: u32,
}

impl AddressBudget {
    /// `limit` a minute and address; 0 is no limit.
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit,
            counts: HashMap::new(),
        }
    }

    /// Counts one.
    ///
    /// # Errors
    /// When the budget is used up; gives the time until it is fresh.
    pub(crate) fn spend(&mut self, address: &str, now: Instant) -> Result<(), Duration> {
        if self.limit == 0 {
            return Ok(());
        }
        if self.counts.len() >= MAX_ADDRESSES {
            self.counts
                .retain(|_, count| now.duration_since(count.since) < WINDOW);
        }
        if self.counts.len() >= MAX_ADDRESSES {
            self.counts.clear();
        }
        let fresh = Count {
            since: now,
            spent: 0,
        };
        let count = self.counts.entry(address.to_owned()).or_insert(fresh);
        if now.duration_since(count.since) >= WINDOW {
            *count = fresh;
        }
        count.spent += 1;
        if count.spent > self.limit {
            return Err(WINDOW.saturating_sub(now.duration_since(count.since)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_failures_back_after_a_minute() {
        let start = Instant::now();
        let mut budget = AddressBudget::new(2);
        assert_eq!(budget.spend("a", start), Ok(()));
        assert_eq!(budget.spend("a", start), Ok(()));
        let later = start + Duration::from_secs(10);
        assert_eq!(budget.spend("a", later), Err(Duration::from_secs(50)));
        assert_eq!(budget.spend("b", later), Ok(()));
        assert_eq!(budget.spend("a", start + WINDOW), Ok(()));
    }

    #[test]
    fn zero_is_no_limit() {
        let mut budget = AddressBudget::new(0);
        assert!((0..1000).all(|_| budget.spend("a", Instant::now()).is_ok()));
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let now = Instant::now();
        let mut budget = AddressBudget::new(1);
        for n in 0..MAX_ADDRESSES * 2 {
            budget.spend(&n.to_string(), now).unwrap();
        }
        assert!(budget.counts.len() <= MAX_ADDRESSES);
    }
}
