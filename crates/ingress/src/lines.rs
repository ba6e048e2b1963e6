//! How many lines others can make us log. What they cost is disk, and what they hide is the rest.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::address_budget::AddressBudget;

/// A budget of lines a minute: of each of those whom the lines are about, and of all together.
#[derive(Debug)]
pub(crate) struct LineBudget(Mutex<Budgets>);

#[derive(Debug)]
struct Budgets {
    each: AddressBudget,
    all: AddressBudget,
}

impl LineBudget {
    pub(crate) fn new(each: u32, all: u32) -> Self {
        Self(Mutex::new(Budgets {
            each: AddressBudget::new(each),
            all: AddressBudget::new(all),
        }))
    }

    /// Whether there may be one more line about `whom`.
    pub(crate) fn spend(&self, whom: &str) -> bool {
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        budgets.each.spend(whom, now).is_ok() && budgets.all.spend("", now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_cannot_use_up_the_lines_of_another_nor_many_the_disk() {
        let budget = LineBudget::new(2, 5);
        let said = |whom| (0..10).filter(|_| budget.spend(whom)).count();
        assert_eq!([said("a"), said("b"), said("c"), said("d")], [2, 2, 1, 0]);
    }
}
