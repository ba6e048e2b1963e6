//! Conversations in memory: what `worker chat` and `worker rehearse` talk with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crm::{CrmWrite, Unclear};
use jiff::Timestamp;
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use shared_types::InboundMessage;
use stock::Stock;

use crate::agents::{Agents, Parts};
use crate::dialogue::act::Act;
use crate::dialogue::state::State;
use crate::dialogue::{Piece, Question, Reply};
use crate::domain::Domain;
use crate::effects::{Effects, OptOut};
use crate::metrics::WorkerMetrics;
use crate::onlooker;
use crate::stock::Shelf;
use crate::turns::{Known, Turns};
use crate::understanding::Understander;

const BUDGET: Duration = Duration::from_secs(60);

/// A domain that people talk with.
pub(crate) struct Talk {
    turns: Turns,
    known: BTreeMap<String, Known>,
    leads: BTreeMap<String, BTreeMap<String, Value>>,
    /// How many messages each has written: in which words a conversation is answered follows from it alone.
    messages: BTreeMap<String, u64>,
}

/// What became of a message.
#[derive(Debug)]
pub(crate) struct Turned {
    pub(crate) replies: Vec<String>,
    /// The address of the picture that goes with the reply.
    pub(crate) picture: Option<String>,
    pub(crate) silence: Option<&'static str>,
    pub(crate) acts: Vec<Act>,
    pub(crate) reply: Option<Reply>,
    pub(crate) intent: String,
    pub(crate) confidence: f64,
    pub(crate) state: State,
    pub(crate) opted_out: bool,
    /// The lead as it stands: intent, fields, questions.
    pub(crate) lead: Value,
}

impl Talk {
    /// Talks with a domain that has something for sale, or nothing.
    pub(crate) fn new(domain: Domain, stock: Option<Stock>) -> Self {
        let understander = Arc::new(Understander::new(&domain));
        let metrics =
            Metrics::new("worker", "0").and_then(|mut page| WorkerMetrics::new(&mut page));
        let metrics = metrics.unwrap_or_else(|error| runtime::refuse(&[error.to_string()]));
        let parts = Parts {
            domain: Arc::new(domain),
            understander,
            model: None,
            crm: None,
            register: None,
            stock: stock.map_or_else(Shelf::default, Shelf::of),
            metrics: metrics.clone(),
        };
        Self {
            turns: Turns {
                agents: Agents::new(&parts),
                domain: parts.domain,
                understander: parts.understander,
                transcriber: None,
                cards: None,
                budget: BUDGET,
                shelf: parts.stock,
                colleagues: Vec::new(),
                metrics,
            },
            known: BTreeMap::new(),
            leads: BTreeMap::new(),
            messages: BTreeMap::new(),
        }
    }

    pub(crate) fn domain(&self) -> &Domain {
        &self.turns.domain
    }

    /// The customer writes; `more` are further fields of the message.
    pub(crate) async fn says(
        &mut self,
        from: &str,
        text: &str,
        more: Value,
        now: Timestamp,
    ) -> Turned {
        let number = self.messages.entry(from.to_owned()).or_default();
        *number += 1;
        let message = message(*number, from, text, &more);
        let known = self.known.get(from).cloned().unwrap_or_default();
        let effects = match message {
            Ok(message) => self.turns.take(message, known.clone(), now).await.ok(),
            Err(_) => None,
        };
        let effects = effects.unwrap_or_else(|| Effects {
            memory: known.memory.clone(),
            ..Effects::default()
        });
        self.keep(from, known, effects)
    }

    fn keep(&mut self, from: &str, mut known: Known, effects: Effects) -> Turned {
        known.history.extend(effects.history);
        known.memory.clone_from(&effects.memory);
        match effects.opt_out {
            Some(OptOut::Since(_)) => known.opted_out = true,
            Some(OptOut::Lifted) => known.opted_out = false,
            None => {}
        }
        let opted_out = known.opted_out;
        self.known.insert(from.to_owned(), known);
        let lead = self.leads.entry(from.to_owned()).or_default();
        if let Some(write) = &effects.crm {
            note(lead, write);
        }
        let router = effects.state.and_then(|state| state.router_output);
        let picture = effects
            .reply
            .as_ref()
            .and_then(|reply| reply.picture.as_ref());
        Turned {
            picture: picture.map(|picture| picture.url.clone()),
            replies: effects.reply.into_iter().map(|reply| reply.text).collect(),
            silence: effects.silence.map(crate::dialogue::Silence::as_str),
            acts: effects.acts,
            reply: effects.said,
            intent: router
                .as_ref()
                .map_or_else(String::new, |router| router.intent.clone()),
            confidence: router.map_or(0.0, |router| (router.confidence * 1000.0).round() / 1000.0),
            state: effects.memory,
            opted_out,
            lead: json!(lead),
        }
    }
}

fn message(
    number: u64,
    from: &str,
    text: &str,
    more: &Value,
) -> serde_json::Result<InboundMessage> {
    let digits: String = from.chars().filter(char::is_ascii_digit).take(14).collect();
    let digits = if digits.len() < 6 {
        "31600000000".to_owned()
    } else {
        digits
    };
    let mut message = json!({
        "id": format!("chat-{number}-{from}"),
        "conversation": {"id": format!("whatsapp:+{digits}")},
        "sender": {"id": format!("whatsapp:+{digits}"), "name": more.get("name")},
        "content": text, "message_type": "incoming", "channel": "whatsapp", "source": "twilio",
    });
    for key in ["attachments", "location"] {
        if let Some(value) = more.get(key) {
            message[key] = value.clone();
        }
    }
    serde_json::from_value(message)
}

/// Adds what a turn tells the CRM to the lead as it is shown.
fn note(lead: &mut BTreeMap<String, Value>, write: &CrmWrite) {
    if let Some(written) = &write.lead {
        lead.insert("intent".into(), json!(written.intent));
        let fields = lead.entry("fields".into()).or_insert_with(|| json!({}));
        for field in &written.fields {
            fields[&field.name] = json!(field.value);
        }
    }
    if let Some(fields) = lead.get_mut("fields").and_then(Value::as_object_mut) {
        let withdrawn = write.withdrawn.iter().flat_map(|one| &one.fields);
        withdrawn.for_each(|name| drop(fields.remove(name)));
    }
    let asked = write.questions.iter();
    for question in asked.filter(|one| one.kind == Unclear::Question) {
        let questions = lead.entry("questions".into()).or_insert_with(|| json!([]));
        if let Some(questions) = questions.as_array_mut() {
            questions.push(json!(question.words));
        }
    }
    for appointment in &write.appointments {
        lead.insert("appointment".into(), json!(appointment));
    }
}

impl Turned {
    /// What was understood, in a line.
    pub(crate) fn understood(&self) -> String {
        let acts = self.acts.iter().map(act_name);
        let acts = acts.collect::<Vec<_>>().join(" ");
        let open = self.open_question().map(|topic| format!(" asks={topic}"));
        let appointment = self.appointment();
        let appointment = (!appointment.is_null()).then(|| format!(" appointment={appointment}"));
        format!(
            "{acts} | {} {}{}{}",
            self.intent,
            self.confidence,
            open.unwrap_or_default(),
            appointment.unwrap_or_default()
        )
    }

    /// What we wait for.
    pub(crate) fn open_question(&self) -> Option<&str> {
        onlooker::open_question(&self.state)
    }

    /// The things of the stock that the reply names, in its order.
    pub(crate) fn stock(&self) -> Vec<String> {
        let Some(Reply::Say(said)) = &self.reply else {
            return Vec::new();
        };
        let records = said.records().into_iter();
        records.map(|item| item.id.to_string()).collect()
    }

    /// The appointment that stands.
    pub(crate) fn appointment(&self) -> Value {
        onlooker::appointment(&self.state)
    }

    /// Whether and why a colleague was told.
    pub(crate) fn handover(&self) -> Value {
        onlooker::handover(&self.state)
    }

    /// The pieces of the reply, as rehearsals name them.
    pub(crate) fn says(&self) -> Vec<String> {
        let Some(Reply::Say(said)) = &self.reply else {
            return Vec::new();
        };
        said.pieces().flat_map(piece_names).collect()
    }

    /// What the reply asks, as rehearsals name it.
    pub(crate) fn asks(&self) -> Option<String> {
        let Some(Reply::Say(said)) = &self.reply else {
            return None;
        };
        let first = match &said.first {
            Piece::Ask(question) => Some(question),
            _ => None,
        };
        Some(match said.ask.as_ref().or(first)? {
            Question::Topic { topic, .. } => topic.clone(),
            Question::Meaning { .. } => "meaning".into(),
            Question::Moments { .. } => "moment".into(),
            Question::Conflict => "conflict".into(),
            Question::Stop => "stop".into(),
            Question::Colleague => "colleague".into(),
            Question::Offer { .. } => "offer".into(),
            Question::WhichOffer => "which_offer".into(),
            Question::Help => "help".into(),
        })
    }
}

/// `ask(towbar)`, `request(test_drive)`, `inform`.
pub(crate) fn act_name(act: &Act) -> String {
    use crate::dialogue::act::Does;
    let name = act.does.name();
    let shown = || serde_json::to_value(&act.does).unwrap_or_default();
    match (&act.does, act.does.about()) {
        (Does::Consent(_) | Does::Repair(_) | Does::Social(_), _) => {
            format!("{name}({})", shown()["what"].as_str().unwrap_or_default())
        }
        (Does::Cancel { .. }, _) | (_, None) => name.to_owned(),
        (_, Some(about)) => format!("{name}({about})"),
    }
}

/// A piece by its kind alone, and with what it is about.
fn piece_names(piece: &Piece) -> Vec<String> {
    use crate::dialogue::piece::{Confirmed, Courtesy, Passed, Status};
    let (kind, of) = match piece {
        Piece::Safety(name) => ("safety", name.as_str()),
        Piece::StaySafe(name) => ("stay_safe", name.as_str()),
        Piece::Apology(_) => ("apology", ""),
        Piece::Misread => ("misread", ""),
        Piece::Hello => ("hello", ""),
        Piece::Greeting => ("greeting", ""),
        Piece::Excuse(code) => ("excuse", code.as_str()),
        Piece::Withheld => ("withheld", ""),
        Piece::Fact { name, .. } => ("fact", name.as_str()),
        Piece::Hours(_) => ("hours", ""),
        Piece::Prices(_) => ("prices", ""),
        Piece::Stock(listing) => ("stock", listing.fit.name()),
        Piece::Picked(_) => ("picked", ""),
        Piece::Arrived(_) => ("arrived", ""),
        Piece::Standing(..) => ("standing", ""),
        Piece::Gone(_) => ("gone", ""),
        Piece::Record(name, _) => ("record", name.as_str()),
        Piece::Robot => ("robot", ""),
        Piece::AboutYou => ("about_you", ""),
        Piece::Possible => ("possible", ""),
        Piece::PassOn(Passed::Attribute(name, _)) => ("passed_on", name.as_str()),
        Piece::PassOn(Passed::Existence(_)) => ("passed_on", "existence"),
        Piece::PassOn(Passed::Words(_)) => ("passed_on", "other"),
        Piece::PassedAgain => ("passed_again", ""),
        Piece::Bid(_) => ("bid", ""),
        Piece::Deal => ("deal", ""),
        Piece::TakeUp(goal) => ("take_up", goal.as_str()),
        Piece::Noted { .. } => ("noted", ""),
        Piece::Answered(topic, _) => ("answered", topic.as_str()),
        Piece::NotThen(_) => ("not_then", ""),
        Piece::Same(fit) => ("same", fit.name()),
        Piece::Skipped => ("skipped", ""),
        Piece::Dropped(goal) => ("dropped", goal.as_deref().unwrap_or_default()),
        Piece::Cancelled(..) => ("cancelled", ""),
        Piece::CalledOff(..) => ("called_off", ""),
        Piece::Advice(name) => ("advice", name.as_str()),
        Piece::Named(_) => ("named", ""),
        Piece::Attachment { kind, .. } => ("attachment", *kind),
        Piece::Appointment { status, .. } => ("appointment", status.as_str()),
        Piece::Next(goal) => ("next", goal.as_str()),
        Piece::CallBack(..) => ("call_back", ""),
        Piece::Ring(_) => ("ring", ""),
        Piece::Status(Status::Told) => ("status", "told"),
        Piece::Status(Status::ToldAgain) => ("status", "told_again"),
        Piece::Status(Status::Urgent) => ("status", "urgent"),
        Piece::Status(Status::Supplier) => ("status", "supplier"),
        Piece::Status(Status::Waiting) => ("status", "waiting"),
        Piece::Status(Status::Unanswered) => ("status", "unanswered"),
        Piece::Status(Status::Late) => ("status", "late"),
        Piece::Consent(Confirmed::Stop) => ("consent", "stop"),
        Piece::Consent(Confirmed::Start) => ("consent", "start"),
        Piece::Consent(Confirmed::Erase) => ("consent", "erase"),
        Piece::Courtesy(Courtesy::Thanks) => ("courtesy", "thanks"),
        Piece::Courtesy(Courtesy::Bye) => ("courtesy", "bye"),
        Piece::Courtesy(Courtesy::Nicety) => ("courtesy", "nicety"),
        Piece::Courtesy(Courtesy::Listening) => ("courtesy", "listening"),
        Piece::Kind(feeling) => ("kind", feeling.text()),
        Piece::NoCalls => ("no_calls", ""),
        Piece::Unheard => ("unheard", ""),
        Piece::Received => ("received", ""),
        Piece::Ask(_) => ("ask", ""),
    };
    let mut names = vec![kind.to_owned()];
    if !of.is_empty() {
        names.push(format!("{kind}({of})"));
    }
    names
}
