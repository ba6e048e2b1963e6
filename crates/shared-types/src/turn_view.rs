//! What the worker tells of a turn to people who look on, made ready to be shown: in the simulator and in the
//! console. Pure.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

/// What a turn understood and decided, ready to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TurnView {
    /// What was read: of a burst all messages.
    pub text: String,
    /// How many messages that is.
    pub messages: usize,
    /// What is wanted.
    pub intent: Option<String>,
    /// How sure the router was, such as `92 %`.
    pub confidence: String,
    /// The same in hundredths.
    pub percent: u8,
    /// The agent that the router chose.
    pub next: Option<String>,
    /// The language that is answered in.
    pub language: Option<String>,
    /// How the customer seems to feel.
    pub sentiment: Option<String>,
    /// What the message does.
    pub acts: Vec<ActView>,
    /// What spoke for the intent and against it, where that was told.
    pub cues: Vec<Cue>,
    /// What is known of the things.
    pub values: Vec<Changed>,
    /// What was written, and which moment that is.
    pub moments: Vec<(String, String)>,
    /// Facts of the domain and records of the stock that the reply gives.
    pub facts: Vec<String>,
    /// What a colleague has to answer.
    pub passed_on: Vec<String>,
    /// What is waited for.
    pub question: Option<String>,
    /// The appointment that stands.
    pub appointment: Option<String>,
    /// Why a colleague was told.
    pub handover: Option<String>,
    /// What was noted in the CRM.
    pub crm: Vec<&'static str>,
    /// Why nothing was said on purpose: `opted_out`, `human`, `machine`.
    pub silence: Option<String>,
    /// What was said.
    pub reply: Option<String>,
    /// Its outbound id.
    pub outbound: Option<String>,
}

/// One thing that a message does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActView {
    /// `ask`, `inform`, `request` …
    pub act: String,
    /// What it is about.
    pub about: String,
    /// How sure the rules or the model are.
    pub confidence: String,
    /// The part of the message that does it.
    pub words: String,
    /// Who read it so: rules or a model.
    pub origin: String,
}

/// Something that spoke for or against the intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cue {
    /// How much it weighs, with its sign.
    pub weight: String,
    /// Whether it spoke against.
    pub is_against: bool,
    /// The pattern, or that it is like the examples.
    pub what: String,
}

/// A value before and after the turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its name; with `own ` before it of what the customer owns.
    pub name: String,
    /// Empty when it was not known.
    pub before: String,
    /// Empty when it is not known any more.
    pub after: String,
    /// Whether they differ.
    pub has_changed: bool,
}

/// A share as people write it.
#[must_use]
pub fn confidence(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

impl TurnView {
    /// Of what the worker keeps of a turn, and leaves on its span.
    #[must_use]
    pub fn of(turn: &Value) -> Self {
        let state = &turn["state"];
        let router = &state["router_output"];
        let text = string(&state["content"]).unwrap_or_default();
        let sure = router["confidence"].as_f64().unwrap_or_default();
        let acts = items(&turn["acts"]);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 100"
        )]
        let percent = (sure.clamp(0.0, 1.0) * 100.0).round() as u8;
        Self {
            messages: turn["events"].as_array().map_or(1, Vec::len),
            intent: string(&router["intent"]),
            confidence: confidence(sure),
            percent,
            next: string(&router["next_agent"]),
            language: string(&turn["language"]),
            sentiment: string(&state["conversation_output"]["sentiment"]),
            moments: acts.filter_map(|act| moment(act, &text)).collect(),
            acts: items(&turn["acts"])
                .map(|act| shown_act(act, &text))
                .collect(),
            cues: items(&turn["cues"]).map(cue).collect(),
            values: values(&turn["values"]),
            facts: strings(&turn["facts"]),
            passed_on: strings(&turn["passed_on"]),
            question: string(&turn["open_question"]),
            appointment: named(&turn["appointment"]),
            handover: named(&turn["handover"]),
            crm: crm(&state["crm_output"]),
            silence: string(&turn["silence"]),
            reply: string(&turn["reply"]["text"]),
            outbound: string(&turn["reply"]["outbound"]),
            text,
        }
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn strings(list: &Value) -> Vec<String> {
    items(list).filter_map(string).collect()
}

fn shown_act(act: &Value, text: &str) -> ActView {
    let topic = &act["topic"];
    let about = ["name", "kind"].into_iter().map(|key| &topic[key]);
    let about = ["goal", "name", "what", "slot"]
        .into_iter()
        .map(|key| &act[key])
        .chain(about)
        .find_map(string)
        .unwrap_or_else(|| told(act));
    ActView {
        act: string(&act["act"]).unwrap_or_default(),
        about,
        confidence: confidence(act["confidence"].as_f64().unwrap_or_default()),
        words: words(act, text),
        origin: string(&act["origin"]).unwrap_or_default(),
    }
}

/// The values that an act tells.
fn told(act: &Value) -> String {
    let values = items(&act["values"]);
    let values = values.map(|value| {
        let any_of: Vec<String> = items(&value["any_of"]).map(plain).collect();
        let slot = value["slot"].as_str().unwrap_or_default();
        format!("{slot} = {}", any_of.join(" or "))
    });
    values.collect::<Vec<_>>().join(", ")
}

/// The part of the message that does it.
fn words(act: &Value, text: &str) -> String {
    let at = |end: &str| usize::try_from(act["words"][end].as_u64()?).ok();
    let part = at("start").zip(at("end"));
    let part = part.and_then(|(start, end)| text.get(start..end));
    part.unwrap_or_default().trim().to_owned()
}

fn cue(cue: &Value) -> Cue {
    let weight = cue["weight"].as_f64().unwrap_or_default();
    Cue {
        weight: format!("{weight:+.1}"),
        is_against: weight < 0.0,
        what: string(&cue["pattern"]).unwrap_or_else(|| "likeness to the examples".to_owned()),
    }
}

/// Which moment an act means by its words.
fn moment(act: &Value, text: &str) -> Option<(String, String)> {
    let when = act["when"].as_object()?;
    let parts = ["date", "time"].map(|part| when.get(part).map(span));
    let resolved: Vec<String> = parts.into_iter().flatten().flatten().collect();
    (!resolved.is_empty()).then(|| (words(act, text), resolved.join(", ")))
}

/// A date or a time, or from when to when.
fn span(moment: &Value) -> Option<String> {
    let fields = moment.as_object()?;
    let shown = fields.iter().filter(|(_, value)| !value.is_null());
    let shown = shown.map(|(name, value)| match name.as_str() {
        "on" | "at" => plain(value),
        name => format!("{name} {}", plain(value)),
    });
    let shown: Vec<String> = shown.collect();
    (!shown.is_empty()).then(|| shown.join(" "))
}

/// What was wanted and what is owned, before and after.
fn values(values: &Value) -> Vec<Changed> {
    let none = Map::new();
    let mut rows = Vec::new();
    for (thing, prefix) in [("wanted", ""), ("own", "own ")] {
        let side = |side: &str| values[thing][side].as_object().unwrap_or(&none);
        let (before, after) = (side("before"), side("after"));
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        rows.extend(names.into_iter().map(|name| {
            let value = |side: &Map<String, Value>| side.get(name).map(plain).unwrap_or_default();
            Changed {
                name: format!("{prefix}{name}"),
                before: value(before),
                after: value(after),
                has_changed: before.get(name) != after.get(name),
            }
        }));
    }
    rows
}

/// A value without its JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(" or "),
        Value::Object(fields) => named(value).unwrap_or_else(|| format!("{} fields", fields.len())),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// The fields of an object that say something.
fn named(object: &Value) -> Option<String> {
    let fields = object.as_object()?.iter();
    let told = fields.filter(|(_, value)| !value.is_null() && **value != Value::Bool(false));
    let told: Vec<String> = told
        .map(|(name, value)| format!("{name}: {}", plain(value)))
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

fn crm(output: &Value) -> Vec<&'static str> {
    let is = |field: &str| output[field] == true;
    let new_contact = is("contact_created").then_some("new contact");
    let new_lead = is("lead_created").then_some("new lead");
    let known =
        (output["contact_id"].is_string() && new_contact.is_none()).then_some("contact known");
    new_contact
        .into_iter()
        .chain(known)
        .chain(new_lead)
        .collect()
}
