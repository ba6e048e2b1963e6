//! What people who look on are shown of a turn, such as on the simulator's page: the contract, and what spoke
//! for it. Pure.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use shared_types::{ConversationState, CrmOutput, NextAgent, OutboundId, Purpose, Sentiment};

use crate::dialogue::act::Act;
use crate::dialogue::piece::Piece;
use crate::dialogue::state::{OursAbout, State};
use crate::dialogue::{Reply, Silence, Wishes, date_code, time_code};
use crate::domain::Domain;
use crate::effects::{Effects, OptOut};
use crate::understanding::{Evidence, Understander};

/// How many patterns are shown.
const CUES: usize = 16;

/// A turn. What is not there is left out.
#[derive(Debug, Serialize)]
pub(crate) struct SeenTurn<'a> {
    pub(crate) events: Vec<String>,
    pub(crate) times: Times,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Outputs<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    acts: &'a [Act],
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    values: Values,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facts: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    passed_on: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    open_question: Option<&'a str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    appointment: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    handover: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_out: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<Replied<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cues: Vec<Evidence>,
}

/// When a turn was taken.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Times {
    pub(crate) received: Option<Timestamp>,
    pub(crate) queued: Option<Timestamp>,
    pub(crate) turn: Option<Timestamp>,
    pub(crate) took_us: u64,
}

/// What the agents made of the message.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outputs<'a> {
    Whole(Box<ConversationState>),
    /// Without what stands in the history, and beside it.
    Short {
        content: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        router_output: Option<Routed<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        conversation_output: Option<Felt>,
        #[serde(skip_serializing_if = "Option::is_none")]
        crm_output: Option<&'a CrmOutput>,
    },
}

#[derive(Debug, Serialize)]
struct Routed<'a> {
    intent: &'a str,
    confidence: f64,
    next_agent: NextAgent,
}

#[derive(Debug, Serialize)]
struct Felt {
    sentiment: Sentiment,
}

#[derive(Debug, Serialize)]
struct Replied<'a> {
    outbound: &'a OutboundId,
    purpose: &'a Purpose,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// The values of the things before the turn and after it.
#[derive(Debug, Serialize)]
struct Values {
    wanted: Change,
    own: Change,
}

#[derive(Debug, Serialize)]
struct Change {
    before: Value,
    after: Value,
}

/// What was known of the things: the wanted one, and the customer's own.
pub(crate) type Before = [Value; 2];

pub(crate) fn known(memory: &State) -> Before {
    [&memory.wanted, &memory.own].map(values)
}

impl<'a> SeenTurn<'a> {
    /// What is kept of a turn for some hours. `before` is what was known when it began.
    pub(crate) fn of(
        effects: &'a Effects,
        before: Before,
        events: Vec<String>,
        times: Times,
    ) -> Self {
        let after = &effects.memory;
        let [wanted, own] = before;
        let change = |before: Value, wishes: &Wishes| Change {
            before,
            after: values(wishes),
        };
        Self {
            events,
            times,
            state: effects.state.as_ref().map(Outputs::short),
            acts: &effects.acts,
            language: after.lang.as_deref(),
            values: Values {
                wanted: change(wanted, &after.wanted),
                own: change(own, &after.own),
            },
            facts: facts(effects),
            passed_on: &effects.passed_on,
            open_question: open_question(after),
            appointment: appointment(after),
            handover: handover(after),
            silence: effects.silence.map(Silence::as_str),
            opt_out: effects.opt_out.map(OptOut::name),
            reply: effects.reply.as_ref().map(|reply| Replied {
                outbound: &reply.id,
                purpose: &reply.purpose,
                text: None,
            }),
            cues: Vec::new(),
        }
    }

    /// The same with all that its trace tells.
    pub(crate) fn whole(self, effects: &'a Effects, cues: Vec<Evidence>) -> Self {
        let reply = self.reply.zip(effects.reply.as_ref());
        Self {
            state: effects.state.as_ref().map(Outputs::whole),
            reply: reply.map(|(said, reply)| Replied {
                text: Some(&reply.text),
                ..said
            }),
            cues,
            ..self
        }
    }
}

impl<'a> Outputs<'a> {
    fn whole(state: &ConversationState) -> Self {
        Self::Whole(Box::new(ConversationState {
            conversation_history: Vec::new(),
            ..state.clone()
        }))
    }

    fn short(state: &'a ConversationState) -> Self {
        let router = state.router_output.as_ref();
        let conversation = state.conversation_output.as_ref();
        Self::Short {
            content: &state.content,
            router_output: router.map(|router| Routed {
                intent: &router.intent,
                confidence: router.confidence,
                next_agent: router.next_agent,
            }),
            conversation_output: conversation.map(|output| Felt {
                sentiment: output.sentiment,
            }),
            crm_output: state.crm_output.as_ref(),
        }
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
