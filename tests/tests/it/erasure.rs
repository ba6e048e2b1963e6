use crate::support::{CUSTOMER, answers, system, worker, write};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_person_who_is_erased() {
    let mut system = system().await;
    write(&system, "Ik zoek een Volkswagen Golf").await;
    answers(&system, 1).await;
    system.until_idle(std::time::Duration::from_secs(30)).await;
    let national = CUSTOMER.replace("+31", "0");
    let (known, said) = worker(&system, &["erase", "--dry-run", &national]);
    assert!(known && said.contains("1  CRM contacts"), "{said}");
    assert!(
        system.redis.server().dump().contains(CUSTOMER),
        "a dry run removes nothing"
    );
    let (done, said) = worker(&system, &["erase", &national]);
    assert!(done && said.contains("1  CRM contacts"), "{said}");
    let left = system.redis.server().dump();
    for trace in [CUSTOMER.trim_start_matches('+'), "Volkswagen", "Golf"] {
        assert!(!left.contains(trace), "{trace} in\n{left}");
    }
    let (again, said) = worker(&system, &["erase", &national]);
    assert!(!again && said.contains("Nobody is known"), "{said}");
}
