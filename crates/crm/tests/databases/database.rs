//! A database of the CRM for a test, and what is written into it.

use crm::{AppointmentWrite, ContactWrite, Crm, CrmWrite, LeadField, LeadWrite};
use jiff::Timestamp;
use secrecy::SecretString;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Row};
use test_support::eventually;

pub(crate) const PHONE: &str = "whatsapp:+31612345678";

/// A database with its tables, and a look into it past the CRM.
pub(crate) struct Database {
    pub(crate) url: SecretString,
    pub(crate) crm: Crm,
    pool: AnyPool,
}

impl Database {
    pub(crate) async fn open(url: String) -> Self {
        let secret = SecretString::from(url.clone());
        let crm = Crm::new(&secret).unwrap();
        eventually(async || crm.migrate().await.map_err(|error| error.to_string())).await;
        let pool = AnyPoolOptions::new().connect(&url).await.unwrap();
        Self {
            url: secret,
            crm,
            pool,
        }
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.number(format!("SELECT COUNT(*) FROM {table}")).await
    }

    pub(crate) async fn number(&self, query: String) -> i64 {
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(query));
        query.fetch_one(&self.pool).await.unwrap()
    }

    pub(crate) async fn run(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&self.pool).await.unwrap();
    }

    pub(crate) async fn texts(&self, query: String) -> String {
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(query));
        query.fetch_one(&self.pool).await.unwrap()
    }

    pub(crate) async fn text(&self, query: &'static str) -> Option<String> {
        let row = sqlx::query(query).fetch_one(&self.pool).await.unwrap();
        row.get(0)
    }
}

pub(crate) fn write(message: &str, at: &str) -> CrmWrite {
    CrmWrite {
        message: format!("twilio:{message}"),
        at: at.parse::<Timestamp>().unwrap(),
        contact: ContactWrite {
            also: Vec::new(),
            addresses: vec![PHONE.into(), "tel:+31612345678".into()],
            name: Some("Sanne".into()),
            language: Some("nl".into()),
            wants_messages: None,
        },
        lead: Some(LeadWrite {
            conversation: PHONE.into(),
            intent: "car_inquiry".into(),
            fields: vec![LeadField {
                name: "car_model".into(),
                value: message.into(),
                agent: "extraction".into(),
                confidence: 0.9,
            }],
            complete: false,
        }),
        appointments: Vec::new(),
        withdrawn: None,
        questions: Vec::new(),
        handover: None,
    }
}

pub(crate) fn appointment(time: &str, status: &str) -> AppointmentWrite {
    AppointmentWrite {
        conversation: PHONE.into(),
        purpose: "test_drive".into(),
        thing: Some("Volkswagen Golf".into()),
        date: Some("2026-12-01".into()),
        time: Some(time.into()),
        status: status.into(),
    }
}
