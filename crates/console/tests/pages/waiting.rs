//! Who waits for a human is seen, taken and closed.

use reqwest::StatusCode;

use crate::support::{HOSTILE, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_shown_and_a_hostile_name_is_words() {
    let rig = Rig::start().await;
    let anna = rig.operator("Anna").await;
    assert!(anna.page("/").await.contains("There was no hand-over yet"));
    rig.asks(HOSTILE, "+31612345678", HOSTILE).await;
    let page = anna.page("/").await;
    assert!(
        !page.contains("<img src=x") && !page.contains("</script><"),
        "{page}"
    );
    assert!(page.matches("&#60;img src=x").count() >= 2, "{page}");
    for shown in ["asked for a person", "Twilio", "+31612345678", "answer by"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_colleagues_one_takes_it_and_the_other_is_told_who() {
    let rig = Rig::start().await;
    let id = rig.asks("Sanne", "+31612345678", "een mens graag").await;
    let (anna, bram) = (rig.operator("Anna").await, rig.operator("Bram").await);
    let take = format!("/handovers/{id}/take");
    assert_eq!(anna.submit(&take, &[("back", "/")]).await, "/?done=take");
    let late = bram.post(&take, &[]).await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
    assert!(late.text().await.unwrap().contains("by Anna"));
    let queued = rig.waiting_for_worker().await;
    assert_eq!(queued.len(), 1, "{queued:?}");
    assert_eq!(queued[0].0, "control");
    assert_eq!(queued[0].1["kind"], "human_took_over");
    assert_eq!(queued[0].1["by"], "Anna");
    assert!(anna.page("/").await.contains("taken: Anna"));
    anna.submit(&format!("/handovers/{id}/close"), &[("note", "belde al")])
        .await;
    assert!(anna.page("/").await.contains("Nobody waits"));
    let queued = rig.waiting_for_worker().await;
    assert_eq!(queued[1].1["kind"], "released", "{queued:?}");
    let acts = anna.page("/acts").await;
    for shown in ["handover.take", "handover.close", "belde al", &id] {
        assert!(acts.contains(shown), "{shown}: {acts}");
    }
    let unknown = anna.post("/handovers/h_none/take", &[]).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    let odd = anna.post(&format!("/handovers/{id}/steal"), &[]).await;
    assert_eq!(odd.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_wait_is_first_though_hundreds_came_before() {
    let rig = Rig::start().await;
    for number in 0..205 {
        let phone = format!("+31600000{number:03}");
        rig.asks("Klant", &phone, "een mens graag").await;
    }
    let urgent = rig.asks("Sanne", "+31612345678", "dringend!").await;
    let anna = rig.operator("Anna").await;
    let page = anna.page("/").await;
    assert_eq!(page.matches("data-row").count(), 206);
    let first = page.split("data-row").next().unwrap();
    assert!(first.contains(&format!("id=\"{urgent}\"")), "{first}");
    assert_eq!(page.matches("data-key=\"r\"").count(), 206);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_notice_waits_for_the_channels() {
    let rig = Rig::start().await;
    let anna = rig.operator("Anna").await;
    assert_eq!(
        anna.submit("/notices/test", &[("back", "/notices")]).await,
        "/notices?done=test"
    );
    let (notices, _) = rig.crm.attempts(false, None, 10).await.unwrap();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].kind, "test");
    assert!(anna.page("/notices").await.contains("test"));
    // The worker of this test is this test: one channel, which fails.
    let now = jiff::Timestamp::now();
    rig.crm
        .dispatch(|_| vec!["webhook"], true, now)
        .await
        .unwrap();
    let claimed = rig.crm.claim(&["webhook"], "w", 5, now).await.unwrap();
    let failed = crm::Settled::Failed {
        error: "the receiver says 500".into(),
    };
    rig.crm
        .settle(&claimed[0], "w", &failed, now)
        .await
        .unwrap();
    let page = anna.page("/notices?show=failing").await;
    assert!(
        page.contains("the receiver says 500") && page.contains("Try again"),
        "{page}"
    );
    anna.submit(&format!("/notices/{}/retry", notices[0].id), &[])
        .await;
    let (notices, _) = rig.crm.attempts(false, None, 10).await.unwrap();
    assert_eq!(
        (
            notices[0].sends[0].status.as_str(),
            notices[0].sends[0].tries
        ),
        ("pending", 0)
    );
}
