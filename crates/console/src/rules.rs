//! What somebody must know: the rules of the alerts, over what the console sees itself and what the services
//! say. A rule fires here as soon as it holds; Prometheus waits a while first. Pure.

use std::collections::BTreeMap;

use streams::Queue;

use crate::desk::Overview;
use crate::services::{Tally, Vitals, Window};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Customers wait or messages are in danger.
    Critical,
    /// It should be looked at today.
    Warning,
}

/// A rule as in `deploy/prometheus/alerts.yml`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// The alert's name.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// It fires above this, in the unit of the alert.
    pub above: f64,
}

const fn critical(name: &'static str, above: f64) -> Rule {
    Rule {
        name,
        severity: Severity::Critical,
        above,
    }
}

const fn warning(name: &'static str, above: f64) -> Rule {
    Rule {
        name,
        severity: Severity::Warning,
        above,
    }
}

/// Every alert that there is.
pub const RULES: [Rule; 30] = [
    critical("ServiceMissing", 0.0),
    critical("InboundEntryOld", 60.0),
    critical("PartitionsUnowned", 0.0),
    critical("RedisNotDurable", 0.0),
    critical("RedisRefuses", 0.0),
    critical("WebhooksRefused", 1.0),
    critical("SendFailures", 0.05),
    critical("SenderStopped", 0.0),
    critical("NoticesOff", 0.0),
    warning("CustomerWaits", 1_800.0),
    warning("OutboundEntryOld", 300.0),
    warning("MirrorBehind", 600.0),
    warning("DeadLettersGrowing", 0.0),
    warning("MessagesRejected", 0.0),
    warning("RedisNearlyFull", 0.8),
    warning("RedisErrors", 0.2),
    warning("CrmDown", 0.0),
    warning("SpoolInUse", 0.0),
    warning("MessagesLost", 0.0),
    warning("LostMessagesUnseen", 0.0),
    warning("UnknownOutcomes", 0.02),
    warning("UnknownOutcomesLeft", 0.0),
    warning("ModelFallbacks", 0.2),
    warning("RateLimitExceeded", 5.0),
    warning("IntakeNearLimit", 0.0),
    warning("SignatureErrors", 1.0),
    warning("ObserveOnly", 0.0),
    warning("WahaSessionTimelocked", 0.0),
    warning("StockFeedFailing", 0.0),
    warning("StockOld", 86_400.0),
];

/// A rule that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// Which.
    pub rule: Rule,
    /// What it is about: a queue, a channel, a service; empty for the whole.
    pub about: String,
    /// How much, in the unit of the alert.
    pub value: f64,
}

/// By what it is about.
type Values = BTreeMap<String, f64>;

/// What fires, the worst first.
pub(crate) fn firing(overview: &Overview, vitals: &Vitals) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    for rule in RULES {
        let mut values = seen_here(rule.name, overview);
        for (about, value) in told_by_services(rule.name, vitals) {
            let known = values.entry(about).or_default();
            *known = known.max(value);
        }
        let fires = values.into_iter().filter(|(_, value)| *value > rule.above);
        alarms.extend(fires.map(|(about, value)| Alarm { rule, about, value }));
    }
    alarms.sort_by_key(|alarm| alarm.rule.severity);
    alarms
}

fn whole(value: f64) -> Values {
    Values::from([(String::new(), value)])
}

/// What Redis and the CRM tell.
fn seen_here(name: &str, overview: &Overview) -> Values {
    let queues = || overview.queues.iter();
    let oldest = |wanted: Queue| {
        let of = queues().filter(|state| state.queue == wanted);
        of.map(|state| (String::new(), seconds(state.backlog.oldest_ms)))
            .collect()
    };
    match name {
        "InboundEntryOld" => oldest(Queue::Inbound),
        "OutboundEntryOld" => oldest(Queue::Outbound),
        "MirrorBehind" => oldest(Queue::Mirror),
        "PartitionsUnowned" => queues()
            .map(|state| {
                (
                    state.queue.as_str().to_owned(),
                    state.backlog.unowned_partitions as f64,
                )
            })
            .collect(),
        "DeadLettersGrowing" => queues()
            .map(|state| (state.queue.as_str().to_owned(), state.dead as f64))
            .collect(),
        "MessagesRejected" => whole(overview.rejected as f64),
        "RedisNotDurable" => whole(f64::from(u8::from(!overview.dangers.is_empty()))),
        "RedisNearlyFull" => overview.memory_share().map(whole).unwrap_or_default(),
        "CrmDown" => whole(f64::from(u8::from(overview.is_down("CRM")))),
        "CustomerWaits" => whole(overview.overdue_seconds()),
        _ => Values::new(),
    }
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

/// What the services tell.
fn told_by_services(name: &str, vitals: &Vitals) -> Values {
    let tally = &vitals.tally;
    match name {
        "ServiceMissing" => {
            let missing = vitals.missing().into_iter();
            missing.map(|place| (place.to_owned(), 1.0)).collect()
        }
        "RedisRefuses" => tally.increase(
            Window::FiveMinutes,
            "postduif_redis_refused_total",
            &[],
            "code",
        ),
        "RedisErrors" => tally.rate(
            Window::FiveMinutes,
            "postduif_redis_errors_total",
            &[],
            "job",
        ),
        "CrmDown" => negated(&tally.least("postduif_crm_up", &[], "")),
        "NoticesOff" => notices_off(tally),
        "ModelFallbacks" => share(
            tally.rate(
                Window::TenMinutes,
                "postduif_model_fallbacks_total",
                &[],
                "agent",
            ),
            &tally.rate(
                Window::TenMinutes,
                "postduif_agent_seconds_count",
                &[],
                "agent",
            ),
        ),
        "StockFeedFailing" => {
            tally.greatest("postduif_stock_feeds", &[("state", &["failing"])], "")
        }
        "StockOld" => tally.greatest("postduif_stock_age_seconds", &[], ""),
        name => at_the_door(name, tally)
            .or_else(|| on_the_way_out(name, tally))
            .unwrap_or_default(),
    }
}

/// What ingress tells.
fn at_the_door(name: &str, tally: &Tally) -> Option<Values> {
    let webhooks = |status: &str| {
        let only = [("status", &[status][..])];
        a_minute(tally.rate(
            Window::FiveMinutes,
            "webhook_requests_total",
            &only,
            "source",
        ))
    };
    Some(match name {
        "RateLimitExceeded" => webhooks("rate_limited"),
        "WebhooksRefused" => webhooks("error"),
        "IntakeNearLimit" => tally.rate(
            Window::FiveMinutes,
            "postduif_total_limit_alarms_total",
            &[],
            "",
        ),
        "SignatureErrors" => a_minute(tally.rate(
            Window::FiveMinutes,
            "webhook_signature_errors_total",
            &[],
            "source",
        )),
        "MessagesLost" => tally.increase(
            Window::Hour,
            "postduif_reconciled_messages_total",
            &[("outcome", &["found", "too_old"])],
            "source",
        ),
        "LostMessagesUnseen" => unseen(tally),
        "SpoolInUse" => tally.greatest("postduif_spool_entries", &[], ""),
        "ObserveOnly" => tally.greatest("postduif_ingress_observe_only", &[], ""),
        "WahaSessionTimelocked" => {
            tally.greatest("postduif_waha_session_timelocked", &[], "session")
        }
        _ => return None,
    })
}

/// What egress tells.
fn on_the_way_out(name: &str, tally: &Tally) -> Option<Values> {
    let sends = |window: Window, outcomes: &[&str]| {
        let only = [("outcome", outcomes)];
        tally.rate(window, "postduif_sends_total", &only, "source")
    };
    Some(match name {
        "SendFailures" => share(
            sends(Window::FiveMinutes, &["failed"]),
            &sends(Window::FiveMinutes, &["sent", "failed"]),
        ),
        "SenderStopped" => tally.sum("postduif_senders_stopped", &[], ""),
        "UnknownOutcomes" => share(
            sends(Window::TenMinutes, &["unknown"]),
            &sends(Window::TenMinutes, &["sent", "failed"]),
        ),
        "UnknownOutcomesLeft" => tally.increase(
            Window::QuarterOfAnHour,
            "postduif_unknown_outcomes_total",
            &[("end", &["resent", "parked"])],
            "",
        ),
        _ => return None,
    })
}

fn a_minute(mut rates: Values) -> Values {
    rates.values_mut().for_each(|rate| *rate *= 60.0);
    rates
}

fn share(some: Values, all: &Values) -> Values {
    let shares = some.into_iter().filter_map(|(about, value)| {
        let all = all.get(&about).filter(|all| **all > 0.0)?;
        Some((about, value / all))
    });
    shares.collect()
}

/// What is above nothing when a gauge is 0.
fn negated(gauges: &Values) -> Values {
    let negate = |(about, value): (&String, &f64)| (about.clone(), 1.0 - value);
    gauges.iter().map(negate).collect()
}

fn notices_off(tally: &Tally) -> Values {
    let channels = tally.greatest("postduif_notice_channels", &[], "state");
    let count = |state: &str| channels.get(state).copied().unwrap_or_default();
    match count("on") {
        0.0 => whole(count("off")),
        _ => Values::new(),
    }
}

/// Lists that were not once read to their end within an hour, and not for want of trying.
fn unseen(tally: &Tally) -> Values {
    let runs = |only| tally.increase(Window::Hour, "postduif_reconcile_runs_total", only, "list");
    let complete = runs(&[("outcome", &["complete"])]);
    let mut unseen = runs(&[]);
    unseen.retain(|list, _| complete.get(list).is_none_or(|runs| *runs == 0.0));
    unseen
}

#[cfg(test)]
mod tests;
