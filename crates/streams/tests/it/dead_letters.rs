use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use streams::{Commit, ConsumerConfig, Handler, Job, NewEntry, Queue, Settled, Shelf};
use test_support::{RedisServer, eventually};

use crate::harness::{
    Echo, Text, add, config, entry, ingest, pending, redis_at, replies, run, spawn, until_empty,
};

const DEAD: Shelf = Shelf::Dead(Queue::Inbound);

#[tokio::test]
async fn what_keeps_failing_is_set_aside_with_the_reason_and_the_conversation_goes_on() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    add(&redis, "c", "bad", "fail").await;
    add(&redis, "c", "good", "echo").await;
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["good"]);
    let letters = redis.letters(DEAD, None, 10).await.unwrap();
    let [letter] = letters.as_slice() else {
        panic!("{letters:?}")
    };
    assert_eq!(letter.reason, "attempts_exhausted");
    assert_eq!(letter.error, "it failed: because");
    assert_eq!(letter.attempts, 5);
    assert_eq!(letter.fields["event"], "bad");
    assert_eq!(letter.fields["payload"], "fail");
    assert!(letter.first_ms > 0 && letter.last_ms >= letter.first_ms);
    running.stop().await;
}

#[tokio::test]
async fn a_panic_counts_as_a_failed_attempt() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let config = ConsumerConfig {
        max_attempts: 1,
        ..config()
    };
    let running = run(&redis, config, &Arc::new(Echo::default()));
    add(&redis, "c", "bad", "speechless").await;
    add(&redis, "d", "good", "echo").await;
    until_empty(&server).await;
    let letters = redis.letters(DEAD, None, 10).await.unwrap();
    assert_eq!(letters[0].error, "the handler panicked");
    assert_eq!(replies(&server, "d"), ["good"]);
    running.stop().await;
}

#[tokio::test]
async fn who_waits_for_what_is_set_aside_is_told_in_the_same_step() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    add(&redis, "c", "bad", "panic").await;
    until_empty(&server).await;
    let letters = redis.letters(DEAD, None, 10).await.unwrap();
    let [letter] = letters.as_slice() else {
        panic!("{letters:?}")
    };
    assert_eq!(
        (
            letter.reason.as_str(),
            letter.attempts,
            &*letter.fields["event"]
        ),
        ("attempts_exhausted", 5, "bad")
    );
    assert_eq!(replies(&server, "c"), ["bad"], "the last turn's entry");
    assert_eq!(
        server.run::<Vec<String>>(&["LRANGE", "hist:c", "0", "-1"]),
        ["bad"]
    );
    assert_eq!(server.run::<String>(&["HGET", "conv:c", "ver"]), "1");
    let id = letter.id;
    assert!(redis.replay(Queue::Inbound, id).await.unwrap());
    until_empty(&server).await;
    let again = redis.letters(DEAD, None, 10).await.unwrap();
    assert_eq!(again.len(), 1, "a replay is worked on again: {again:?}");
    assert_ne!(again[0].id, id);
    running.stop().await;
}

/// Gives everything up without having read anything.
struct Hopeless;

impl Handler for Hopeless {
    type Payload = Text;

    async fn handle(&self, job: Job<Text>) -> Settled {
        job.give_up("hopeless".into(), Commit::default()).await
    }
}

#[tokio::test]
async fn what_cannot_be_told_is_set_aside_all_the_same() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    server.run::<String>(&["SET", "conv:c", "no hash"]);
    let running = spawn(&redis, config(), &Arc::new(Hopeless));
    add(&redis, "c", "bad", "").await;
    until_empty(&server).await;
    let letters = redis.letters(DEAD, None, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn one_undecodable_entry_never_holds_up_its_neighbours() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    add(&redis, "c", "before", "echo").await;
    for p in 0..8 {
        let stream = format!("in:{p}");
        server.run::<String>(&["XADD", &stream, "*", "junk", "\u{0}"]);
        server.run::<String>(&[
            "XADD",
            &stream,
            "*",
            "v",
            "99",
            "payload",
            "from the future",
        ]);
    }
    add(&redis, "c", "after", "echo").await;
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["before", "after"]);
    let letters = redis.letters(DEAD, Some("undecodable"), 100).await.unwrap();
    assert_eq!(letters.len(), 16);
    assert!(letters.iter().any(|letter| {
        letter
            .fields
            .get("payload")
            .is_some_and(|p| p == "from the future")
    }));
    running.stop().await;
}

#[tokio::test]
async fn a_payload_that_nobody_can_read_is_set_aside_with_a_note_and_keeps_its_place() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    add(&redis, "c", "before", "gate").await;
    let unread = NewEntry {
        kind: "poem".into(),
        ..entry("c", "unread", "roses")
    };
    redis.ingest(&ingest(&unread)).await.unwrap();
    add(&redis, "c", "after", "echo").await;
    let running = run(&redis, config(), &echo);
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        0 => Err("not started"),
        _ => Ok(()),
    })
    .await;
    assert_eq!(redis.letter_count(DEAD).await.unwrap(), 0);
    echo.gate.notify_one();
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["before", "after"]);
    let history: Vec<String> = server.run(&["LRANGE", "hist:c", "0", "-1"]);
    assert_eq!(history, ["before", "unread", "after"]);
    let letters = redis.letters(DEAD, Some("unknown_kind"), 10).await.unwrap();
    assert_eq!(letters[0].fields["payload"], "roses");
    running.stop().await;
}

#[tokio::test]
async fn a_suspect_runs_alone() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    add(&redis, "suspect", "s", "gate").await;
    let partition = redis.partitions().partition_of("suspect");
    let entries: Vec<(String, Vec<(String, String)>)> =
        server.run(&["XRANGE", &format!("in:{partition}"), "-", "+"]);
    let starts = format!("{}:s", entries[0].0);
    let att = format!("att:{partition}");
    server.run::<u64>(&["HSET", &att, &starts, "2 2 crashed"]);
    let running = run(&redis, config(), &echo);
    eventually(async || match echo.started.load(Ordering::SeqCst) {
        0 => Err("not started"),
        _ => Ok(()),
    })
    .await;
    for n in 0..10 {
        add(&redis, &format!("c{n}"), &format!("e{n}"), "echo").await;
    }
    eventually(async || match pending(&server) {
        11 => Ok(()),
        some => Err(some),
    })
    .await;
    // Everything is in hand. Without the rule the ten would be answered within this time.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(echo.started.load(Ordering::SeqCst), 1);
    echo.gate.notify_one();
    until_empty(&server).await;
    running.stop().await;
}

#[tokio::test]
async fn an_entry_that_crashed_its_process_too_often_is_set_aside_unopened() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let echo = Arc::new(Echo::default());
    add(&redis, "c", "poison", "echo").await;
    let partition = redis.partitions().partition_of("c");
    let entries: Vec<(String, Vec<(String, String)>)> =
        server.run(&["XRANGE", &format!("in:{partition}"), "-", "+"]);
    server.run::<u64>(&["HSET", &format!("att:{partition}"), &entries[0].0, "5"]);
    let running = run(&redis, config(), &echo);
    until_empty(&server).await;
    assert_eq!(echo.started.load(Ordering::SeqCst), 0);
    let letters = redis
        .letters(DEAD, Some("attempts_exhausted"), 10)
        .await
        .unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].attempts, 5);
    running.stop().await;
}

#[tokio::test]
async fn a_replay_is_handled_like_new_and_pressing_twice_replays_once() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    add(&redis, "c", "bad", "reject").await;
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    until_empty(&server).await;
    running.stop().await;
    let history: Vec<String> = server.run(&["LRANGE", "hist:c", "0", "-1"]);
    assert_eq!(
        history,
        ["note"],
        "the conversation knows that something is missing"
    );
    let expires = server.run::<i64>(&["TTL", "hist:c"]);
    assert!(
        expires > 0,
        "a history that only the note began ends: {expires}"
    );

    let id = redis.letters(DEAD, Some("refused"), 10).await.unwrap()[0].id;
    let (first, second) = tokio::join!(
        redis.replay(Queue::Inbound, id),
        redis.replay(Queue::Inbound, id)
    );
    assert_eq!(u8::from(first.unwrap()) + u8::from(second.unwrap()), 1);
    assert_eq!(redis.letter_count(DEAD).await.unwrap(), 0);
    let partition = redis.partitions().partition_of("c");
    let fields = crate::harness::stream_fields(&server, &format!("in:{partition}"));
    assert_eq!(fields.len(), 1);
    let names: Vec<_> = fields[0].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["replay_of", "v", "kind", "event", "conv", "payload"]
    );
}

#[tokio::test]
async fn letters_are_listed_by_reason_shown_and_discarded() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    for n in 0..5 {
        add(&redis, &format!("c{n}"), &format!("r{n}"), "reject").await;
    }
    add(&redis, "d", "f", "fail").await;
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    until_empty(&server).await;
    running.stop().await;
    assert_eq!(redis.letters(DEAD, None, 100).await.unwrap().len(), 6);
    assert_eq!(redis.letters(DEAD, None, 2).await.unwrap().len(), 2);
    let refused = redis.letters(DEAD, Some("refused"), 100).await.unwrap();
    assert_eq!(refused.len(), 5);
    let id = refused[0].id;
    assert_eq!(redis.letter(DEAD, id).await.unwrap().unwrap(), refused[0]);
    assert!(redis.discard(DEAD, id).await.unwrap());
    assert!(!redis.discard(DEAD, id).await.unwrap());
    assert_eq!(redis.letter(DEAD, id).await.unwrap(), None);
}

/// More than a script can hand to one command: it is kept all the same.
#[tokio::test]
async fn an_entry_of_thousands_of_fields_is_set_aside_whole() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let fields: Vec<String> = (0..10_000).map(|n| format!("word{n}")).collect();
    let mut words = vec!["XADD", "in:3", "*"];
    words.extend(fields.iter().map(String::as_str));
    server.run::<String>(&words);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    until_empty(&server).await;
    let letters = redis.letters(DEAD, Some("undecodable"), 10).await.unwrap();
    assert!(letters[0].fields["_fields"].contains("word9999"));
    running.stop().await;
}
