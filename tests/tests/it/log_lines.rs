//! The lines that operators search for, as they leave the processes.

use e2e_tests::{Role, Settings, System, SystemBuilder};
use serde_json::{Value, json};
use test_support::{eventually, free_port};

use crate::support::{CUSTOMER, write};

/// How people and providers write [`CUSTOMER`].
const GROUPED: &str = "06 1234 5678";
const TEXT: &str = "Ik zoek een Volkswagen Golf";

/// One of each service, with all that they log. Traces go nowhere; their ids are in the lines.
async fn talkative(log: &'static str) -> System {
    let settings = Settings {
        log,
        ..Settings::default()
    };
    let mut system = SystemBuilder::new(settings).prepare();
    for role in [Role::Ingress, Role::Worker, Role::Egress] {
        let collector = format!("http://127.0.0.1:{}", free_port());
        let name = "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned();
        system.service(role, 0).set([(name, collector)]);
    }
    system.connect_every_provider();
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    system.simulator().deliver(&[], 0).await;
    system
}

/// Waits for the line with this message. Every line must be a JSON object.
async fn line(system: &mut System, role: Role, message: &str) -> Value {
    let service = &*system.service(role, 0);
    let find = || {
        let log = service.log();
        // The last line may be half written.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines().map(|line| {
            let parsed: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            assert!(parsed.is_object(), "{line}");
            parsed
        });
        lines.into_iter().find(|line| line["message"] == message)
    };
    eventually(async || find().map(drop).ok_or_else(|| service.log())).await;
    find().unwrap()
}

/// What a line's `result` says.
fn result(line: &Value) -> Value {
    serde_json::from_str(line["result"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_and_its_answer_are_one_trace_in_the_log() {
    let mut system = talkative("info").await;
    let id = write(&system, TEXT).await;

    let received = line(&mut system, Role::Ingress, "Twilio webhook received").await;
    assert_eq!(received["level"], "info");
    assert_eq!(received["source"], "twilio");
    assert_eq!(received["message.id"], id.as_str());
    assert_eq!(received["queued"], true);
    assert!(!received["request.id"].as_str().unwrap().is_empty());
    assert_eq!(received["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(received["span_id"].as_str().unwrap().len(), 16);

    let sent = line(&mut system, Role::Egress, "Message sent to Twilio").await;
    assert_eq!(sent["level"], "info");
    assert_eq!(sent["in_reply_to"], id.as_str());
    assert_eq!(sent["result"], "sent");
    assert!(sent["provider_id"].as_str().unwrap().starts_with("SM"));
    assert_eq!(sent["trace_id"], received["trace_id"]);

    let turn = line(&mut system, Role::Worker, "turn taken").await;
    assert_eq!(turn["trace_id"], received["trace_id"]);
    for role in [Role::Ingress, Role::Worker, Role::Egress] {
        let log = system.service(role, 0).log();
        for private in [CUSTOMER.trim_start_matches('+'), TEXT, "fake-twilio-token"] {
            assert!(!log.contains(private), "{private} is in {log}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_a_warning_and_a_failure_an_error() {
    let mut system = talkative("info").await;
    let send = |fault: Value| json!({ "provider": "twilio", "endpoint": "send", "times": 1, "fault": fault });
    let limited = send(json!({ "kind": "rate_limited", "retry_after_secs": 1 }));
    system.simulator().misbehave(limited).await;
    write(&system, "Hallo").await;
    let limited = line(&mut system, Role::Egress, "Twilio rate limit reached").await;
    assert_eq!(limited["level"], "warn");
    assert_eq!(result(&limited), json!({ "status": "rate_limited" }));
    assert!(limited["waited_ms"].is_u64(), "{limited}");
    let sent = line(&mut system, Role::Egress, "Message sent to Twilio").await;
    assert_eq!(sent["outbound.id"], limited["outbound.id"]);

    let refused = send(json!({ "kind": "error", "status": 400, "code": 21211 }));
    system.simulator().misbehave(refused).await;
    write(&system, "Hallo?").await;
    let failed = line(&mut system, Role::Egress, "Twilio send failed").await;
    assert_eq!(failed["level"], "error");
    let result = result(&failed);
    assert_eq!(
        (&result["status"], &result["attempts"]),
        (&json!("failed"), &json!(1))
    );
    assert!(!result["error"].as_str().unwrap().is_empty());
    assert_eq!(failed["trace_id"].as_str().unwrap().len(), 32);
}

/// Every way in and out, at a level at which each library talks, too.
#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_any_service_holds_a_number_or_what_was_written() {
    let mut system = talkative("debug").await;
    system
        .simulator()
        .deliver(&["sent", "delivered", "read"], 0)
        .await;
    let providers = ["twilio", "waha", "chatwoot"];
    let number = CUSTOMER.trim_start_matches('+');
    for provider in providers {
        let message = json!({ "provider": provider, "from": CUSTOMER, "name": "Sanne de Boer", "text": TEXT });
        let answer = system.simulator().write(message).await;
        assert_eq!(answer["status"], 200, "{answer}");
    }
    for fault in [
        json!({ "kind": "error", "status": 400, "code": 21211, "message": format!("To {CUSTOMER} ({GROUPED}) is not valid") }),
        json!({ "kind": "server_error", "status": 500 }),
    ] {
        let fault = json!({ "provider": "waha", "endpoint": "send", "times": 1, "fault": fault });
        system.simulator().misbehave(fault).await;
        let message = json!({ "provider": "waha", "from": CUSTOMER, "text": TEXT });
        system.simulator().write(message).await;
    }
    for message in [
        "Message sent to Twilio",
        "Message sent to WAHA",
        "Message sent to Chatwoot",
    ] {
        line(&mut system, Role::Egress, message).await;
    }
    let without = "WAHA refuses the quote; sent without";
    line(&mut system, Role::Egress, without).await;
    system.until_idle(std::time::Duration::from_secs(60)).await;
    for role in [Role::Ingress, Role::Worker, Role::Egress] {
        let log = system.service(role, 0).log();
        assert!(log.contains(r#""level":"debug""#), "{log}");
        for private in [number, GROUPED, TEXT, "Sanne de Boer", "fake-"] {
            let holds = log.lines().find(|line| line.contains(private));
            assert_eq!(holds, None, "{private} is in a line");
        }
    }
}
