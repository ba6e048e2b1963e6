use serde_json::{Value, json};
use test_support::RedisServer;

use super::{item, mark, messages, minutes, page, runs, start, until_ran};
use crate::provider::{Asked, Bytes, Provider, json, raw};
use crate::signing::ACCOUNT;
use crate::support::stream;

fn photo(sid: &str, from: &str, ago: i64) -> Value {
    let mut photo = item(sid, "", minutes(ago));
    photo["num_media"] = json!("1");
    photo["from"] = json!(from);
    photo
}

/// A provider whose media calls fail at first holds nobody else up.
#[tokio::test]
async fn a_file_that_cannot_be_had_now_is_asked_for_again_and_then_left_out() {
    let redis = RedisServer::start();
    mark(&redis, minutes(60));
    let (anna, bram) = ("whatsapp:+31611111111", "whatsapp:+31622222222");
    let mut after = item("SM3", "en dit hoort erbij", minutes(7));
    after["from"] = json!(anna);
    let items = [
        item("SM4", "heel iets anders", minutes(6)),
        after,
        photo("MM2", bram, 8),
        photo("MM1", anna, 9),
    ];
    let mut seen = 0;
    let provider = Provider::start(move |asked: &Asked| match asked.target.as_str() {
        path if path.ends_with("MM1/Media.json") => raw("503 Service Unavailable", "", "{}"),
        path if path.ends_with("MM2/Media.json") => {
            seen += 1;
            let media = json!([{ "sid": "ME1", "content_type": "image/jpeg" }]);
            match seen {
                1 => Bytes::new(),
                _ => json(&json!({ "media_list": media })),
            }
        }
        _ => page(&items),
    });
    let service = start(&redis, &provider);
    until_ran(&service, "complete").await;
    let entries = stream(&redis, "in:0");
    let ids: Vec<_> = entries.iter().map(|entry| entry.field("event")).collect();
    let expected = ["SM4", "MM2", "MM1", "SM3"].map(|sid| format!("twilio:message:{sid}"));
    assert_eq!(ids, expected);
    let kind = |n: usize| entries[n].payload()["attachments"][0]["content_type"].clone();
    assert_eq!(kind(1), "image/jpeg");
    assert_eq!(kind(2), "application/x-whatsapp-media");
    let counts = ["found", "incomplete"].map(|outcome| messages(&service, outcome));
    assert_eq!(counts, [4.0, 1.0]);
    assert_eq!(runs(&service, "status"), 2.0);
}

#[tokio::test]
async fn a_photo_is_asked_for_and_one_that_is_gone_is_still_a_message() {
    let redis = RedisServer::start();
    mark(&redis, minutes(60));
    let john = "whatsapp:+31612345678";
    let items = [photo("MM2", john, 5), photo("MM1", john, 6)];
    let media = |sid: &str| {
        json!([{ "sid": "ME1", "content_type": "image/jpeg",
            "uri": format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media/ME1.json") }])
    };
    let provider = Provider::start(move |asked: &Asked| match asked.target.as_str() {
        path if path.ends_with("MM1/Media.json") => json(&json!({ "media_list": media("MM1") })),
        path if path.ends_with("Media.json") => raw("404 Not Found", "", "{}"),
        _ => page(&items),
    });
    let service = start(&redis, &provider);
    until_ran(&service, "complete").await;
    let entries = stream(&redis, "in:0");
    let attachments = |n: usize| entries[n].payload()["attachments"][0].clone();
    assert_eq!(attachments(0)["content_type"], "image/jpeg");
    let url = format!(
        "{}/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1",
        provider.url
    );
    assert_eq!(attachments(0)["url"], url);
    assert_eq!(
        attachments(1)["content_type"],
        "application/x-whatsapp-media"
    );
}
