//! One table for each provider: what is sent, how it is answered, what is counted, and where the
//! message can be found afterwards.

mod chatwoot;
mod twilio;
mod waha;

use crate::http::Request;
use crate::support::{Rig, stream};

/// Where a message lies after its webhook was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Queued for the agents or egress.
    Queued,
    /// In the stream of rejected webhooks.
    Rejected,
    /// Taken in before: there once.
    Before,
    /// Nowhere: it was not genuine, or nothing could be read.
    Nowhere,
}

/// What must be counted for a webhook, beside its arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// `webhook_requests_total` with this status.
    Ended(&'static str),
    /// `webhook_signature_errors_total`.
    BadSignature,
    /// `postduif_webhooks_ignored_total`.
    Ignored,
}

/// A row: what is sent, and status, code, count and place that must follow.
pub(crate) type Row = (&'static str, Request, (u16, &'static str), Counted, Kept);

/// Sends the rows one after the other to one ingress.
pub(crate) fn check(source: &str, rig: &Rig, rows: impl IntoIterator<Item = Row>) {
    for (what, request, (status, code), counted, kept) in rows {
        let before = Found::in_rig(source, rig);
        let answer = request.send(rig.port());
        assert_eq!(
            answer.outcome(),
            (status, code.to_owned()),
            "{what}: {answer:?}"
        );
        let after = Found::in_rig(source, rig);
        assert_eq!(
            after.since(&before),
            Found::expected(counted, kept),
            "{what}"
        );
        if kept == Kept::Rejected {
            let letters = stream(&rig.redis, "rejected:0");
            let letter = letters.last().unwrap().payload();
            assert_eq!(letter["rejection"]["code"], code, "{what}");
            assert_eq!(
                letter["request_id"],
                answer.header("x-request-id").unwrap(),
                "{what}"
            );
        }
    }
}

/// Lengths of streams and counters.
#[derive(Debug, PartialEq)]
struct Found {
    counts: Vec<(&'static str, f64)>,
}

const ENDS: [&str; 5] = ["queued", "duplicate", "invalid", "rate_limited", "error"];

impl Found {
    fn in_rig(source: &str, rig: &Rig) -> Self {
        let lengths = ["in:0", "out:0", "rejected:0"];
        let [inbound, outbound, rejected] = lengths.map(|name| stream(&rig.redis, name).len());
        let samples = rig.ingress.metrics();
        let sum = |prefix: &str| -> f64 {
            let labelled = format!("source=\"{source}\"");
            let of_source = samples
                .iter()
                .filter(|(name, _)| name.starts_with(prefix) && name.contains(&labelled));
            of_source.map(|(_, value)| value).sum()
        };
        let mut counts: Vec<_> = ENDS
            .into_iter()
            .map(|end| (end, rig.ingress.counted(source, end)))
            .collect();
        counts.extend([
            ("received", rig.ingress.counted(source, "received")),
            ("bad signatures", sum("webhook_signature_errors_total")),
            ("ignored", sum("postduif_webhooks_ignored_total")),
            ("rejected", sum("postduif_webhooks_rejected_total")),
            ("entries queued", (inbound + outbound) as f64),
            ("entries rejected", rejected as f64),
        ]);
        Self { counts }
    }

    fn since(&self, before: &Self) -> Self {
        let pairs = self.counts.iter().zip(&before.counts);
        let counts = pairs.map(|((name, after), (_, before))| (*name, after - before));
        Self {
            counts: counts.collect(),
        }
    }

    fn expected(counted: Counted, kept: Kept) -> Self {
        let one = |holds: bool| if holds { 1.0 } else { 0.0 };
        let mut counts: Vec<_> = ENDS
            .into_iter()
            .map(|end| (end, one(counted == Counted::Ended(end))))
            .collect();
        counts.extend([
            ("received", 1.0),
            ("bad signatures", one(counted == Counted::BadSignature)),
            ("ignored", one(counted == Counted::Ignored)),
            ("rejected", one(kept == Kept::Rejected)),
            ("entries queued", one(kept == Kept::Queued)),
            ("entries rejected", one(kept == Kept::Rejected)),
        ]);
        Self { counts }
    }
}

/// A JSON value inside this many arrays.
pub(crate) fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}
