use std::process::Command;

use e2e_tests::System;
use test_support::binary;

use crate::support::{CUSTOMER, answers, system, write};

fn erase(system: &System, address: &str) -> (bool, String) {
    let database = system.folder().join("crm.sqlite");
    let output = Command::new(binary("worker"))
        .args(["erase", address])
        .env_clear()
        .envs(system.redis.settings())
        .env("REDIS_PARTITIONS", system.settings().partitions.to_string())
        .env("CRM_DATABASE_URL", format!("sqlite:{}", database.display()))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_person_who_is_erased() {
    let mut system = system().await;
    write(&system, "Ik zoek een Volkswagen Golf").await;
    answers(&system, 1).await;
    system.until_idle(std::time::Duration::from_secs(30)).await;
    let address = format!("whatsapp:{CUSTOMER}");
    let (done, said) = erase(&system, &address);
    assert!(done && said.contains("1 contacts"), "{said}");
    let keys: Vec<String> = system.redis.server().run(&["KEYS", "*"]);
    let personal: Vec<_> = keys.iter().filter(|key| key.contains(CUSTOMER)).collect();
    assert!(personal.is_empty(), "{personal:?}");
    assert!(!keys.iter().any(|key| key.starts_with("sent:")), "{keys:?}");
    let (again, said) = erase(&system, &address);
    assert!(again && said.contains("0 contacts"), "{said}");
}
