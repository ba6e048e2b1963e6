//! What is for sale: the record, the readers of feeds, the look-up.
//!
//! Pure: no clock, no network, no files, no database. What a thing has and how feeds call it is the
//! domain's: see [`Schema`] and [`Mapping`].

mod bounded;
mod elements;
mod feed;
mod index;
mod item;
mod limits;
mod mapping;
mod mistake;
mod names;
mod node;
mod numbers;
mod objects;
mod record;
mod report;
mod rows;
mod schema;
mod shared;
mod sniff;
mod wish;
mod words;

#[cfg(test)]
mod tests;

pub use feed::{FeedError, Feeds, Import, Pushed, Reading};
pub use index::Stock;
pub use item::{Attributes, Item, PRICE, Price, Status, Value};
pub use limits::Limits;
pub use mapping::{Format, Mapping};
pub use mistake::Mistake;
pub use names::Names;
pub use numbers::Locale;
pub use report::{Place, Reason, Report, Unread};
pub use schema::{Attribute, Kind, Private, Schema, Weight};
pub use wish::{Condition, Found, Match, Miss, Order, Test, Wish};
pub use words::squash;
