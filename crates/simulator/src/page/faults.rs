//! What the providers can be told to do wrong, by the press of a button.

use serde_json::{Value, json};

use crate::faults::{Fault, FaultReport, FaultRule};
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// Name, hint, and the fault as JSON.
const PRESETS: [(&str, &str, &str); 14] = [
    (
        "Too many requests",
        "429, Retry-After 2",
        r#"{"kind":"rate_limited","retry_after_secs":2}"#,
    ),
    (
        "Server error",
        "500, not accepted",
        r#"{"kind":"server_error","status":500,"accept":false}"#,
    ),
    (
        "Server error after accepting",
        "500, but it was sent",
        r#"{"kind":"server_error","status":500,"accept":true}"#,
    ),
    (
        "Bad gateway",
        "502 with a page",
        r#"{"kind":"server_error","status":502,"body":"html"}"#,
    ),
    (
        "Wrong number",
        "Twilio 21211",
        r#"{"kind":"error","status":400,"code":21211}"#,
    ),
    (
        "Slow",
        "accepted, answered after 3 s",
        r#"{"kind":"delay","ms":3000}"#,
    ),
    (
        "Silence after accepting",
        "the answer never comes",
        r#"{"kind":"timeout","accept":true}"#,
    ),
    (
        "Reset after accepting",
        "the connection breaks",
        r#"{"kind":"reset","accept":true}"#,
    ),
    (
        "Reset before accepting",
        "nothing was sent",
        r#"{"kind":"reset","accept":false}"#,
    ),
    ("Stalls half-way", "half an answer", r#"{"kind":"stall"}"#),
    (
        "Empty answer",
        "the right status, no body",
        r#"{"kind":"empty_body"}"#,
    ),
    (
        "Nonsense answer",
        "wrong types in the JSON",
        r#"{"kind":"wrong_types"}"#,
    ),
    (
        "Not delivered",
        "later: failed, 63016",
        r#"{"kind":"delivery","statuses":["sent","failed"],"error_code":63016}"#,
    ),
    (
        "Callbacks in disorder",
        "shuffled and doubled",
        r#"{"kind":"delivery","shuffle":true,"copies":2}"#,
    ),
];

/// A button of the panel.
pub(super) struct Preset {
    pub(super) number: usize,
    pub(super) name: &'static str,
    pub(super) hint: &'static str,
    pub(super) is_on: bool,
    pub(super) struck: u64,
}

/// A rule that no button stands for.
pub(super) struct Other {
    pub(super) id: u64,
    pub(super) words: String,
    pub(super) struck: u64,
}

/// The buttons, and the rules beside them.
pub(super) fn shown(world: &World) -> (Vec<Preset>, Vec<Other>) {
    let rules = world.faults.list();
    let presets = PRESETS.iter().enumerate().map(|(number, preset)| {
        let (name, hint, fault) = *preset;
        let mine = rules.iter().filter(|rule| is_of(rule, fault));
        Preset {
            number,
            name,
            hint,
            is_on: mine.clone().any(|rule| !is_spent(rule)),
            struck: mine.map(|rule| rule.struck).sum(),
        }
    });
    let is_other = |rule: &&FaultReport| !PRESETS.iter().any(|(_, _, fault)| is_of(rule, fault));
    let others = rules.iter().filter(is_other).map(|rule| Other {
        id: rule.id,
        words: format!(
            "{} {}",
            rule.rule.provider.map_or("all", Provider::as_str),
            json!(rule.rule.fault)
        ),
        struck: rule.struck,
    });
    (presets.collect(), others.collect())
}

/// How often a fault of the panel strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Often {
    Once,
    Always,
    Some,
}

/// Switches a button on or off.
///
/// # Errors
/// One line when there is no such button.
pub(super) fn flip(
    world: &World,
    number: usize,
    provider: Option<Provider>,
    often: Often,
) -> Result<(), String> {
    let (_, _, fault) = PRESETS.get(number).ok_or("no such fault")?;
    let rules = world.faults.list();
    let on: Vec<u64> = rules
        .iter()
        .filter(|rule| is_of(rule, fault) && !is_spent(rule))
        .map(|rule| rule.id)
        .collect();
    if on.is_empty() {
        let fault: Fault = serde_json::from_str(fault).map_err(|error| error.to_string())?;
        let endpoint = match fault {
            Fault::Delivery(_) => Endpoint::Delivery,
            _ => Endpoint::Send,
        };
        world.faults.add(FaultRule {
            provider,
            endpoint: Some(endpoint),
            times: (often == Often::Once).then_some(1),
            probability: (often == Often::Some).then_some(0.25),
            seed: world.clock.now().micros,
            ..FaultRule::always(fault)
        });
    }
    for id in on {
        world.faults.remove(id);
    }
    Ok(())
}

/// Whether a rule is this preset: it has everything that the preset has.
fn is_of(rule: &FaultReport, preset: &str) -> bool {
    let preset: Value = serde_json::from_str(preset).unwrap_or_default();
    let fault = json!(rule.rule.fault);
    let fields = preset.as_object().into_iter().flatten();
    fields.clone().count() > 0
        && fields
            .into_iter()
            .all(|(name, value)| fault[name] == *value)
}

fn is_spent(rule: &FaultReport) -> bool {
    rule.rule.times.is_some_and(|times| rule.struck >= times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_button_is_a_fault_that_can_be_ordered() {
        for (name, _, fault) in PRESETS {
            let fault: Fault = serde_json::from_str(fault).unwrap();
            assert_eq!(FaultRule::always(fault).validate(), Ok(()), "{name}");
        }
    }
}
