//! How the whole does: red banners first.

mod words;

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::frame::{Frame, shown};
use crate::access::Who;
use crate::clock::When;
use crate::desk::{Holder, Overview, QueueState};
use crate::rules::{self, Severity};
use crate::service::State;
use crate::services::{Agent, Channel, Pace, Quantiles, Seen, Vitals};

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    f: Frame,
    alarms: Vec<Banner>,
    figures: Vec<Figure>,
    late_since: Option<When>,
    queues: Vec<QueueRow>,
    holders: Vec<HolderRow>,
    partitions: Vec<PartitionRow>,
    more_partitions: usize,
    redis: Vec<(&'static str, String)>,
    told: Told,
}

/// What the services tell; empty when none is asked.
#[derive(Default)]
struct Told {
    is_asked: bool,
    services: Vec<ServiceRow>,
    senders: Vec<ChannelRow>,
    paces: Vec<PaceRow>,
    agents: Vec<AgentRow>,
    tokens: String,
}

struct Banner {
    is_critical: bool,
    words: String,
    /// The alert that says so too; its section in the runbook tells what to do.
    rule: &'static str,
}

struct Figure {
    value: String,
    words: &'static str,
}

struct QueueRow {
    name: String,
    waiting: u64,
    oldest: String,
    unowned: u64,
    dead: u64,
    is_late: bool,
}

struct HolderRow {
    queue: String,
    name: Option<String>,
    partitions: usize,
    waiting: u64,
    oldest: String,
    is_late: bool,
}

struct PartitionRow {
    queue: String,
    partition: String,
    waiting: u64,
    oldest: String,
    holder: Option<String>,
    conversation: Option<(String, String)>,
}

struct ServiceRow {
    name: String,
    at: String,
    version: String,
    state: &'static str,
    why: String,
    is_well: bool,
}

struct ChannelRow {
    name: String,
    a_minute: String,
    failed: String,
    outside_window: String,
}

struct PaceRow {
    sender: String,
    a_minute: String,
    limit: String,
    waited: String,
}

struct AgentRow {
    name: String,
    runs: String,
    fallbacks: String,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/overview", web::get().to(page));
}

fn age(entries: u64, ms: u64) -> String {
    match entries {
        0 => String::new(),
        _ => runtime::age(i64::try_from(ms).unwrap_or(i64::MAX)),
    }
}

/// A process by the machine that it runs on and the beginning of its own name.
fn process(name: &str) -> String {
    match name.rsplit_once('-') {
        Some((host, own)) => format!("{host}-{}", own.chars().take(6).collect::<String>()),
        None => name.to_owned(),
    }
}

fn queue(f: &Frame, state: &QueueState) -> QueueRow {
    let backlog = &state.backlog;
    QueueRow {
        name: f.named(state.queue.as_str()),
        waiting: backlog.entries,
        oldest: age(backlog.entries, backlog.oldest_ms),
        unowned: backlog.unowned_partitions,
        dead: state.dead,
        is_late: Overview::is_late(backlog),
    }
}

fn holder(f: &Frame, holder: &Holder) -> HolderRow {
    let backlog = &holder.backlog;
    HolderRow {
        queue: f.named(holder.queue.as_str()),
        name: holder.name.as_deref().map(process),
        partitions: holder.partitions,
        waiting: backlog.entries,
        oldest: age(backlog.entries, backlog.oldest_ms),
        is_late: Overview::is_late(backlog),
    }
}

fn partitions(f: &Frame, overview: &Overview) -> (Vec<PartitionRow>, usize) {
    let (partitions, more) = overview.partitions();
    let rows = partitions.into_iter().map(|(queue, one)| PartitionRow {
        queue: f.named(queue.as_str()),
        partition: one.partition.to_string(),
        waiting: one.entries,
        oldest: age(one.entries, one.oldest_ms),
        holder: one.holder.as_deref().map(process),
        conversation: one
            .oldest_conversation
            .as_ref()
            .map(|id| (f.conversation(id), id.clone())),
    });
    (rows.collect(), more)
}

const fn mega(bytes: u64) -> u64 {
    bytes / (1024 * 1024)
}

fn memory(f: &Frame, overview: &Overview) -> String {
    let Some(memory) = overview.memory else {
        return "?".to_owned();
    };
    let used = mega(memory.used);
    match overview.memory_share() {
        Some(share) => format!(
            "{used} MB / {} MB ({:.0} %)",
            mega(memory.limit),
            share * 100.0
        ),
        None => format!("{used} MB, {}", f.t("without a limit", "zonder grens")),
    }
}

/// What Redis says of itself: how full it is, and whether it keeps what it took.
fn redis(f: &Frame, overview: &Overview) -> Vec<(&'static str, String)> {
    let Some(server) = &overview.server else {
        return Vec::new();
    };
    let unknown = || f.t("not told", "niet verteld").to_owned();
    let kept = if server.append_only {
        let fsync = server.fsync.clone().unwrap_or_else(unknown);
        format!("{}, appendfsync {fsync}", f.t("yes", "ja"))
    } else {
        f.t(
            "no: a crash loses messages",
            "nee: een crash verliest berichten",
        )
        .to_owned()
    };
    vec![
        (
            f.t("version", "versie"),
            format!("{} {}", server.name, server.version),
        ),
        (f.t("memory", "geheugen"), memory(f, overview)),
        (f.t("append-only file", "append-only-bestand"), kept),
        (
            f.t("when it is full", "als het vol is"),
            server.eviction_policy.clone().unwrap_or_else(unknown),
        ),
        (
            f.t("unreadable webhooks", "onleesbare webhooks"),
            overview.rejected.to_string(),
        ),
    ]
}

/// What somebody should look at now, the worst first.
fn alarms(f: &Frame, overview: &Overview, vitals: &Vitals) -> Vec<Banner> {
    let down = overview.down.iter().map(|(part, why)| Banner {
        is_critical: true,
        words: format!("{part} {}: {why}", f.t("does not answer", "antwoordt niet")),
        rule: "",
    });
    let firing = rules::firing(overview, vitals).into_iter();
    let firing = firing.map(|alarm| Banner {
        is_critical: alarm.rule.severity == Severity::Critical,
        words: words::of(f, &alarm),
        rule: alarm.rule.name,
    });
    let dangers = overview.dangers.iter().map(|danger| Banner {
        is_critical: true,
        words: danger.clone(),
        rule: "RedisNotDurable",
    });
    let off = overview.channels_off.iter().map(|(channel, why)| {
        let words = f.t("tells nobody any more", "vertelt niemand meer iets");
        Banner {
            is_critical: false,
            words: format!("{channel} {words}: {why}"),
            rule: "NoticesOff",
        }
    });
    // What endangers Redis is told in its own words.
    let firing = firing.filter(|one| one.rule != "RedisNotDurable");
    let mut banners: Vec<Banner> = down.chain(dangers).chain(firing).chain(off).collect();
    banners.sort_by_key(|one| !one.is_critical);
    banners
}

/// How often something was counted.
fn count(value: f64) -> String {
    // The sum of nothing is below zero.
    format!("{:.0}", value + 0.0)
}

/// A rate with as many digits as one reads: 0.4, 12, 3400.
fn figure(value: f64) -> String {
    if value > 0.0 && value < 9.95 {
        format!("{value:.1}")
    } else {
        count(value)
    }
}

fn times(times: Option<Quantiles>) -> String {
    let short = |seconds: f64| {
        if seconds < 1.0 {
            format!("{:.0} ms", seconds * 1_000.0)
        } else {
            format!("{seconds:.1} s")
        }
    };
    times.map_or_else(
        || "–".to_owned(),
        |times| format!("{} / {}", short(times.median), short(times.p95)),
    )
}

fn figures(f: &Frame, vitals: &Vitals) -> Vec<Figure> {
    vec![
        Figure {
            value: figure(vitals.taken_in()),
            words: f.t("messages a minute in", "berichten per minuut in"),
        },
        Figure {
            value: figure(vitals.answered()),
            words: f.t("messages a minute out", "berichten per minuut uit"),
        },
        Figure {
            value: times(vitals.thought()),
            words: f.t("to think, median / p95", "om na te denken, mediaan / p95"),
        },
        Figure {
            value: times(vitals.sent_within()),
            words: f.t("from there to the provider", "vandaar tot de provider"),
        },
    ]
}

fn service(f: &Frame, seen: &Seen) -> ServiceRow {
    let (state, why, is_well) = match &seen.health {
        Ok(health) => {
            let reasons = health.reasons.iter();
            let reasons: Vec<_> = reasons
                .map(|(part, why)| format!("{part}: {why}"))
                .collect();
            let state = match health.status.as_str() {
                "ready" => f.t("ready", "klaar"),
                "degraded" => f.t("degraded", "hapert"),
                _ => f.t("unavailable", "niet beschikbaar"),
            };
            (state, reasons.join("; "), health.status == "ready")
        }
        Err(why) => (f.t("does not answer", "antwoordt niet"), why.clone(), false),
    };
    ServiceRow {
        name: match seen.service.as_str() {
            "" => seen.place.clone(),
            name => name.to_owned(),
        },
        at: seen.at.clone(),
        version: seen.version.clone(),
        state,
        why,
        is_well,
    }
}

fn channel(channel: &Channel) -> ChannelRow {
    ChannelRow {
        name: match channel.source.as_str() {
            "twilio" => "Twilio".to_owned(),
            "waha" => "WAHA".to_owned(),
            "chatwoot" => "Chatwoot".to_owned(),
            other => other.to_owned(),
        },
        a_minute: figure(channel.a_minute),
        failed: count(channel.failed),
        outside_window: count(channel.outside_window),
    }
}

fn pace(pace: Pace) -> PaceRow {
    PaceRow {
        a_minute: figure(pace.a_minute),
        limit: count(pace.limit),
        waited: times(pace.waited),
        sender: pace.sender,
    }
}

fn agent(agent: Agent) -> AgentRow {
    let reasons = agent.fallbacks.iter();
    let reasons: Vec<_> = reasons
        .map(|(reason, times)| format!("{} {}", count(*times), reason.replace('_', " ")))
        .collect();
    AgentRow {
        name: agent.name,
        runs: count(agent.runs),
        fallbacks: if reasons.is_empty() {
            "0".to_owned()
        } else {
            reasons.join(", ")
        },
    }
}

fn told(f: &Frame, vitals: &Vitals) -> Told {
    Told {
        is_asked: !vitals.services.is_empty(),
        services: vitals
            .services
            .iter()
            .map(|seen| service(f, seen))
            .collect(),
        senders: vitals.channels().iter().map(channel).collect(),
        paces: vitals.paces().into_iter().map(pace).collect(),
        agents: vitals.agents().into_iter().map(agent).collect(),
        tokens: count(vitals.tokens()),
    }
}

async fn page(request: HttpRequest, state: Data<State>, who: Who) -> HttpResponse {
    let overview = state.desk.overview().await;
    let vitals = state.services.vitals();
    let f = Frame::new(&request, &state, &who, "overview").await;
    let late_since = overview.waiting.and_then(|(_, since)| since);
    let whole = !overview.is_down("Redis");
    let (partitions, more_partitions) = partitions(&f, &overview);
    let told = told(&f, &vitals);
    shown(&Page {
        alarms: alarms(&f, &overview, &vitals),
        figures: if told.is_asked {
            figures(&f, &vitals)
        } else {
            Vec::new()
        },
        late_since: late_since.map(|at| f.clock.when(at)),
        queues: if whole {
            overview
                .queues
                .iter()
                .map(|state| queue(&f, state))
                .collect()
        } else {
            Vec::new()
        },
        holders: overview
            .holders()
            .iter()
            .map(|one| holder(&f, one))
            .collect(),
        partitions,
        more_partitions,
        redis: redis(&f, &overview),
        told,
        f,
    })
}
