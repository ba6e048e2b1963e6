//! What a peer without any secret can use up: files, memory, log lines; and what is left to others.

use std::io::{Read, Write};
use std::net::TcpStream;

use test_support::{RedisServer, eventually};

use crate::http::{Answer, Request, connect};
use crate::program::Program;
use crate::signing::{FORM, WAHA, WHATSAPP, twilio_message};
use crate::support::{Rig, Service, length};

const CLOSED: &str = "postduif_unverified_connections_closed_total";

/// A head that promises a body.
fn head(target: &str, signature: &str, bytes: usize) -> String {
    format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n{signature}\
         Content-Length: {bytes}\r\n\r\n"
    )
}

#[test]
fn a_request_without_its_signature_is_refused_before_its_body() {
    let rig = Rig::start(&[]);
    for target in [
        WHATSAPP,
        "/webhooks/twilio/status",
        "/webhooks/twilio/events",
        WAHA,
        "/webhooks/chatwoot",
        "/webhooks/chatwoot/guessed",
    ] {
        let mut stream = connect(rig.port());
        stream
            .write_all(head(target, "", 1_000).as_bytes())
            .unwrap();
        let answer = Answer::read(&mut stream);
        assert_eq!(
            answer.outcome(),
            (403, "invalid_signature".into()),
            "{target}"
        );
    }
    let mut stream = connect(rig.port());
    let endless = head(WHATSAPP, "X-Twilio-Signature: any\r\n", 100_000_000);
    stream.write_all(endless.as_bytes()).unwrap();
    let answer = Answer::read(&mut stream);
    assert_eq!(answer.outcome(), (413, "body_too_large".into()));
}

/// Whether the server has closed a connection that nothing was sent to.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let closed = match stream.read(&mut [0; 64]) {
        Ok(_) => true,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    };
    stream.set_nonblocking(false).unwrap();
    closed
}

async fn until_open(idle: &mut [TcpStream], most: usize) {
    eventually(async || {
        let mut open = 0;
        for stream in &mut *idle {
            open += usize::from(!is_closed(stream));
        }
        if open <= most { Ok(()) } else { Err(open) }
    })
    .await;
}

/// Sends without ending the connection, and reads the answer.
fn keep_alive(stream: &mut TcpStream, request: &Request) -> String {
    let head = request.head().replace("Connection: close\r\n", "");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"<Response/>") {
        let mut part = [0; 1024];
        let read = stream.read(&mut part).unwrap();
        assert!(
            read > 0,
            "closed after {:?}",
            String::from_utf8_lossy(&answer)
        );
        answer.extend_from_slice(&part[..read]);
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn idle_connections_make_room_and_those_of_a_provider_live_on() {
    let rig = Rig::start(&["--unverified-connections-per-address", "5"]);
    let mut provider = connect(rig.port());
    keep_alive(&mut provider, &twilio_message("SM1", "hoi"));
    let mut idle: Vec<_> = (0..40).map(|_| connect(rig.port())).collect();
    until_open(&mut idle, 5).await;
    assert_eq!(twilio_message("SM2", "hoi").send(rig.port()).status, 200);
    keep_alive(&mut provider, &twilio_message("SM3", "hoi"));
    assert!(rig.ingress.metric(CLOSED) >= 35.0);
    assert_eq!(length(&rig.redis, "in:0"), 3);
}

#[tokio::test]
async fn the_share_of_an_address_does_not_hold_for_a_proxy_of_ours_but_the_bound_of_all_does() {
    let proxy = ["--client-address", "x-forwarded-for"];
    let bounds = ["--unverified-connections-per-address", "2"];
    let all = ["--unverified-connections", "20"];
    let rig = Rig::start(&[proxy.as_slice(), &bounds, &all].concat());
    let mut idle: Vec<_> = (0..15).map(|_| connect(rig.port())).collect();
    assert_eq!(twilio_message("SM1", "hoi").send(rig.port()).status, 200);
    assert!(!idle.iter_mut().any(is_closed));
    idle.extend((0..25).map(|_| connect(rig.port())));
    until_open(&mut idle, 20).await;
    assert_eq!(twilio_message("SM2", "hoi").send(rig.port()).status, 200);
}

#[test]
fn a_connection_on_which_nothing_was_verified_ends_with_its_answer() {
    let rig = Rig::start(&[]);
    for request in [
        Request::get("/health/live"),
        Request::post("/nowhere", ""),
        twilio_message("SM1", "hoi").without("X-Twilio-Signature"),
    ] {
        let mut stream = connect(rig.port());
        let head = request.head().replace("Connection: close\r\n", "");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&request.body).unwrap();
        let answer = Answer::read(&mut stream);
        assert_eq!(answer.header("connection"), Some("close"));
    }
}

#[tokio::test]
async fn with_few_files_idle_connections_shut_nobody_out() {
    let redis = RedisServer::start();
    let program = Program::start_after("ulimit -n 256", &redis, &[]).await;
    let line = program.says("ingress starts").await;
    assert_eq!(line["open_files"], 256);
    assert_eq!(line["unverified_connections"], 42);
    // Whoever floods it finds it at work, with its connection to Redis open.
    assert_eq!(twilio_message("SM0", "hoi").send(program.port).status, 200);
    let idle: Vec<_> = (0..400).map(|_| connect(program.port)).collect();
    for n in 1..20 {
        let answer = twilio_message(&format!("SM{n}"), "hoi").send(program.port);
        assert_eq!(answer.status, 200);
    }
    drop(idle);
}

#[tokio::test]
async fn the_limit_of_files_is_raised_to_what_is_allowed() {
    let redis = RedisServer::start();
    let limits = "ulimit -S -n 300; ulimit -H -n 1000";
    let program = Program::start_after(limits, &redis, &[]).await;
    assert_eq!(program.says("ingress starts").await["open_files"], 1_000);
}

#[tokio::test]
async fn bodies_that_never_end_share_one_bound_of_memory() {
    let bounds = ["--body-memory-mib", "1", "--request-timeout-secs", "600"];
    let rig = Rig::start(&bounds);
    let stalled = |_| {
        let mut stream = connect(rig.port());
        let head = head(WHATSAPP, "X-Twilio-Signature: any\r\n", 64_000);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&[b'x'; 60_000]).unwrap();
        stream
    };
    let mut stalled: Vec<_> = (0..60).map(stalled).collect();
    // 64 KiB each at most: the 16 youngest fit.
    until_open(&mut stalled, 17).await;
    assert_eq!(twilio_message("SM1", "hoi").send(rig.port()).status, 200);
    assert!(rig.ingress.counted("twilio", "invalid") >= 43.0);
}

#[tokio::test]
async fn refusals_of_every_kind_leave_few_lines_and_are_counted() {
    let redis = RedisServer::start();
    let no_limit = ("INGRESS_FAILED_SIGNATURES_PER_MINUTE", "0");
    let quiet = ("RUST_LOG", "info");
    let program = Program::start(&redis, &[no_limit, quiet]).await;
    let signed = |request: Request| request.header("X-Twilio-Signature", "any");
    let large = "x".repeat(70_000);
    // One who sends too much is heard for a second more, so that the answer arrives.
    let too_large = signed(Request::post(WHATSAPP, large));
    assert_eq!(too_large.send(program.port).status, 413);
    for n in 0..133 {
        let statuses = [
            signed(Request::post(WHATSAPP, "{}").header("Content-Type", "text/plain")),
            twilio_message("SM1", "hoi").without("Content-Type"),
            Request::post(WAHA, "{}"),
        ]
        .map(|request| request.send(program.port).status);
        assert_eq!(statuses, [415, 415, 403], "{n}");
    }
    let page = Request::get("/metrics").send(program.port).body;
    let dropped = "postduif_log_lines_dropped_total{about=\"unverified\"} ";
    let dropped = page.lines().find_map(|line| line.strip_prefix(dropped));
    let dropped: usize = dropped.unwrap().parse().unwrap();
    let said = program.log().matches("webhook refused").count();
    // A budget is a minute's, and a minute may end meanwhile.
    assert!(said == 30 || said == 60, "{said}");
    assert_eq!(said + dropped, 400);
    assert_eq!(twilio_message("SM1", "hoi").send(program.port).status, 200);
}

#[tokio::test]
async fn a_customer_beyond_the_budget_leaves_few_lines() {
    let redis = RedisServer::start();
    let limit = ("INGRESS_RATE_LIMIT_PER_MINUTE", "1");
    let program = Program::start(&redis, &[limit, ("RUST_LOG", "info")]).await;
    for n in 0..40 {
        twilio_message(&format!("SM{n}"), "hoi").send(program.port);
    }
    let log = program.log();
    assert_eq!(log.matches("rate limit exceeded").count(), 5, "{log}");
    assert_eq!(log.matches("Twilio webhook received").count(), 1, "{log}");
    assert!(!log.contains("31612345678"));
}

#[tokio::test]
async fn readiness_and_metrics_may_have_a_port_of_their_own() {
    let redis = RedisServer::start();
    let health = test_support::free_port();
    let port = health.to_string();
    let program = Program::start(&redis, &[("INGRESS_HEALTH_PORT", &port)]).await;
    let status = |port, target| Request::get(target).send(port).status;
    assert_eq!(status(program.port, "/health/live"), 200);
    assert_eq!(status(program.port, "/health/ready"), 404);
    assert_eq!(status(program.port, "/metrics"), 404);
    eventually(async || match status(health, "/health/ready") {
        200 => Ok(()),
        other => Err(other),
    })
    .await;
    assert_eq!(status(health, "/metrics"), 200);
}

#[tokio::test]
async fn what_is_rejected_stays_small_and_is_forgotten_in_time() {
    let redis = RedisServer::start();
    redis.run::<String>(&["XADD", "rejected:0", "1000-0", "kind", "rejected"]);
    let flags = ["--rate-limit-per-minute", "0", "--max-rejected-mib", "1"];
    let ingress = Service::start(crate::support::config(&redis.url(), &flags));
    eventually(async || match length(&redis, "rejected:0") {
        0 => Ok(()),
        other => Err(other),
    })
    .await;
    let long = "x".repeat(31_000);
    for n in 0..300 {
        let answer = twilio_message(&format!("SM{n}"), &long).send(ingress.port);
        assert_eq!(answer.outcome(), (400, "message_too_long".into()));
    }
    assert_eq!(length(&redis, "rejected:0"), 256, "1 MiB of at most 4 KiB");
    let bytes: u64 = redis.run(&["MEMORY", "USAGE", "rejected:0", "SAMPLES", "0"]);
    assert!(bytes < 1 << 20, "{bytes}");
}
