//! What colleagues are told on WhatsApp, which egress sends as it sends everything.

use e2e_tests::{Role, Settings, System, SystemBuilder};
use serde_json::json;
use test_support::eventually_within;

use crate::mirror::PATIENCE;
use crate::support::{CUSTOMER, business, worker};

const COLLEAGUE: &str = "+31600000001";
const ERASED: &str = "+31687654321";

/// Everything but egress.
async fn without_egress() -> System {
    let mut system = SystemBuilder::new(Settings::default()).prepare();
    // Open whenever this runs.
    let domain = business(system.folder(), &[("hours =", "hours = \"24/7\"")]);
    let settings = [
        ("WORKER_DOMAIN_FILE", domain.display().to_string()),
        ("NOTICE_WHATSAPP_TO", COLLEAGUE.to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    system.service(Role::Worker, 0).set(settings);
    for role in [Role::Simulator, Role::Ingress, Role::Worker] {
        system.start(role).await;
    }
    system.simulator().deliver(&[], 0).await;
    system
}

async fn asks_for_a_person(system: &System, from: &str, name: &str) {
    let text = "Ik wil graag een medewerker spreken";
    let message = json!({"from": from, "name": name, "text": text});
    let answer = system.simulator().write(message).await;
    assert_eq!(answer["status"], 200, "{answer}");
}

/// The notice waits while egress is away, although the worker is killed; then it is sent once. What is about
/// a customer who is erased meanwhile is not sent at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_on_whatsapp_waits_for_egress_and_is_sent_once() {
    let mut system = without_egress().await;
    asks_for_a_person(&system, CUSTOMER, "Sanne").await;
    asks_for_a_person(&system, ERASED, "Mehmet").await;
    eventually_within(PATIENCE, async || {
        let (_, list) = worker(&system, &["notices", "list"]);
        let queued = list.lines().filter(|line| line.contains("whatsapp"));
        match queued.filter(|line| line.contains("sent")).count() {
            2 => Ok(()),
            _ => Err(list),
        }
    })
    .await;
    assert!(system.simulator().arrivals().await.is_empty());
    let (done, said) = worker(&system, &["erase", ERASED]);
    assert!(done, "{said}");
    let left = system.redis.server().dump();
    assert!(left.contains("Sanne") && !left.contains("Mehmet"), "{left}");
    system.service(Role::Worker, 0).kill();
    system.start(Role::Worker).await;
    system.start(Role::Egress).await;
    system.until_idle(PATIENCE).await;
    system.service(Role::Egress, 0).kill();
    system.start(Role::Egress).await;
    system.until_idle(PATIENCE).await;
    let arrivals = system.simulator().arrivals().await;
    let to = |customer: &str| -> Vec<&str> {
        let theirs = arrivals.iter().filter(|one| one.customer == customer);
        theirs.map(|one| one.text.as_str()).collect()
    };
    let told = to(COLLEAGUE);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("Klant wacht op een collega: Sanne\n"),
        "{told:?}"
    );
    assert_eq!(to(CUSTOMER).len(), 1);
    assert!(to(ERASED).is_empty());
    // What the colleague says of it is no customer's message.
    asks_for_a_person(&system, COLLEAGUE, "Anna").await;
    system.until_idle(PATIENCE).await;
    assert_eq!(system.simulator().arrivals().await.len(), arrivals.len());
}
