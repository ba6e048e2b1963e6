//! Telling colleagues: a notice is written with the fact that it is about, and brought to every channel
//! by whichever worker is at it.

mod adf;
mod channel;
mod courier;
mod mail;
mod post;
mod presets;
mod schedule;
mod text;
mod webhook;
mod whatsapp;

pub(crate) use channel::mistakes;
pub use channel::{Channel, Channels, Outcome};
pub(crate) use courier::Courier;
pub use presets::Preset;
