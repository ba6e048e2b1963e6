//! The outbox of notices alone, at times of its own, on SQLite and on PostgreSQL.

use std::time::Duration;

use crm::Kind;
use crm::{
    ByHand, Changed, Crm, CrmWrite, HandoverChange, HandoverWrite, Matter, Settled, Status, What,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use test_support::{PostgresServer, eventually_within};

use crate::database::{PHONE, write};

const PATIENCE: Duration = Duration::from_secs(120);

/// A customer asks for a person.
pub(crate) fn asks(message: &str, at: Timestamp) -> CrmWrite {
    CrmWrite {
        at,
        lead: None,
        handover: Some(HandoverWrite {
            conversation: PHONE.into(),
            opens: true,
            reason: "asked".into(),
            urgent: false,
            last_words: "een mens graag".into(),
            summary: "Reason: asked".into(),
            promised_at: None,
            answer_by: at.checked_add(SignedDuration::from_hours(1)).unwrap(),
            late_reply: None,
        }),
        ..write(message, "2026-11-28T18:00:00Z")
    }
}

#[tokio::test]
async fn the_outbox_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("crm.sqlite").display());
    let crm = Crm::new(&SecretString::from(url)).unwrap();
    crm.migrate().await.unwrap();
    notices_wait_for_the_opening_and_for_each_other(&crm).await;
    the_machine_is_told_of_once_and_a_lease_has_one_holder(&crm).await;
    what_is_closed_stays_closed(&crm).await;
    nothing_is_told_of_who_is_erased(&crm).await;
}

#[tokio::test]
async fn the_outbox_on_postgresql() {
    let server = PostgresServer::start();
    let crm = Crm::new(&SecretString::from(server.url())).unwrap();
    eventually_within(PATIENCE, async || {
        crm.migrate().await.map_err(|error| error.to_string())
    })
    .await;
    notices_wait_for_the_opening_and_for_each_other(&crm).await;
    the_machine_is_told_of_once_and_a_lease_has_one_holder(&crm).await;
    what_is_closed_stays_closed(&crm).await;
    nothing_is_told_of_who_is_erased(&crm).await;
}

/// The outbox alone, at times of its own.
async fn notices_wait_for_the_opening_and_for_each_other(crm: &Crm) {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let takes = |_: Kind| vec!["mail", "webhook"];
    let evening = at("2026-11-28T18:10:00Z");
    crm.apply(&asks("O1", evening)).await.unwrap();
    crm.dispatch(takes, false, evening).await.unwrap();
    let channels = ["mail", "webhook"];
    let claim = async |who: &str, now: Timestamp| crm.claim(&channels, who, 8, now).await.unwrap();
    assert!(claim("a", evening).await.is_empty(), "kept until it opens");
    let monday = at("2026-11-30T08:00:00Z");
    crm.dispatch(takes, true, monday).await.unwrap();
    let claimed = claim("a", monday).await;
    assert_eq!(claimed.len(), 2);
    assert!(claim("b", monday).await.is_empty(), "one worker has them");
    // The one arrives, the other one's worker dies.
    crm.settle(&claimed[0], "a", &Settled::Sent, monday)
        .await
        .unwrap();
    let later = at("2026-11-30T08:02:00Z");
    let again = claim("b", later).await;
    assert_eq!(again.len(), 1, "the one that arrived is not repeated");
    assert_eq!(again[0].notice.id, claimed[1].notice.id);
    // Nobody took it: told once.
    crm.tell_of_unanswered(at("2026-11-30T08:03:00Z"))
        .await
        .unwrap();
    crm.tell_of_unanswered(at("2026-11-30T08:04:00Z"))
        .await
        .unwrap();
    crm.dispatch(takes, true, at("2026-11-30T08:04:00Z"))
        .await
        .unwrap();
    let kinds: Vec<_> = crm
        .sends(20)
        .await
        .unwrap()
        .into_iter()
        .map(|send| send.kind)
        .collect();
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| *kind == "handover.unanswered")
            .count(),
        2,
        "{kinds:?}"
    );
    // Within ten minutes one of a kind: the next hand-over of the conversation waits.
    let handover = crm
        .list(Matter::Handover, What::Open, None)
        .await
        .unwrap()
        .rows
        .remove(0);
    let id = handover[0].1.as_str().unwrap().to_owned();
    let close = ByHand {
        matter: Matter::Handover,
        id: &id,
        to: Status::Closed,
        by: "anna",
        note: None,
        at: at("2026-11-30T08:05:00Z"),
    };
    crm.change(close).await.unwrap();
    crm.apply(&asks("O2", at("2026-11-30T08:06:00Z")))
        .await
        .unwrap();
    for (time, opened) in [("08:07:00", 2), ("08:10:01", 4)] {
        crm.dispatch(takes, true, at(&format!("2026-11-30T{time}Z")))
            .await
            .unwrap();
        let sends = crm.sends(20).await.unwrap().into_iter();
        let sends = sends.filter(|send| send.kind == "handover.opened" && send.channel.is_some());
        assert_eq!(sends.count(), opened, "{time}");
    }
    // What is erased is not told.
    let contact = crm.addresses().await.unwrap()[0].0.clone();
    crm.erase(&[contact], false).await.unwrap();
    assert!(crm.sends(20).await.unwrap().is_empty());
    assert!(claim("c", at("2026-12-01T08:00:00Z")).await.is_empty());
}

async fn the_machine_is_told_of_once_and_a_lease_has_one_holder(crm: &Crm) {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for (count, time) in [
        (0, "08:00:00"),
        (2, "08:00:15"),
        (2, "08:00:30"),
        (1, "08:00:45"),
    ] {
        let now = at(&format!("2026-11-30T{time}Z"));
        crm.tell_of_dead_letters("inbound", count, None, now)
            .await
            .unwrap();
    }
    let sends = crm.sends(10).await.unwrap();
    assert_eq!(sends.len(), 1, "{sends:?}");
    assert_eq!(sends[0].kind, "dead_letter.added");
    let since = at("2026-11-30T08:00:00Z");
    for (stalled, time) in [
        (Some(("waha", since)), "08:05:00"),
        (Some(("waha", since)), "08:05:15"),
        (None, "08:05:30"),
        (Some(("whatsapp", since)), "08:05:45"),
    ] {
        let now = at(&format!("2026-11-30T{time}Z"));
        crm.tell_of_stall(stalled, now).await.unwrap();
    }
    let sends = crm.sends(10).await.unwrap().into_iter();
    let down = sends.filter(|send| send.kind == "channel.down");
    assert_eq!(down.count(), 2, "once until replies leave again");
    let (now, until) = (at("2026-11-30T08:00:00Z"), at("2026-11-30T08:00:15Z"));
    assert!(crm.lease("notices", "a", now, until).await.unwrap());
    assert!(!crm.lease("notices", "b", now, until).await.unwrap());
    assert!(crm.lease("notices", "a", now, until).await.unwrap());
    let over = at("2026-11-30T08:00:16Z");
    assert!(crm.lease("notices", "b", over, over).await.unwrap());
}

/// The worker starts and an operator looks, at the same moment on a new file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_made_once_whoever_comes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("crm.sqlite").display());
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let crm = Crm::new(&SecretString::from(url.clone())).unwrap();
        all.spawn(async move { crm.migrate().await.map_err(|error| error.to_string()) });
    }
    while let Some(migrated) = all.join_next().await {
        migrated.unwrap().unwrap();
    }
}

/// A colleague closes a hand-over by a command while events that are older are still on their way.
async fn what_is_closed_stays_closed(crm: &Crm) {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let asked = at("2027-03-01T10:00:00Z");
    crm.apply(&asks("closing", asked)).await.unwrap();
    let only = async || {
        let all = crm.list(Matter::Handover, What::All, None).await.unwrap();
        let ours = all.rows.into_iter().map(|row| row.into_iter().collect());
        let ours: Vec<std::collections::BTreeMap<_, _>> = ours.collect();
        let since = |row: &std::collections::BTreeMap<&str, serde_json::Value>| {
            row["created_at"].as_str().unwrap() >= "2027-03-01"
        };
        let ours: Vec<_> = ours.into_iter().filter(since).collect();
        assert_eq!(ours.len(), 1, "{ours:?}");
        ours.into_iter().next().unwrap()
    };
    let id = only().await["id"].as_str().unwrap().to_owned();
    let by_hand = |to, when| ByHand {
        matter: Matter::Handover,
        id: &id,
        to,
        by: "anna",
        note: None,
        at: at(when),
    };
    crm.change(by_hand(Status::Taken, "2027-03-01T10:01:00Z"))
        .await
        .unwrap();
    crm.change(by_hand(Status::Closed, "2027-03-01T10:01:02Z"))
        .await
        .unwrap();
    for (to, when) in [
        (Status::Taken, "2027-03-01T10:01:01Z"),
        (Status::Answered, "2027-03-01T10:01:01Z"),
        (Status::Closed, "2027-03-01T10:01:03Z"),
    ] {
        let change = HandoverChange {
            conversation_id: PHONE.into(),
            to,
            by: "anna".into(),
            at: at(when),
        };
        crm.hand_over(&change).await.unwrap();
    }
    assert_eq!(only().await["status"], "closed");
    // Many at once: whoever is first, it ends closed, and only once.
    crm.apply(&asks("racing", at("2027-03-02T10:00:00Z")))
        .await
        .unwrap();
    let all = crm.list(Matter::Handover, What::Open, None).await.unwrap();
    let open: std::collections::BTreeMap<_, _> = all.rows[0].clone().into_iter().collect();
    let id = open["id"].as_str().unwrap().to_owned();
    let by_hand = |to| ByHand {
        matter: Matter::Handover,
        id: &id,
        to,
        by: "anna",
        note: None,
        at: at("2027-03-02T10:05:00Z"),
    };
    let event = |to| HandoverChange {
        conversation_id: PHONE.into(),
        to,
        by: "Petra".into(),
        at: at("2027-03-02T10:04:00Z"),
    };
    let (taken, answered) = (event(Status::Taken), event(Status::Answered));
    let (first, second, closed) = tokio::join!(
        crm.hand_over(&taken),
        crm.hand_over(&answered),
        crm.change(by_hand(Status::Closed)),
    );
    first.unwrap();
    second.unwrap();
    if !matches!(closed.unwrap(), Changed::Done { .. }) {
        crm.change(by_hand(Status::Closed)).await.unwrap();
    }
    let open = crm.list(Matter::Handover, What::Open, None).await.unwrap();
    assert!(open.rows.is_empty(), "{:?}", open.rows);
}

/// Nobody is told of a customer who is erased, and nor is the customer.
async fn nothing_is_told_of_who_is_erased(crm: &Crm) {
    let asked = "2027-04-01T10:00:00Z".parse::<Timestamp>().unwrap();
    let mut write = asks("erasing", asked);
    let excuse = serde_json::json!({
        "id": "ob_late", "source": "twilio", "conversation_id": "whatsapp:+31612345678",
        "to": "whatsapp:+31612345678", "text": "Het is helaas nog niet gelukt", "in_reply_to": "SM1",
        "created_at": "2027-04-01T10:00:00Z",
    });
    if let Some(handover) = &mut write.handover {
        handover.late_reply = Some(serde_json::from_value(excuse).unwrap());
    }
    crm.apply(&write).await.unwrap();
    let after = |hours| {
        asked
            .checked_add(SignedDuration::from_hours(hours))
            .unwrap()
    };
    let contacts: Vec<String> = crm
        .addresses()
        .await
        .unwrap()
        .into_iter()
        .map(|(contact, _)| contact)
        .collect();
    assert!(!crm.notices_of(&contacts).await.unwrap().is_empty());
    let rows = crm.erase(&contacts, false).await.unwrap();
    assert!(rows.handovers > 0);
    crm.tell_of_unanswered(after(2)).await.unwrap();
    let takes = |_: Kind| vec!["mail"];
    crm.dispatch(takes, true, after(2)).await.unwrap();
    let claimed = crm.claim(&["mail"], "erasing", 10, after(2)).await.unwrap();
    let of_customers = claimed
        .iter()
        .filter(|one| one.notice.data.contains_key("conversation"));
    assert_eq!(of_customers.count(), 0, "{claimed:?}");
    assert!(crm.late_replies().await.unwrap().is_empty());
    assert!(crm.notices_of(&contacts).await.unwrap().is_empty());
}
