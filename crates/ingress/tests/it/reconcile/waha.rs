use jiff::Timestamp;
use serde_json::{Value, json};
use test_support::{RedisServer, eventually};

use super::{minutes, runs_of};
use crate::provider::{Asked, Provider, json, raw};
use crate::signing::{waha, waha_message};
use crate::support::{Service, config, stream};

/// WAHA's chats and messages: the newest first, until what was compared before.
#[tokio::test]
async fn what_waha_lost_is_found_in_its_chats() {
    const MARK: &str = "compare:until:waha:default";
    let redis = RedisServer::start();
    let at = (Timestamp::now() - minutes(10))
        .as_millisecond()
        .to_string();
    redis.run::<()>(&["SET", MARK, &at]);
    let second = |ago: i64| (Timestamp::now() - minutes(ago)).as_second();
    let message = |key: &str, ago: i64, more: Value| {
        let mut message = json!({
            "id": format!("false_31612345678@c.us_{key}"), "timestamp": second(ago),
            "from": "31612345678@c.us", "fromMe": false, "body": key, "hasMedia": false,
            "_data": {"notifyName": "John Doe"},
        });
        for (name, value) in more.as_object().unwrap() {
            message[name] = value.clone();
        }
        message
    };
    let photo = json!({ "hasMedia": true, "media": null, "body": "" });
    let file = json!({ "hasMedia": true, "body": "",
        "media": { "url": "http://waha/files/1.jpg", "mimetype": "image/jpeg" } });
    let messages = json!([
        message("CAME", 3, json!({})),
        message("OURS", 4, json!({ "fromMe": true })),
        message("PHOTO", 5, photo),
        message("LOST", 6, json!({})),
        message("OLD", 60 * 30, json!({})),
    ]);
    let whole = message("PHOTO", 5, file);
    let chats = json!([
        { "id": { "_serialized": "31612345678@c.us" }, "timestamp": second(3) },
        { "id": "120363@g.us", "conversationTimestamp": second(4) },
        { "id": "31687654321@c.us", "timestamp": second(60 * 30) },
    ]);
    let provider = Provider::start(move |asked: &Asked| {
        let target = asked.target.as_str();
        if !target.starts_with("/api/default/chats") {
            return raw("404 Not Found", "", "{}");
        }
        match target {
            path if path.contains("PHOTO") => json(&whole),
            path if path.contains("/messages") => json(&messages),
            path if path.contains("offset=0") => json(&chats),
            _ => json(&json!([])),
        }
    });
    let url = redis.url();
    let service = Service::start(config(
        &url,
        &[
            "--waha-base-url",
            &provider.url,
            "--waha-api-key",
            "fake-waha-key",
            "--reconcile-interval-secs",
            "1",
            "--reconcile-settle-secs",
            "0",
        ],
    ));
    let mut came = waha_message("CAME", "CAME");
    came["payload"]["timestamp"] = json!(second(3));
    // Whichever is first, the other is a repetition.
    assert_eq!(waha(came.to_string()).send(service.port).status, 200);
    eventually(
        async || match runs_of(&service, "waha:default", "complete") {
            ran if ran > 0.0 => Ok(()),
            ran => Err(format!("{ran} {:?}", provider.asked())),
        },
    )
    .await;
    let entries = stream(&redis, "in:0");
    let mut events: Vec<_> = entries
        .iter()
        .map(|e| e.field("event").to_owned())
        .collect();
    events.sort();
    let expected = ["CAME", "LOST", "PHOTO"].map(|key| format!("waha:message:default:{key}"));
    assert_eq!(events, expected);
    let found = |key: &str| {
        let mut entries = entries.iter();
        let found = entries.find(|entry| entry.field("event").ends_with(key));
        found.unwrap().payload()
    };
    let lost = found("LOST");
    assert_eq!(
        (&lost["late"], &lost["content"]),
        (&json!(true), &json!("LOST"))
    );
    assert_eq!(lost["conversation"]["id"], "waha:default:31612345678@c.us");
    assert_eq!(lost["sender"]["name"], "John Doe");
    assert_eq!(
        found("PHOTO")["attachments"][0]["url"],
        "http://waha/files/1.jpg"
    );
    let asked = provider.asked();
    assert!(
        asked
            .iter()
            .all(|asked| !asked.target.contains("31687654321")),
        "{asked:?}"
    );
    assert!(
        asked.iter().all(|asked| !asked.target.contains("g.us")),
        "{asked:?}"
    );
}

/// More chats than one pass reads: each pass goes on where the one before broke off.
#[tokio::test]
async fn every_pass_over_many_chats_goes_further() {
    const CHATS: usize = 600;
    const LIST: &str = "waha:default";
    let redis = RedisServer::start();
    let until = (Timestamp::now() - minutes(10)).as_millisecond();
    let mark = format!("compare:until:{LIST}");
    redis.run::<()>(&["SET", &mark, &until.to_string()]);
    let second = (Timestamp::now() - minutes(5)).as_second();
    let provider = Provider::start(move |asked: &Asked| {
        let target = asked.target.as_str();
        let number = |name: &str| {
            let value = target.split(name).nth(1)?;
            value.split(['&', '/', '%']).next()?.parse::<usize>().ok()
        };
        let offset = number("offset=").unwrap();
        if target.contains("/messages") {
            let chat = number("/chats/").unwrap();
            let message = json!({
                "id": format!("false_{chat}@c.us_M{chat}"), "timestamp": second,
                "from": format!("{chat}@c.us"), "fromMe": false, "body": "Hoi",
            });
            return json(&json!(if offset == 0 { vec![message] } else { vec![] }));
        }
        let chats = (offset..CHATS.min(offset + 100))
            .map(|n| json!({ "id": format!("316{n:08}@c.us"), "timestamp": second }));
        json(&chats.collect())
    });
    let url = redis.url();
    let settings = [
        [
            "--waha-base-url",
            &provider.url,
            "--waha-api-key",
            "fake-waha-key",
        ],
        [
            "--reconcile-interval-secs",
            "1",
            "--reconcile-settle-secs",
            "0",
        ],
    ];
    let service = Service::start(config(&url, &settings.concat()));
    eventually(async || match runs_of(&service, LIST, "complete") {
        ran if ran > 0.0 => Ok(()),
        _ => Err(service.metrics()),
    })
    .await;
    assert!(runs_of(&service, LIST, "endless") >= 2.0);
    let mut events: Vec<_> = stream(&redis, "in:0")
        .iter()
        .map(|entry| entry.field("event").to_owned())
        .collect();
    events.sort();
    events.dedup();
    assert_eq!(events.len(), CHATS);
}
