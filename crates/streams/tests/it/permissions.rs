//! A user who may not do everything: nothing is half done, and what is missing is named.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use streams::{Duty, NewEntry, Queue, Redis, StreamsError};
use test_support::{RedisServer, eventually};

use crate::harness::{
    Echo, add, config, entry, ingest, redis_with, refused_scripts, replies, run, until_empty,
    waiting,
};

/// As in deploy/README.md.
const LEAST_RULE: [&str; 10] = [
    "~*",
    "+@read",
    "+@write",
    "+@scripting",
    "+@connection",
    "-@dangerous",
    "+info",
    "+time",
    "+wait",
    "+config|get",
];

const DUTIES: [Duty; 4] = [
    Duty::TakeIn,
    Duty::Consume(Queue::Inbound),
    Duty::Consume(Queue::Crm),
    Duty::Consume(Queue::Outbound),
];

fn user(server: &RedisServer, rules: &[&str]) -> Redis {
    server.run::<()>(&[&["ACL", "SETUSER", "app", "reset", "on", ">secret"], rules].concat());
    let url = server.url();
    let joined = if url.starts_with("unix") {
        format!("{url}?user=app&pass=secret")
    } else {
        url.replace("//", "//app:secret@")
    };
    redis_with(&["--redis-url", &joined, "--redis-partitions", "8"])
}

async fn missing(redis: &Redis) -> Vec<String> {
    match redis.check_permissions(&DUTIES).await {
        Ok(()) => Vec::new(),
        Err(StreamsError::Forbidden { missing }) => missing.split(", ").map(String::from).collect(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn the_least_rule_is_enough() {
    let server = RedisServer::start();
    let redis = user(&server, &LEAST_RULE);
    assert_eq!(missing(&redis).await, Vec::<String>::new());
    goes_round(&server, &redis).await;
    assert!(redis.server_report().await.unwrap().fsync.is_some());
}

/// Takes in, answers, fails, sets aside and replays.
async fn goes_round(server: &RedisServer, redis: &Redis) {
    let running = run(redis, config(), &Arc::new(Echo::default()));
    for payload in ["echo", "reject", "fail"] {
        add(redis, "c", &format!("twilio:message:{payload}"), payload).await;
    }
    let word = NewEntry {
        fences: true,
        ..entry("c", "twilio:message:word", "reject")
    };
    redis.ingest(&ingest(&word)).await.unwrap();
    until_empty(server).await;
    assert_eq!(replies(server, "c"), ["twilio:message:echo"]);
    let shelf = streams::Shelf::Dead(Queue::Inbound);
    for letter in redis.letters(shelf, None, 10).await.unwrap() {
        assert!(redis.replay(Queue::Inbound, letter.id).await.unwrap());
    }
    until_empty(server).await;
    assert_eq!(redis.letter_count(shelf).await.unwrap(), 3);
    assert_eq!(running.stop().await.late, []);
}

/// A user who may do exactly what the check asks for, each command on its kind of key alone.
#[tokio::test]
async fn what_the_check_asks_for_is_all_that_is_needed() {
    let server = RedisServer::start();
    let bare = ["~*", "+@scripting", "+@connection", "+info", "+wait"];
    let redis = user(&server, &bare);
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for need in missing(&redis).await {
        let (command, kind) = need.split_once(" on ").unwrap();
        let rule = format!("+{}", command.to_lowercase());
        kinds.entry(kind.to_owned()).or_default().push(rule);
    }
    assert!(
        kinds.contains_key("hist:*") && kinds.contains_key("in:*"),
        "{kinds:?}"
    );
    // Redis 6 knows one list of commands for all keys.
    let selectors: Vec<String> = if has_selectors(&server) {
        let selector =
            |(kind, rules): (&String, &Vec<String>)| format!("(~{kind} {})", rules.join(" "));
        kinds.iter().map(selector).collect()
    } else {
        kinds.into_values().flatten().collect()
    };
    let mut rules = bare.to_vec();
    rules.extend(selectors.iter().map(String::as_str));
    let redis = user(&server, &rules);
    assert_eq!(missing(&redis).await, Vec::<String>::new());
    goes_round(&server, &redis).await;
}

/// Whichever command is forbidden while a message is answered: the message waits, and is answered once
/// when the permission is back.
#[tokio::test]
async fn a_permission_that_goes_missing_loses_nothing_and_does_nothing_by_halves() {
    let commands = [
        "rpush", "ltrim", "expire", "xadd", "set", "hset", "hdel", "xack", "xdel", "hexists",
        "llen",
    ];
    let server = RedisServer::start();
    let redis = user(&server, &LEAST_RULE);
    let echo = Arc::new(Echo::default());
    let running = run(&redis, config(), &echo);
    for (n, command) in commands.into_iter().enumerate() {
        let before = state(&server);
        add(&redis, "c", command, "gate").await;
        eventually(async || match echo.started.load(Ordering::SeqCst) {
            started if started > n => Ok(()),
            started => Err(started),
        })
        .await;
        server.run::<()>(&["ACL", "SETUSER", "app", &format!("-{command}")]);
        assert!(
            missing(&redis)
                .await
                .iter()
                .any(|need| need.starts_with(&command.to_uppercase())),
            "{command} is named"
        );
        server.run::<()>(&["CONFIG", "RESETSTAT"]);
        echo.gate.notify_one();
        eventually(async || match refused_scripts(&server) {
            often if often > 2 => Ok(()),
            seldom => Err(seldom),
        })
        .await;
        assert_eq!(waiting(&server), 1, "{command}: the message waits");
        assert_eq!(state(&server), before, "{command}: nothing is written");
        server.run::<()>(&["ACL", "SETUSER", "app", &format!("+{command}")]);
        until_empty(&server).await;
    }
    let (_, history, answers) = state(&server);
    assert_eq!(answers, commands);
    assert_eq!(history, commands);
    running.stop().await;
}

/// What is known for replays is not worth that everything that is pushed waits.
#[tokio::test]
async fn what_was_pushed_is_taken_over_though_its_moment_may_not_be_kept() {
    let server = RedisServer::start();
    let redis = user(&server, &LEAST_RULE);
    redis.push_stock(b"<voertuig/>").await.unwrap();
    server.run::<()>(&["ACL", "SETUSER", "app", "-zadd"]);
    let newest = [("D1".to_owned(), Timestamp::now())];
    redis.stock_pushes_taken(1, &[], &newest).await.unwrap();
    assert!(redis.stock_pushes(10).await.unwrap().is_empty());
}

/// Whether there are rules for some keys only, from Redis 7 on.
fn has_selectors(server: &RedisServer) -> bool {
    server.run(&["EVAL", "return redis.acl_check_cmd ~= nil", "0"])
}

/// State, history and replies of the conversation.
fn state(server: &RedisServer) -> (BTreeMap<String, String>, Vec<String>, Vec<String>) {
    (
        server.run(&["HGETALL", "conv:c"]),
        server.run(&["LRANGE", "hist:c", "0", "-1"]),
        replies(server, "c"),
    )
}
