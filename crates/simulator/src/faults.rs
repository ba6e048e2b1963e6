//! Misbehaviour on command: rules, the choice of one for a call, and what it does to the answer.

mod act;
mod connection;
mod fault;
mod rule;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

pub(crate) use act::respond;
pub(crate) use connection::remember_connection;
pub use fault::{ErrorBody, Fault};
pub use rule::{CallMatch, FaultRule};

use crate::delivery::DeliveryPlan;
use crate::journal::Call;
use crate::provider::Endpoint;

/// The rules in force, in the order in which they are tried.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    active: Vec<ActiveRule>,
    last_id: u64,
}

#[derive(Debug)]
struct ActiveRule {
    id: u64,
    rule: FaultRule,
    fitted: u64,
    struck: u64,
    chance: StdRng,
}

/// A rule and what it has done so far.
#[derive(Debug, Clone, Serialize)]
pub struct FaultReport {
    /// Number under which it can be deleted.
    pub id: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: FaultRule,
    /// Calls that fitted.
    pub fitted: u64,
    /// Calls that it struck.
    pub struck: u64,
}

impl Faults {
    pub(crate) fn add(&self, rule: FaultRule) -> u64 {
        let mut rules = self.lock();
        rules.last_id += 1;
        let id = rules.last_id;
        rules.active.push(ActiveRule {
            id,
            chance: StdRng::seed_from_u64(rule.seed),
            rule,
            fitted: 0,
            struck: 0,
        });
        id
    }

    pub(crate) fn list(&self) -> Vec<FaultReport> {
        let report = |active: &ActiveRule| FaultReport {
            id: active.id,
            rule: active.rule.clone(),
            fitted: active.fitted,
            struck: active.struck,
        };
        self.lock().active.iter().map(report).collect()
    }

    /// Takes one rule away; `false` when there is none of that number.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut rules = self.lock();
        let before = rules.active.len();
        rules.active.retain(|active| active.id != id);
        rules.active.len() < before
    }

    pub(crate) fn clear(&self) {
        self.lock().active.clear();
    }

    /// The fault of the first rule that strikes this call.
    pub(crate) fn pick(&self, call: &Call) -> Option<Fault> {
        self.first_strike(call, call.endpoint)
    }

    /// The course of delivery that a rule orders for this message.
    pub(crate) fn delivery(&self, call: &Call) -> Option<DeliveryPlan> {
        match self.first_strike(call, Endpoint::Delivery)? {
            Fault::Delivery(plan) => Some(plan),
            _ => None,
        }
    }

    fn first_strike(&self, call: &Call, endpoint: Endpoint) -> Option<Fault> {
        let mut rules = self.lock();
        rules
            .active
            .iter_mut()
            .find_map(|active| active.strike(call, endpoint))
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActiveRule {
    fn strike(&mut self, call: &Call, endpoint: Endpoint) -> Option<Fault> {
        let spent = self.rule.times.is_some_and(|times| self.struck >= times);
        if spent || !self.rule.fits(call, endpoint) {
            return None;
        }
        self.fitted += 1;
        if self.fitted <= self.rule.skip {
            return None;
        }
        // Drawn for every fitting call, so that the seed alone decides which of them are struck.
        let lucky = match self.rule.probability {
            Some(chance) => self.chance.random::<f64>() >= chance,
            None => false,
        };
        if lucky {
            return None;
        }
        self.struck += 1;
        Some(self.rule.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;

    fn send(to: &str, text: &str) -> Call {
        Call {
            customer: to.to_owned(),
            business: "whatsapp:+14155238886".to_owned(),
            text: text.to_owned(),
            ..Call::new(Provider::Twilio, Endpoint::Send)
        }
    }

    fn rule(json: &str) -> FaultRule {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_rule_passes_the_first_and_strikes_the_given_number_of_times() {
        let faults = Faults::default();
        faults.add(rule(r#"{"skip":1,"times":2,"fault":{"kind":"timeout"}}"#));
        let struck: Vec<bool> = (0..5)
            .map(|_| faults.pick(&send("+31600000001", "x")).is_some())
            .collect();
        assert_eq!(struck, [false, true, true, false, false]);
    }

    #[test]
    fn every_part_of_a_match_must_fit() {
        let faults = Faults::default();
        faults.add(rule(
            r#"{"provider":"twilio","endpoint":"send",
                "match":{"to":"whatsapp:+31600000001","from":"+14155238886","text":"Golf"},
                "fault":{"kind":"reset"}}"#,
        ));
        assert!(faults.pick(&send("+31600000001", "een Golf")).is_some());
        assert!(faults.pick(&send("+31600000002", "een Golf")).is_none());
        assert!(faults.pick(&send("+31600000001", "een Polo")).is_none());
    }

    #[test]
    fn a_seed_strikes_the_same_calls_again() {
        let pattern = |seed: u64| -> Vec<bool> {
            let faults = Faults::default();
            faults.add(FaultRule {
                probability: Some(0.3),
                seed,
                ..FaultRule::always(Fault::Timeout { accept: true })
            });
            (0..200)
                .map(|_| faults.pick(&send("+31600000001", "x")).is_some())
                .collect()
        };
        assert_eq!(pattern(7), pattern(7));
        assert_ne!(pattern(7), pattern(8));
        let struck = pattern(7).iter().filter(|struck| **struck).count();
        assert!((30..=90).contains(&struck), "{struck} of 200 at 30 %");
    }

    #[test]
    fn the_first_rule_that_strikes_wins_and_a_delivery_rule_strikes_no_call() {
        let faults = Faults::default();
        faults.add(rule(
            r#"{"fault":{"kind":"delivery","statuses":["failed"]}}"#,
        ));
        faults.add(rule(r#"{"times":1,"fault":{"kind":"wrong_types"}}"#));
        faults.add(rule(r#"{"fault":{"kind":"empty_body"}}"#));
        let call = send("+31600000001", "x");
        let kinds: Vec<_> = (0..2)
            .filter_map(|_| faults.pick(&call))
            .map(|fault| fault.kind())
            .collect();
        assert_eq!(kinds, ["wrong_types", "empty_body"]);
    }

    #[test]
    fn unknown_kinds_and_impossible_chances_are_refused() {
        let unknown = r#"{"fault":{"kind":"gremlins"}}"#;
        assert!(serde_json::from_str::<FaultRule>(unknown).is_err());
        let surplus = r#"{"fault":{"kind":"delay","ms":1,"seconds":2}}"#;
        assert!(serde_json::from_str::<FaultRule>(surplus).is_err());
        let chance = rule(r#"{"probability":1.5,"fault":{"kind":"timeout"}}"#);
        assert!(chance.validate().is_err());
    }
}
