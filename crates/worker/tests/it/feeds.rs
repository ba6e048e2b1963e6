//! Feeds that servers send, well and badly, and what is kept of them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use crm::{Crm, KeptFeed, LeadField, Push};
use jiff::Timestamp;
use runtime::metrics::Metrics;
use secrecy::SecretString;
use streams::Redis;
use tempfile::TempDir;
use test_support::{PostgresServer, RedisServer, eventually_within};
use worker::domain::Domain;
use worker::metrics::WorkerMetrics;
use worker::stock::{Keeper, Shelf};

use crate::chat::Cli;

/// What a server answers next, and what it was asked.
#[derive(Default)]
struct Script {
    answers: Vec<Vec<u8>>,
    asked: Vec<String>,
}

/// A server of feeds.
#[derive(Clone)]
struct Server {
    port: u16,
    script: Arc<Mutex<Script>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Mutex::new(Script::default()));
        let shared = script.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &shared);
            }
        });
        Self { port, script }
    }

    /// The next answer: the rest of its head, and its body.
    fn next(&self, head: &str, body: &[u8]) {
        let mut answer = format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n").into_bytes();
        answer.extend_from_slice(body);
        self.script.lock().unwrap().answers.push(answer);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }
}

fn answer(mut stream: TcpStream, script: &Mutex<Script>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
        head.extend_from_slice(&byte);
    }
    let answer = {
        let mut script = script.lock().unwrap();
        script
            .asked
            .push(String::from_utf8_lossy(&head).into_owned());
        if script.answers.is_empty() {
            None
        } else {
            Some(script.answers.remove(0))
        }
    };
    match answer {
        Some(answer) => drop(stream.write_all(&answer)),
        // A feed that never ends.
        None => while stream.write_all(b"x,").is_ok() {},
    }
}

fn rows(ids: std::ops::Range<usize>) -> Vec<u8> {
    let rows = ids.map(|id| {
        format!(
            "{id},Volkswagen Golf {id},Volkswagen,Golf,{}\n",
            10_000 + id
        )
    });
    format!(
        "id,title,car_make,car_model,price\n{}",
        rows.collect::<String>()
    )
    .into_bytes()
}

pub(crate) fn crm(folder: &TempDir) -> Crm {
    let url = format!("sqlite:{}", folder.path().join("crm.sqlite").display());
    Crm::new(&SecretString::from(url)).unwrap()
}

fn keeper(crm: &Crm, flags: &[&str]) -> Result<(Keeper, Shelf), String> {
    // No Redis is there, as far as this test is concerned.
    keeper_with(
        crm,
        &["--redis-host", "127.0.0.1", "--redis-port", "1"],
        flags,
    )
}

pub(crate) fn keeper_with(
    crm: &Crm,
    redis: &[&str],
    flags: &[&str],
) -> Result<(Keeper, Shelf), String> {
    counted(crm, redis, flags).map(|(keeper, shelf, _)| (keeper, shelf))
}

/// The same with what is counted.
fn counted(crm: &Crm, redis: &[&str], flags: &[&str]) -> Result<(Keeper, Shelf, Metrics), String> {
    runtime::install_tls();
    let worker = Cli::parse_from(["worker"].iter().chain(redis).chain(flags)).worker;
    let redis = Redis::new(&worker.redis).unwrap();
    let config = worker.stock;
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let counters = WorkerMetrics::new(&mut metrics).unwrap();
    let domain = Arc::new(Domain::embedded().unwrap());
    let shelf = Shelf::default();
    let keeper = Keeper::new(
        crm.clone(),
        redis,
        domain,
        &config,
        shelf.clone(),
        counters,
        "w1".into(),
    )?;
    Ok((keeper.unwrap(), shelf, metrics))
}

/// Lets the feeds be due, and reads them.
async fn read(keeper: &mut Keeper, crm: &Crm) -> KeptFeed {
    let feeds = crm.stock_feeds().await.unwrap();
    for feed in feeds {
        let long_ago = Timestamp::UNIX_EPOCH;
        crm.note_stock(&feed.name, &feed.outcome, feed.detail.as_deref(), long_ago)
            .await
            .unwrap();
    }
    keeper.round().await.unwrap();
    crm.stock_feeds().await.unwrap().remove(0)
}

fn ids(shelf: &Shelf) -> usize {
    shelf.now().map_or(0, |stock| stock.items().len())
}

/// What comes instead of a feed, what becomes of it, and why.
fn failures() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    vec![
        ("200 OK", rows(0..4), "suspect", "4 of 10 items"),
        ("200 OK", Vec::new(), "refused", "it is empty"),
        (
            "200 OK",
            b"<!doctype html><title>Sorry</title>".to_vec(),
            "refused",
            "it is a web page, not a feed",
        ),
        (
            "200 OK",
            b"naam;prijs\nGolf;1\n".to_vec(),
            "refused",
            "no mapping fits it",
        ),
        (
            "200 OK",
            b"<voorraad><voertuig voertuignr_hexon=\"1\"><merk>".to_vec(),
            "refused",
            "it ends early, in element 1",
        ),
        (
            "200 OK\r\ncontent-length: 9999",
            rows(0..10),
            "failed",
            "cannot be reached",
        ),
        (
            "500 Oh",
            b"no".to_vec(),
            "failed",
            "answered with status 500",
        ),
        (
            "302 Found\r\nlocation: http://169.254.169.254/feed",
            Vec::new(),
            "failed",
            "moved to where it is not followed",
        ),
        ("302 Found\r\nlocation: /feed", Vec::new(), "failed", ""),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_is_kept_through_everything_that_can_go_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let crm = crm(&folder);
    crm.migrate().await.unwrap();
    let server = Server::start();
    let feed = format!("site=http://127.0.0.1:{}/feed?key=hush", server.port);
    let flags = [
        "--stock",
        &feed,
        "--stock-logins",
        "site=jan:se:cret",
        "--stock-allow-private",
        "--stock-timeout-secs",
        "2",
    ];
    let nowhere = ["--redis-host", "127.0.0.1", "--redis-port", "1"];
    let (mut keeper, shelf, metrics) = counted(&crm, &nowhere, &flags).unwrap();
    let feeds = |state: &str, count: u32| {
        let page = metrics.page().unwrap();
        page.contains(&format!(
            "postduif_stock_feeds{{state=\"{state}\"}} {count}"
        ))
    };

    server.next("200 OK\r\netag: \"v1\"", &rows(0..10));
    assert_eq!(read(&mut keeper, &crm).await.outcome, "changed");
    assert_eq!(ids(&shelf), 10);
    let asked = server.asked().concat().to_lowercase();
    assert!(
        asked.contains("authorization: basic amfuonnlomnyzxq="),
        "{asked}"
    );

    server.next("304 Not Modified", b"");
    let kept = read(&mut keeper, &crm).await;
    assert_eq!((kept.outcome.as_str(), kept.revision), ("unchanged", 1));
    assert!(server.asked().concat().contains("if-none-match: \"v1\""));

    for (head, body, outcome, says) in failures() {
        server.next(head, &body);
        let kept = read(&mut keeper, &crm).await;
        assert_eq!(kept.outcome, outcome, "{kept:?}");
        let why = kept.detail.unwrap_or_default();
        assert!(why.contains(says) && !why.contains("hush"), "{why}");
        assert_eq!((kept.items, ids(&shelf)), (10, 10));
        assert!(feeds("failing", 1) && feeds("well", 0), "{outcome}");
    }
    assert!(
        server.asked().len() > 9,
        "the last one was followed to a feed that never ends"
    );

    server.next("200 OK", &rows(5..15));
    let kept = read(&mut keeper, &crm).await;
    assert_eq!(
        (kept.outcome.as_str(), kept.revision, kept.items),
        ("changed", 2, 10)
    );
    assert!(feeds("failing", 0) && feeds("well", 1));
    let stock = shelf.now().unwrap();
    assert!(stock.get("site", "14").is_some() && stock.get("site", "4").is_none());
    assert!(
        crm.sends(10)
            .await
            .unwrap()
            .iter()
            .any(|notice| notice.kind == "stock.suspect")
    );
}

#[tokio::test]
async fn a_second_worker_follows_without_reading() {
    let folder = tempfile::tempdir().unwrap();
    let crm = crm(&folder);
    crm.migrate().await.unwrap();
    let (mut first, _) = keeper(&crm, &["--stock", "shipped"]).unwrap();
    let (mut second, shelf) = keeper(&crm, &["--stock", "shipped"]).unwrap();
    first.round().await.unwrap();
    second.round().await.unwrap();
    assert_eq!(ids(&shelf), 40);
    let pushed = shelf.now().unwrap().items().first().cloned().unwrap();
    let pushes = [Push::Put(Box::new(pushed)), Push::Remove("nothing".into())];
    crm.push_stock("hexon", &pushes, Timestamp::now())
        .await
        .unwrap();
    second.round().await.unwrap();
    assert_eq!(ids(&shelf), 41);
    let (mut third, without) = keeper(&crm, &[]).unwrap();
    third.round().await.unwrap();
    assert_eq!(
        ids(&without),
        1,
        "a feed that the settings name no more is not for sale"
    );
}

#[tokio::test]
async fn what_is_pushed_is_taken_over_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let crm = crm(&folder);
    crm.migrate().await.unwrap();
    let server = RedisServer::builder().tcp().start();
    let url = server.url();
    let (mut keeper, shelf) = keeper_with(&crm, &["--redis-url", &url], &[]).unwrap();
    let worker = Cli::parse_from(["worker", "--redis-url", &url]).worker;
    let redis = Redis::new(&worker.redis).unwrap();
    let vehicle = |action: &str, id: u32, price: u32| {
        format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><voertuig actie=\"{action}\" voertuignr_hexon=\"{id}\"><merk>Opel</merk>\
             <model>Corsa</model><verkoopprijs_particulier>{price}</verkoopprijs_particulier>\
             <verkoopprijs_handel>1234</verkoopprijs_handel></voertuig>"
        )
    };
    let pushes = [
        vehicle("add", 1, 9_000),
        vehicle("add", 2, 8_000),
        "<html>".into(),
        vehicle("change", 1, 8_500),
        "<voertuig><actie>verwijderen</actie><voertuignr_hexon>2</voertuignr_hexon></voertuig>"
            .into(),
        "<voertuig><actie>delete</actie></voertuig>".into(),
    ];
    for push in &pushes {
        assert!(redis.push_stock(push.as_bytes()).await.unwrap());
    }
    keeper.round().await.unwrap();
    let stock = shelf.now().unwrap();
    let shown: Vec<_> = stock
        .items()
        .iter()
        .map(|item| (&*item.source, &*item.id, item.price.unwrap().whole()))
        .collect();
    assert_eq!(shown, [("hexon", "1", 8_500)]);
    assert!(redis.stock_pushes(10).await.unwrap().is_empty());
    let aside = redis.stock_unread().await.unwrap().into_iter();
    let aside: Vec<_> = aside.map(|push| push.text).collect();
    assert_eq!(aside, [pushes[2].as_bytes(), pushes[5].as_bytes()]);
}

#[test]
fn settings_that_lead_inside_of_a_network_are_refused() {
    for (flags, says) in [
        (vec!["--stock", "a=http://example.com/x"], "must be https"),
        (vec!["--stock", "a=https://10.0.0.1/x"], "must be https"),
        (vec!["--stock", "a=https://[::1]/x"], "must be https"),
        (vec!["--stock", "a=https://localhost/x"], "must be https"),
        (vec!["--stock", "a=x.csv a=y.csv"], "two feeds are called a"),
        (
            vec!["--stock", "a=x.csv", "--stock-logins", "b=x:y"],
            "no feed b",
        ),
    ] {
        let mistakes = Cli::parse_from(["worker"].iter().chain(&flags))
            .worker
            .stock
            .mistakes();
        assert!(
            mistakes.iter().any(|mistake| mistake.contains(says)),
            "{mistakes:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stock_is_kept_on_postgresql_as_well() {
    let server = PostgresServer::start();
    let crm = Crm::new(&SecretString::from(server.url())).unwrap();
    eventually_within(std::time::Duration::from_secs(60), async || {
        crm.migrate().await.map_err(|error| error.to_string())
    })
    .await;
    let (mut keeper, shelf) = keeper(&crm, &["--stock", "shipped"]).unwrap();
    keeper.round().await.unwrap();
    assert_eq!(ids(&shelf), 40);
    let pushed = shelf.now().unwrap().items().first().cloned().unwrap();
    let id = pushed.id.to_string();
    for (push, count) in [(Push::Put(Box::new(pushed)), 41), (Push::Remove(id), 40)] {
        crm.push_stock("hexon", &[push], Timestamp::now())
            .await
            .unwrap();
        keeper.round().await.unwrap();
        assert_eq!(ids(&shelf), count);
    }
}

#[tokio::test]
async fn what_fits_a_wish_that_nothing_fitted_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let crm = crm(&folder);
    crm.migrate().await.unwrap();
    let mut write = crate::database::write("1", "2026-12-01T10:00:00Z");
    let fields = [
        ("car_make", "Volkswagen"),
        ("car_model", "Golf"),
        ("price_max", "12000"),
        ("wish.towbar", "yes"),
        ("stock_unmet", "yes"),
    ];
    let fields = fields.map(|(name, value)| LeadField {
        name: name.into(),
        value: value.into(),
        agent: "extraction".into(),
        confidence: 0.9,
    });
    write.lead.as_mut().unwrap().fields = fields.into();
    crm.apply(&write).await.unwrap();
    let server = RedisServer::builder().tcp().start();
    let url = server.url();
    let at = ["--redis-url", &url, "--redis-partitions", "1"];
    for _ in 0..2 {
        let (mut keeper, _) = keeper_with(&crm, &at, &["--stock", "shipped"]).unwrap();
        keeper.round().await.unwrap();
    }
    let entries: Vec<(String, Vec<String>)> = server.run(&["XRANGE", "in:0", "-", "+"]);
    let kinds: Vec<_> = entries.iter().map(|(_, fields)| fields.join(" ")).collect();
    assert!(
        kinds.len() == 1 && kinds[0].contains("kind arrival"),
        "{kinds:?}"
    );
    let told = crm.sends(100).await.unwrap();
    let matches = told.iter().filter(|notice| notice.kind == "stock.match");
    assert_eq!(
        matches.count(),
        1,
        "one Golf has a towbar and costs no more"
    );
}
