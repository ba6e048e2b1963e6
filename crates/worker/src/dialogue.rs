//! How the rules lead a conversation: what a message changes and is owed ([`update()`]), what is said
//! for it ([`reply()`]), and in which words ([`word()`]). Pure.

pub mod act;
pub mod calendar;
mod context;
mod filling;
mod handoff;
mod hours;
pub mod offer;
mod picture;
pub mod piece;
mod policy;
mod private;
mod promise;
mod quote;
pub mod state;
mod timed;
mod times;
mod topics;
mod update;
mod when;
mod wish;
pub mod wished;
mod word;

pub use context::Standing;
pub use handoff::handoff_note;
pub use picture::picture_of;
pub use piece::{Piece, Question, Reply, Said, Silence};
pub use policy::reply;
pub use private::withhold;
pub use promise::{Promise, promise};
pub use state::State;
pub use timed::timed;
pub use times::{date_code, time_code};
pub(crate) use topics::side;
pub use update::{Dues, Heard, update};
pub use wish::{Changes, Wish, Wishes, first_values};
pub use word::{Occasion, Text, Worded, word};
