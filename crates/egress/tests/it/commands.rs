//! What an operator asks on the command line.

use std::process::{Command, Output};

use serde_json::Value;
use shared_types::DeliveryStatus;
use simulator::Fault;

use crate::harness::{CUSTOMER, PARTITIONS, Rig, callback, reply};

fn egress(rig: &Rig, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_egress"));
    command.args(args).env_clear();
    command
        .env("REDIS_URL", rig.server.url())
        .env("REDIS_PARTITIONS", PARTITIONS);
    command.output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn deliveries_shows_what_became_of_a_conversations_messages() {
    let rig = Rig::start();
    let running = rig.egress(&[]);
    let (first, second) = (reply("Geheim een"), reply("Geheim twee"));
    rig.queue(&first).await;
    rig.queue(&second).await;
    let sent = rig.sent(CUSTOMER, 2).await;
    rig.until_empty().await;
    rig.report(&callback(&first, &sent[0].entry.id, DeliveryStatus::Read))
        .await;
    rig.until_empty().await;
    running.stop().await;

    let shown = lines(&egress(&rig, &["deliveries", "--conversation", CUSTOMER]));
    assert!(!shown.join("").contains("Geheim"), "texts are left out");
    let shown: Vec<Value> = shown
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<_> = shown.iter().map(|message| &message["id"]).collect();
    assert_eq!(ids, [second.id.as_str(), first.id.as_str()], "newest first");
    let oldest = &shown[1];
    assert_eq!(oldest["state"], "sent");
    assert_eq!(oldest["status"], "read");
    assert_eq!(oldest["provider_id"], sent[0].entry.id.as_str());
    for time in ["intent_at", "sent_at", "at:read"] {
        let text = oldest[time].as_str().unwrap();
        assert!(text.parse::<jiff::Timestamp>().is_ok(), "{time}: {text}");
    }
    assert_eq!(oldest["text_sha256"].as_str().map(str::len), Some(16));
    assert_ne!(oldest["text_sha256"], shown[0]["text_sha256"]);

    let one = lines(&egress(
        &rig,
        &["deliveries", "--conversation", CUSTOMER, "--limit", "1"],
    ));
    assert_eq!(one.len(), 1);
    let none = lines(&egress(
        &rig,
        &["deliveries", "--conversation", "whatsapp:+31600000000"],
    ));
    assert!(none.is_empty());
}

#[tokio::test]
async fn dead_letters_are_listed_shown_replayed_and_discarded() {
    let rig = Rig::start();
    let running = rig.egress(&[]);
    let refusal = Fault::Error {
        status: 400,
        code: Some(21_610),
        message: None,
    };
    rig.fault(refusal, 2);
    rig.queue(&reply("een")).await;
    rig.queue(&reply("twee")).await;
    let letters = rig.letters(2).await;

    let listed = lines(&egress(&rig, &["dead-letters", "list"]));
    assert_eq!(listed.len(), 3);
    for part in ["refused", "whatsapp:+31*******", "21610", " 1x "] {
        assert!(listed[0].contains(part), "{part:?} in {listed:?}");
    }
    assert!(listed[2] == "2 of 2 shown", "{listed:?}");
    assert!(
        !listed.concat().contains(CUSTOMER),
        "numbers are masked: {listed:?}"
    );
    let name = letters[0].id.to_string();
    let shown = lines(&egress(&rig, &["dead-letters", "show", &name])).join("\n");
    assert!(shown.contains("21610") && shown.contains("een"), "{shown}");

    lines(&egress(&rig, &["dead-letters", "replay", &name]));
    rig.sent(CUSTOMER, 1).await;
    let again = egress(&rig, &["dead-letters", "replay", &name]);
    assert_eq!(again.status.code(), Some(1), "it is not there any more");
    let unsure = egress(&rig, &["dead-letters", "discard", "--all"]);
    assert_eq!(unsure.status.code(), Some(1), "nobody is there to ask");
    assert!(
        String::from_utf8_lossy(&unsure.stderr).contains("--yes"),
        "{unsure:?}"
    );
    rig.letters(1).await;
    // The number of partitions is the deployment's, whatever the setting.
    let mut elsewhere = Command::new(env!("CARGO_BIN_EXE_egress"));
    let words = ["dead-letters", "--by", "anna", "discard", "--all", "--yes"];
    elsewhere.args(words).env_clear();
    let other = [
        ("REDIS_URL", rig.server.url()),
        ("REDIS_PARTITIONS", "1".into()),
    ];
    assert_eq!(
        lines(&elsewhere.envs(other).output().unwrap()),
        ["1 discarded"]
    );
    let acts: Value = rig
        .server
        .run::<Vec<(String, Vec<String>)>>(&["XRANGE", "acts", "-", "+"])
        .into_iter()
        .map(|(_, fields)| fields.join(" "))
        .collect();
    assert!(
        acts[1]
            .as_str()
            .unwrap()
            .starts_with("by anna what discarded outbound"),
        "{acts}"
    );
    rig.letters(0).await;
    running.stop().await;
    rig.sent(CUSTOMER, 1).await;
}

#[tokio::test]
async fn many_that_are_discarded_at_once_do_not_push_the_other_acts_out() {
    let rig = Rig::start();
    rig.redis.claim_layout().await.unwrap().unwrap();
    for _ in 0..25 {
        let words = [
            "XADD", "odlq:0", "*", "_reason", "refused", "kind", "message",
        ];
        rig.server.run::<String>(&words);
    }
    let discard = ["dead-letters", "discard", "--all", "--yes"];
    assert_eq!(lines(&egress(&rig, &discard)), ["25 discarded"]);
    let acts = rig.redis.acts(100).await.unwrap();
    let acts: Vec<_> = acts.iter().map(|act| act.what.as_str()).collect();
    assert_eq!(acts, ["discarded 25 entries of outbound"]);
}

#[test]
fn bad_settings_are_refused_at_start() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_egress"));
    let output = command
        .args(["serve", "--twilio-account-sid", "AC1"])
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("TWILIO_AUTH_TOKEN"), "{said}");
}

#[test]
fn a_service_that_could_send_nothing_does_not_start() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_egress"));
    let output = command.arg("serve").env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no provider is configured"), "{said}");
}
