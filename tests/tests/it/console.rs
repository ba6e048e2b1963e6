//! The console in a browser, over a whole system.

use std::path::Path;
use std::process::{Command, Stdio};

use e2e_tests::{Role, Settings, SystemBuilder};
use streams::Queue;
use test_support::binary;

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

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_work_with_the_console_in_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let installed = Command::new(folder.join("setup")).status().unwrap();
    assert!(installed.success(), "tests/browser/setup");
    let mut system = SystemBuilder::new(Settings::default()).prepare();
    system.connect_every_provider();
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
