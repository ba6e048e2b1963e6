//! The worker: what a message means, and what is done about it.
//!
//! Understanding is rule-based and knows no business: languages, intents, vocabulary, makes and
//! models are data in a domain file (`deploy/domains/`), see [`domain::Domain`].

pub mod agents;
mod arrival;
pub mod budget;
mod burst;
mod carried;
pub mod commands;
mod config;
pub mod dialogue;
pub mod domain;
pub mod effects;
pub mod graph;
mod handler;
mod hands;
mod identity;
mod last_words;
mod late;
pub mod llm;
pub mod media;
pub mod metrics;
mod mirror;
mod names;
pub mod notices;
mod onlooker;
mod openai;
mod outbox;
pub mod register;
mod remembered;
mod service;
pub mod stock;
mod subscription;
pub mod turn;
pub mod turns;
pub mod understanding;

pub use config::{
    DomainConfig, FeedSetting, MediaConfig, ModelConfig, Named, NoticeConfig, RegisterConfig,
    StockConfig, TurnConfig, WorkerConfig,
};
pub use graph::{Drawing, draw};
pub use service::{Worker, WorkerError};
