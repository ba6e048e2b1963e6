//! What a worker says when it starts of whose business it speaks for.

use e2e_tests::{Role, Service};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::RedisServer;

use crate::support::business;

const REAL: [(&str, &str); 2] = [
    ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
    ("TWILIO_AUTH_TOKEN", "b1946ac92492d2347c6235b4d2611184"),
];
const WARNING: &str = "customers are answered as the invented business of an example";

/// A worker with these settings: what `/health/ready` says of it when it is ready, and its log.
async fn worker(redis: &RedisServer, settings: &[(&str, &str)]) -> (Value, String) {
    let folder = TempDir::new().unwrap();
    let crm = format!("sqlite:{}", folder.path().join("crm.sqlite").display());
    let url = redis.url();
    let fixed = [("REDIS_URL", url.as_str()), ("CRM_DATABASE_URL", &crm)];
    let all = fixed.iter().chain(settings);
    let all = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let log = folder.path().join("log");
    let mut service = Service::new(Role::Worker, "worker", all.collect(), log);
    service.start();
    service.until_ready().await;
    let page = reqwest::get(format!("{}/health/ready", service.url())).await;
    let page = page.unwrap().json().await.unwrap();
    (page, service.log())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_real_customers_as_an_example_is_told() {
    let redis = RedisServer::builder().tcp().start();
    let (page, log) = worker(&redis, &REAL).await;
    assert_eq!(
        (&page["status"], &page["checks"]["business"]),
        (&json!("degraded"), &json!("degraded"))
    );
    assert!(
        page["reasons"]["business"]
            .as_str()
            .unwrap()
            .contains("WORKER_DOMAIN_FILE")
    );
    let warned = |log: &str| log.lines().filter(|line| line.contains(WARNING)).count();
    assert_eq!(warned(&log), 1, "{log}");

    // Without a provider whose customers are real it plays, and says so in its log alone.
    let (page, log) = worker(&redis, &[]).await;
    assert_eq!(
        (&page["status"], warned(&log)),
        (&json!("ready"), 1),
        "{log}"
    );

    let folder = TempDir::new().unwrap();
    let own = [
        ("name = \"Autobedrijf", "name = \"Garage Jansen\""),
        ("email =", "email = \"info@garage-jansen.nl\""),
        ("website =", "website = \"https://garage-jansen.nl\""),
    ];
    let domain = business(folder.path(), &own).display().to_string();
    let settings = [&REAL[..], &[("WORKER_DOMAIN_FILE", &domain)]].concat();
    let (page, log) = worker(&redis, &settings).await;
    assert_eq!(
        (&page["status"], warned(&log)),
        (&json!("ready"), 0),
        "{log}"
    );
}
