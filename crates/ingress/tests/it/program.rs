//! The program as operators start it: logs, doctor, end.

use std::io::Write;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::NamedTempFile;
use test_support::{Process, RedisServer, eventually, free_port};

use crate::http::{Answer, Request, connect};
use crate::signing::{
    ACCOUNT, BASE, CHATWOOT_PATH_TOKEN, CHATWOOT_SECRET, TWILIO_TOKEN, WAHA_SECRET, WHATSAPP,
    chatwoot, chatwoot_aged, chatwoot_message, text_message, twilio_form, twilio_message, waha,
    waha_message,
};
use crate::support::length;

fn ingress(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingress"));
    command.env_clear().envs(variables.iter().copied());
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub(crate) fn run(variables: &[(&str, &str)], words: &[&str]) -> Output {
    ingress(variables).args(words).output().unwrap()
}

/// A running program with its log.
pub(crate) struct Program {
    pub(crate) process: Process,
    pub(crate) port: u16,
    log: NamedTempFile,
}

impl Program {
    pub(crate) async fn start(redis: &RedisServer, variables: &[(&str, &str)]) -> Self {
        Self::start_after(":", redis, variables).await
    }

    /// After these words of the shell, such as limits.
    pub(crate) async fn start_after(
        words: &str,
        redis: &RedisServer,
        variables: &[(&str, &str)],
    ) -> Self {
        let port = free_port();
        let log = NamedTempFile::new().unwrap();
        let mut command = Command::new("/bin/sh");
        let words = format!("{words}; exec \"$0\" serve");
        command.args(["-c", &words, env!("CARGO_BIN_EXE_ingress")]);
        command.env_clear().envs([
            ("PORT", port.to_string().as_str()),
            ("REDIS_URL", &redis.url()),
            ("REDIS_PARTITIONS", "1"),
            ("PUBLIC_BASE_URL", BASE),
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            ("TWILIO_AUTH_TOKEN", TWILIO_TOKEN),
            ("TWILIO_SHARED_KEYS", "key1:SHA256:shared-secret-of-tests"),
            ("WAHA_WEBHOOK_SECRET", WAHA_SECRET),
            ("CHATWOOT_WEBHOOK_SECRET", CHATWOOT_SECRET),
            ("CHATWOOT_PATH_TOKEN", CHATWOOT_PATH_TOKEN),
            ("RUST_LOG", "debug"),
        ]);
        command.envs(variables.iter().copied());
        command.stdout(log.reopen().unwrap());
        let process = Process::start("ingress", &mut command);
        let program = Self { process, port, log };
        eventually(async || std::net::TcpStream::connect(("127.0.0.1", port))).await;
        program
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// Waits for a line of the log that holds this text.
    pub(crate) async fn says(&self, part: &str) -> Value {
        let line = eventually(async || {
            let log = self.log();
            let line = log.lines().find(|line| line.contains(part));
            line.map(str::to_owned).ok_or(log)
        });
        serde_json::from_str(&line.await).unwrap()
    }
}

#[tokio::test]
async fn a_refused_webhook_leaves_a_line_that_names_the_likely_cause_and_no_secret() {
    let redis = RedisServer::start();
    let no_limit = ("INGRESS_FAILED_SIGNATURES_PER_MINUTE", "0");
    let program = Program::start(&redis, &[no_limit]).await;
    let twilio = twilio_message("SM1", "geheime tekst");
    let form = twilio.clone().without("X-Twilio-Signature");
    let signed = |request: &Request| request.clone().header("X-Twilio-Signature", "wrong");
    let json = |target: &str| {
        let json = form.clone().without("Content-Type");
        let json = json.header("Content-Type", "application/json");
        signed(&Request {
            target: target.to_owned(),
            ..json
        })
    };
    let mut foreign = text_message("SM1", "geheime tekst");
    foreign[1].1 = "AC00000000000000000000000000000002";
    let by_waha = waha(waha_message("A1", "geheime tekst").to_string());
    let unsigned_waha = by_waha.clone().without("X-Webhook-Hmac");
    let event = chatwoot_message(1, "geheime tekst").to_string();
    let by_chatwoot = chatwoot_aged(&event, 0);
    let guessed = Request::post("/webhooks/chatwoot/guessed", event.clone());
    let settings = "X-Twilio-Webhooks-Signature-Settings";
    for (request, cause) in [
        (form.clone(), "no X-Twilio-Signature header"),
        (signed(&form), "`ingress doctor signature` finds out which"),
        (
            signed(&form).header(settings, "key=other"),
            "not in TWILIO_SHARED_KEYS",
        ),
        (json(WHATSAPP), "no bodySHA256 parameter"),
        (
            twilio_form(WHATSAPP, &foreign),
            "another Twilio account than TWILIO_ACCOUNT_SID",
        ),
        (unsigned_waha.clone(), "no X-Webhook-Hmac header"),
        (
            unsigned_waha.header("X-Webhook-Hmac", "00"),
            "differs from the session's hmac key",
        ),
        (
            by_waha
                .without("X-Webhook-Hmac-Algorithm")
                .header("X-Webhook-Hmac-Algorithm", "md5"),
            "is not sha512",
        ),
        (
            by_chatwoot.clone().without("X-Chatwoot-Signature"),
            "since 4.11.2",
        ),
        (
            by_chatwoot
                .without("X-Chatwoot-Signature")
                .header("X-Chatwoot-Signature", "sha256=00"),
            "is not the secret of this webhook",
        ),
        (
            chatwoot_aged(&event, 3_600),
            "too old, or the clocks differ",
        ),
        (guessed, "the path token is wrong"),
    ] {
        let answer = request.send(program.port);
        assert_eq!(
            answer.outcome(),
            (403, "invalid_signature".into()),
            "{cause}"
        );
        assert!(
            !answer.body.contains(cause),
            "a stranger is told no details"
        );
        let line = program.says(answer.header("x-request-id").unwrap()).await;
        let said = line["message"].as_str().unwrap();
        assert!(said.contains(cause), "expected {cause:?}: {said}");
        assert_eq!(line["level"], "warn");
        assert!(line["reason"].is_string() && line["source"].is_string());
    }
    let log = program.log();
    for secret in [
        TWILIO_TOKEN,
        WAHA_SECRET,
        CHATWOOT_SECRET,
        CHATWOOT_PATH_TOKEN,
        "shared-secret-of-tests",
        "geheime tekst",
        "31612345678",
        "guessed",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    assert_eq!(length(&redis, "in:0"), 0);
}

#[tokio::test]
async fn a_webhook_leaves_a_line_without_text_and_with_a_masked_number() {
    let redis = RedisServer::start();
    let ack = serde_json::json!({
        "event": "message.ack",
        "payload": {"id": "true_31612345678@c.us_B1", "fromMe": true, "ack": 3},
    });
    let send_all = |program: &Program, key: u64| {
        let requests = [
            twilio_message(
                &format!("SM000000000000000000000001234567{key}"),
                "geheime tekst",
            ),
            waha(waha_message(&format!("A{key}"), "geheime tekst").to_string()),
            waha(ack.to_string()),
            chatwoot(chatwoot_message(key, "geheime tekst").to_string()),
        ];
        for request in requests {
            assert_eq!(request.send(program.port).status, 200);
        }
    };
    let masked = Program::start(&redis, &[]).await;
    send_all(&masked, 1);
    let line = masked.says("Chatwoot webhook received").await;
    assert_eq!(line["queued"], true);
    let line = masked.says("Twilio webhook received").await;
    assert_eq!(
        line["message.id"], "SM0000000000000000000000012345671",
        "an id stays whole"
    );
    assert_eq!(line["conversation"], "whatsapp:+31*******78");
    let line = masked.says("WAHA webhook received").await;
    assert_eq!(line["message.id"], "false_31*******78@c.us_A1");
    for private in ["geheime", "31612345678", "John Doe"] {
        let log = masked.log();
        assert!(!log.contains(private), "{private}: {log}");
    }
    let whole = Program::start(&redis, &[("LOG_PII", "true")]).await;
    send_all(&whole, 2);
    let line = whole.says("Chatwoot webhook received").await;
    assert_eq!(line["conversation"], "chatwoot:1:42");
    let line = whole.says("Twilio webhook received").await;
    assert_eq!(line["conversation"], "whatsapp:+31612345678");
    assert!(!whole.log().contains("geheime"));
}

#[tokio::test]
async fn observe_mode_is_loud() {
    let redis = RedisServer::start();
    let program = Program::start(&redis, &[("INGRESS_OBSERVE_ONLY", "true")]).await;
    let line = program.says("OBSERVE MODE").await;
    assert_eq!(line["level"], "warn");
    let unsigned = twilio_message("SM1", "hoi").without("X-Twilio-Signature");
    assert_eq!(unsigned.send(program.port).status, 200);
    program.says("observe mode lets a webhook through").await;
}

#[tokio::test]
async fn the_program_answers_health_checks_and_ends_on_sigterm_after_its_requests() {
    let redis = RedisServer::start();
    let mut program = Program::start(&redis, &[]).await;
    let port = program.port.to_string();
    let healthy = || run(&[("PORT", &port)], &["healthcheck"]).status.code();
    assert_eq!(healthy(), Some(0));

    let request = twilio_message("SM1", "hoi");
    let mut in_progress = connect(program.port);
    in_progress.write_all(request.head().as_bytes()).unwrap();
    eventually(async || {
        let metrics = Request::get("/metrics").send(program.port).body;
        let arrived = "webhook_requests_total{source=\"twilio\",status=\"received\"} 1";
        metrics.contains(arrived).then_some(()).ok_or(metrics)
    })
    .await;
    program.process.signal("TERM");
    let closed = async || match std::net::TcpStream::connect(("127.0.0.1", program.port)) {
        Ok(_) => Err("still listens"),
        Err(_) => Ok(()),
    };
    eventually(closed).await;
    in_progress.write_all(&request.body).unwrap();
    assert_eq!(Answer::read(&mut in_progress).status, 200);
    assert_eq!(program.process.wait(), Some(0));
    assert_eq!(healthy(), Some(1));
    assert_eq!(length(&redis, "in:0"), 1);
}

#[tokio::test]
async fn the_document_that_is_printed_is_the_one_that_is_served() {
    let redis = RedisServer::start();
    let program = Program::start(&redis, &[]).await;
    let served = Request::get("/openapi.json").send(program.port).json();
    let printed = run(&[], &["openapi"]);
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed, served);
}

#[tokio::test]
async fn rejected_webhooks_are_listed_shown_and_discarded() {
    let redis = RedisServer::start();
    let program = Program::start(&redis, &[]).await;
    assert_eq!(twilio_message("SM 1", "hoi").send(program.port).status, 400);
    let url = redis.url();
    let settings = [("REDIS_URL", url.as_str()), ("REDIS_PARTITIONS", "7")];
    let list = text(&run(&settings, &["rejected", "list"]).stdout);
    assert!(list.contains("invalid_message_sid"), "{list}");
    let name = list.split_whitespace().next().unwrap();
    let shown = run(&settings, &["rejected", "show", name]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["payload"]["rejection"]["code"], "invalid_message_sid");
    let replayed = run(&settings, &["rejected", "replay", name]);
    assert_ne!(
        replayed.status.code(),
        Some(0),
        "it would be rejected again"
    );
    assert!(
        run(&settings, &["rejected", "discard", name])
            .status
            .success()
    );
    assert_eq!(length(&redis, "rejected:0"), 0);
}
