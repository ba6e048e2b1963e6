//! `worker doctor`, as an operator runs it.

use std::process::Command;

use serde_json::json;
use test_support::RedisServer;

use crate::model::{rule, simulator};

fn doctor(variables: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_worker"))
        .arg("doctor")
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tries_everything_and_keeps_the_servers_words() {
    let redis = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let crm = format!("sqlite:{}", folder.path().join("crm.sqlite").display());
    let simulator = simulator();
    let model = format!("{}/v1", simulator.url());
    let url = redis.url();
    let everything = [
        ("REDIS_URL", url.as_str()),
        ("CRM_DATABASE_URL", &crm),
        ("LLM_BASE_URL", &model),
        ("LLM_MODEL", "scripted"),
        ("TRANSCRIBE_BASE_URL", &model),
    ];
    let (_, said) = doctor(&everything);
    for line in [
        "ok       settings: nothing is wrong",
        "ok       business: Autobedrijf De Duif, an invented example; name yours with WORKER_DOMAIN_FILE",
        "ok       CRM: it answers",
        "ok       model: it answers; asked for: temperature by question, token limit max_completion_tokens, response format json_schema",
        "ok       voice messages: the endpoint takes recordings",
    ] {
        assert!(said.contains(line), "{line} is not in\n{said}");
    }
    rule(
        &simulator,
        json!({"reply": {"kind": "error", "status": 401, "message": "Wrong key."}}),
    );
    let (well, said) = doctor(&everything);
    let line = "problem  model: it answers 401: Wrong key.";
    assert!(
        !well && said.contains(line) && said.contains("LLM_API_KEY"),
        "{said}"
    );
    let salon = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/domains/hair-salon.toml"
    );
    let real = [
        ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
        ("TWILIO_AUTH_TOKEN", "b1946ac92492d2347c6235b4d2611184"),
    ];
    let (_, said) = doctor(&[&everything[..2], &[("WORKER_DOMAIN_FILE", salon)], &real].concat());
    let line = "problem  business: Kapsalon Krul: customers are answered as the invented business";
    assert!(said.contains(line), "{said}");
    let (well, said) = doctor(&everything[..2]);
    assert!(
        said.contains("ok       model: none") && said.contains("ok       voice messages: off"),
        "{well} {said}"
    );
}
