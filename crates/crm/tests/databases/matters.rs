//! Hand-overs, leads and appointments as colleagues work on them, on SQLite and on PostgreSQL.

use crm::{
    ByHand, Changed, CrmWrite, HandoverChange, HandoverWrite, LeadField, Matter, Row, Status, What,
};
use jiff::Timestamp;
use test_support::PostgresServer;

use crate::database::{Database, PHONE, appointment, write};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn handover(opens: bool, words: &str) -> HandoverWrite {
    HandoverWrite {
        conversation: PHONE.into(),
        opens,
        reason: "asked".into(),
        urgent: false,
        last_words: words.into(),
        summary: "Reason: asked".into(),
        promised_at: Some(at("2026-11-30T08:00:00Z")),
        answer_by: at("2026-11-30T09:00:00Z"),
        late_reply: None,
    }
}

fn asks(message: &str, time: &str, handover: HandoverWrite) -> CrmWrite {
    CrmWrite {
        handover: Some(handover),
        lead: None,
        ..write(message, time)
    }
}

fn cell(row: &Row, name: &str) -> String {
    let value = row.iter().find(|(column, _)| *column == name);
    let value = &value.unwrap_or_else(|| panic!("no {name}")).1;
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

async fn listed(database: &Database, matter: Matter, what: What) -> Vec<Row> {
    database.crm.list(matter, what, None).await.unwrap().rows
}

async fn by_hand(database: &Database, matter: Matter, id: &str, to: Status, by: &str) -> Changed {
    let change = ByHand {
        matter,
        id,
        to,
        by,
        note: None,
        at: Timestamp::now(),
    };
    database.crm.change(change).await.unwrap()
}

/// A customer asks for a person, asks again, and is helped.
async fn a_handover_goes_its_way(database: &Database) {
    let crm = &database.crm;
    let first = asks(
        "H1",
        "2020-11-28T18:10:00Z",
        handover(true, "een mens graag"),
    );
    crm.apply(&first).await.unwrap();
    crm.apply(&first).await.unwrap();
    let again = asks("H2", "2020-11-28T18:11:00Z", handover(false, "hallo?"));
    crm.apply(&again).await.unwrap();
    let late = asks(
        "H0",
        "2020-11-28T18:09:00Z",
        handover(false, "kwam te laat"),
    );
    crm.apply(&late).await.unwrap();
    let open = listed(database, Matter::Handover, What::Open).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(cell(&open[0], "last_words"), "hallo?");
    assert_eq!(cell(&open[0], "status"), "waiting");
    assert_eq!(cell(&open[0], "phone"), "tel:+31612345678");
    assert_eq!(cell(&open[0], "promised_at"), "2026-11-30T08:00:00.000000Z");
    let id = cell(&open[0], "id");

    // Two colleagues at once.
    let (anna, bob) = tokio::join!(
        by_hand(database, Matter::Handover, &id, Status::Taken, "anna"),
        by_hand(database, Matter::Handover, &id, Status::Taken, "bob"),
    );
    let done = |one: &Changed| matches!(one, Changed::Done { .. });
    let (winner, late) = match (done(&anna), done(&bob)) {
        (true, false) => ("anna", bob),
        (false, true) => ("bob", anna),
        both => panic!("{both:?}"),
    };
    assert!(
        matches!(&late, Changed::Late { status: Status::Taken, by, .. } if by == winner),
        "{late:?}"
    );
    let urgent = HandoverWrite {
        urgent: true,
        reason: "alarm".into(),
        ..handover(true, "het brandt")
    };
    crm.apply(&asks("H3", "2020-11-28T18:12:00Z", urgent))
        .await
        .unwrap();
    for to in [Status::Answered, Status::Closed] {
        let changed = by_hand(database, Matter::Handover, &id, to, winner).await;
        assert!(done(&changed), "{changed:?}");
    }
    let row = crm.show(Matter::Handover, &id).await.unwrap().unwrap();
    let changes = row.last().unwrap().1.as_array().unwrap().clone();
    let line: Vec<_> = changes
        .iter()
        .map(|change| change["to"].as_str().unwrap())
        .collect();
    assert_eq!(line, ["waiting", "taken", "answered", "closed"]);
    assert_eq!(changes[1]["by"], winner);
}

/// What comes after the end is another one; what was said before it stays with it.
async fn a_closed_handover_is_not_opened_again(database: &Database) {
    let crm = &database.crm;
    assert!(
        listed(database, Matter::Handover, What::Open)
            .await
            .is_empty()
    );
    let closed = listed(database, Matter::Handover, What::Only(Status::Closed)).await;
    let id = cell(&closed[0], "id");
    let changed = by_hand(database, Matter::Handover, &id, Status::Taken, "anna").await;
    assert!(
        matches!(
            changed,
            Changed::Late {
                status: Status::Closed,
                ..
            }
        ),
        "{changed:?}"
    );
    let late = asks(
        "H4",
        "2020-11-28T18:13:00Z",
        handover(true, "van voor het einde"),
    );
    crm.apply(&late).await.unwrap();
    assert!(
        listed(database, Matter::Handover, What::Open)
            .await
            .is_empty()
    );
    let next = asks(
        "H5",
        "2101-01-05T18:13:00Z",
        handover(true, "weer een vraag"),
    );
    crm.apply(&next).await.unwrap();
    let all = listed(database, Matter::Handover, What::All).await;
    assert_eq!(all.len(), 2);
    assert_ne!(cell(&all[1], "id"), id);
    // A release from before it opened is not about it.
    let released = |time: &str| HandoverChange {
        conversation_id: PHONE.into(),
        to: Status::Closed,
        by: "chatwoot".into(),
        at: at(time),
    };
    crm.hand_over(&released("2101-01-05T18:12:00Z"))
        .await
        .unwrap();
    assert_eq!(
        listed(database, Matter::Handover, What::Open).await.len(),
        1
    );
    crm.hand_over(&released("2101-01-05T18:14:00Z"))
        .await
        .unwrap();
    assert!(
        listed(database, Matter::Handover, What::Open)
            .await
            .is_empty()
    );
}

async fn a_colleague_who_steps_in_has_a_handover(database: &Database) {
    let taken = HandoverChange {
        conversation_id: PHONE.into(),
        to: Status::Taken,
        by: "Anna".into(),
        at: at("2101-02-01T10:00:00Z"),
    };
    for _ in 0..2 {
        database.crm.hand_over(&taken).await.unwrap();
    }
    let open = listed(database, Matter::Handover, What::Open).await;
    assert_eq!(open.len(), 1);
    assert_eq!(cell(&open[0], "owner"), "Anna");
    assert_eq!(cell(&open[0], "reason"), "stepped_in");
    let nobody = HandoverChange {
        conversation_id: "whatsapp:+31600000000".into(),
        ..taken
    };
    database.crm.hand_over(&nobody).await.unwrap();
    assert_eq!(database.count("handovers").await, 3);
}

async fn a_closed_lead_is_followed_by_another(database: &Database) {
    let crm = &database.crm;
    crm.apply(&write("L1", "2020-11-28T18:00:00Z"))
        .await
        .unwrap();
    let lead = listed(database, Matter::Lead, What::Open).await.remove(0);
    let id = cell(&lead, "id");
    assert!(cell(&lead, "fields").contains("car_model"));
    for to in [Status::Taken, Status::Dropped] {
        let changed = by_hand(database, Matter::Lead, &id, to, "anna").await;
        assert!(matches!(changed, Changed::Done { .. }), "{changed:?}");
    }
    let mut next = write("L2", "2101-01-05T18:00:00Z");
    for _ in 0..2 {
        let noted = crm.apply(&next).await.unwrap();
        assert!(noted.lead_created);
    }
    if let Some(lead) = &mut next.lead {
        lead.complete = true;
        lead.fields.push(LeadField {
            name: "note".into(),
            value: "=1+1".into(),
            agent: "extraction".into(),
            confidence: 1.0,
        });
    }
    next.message = "twilio:L3".into();
    crm.apply(&next).await.unwrap();
    let open = listed(database, Matter::Lead, What::Open).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_ne!(cell(&open[0], "id"), id);
    assert_ne!(cell(&open[0], "completed_at"), "null");
    let dropped = listed(database, Matter::Lead, What::Only(Status::Dropped)).await;
    assert!(!cell(&dropped[0], "fields").contains("1+1"));
}

async fn what_was_confirmed_stays_confirmed(database: &Database) {
    let crm = &database.crm;
    let wanted = |message: &str, time: &str, status: &str, when: &str| CrmWrite {
        appointments: vec![appointment(time, status)],
        lead: None,
        ..write(message, when)
    };
    crm.apply(&wanted("A1", "10:00", "wanted", "2020-11-28T18:00:00Z"))
        .await
        .unwrap();
    let row = listed(database, Matter::Appointment, What::Open)
        .await
        .remove(0);
    let id = cell(&row, "id");
    let changed = by_hand(
        database,
        Matter::Appointment,
        &id,
        Status::Confirmed,
        "anna",
    )
    .await;
    assert!(matches!(changed, Changed::Done { .. }), "{changed:?}");
    for (message, time, when, status) in [
        ("A2", "10:00", "2101-01-05T18:00:00Z", "confirmed"),
        ("A3", "11:00", "2101-01-05T18:01:00Z", "moved"),
    ] {
        crm.apply(&wanted(message, time, "wanted", when))
            .await
            .unwrap();
        let row = listed(database, Matter::Appointment, What::Open)
            .await
            .remove(0);
        assert_eq!(cell(&row, "status"), status);
    }
}

async fn nothing_is_left_of_an_erased_person(database: &Database) {
    let contact = database.text("SELECT contact_id FROM contact_addresses");
    let contact = contact.await.unwrap();
    let id = database
        .text("SELECT id FROM handovers WHERE status <> 'closed'")
        .await
        .unwrap();
    let rows = database.crm.erase(&[contact], false).await.unwrap();
    assert_eq!((rows.contacts, rows.handovers), (1, 3));
    for table in ["handovers", "changes", "leads", "appointments"] {
        assert_eq!(database.count(table).await, 0, "{table}");
    }
    let changed = by_hand(database, Matter::Handover, &id, Status::Closed, "anna").await;
    assert_eq!(changed, Changed::Unknown);
}

async fn all(database: &Database) {
    a_handover_goes_its_way(database).await;
    a_closed_handover_is_not_opened_again(database).await;
    a_colleague_who_steps_in_has_a_handover(database).await;
    a_closed_lead_is_followed_by_another(database).await;
    what_was_confirmed_stays_confirmed(database).await;
    nothing_is_left_of_an_erased_person(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matters_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.sqlite");
    all(&Database::open(format!("sqlite:{}?mode=rwc", file.display())).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matters_on_postgresql() {
    let server = PostgresServer::start();
    all(&Database::open(server.url()).await).await;
}
