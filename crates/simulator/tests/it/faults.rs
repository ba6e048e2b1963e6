use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use simulator::{Fault, FaultRule, Provider};

use crate::support::{ACCOUNT, CUSTOMER, NUMBER, PATIENCE, Rig, TOKEN, json};

impl Rig {
    /// The next Twilio message meets this fault.
    async fn order(&self, fault: Value) {
        let rule = json!({
            "provider": "twilio", "endpoint": "send", "times": 1, "fault": fault,
        });
        let (status, answer) = self.command("/simulator/faults", &rule).await;
        assert_eq!(status, 201, "{answer}");
    }
}

#[tokio::test]
async fn an_error_is_refused_with_its_code() {
    let rig = Rig::start();
    rig.order(json!({ "kind": "error", "status": 400, "code": 21610 }))
        .await;
    let (status, error) = json(rig.send("x")).await;
    assert_eq!((status, &error["code"]), (400, &json!(21_610)));
    assert_eq!(rig.accepted(), 0);
    assert_eq!(rig.simulator.stats().senders[0].refused["21610"], 1);
    assert_eq!(json(rig.send("x")).await.0, 201);
}

#[tokio::test]
async fn too_many_requests_come_with_and_without_retry_after() {
    let rig = Rig::start();
    for (fault, expected) in [
        (
            json!({ "kind": "rate_limited", "retry_after_secs": 7 }),
            Some("7"),
        ),
        (json!({ "kind": "rate_limited" }), None),
    ] {
        rig.order(fault).await;
        let response = rig.send("x").send().await.unwrap();
        assert_eq!(response.status(), 429);
        let header = response.headers().get("retry-after");
        assert_eq!(header.map(|value| value.to_str().unwrap()), expected);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["code"], 20_429);
    }
    assert_eq!(rig.accepted(), 0);
}

#[tokio::test]
async fn server_errors_have_every_form_and_may_accept() {
    let rig = Rig::start();
    for (fault, status, start, accepted) in [
        (json!({ "kind": "server_error" }), 500, "{", 0),
        (
            json!({ "kind": "server_error", "status": 502, "body": "html" }),
            502,
            "<html>",
            0,
        ),
        (
            json!({ "kind": "server_error", "status": 503, "body": "empty" }),
            503,
            "",
            0,
        ),
        (
            json!({ "kind": "server_error", "status": 500, "accept": true }),
            500,
            "{",
            1,
        ),
    ] {
        rig.order(fault.clone()).await;
        let response = rig.send("x").send().await.unwrap();
        assert_eq!(response.status(), status, "{fault}");
        let body = response.text().await.unwrap();
        assert!(
            body.starts_with(start) && body.is_empty() == start.is_empty(),
            "{body}"
        );
        assert_eq!(rig.accepted(), accepted, "{fault}");
    }
}

#[tokio::test]
async fn answers_of_accepted_messages_come_garbled() {
    let rig = Rig::start();
    rig.order(json!({ "kind": "empty_body" })).await;
    let response = rig.send("x").send().await.unwrap();
    assert_eq!(response.status(), 201);
    assert_eq!(response.text().await.unwrap(), "");

    rig.order(json!({ "kind": "wrong_types" })).await;
    let (status, message) = json(rig.send("x")).await;
    assert_eq!(status, 201);
    assert!(
        message["sid"].is_number() && message["price"].is_array(),
        "{message}"
    );

    rig.order(json!({ "kind": "wrong_status" })).await;
    let (status, message) = json(rig.send("x")).await;
    assert_eq!(status, 200);
    assert!(message["sid"].is_string());

    assert_eq!(rig.accepted(), 3);
}

#[tokio::test]
async fn a_redirect_accepts_nothing_until_somebody_follows_it() {
    let rig = Rig::start();
    let rule = json!({ "endpoint": "send", "fault": { "kind": "redirect" } });
    rig.command("/simulator/faults", &rule).await;
    let response = rig.send("x").send().await.unwrap();
    assert_eq!(response.status(), 307);
    let location = response.headers()["location"].to_str().unwrap();
    assert_eq!(rig.accepted(), 0);
    let followed = rig
        .http
        .post(rig.url(location))
        .basic_auth(ACCOUNT, Some(TOKEN))
        .form(&[("From", NUMBER), ("To", CUSTOMER), ("Body", "x")]);
    assert_eq!(json(followed).await.0, 201);
    assert_eq!(rig.accepted(), 1);
}

#[tokio::test]
async fn a_huge_body_is_streamed_to_its_last_byte() {
    const BYTES: u64 = 50 * 1024 * 1024;
    let rig = Rig::start();
    rig.order(json!({ "kind": "huge_body", "bytes": BYTES }))
        .await;
    let mut response = rig.send("x").send().await.unwrap();
    assert_eq!(response.content_length(), Some(BYTES));
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes += chunk.len() as u64;
    }
    assert_eq!(bytes, BYTES);
    assert_eq!(rig.accepted(), 1);
}

#[tokio::test]
async fn a_slow_answer_is_accepted_before_it_is_given() {
    let rig = Rig::start();
    rig.order(json!({ "kind": "delay", "ms": 3_600_000 })).await;
    tokio::select! {
        answer = rig.send("x").send() => panic!("answered early: {answer:?}"),
        sent = rig.simulator.wait_for_sent(CUSTOMER, 1, PATIENCE) => assert_eq!(sent.len(), 1),
    }
    rig.order(json!({ "kind": "delay", "ms": 1 })).await;
    assert_eq!(json(rig.send("x")).await.0, 201);
    assert_eq!(rig.accepted(), 2);
}

#[tokio::test]
async fn silence_leaves_the_client_to_give_up() {
    let rig = Rig::start();
    for (accept, accepted) in [(true, 1), (false, 1)] {
        rig.order(json!({ "kind": "timeout", "accept": accept }))
            .await;
        let request = rig.send("x").timeout(Duration::from_secs(2));
        assert!(request.send().await.unwrap_err().is_timeout());
        assert_eq!(rig.accepted(), accepted);
    }
}

/// What a bare socket reads after a send: the bytes, and the error that ended them.
fn read_raw(rig: &Rig) -> (Vec<u8>, Option<std::io::ErrorKind>) {
    let mut socket = TcpStream::connect(rig.simulator.address()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let login = base64::engine::general_purpose::STANDARD.encode(format!("{ACCOUNT}:{TOKEN}"));
    let body = "From=whatsapp%3A%2B14155238886&To=whatsapp%3A%2B31612345678&Body=x";
    let request = format!(
        "POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1\r\nHost: twilio\r\n\
         Authorization: Basic {login}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let error = socket.read_to_end(&mut bytes).err();
    (bytes, error.map(|error| error.kind()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_breaks_the_connection_without_a_byte() {
    let rig = Rig::start();
    for (accept, accepted) in [(true, 1), (false, 1)] {
        rig.order(json!({ "kind": "reset", "accept": accept }))
            .await;
        let (bytes, error) = tokio::task::block_in_place(|| read_raw(&rig));
        assert_eq!(bytes, b"");
        assert_eq!(error, Some(std::io::ErrorKind::ConnectionReset));
        assert_eq!(rig.accepted(), accepted);
    }
    rig.order(json!({ "kind": "reset" })).await;
    let error = rig.send("x").send().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    assert_eq!(
        json(rig.send("x")).await.0,
        201,
        "the next connection is sound"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_in_the_middle_comes_after_the_first_bytes() {
    let rig = Rig::start();
    rig.order(json!({ "kind": "reset_mid_body", "after_bytes": 5 }))
        .await;
    let (bytes, error) = tokio::task::block_in_place(|| read_raw(&rig));
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 201 Created\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n{\"acc"), "{text}");
    assert_eq!(error, Some(std::io::ErrorKind::ConnectionReset));
    assert_eq!(rig.accepted(), 1);
}

#[tokio::test]
async fn a_stall_starts_an_answer_and_never_ends_it() {
    let rig = Rig::start();
    rig.order(json!({ "kind": "stall", "after_bytes": 9 }))
        .await;
    let request = rig.send("x").timeout(Duration::from_secs(2));
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 201);
    let start = response.chunk().await.unwrap().unwrap();
    assert_eq!(&start[..], b"{\"account");
    assert!(response.chunk().await.unwrap_err().is_timeout());
    assert_eq!(rig.accepted(), 1);
}

#[tokio::test]
async fn a_stale_list_does_not_know_the_newest_messages() {
    let rig = Rig::start();
    assert_eq!(json(rig.send("x")).await.0, 201);
    let rule = json!({
        "provider": "twilio", "endpoint": "list", "times": 1,
        "fault": { "kind": "stale", "lag_ms": 3_600_000 },
    });
    rig.command("/simulator/faults", &rule).await;
    let (_, stale) = json(rig.twilio_get("Messages.json")).await;
    assert_eq!(stale["messages"], json!([]));
    let (_, fresh) = json(rig.twilio_get("Messages.json")).await;
    assert_eq!(fresh["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn faults_are_listed_with_what_they_did_and_taken_back() {
    let rig = Rig::start();
    let rules = json!([
        { "provider": "twilio", "match": { "to": "+31612345678" },
          "fault": { "kind": "server_error" } },
        { "provider": "waha", "fault": { "kind": "timeout" } },
    ]);
    let (status, added) = rig.command("/simulator/faults", &rules).await;
    assert_eq!((status, added), (201, json!({ "ids": [1, 2] })));
    assert_eq!(json(rig.send("x")).await.0, 500);
    let listed = rig.ask("/simulator/faults").await;
    assert_eq!(listed["faults"][0]["struck"], 1);
    assert_eq!(listed["faults"][0]["fault"]["kind"], "server_error");
    assert_eq!(listed["faults"][1]["fitted"], 0);

    let delete = |path: &str| rig.http.delete(rig.url(path));
    assert_eq!(json(delete("/simulator/faults/1")).await.0, 204);
    assert_eq!(json(delete("/simulator/faults/1")).await.0, 404);
    assert_eq!(json(rig.send("x")).await.0, 201);
    assert_eq!(json(delete("/simulator/faults")).await.0, 204);
    assert_eq!(rig.ask("/simulator/faults").await, json!({ "faults": [] }));
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused_by_name() {
    let rig = Rig::start();
    for (rule, word) in [
        (json!({ "fault": { "kind": "gremlins" } }), "gremlins"),
        (json!({ "times": 1 }), "fault"),
        (
            json!({ "probability": 2, "fault": { "kind": "timeout" } }),
            "probability",
        ),
        (
            json!({ "fault": { "kind": "error", "status": 99 } }),
            "status",
        ),
        (
            json!({ "fault": { "kind": "delivery", "drop": 7 } }),
            "drop",
        ),
    ] {
        let (status, answer) = rig.command("/simulator/faults", &rule).await;
        assert_eq!(status, 400, "{rule}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
}

#[tokio::test]
async fn every_provider_is_rate_limited_in_its_own_words() {
    let rig = Rig::start();
    let fault = Fault::RateLimited {
        retry_after_secs: None,
    };
    rig.simulator.add_fault(FaultRule::always(fault)).unwrap();
    let waha = rig
        .http
        .post(rig.url("/api/sendText"))
        .header("x-api-key", "fake-waha-key")
        .json(&json!({ "session": "default", "chatId": "31612345678@c.us", "text": "x" }));
    let (status, error) = json(waha).await;
    assert_eq!((status, &error["statusCode"]), (429, &json!(429)));
    let model = rig
        .http
        .post(rig.url("/v1/chat/completions"))
        .json(&json!({ "model": "m", "messages": [] }));
    let (status, error) = json(model).await;
    assert_eq!(status, 429);
    assert_eq!(error["error"]["code"], "rate_limit_exceeded");
}

#[tokio::test]
async fn chances_leave_the_count_of_accepted_messages_exact() {
    let rig = Rig::start();
    let rule = |fault: Fault, seed: u64| FaultRule {
        times: None,
        probability: Some(0.2),
        seed,
        ..FaultRule::for_sends(Provider::Twilio, 0, fault)
    };
    let after = json!({ "kind": "server_error", "accept": true });
    let after: Fault = serde_json::from_value(after).unwrap();
    let before = serde_json::from_value(json!({ "kind": "server_error" })).unwrap();
    rig.simulator.add_fault(rule(after, 1)).unwrap();
    rig.simulator.add_fault(rule(before, 2)).unwrap();
    let mut succeeded = 0;
    for number in 0..100 {
        let (status, _) = json(rig.send(&number.to_string())).await;
        succeeded += u64::from(status == 201);
    }
    let faults = rig.simulator.faults();
    let (after, before) = (faults[0].struck, faults[1].struck);
    assert!(after > 0 && before > 0);
    assert_eq!(succeeded + after + before, 100);
    assert_eq!(rig.accepted(), succeeded + after);
    assert_eq!(rig.simulator.stats().senders[0].refused["500"], before);
}
