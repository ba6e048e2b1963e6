//! A fake Twilio, WAHA, Chatwoot and OpenAI-compatible model in one process.
//!
//! It signs webhooks and posts them to the ingress, serves the APIs that egress and worker call,
//! fails and misbehaves on command, and shows a chat page. [`Simulator`] runs it, inside a test or
//! as a program of its own; [`twilio`], [`waha`] and [`chatwoot`] make signed requests without it.

pub mod address;
mod answer;
mod auth;
pub mod chatwoot;
mod clock;
mod colleague;
mod config;
mod control;
mod counts;
mod customer;
mod delivery;
mod desk;
mod errors;
mod faults;
mod handle;
mod health;
mod journal;
mod llm;
mod media;
mod multipart;
mod origin;
mod page;
mod provider;
mod server;
mod signing;
mod stats;
mod supervisor;
mod traces;
pub mod twilio;
mod ulid;
pub mod waha;
mod webhook;
mod world;
mod xray;

pub use clock::Moment;
pub use colleague::ColleagueMessage;
pub use config::{ChatwootConfig, Cli, Command, SimulatorConfig, TwilioConfig, WahaConfig};
pub use customer::{Button, CustomerMessage, Location, Media, MessageResult, Referral, Tamper};
pub use delivery::DeliveryPlan;
pub use faults::{CallMatch, ErrorBody, Fault, FaultReport, FaultRule};
pub use handle::SimulatorHandle;
pub use journal::{
    ConversationSummary, Entry, JournalStats, MessageStatus, Outcome, Progress, Query, Record,
};
pub use llm::{LlmMatch, LlmReply, LlmRule};
pub use provider::{Endpoint, Provider};
pub use server::Simulator;
pub use stats::SenderStats;
pub use supervisor::{Action, Order, Service};
pub use webhook::{Posted, Webhook};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
