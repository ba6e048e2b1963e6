//! The console in a browser, over a whole system.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use e2e_tests::{Role, Settings, System, SystemBuilder};
use streams::Queue;
use test_support::{binary, eventually_within};

use crate::support::{CUSTOMER, answers, business, system, write};

const PASSWORD: &str = "correct horse battery";

/// What lets the password in.
fn hash() -> String {
    use std::io::Write as _;
    let mut command = Command::new(binary("console"));
    let command = command.arg("hash-password").env_clear();
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(PASSWORD.as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Runs a command of the console on the system's Redis and CRM.
fn console(system: &System, words: &[&str]) -> Output {
    let database = system.folder().join("crm.sqlite");
    let template = "HX00000000000000000000000000000009";
    let mut command = Command::new(binary("console"));
    let command = command.args(words).env_clear();
    let command = command.envs(system.redis.settings());
    let command = command.env("TWILIO_WINDOW_TEMPLATE_SID", template);
    let database = format!("sqlite:{}", database.display());
    command.env("CRM_DATABASE_URL", database).output().unwrap()
}

/// The way from the console to Twilio, in the conversation's order.
#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_a_colleague_chose_reaches_the_customer_after_a_day() {
    let mut system = system().await;
    write(&system, "Hoe laat zijn jullie open?").await;
    answers(&system, 1).await;
    let conversation = format!("whatsapp:{CUSTOMER}");
    let redis = system.client();
    let partition = redis.partitions().partition_of(&conversation);
    let key = redis.keys().of(partition).conversation(&conversation);
    let known = redis.hash(&key).await.unwrap();
    let day_ago = known["last_in"].parse::<i64>().unwrap() - 25 * 3_600_000;
    let server = system.redis.server();
    server.run::<u32>(&["HSET", &key, "last_in", &day_ago.to_string()]);
    let refused = console(&system, &["answer", &conversation, "Dag"]);
    assert!(!refused.status.success(), "{refused:?}");
    let sent = console(&system, &["answer", &conversation, "--template", "window"]);
    assert!(sent.status.success(), "{sent:?}");
    eventually_within(Duration::from_secs(30), async || {
        let arrivals = system.simulator().arrivals().await;
        let last = arrivals
            .last()
            .and_then(|one| one.oid.clone())
            .unwrap_or_default();
        if last.ends_with(".t") {
            Ok(())
        } else {
            Err(arrivals)
        }
    })
    .await;
}

/// What the worker guessed is labelled, and the labels are right in a domain file.
#[tokio::test(flavor = "multi_thread")]
async fn labels_of_what_was_guessed_are_pasted_into_the_domain() {
    let system = system().await;
    write(&system, "blorp de snorf gewiebel").await;
    answers(&system, 1).await;
    let console = |words: &[&str]| {
        let output = console(&system, words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let guess: serde_json::Value = serde_json::from_str(&console(&["unclear", "--json"])).unwrap();
    assert_eq!(guess["words"], "blorp de snorf gewiebel");
    assert!(guess["confidence"].as_f64().unwrap() < 0.6, "{guess}");
    let id = guess["id"].as_str().unwrap();
    write(&system, "hou op").await;
    eventually_within(Duration::from_secs(30), async || {
        match console(&["unclear", "opt_out"]) {
            found if found.contains("hou op") => Ok(()),
            other => Err(other),
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = business(folder.path(), &[]);
    let examples = folder.path().join("car-dealer/examples/intents.jsonl");
    let new = [
        "label",
        id,
        "new",
        "--name",
        "blorp",
        "--answer",
        "Elke dag \"vers\".",
    ];
    // An intent; a fact that the domain has, and one that it has not.
    for (label, labels, into, pasted) in [
        (
            &["label", id, "intent:trade_in"][..],
            &["labels"][..],
            &examples,
            "trade_in",
        ),
        (
            &["label", id, "fact:address"],
            &["labels", "--facts"],
            &file,
            "\"address\"",
        ),
        (&new, &["labels", "--facts"], &file, "\"blorp\""),
    ] {
        console(label);
        let text = console(labels);
        assert!(text.contains(pasted), "{text}");
        let before = std::fs::read_to_string(into).unwrap();
        std::fs::write(into, format!("{before}\n{text}\n")).unwrap();
        let mut check = Command::new(binary("worker"));
        let checked = check.args(["domain", "check"]).arg(&file).output();
        let checked = checked.unwrap();
        assert!(checked.status.success(), "{checked:?}");
        std::fs::write(into, before).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_work_with_the_console_in_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let installed = Command::new(folder.join("setup")).status().unwrap();
    assert!(installed.success(), "tests/browser/setup");
    let mut system = SystemBuilder::new(Settings::default()).prepare();
    system.connect_every_provider();
    system.let_the_console_watch();
    let console = system.service(Role::Console, 0);
    console.set([("CONSOLE_PASSWORD_HASH".to_owned(), hash())]);
    for role in [
        Role::Simulator,
        Role::Ingress,
        Role::Worker,
        Role::Egress,
        Role::Console,
    ] {
        system.start(role).await;
    }
    // A message that no worker understands.
    let redis = system.client();
    let entry = streams::NewEntry {
        kind: "riddle".into(),
        event: "twilio:message:SMriddle".into(),
        conversation: "whatsapp:+31620000099".into(),
        payload: "{\"content\":\"<b>wie ben ik</b>\"}".into(),
        ..streams::NewEntry::default()
    };
    let ingest = streams::Ingest::unlimited(Queue::Inbound, &entry);
    redis.ingest(&ingest).await.unwrap();
    let mut browser = Command::new("node");
    browser
        .args(["--test", "--test-reporter=spec", "console.test.mjs"])
        .current_dir(folder)
        .env("CONSOLE", system.service(Role::Console, 0).url())
        .env("SIMULATOR", system.service(Role::Simulator, 0).url())
        .env("PASSWORD", PASSWORD);
    let looked = tokio::task::spawn_blocking(move || browser.output().unwrap());
    let output = looked.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
