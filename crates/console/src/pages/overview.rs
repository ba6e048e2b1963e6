//! How the whole does: red banners first.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use streams::Queue;

use super::frame::{Frame, shown};
use crate::access::Who;
use crate::clock::When;
use crate::desk::{Overview, QueueState};
use crate::service::State;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    f: Frame,
    alarms: Vec<String>,
    queues: Vec<Row>,
    rejected: u64,
    redis: String,
    memory: String,
    late_since: Option<When>,
}

struct Row {
    name: String,
    waiting: u64,
    oldest: String,
    unowned: u64,
    dead: u64,
    is_late: bool,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/overview", web::get().to(page));
}

fn row(f: &Frame, state: &QueueState) -> Row {
    let ms = i64::try_from(state.backlog.oldest_ms).unwrap_or(i64::MAX);
    Row {
        name: f.named(state.queue.as_str()),
        waiting: state.backlog.entries,
        oldest: match state.backlog.entries {
            0 => String::new(),
            _ => runtime::age(ms),
        },
        unowned: state.backlog.unowned_partitions,
        dead: state.dead,
        is_late: Overview::is_late(state),
    }
}

const fn mega(bytes: u64) -> u64 {
    bytes / (1024 * 1024)
}

fn memory(overview: &Overview) -> String {
    let Some(memory) = overview.memory else {
        return "?".to_owned();
    };
    let used = mega(memory.used);
    match overview.memory_percent() {
        Some(percent) => format!("{used} MB / {} MB ({percent} %)", mega(memory.limit)),
        None => format!("{used} MB"),
    }
}

/// What somebody should look at now, the worst first.
fn alarms(f: &Frame, overview: &Overview) -> Vec<String> {
    let mut alarms = Vec::new();
    for (part, why) in &overview.down {
        let words = f.t("does not answer", "antwoordt niet");
        alarms.push(format!("{part} {words}: {why}"));
    }
    for state in overview
        .queues
        .iter()
        .filter(|state| Overview::is_late(state))
    {
        let name = f.named(state.queue.as_str());
        let age = runtime::age(i64::try_from(state.backlog.oldest_ms).unwrap_or(i64::MAX));
        let words = match state.backlog.unowned_partitions {
            0 => f.t("wait too long", "wachten te lang"),
            _ => f.t(
                "wait, and nobody works on some",
                "wachten, en aan een deel werkt niemand",
            ),
        };
        alarms.push(format!("{} {name} {words} ({age})", state.backlog.entries));
    }
    if overview.is_nearly_full() {
        let words = f.t("Redis is nearly full", "Redis is bijna vol");
        alarms.push(format!("{words}: {}", memory(overview)));
    }
    alarms.extend(overview.dangers.iter().cloned());
    for (channel, why) in &overview.channels_off {
        let words = f.t("tells nobody any more", "vertelt niemand meer iets");
        alarms.push(format!("{channel} {words}: {why}"));
    }
    let dead: u64 = overview.queues.iter().map(|state| state.dead).sum();
    if dead > 0 {
        let words = f.t("could not be handled", "konden niet verwerkt worden");
        alarms.push(format!("{dead} {words}"));
    }
    alarms
}

async fn page(request: HttpRequest, state: Data<State>, who: Who) -> HttpResponse {
    let overview = state.desk.overview().await;
    let f = Frame::new(&request, &state, &who, "overview").await;
    let late_since = overview.waiting.and_then(|(_, since)| since);
    let queues = if overview.queues.len() == Queue::ALL.len() {
        overview.queues.iter().map(|state| row(&f, state)).collect()
    } else {
        Vec::new()
    };
    shown(&Page {
        alarms: alarms(&f, &overview),
        queues,
        rejected: overview.rejected,
        redis: overview.redis.clone().unwrap_or_default(),
        memory: memory(&overview),
        late_since: late_since.map(|at| f.clock.when(at)),
        f,
    })
}
