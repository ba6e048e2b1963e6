//! Twilio's list of what was sent from a number: what neither egress sent nor anybody reported.

use serde_json::{Value, json};
use test_support::RedisServer;

use super::{NUMBER, item, mark_of, messages, minutes, page, runs_of, start_set};
use crate::provider::{Asked, Provider};
use crate::support::stream;
use jiff::SignedDuration;
use test_support::eventually;

const SENT: &str = "twilio:from:whatsapp:+14155238886";

fn sent(sid: &str, text: &str, ago: SignedDuration) -> Value {
    let mut item = item(sid, text, ago);
    item["direction"] = "outbound-api".into();
    item["from"] = NUMBER.into();
    item["to"] = "whatsapp:+31612345678".into();
    item
}

#[tokio::test]
async fn what_somebody_else_sent_is_a_colleagues_message_in_order_and_once() {
    let redis = RedisServer::start();
    mark_of(&redis, SENT, minutes(60 * 14));
    redis.run::<String>(&["SET", "sid:twilio:SM3", "ob_1"]);
    let items = [
        sent("SM4", "Tot morgen", minutes(3)),
        sent("SM3", "Ik ben de bot", minutes(4)),
        sent("SM2", "Kom gerust langs", minutes(5)),
        // Her words count however late they are found.
        sent("SM1", "Gisteren", minutes(60 * 13)),
    ];
    let provider = Provider::start(move |asked: &Asked| {
        let is_sent = asked.target.contains("?From=");
        page(if is_sent { &items } else { &[] })
    });
    let service = start_set(&redis, &provider, &[]);
    eventually(async || match runs_of(&service, SENT, "complete") {
        ran if ran > 1.0 => Ok(()),
        _ => Err(service.metrics()),
    })
    .await;
    let entries = stream(&redis, "in:0");
    let said: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.field("event").to_owned(),
                entry.payload()["content"].clone(),
            )
        })
        .collect();
    let expected = [
        ("SM1", "Gisteren"),
        ("SM2", "Kom gerust langs"),
        ("SM4", "Tot morgen"),
    ];
    let expected = expected.map(|(sid, text)| (format!("twilio:colleague:{sid}"), json!(text)));
    assert_eq!(said, expected);
    assert_eq!(messages(&service, "colleague"), 3.0);
    assert_eq!(messages(&service, "found"), 0.0, "no webhook was lost");
    let colleagues = "postduif_colleague_messages_total{on_the_wire=\"false\",source=\"twilio\"}";
    assert_eq!(service.metric(colleagues), 3.0);
}
