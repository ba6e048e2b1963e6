//! The CRM: contacts, leads, appointments and hand-overs in SQLite or PostgreSQL.

mod appointments;
mod batch;
mod changes;
mod contacts;
mod copy;
mod dispatch;
mod handovers;
mod leads;
mod list;
mod notices;
mod persons;
mod questions;
mod rows;
mod sends;
mod status;
mod stock;
mod store;
mod write;
mod writer;

pub use changes::{ByHand, Changed};
pub use copy::{CopyError, Counts, back_up, examine, held, migrate, restore};
pub use list::{Page, Place, Row, What};
pub use sends::{Claimed, NoticeSend, Settled};
pub use status::{Matter, Status};
pub use stock::{KeptFeed, Origin, Push, Taken, WholeFeed};
pub use store::{Crm, CrmError, Rows};
pub use write::{
    AppointmentWrite, ContactWrite, CrmEntry, CrmWrite, HandoverChange, HandoverWrite, LeadField,
    LeadWrite, Noted, QuestionWrite,
};
