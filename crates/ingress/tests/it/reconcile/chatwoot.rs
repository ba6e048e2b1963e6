use jiff::Timestamp;
use serde_json::{Value, json};
use test_support::{RedisServer, eventually};

use super::{minutes, runs_of};
use crate::provider::{Asked, Provider, json, raw};
use crate::signing::{chatwoot, chatwoot_message};
use crate::support::{Service, config, stream};

/// The bot's conversations and their messages, which have less than an event: what the inbox proves of the
/// contact is asked for.
#[tokio::test]
async fn what_chatwoot_lost_is_found_in_the_bots_conversations() {
    let redis = RedisServer::start();
    let at = (Timestamp::now() - minutes(10))
        .as_millisecond()
        .to_string();
    redis.run::<()>(&["SET", "compare:until:chatwoot:1", &at]);
    let second = |ago: i64| (Timestamp::now() - minutes(ago)).as_second();
    let contact = json!({ "id": 7, "name": "John Doe", "phone_number": null, "type": "contact" });
    let message = |id: u64, ago: i64, kind: u64| {
        json!({ "id": id, "content": format!("nummer {id}"), "message_type": kind, "private": false,
            "content_type": "text", "content_attributes": {}, "created_at": second(ago), "sender": contact })
    };
    let came_at = second(3);
    let conversation = |id: u64, inbox: u64, ago: i64| {
        json!({ "id": id, "status": "pending", "inbox_id": inbox, "last_activity_at": second(ago),
            "created_at": second(60 * 24 * 9),
            "meta": { "sender": contact, "channel": "Channel::TwilioSms", "assignee": null } })
    };
    let conversations = json!([
        conversation(44, 6, 2),
        conversation(42, 5, 3),
        conversation(43, 5, 60 * 30),
    ]);
    let messages = json!([
        message(1000, 60 * 30, 0),
        message(1001, 6, 0),
        message(1002, 5, 1),
        message(1003, 3, 0),
    ]);
    let inboxes = json!([
        { "source_id": "another", "inbox": { "id": 4 } },
        { "source_id": "whatsapp:+31612345678", "inbox": { "id": 5 } },
    ]);
    let provider = Provider::start(move |asked: &Asked| {
        let path = asked.target.strip_prefix("/api/v1/accounts/1/");
        match path.unwrap_or_default() {
            "conversations/42/messages" => json(&json!({ "meta": {}, "payload": messages })),
            "contacts/7" => json(&json!({ "payload": { "id": 7, "contact_inboxes": inboxes } })),
            list if list.starts_with("conversations?status=pending&") => {
                let first = list.ends_with("page=1");
                let page = if first {
                    conversations.clone()
                } else {
                    json!([])
                };
                json(&json!({ "data": { "meta": {}, "payload": page } }))
            }
            _ => raw("404 Not Found", "", "{}"),
        }
    });
    let url = redis.url();
    let service = Service::start(config(
        &url,
        &[
            "--chatwoot-base-url",
            &provider.url,
            "--chatwoot-read-token",
            "fake-chatwoot-user-token",
            "--chatwoot-account-id",
            "1",
            "--chatwoot-inbox-ids",
            "4,5",
            "--reconcile-interval-secs",
            "1",
        ],
    ));
    let mut came = chatwoot_message(1003, "nummer 1003");
    came["created_at"] = json!(Timestamp::from_second(came_at).unwrap().to_string());
    // Whichever is first, the other is a repetition.
    assert_eq!(chatwoot(came.to_string()).send(service.port).status, 200);
    eventually(async || match runs_of(&service, "chatwoot:1", "complete") {
        ran if ran > 0.0 => Ok(()),
        ran => Err(format!("{ran} {:?}", provider.asked())),
    })
    .await;
    let entries = stream(&redis, "in:0");
    let mut ids: Vec<Value> = entries.iter().map(|e| e.payload()["id"].clone()).collect();
    ids.sort_by_key(Value::to_string);
    assert_eq!(ids, [json!("1001"), json!("1003")]);
    let lost = entries.iter().find(|entry| entry.payload()["id"] == "1001");
    let lost = lost.unwrap().payload();
    assert_eq!(
        (&lost["late"], &lost["content"]),
        (&json!(true), &json!("nummer 1001"))
    );
    assert_eq!(lost["conversation"]["id"], "chatwoot:1:42");
    assert_eq!(lost["sender"]["id"], "whatsapp:+31612345678");
    assert_eq!(lost["endpoint"]["conversation_id"], 42);
    let asked = provider.asked();
    assert!(
        asked
            .iter()
            .all(|asked| !asked.target.contains("/43/") && !asked.target.contains("/44/")),
        "{asked:?}"
    );
}
