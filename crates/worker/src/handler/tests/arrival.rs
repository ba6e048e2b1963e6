//! Something comes into stock that the customer looked for in vain.

use std::path::Path;

use ::stock::{Item, Status, Stock};
use crm::KeptFeed;
use shared_types::StockArrival;

use super::*;
use crate::stock::{SHIPPED, Shelf, from_file};

const CONVERSATION: &str = "whatsapp:+31612345678";

/// A worker of a business that is always open.
fn worker(redis: &Redis, metrics: &mut Metrics, shelf: &Shelf) -> Inbound {
    let mut handler = healthy(redis, metrics, Duration::ZERO);
    let mut domain = Domain::embedded().unwrap();
    domain.business.hours = crate::domain::Hours::default();
    handler.turns.domain = Arc::new(domain);
    handler.turns.shelf = shelf.clone();
    handler
}

fn stock(wanted: impl Fn(&Item) -> bool) -> Stock {
    let domain = Domain::embedded().unwrap();
    let all = from_file(&domain, Path::new(SHIPPED)).unwrap();
    let items = all.items().iter().filter(|item| wanted(item)).cloned();
    let schema = Arc::clone(&domain.stock.as_ref().unwrap().feeds.schema);
    Stock::new(schema, items.collect())
}

/// What the shipped feed is at that revision.
fn feed(revision: i64) -> KeptFeed {
    KeptFeed {
        name: SHIPPED.into(),
        origin: "feed".into(),
        etag: None,
        last_modified: None,
        tried_at: None,
        read_at: None,
        outcome: "changed".into(),
        detail: None,
        revision,
        items: 0,
    }
}

fn arrival(item: &str) -> NewEntry {
    let arrival = StockArrival {
        conversation_id: CONVERSATION.parse().unwrap(),
        feed: SHIPPED.into(),
        item: item.into(),
        revision: 2,
        at: Timestamp::now(),
    };
    let event = format!("stock:shipped:{item}:{CONVERSATION}");
    NewEntry::new(&arrival, event, CONVERSATION).unwrap()
}

async fn idle(redis: &Redis) -> Result<(), String> {
    match redis.backlog(Queue::Inbound, 0).await.unwrap().entries {
        0 => Ok(()),
        left => Err(format!("{left} entries left")),
    }
}

/// Who looked for a Golf when there was none, and what is said when some come in. `meanwhile` happens before
/// they do.
async fn told(meanwhile: impl FnOnce(&RedisServer)) -> Vec<OutboundMessage> {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let shelf = Shelf::of(stock(|item| !item.title.contains("Golf")));
    let handler = worker(&redis, &mut metrics, &shelf);
    works(&redis, handler, async || idle(&redis).await).await;
    meanwhile(&server);
    shelf.put(stock(|_| true));
    shelf.is_of(&[feed(2)]);
    for item in ["D003", "D004"] {
        take_in(&redis, &arrival(item)).await;
    }
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let handler = worker(&redis, &mut metrics, &shelf);
    work(&redis, handler, async || idle(&redis).await).await;
    let mut said = replies(&server);
    said.drain(..1);
    said
}

#[tokio::test]
async fn the_customer_is_told_of_one_thing_a_day() {
    let told = told(|_| {}).await;
    let [reply] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(
        reply.text.contains("past bij wat u zocht") && reply.text.contains("11.950"),
        "{}",
        reply.text
    );
    assert_eq!(
        (reply.purpose, reply.to.as_str()),
        (Purpose::Reply, CONVERSATION)
    );
    assert_eq!(reply.colleague_seen.as_deref(), Some("0-0"));
    assert!(reply.picture.as_ref().unwrap().url.ends_with("d003-1.jpg"));
}

#[tokio::test]
async fn nobody_is_told_who_wants_no_messages_has_a_colleague_chose_another_or_wrote_a_day_ago() {
    let conversation = format!("conv:{CONVERSATION}");
    let set = |server: &RedisServer, key: &str, field: &str, value: &str| {
        server.run::<u32>(&["HSET", key, field, value]);
    };
    let yesterday = Timestamp::now().as_millisecond() - 24 * 3_600 * 1_000;
    let with_human = |server: &RedisServer| {
        let memory: String = server.run(&["HGET", &conversation, "memory"]);
        let mut memory: Value = serde_json::from_str(&memory).unwrap();
        memory["human_until"] = json!("2999-01-01T00:00:00Z");
        set(server, &conversation, "memory", &memory.to_string());
    };
    assert!(told(with_human).await.is_empty());
    let chosen = |server: &RedisServer| {
        let memory: String = server.run(&["HGET", &conversation, "memory"]);
        let mut memory: Value = serde_json::from_str(&memory).unwrap();
        memory["stock"]["chosen"] = json!({"source": "shipped", "id": "D007", "title": "Polo"});
        set(server, &conversation, "memory", &memory.to_string());
    };
    assert!(told(chosen).await.is_empty());
    let contact = format!("contact:{CONVERSATION}");
    let opted_out =
        |server: &RedisServer| set(server, &contact, "opted_out", &yesterday.to_string());
    assert!(told(opted_out).await.is_empty());
    let long_ago =
        |server: &RedisServer| set(server, &conversation, "last_in", &yesterday.to_string());
    assert!(told(long_ago).await.is_empty());
}

#[tokio::test]
async fn what_changed_is_judged_when_the_stock_of_this_worker_is_as_new() {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let shelf = Shelf::of(stock(|item| !item.title.contains("Golf")));
    let handler = worker(&redis, &mut metrics, &shelf);
    works(&redis, handler, async || idle(&redis).await).await;
    // Another worker knows that it is free again.
    let mut before: Vec<Item> = stock(|_| true).items().to_vec();
    for item in &mut before {
        item.status = Status::Reserved;
    }
    let domain = Domain::embedded().unwrap();
    let schema = Arc::clone(&domain.stock.as_ref().unwrap().feeds.schema);
    shelf.put(Stock::new(schema, before));
    shelf.is_of(&[feed(1)]);
    take_in(&redis, &arrival("D003")).await;
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let handler = worker(&redis, &mut metrics, &shelf);
    let after = std::cell::Cell::new(Some(stock(|_| true)));
    let follows = async || {
        let starts: Vec<String> = server.run(&["HVALS", "att:0"]);
        let is_second = |start: &String| start.split(' ').nth(1) == Some("2");
        if starts.iter().any(is_second)
            && let Some(after) = after.take()
        {
            shelf.put(after);
            shelf.is_of(&[feed(2)]);
        }
        idle(&redis).await
    };
    work(&redis, handler, follows).await;
    let said = replies(&server);
    assert!(
        said.last().unwrap().text.contains("past bij wat u zocht"),
        "{said:?}"
    );
}

/// Lets a worker whose stock never follows take an arrival.
async fn unjudged(change: impl FnOnce(&mut Inbound)) {
    let server = RedisServer::start();
    let redis = redis_at(&server);
    let mut metrics = Metrics::new("worker", "0").unwrap();
    let shelf = Shelf::of(stock(|_| true));
    let mut handler = worker(&redis, &mut metrics, &shelf);
    change(&mut handler);
    take_in(&redis, &arrival("D003")).await;
    let config = ConsumerConfig {
        max_attempts: 2,
        ..ConsumerConfig::new(Queue::Inbound, MemberId::unique("test"))
    };
    work_as(&redis, config, handler, async || idle(&redis).await).await;
    let page = metrics.page().unwrap();
    let counted = "postduif_stock_arrivals_total{outcome=\"unjudged\"} 1";
    assert!(page.contains(counted), "{page}");
    assert!(replies(&server).is_empty());
}

#[tokio::test]
async fn what_is_newer_than_the_stock_of_this_worker_holds_up_nobody_for_ever() {
    unjudged(|_| {}).await;
}

#[tokio::test]
async fn what_a_domain_without_stock_cannot_judge_holds_up_nobody() {
    unjudged(|handler| {
        let mut domain = Domain::embedded().unwrap();
        domain.stock = None;
        handler.turns.domain = Arc::new(domain);
    })
    .await;
}
