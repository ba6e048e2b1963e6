//! The CRM on SQLite and on PostgreSQL: the same tests for both.

use std::collections::BTreeMap;

use crm::{Crm, CrmWrite, Matter, QuestionWrite, Rows, What, WithdrawnWrite};
use secrecy::SecretString;
use test_support::PostgresServer;
use tokio::task::JoinSet;

use crate::database::{Database, PHONE, appointment, write};

/// One row for each purpose, as it stands; a question once, however often it is asked.
async fn appointments_move_and_questions_stay(database: &Database) {
    let question = QuestionWrite {
        words: "heeft hij een trekhaak".into(),
        topic: "towbar".into(),
        ..QuestionWrite::default()
    };
    for (message, at, time, status) in [
        ("A1", "2026-11-23T10:00:00Z", "10:00", "wanted"),
        ("A2", "2026-11-23T10:01:00Z", "11:00", "moved"),
        // Comes late: it was written before the other one.
        ("A0", "2026-11-23T09:59:00Z", "09:00", "wanted"),
    ] {
        let write = CrmWrite {
            appointments: vec![appointment(time, status)],
            questions: vec![question.clone()],
            ..write(message, at)
        };
        database.crm.apply(&write).await.unwrap();
        database.crm.apply(&write).await.unwrap();
    }
    assert_eq!(database.count("appointments").await, 1);
    assert_eq!(database.count("questions").await, 1);
    let time = database.text("SELECT time FROM appointments").await;
    assert_eq!(time.as_deref(), Some("11:00"));
    let status = database.text("SELECT status FROM appointments").await;
    assert_eq!(status.as_deref(), Some("moved"));
    let words = database.text("SELECT words FROM questions WHERE lead_id IS NOT NULL");
    assert_eq!(words.await.as_deref(), Some("heeft hij een trekhaak"));
}

async fn a_turn_done_twice_writes_once(database: &Database) {
    let first = write("SM1", "2026-11-23T09:00:00Z");
    let noted = database.crm.apply(&first).await.unwrap();
    assert!(noted.contact_created && noted.lead_created);
    assert_eq!(
        database.crm.apply(&first).await.unwrap(),
        noted,
        "the same answer again"
    );
    let second = database
        .crm
        .apply(&write("SM2", "2026-11-23T09:01:00Z"))
        .await
        .unwrap();
    assert!(!second.contact_created && !second.lead_created);
    assert_eq!(second.contact_id, noted.contact_id);
    for (table, rows) in [
        ("contacts", 1),
        ("leads", 1),
        ("lead_fields", 1),
        ("contact_addresses", 2),
    ] {
        assert_eq!(database.count(table).await, rows, "{table}");
    }
}

async fn an_older_write_never_replaces_a_newer_one(database: &Database) {
    database
        .crm
        .apply(&write("SM5", "2026-11-23T10:00:00Z"))
        .await
        .unwrap();
    let mut late = write("SM4", "2026-11-23T09:30:00Z");
    late.contact.name = Some("Wrong".into());
    database.crm.apply(&late).await.unwrap();
    let value = database.text("SELECT value FROM lead_fields").await;
    assert_eq!(value.as_deref(), Some("SM5"));
    assert_eq!(
        database.text("SELECT name FROM contacts").await.as_deref(),
        Some("Sanne")
    );
    let source = database.text("SELECT message_id FROM lead_fields").await;
    assert_eq!(
        source.as_deref(),
        Some("twilio:SM5"),
        "a field knows where it comes from"
    );
}

/// What is given up leaves the open leads about the same, also where the word of it comes before the wish.
async fn a_wish_that_is_withdrawn_is_not_told_any_more(database: &Database) {
    let withdrawn = |message: &str, at: &str, fields: &[&str]| CrmWrite {
        withdrawn: Some(WithdrawnWrite {
            intents: vec!["car_inquiry".into(), "test_drive".into()],
            fields: fields.iter().map(|&name| name.to_owned()).collect(),
            moved: BTreeMap::new(),
        }),
        lead: None,
        ..write(message, at)
    };
    let told = async || {
        let page = database.crm.list(Matter::Lead, What::Open, None).await;
        let row = page.unwrap().rows.remove(0);
        let fields = row.iter().find(|(name, _)| *name == "fields").unwrap();
        fields.1.to_string()
    };
    let wish = write("SM8", "2026-11-23T13:00:00Z");
    database.crm.apply(&wish).await.unwrap();
    assert_eq!(told().await, r#"{"car_model":"SM8"}"#);
    for _ in 0..2 {
        let gone = withdrawn("SM9", "2026-11-23T13:02:00Z", &["car_model", "wish.seats"]);
        database.crm.apply(&gone).await.unwrap();
        assert_eq!(told().await, "{}");
    }
    let mut late = write("SM8b", "2026-11-23T13:01:00Z");
    late.lead.as_mut().unwrap().fields[0].name = "wish.seats".into();
    database.crm.apply(&late).await.unwrap();
    assert_eq!(told().await, "{}", "it was written before");
    let again = write("SM10", "2026-11-23T13:03:00Z");
    database.crm.apply(&again).await.unwrap();
    assert_eq!(told().await, r#"{"car_model":"SM10"}"#);
    let mut first = withdrawn("SM11", "2026-11-23T13:04:00Z", &["car_model.2"]);
    let moved = [("car_model", "Polo"), ("color", "red")];
    let moved = moved.map(|(name, value)| (name.to_owned(), value.to_owned()));
    first.withdrawn.as_mut().unwrap().moved = BTreeMap::from(moved);
    database.crm.apply(&first).await.unwrap();
    assert_eq!(told().await, r#"{"car_model":"Polo"}"#, "it had no colour");
}

async fn several_addresses_are_one_contact(database: &Database) {
    let mut through_waha = write("W1", "2026-11-23T11:00:00Z");
    through_waha.contact.addresses = vec!["4711@lid".into(), "tel:+31612345678".into()];
    let noted = database.crm.apply(&through_waha).await.unwrap();
    assert!(!noted.contact_created);
    let mut by_lid_alone = write("W2", "2026-11-23T11:01:00Z");
    by_lid_alone.contact.addresses = vec!["4711@lid".into()];
    assert_eq!(
        database.crm.apply(&by_lid_alone).await.unwrap().contact_id,
        noted.contact_id
    );
    assert_eq!(database.count("contacts").await, 1);
}

async fn an_opt_out_is_noted_and_undone(database: &Database) {
    for (message, at, wants) in [
        ("SM6", "2026-11-23T12:00:00Z", false),
        ("SM7", "2026-11-23T12:01:00Z", true),
    ] {
        let mut change = write(message, at);
        change.contact.wants_messages = Some(wants);
        change.lead = None;
        database.crm.apply(&change).await.unwrap();
        let since = database.text("SELECT opted_out_at FROM contacts").await;
        assert_eq!(since.is_none(), wants, "{message}");
    }
}

/// The CRM was away for the opt-out, and took a later message of the contact before it.
async fn a_late_opt_out_holds_whatever_else_is_newer(database: &Database) {
    let wants = |message: &str, at: &str, wants| {
        let mut change = write(message, at);
        change.contact.wants_messages = Some(wants);
        change
    };
    let since = "SELECT opted_out_at FROM contacts";
    let later = write("SM9", "2026-11-23T12:09:00Z");
    database.crm.apply(&later).await.unwrap();
    let stop = wants("SM8", "2026-11-23T12:08:00Z", false);
    database.crm.apply(&stop).await.unwrap();
    assert!(database.text(since).await.is_some());
    let start = wants("SM11", "2026-11-23T12:11:00Z", true);
    database.crm.apply(&start).await.unwrap();
    let late_stop = wants("SM10", "2026-11-23T12:10:00Z", false);
    database.crm.apply(&late_stop).await.unwrap();
    assert_eq!(database.text(since).await, None);
}

async fn sixteen_workers_write_the_same_contact_at_once(database: &Database) {
    let mut writers = JoinSet::new();
    for worker in 0..16 {
        let url = database.url.clone();
        writers.spawn(async move {
            let crm = Crm::new(&url).unwrap();
            let mut created = 0;
            for turn in 0..4 {
                let mut write = write(&format!("N{worker}-{turn}"), "2026-11-23T13:00:00Z");
                write.contact.addresses = vec!["whatsapp:+4915123456789".into()];
                created += u32::from(crm.apply(&write).await.unwrap().contact_created);
            }
            created
        });
    }
    let created: u32 = writers.join_all().await.into_iter().sum();
    assert_eq!(created, 1, "exactly one of 64 writes made the contact");
    assert_eq!(
        (
            database.count("contacts").await,
            database.count("leads").await
        ),
        (2, 2)
    );
}

async fn one_person_can_be_erased(database: &Database) {
    let contact_of = async |address: &str| {
        let addresses = database.crm.addresses().await.unwrap();
        let known = addresses.into_iter().find(|(_, known)| known == address);
        known.map(|(id, _)| id).into_iter().collect::<Vec<_>>()
    };
    let german = contact_of("whatsapp:+4915123456789").await;
    let rows = Rows {
        contacts: 1,
        addresses: 1,
        leads: 1,
        ..Rows::default()
    };
    for (dry, expected) in [(true, rows), (false, rows), (false, Rows::default())] {
        assert_eq!(database.crm.erase(&german, dry).await.unwrap(), expected);
    }
    assert_eq!(
        (
            database.count("contacts").await,
            database.count("leads").await
        ),
        (1, 1)
    );
    let dutch = contact_of(PHONE).await;
    assert_eq!(database.crm.erase(&dutch, false).await.unwrap().contacts, 1);
    for table in [
        "contacts",
        "leads",
        "lead_fields",
        "contact_addresses",
        "appointments",
        "questions",
    ] {
        assert_eq!(database.count(table).await, 0, "{table}");
    }
}

/// What an operator reads at `/health/ready` and in `worker doctor`.
async fn a_database_that_may_only_be_read_is_told(database: &Database, read_only: &str) {
    database.crm.check_writable().await.unwrap();
    let before = database.count("watermarks").await;
    let crm = Crm::new(&SecretString::from(read_only)).unwrap();
    crm.ping().await.unwrap();
    let why = crm.check_writable().await.unwrap_err().to_string();
    assert!(
        why.contains("only be read") || why.contains("read only"),
        "{why}"
    );
    assert_eq!(database.count("watermarks").await, before);
}

async fn all(database: &Database) {
    a_turn_done_twice_writes_once(database).await;
    an_older_write_never_replaces_a_newer_one(database).await;
    a_wish_that_is_withdrawn_is_not_told_any_more(database).await;
    several_addresses_are_one_contact(database).await;
    an_opt_out_is_noted_and_undone(database).await;
    a_late_opt_out_holds_whatever_else_is_newer(database).await;
    sixteen_workers_write_the_same_contact_at_once(database).await;
    appointments_move_and_questions_stay(database).await;
    one_person_can_be_erased(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crm_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite:{}?mode=rwc",
        folder.path().join("crm.sqlite").display()
    );
    let database = Database::open(url.clone()).await;
    all(&database).await;
    a_database_that_may_only_be_read_is_told(&database, &url.replace("rwc", "ro")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crm_on_postgresql() {
    let server = PostgresServer::start();
    let database = Database::open(server.url()).await;
    all(&database).await;
    let options = "options=-c%20default_transaction_read_only%3Don";
    let read_only = format!("{}?{options}", server.url());
    a_database_that_may_only_be_read_is_told(&database, &read_only).await;
}
