//! What becomes of a message whose turns fail, against a Redis of its own.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use clap::Parser;
use futures_util::future::BoxFuture;
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use shared_types::{OutboundMessage, Purpose};
use streams::{Consumer, ConsumerConfig, Ingested, MemberId, Queue, Shelf};
use test_support::{RedisServer, eventually};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::agents::{Agent, AgentError, Agents, Parts};
use crate::domain::Domain;
use crate::graph::Node;
use crate::turn::{Output, Turn};
use crate::understanding::Understander;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    redis: streams::RedisConfig,
}

fn redis_at(server: &RedisServer) -> Redis {
    let url = server.url();
    let words = ["test", "--redis-url", &url, "--redis-partitions", "1"];
    Redis::new(&Cli::parse_from(words).redis).unwrap()
}

/// An agent that never answers.
struct Stuck;

impl Agent for Stuck {
    fn node(&self) -> Node {
        Node::Router
    }

    fn run<'a>(&'a self, _turn: &'a Turn) -> BoxFuture<'a, Result<Output, AgentError>> {
        Box::pin(std::future::pending())
    }
}

// Made once: without optimisation they take seconds.
static DOMAIN: LazyLock<Arc<Domain>> = LazyLock::new(|| Arc::new(Domain::embedded().unwrap()));
static UNDERSTANDER: LazyLock<Arc<Understander>> =
    LazyLock::new(|| Arc::new(Understander::new(&DOMAIN)));

/// A worker whose turns are kept for so long.
fn healthy(redis: &Redis, metrics: &mut Metrics, turn_kept: Duration) -> Inbound {
    let counters = WorkerMetrics::new(metrics).unwrap();
    let domain = DOMAIN.clone();
    let understander = UNDERSTANDER.clone();
    let parts = Parts {
        domain: domain.clone(),
        understander: understander.clone(),
        model: None,
        crm: None,
        register: None,
        stock: crate::stock::Shelf::default(),
        metrics: counters.clone(),
    };
    Inbound {
        bursts: Bursts::new(&domain, &[]),
        mirrors: false,
        turns: Turns {
            domain,
            understander,
            agents: Agents::new(&parts),
            transcriber: None,
            cards: None,
            budget: Duration::from_secs(10),
            shelf: crate::stock::Shelf::default(),
            colleagues: Vec::new(),
            metrics: counters.clone(),
        },
        identities: Identities {
            redis: redis.clone(),
            history_lines: 40,
        },
        redis: redis.clone(),
        slow_after: None,
        retention: Retention {
            history_lines: 40,
            memory: Duration::from_secs(3600),
            turn: turn_kept,
        },
        metrics: counters,
    }
}

mod arrival;
mod colleague;

/// A worker whose turns all fail.
fn stuck(redis: &Redis, metrics: &mut Metrics) -> Inbound {
    let mut inbound = healthy(redis, metrics, Duration::from_secs(60));
    inbound.turns.agents = Agents::of(vec![Box::new(Stuck)]);
    inbound.turns.budget = Duration::from_millis(1);
    inbound
}

async fn customer_writes(redis: &Redis) {
    writes(redis, "SM1").await;
}

async fn writes(redis: &Redis, id: &str) {
    let message = json!({
        "id": id, "conversation": {"id": "whatsapp:+31612345678"},
        "sender": {"id": "whatsapp:+31612345678", "name": "Sanne"},
        "content": "Ik zoek een Golf", "message_type": "incoming", "channel": "whatsapp",
        "source": "twilio",
    });
    let entry = NewEntry {
        kind: "message".into(),
        event: format!("twilio:message:{id}"),
        conversation: "whatsapp:+31612345678".into(),
        payload: message.to_string(),
        ..NewEntry::default()
    };
    take_in(redis, &entry).await;
}

/// Gives the id of the entry.
async fn take_in(redis: &Redis, entry: &NewEntry) -> String {
    let ingest = Ingest::unlimited(Queue::Inbound, entry);
    match redis.ingest(&ingest).await.unwrap() {
        Ingested::Queued { id, .. } => id,
        other => panic!("{other:?}"),
    }
}

/// Lets a worker work on what the customer writes until `done`.
async fn works(redis: &Redis, handler: Inbound, done: impl AsyncFn() -> Result<(), String>) {
    customer_writes(redis).await;
    work(redis, handler, done).await;
}

/// Lets a worker work until `done`.
async fn work(redis: &Redis, handler: Inbound, done: impl AsyncFn() -> Result<(), String>) {
    let config = ConsumerConfig::new(Queue::Inbound, MemberId::unique("test"));
    work_as(redis, config, handler, done).await;
}

/// The same, by these settings.
async fn work_as(
    redis: &Redis,
    config: ConsumerConfig,
    handler: Inbound,
    done: impl AsyncFn() -> Result<(), String>,
) {
    let config = ConsumerConfig {
        first_retry: Duration::from_millis(1),
        ..config
    };
    let stop = CancellationToken::new();
    let consumer = Consumer::new(redis.clone(), config, Arc::new(handler));
    let until_done = async {
        eventually(done).await;
        stop.cancel();
    };
    let ran = tokio::join!(
        consumer.run(stop.clone(), Duration::from_secs(5)),
        until_done
    );
    ran.0.unwrap();
}

/// Lets a worker try the message until it is given up.
async fn given_up(server: &RedisServer) -> String {
    let redis = redis_at(server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let handler = stuck(&redis, &mut metrics);
    works(&redis, handler, async || {
        let letters = redis.letters(Shelf::Dead(Queue::Inbound), None, 10).await;
        match letters.unwrap().as_slice() {
            [letter] if letter.attempts == 5 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    metrics.page().unwrap()
}

/// Lets a worker whose turns are kept for so long answer the message; gives the time to live of what
/// is kept of the turn in seconds, -2 when nothing is.
async fn turn_kept(server: &RedisServer, how_long: Duration) -> i64 {
    let redis = redis_at(server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let handler = healthy(&redis, &mut metrics, how_long);
    works(&redis, handler, async || match replies(server).len() {
        1 => Ok(()),
        other => Err(format!("{other} replies")),
    })
    .await;
    server.run(&["TTL", "turn:whatsapp:+31612345678"])
}

/// The replies that egress would send.
fn replies(server: &RedisServer) -> Vec<OutboundMessage> {
    type Fields = Vec<(String, String)>;
    let entries: Vec<(String, Fields)> = server.run(&["XRANGE", "out:0", "-", "+"]);
    let payload = |fields: Fields| fields.into_iter().find(|(name, _)| name == "payload");
    let payloads = entries
        .into_iter()
        .filter_map(|(_, fields)| payload(fields));
    payloads
        .map(|(_, payload)| serde_json::from_str(&payload).unwrap())
        .collect()
}

#[tokio::test]
async fn the_customer_of_a_message_that_cannot_be_handled_hears_of_a_colleague_who_is_told() {
    let server = RedisServer::start();
    let page = given_up(&server).await;
    let replies = replies(&server);
    let [reply] = replies.as_slice() else {
        panic!("{replies:?}")
    };
    assert_eq!(reply.purpose, Purpose::HandoffNotice);
    assert!(reply.text.contains("collega"), "{}", reply.text);
    let note = reply.handoff_note.as_deref().unwrap();
    assert!(
        note.contains("turn_failed") && note.contains("Ik zoek een Golf"),
        "{note}"
    );
    let conversation = "conv:whatsapp:+31612345678";
    let until: String = server.run(&["HGET", conversation, "human_until"]);
    assert_ne!(until, "0", "the bot leaves it to the colleague");
    let memory: String = server.run(&["HGET", conversation, "memory"]);
    let memory: Value = serde_json::from_str(&memory).unwrap();
    assert_eq!(memory["human_reason"], "turn_failed");
    for line in [
        r#"postduif_turns_total{intent="none",outcome="given_up",source="twilio"} 1"#,
        r#"postduif_escalations_total{reason="turn_failed"} 1"#,
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    assert!(
        !page.contains(r#"outcome="replied""#),
        "nothing else was committed\n{page}"
    );
}

#[tokio::test]
async fn nobody_talks_over_the_colleague_who_has_the_conversation() {
    let server = RedisServer::start();
    let memory = r#"{"human_until":"2999-01-01T00:00:00Z"}"#;
    let conversation = "conv:whatsapp:+31612345678";
    server.run::<u32>(&["HSET", conversation, "memory", memory]);
    given_up(&server).await;
    assert!(replies(&server).is_empty());
}

#[tokio::test]
async fn a_turn_is_kept_apart_from_the_state_and_for_as_long_as_the_setting_says() {
    let server = RedisServer::start();
    let conversation = "conv:whatsapp:+31612345678";
    // As earlier builds left it.
    server.run::<u32>(&[
        "HSET",
        conversation,
        "ver",
        "1",
        "turn",
        "Wat een klant schreef",
    ]);
    let ttl = turn_kept(&server, Duration::from_secs(7_200)).await;
    assert!((7_100..=7_200).contains(&ttl), "{ttl}");
    let turn: String = server.run(&["GET", "turn:whatsapp:+31612345678"]);
    let turn: Value = serde_json::from_str(&turn).unwrap();
    assert_eq!(turn["content"], "Ik zoek een Golf");
    let state: Vec<String> = server.run(&["HGETALL", conversation]);
    assert!(!state.contains(&"turn".to_owned()), "{state:?}");
    // And what people who look on are shown, at the time of its line.
    let kept: Vec<String> = server.run(&["LRANGE", "turns:whatsapp:+31612345678", "0", "-1"]);
    let seen: Value = serde_json::from_str(&kept[0]).unwrap();
    assert_eq!(seen["values"]["wanted"]["after"]["car_model"], "Golf");
    let history: Vec<String> = server.run(&["LRANGE", "hist:whatsapp:+31612345678", "0", "0"]);
    let line: Value = serde_json::from_str(&history[0]).unwrap();
    assert_eq!(seen["times"]["turn"], line["at"]);
    assert!(
        seen["reply"]["outbound"].is_string() && kept.len() == 1,
        "{seen}"
    );
    // What was said stands in the history.
    assert!(
        seen["reply"].get("text").is_none() && kept[0].len() < 2_000,
        "{seen}"
    );
    let ttl: i64 = server.run(&["TTL", "turns:whatsapp:+31612345678"]);
    assert!((7_100..=7_200).contains(&ttl), "{ttl}");
    let sender: String = server.run(&["HGET", conversation, "sender"]);
    assert_eq!(sender, "whatsapp:+31612345678");
}

#[tokio::test]
async fn nobody_who_wants_no_turn_kept_has_one() {
    let server = RedisServer::start();
    assert_eq!(turn_kept(&server, Duration::ZERO).await, -2);
    let ttl: i64 = server.run(&["TTL", "turns:whatsapp:+31612345678"]);
    assert_eq!(ttl, -2);
}
