//! How the rules lead a conversation: what to say next ([`plan()`]) and in which words ([`word`]). Pure.

pub mod act;
mod filling;
mod handoff;
mod hours;
mod plan;
mod quote;
mod wording;

pub use filling::fill;
pub use handoff::handoff_note;
pub(crate) use hours::named_day;
pub(crate) use plan::SURE_OF_ANOTHER_SUBJECT;
pub use plan::{Escalation, Plan, Saying, Situation, hand_over_plan, plan};
pub use wording::{Worded, word};
