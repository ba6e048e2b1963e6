use std::process::Command;

use e2e_tests::System;
use test_support::binary;

use crate::support::{CUSTOMER, answers, system, write};

fn erase(system: &System, words: &[&str]) -> (bool, String) {
    let database = system.folder().join("crm.sqlite");
    let output = Command::new(binary("worker"))
        .arg("erase")
        .args(words)
        .env_clear()
        .envs(system.redis.settings())
        // Not the deployment's own number: it does not matter.
        .env("REDIS_PARTITIONS", "5")
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
    let national = CUSTOMER.replace("+31", "0");
    let (known, said) = erase(&system, &["--dry-run", &national]);
    assert!(known && said.contains("1  CRM contacts"), "{said}");
    assert!(
        system.redis.server().dump().contains(CUSTOMER),
        "a dry run removes nothing"
    );
    let (done, said) = erase(&system, &[&national]);
    assert!(done && said.contains("1  CRM contacts"), "{said}");
    let left = system.redis.server().dump();
    for trace in [CUSTOMER.trim_start_matches('+'), "Volkswagen", "Golf"] {
        assert!(!left.contains(trace), "{trace} in\n{left}");
    }
    let (again, said) = erase(&system, &[&national]);
    assert!(!again && said.contains("Nobody is known"), "{said}");
}
