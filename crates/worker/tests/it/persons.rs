//! One contact for each person, on SQLite and PostgreSQL alike.

use crm::{AppointmentWrite, Crm, CrmWrite, LeadField, LeadWrite, QuestionWrite};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use shared_types::InboundMessage;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Row};
use test_support::{PostgresServer, eventually};
use worker::agents::contact_of;

struct Database {
    crm: Crm,
    pool: AnyPool,
}

impl Database {
    async fn open(url: String) -> Self {
        let crm = Crm::new(&SecretString::from(url.clone())).unwrap();
        eventually(async || crm.migrate().await.map_err(|error| error.to_string())).await;
        let pool = AnyPoolOptions::new().connect(&url).await.unwrap();
        Self { crm, pool }
    }

    async fn texts(&self, query: &'static str) -> Vec<String> {
        let rows = sqlx::query(query).fetch_all(&self.pool).await.unwrap();
        rows.iter()
            .map(|row| row.get::<Option<String>, _>(0).unwrap_or_default())
            .collect()
    }

    async fn contacts(&self) -> usize {
        self.texts("SELECT id FROM contacts").await.len()
    }

    async fn write(&self, message: &InboundMessage, minute: i64) -> String {
        let at = Timestamp::from_second(1_795_000_000 + 60 * minute).unwrap();
        let write = CrmWrite {
            message: message.event(),
            at,
            contact: contact_of(message, "nl"),
            lead: Some(LeadWrite {
                conversation: message.conversation.id.to_string(),
                intent: "car_inquiry".into(),
                complete: false,
                fields: vec![LeadField {
                    name: "car_model".into(),
                    value: message.content.clone(),
                    agent: "extraction".into(),
                    confidence: 0.9,
                }],
            }),
            appointments: vec![AppointmentWrite {
                conversation: message.conversation.id.to_string(),
                purpose: "test_drive".into(),
                thing: None,
                date: None,
                time: None,
                status: "wanted".into(),
            }],
            withdrawn: None,
            questions: vec![QuestionWrite {
                words: message.content.clone(),
                topic: "other".into(),
                ..QuestionWrite::default()
            }],
            handover: None,
        };
        self.crm.apply(&write).await.unwrap().contact_id
    }
}

fn message(id: &str, conversation: &str, sender: &serde_json::Value) -> InboundMessage {
    let message = json!({
        "id": id, "conversation": {"id": conversation}, "sender": sender, "content": id,
        "message_type": "incoming", "channel": "whatsapp", "source": "waha",
        "endpoint": {"session": "default"},
    });
    serde_json::from_value(message).unwrap()
}

fn numbered(id: &str, address: &str) -> InboundMessage {
    let number = address
        .parse::<shared_types::ChannelAddress>()
        .unwrap()
        .phone_number();
    message(
        id,
        address,
        &json!({ "id": address, "phone_number": number }),
    )
}

async fn everything(database: &Database) {
    a_number_and_a_whatsapp_id_are_one_contact(database).await;
    evidence_joins_two_contacts_and_an_operator_splits_them(database).await;
    a_claimed_number_changes_nobody(database).await;
    a_number_of_chatwoot_joins_nobody(database).await;
}

async fn a_number_and_a_whatsapp_id_are_one_contact(database: &Database) {
    let before = database.contacts().await;
    let people = [
        ("+31612340001", "31612340001"),
        ("+525512345679", "5215512345679"),
        ("+541123456780", "5491123456780"),
        ("+5531988888880", "553188888880"),
        ("+5511987654320", "5511987654320"),
        ("+2290197123450", "22997123450"),
        ("+2250708123450", "22508123450"),
        ("+393331234560", "393331234560"),
    ];
    for (place, (number, id)) in people.iter().enumerate() {
        let one = numbered(&format!("A{place}"), &format!("whatsapp:{number}"));
        let other = numbered(&format!("B{place}"), &format!("{id}@c.us"));
        let first = database.write(&one, 0).await;
        assert_eq!(database.write(&other, 1).await, first, "{number}");
    }
    assert_eq!(database.contacts().await, before + people.len());
}

async fn evidence_joins_two_contacts_and_an_operator_splits_them(database: &Database) {
    let by_number = numbered("C1", "whatsapp:+31612349999");
    let hidden = message(
        "C2",
        "waha:default:4711@lid",
        &json!({"id": "4711@lid", "name": "Sanne"}),
    );
    let both = json!({
        "id": "4711@lid", "aliases": ["31612349999@c.us"], "phone_number": "+31612349999",
    });
    let proof = message("C3", "waha:default:4711@lid", &both);
    let first = database.write(&by_number, 0).await;
    let second = database.write(&hidden, 1).await;
    assert_ne!(first, second);
    assert_eq!(
        database.write(&proof, 2).await,
        first,
        "the older contact stays"
    );
    let gone = format!("{second:?}");
    let ids = database.texts("SELECT id FROM contacts").await;
    assert!(!ids.contains(&second), "{gone}");
    let leads = database.texts(
        "SELECT conversation_id FROM leads WHERE contact_id IN \
         (SELECT contact_id FROM contact_addresses WHERE address = '4711@lid') ORDER BY 1",
    );
    assert_eq!(
        leads.await,
        ["waha:default:4711@lid", "whatsapp:+31612349999"]
    );
    let why = database
        .texts("SELECT evidence FROM person_changes WHERE change = 'joined'")
        .await;
    assert_eq!(why, [proof.event()]);

    let at = Timestamp::from_second(1_795_001_000).unwrap();
    let away = vec!["4711@lid".to_owned()];
    let conversations = vec!["waha:default:4711@lid".to_owned()];
    let split = database
        .crm
        .split(&away, &conversations, at)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(database.write(&hidden, 30).await, split);
    assert_eq!(
        database.write(&proof, 31).await,
        split,
        "no webhook joins them again"
    );
    assert_eq!(database.write(&by_number, 32).await, first);
    let addresses = vec!["4711@lid".to_owned(), "tel:+31612349999".to_owned()];
    let joined = database.crm.join(&addresses, at).await.unwrap();
    assert_eq!(joined.as_ref(), Some(&first));
    assert_eq!(database.write(&hidden, 40).await, first);
    let appointments = database.texts(
        "SELECT conversation_id FROM appointments WHERE contact_id IN \
         (SELECT contact_id FROM contact_addresses WHERE address = '4711@lid') ORDER BY 1",
    );
    assert_eq!(
        appointments.await,
        ["waha:default:4711@lid", "whatsapp:+31612349999"],
        "one each, also after a join, a split and a join"
    );
}

/// Chatwoot that is set up anew gives its numbers of contacts and conversations to other people.
async fn a_number_of_chatwoot_joins_nobody(database: &Database) {
    let of = |id: &str, number: &str| {
        let sender = json!({
            "id": format!("whatsapp:{number}"), "phone_number": number, "name": number,
            "aliases": ["chatwoot:1-contact-7"],
        });
        message(id, "chatwoot:1:77", &sender)
    };
    let first = database.write(&of("E1", "+31612347777"), 0).await;
    let second = database.write(&of("E2", "+31612346666"), 1).await;
    assert_ne!(first, second);
    assert_eq!(database.write(&of("E3", "+31612347777"), 2).await, first);
    let names = database.texts("SELECT name FROM contacts WHERE name LIKE '+3161234%' ORDER BY 1");
    assert_eq!(names.await, ["+31612346666", "+31612347777"]);
}

/// A visitor of a web chat who types somebody's number.
async fn a_claimed_number_changes_nobody(database: &Database) {
    let owner = message(
        "D1",
        "whatsapp:+31612348888",
        &json!({"id": "whatsapp:+31612348888", "name": "Owner", "phone_number": "+31612348888"}),
    );
    let visitor = json!({
        "id": "chatwoot:1-visitor-9", "name": "Mallory", "phone_number": "+31612348888",
        "phone_number_is_claimed": true,
    });
    let visitor = message("D2", "chatwoot:1:42", &visitor);
    let first = database.write(&owner, 0).await;
    assert_ne!(database.write(&visitor, 1).await, first);
    let name = database.texts(
        "SELECT name FROM contacts WHERE id IN \
         (SELECT contact_id FROM contact_addresses WHERE address = 'tel:+31612348888')",
    );
    assert_eq!(name.await, ["Owner"]);
    let fields = database.texts(
        "SELECT value FROM lead_fields JOIN leads ON leads.id = lead_id \
         WHERE conversation_id = 'whatsapp:+31612348888'",
    );
    assert_eq!(fields.await, ["D1"]);
}

#[tokio::test]
async fn sqlite_has_one_contact_for_each_person() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.sqlite");
    everything(&Database::open(format!("sqlite:{}?mode=rwc", file.display())).await).await;
}

#[tokio::test]
async fn postgres_has_one_contact_for_each_person() {
    let server = PostgresServer::start();
    everything(&Database::open(server.url()).await).await;
}
