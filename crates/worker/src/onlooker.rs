//! What people who look on are shown of a turn, such as on the simulator's page: the contract, and what spoke
//! for it. Pure.

use serde_json::{Map, Value, json};
use shared_types::ConversationState;

use crate::dialogue::piece::Piece;
use crate::dialogue::state::{OursAbout, State};
use crate::dialogue::{Reply, Silence, Wishes, date_code, time_code};
use crate::domain::Domain;
use crate::effects::Effects;
use crate::understanding::{Evidence, Understander};

/// How many patterns are shown.
const CUES: usize = 16;

/// A turn as JSON. `before` is what was remembered when it began.
pub(crate) fn turn(before: &State, effects: &Effects) -> Value {
    let state = effects.state.as_ref();
    let after = &effects.memory;
    let reply = effects.reply.as_ref();
    json!({
        "state": state.map(without_history),
        "acts": effects.acts,
        "language": after.lang,
        "values": {
            "wanted": { "before": values(&before.wanted), "after": values(&after.wanted) },
            "own": { "before": values(&before.own), "after": values(&after.own) },
        },
        "facts": facts(effects),
        "passed_on": effects.passed_on,
        "open_question": open_question(after),
        "appointment": appointment(after),
        "handover": handover(after),
        "silence": effects.silence.map(Silence::as_str),
        "opt_out": effects.opt_out.map(crate::effects::OptOut::name),
        "reply": reply.map(|reply| json!({ "outbound": reply.id, "text": reply.text, "purpose": reply.purpose })),
    })
}

fn without_history(state: &ConversationState) -> ConversationState {
    ConversationState {
        conversation_history: Vec::new(),
        ..state.clone()
    }
}

/// What spoke for the intent, the strongest first, then what spoke against it. The text is read once more for
/// it.
pub(crate) fn cues(
    domain: &Domain,
    understander: &Understander,
    effects: &Effects,
) -> Vec<Evidence> {
    let state = effects.state.as_ref();
    let Some((state, router)) =
        state.and_then(|state| Some((state, state.router_output.as_ref()?)))
    else {
        return Vec::new();
    };
    let mut cues = understander.explain(domain, &state.content);
    cues.retain(|cue| cue.intent == router.intent && cue.weight != 0.0);
    cues.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    cues.truncate(CUES);
    cues
}

/// The facts of the domain and the records of the stock that the reply gives.
fn facts(effects: &Effects) -> Vec<String> {
    let Some(Reply::Say(said)) = &effects.said else {
        return Vec::new();
    };
    let facts = said.pieces().filter_map(fact).map(str::to_owned);
    let records = said.records().into_iter();
    facts
        .chain(records.map(|item| format!("stock {}", item.id)))
        .collect()
}

fn fact(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Fact { name, .. } => Some(name),
        Piece::Hours(_) => Some("hours"),
        Piece::Prices(_) => Some("prices"),
        _ => None,
    }
}

/// What we wait for.
pub(crate) fn open_question(state: &State) -> Option<&str> {
    let ours = state.ours.as_ref().filter(|ours| ours.turns == 0)?;
    Some(match &ours.about {
        OursAbout::Topic(topic) => topic,
        OursAbout::Moment => "moment",
        OursAbout::Meaning => "meaning",
        OursAbout::Colleague => "colleague",
        OursAbout::Stop => "stop",
        OursAbout::Offer => "offer",
    })
}

/// The appointment that stands.
pub(crate) fn appointment(state: &State) -> Value {
    let Some(appointment) = state.appointments.last() else {
        return Value::Null;
    };
    json!({
        "purpose": appointment.purpose,
        "thing": appointment.thing,
        "date": appointment.date.map(date_code),
        "time": appointment.time.map(time_code),
        "status": appointment.status.as_str(),
    })
}

/// Whether and why a colleague was told.
pub(crate) fn handover(state: &State) -> Value {
    state.told.as_ref().map_or(
        Value::Null,
        |told| json!({"reason": told.reason, "urgent": told.urgent, "at": told.at.to_string()}),
    )
}

/// One value as it is, several as a list; excluded ones under `not`.
pub(crate) fn values(wishes: &Wishes) -> Value {
    let mut shown = Map::new();
    let mut not = Map::new();
    for (slot, wish) in wishes {
        match wish.any_of.as_slice() {
            [] if wish.indifferent => {
                shown.insert(slot.clone(), json!("any"));
            }
            [] => {}
            [one] => {
                shown.insert(slot.clone(), json!(one));
            }
            several => {
                shown.insert(slot.clone(), json!(several));
            }
        }
        if !wish.not.is_empty() {
            not.insert(slot.clone(), json!(wish.not));
        }
    }
    if !not.is_empty() {
        shown.insert("not".into(), Value::Object(not));
    }
    Value::Object(shown)
}
