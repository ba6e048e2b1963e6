//! How the whole does is seen on one page.

use std::net::TcpListener;
use std::time::Duration;

use runtime::metrics::Metrics;
use runtime::{Readiness, Status, serve_health};
use streams::{Ingest, NewEntry, Queue};
use test_support::eventually;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::Rig;

/// A process that says how it does, as all services do.
struct Talker {
    place: String,
    readiness: Readiness,
    running: JoinSet<()>,
}

impl Talker {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let mut metrics = Metrics::new("worker", "9.8.7").unwrap();
        let agents = metrics.histograms("postduif_agent_seconds", &["agent"], &[1.0], "Runs.");
        let agents = agents.unwrap();
        let readiness = Readiness::default();
        readiness.set("redis", Status::Ok);
        let mut running = JoinSet::new();
        let served = serve_health(
            listener,
            readiness.clone(),
            metrics.into(),
            CancellationToken::new(),
        );
        running.spawn(async move { served.await.unwrap() });
        agents.with_label_values(&["understanding"]).observe(0.1);
        Self {
            place,
            readiness,
            running,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_shown_with_version_health_and_what_they_count() {
    let mut talker = Talker::start();
    let places = format!("{},127.0.0.1:1", talker.place);
    let rig = Rig::start_with(&["--console-services", &places]).await;
    let anna = rig.stranger();
    let shows = async |wanted: &[&str]| {
        eventually(async || {
            let page = anna.page("/overview").await;
            let missing = wanted.iter().find(|words| !page.contains(**words));
            missing.map_or(Ok(()), |words| Err(format!("no {words}: {page}")))
        })
        .await;
    };
    let missed = "127.0.0.1:1: no process answers <span class=\"tag\">ServiceMissing</span>";
    shows(&["9.8.7", ">ready<", "understanding", missed]).await;
    let why = "Redis takes no writes";
    talker.readiness.set_because("redis", Status::Down, why);
    shows(&[">unavailable<", why]).await;
    talker.running.shutdown().await;
    let missed = format!("{}: no process answers", talker.place);
    shows(&[&missed, "no connection"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_shown_with_who_holds_them_and_what_fires() {
    let rig = Rig::start_with(&[]).await;
    let anna = rig.stranger();
    let entry = NewEntry {
        kind: "message".into(),
        event: "twilio:message:SM1".into(),
        conversation: "whatsapp:+31612345678".into(),
        payload: "{}".into(),
        ..NewEntry::default()
    };
    let ingest = Ingest::unlimited(Queue::Inbound, &entry);
    rig.redis.ingest(&ingest).await.unwrap();
    let page = anna.page("/overview").await;
    for shown in [
        "messages from customers: nobody works on some partitions (4) <span class=\"tag\">PartitionsUnowned",
        "Redis keeps no append-only file",
        "no: a crash loses messages",
        "href=\"/conversations/whatsapp%3A%2B31612345678\"",
        "CONSOLE_SERVICES",
        "data-events=\"/events?of_all=true\"",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    for partition in 0..4 {
        let (lease, owner) = (format!("lease:{partition}"), format!("own:{partition}"));
        rig.run(&["SET", &lease, "token"]);
        rig.run(&["HSET", &owner, "w", "machine-0123456789abcdef"]);
    }
    rig.run(&["CONFIG", "SET", "appendonly", "yes"]);
    rig.run(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    let page = anna.page("/overview").await;
    for shown in [
        "machine-012345<",
        "<td class=\"number\">4</td>",
        "appendfsync",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("messages from customers: nobody"), "{page}");
    assert!(!page.contains("Redis keeps no append-only file"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_told_to_ask_again() {
    let rig = Rig::start_with(&[]).await;
    let request = rig.request(reqwest::Method::GET, "/events?of_all=true");
    let mut stream = request.send().await.unwrap();
    let told = stream.chunk().await.unwrap().unwrap();
    assert_eq!(&told[..], b"event: news\ndata: \n\n");
}

/// What changed between the page and its stream of events is told, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_asks_again_as_soon_as_it_listens() {
    let rig = Rig::start_with(&[]).await;
    for source in ["/events", "/events?of=whatsapp:%2B31612345678"] {
        let request = rig.request(reqwest::Method::GET, source);
        let mut stream = request.send().await.unwrap();
        let told = stream.chunk();
        let told = tokio::time::timeout(Duration::from_secs(10), told).await;
        let told = told.expect("news, and no silence").unwrap().unwrap();
        assert_eq!(&told[..], b"event: news\ndata: \n\n", "{source}");
    }
}
