//! More lost messages than are held at once.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use test_support::{RedisServer, eventually_within};

use super::{item, mark, minutes, page, runs, start};
use crate::provider::{Asked, Provider, json};
use crate::signing::ACCOUNT;
use crate::support::stream;

/// A list with more lost messages than are held at once: handed over in parts, the oldest first.
#[tokio::test]
async fn however_many_were_lost_they_come_in_order() {
    const LOST: usize = 5_400;
    const PAGE: usize = 200;
    let redis = RedisServer::start();
    mark(&redis, minutes(200));
    // The newest first, one a second.
    let items: Vec<Value> = (0..LOST)
        .map(|n| {
            let ago = minutes(5) + SignedDuration::from_secs(n as i64);
            item(&format!("SM{n}"), "hoi", ago)
        })
        .collect();
    let provider = Provider::start(move |asked: &Asked| {
        if asked.target.contains("?From=") {
            return page(&[]);
        }
        let number = asked.target.split("&Page=").nth(1);
        let start: usize = number.and_then(|n| n.parse().ok()).unwrap_or(0) * PAGE;
        let end = LOST.min(start + PAGE);
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=x");
        let next = (end < LOST).then(|| format!("{path}&Page={}", end / PAGE));
        json(&json!({ "messages": items[start..end], "next_page_uri": next }))
    });
    let service = start(&redis, &provider);
    eventually_within(Duration::from_secs(90), async || {
        match runs(&service, "complete") {
            ran if ran > 0.0 => Ok(()),
            _ => Err(service.metrics()),
        }
    })
    .await;
    let entries = stream(&redis, "in:0");
    let ids: Vec<_> = entries
        .iter()
        .map(|entry| entry.field("event").to_owned())
        .collect();
    let expected = (0..LOST).rev().map(|n| format!("twilio:message:SM{n}"));
    assert!(ids.into_iter().eq(expected));
}
