//! What Gotify and Apprise are sent, beside what another client of theirs sends: the package `apprise`, which
//! has one for either.

use std::process::Command;

use serde_json::{Map, Value};

use super::{Office, Receiver, header, python};

/// Says what both services want to hear: JSON.
const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
const NO_SUCH_KEY: &str =
    "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The request of the other client to this address of its own kind.
fn others(receiver: &Receiver, url: &str) -> (String, Map<String, Value>) {
    let script = "
import sys, apprise
client = apprise.Apprise()
assert client.add(sys.argv[1]), 'no such address'
assert client.notify(title='Titel', body='Tekst', notify_type='warning', body_format='text'), 'refused'
";
    let mut command = Command::new(python());
    let sent = command.args(["-c", script, url]).output().unwrap();
    assert!(sent.status.success(), "{sent:?}");
    request(receiver)
}

/// The newest request.
fn request(receiver: &Receiver) -> (String, Map<String, Value>) {
    let (head, body) = receiver.seen().pop().unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    (head, body.as_object().unwrap().clone())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Object(_) => "object",
        _ => "other",
    }
}

async fn settings_of(preset: &str, url: String, token: &str) -> Office {
    Office::new(vec![
        ("NOTICE_HTTP_PRESET", preset.to_owned()),
        ("NOTICE_HTTP_URL", url),
        ("NOTICE_HTTP_TOKEN", token.to_owned()),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gotify_and_apprise_are_asked_as_another_client_asks_them() {
    let receiver = Receiver::start(&[TAKEN]);
    let port = receiver.port;
    for (preset, url, theirs, token, auth) in [
        (
            "gotify",
            format!("http://127.0.0.1:{port}/"),
            format!("gotify://127.0.0.1:{port}/AbCdEf123456789"),
            "AbCdEf123456789",
            "x-gotify-key",
        ),
        (
            "apprise",
            format!("http://127.0.0.1:{port}/notify/balie"),
            format!("apprise://anna:geheim@127.0.0.1:{port}/balie?method=json&version=1"),
            "anna:geheim",
            "authorization",
        ),
    ] {
        let office = settings_of(preset, url, token).await;
        let (their_head, their_body) = others(&receiver, &theirs);
        let (arrived, said) = office.worker(&["notices", "test", preset]);
        assert!(arrived, "{preset}: {said}");
        let (our_head, our_body) = request(&receiver);
        let path = |head: &str| {
            let line = header(head, "request");
            line.trim_end_matches('/').replace("/ ", " ")
        };
        assert_eq!(path(&our_head), path(&their_head), "{preset}");
        assert_eq!(
            header(&our_head, auth),
            header(&their_head, auth),
            "{preset}"
        );
        assert!(header(&our_head, "content-type").starts_with("application/json"));
        for (name, value) in &their_body {
            let ours = our_body.get(name).unwrap_or(&Value::Null);
            assert_eq!(kind(ours), kind(value), "{preset}: {name} of {our_body:?}");
        }
        let words = ["info", "success", "warning", "failure"];
        let urgency = our_body.get("type").and_then(Value::as_str);
        assert!(
            urgency.is_none_or(|word| words.contains(&word)),
            "{urgency:?}"
        );
    }
}

/// Apprise says 204 of a key that it does not have: nobody was told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_apprise_does_not_have_is_named() {
    let receiver = Receiver::start(&[NO_SUCH_KEY]);
    let url = format!("http://127.0.0.1:{}/notify/weg", receiver.port);
    let office = settings_of("apprise", url, "tk_1").await;
    let (arrived, said) = office.worker(&["notices", "test", "apprise"]);
    assert!(!arrived && said.contains("204"), "{said}");
    let (head, _) = request(&receiver);
    assert_eq!(header(&head, "authorization"), "Bearer tk_1");
}
