use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use streams::{Destination, Duty, Ingested, Queue, RateLimit};
use test_support::RedisServer;

use crate::harness::{entry, ingest, redis_at, redis_with, waiting};

#[tokio::test]
async fn the_same_event_many_times_at_once_is_queued_once() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let one = entry("c", "twilio:message:SM1", "x");
    let request = ingest(&one);
    let answers = join_all((0..20).map(|_| redis.ingest(&request))).await;
    let queued = answers
        .iter()
        .filter(|a| matches!(a, Ok(Ingested::Queued { .. })))
        .count();
    let duplicates = answers
        .iter()
        .filter(|a| matches!(a, Ok(Ingested::Duplicate { rejected: false })))
        .count();
    assert_eq!((queued, duplicates, waiting(&server)), (1, 19, 1));
    let ttl: i64 = server.run(&["TTL", "twilio:message:SM1"]);
    assert!((3590..=3600).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn a_conversation_gets_its_budget_and_is_told_when_to_come_back() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let limit = RateLimit {
        limit: 50,
        window: Duration::from_secs(60),
    };
    let mut outcomes = Vec::new();
    for n in 0..60 {
        let one = entry("c", &format!("e{n}"), "x");
        let request = streams::Ingest {
            rate: Some(limit),
            ..ingest(&one)
        };
        outcomes.push(redis.ingest(&request).await.unwrap());
    }
    assert!(
        outcomes[..50]
            .iter()
            .all(|o| matches!(o, Ingested::Queued { .. }))
    );
    for outcome in &outcomes[50..] {
        let Ingested::RateLimited { retry_after } = outcome else {
            panic!("{outcome:?}")
        };
        assert!(*retry_after > Duration::from_secs(30) && *retry_after <= Duration::from_secs(60));
    }
    let other = entry("d", "other", "x");
    let request = streams::Ingest {
        rate: Some(limit),
        ..ingest(&other)
    };
    assert!(matches!(
        redis.ingest(&request).await,
        Ok(Ingested::Queued { .. })
    ));
}

#[tokio::test]
async fn repetitions_use_no_budget_and_are_known_when_it_is_used_up() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let limit = RateLimit {
        limit: 2,
        window: Duration::from_secs(60),
    };
    let mut outcomes = Vec::new();
    for event in ["e1", "e1", "e1", "e2", "e3", "e2"] {
        let one = entry("c", event, "x");
        let request = streams::Ingest {
            rate: Some(limit),
            ..ingest(&one)
        };
        outcomes.push(match redis.ingest(&request).await.unwrap() {
            Ingested::Queued { .. } => "queued",
            Ingested::Duplicate { .. } => "duplicate",
            Ingested::RateLimited { .. } => "limited",
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(
        outcomes,
        [
            "queued",
            "duplicate",
            "duplicate",
            "queued",
            "limited",
            "duplicate"
        ]
    );
}

#[tokio::test]
async fn a_replay_is_known_by_what_was_signed_after_its_id_is_forgotten() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let one = entry("c", "twilio:message:SM1", "x");
    let replay = streams::Replay {
        mark: "f00d",
        known_for: Duration::from_secs(7 * 86_400),
    };
    let request = streams::Ingest {
        replay: Some(replay),
        ..ingest(&one)
    };
    assert!(matches!(
        redis.ingest(&request).await,
        Ok(Ingested::Queued { .. })
    ));
    server.run::<()>(&["DEL", "twilio:message:SM1"]);
    assert_eq!(
        redis.ingest(&request).await.unwrap(),
        Ingested::Duplicate { rejected: false }
    );
    let ttl: i64 = server.run(&["TTL", "seen:f00d"]);
    assert!((604_700..=604_800).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn the_window_slides() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let limit = RateLimit {
        limit: 2,
        window: Duration::from_millis(300),
    };
    let mut refusals = 0;
    for n in 0..6 {
        let one = entry("c", &format!("e{n}"), "x");
        let request = streams::Ingest {
            rate: Some(limit),
            ..ingest(&one)
        };
        while let Ingested::RateLimited { retry_after } = redis.ingest(&request).await.unwrap() {
            refusals += 1;
            tokio::time::sleep(retry_after).await;
        }
    }
    assert!(
        refusals >= 2,
        "six requests at two a window must have waited twice"
    );
    assert_eq!(waiting(&server), 6);
}

#[tokio::test]
async fn a_full_backlog_refuses_and_leaves_no_dedup_key() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let first = entry("c", "e1", "x");
    let second = entry("c", "e2", "x");
    let full = |one| streams::Ingest {
        max_backlog: 1,
        ..ingest(one)
    };
    assert!(matches!(
        redis.ingest(&full(&first)).await,
        Ok(Ingested::Queued { backlog: 1, .. })
    ));
    assert_eq!(
        redis.ingest(&full(&second)).await.unwrap(),
        Ingested::Busy { backlog: 1 }
    );
    assert!(!server.run::<bool>(&["EXISTS", "e2"]));
}

#[tokio::test]
async fn dedup_key_set_for_a_message_that_was_never_queued() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    redis.check_writable(Duty::TakeIn).await.unwrap();
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let one = entry("c", "e1", "x");
    assert!(redis.ingest(&ingest(&one)).await.is_err());
    assert!(
        !server.run::<bool>(&["EXISTS", "e1"]),
        "the provider's retry must not be swallowed"
    );
    server.run::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(matches!(
        redis.ingest(&ingest(&one)).await,
        Ok(Ingested::Queued { .. })
    ));
}

#[tokio::test]
async fn rejected_events_are_kept_once_and_remembered_as_rejected() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let one = entry("c", "e1", "bad");
    let rejected = || streams::Ingest {
        destination: Destination::Rejected,
        ..ingest(&one)
    };
    assert!(matches!(
        redis.ingest(&rejected()).await,
        Ok(Ingested::Queued { .. })
    ));
    assert_eq!(
        redis.ingest(&rejected()).await.unwrap(),
        Ingested::Duplicate { rejected: true }
    );
    assert_eq!(
        redis.letter_count(streams::Shelf::Rejected).await.unwrap(),
        1
    );
    assert_eq!(redis.backlog(Queue::Inbound, 0).await.unwrap().entries, 0);
}

#[tokio::test]
async fn a_webhook_costs_one_round_trip() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    redis
        .ingest(&ingest(&entry("c", "warm", "x")))
        .await
        .unwrap();
    let calls = || {
        let stats: String = server.run(&["INFO", "commandstats"]);
        let evalsha = stats
            .lines()
            .find(|line| line.starts_with("cmdstat_evalsha:"))
            .unwrap()
            .to_owned();
        let names: HashSet<_> = stats
            .lines()
            .filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(':'))
            .map(|(name, _)| name.to_owned())
            .collect();
        let count: u64 = evalsha.split(['=', ',']).nth(1).unwrap().parse().unwrap();
        (count, names)
    };
    server.run::<()>(&["CONFIG", "RESETSTAT"]);
    let limit = RateLimit {
        limit: 1000,
        window: Duration::from_secs(60),
    };
    for n in 0..10 {
        let one = entry("c", &format!("e{n}"), "x");
        let request = streams::Ingest {
            rate: Some(limit),
            ..ingest(&one)
        };
        redis.ingest(&request).await.unwrap();
    }
    let (count, names) = calls();
    assert_eq!(count, 10);
    assert!(
        !names.contains("ping"),
        "a connection is not probed before use"
    );
}

#[tokio::test]
async fn an_entry_that_too_few_replicas_have_is_not_promised() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let one = entry("c", "e1", "x");
    let request = streams::Ingest {
        replicas: 1,
        replica_timeout: Duration::from_millis(50),
        ..ingest(&one)
    };
    assert_eq!(
        redis.ingest(&request).await.unwrap(),
        Ingested::Unreplicated
    );
    let replica = RedisServer::builder().tcp().start();
    let master = RedisServer::builder().tcp().start();
    replica.run::<String>(&["REPLICAOF", "127.0.0.1", &master.port().to_string()]);
    test_support::eventually(async || {
        let info: String = master.run(&["INFO", "replication"]);
        if info.contains("state=online") {
            Ok(())
        } else {
            Err(info)
        }
    })
    .await;
    let redis = redis_with(&["--redis-url", &master.url()]);
    let request = streams::Ingest {
        replica_timeout: Duration::from_secs(5),
        ..request
    };
    assert!(matches!(
        redis.ingest(&request).await,
        Ok(Ingested::Queued { .. })
    ));
}
