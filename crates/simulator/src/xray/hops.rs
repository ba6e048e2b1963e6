use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use shared_types::confidence;

use super::verdict::shown;
use crate::journal::Record;
use crate::traces::{Kind, Span};

/// A step of a message's way.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Hop {
    /// `ingress`, `redis`, `worker`, `egress`, or the provider.
    pub(crate) place: String,
    pub(crate) title: String,
    pub(crate) detail: String,
    /// When it began, after the customer wrote.
    pub(crate) at: String,
    pub(crate) took: String,
    /// Whether it went wrong.
    pub(crate) is_bad: bool,
    /// A step within the one before.
    pub(crate) is_inner: bool,
    /// Where its bar begins and how long it is, in thousandths of the way to the reply; none for what comes after.
    pub(crate) bar: Option<(u32, u32)>,
}

/// Every step, in order of time.
pub(super) fn of(message: &Record, spans: &[&Span]) -> Vec<Hop> {
    let begun = message.entry.arrived.at.as_microsecond();
    let by_id: HashMap<&str, &Span> = spans.iter().map(|span| (span.id.as_str(), *span)).collect();
    let end = spans.iter().filter(|span| !is_tick(span));
    let whole = end.map(|span| span.end - begun).max().unwrap_or(1).max(1);
    let scale = Scale { begun, whole };
    let mut hops = Vec::new();
    let shown = spans.iter().filter(|span| !is_callback(span));
    for span in shown {
        let parent = by_id.get(span.parent.as_str());
        if let Some(parent) = parent.filter(|parent| waited(span, parent)) {
            hops.push((parent.end.min(span.start), scale.wait(span, parent)));
        }
        hops.push((span.start, scale.hop(span)));
    }
    hops.sort_by_key(|(start, _)| *start);
    hops.into_iter().map(|(_, hop)| hop).collect()
}

/// Whether an entry lay in a stream before it was handled.
fn waited(span: &Span, parent: &Span) -> bool {
    span.kind == Kind::Consumer && parent.kind != Kind::Internal && !is_tick(span)
}

/// The webhook of a status, which the report that follows it tells better.
fn is_callback(span: &Span) -> bool {
    span.kind == Kind::Server
        && span
            .note("taken")
            .is_some_and(|taken| taken["kind"] == "delivery")
}

fn is_tick(span: &Span) -> bool {
    span.attribute("postduif.entry.kind") == Some("delivery") || is_callback(span)
}

struct Scale {
    begun: i64,
    whole: i64,
}

impl Scale {
    fn hop(&self, span: &Span) -> Hop {
        let (place, title, detail) = words(span);
        Hop {
            place,
            title,
            detail,
            at: format!("+{}", shown(micros(span.start - self.begun))),
            took: if is_tick(span) {
                String::new()
            } else {
                shown(micros(span.end - span.start))
            },
            is_bad: is_bad(span),
            is_inner: matches!(span.kind, Kind::Internal | Kind::Client),
            bar: (!is_tick(span)).then(|| self.bar(span.start, span.end)),
        }
    }

    fn wait(&self, span: &Span, parent: &Span) -> Hop {
        let queue = span.attribute("messaging.destination.name").unwrap_or("a");
        // A queued entry may be taken out before ingress has said 200.
        let from = parent.end.min(span.start);
        let detail = match span.start - from {
            0 => "taken out at once",
            _ => "until it is its turn",
        };
        Hop {
            place: "redis".to_owned(),
            title: format!("{queue} stream"),
            detail: detail.to_owned(),
            at: format!("+{}", shown(micros(from - self.begun))),
            took: shown(micros(span.start - from)),
            is_bad: false,
            is_inner: false,
            bar: Some(self.bar(from, span.start)),
        }
    }

    fn bar(&self, start: i64, end: i64) -> (u32, u32) {
        let place =
            |at: i64| u32::try_from((at - self.begun).clamp(0, self.whole) * 1_000 / self.whole);
        let (from, to) = (place(start).unwrap_or(0), place(end).unwrap_or(0));
        (from.min(992), (to - from).max(8))
    }
}

fn micros(span: i64) -> u64 {
    u64::try_from(span).unwrap_or(0)
}

fn is_bad(span: &Span) -> bool {
    let has = |kind| span.note(kind).is_some();
    let is_error = span.attribute("error.type").is_some();
    let code = span.attribute("http.response.status_code");
    is_error || has("set_aside") || has("failed") || code.is_some_and(|code| code >= "400")
}

/// Place, title and detail.
fn words(span: &Span) -> (String, String, String) {
    let place = span.service.clone();
    match span.kind {
        Kind::Server => (place, "Webhook".to_owned(), webhook(span)),
        Kind::Client => ("provider".to_owned(), call_title(span), call(span)),
        Kind::Consumer => {
            let title = consumer_title(span);
            (place, title, consumed(span))
        }
        Kind::Internal => {
            let agent = span.attribute("gen_ai.agent.name").unwrap_or(&span.name);
            (place, agent.to_owned(), String::new())
        }
    }
}

fn webhook(span: &Span) -> String {
    let code = span.attribute("http.response.status_code").unwrap_or("?");
    let taken = span.note("taken");
    match taken.and_then(|taken| taken["status"].as_str()) {
        Some("queued") => format!("signature, dedup and rate checked: {code}, in Redis"),
        Some("duplicate") => format!("{code}, known already: nothing is queued"),
        Some("ignored") => format!("{code}, nothing is queued"),
        Some("spooled") => format!("{code}, on disk until Redis is back"),
        Some(other) => format!("{code}, {other}"),
        None => code.to_owned(),
    }
}

fn call_title(span: &Span) -> String {
    match span.attribute("http.request.method") {
        Some("POST") => "API call".to_owned(),
        Some(method) => format!("API call ({method})"),
        None => span.name.clone(),
    }
}

fn call(span: &Span) -> String {
    let answer = span.attribute("http.response.status_code");
    match (answer, span.attribute("error.type")) {
        (Some(code), _) => format!("answered {code}"),
        (None, Some("timeout")) => "no answer in time".to_owned(),
        (None, Some(_)) => "the connection broke".to_owned(),
        (None, None) => String::new(),
    }
}

fn consumer_title(span: &Span) -> String {
    let queue = span.attribute("messaging.destination.name");
    let kind = span.attribute("postduif.entry.kind");
    match (queue, kind) {
        (Some("inbound"), Some("message")) => "Turn".to_owned(),
        (Some("outbound"), Some("message")) => "Send gate".to_owned(),
        (Some("outbound"), Some("typing")) => "Typing indicator".to_owned(),
        (_, Some("delivery")) => "Tick".to_owned(),
        (Some(queue), Some(kind)) => format!("{queue}: {kind}"),
        _ => span.name.clone(),
    }
}

fn consumed(span: &Span) -> String {
    if let Some(turn) = span.note("turn") {
        return understood(turn);
    }
    if let Some(failed) = span.note("failed") {
        return failed["error"].as_str().unwrap_or_default().to_owned();
    }
    if let Some(report) = span.note("report") {
        let code = report["code"].as_str();
        let status = report["status"].as_str().unwrap_or_default();
        return code.map_or_else(|| status.to_owned(), |code| format!("{status}, {code}"));
    }
    if let Some(aside) = span.note("set_aside") {
        return format!(
            "held back: {}",
            aside["reason"].as_str().unwrap_or_default()
        );
    }
    if span.note("rate_limited").is_some() {
        return "waited for the provider's pace".to_owned();
    }
    String::new()
}

fn understood(turn: &Value) -> String {
    let router = &turn["state"]["router_output"];
    let (Some(intent), Some(sure)) = (router["intent"].as_str(), router["confidence"].as_f64())
    else {
        return turn["silence"].as_str().unwrap_or_default().to_owned();
    };
    let several = turn["events"].as_array().map_or(1, Vec::len);
    let of = if several > 1 {
        format!(", {several} messages as one")
    } else {
        String::new()
    };
    format!("{intent} ({}){of}", confidence(sure))
}
