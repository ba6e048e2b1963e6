use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::note;
use crate::journal::{MessageStatus, Record};
use crate::traces::Span;

/// After this time without an answer or a reason for silence a message counts as lost.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// How a message ended, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    pub(crate) fate: Fate,
    /// A sentence for a person.
    pub(crate) words: String,
}

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fate {
    /// A reply went out.
    Answered,
    /// Nothing is said, on purpose.
    Silent,
    /// Ingress did not take it.
    Refused,
    /// Nobody knows yet.
    Waiting,
    /// Taken, and nothing came of it.
    Lost,
}

impl Fate {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Silent => "silent",
            Self::Refused => "refused",
            Self::Waiting => "waiting",
            Self::Lost => "lost",
        }
    }
}

/// Judges by what ingress answered, what the traces say, and which calls followed.
pub(super) fn judge(
    message: &Record,
    spans: &[&Span],
    calls: &[Record],
    now: Timestamp,
) -> Verdict {
    let verdict = |fate, words: String| Verdict { fate, words };
    match message.progress.status {
        MessageStatus::Rejected => {
            let code = message.progress.code.unwrap_or_default();
            let why = message.progress.complaint.as_deref();
            let words = format!(
                "Ingress answered {code}: {}",
                why.unwrap_or("it did not say why.")
            );
            return verdict(Fate::Refused, words);
        }
        MessageStatus::Unreachable => {
            let words = "No answer of ingress to the webhook, or it was lost on its way.";
            return verdict(Fate::Refused, words.to_owned());
        }
        _ => {}
    }
    if let Some(sent) = calls.iter().find(|call| call.entry.outcome.is_accepted()) {
        let took = sent.entry.arrived.micros - message.entry.arrived.micros;
        let words = format!("Answered after {}.", shown(took));
        return verdict(Fate::Answered, words);
    }
    if let Some(why) = silence(spans) {
        return verdict(Fate::Silent, why);
    }
    if now.duration_since(message.entry.arrived.at) > PATIENCE {
        let words = "Taken with a 200, and neither answered nor left unanswered for a reason.";
        return verdict(Fate::Lost, words.to_owned());
    }
    verdict(Fate::Waiting, waiting(spans, calls))
}

/// Why nothing is said, where that is meant.
fn silence(spans: &[&Span]) -> Option<String> {
    if let Some(aside) = note(spans, "set_aside") {
        let reason = aside["reason"].as_str().unwrap_or_default();
        let error = aside["error"].as_str().unwrap_or_default();
        let why = match reason {
            "human_in_charge" => "a colleague has the conversation",
            "colleague_wrote" => "a colleague wrote while it was on its way",
            "opted_out" => "the customer wants no messages",
            "window_closed" => "the customer's last message is more than 24 hours old",
            _ => error,
        };
        return Some(format!("The send gate held the reply back: {why}."));
    }
    if let Some(failed) = note(spans, "failed").filter(|failed| failed["given_up"] == true) {
        let error = failed["error"].as_str().unwrap_or_default();
        return Some(format!("Given up, and a colleague is told: {error}."));
    }
    let Some(turn) = note(spans, "turn") else {
        return not_queued(note(spans, "taken")?);
    };
    let why = match turn["silence"].as_str() {
        Some("opted_out") => "the customer wrote STOP and wants no messages",
        Some("human") => "a colleague has the conversation",
        Some("machine") => "a machine seems to answer every answer",
        Some(other) => other,
        None if turn["reply"].is_null() => "the turn has nothing to say",
        None => return None,
    };
    Some(format!("Silent on purpose: {why}."))
}

fn waiting(spans: &[&Span], calls: &[Record]) -> String {
    if let Some(refused) = calls.last() {
        let fault = refused.entry.fault.unwrap_or("an error");
        return format!("The provider did not take the reply ({fault}). Egress tries again.");
    }
    let words = if note(spans, "turn").is_some() {
        "The reply is on its way."
    } else if note(spans, "failed").is_some() {
        "The turn failed and is tried again."
    } else {
        "Queued. An unfinished message waits up to 3 s for the rest."
    };
    words.to_owned()
}

/// Why ingress says 200 and queues nothing.
fn not_queued(taken: &Value) -> Option<String> {
    match (taken["status"].as_str()?, taken["reason"].as_str()) {
        ("duplicate", _) => Some("It came before: ingress says 200 and queues nothing.".to_owned()),
        ("ignored", Some("not_pending" | "human_assignee")) => {
            Some("Silent on purpose: a colleague has the conversation.".to_owned())
        }
        ("ignored", reason) => Some(format!(
            "Ingress says 200 and queues nothing: {}.",
            reason.unwrap_or_default().replace('_', " ")
        )),
        _ => None,
    }
}

/// A time in microseconds, for a person.
pub(super) fn shown(micros: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let ms = micros as f64 / 1_000.0;
    if ms < 1_000.0 {
        format!("{ms:.1} ms")
    } else {
        format!("{:.1} s", ms / 1_000.0)
    }
}
