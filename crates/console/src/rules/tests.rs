use jiff::SignedDuration;
use streams::{Backlog, RedisMemory};

use super::*;
use crate::desk::QueueState;

/// Names of what fires, each with what it is about.
fn names(overview: &Overview, vitals: &Vitals) -> Vec<String> {
    let name = |alarm: Alarm| format!("{}({})", alarm.rule.name, alarm.about);
    firing(overview, vitals).into_iter().map(name).collect()
}

#[test]
fn they_are_the_alerts_with_their_severity_and_limit() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/prometheus/alerts.yml"
    );
    let text = std::fs::read_to_string(file).unwrap();
    let mut alerts = BTreeMap::new();
    for alert in text.split("- alert: ").skip(1) {
        alerts.insert(alert.lines().next().unwrap().to_owned(), alert.to_owned());
    }
    for rule in RULES {
        let alert = alerts.remove(rule.name);
        let alert = alert.unwrap_or_else(|| panic!("there is no alert {}", rule.name));
        let severity = match rule.severity {
            Severity::Critical => "severity: critical",
            Severity::Warning => "severity: warning",
        };
        assert!(alert.contains(severity), "{}: {severity}", rule.name);
        // What is 0 or 1 is compared with one of them there.
        let is_switch = alert.contains("== 0") || alert.contains("== 1");
        let limit = format!("> {}", rule.above);
        assert!(
            is_switch || alert.contains(&limit),
            "{}: {limit}",
            rule.name
        );
    }
    assert!(alerts.is_empty(), "no rule: {:?}", alerts.keys());
}

#[test]
fn nothing_fires_where_nothing_is_wrong() {
    assert_eq!(names(&Overview::default(), &Vitals::default()), [""; 0]);
}

#[test]
fn what_redis_and_the_crm_tell_fires() {
    let at = jiff::Timestamp::now();
    let state = |queue, entries, oldest_ms, unowned_partitions, dead| QueueState {
        queue,
        backlog: Backlog {
            entries,
            oldest_ms,
            unowned_partitions,
            ..Backlog::default()
        },
        partitions: Vec::new(),
        dead,
    };
    let overview = Overview {
        at,
        queues: vec![
            state(Queue::Inbound, 1, 61_000, 0, 0),
            state(Queue::Outbound, 1, 301_000, 2, 0),
            state(Queue::Crm, 0, 0, 0, 3),
            state(Queue::Mirror, 1, 601_000, 0, 0),
        ],
        rejected: 1,
        dangers: vec!["no append-only file".into()],
        memory: Some(RedisMemory {
            used: 81,
            limit: 100,
        }),
        waiting: Some((1, at.checked_sub(SignedDuration::from_mins(31)).ok())),
        down: vec![("CRM", "away".into())],
        ..Overview::default()
    };
    assert_eq!(
        names(&overview, &Vitals::default()),
        [
            "InboundEntryOld()",
            "PartitionsUnowned(outbound)",
            "RedisNotDurable()",
            "CustomerWaits()",
            "OutboundEntryOld()",
            "MirrorBehind()",
            "DeadLettersGrowing(crm)",
            "MessagesRejected()",
            "RedisNearlyFull()",
            "CrmDown()",
        ]
    );
}

/// Rule, service, before, after: it fires by this and by nothing else.
const TOLD: [(&str, &str, &str, &str); 21] = [
    (
        "RedisRefuses(NOPERM)",
        "worker",
        "",
        "postduif_redis_refused_total{code=\"NOPERM\"} 1",
    ),
    (
        "WebhooksRefused(waha)",
        "ingress",
        "",
        "webhook_requests_total{source=\"waha\",status=\"error\"} 5",
    ),
    (
        "SendFailures(twilio)",
        "egress",
        "",
        "postduif_sends_total{source=\"twilio\",outcome=\"sent\"} 9\npostduif_sends_total{source=\"twilio\",outcome=\"failed\"} 1",
    ),
    (
        "SenderStopped()",
        "egress",
        "",
        "postduif_senders_stopped 1",
    ),
    (
        "NoticesOff()",
        "worker",
        "",
        "postduif_notice_channels{state=\"on\"} 0\npostduif_notice_channels{state=\"off\"} 2",
    ),
    (
        "RedisErrors(egress)",
        "egress",
        "postduif_redis_errors_total 0",
        "postduif_redis_errors_total 60",
    ),
    ("CrmDown()", "worker", "", "postduif_crm_up 0"),
    ("SpoolInUse()", "ingress", "", "postduif_spool_entries 1"),
    (
        "MessagesLost(waha)",
        "ingress",
        "",
        "postduif_reconciled_messages_total{source=\"waha\",outcome=\"too_old\"} 1",
    ),
    (
        "LostMessagesUnseen(default)",
        "ingress",
        "postduif_reconcile_runs_total{list=\"default\",outcome=\"complete\"} 7",
        "postduif_reconcile_runs_total{list=\"default\",outcome=\"complete\"} 7\npostduif_reconcile_runs_total{list=\"default\",outcome=\"forbidden\"} 1",
    ),
    (
        "UnknownOutcomes(waha)",
        "egress",
        "",
        "postduif_sends_total{source=\"waha\",outcome=\"sent\"} 10\npostduif_sends_total{source=\"waha\",outcome=\"unknown\"} 1",
    ),
    (
        "UnknownOutcomesLeft()",
        "egress",
        "",
        "postduif_unknown_outcomes_total{end=\"parked\"} 1",
    ),
    (
        "ModelFallbacks(answer)",
        "worker",
        "",
        "postduif_agent_seconds_count{agent=\"answer\"} 4\npostduif_model_fallbacks_total{agent=\"answer\",reason=\"slow\"} 1",
    ),
    (
        "RateLimitExceeded(twilio)",
        "ingress",
        "",
        "webhook_requests_total{source=\"twilio\",status=\"rate_limited\"} 24",
    ),
    (
        "IntakeNearLimit()",
        "ingress",
        "",
        "postduif_total_limit_alarms_total 1",
    ),
    (
        "SignatureErrors(waha)",
        "ingress",
        "",
        "webhook_signature_errors_total{source=\"waha\"} 5",
    ),
    (
        "ObserveOnly()",
        "ingress",
        "",
        "postduif_ingress_observe_only 1",
    ),
    (
        "WahaSessionTimelocked(default)",
        "ingress",
        "",
        "postduif_waha_session_timelocked{session=\"default\"} 1",
    ),
    (
        "StockFeedFailing()",
        "worker",
        "",
        "postduif_stock_feeds{state=\"failing\"} 1",
    ),
    (
        "StockOld()",
        "worker",
        "",
        "postduif_stock_age_seconds 90000",
    ),
    (
        "",
        "worker",
        "",
        "postduif_crm_up 1\npostduif_notice_channels{state=\"on\"} 1\npostduif_notice_channels{state=\"off\"} 1",
    ),
];

#[test]
fn what_the_services_tell_fires() {
    for (wanted, service, before, after) in TOLD {
        let vitals = Vitals::of_pages(service, before, after);
        let wanted: Vec<_> = Some(wanted)
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect();
        let fired = names(&Overview::default(), &vitals);
        assert_eq!(fired, wanted, "{after}");
    }
}

#[test]
fn a_service_of_which_no_process_answers_is_missed() {
    let vitals = Vitals::silent("worker:8081");
    assert_eq!(
        names(&Overview::default(), &vitals),
        ["ServiceMissing(worker:8081)"]
    );
}
