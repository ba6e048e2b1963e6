//! The number of partitions: fixed at the first start, and changed where nothing waits.

use std::process::Command;
use std::time::Duration;

use e2e_tests::{Role, System};
use serde_json::json;
use tempfile::TempDir;
use test_support::{RedisServer, binary, free_port};

use crate::support::{CUSTOMER, system, worker, write};

const SERVICES: [Role; 3] = [Role::Ingress, Role::Worker, Role::Egress];
const STOPPED: &str = "+31687654321";
const PATIENCE: Duration = Duration::from_secs(30);

/// Who comes later with another number ends, and says with which it would fit.
#[test]
fn no_service_starts_over_another_number_of_partitions() {
    let redis = RedisServer::builder().tcp().append_only("everysec").start();
    redis.run::<()>(&["SET", "partitions", "8"]);
    let folder = TempDir::new().unwrap();
    let crm = format!("sqlite:{}", folder.path().join("crm.sqlite").display());
    for service in ["ingress", "worker", "egress"] {
        let run = |verb: &str, partitions: &str| {
            let output = Command::new(binary(service))
                .arg(verb)
                .env_clear()
                .env("REDIS_URL", redis.url())
                .env("REDIS_PARTITIONS", partitions)
                .env("CRM_DATABASE_URL", &crm)
                .env("PORT", free_port().to_string())
                .env("PUBLIC_BASE_URL", "http://127.0.0.1:1")
                .env("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000000")
                .env("TWILIO_AUTH_TOKEN", "fake-twilio-token")
                .env("TWILIO_WHATSAPP_NUMBER", "+14155238886")
                .env("TWILIO_API_BASE_URL", "http://127.0.0.1:1")
                .output()
                .unwrap();
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            (output.status.code(), said)
        };
        let (code, said) = run("serve", "9");
        assert_eq!(code, Some(64), "{service}: {said}");
        assert!(
            said.contains("set REDIS_PARTITIONS=8") && said.contains("worker repartition"),
            "{service}: {said}"
        );
        let (_, said) = run("doctor", "9");
        assert!(
            said.contains("8 partitions, REDIS_PARTITIONS is 9: set REDIS_PARTITIONS=8"),
            "{service}: {said}"
        );
        let (_, said) = run("doctor", "8");
        assert!(!said.contains("set REDIS_PARTITIONS"), "{service}: {said}");
    }
    assert_eq!(redis.run::<String>(&["GET", "partitions"]), "8");
}

async fn says(system: &System, from: &str, text: &str) {
    let answer = system
        .simulator()
        .write(json!({"from": from, "text": text}))
        .await;
    assert_eq!(answer["status"], 200, "{answer}");
    system.until_idle(PATIENCE).await;
}

async fn answers_to(system: &System, customer: &str) -> usize {
    let arrivals = system.simulator().arrivals().await;
    arrivals
        .iter()
        .filter(|one| one.customer == customer)
        .count()
}

/// Conversations go on, opt-outs hold, and what came before is known again, in whatever partition it is now.
#[tokio::test(flavor = "multi_thread")]
async fn another_number_of_partitions_changes_nothing_for_customers() {
    let mut system = system().await;
    write(&system, "Ik zoek een Volkswagen Golf").await;
    says(&system, STOPPED, "STOP").await;
    let again = system.webhooks();
    assert_eq!(
        again
            .post("SM1", CUSTOMER, "Heeft die een trekhaak?")
            .await
            .unwrap(),
        200
    );
    system.until_idle(PATIENCE).await;
    let (answered, stopped) = (
        answers_to(&system, CUSTOMER).await,
        answers_to(&system, STOPPED).await,
    );

    let (done, said) = worker(&system, &["repartition", "--to", "7", "--dry-run"]);
    assert!(
        done && said.contains("Stop ingress, all workers and all egresses"),
        "{said}"
    );
    let (done, said) = worker(&system, &["repartition", "--to", "7", "--yes"]);
    assert!(!done && said.contains("a worker or egress runs"), "{said}");
    for role in SERVICES {
        assert_eq!(system.service(role, 0).terminate().await, Some(0));
    }
    let (done, said) = worker(&system, &["repartition", "--to", "7", "--dry-run"]);
    assert!(done, "{said}");
    let (done, said) = worker(&system, &["repartition", "--to", "7"]);
    assert!(
        !done && said.contains("stop ingress as well, and add --yes"),
        "{said}"
    );
    let (done, said) = worker(&system, &["repartition", "--to", "7", "--yes"]);
    assert!(
        done && said.contains("16 partitions are 7 now: set REDIS_PARTITIONS=7"),
        "{said}"
    );
    for role in SERVICES {
        system
            .service(role, 0)
            .set([("REDIS_PARTITIONS".to_owned(), "7".to_owned())]);
        system.start(role).await;
    }
    assert_eq!(
        again
            .post("SM1", CUSTOMER, "Heeft die een trekhaak?")
            .await
            .unwrap(),
        200
    );
    says(&system, STOPPED, "Ik zoek een Opel Corsa").await;
    assert_eq!(
        answers_to(&system, CUSTOMER).await,
        answered,
        "it came before"
    );
    assert_eq!(
        answers_to(&system, STOPPED).await,
        stopped,
        "they opted out"
    );
    for turn in 1..=3 {
        says(&system, CUSTOMER, "En wat kost die?").await;
        assert_eq!(answers_to(&system, CUSTOMER).await, answered + turn);
    }
    let conversation = format!("conv:whatsapp:{CUSTOMER}");
    let turns: u32 = system.redis.server().run(&["HGET", &conversation, "ver"]);
    assert_eq!(turns, 5, "one conversation, before and after");
    let (_, acts) = worker(&system, &["acts"]);
    assert!(
        acts.contains("changed the number of partitions from 16 to 7"),
        "{acts}"
    );
}
