//! What happened to a message, folded under it.

use shared_types::TurnView;

use super::super::frame::Frame;
use crate::clock::When;
use crate::desk::Xray;

/// What the page shows of it.
pub(super) struct Shown {
    pub(super) hops: Vec<Hop>,
    pub(super) turn: TurnView,
    /// The intent and the other names in words.
    pub(super) intent: String,
    pub(super) crm: Vec<String>,
    pub(super) facts: Vec<String>,
    pub(super) passed_on: Vec<String>,
    /// Values that changed, or are known.
    pub(super) values: Vec<(String, String, String, bool)>,
    /// Why nothing was said, or did not go out.
    pub(super) silence: Option<String>,
}

pub(super) struct Hop {
    pub(super) what: &'static str,
    pub(super) place: &'static str,
    pub(super) at: When,
    /// After the first step.
    pub(super) after: String,
    pub(super) took: String,
}

pub(super) fn shown(f: &Frame, xray: &Xray) -> Shown {
    let first = xray.hops.first().map(|hop| hop.at);
    let hops = xray.hops.iter().map(|hop| {
        let after = first.map(|first| hop.at.duration_since(first).as_micros());
        Hop {
            what: called(f, &hop.what),
            place: match hop.place {
                "provider" => f.t("provider", "provider"),
                place => place,
            },
            at: f.clock.when(hop.at),
            after: after
                .and_then(|after| u64::try_from(after).ok())
                .map_or_else(String::new, |after| format!("+{}", took(after))),
            took: hop.took_us.map(took).unwrap_or_default(),
        }
    });
    let turn = &xray.turn;
    let named = |names: &[String]| names.iter().map(|name| f.named(name)).collect();
    let values = turn.values.iter().map(|value| {
        let name = value
            .name
            .replace("own ", f.t("own ", "eigen "))
            .replace('_', " ");
        let (before, after) = (value.before.clone(), value.after.clone());
        (name, before, after, value.has_changed)
    });
    Shown {
        hops: hops.collect(),
        intent: turn
            .intent
            .as_deref()
            .map(|name| f.named(name))
            .unwrap_or_default(),
        crm: turn.crm.iter().map(|name| f.named(name)).collect(),
        facts: named(&turn.facts),
        passed_on: named(&turn.passed_on),
        values: values.collect(),
        silence: silence(f, xray),
        turn: xray.turn.clone(),
    }
}

fn silence(f: &Frame, xray: &Xray) -> Option<String> {
    if let Some((reason, error)) = &xray.held {
        let why = match f.named(reason) {
            why if error.is_empty() || why != reason.replace('_', " ") => why,
            why => format!("{why}: {error}"),
        };
        let held = f.t("The reply was held back", "Het antwoord is tegengehouden");
        return Some(format!("{held}: {why}."));
    }
    let turn = &xray.turn;
    match &turn.silence {
        Some(why) => {
            let silent = f.t("Silent on purpose", "Met opzet stil");
            Some(format!("{silent}: {}.", f.named(why)))
        }
        None if turn.outbound.is_none() => {
            let nothing = f.t("The turn had nothing to say.", "Er viel niets te zeggen.");
            Some(nothing.to_owned())
        }
        None => None,
    }
}

fn called(f: &Frame, what: &str) -> &'static str {
    match what {
        "received" => f.t("webhook taken", "webhook aangenomen"),
        "queued" => f.t("in the queue", "in de wachtrij"),
        "turn" => f.t("turn taken", "beurt genomen"),
        "asked" => f.t("provider asked", "provider gevraagd"),
        "accepted" => f.t("provider has it", "provider heeft het"),
        "delivered" => f.t("delivered", "bezorgd"),
        "read" => f.t("read", "gelezen"),
        _ => f.t("not delivered", "niet bezorgd"),
    }
}

/// A time in microseconds, for a person.
fn took(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        1_000_000..120_000_000 => {
            let tenths = micros / 100_000;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        120_000_000..7_200_000_000 => format!("{} min", micros / 60_000_000),
        _ => format!("{} h", micros / 3_600_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (micros, shown) in [
            (999, "999 µs"),
            (12_345, "12.3 ms"),
            (1_250_000, "1.2 s"),
            (600_000_000, "10 min"),
            (86_400_000_000, "24 h"),
        ] {
            assert_eq!(took(micros), shown);
        }
    }
}
