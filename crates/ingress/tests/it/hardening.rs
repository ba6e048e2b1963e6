//! Limits of size and time, and what every answer has.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;

use serde_json::Value;
use test_support::eventually;

use crate::http::{Answer, Request, connect};
use crate::signing::{
    CHATWOOT, CHATWOOT_PATH_TOKEN, STATUS, WAHA, WHATSAPP, chatwoot, chatwoot_message,
    twilio_message, waha, waha_message,
};
use crate::support::{Rig, length};

#[test]
fn unknown_paths_are_404_without_detail() {
    let rig = Rig::start(&[]);
    for target in [
        "/",
        "/admin",
        "/webhooks",
        "/webhooks/",
        "/webhooks/twilio",
        "/webhooks/twilio/whatsapp/",
        "//webhooks/twilio/whatsapp",
        "/webhooks/chatwoot/",
        "/webhooks/chatwoot/a/b",
        "/webhooks/waha/../waha",
        "/.env",
        "/openapi.json/",
        "/health",
        "/%00",
    ] {
        for method in ["GET", "POST"] {
            let answer = Request::new(method, target).send(rig.port());
            assert_eq!(
                answer.outcome(),
                (404, "not_found".into()),
                "{method} {target}"
            );
            assert_eq!(answer.json()["error"]["message"], "there is nothing here");
        }
    }
}

#[test]
fn webhooks_of_providers_that_are_not_configured_do_not_exist() {
    let redis = test_support::RedisServer::start();
    let mut config = crate::support::config(&redis.url(), &[]);
    config.waha.waha_webhook_secret = None;
    config.chatwoot.chatwoot_path_token = None;
    config.twilio.twilio_auth_token = None;
    let ingress = crate::support::Service::start(config);
    for target in [WHATSAPP, STATUS, WAHA, "/webhooks/chatwoot/token"] {
        assert_eq!(
            Request::post(target, "{}").send(ingress.port).status,
            404,
            "{target}"
        );
    }
    assert_eq!(Request::post(CHATWOOT, "{}").send(ingress.port).status, 403);
}

#[test]
fn other_methods_than_post_are_405_and_name_post() {
    let rig = Rig::start(&[]);
    let by_token = format!("{CHATWOOT}/{CHATWOOT_PATH_TOKEN}");
    for target in [WHATSAPP, STATUS, WAHA, CHATWOOT, &by_token] {
        for method in ["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
            let answer = Request::new(method, target).send(rig.port());
            assert_eq!(
                answer.outcome(),
                (405, "method_not_allowed".into()),
                "{method} {target}"
            );
            assert_eq!(answer.header("allow"), Some("POST"));
        }
    }
}

#[test]
fn every_answer_has_the_security_headers_and_none_is_a_redirect() {
    let rig = Rig::start(&["--max-backlog", "1"]);
    let by_odd_token = format!("{CHATWOOT}/%ff");
    let answers = [
        twilio_message("SM1", "hoi").send(rig.port()),
        twilio_message("SM2", "hoi").send(rig.port()),
        twilio_message("SM1", "hoi")
            .without("X-Twilio-Signature")
            .send(rig.port()),
        twilio_message("SM1", "hoi")
            .without("Content-Type")
            .send(rig.port()),
        waha("{").send(rig.port()),
        chatwoot("{\"event\":\"x\"}").send(rig.port()),
        Request::post(&by_odd_token, "{}").send(rig.port()),
        Request::post("/nowhere", "{}").send(rig.port()),
        Request::get(WHATSAPP).send(rig.port()),
        Request::get("/health/live").send(rig.port()),
        Request::get("/health/ready").send(rig.port()),
        Request::get("/metrics").send(rig.port()),
        Request::get("/openapi.json").send(rig.port()),
    ];
    for answer in &answers {
        let header = |name| {
            answer
                .header(name)
                .unwrap_or_else(|| panic!("{name}: {answer:?}"))
        };
        assert!(!(300..400).contains(&answer.status), "{answer:?}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(answer.header("server"), None);
        assert_eq!(answer.header("location"), None);
    }
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(
        statuses,
        [
            200, 503, 403, 415, 400, 200, 403, 404, 405, 200, 200, 200, 200
        ]
    );
}

#[test]
fn errors_are_small_json_with_a_code_and_the_request_id() {
    let rig = Rig::start(&[]);
    let answer = twilio_message("SM1", "hoi")
        .without("X-Twilio-Signature")
        .header("X-Request-Id", "req-1.a_B")
        .send(rig.port());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-request-id"), Some("req-1.a_B"));
    let error = answer.json()["error"].as_object().unwrap().clone();
    assert_eq!(
        error.keys().collect::<Vec<_>>(),
        ["code", "message", "request_id"]
    );
    assert_eq!(error["request_id"], Value::from("req-1.a_B"));
}

#[test]
fn a_request_id_that_could_do_harm_is_replaced() {
    let rig = Rig::start(&[]);
    let id_for = |given: &[&str]| {
        let request = given.iter().fold(Request::post("/x", ""), |request, id| {
            request.header("X-Request-Id", *id)
        });
        let answer = request.send(rig.port());
        answer.header("x-request-id").unwrap().to_owned()
    };
    let long = "x".repeat(65);
    let harmful: [&[&str]; 6] = [&[], &[""], &["a b"], &["a\"b"], &[&long], &["a", "b"]];
    for given in harmful {
        let id = id_for(given);
        assert_eq!(id.len(), 32, "{given:?} became {id}");
        assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    assert_ne!(id_for(&[]), id_for(&[]));
}

#[test]
fn slow_clients_are_cut_off() {
    let rig = Rig::start(&["--request-timeout-secs", "1"]);
    let mut says_nothing = connect(rig.port());
    let mut half_a_head = connect(rig.port());
    half_a_head
        .write_all(b"POST /webhooks/waha HTTP/1.1\r\nHost: x\r\n")
        .unwrap();
    let mut half_a_body = connect(rig.port());
    let request = twilio_message("SM1", "hoi");
    half_a_body.write_all(request.head().as_bytes()).unwrap();
    half_a_body.write_all(&request.body[..10]).unwrap();

    let answer = Answer::read(&mut half_a_body);
    assert_eq!(answer.outcome(), (408, "slow_body".into()));
    for mut cut_off in [
        says_nothing_more(&mut says_nothing),
        says_nothing_more(&mut half_a_head),
    ] {
        cut_off.retain(|byte| !byte.is_ascii_whitespace());
        let text = String::from_utf8(cut_off).unwrap();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1408"), "{text}");
    }
    assert_eq!(rig.ingress.counted("twilio", "invalid"), 1.0);
    assert_eq!(length(&rig.redis, "in:0"), 0);
}

/// Everything until the server closes, which it must.
fn says_nothing_more(stream: &mut std::net::TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    rest
}

#[tokio::test]
async fn a_body_that_breaks_off_is_kept_nowhere() {
    let rig = Rig::start(&[]);
    let requests = [
        ("twilio", twilio_message("SM1", "hoi")),
        ("waha", waha(waha_message("A1", "hoi").to_string())),
        ("chatwoot", chatwoot(chatwoot_message(1, "hoi").to_string())),
    ];
    for (source, request) in requests {
        let mut stream = connect(rig.port());
        stream.write_all(request.head().as_bytes()).unwrap();
        let (half, _) = request.body.split_at(request.body.len() / 2);
        stream.write_all(half).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        drop(stream);
        eventually(async || match rig.ingress.counted(source, "invalid") {
            1.0 => Ok(()),
            other => Err(other),
        })
        .await;
        let errors = format!("webhook_signature_errors_total{{source=\"{source}\"}}");
        assert_eq!(
            rig.ingress.metric(&errors),
            0.0,
            "what never came is no forgery"
        );
    }
    assert_eq!(length(&rig.redis, "in:0"), 0);
    assert_eq!(length(&rig.redis, "rejected:0"), 0);
}

#[test]
fn headers_are_limited_in_size_and_number() {
    let rig = Rig::start(&[]);
    let wide = twilio_message("SM1", "hoi").header("X-Wide", "x".repeat(17 * 1024));
    assert_eq!(
        wide.send(rig.port()).outcome(),
        (431, "headers_too_large".into())
    );
    let many = (0..200).fold(twilio_message("SM1", "hoi"), |request, n| {
        request.header(&format!("X-{n}"), "x")
    });
    assert_eq!(many.send(rig.port()).status, 431);
    let endless = twilio_message("SM1", "hoi").header("X-Wide", "x".repeat(8 * 1024 * 1024));
    assert_eq!(endless.send(rig.port()).status, 431);
    let fitting = twilio_message("SM1", "hoi").header("X-Wide", "x".repeat(10 * 1024));
    assert_eq!(fitting.send(rig.port()).status, 200);
    assert_eq!(length(&rig.redis, "in:0"), 1);
}

#[test]
fn a_body_that_never_ends_is_cut_off_on_every_path() {
    let rig = Rig::start(&["--request-timeout-secs", "1"]);
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    for (target, chunks, status) in [
        (WAHA, 257, 413),
        (WAHA, 1, 408),
        ("/nowhere", 1, 404),
        ("/nowhere", 17, 404),
        ("/health/live", 1, 404),
    ] {
        let mut stream = connect(rig.port());
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\nX-Webhook-Hmac: any\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        for _ in 0..chunks {
            drop(stream.write_all(chunk.as_bytes()));
        }
        let mut all = Vec::new();
        let ended = stream.read_to_end(&mut all).map_err(|error| error.kind());
        let closed = matches!(ended, Ok(_) | Err(ErrorKind::ConnectionReset));
        assert!(closed, "{target}: the connection stays open: {ended:?}");
        let all = String::from_utf8_lossy(&all);
        assert!(
            all.starts_with(&format!("HTTP/1.1 {status} ")),
            "{target}: {all}"
        );
    }
}

#[test]
fn a_chunked_body_is_as_good_as_any_and_its_connection_lives_on() {
    let rig = Rig::start(&[]);
    let request = waha(waha_message("A1", "hoi").to_string());
    let head = request.head();
    let head = head.replace("Connection: close\r\n", "");
    let (head, _) = head.split_once("Content-Length").unwrap();
    let length_hex = format!("{:x}", request.body.len());
    let body = String::from_utf8(request.body.clone()).unwrap();
    let next = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let text = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{length_hex}\r\n{body}\r\n0\r\n\r\n{next}"
    );
    let mut stream = connect(rig.port());
    stream.write_all(text.as_bytes()).unwrap();
    let all = String::from_utf8(says_nothing_more(&mut stream)).unwrap();
    assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 2, "{all}");
    assert_eq!(length(&rig.redis, "in:0"), 1);
}

#[test]
fn smuggled_requests_are_refused() {
    let rig = Rig::start(&[]);
    for framing in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: -1",
        "Transfer-Encoding: chunked, identity",
    ] {
        let mut stream = connect(rig.port());
        let text = format!(
            "POST {WAHA} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(text.as_bytes()).unwrap();
        let mut all = Vec::new();
        drop(stream.read_to_end(&mut all));
        let all = String::from_utf8_lossy(&all);
        assert!(!all.contains("alive"), "{framing}: {all}");
    }
}
