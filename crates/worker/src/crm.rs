//! The CRM: contacts and leads in SQLite or PostgreSQL.

mod store;
mod write;

pub use store::{Crm, CrmError, Rows};
pub use write::{
    AppointmentWrite, ContactWrite, CrmWrite, LeadField, LeadWrite, Noted, QuestionWrite,
};
