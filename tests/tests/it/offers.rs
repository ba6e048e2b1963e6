//! From a webhook to a reply with what is in stock, and on to the lead of who chose something.

use std::time::Duration;

use e2e_tests::{Role, Settings, SystemBuilder};
use serde_json::json;

use crate::support::{CUSTOMER, worker};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn the_first_question_of_a_customer_is_answered_with_cars() {
    let mut system = SystemBuilder::new(Settings::default()).prepare();
    let settings = system.service(Role::Worker, 0);
    settings.set([("WORKER_STOCK".to_owned(), "shipped".to_owned())]);
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    for text in [
        "heb je nog een witte golf?",
        "die eerste",
        "mag ik zaterdag langskomen?",
    ] {
        let message = json!({"from": CUSTOMER, "name": "Jan", "text": text});
        let answer = system.simulator().write(message).await;
        assert_eq!(answer["status"], 200, "{answer}");
        system.until_idle(PATIENCE).await;
    }
    let arrivals = system.simulator().arrivals().await;
    let texts: Vec<String> = arrivals.into_iter().map(|one| one.text).collect();
    let [offer, caption, picked, visit] = texts.as_slice() else {
        panic!("{texts:?}");
    };
    assert_eq!(caption, "Volkswagen Golf 1.5 eTSI R-Line", "of its picture");
    for told in [
        "Volkswagen Golf 1.5 eTSI R-Line",
        "2021",
        "39.800 km",
        "€ 25.950",
        "gereserveerd",
    ] {
        assert!(offer.contains(told), "{offer}");
    }
    assert!(picked.contains("€ 25.950"), "{picked}");
    assert!(visit.contains("zaterdag"), "{visit}");
    let (listed, leads) = worker(&system, &["leads", "list", "--json"]);
    assert!(listed, "{leads}");
    assert!(leads.contains("Golf 1.5 eTSI R-Line"), "{leads}");
}
