//! The worker against labelled messages, other domains, real databases and a real model endpoint.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may panic"
)]

mod acts;
mod all_acts;
mod attachments;
mod chat;
mod commands;
mod consent;
mod crm_copies;
#[allow(dead_code, reason = "the tests of crm use all of it")]
#[path = "../../../crm/tests/databases/database.rs"]
mod database;
mod dealer;
mod dialogues;
mod doctor;
mod domain;
mod erasing;
mod every_act;
mod facts;
mod feed_files;
mod feeds;
mod footprint;
mod handovers;
mod model;
mod model_servers;
mod moments;
mod notices;
mod odd_servers;
mod offers;
mod other_domain;
mod outbox;
mod persons;
mod plates;
mod quality;
mod rehearsals;
mod robustness;
mod slots;
mod stock;
mod unread;
mod wished;
