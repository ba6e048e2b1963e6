//! The CRM: contacts, leads, appointments and hand-overs in SQLite or PostgreSQL, and what colleagues do
//! with them.

mod appointments;
mod attempts;
mod batch;
mod browse;
mod changes;
mod checkpoints;
mod config;
pub mod console;
mod contacts;
mod copy;
pub mod csv;
pub mod desk;
mod dispatch;
mod domain_names;
pub mod erasure;
mod handovers;
pub mod help_desk;
mod leads;
mod list;
mod metrics;
mod migrations;
mod notice;
mod notices;
pub mod person;
mod persons;
mod questions;
mod rows;
mod search;
mod sends;
mod status;
mod stock;
mod store;
pub mod who;
mod write;
mod writer;

pub use attempts::{Attempt, Attempts};
pub use browse::{Contact, Filter, Told};
pub use changes::{ByHand, Changed};
pub use config::CrmConfig;
pub use copy::{CopyError, Counts, back_up, examine, held, migrate, restore};
pub use domain_names::{DomainNames, FactNames};
pub use list::{Page, Place, PlaceError, Row, What};
pub use metrics::CrmMetrics;
pub use notice::{Kind, Notice};
pub use questions::{Label, Question};
pub use sends::{Claimed, NoticeSend, Settled};
pub use status::{Matter, Status};
pub use stock::{KeptFeed, Origin, Push, Taken, WholeFeed};
pub use store::{Crm, CrmError, Rows};
pub use write::{
    AppointmentWrite, ContactWrite, CrmEntry, CrmWrite, HandoverChange, HandoverWrite, LeadField,
    LeadWrite, Noted, QuestionWrite, Unclear, WithdrawnWrite,
};
