//! Leads are found, taken and exported.

use reqwest::StatusCode;

use crate::support::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn leads_are_found_by_status_name_and_number_page_by_page() {
    let rig = Rig::start().await;
    for number in 0..55 {
        let phone = format!("+316000000{number:02}");
        rig.wants(&format!("Klant {number:02}"), &phone, "car_inquiry")
            .await;
    }
    let anna = rig.operator("Anna").await;
    let first = anna.page("/leads").await;
    assert_eq!(first.matches("data-row").count(), 50);
    assert!(
        first.contains("Klant 54") && !first.contains("Klant 04"),
        "{first}"
    );
    let more = first.split("class=\"more\"").nth(1).unwrap();
    let more = more
        .split("href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let second = anna.page(&more.replace("&#38;", "&")).await;
    assert_eq!(second.matches("data-row").count(), 5);
    for found in [
        "/leads?search=klant+07",
        "/leads?search=60000000%37&status=new",
        "/leads?search=06-0000+0007",
        "/conversations?search=%2B31+6+0000+0007",
    ] {
        let page = anna.page(found).await;
        assert!(page.contains("Klant 07"), "{found}: {page}");
    }
    assert_eq!(
        anna.page("/leads?search=klant+07")
            .await
            .matches("data-row")
            .count(),
        1
    );
    assert!(
        anna.page("/leads?search=100%25")
            .await
            .contains("Nothing is found")
    );
    assert!(
        anna.page("/leads?status=won")
            .await
            .contains("Nothing is found")
    );
    assert!(
        anna.page("/leads?intent=trade_in")
            .await
            .contains("Nothing is found")
    );
    let people = anna.page("/conversations?search=klant+07").await;
    assert!(
        people.contains("/conversations/whatsapp%3A%2B31600000007"),
        "{people}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_taken_and_won_and_that_is_its_end() {
    let rig = Rig::start().await;
    rig.wants("Sanne", "+31612345678", "car_inquiry").await;
    let anna = rig.operator("Anna").await;
    let page = anna.page("/leads").await;
    // Neither won nor dropped by a key.
    let key = "data-key=\"t\"";
    assert_eq!(page.matches(key).count(), 1, "{page}");
    let id = page
        .split("<tr id=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    anna.submit(
        &format!("/leads/{id}/taken"),
        &[("back", "/leads?search=s")],
    )
    .await;
    let taken = anna.page("/leads?owner=Anna").await;
    assert!(taken.contains("Sanne") && !taken.contains(key), "{taken}");
    anna.submit(&format!("/leads/{id}/won"), &[]).await;
    assert!(anna.page("/leads").await.contains("Nothing is found"));
    assert!(anna.page("/leads?status=won").await.contains("Sanne"));
    let again = anna.post(&format!("/leads/{id}/dropped"), &[]).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
    let odd = anna.post(&format!("/leads/{id}/confirmed"), &[]).await;
    assert_eq!(odd.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_safe_for_spreadsheets_whole_and_noted() {
    let rig = Rig::start().await;
    for number in 0..520 {
        rig.wants("Klant", &format!("+31600000{number:03}"), "car_inquiry")
            .await;
    }
    let anna = rig.operator("Anna").await;
    let answer = anna.get("/leads.csv?separator=%3B").await;
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    let bytes = answer.bytes().await.unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(
        text.starts_with("\u{feff}id;status;created_at;intent"),
        "{}",
        text.lines().next().unwrap()
    );
    assert_eq!(text.matches("\r\n").count(), 521);
    assert!(
        text.contains(";'tel:+31600000001;") || text.contains(";tel:+31600000001;"),
        "{}",
        text.lines().nth(1).unwrap()
    );
    assert!(!text.contains(";=Golf"), "{}", text.lines().nth(1).unwrap());
    assert!(anna.page("/acts").await.contains("export"));
}
