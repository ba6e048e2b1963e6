use std::collections::BTreeSet;

use futures_util::future::join_all;
use jiff::Timestamp;
use streams::{Claim, Join, Redis};
use test_support::RedisServer;

use crate::harness::redis_at;

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|&name| name.to_owned()).collect()
}

async fn joined(redis: &Redis, all: &[&str], conversation: &str) -> String {
    let names = names(all);
    let join = told(&names, Some(conversation));
    redis.join(join).await.unwrap().id
}

/// What a webhook tells.
fn told<'a>(names: &'a [String], conversation: Option<&'a str>) -> Join<'a> {
    Join {
        names,
        conversation,
        claim: Claim::Evidence,
        is_new: true,
        audit: "evidence",
        now: Timestamp::now(),
    }
}

async fn known(redis: &Redis, id: &str) -> BTreeSet<String> {
    redis
        .identity(id)
        .await
        .unwrap()
        .names
        .into_keys()
        .collect()
}

#[tokio::test]
async fn names_that_are_told_together_are_one_person_also_late() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let number = joined(&redis, &["tel:+31"], "conv:a").await;
    assert_eq!(joined(&redis, &["tel:+31"], "conv:a").await, number);
    let hidden = joined(&redis, &["lid:1", "user:x"], "conv:b").await;
    assert_ne!(number, hidden);
    assert!(redis.identity(&number).await.unwrap().log.is_empty());

    let both = joined(&redis, &["lid:1", "tel:+31"], "conv:b").await;
    assert_eq!(both, number, "the person who was known first stays");
    let all = names(&["tel:+31", "conv:a", "lid:1", "user:x", "conv:b"]);
    assert_eq!(known(&redis, &both).await, all.iter().cloned().collect());
    let owners = redis.identities_of(&all).await.unwrap();
    assert!(
        owners.iter().all(|owner| owner.as_ref() == Some(&both)),
        "{owners:?}"
    );
    assert_eq!(redis.identity(&both).await.unwrap().log, ["evidence"]);
    assert!(known(&redis, &hidden).await.is_empty());
}

#[tokio::test]
async fn what_an_operator_split_no_webhook_joins_again() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    joined(&redis, &["tel:+31"], "conv:a").await;
    let one = joined(&redis, &["lid:1", "tel:+31"], "conv:b").await;
    let lid = names(&["lid:1"]);
    let split = redis
        .split(&lid, "split", Timestamp::now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        known(&redis, &split).await,
        names(&["lid:1", "conv:b"]).into_iter().collect()
    );
    assert_eq!(
        known(&redis, &one).await,
        names(&["tel:+31", "conv:a"]).into_iter().collect()
    );

    let beside = names(&["lid:1", "tel:+31"]);
    let now = Timestamp::now();
    let again = redis.join(told(&beside, Some("conv:b"))).await.unwrap();
    assert!(again.kept_apart && again.id == split, "{again:?}");
    let join = Join {
        claim: Claim::Operator,
        ..told(&beside, None)
    };
    let operator = redis.join(join).await.unwrap();
    assert_eq!(
        (operator.id.as_str(), operator.absorbed),
        (one.as_str(), vec![split])
    );
    assert!(redis.identity(&one).await.unwrap().pinned.is_empty());

    let all = names(&["tel:+31", "lid:1"]);
    assert_eq!(
        redis.split(&all, "", now).await.unwrap(),
        None,
        "nobody would be left"
    );
    assert_eq!(
        redis.split(&names(&["nobody"]), "", now).await.unwrap(),
        None
    );
}

/// Many webhooks at once, each of which knows two names of a chain.
#[tokio::test]
async fn a_chain_of_evidence_at_once_ends_as_one_person() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let links = (0..12).map(|n| {
        let redis = redis.clone();
        async move {
            let (one, other) = (format!("n{n}"), format!("n{}", n + 1));
            for _ in 0..3 {
                joined(&redis, &[&one, &other], "conv:chain").await;
            }
        }
    });
    join_all(links).await;
    let all: Vec<String> = (0..=12).map(|n| format!("n{n}")).collect();
    let owners: BTreeSet<_> = redis
        .identities_of(&all)
        .await
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(owners.len(), 1, "{owners:?}");
    let person = redis
        .identity(owners.into_iter().flatten().next().unwrap().as_str())
        .await
        .unwrap();
    assert_eq!(person.names.len(), 14);
}

/// Chatwoot that is set up anew numbers its conversations from 1.
#[tokio::test]
async fn a_conversation_that_somebody_else_has_now_joins_nobody() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let first = joined(&redis, &["tel:+31"], "conv:chatwoot:1:1").await;
    let second = joined(&redis, &["tel:+32"], "conv:chatwoot:1:1").await;
    assert_ne!(first, second);
    assert_eq!(known(&redis, &first).await, ["tel:+31".to_owned()].into());
    assert_eq!(known(&redis, &second).await.len(), 2);
}

#[tokio::test]
async fn every_change_of_a_person_is_a_new_revision() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    joined(&redis, &["a", "b"], "conv:a").await;
    let id = joined(&redis, &["a", "c"], "conv:c").await;
    let before = redis.identity(&id).await.unwrap().revision;
    let split = redis.split(&names(&["c"]), "split", Timestamp::now()).await;
    for id in [id, split.unwrap().unwrap()] {
        assert!(redis.identity(&id).await.unwrap().revision > before);
    }
}

#[tokio::test]
async fn a_note_about_a_contact_never_replaces_a_newer_one() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let note = async |value, number| redis.note_contact("c", "f", value, number).await.unwrap();
    assert!(note(Some("2000"), 2_000).await);
    assert!(!note(Some("1000"), 1_000).await && !note(None, 1_999).await);
    assert_eq!(server.run::<String>(&["HGET", "contact:c", "f"]), "2000");
    assert!(note(Some("2001 {}"), 2_001).await && note(None, 2_001).await);
    assert!(!server.run::<bool>(&["EXISTS", "contact:c"]));
}
