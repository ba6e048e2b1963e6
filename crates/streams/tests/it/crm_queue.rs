use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use streams::{
    Commit, ConsumerConfig, Entry, Handler, Job, PartitionKeys, Queue, Reads, Settled, Shelf,
};
use test_support::{RedisServer, eventually};

use crate::harness::{
    Echo, Text, add, config, echoed, entry, redis_at, replies, run, spawn, stream_fields,
    until_empty,
};

/// Answers, and writes down two CRM entries in the same turn.
#[derive(Default)]
struct Answering;

impl Handler for Answering {
    type Payload = Text;

    fn reads(&self, entry: &Entry, text: &Text, keys: PartitionKeys) -> Reads {
        Echo::default().reads(entry, text, keys)
    }

    async fn handle(&self, job: Job<Text>) -> Settled {
        let conversation = job.entry.conversation.clone();
        let event = job.entry.event.clone();
        let crm = [0, 1].map(|n| entry(&conversation, &format!("{event}-crm{n}"), "write"));
        let commit = Commit {
            crm: crm.into(),
            ..echoed(&job.entry, &job.values)
        };
        job.commit(commit).await
    }
}

/// Counts what comes, and fails the first time.
#[derive(Default)]
struct Writing {
    started: AtomicUsize,
}

impl Handler for Writing {
    type Payload = Text;

    async fn handle(&self, job: Job<Text>) -> Settled {
        if job.entry.event.ends_with("bad") {
            return job.retry("the CRM says no".into(), None).await;
        }
        if self.started.fetch_add(1, Ordering::SeqCst) == 0 {
            return job.retry("the CRM is away".into(), None).await;
        }
        job.acknowledge().await
    }
}

fn crm_config() -> ConsumerConfig {
    ConsumerConfig {
        queue: Queue::Crm,
        ..config()
    }
}

fn crm_events(server: &RedisServer) -> Vec<String> {
    let entries = (0..8).flat_map(|p| stream_fields(server, &format!("crm:{p}")));
    let event = |fields: Vec<(String, String)>| {
        let mut fields = fields.into_iter();
        fields.find(|(name, _)| name == "event").unwrap().1
    };
    entries.map(event).collect()
}

#[tokio::test]
async fn a_turn_adds_its_crm_entries_together_with_its_replies_and_once() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = spawn(&redis, config(), &Arc::new(Answering));
    add(&redis, "c", "e1", "").await;
    until_empty(&server).await;
    // The same event again, as after a replay: its turn is committed already.
    add_again(&redis, "c", "e1").await;
    until_empty(&server).await;
    assert_eq!(replies(&server, "c"), ["e1"]);
    assert_eq!(crm_events(&server), ["e1-crm0", "e1-crm1"]);
    running.stop().await;
}

async fn add_again(redis: &streams::Redis, conversation: &str, event: &str) {
    let again = entry(conversation, event, "");
    let ingest = streams::Ingest {
        dedup_for: std::time::Duration::ZERO,
        ..crate::harness::ingest(&again)
    };
    redis.ingest(&ingest).await.unwrap();
}

#[tokio::test]
async fn crm_entries_are_consumed_beside_the_messages_and_tried_again() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let answering = spawn(&redis, config(), &Arc::new(Answering));
    let writing = Arc::new(Writing::default());
    let crm = spawn(&redis, crm_config(), &writing);
    for conversation in ["c", "d"] {
        add(&redis, conversation, &format!("{conversation}1"), "").await;
    }
    until_empty(&server).await;
    eventually(async || match redis.backlog(Queue::Crm, 0).await {
        Ok(backlog) if backlog.entries == 0 && writing.started.load(Ordering::SeqCst) >= 5 => {
            Ok(())
        }
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!(
        writing.started.load(Ordering::SeqCst),
        5,
        "four entries, one of them twice"
    );
    answering.stop().await;
    crm.stop().await;
}

#[tokio::test]
async fn a_crm_entry_that_keeps_failing_is_set_aside_on_its_own_shelf_and_replayed_there() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let crm = spawn(&redis, crm_config(), &Arc::new(Writing::default()));
    let bad = entry("c", "bad", "write");
    let ingest = streams::Ingest {
        destination: streams::Destination::Work(Queue::Crm),
        ..crate::harness::ingest(&bad)
    };
    redis.ingest(&ingest).await.unwrap();
    let shelf = Shelf::Dead(Queue::Crm);
    let letter = eventually(async || {
        let letters = redis.letters(shelf, None, 10).await.unwrap();
        letters.into_iter().next().ok_or("no letter yet")
    })
    .await;
    assert_eq!(
        (letter.reason.as_str(), letter.error.as_str()),
        ("attempts_exhausted", "the CRM says no")
    );
    for queue in [Queue::Inbound, Queue::Outbound] {
        assert_eq!(redis.letter_count(Shelf::Dead(queue)).await.unwrap(), 0);
    }
    crm.stop().await;
    assert!(redis.replay(Queue::Crm, letter.id).await.unwrap());
    assert_eq!(crm_events(&server), ["bad"]);
}

#[tokio::test]
async fn a_consumer_of_messages_leaves_crm_entries_alone() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let running = run(&redis, config(), &Arc::new(Echo::default()));
    let crm = entry("c", "crm1", "write");
    let ingest = streams::Ingest {
        destination: streams::Destination::Work(Queue::Crm),
        ..crate::harness::ingest(&crm)
    };
    redis.ingest(&ingest).await.unwrap();
    add(&redis, "c", "e1", "echo").await;
    until_empty(&server).await;
    assert_eq!(crm_events(&server), ["crm1"]);
    running.stop().await;
}
