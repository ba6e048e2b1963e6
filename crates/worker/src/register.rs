//! A public register of plates: which car has this one? Off unless its address is set.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::budget::Deadline;
use crate::config::RegisterConfig;
use crate::domain::Register as Described;
use crate::metrics::WorkerMetrics;

mod client;

pub use client::NoClient;
use client::{Asked, Client};

/// How long an answer is good, and how many are kept.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
const KEPT: usize = 5_000;
const MINUTE: Duration = Duration::from_secs(60);

/// What is known of a plate: slot values, none when the register has no such plate.
type Known = Vec<(String, String)>;

/// Plates are kept as hashes: whose car it is stays in the conversation alone.
type Key = [u8; 32];

/// The register.
pub struct Register {
    client: Client,
    domain: Described,
    per_minute: u32,
    timeout: Duration,
    state: Mutex<State>,
    metrics: WorkerMetrics,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<Key, (Instant, Known)>,
    /// Questions of this minute.
    minute: Option<(Instant, u32)>,
    /// Nobody asks before this.
    quiet_until: Option<Instant>,
}

impl Register {
    /// None when no address is set, or the domain says nothing of a register.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(
        config: &RegisterConfig,
        domain: Option<&Described>,
        metrics: WorkerMetrics,
    ) -> Result<Option<Self>, NoClient> {
        let (Some(address), Some(domain)) = (&config.plate_register_url, domain) else {
            return Ok(None);
        };
        Ok(Some(Self {
            client: Client::new(address, config.plate_register_token.clone())?,
            domain: domain.clone(),
            per_minute: config.plate_register_per_minute,
            timeout: config.timeout(),
            state: Mutex::default(),
            metrics,
        }))
    }

    /// The slot whose texts are looked up.
    pub(crate) fn slot(&self) -> &str {
        &self.domain.plate
    }

    /// The slot values that it gives.
    pub(crate) fn gives(&self) -> impl Iterator<Item = &str> {
        self.domain.fields.iter().map(|(slot, _)| slot.as_str())
    }

    /// What the register says of a plate, within the time of a turn; nothing when it does not know it, is
    /// not to be asked now, or does not answer.
    pub(crate) async fn look_up(&self, plate: &str, deadline: Deadline) -> Known {
        let plate: String = plate.chars().filter(char::is_ascii_alphanumeric).collect();
        let plate = plate.to_ascii_uppercase();
        if plate.len() != self.domain.length {
            return Known::new();
        }
        let key: Key = Sha256::digest(&plate).into();
        if let Some(known) = self.may_ask(&key, Instant::now()) {
            return known;
        }
        let asked = self.client.ask(&self.domain.asks, &plate);
        let answer = tokio::time::timeout(deadline.allows(self.timeout), asked).await;
        let (outcome, known) = match answer {
            Ok(Asked::Rows(rows)) => {
                let known = rows.first().map(|row| self.read(row)).unwrap_or_default();
                (
                    if rows.is_empty() { "unknown" } else { "found" },
                    Some(known),
                )
            }
            Ok(Asked::Limited) => ("limited", None),
            Ok(Asked::Failed(why)) => {
                tracing::warn!(why, "the register of plates did not answer");
                ("failed", None)
            }
            Err(_) => ("slow", None),
        };
        self.metrics.looked_up(outcome);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match known {
            Some(known) => {
                state.keep(key, known.clone(), Instant::now());
                known
            }
            None => {
                if outcome == "limited" {
                    state.quiet_until = Instant::now().checked_add(MINUTE);
                }
                Known::new()
            }
        }
    }

    /// What is known already, or nothing when it may not be asked for now; none: ask.
    fn may_ask(&self, key: &Key, now: Instant) -> Option<Known> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let known = state.known.get(key);
        let known = known.filter(|(since, _)| now.duration_since(*since) < KEPT_FOR);
        if let Some((_, known)) = known {
            return Some(known.clone());
        }
        let spent = state
            .minute
            .filter(|(since, _)| now.duration_since(*since) < MINUTE);
        let (since, spent) = spent.unwrap_or((now, 0));
        let quiet = state.quiet_until.is_some_and(|until| now < until);
        if quiet || spent >= self.per_minute {
            self.metrics.looked_up("limited");
            return Some(Known::new());
        }
        state.minute = Some((since, spent + 1));
        None
    }

    /// Names of the catalogue alone: what else it says helps nobody here.
    fn read(&self, row: &Map<String, Value>) -> Known {
        let mut known = Known::new();
        for (slot, field) in &self.domain.fields {
            let Some(text) = row.get(field).and_then(Value::as_str) else {
                continue;
            };
            let upper = known.first().map(|(_, make)| make.clone());
            let found = self
                .domain
                .names
                .iter()
                .find_map(|names| names.canonical(slot, text, upper.as_deref()));
            known.extend(found.map(|found| (slot.clone(), found.to_string())));
        }
        known
    }
}

impl State {
    fn keep(&mut self, key: Key, known: Known, now: Instant) {
        if self.known.len() >= KEPT {
            self.known
                .retain(|_, (since, _)| now.duration_since(*since) < KEPT_FOR);
        }
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        self.known.insert(key, (now, known));
    }
}
