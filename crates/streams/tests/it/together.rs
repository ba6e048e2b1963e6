//! Calls that leave together: fewer requests, and each as if it had been alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use test_support::{RedisServer, eventually};

use crate::harness::{
    Echo, add, all_replies, config, redis_at, replies, run, scripts_run, until_empty, waiting,
};

#[tokio::test]
async fn calls_that_are_wanted_at_once_leave_together() {
    const MESSAGES: u64 = 400;
    let server = RedisServer::start();
    let redis = redis_at(&server);
    for n in 0..MESSAGES {
        add(&redis, &format!("c{n}"), &format!("e{n}"), "echo").await;
    }
    server.run::<()>(&["CONFIG", "RESETSTAT"]);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    until_empty(&server).await;
    let scripts = scripts_run(&server);
    assert!(
        scripts < MESSAGES,
        "a start and a commit each, in {scripts} scripts"
    );
    let mut answered = all_replies(&server);
    answered.sort_unstable();
    let mut all: Vec<_> = (0..MESSAGES)
        .map(|n| (format!("c{n}"), format!("e{n}")))
        .collect();
    all.sort_unstable();
    assert_eq!(answered, all);
    running.stop().await;
}

#[tokio::test]
async fn one_that_fails_keeps_none_of_the_others() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    for n in 0..100 {
        add(&redis, &format!("c{n}"), &format!("e{n}"), "echo").await;
    }
    server.run::<()>(&["SET", "hist:c50", "no list"]);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    until_empty(&server).await;
    let answered = all_replies(&server);
    for n in 0..100 {
        let mailbox = format!("c{n}");
        let count = answered.iter().filter(|(of, _)| *of == mailbox).count();
        assert_eq!(count, usize::from(n != 50), "{mailbox}");
    }
    let shelf = streams::Shelf::Dead(streams::Queue::Inbound);
    let letters = redis.letters(shelf, None, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].error.contains("WRONGTYPE"), "{letters:?}");
    running.stop().await;
}

#[tokio::test]
async fn who_is_cut_off_while_a_call_is_under_way_holds_up_nobody() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    for round in 0..5 {
        for n in 0..50 {
            add(&redis, &format!("c{n}"), &format!("{round}.{n}"), "echo").await;
        }
        let echo = Arc::new(Echo::default());
        let running = run(&redis, config(), &echo);
        eventually(async || match echo.started.load(Ordering::SeqCst) {
            0 => Err(waiting(&server)),
            _ => Ok(()),
        })
        .await;
        running.kill();
    }
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    until_empty(&server).await;
    for n in 0..50 {
        let expected: Vec<_> = (0..5).map(|round| format!("{round}.{n}")).collect();
        assert_eq!(replies(&server, &format!("c{n}")), expected);
    }
    running.stop().await;
}
