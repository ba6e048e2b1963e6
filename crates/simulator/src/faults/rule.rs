use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::address;
use crate::journal::Call;
use crate::provider::{Endpoint, Provider};

/// When to misbehave, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Only this provider; every one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// Only this kind of call; every one that the fault fits when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Only calls that look like this.
    #[serde(default, rename = "match", skip_serializing_if = "CallMatch::is_empty")]
    pub matching: CallMatch,
    /// Let this many fitting calls pass first.
    #[serde(default)]
    pub skip: u64,
    /// Strike this often at most; without end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Strike each fitting call with this chance, 0 to 1; always when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Start of the row of chances: the same seed strikes the same calls again.
    #[serde(default)]
    pub seed: u64,
    /// What happens.
    pub fault: Fault,
}

/// What a call must look like. Every part that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallMatch {
    /// The customer, in any spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The sender number, session or inbox, in any spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Part of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl FaultRule {
    /// This fault, for every call of every provider that it fits.
    pub fn always(fault: Fault) -> Self {
        Self {
            provider: None,
            endpoint: None,
            matching: CallMatch::default(),
            skip: 0,
            times: None,
            probability: None,
            seed: 0,
            fault,
        }
    }

    /// This fault, for the next `times` messages sent through `provider`.
    pub fn for_sends(provider: Provider, times: u64, fault: Fault) -> Self {
        Self {
            provider: Some(provider),
            endpoint: Some(Endpoint::Send),
            times: Some(times),
            ..Self::always(fault)
        }
    }

    /// Refuses what cannot be done.
    ///
    /// # Errors
    ///
    /// One line that names the field.
    pub fn validate(&self) -> Result<(), String> {
        if self
            .probability
            .is_some_and(|chance| !(0.0..=1.0).contains(&chance))
        {
            return Err("probability must lie between 0 and 1".to_owned());
        }
        self.fault.validate()
    }

    pub(super) fn fits(&self, call: &Call, endpoint: Endpoint) -> bool {
        self.provider.is_none_or(|wanted| wanted == call.provider)
            && self.endpoint.is_none_or(|wanted| wanted == endpoint)
            && self.fault.fits(endpoint)
            && self.matching.fits(call)
    }
}

impl CallMatch {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn fits(&self, call: &Call) -> bool {
        let same = |wanted: &String, found: &String| {
            wanted == found || address::customer(wanted) == address::customer(found)
        };
        self.to.as_ref().is_none_or(|to| same(to, &call.customer))
            && self
                .from
                .as_ref()
                .is_none_or(|from| same(from, &call.business))
            && self
                .text
                .as_ref()
                .is_none_or(|part| call.text.contains(part))
    }
}
