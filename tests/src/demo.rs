//! The whole system with a page to write on, and what becomes of each message, as the simulator's X-ray shows it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::{Role, Settings, SimulatorClient, System, SystemBuilder};

/// The whole system with customers who write to it.
pub struct Demo {
    system: Arc<Mutex<System>>,
    simulator: SimulatorClient,
    page: String,
    console: String,
    logs: PathBuf,
    /// The number of the last message that was seen.
    seen: u64,
    pending: Vec<(u64, Instant)>,
}

/// What became of a customer's message.
#[derive(Debug, Clone, Deserialize)]
pub struct Trip {
    /// The customer's message.
    pub message: Message,
    /// How it ended.
    pub verdict: Verdict,
    /// What was understood, where a turn was taken.
    pub turn: Option<Turn>,
}

/// A message as the provider has it.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    /// Through whom.
    pub provider: String,
    /// The customer.
    pub customer: String,
    /// The text.
    pub text: String,
    /// What ingress answered.
    pub code: Option<u16>,
    /// How long that took, in microseconds.
    pub elapsed_us: Option<u64>,
}

/// How a message ended.
#[derive(Debug, Clone, Deserialize)]
pub struct Verdict {
    /// `answered`, `silent`, `refused`, `waiting` or `lost`.
    pub fate: String,
    /// A sentence about it.
    pub words: String,
}

/// What was understood and decided.
#[derive(Debug, Clone, Deserialize)]
pub struct Turn {
    /// What the customer wants.
    pub intent: Option<String>,
    /// How sure that is.
    pub confidence: String,
    /// What is known of it.
    pub values: Vec<Known>,
    /// What is new in the CRM.
    pub crm: Vec<String>,
    /// What is said.
    pub reply: Option<String>,
    /// How many messages of a burst it answers.
    pub messages: usize,
}

/// A value that is known.
#[derive(Debug, Clone, Deserialize)]
pub struct Known {
    /// Such as `car_make`.
    pub name: String,
    /// Its value now.
    pub after: String,
    /// Whether this message told it.
    pub has_changed: bool,
}

#[derive(Deserialize)]
struct Written {
    seq: u64,
}

const CUSTOMER: &str = "+31612345678";
/// How long a message is followed.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long its trace is waited for, which services send a moment later.
const TRACE_PATIENCE: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(25);

impl Demo {
    /// Starts everything, on free ports of this machine alone and with its data in a temporary folder.
    pub async fn start() -> Self {
        let settings = Settings {
            spool: true,
            answer_each: false,
            stock: "shipped",
            log: "info",
            ..Settings::default()
        };
        let mut system = SystemBuilder::new(settings).prepare();
        system.connect_every_provider();
        system.show_traces_on_the_page();
        system.let_the_console_watch();
        for role in [
            Role::Simulator,
            Role::Ingress,
            Role::Worker,
            Role::Egress,
            Role::Console,
        ] {
            system.start(role).await;
        }
        Self {
            page: system.service(Role::Simulator, 0).url(),
            console: system.service(Role::Console, 0).url(),
            logs: system.folder().to_owned(),
            simulator: system.simulator(),
            system: Arc::new(Mutex::new(system)),
            seen: 0,
            pending: Vec::new(),
        }
    }

    /// The address of the page.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The address of the console.
    pub fn console(&self) -> &str {
        &self.console
    }

    /// Where the logs are.
    pub fn logs(&self) -> &std::path::Path {
        &self.logs
    }

    /// The running system.
    pub fn system(&self) -> Arc<Mutex<System>> {
        self.system.clone()
    }

    /// The simulator's control API.
    pub fn simulator(&self) -> SimulatorClient {
        self.simulator.clone()
    }

    /// Lets the first customer write.
    pub async fn write(&self, text: &str) {
        let message = json!({"from": CUSTOMER, "name": "Sanne de Vries", "text": text});
        self.simulator.write(message).await;
    }

    /// The next message of which it is known what became of it, whoever wrote it and wherever. May be
    /// dropped and asked again.
    pub async fn next(&mut self) -> Trip {
        loop {
            let written: Vec<Written> = self.simulator.written_since(self.seen).await;
            let now = Instant::now();
            self.seen = written.last().map_or(self.seen, |last| last.seq);
            self.pending
                .extend(written.iter().map(|one| (one.seq, now)));
            for place in 0..self.pending.len() {
                let (seq, since) = self.pending[place];
                let trip: Option<Trip> = self.simulator.xray(seq).await;
                match trip {
                    Some(trip) if !trip.is_over(since.elapsed()) => {}
                    Some(trip) => {
                        self.pending.remove(place);
                        return trip;
                    }
                    None => {
                        self.pending.remove(place);
                        break;
                    }
                }
            }
            tokio::time::sleep(GLANCE).await;
        }
    }
}

impl Trip {
    /// Whether no more is to be expected.
    fn is_over(&self, after: Duration) -> bool {
        match self.verdict.fate.as_str() {
            "waiting" => after > PATIENCE,
            "answered" => self.turn.is_some() || after > TRACE_PATIENCE,
            _ => true,
        }
    }

    /// Whether a reply went out.
    pub fn is_answered(&self) -> bool {
        self.verdict.fate == "answered"
    }

    /// Its way, a line a hop.
    pub fn lines(&self) -> Vec<String> {
        let Message {
            provider,
            customer,
            text,
            ..
        } = &self.message;
        let mut lines = vec![format!("customer  {text}  ({customer}, {provider})")];
        if let (Some(code), Some(took)) = (self.message.code, self.message.elapsed_us) {
            let ms = Duration::from_micros(took).as_secs_f64() * 1_000.0;
            lines.push(format!(
                "ingress   {code} to the signed webhook, in {ms:.1} ms"
            ));
        }
        if let Some(turn) = &self.turn {
            lines.push(format!("worker    {}", turn.understood()));
        }
        lines.push(format!("egress    {}", self.verdict.words));
        let reply = self.turn.as_ref().and_then(|turn| turn.reply.as_ref());
        let reply = reply.filter(|_| self.is_answered());
        lines.extend(reply.map(|reply| format!("reply     {reply}")));
        lines
    }
}

impl Turn {
    fn understood(&self) -> String {
        let mut parts = Vec::new();
        if let Some(intent) = &self.intent {
            parts.push(format!("{intent} ({})", self.confidence));
        }
        let told = self.values.iter().filter(|value| value.has_changed);
        parts.extend(told.map(|value| format!("{}={}", value.name, value.after)));
        parts.extend(self.crm.iter().cloned());
        if self.messages > 1 {
            parts.push(format!("{} messages as one", self.messages));
        }
        parts.join(", ")
    }
}
