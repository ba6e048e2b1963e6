//! A customer who talks to the worker's turns, at a time that stands still.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use crm::Crm;
use jiff::{SignedDuration, Timestamp};
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use shared_types::{ControlEvent, ControlKind, InboundMessage, OutboundMessage, Source};
use sqlx::any::AnyPoolOptions;
use tempfile::TempDir;
use worker::WorkerConfig;
use worker::agents::{Agents, Parts};
use worker::domain::Domain;
use worker::effects::{Effects, OptOut};
use worker::llm::Model;
use worker::media::{Cards, Transcriber};
use worker::metrics::WorkerMetrics;
use worker::register::Register;
use worker::turns::{Known, Turns};
use worker::understanding::Understander;

use crate::dealer;

#[derive(Parser)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) worker: WorkerConfig,
}

/// A conversation with everything that was said in it.
pub(crate) struct Chat {
    turns: Turns,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) known: Known,
    pub(crate) now: Timestamp,
    pub(crate) transcript: String,
    messages: u32,
    pub(crate) last: Option<Effects>,
    folder: TempDir,
}

impl Chat {
    /// With the default domain and the rules alone, on a Tuesday morning.
    pub(crate) async fn with_rules() -> Self {
        Self::with(&[]).await
    }

    /// With a domain of the fixtures.
    pub(crate) async fn with_domain(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/domains");
        let domain = Domain::load(&folder.join(name)).unwrap();
        let understander = Arc::new(Understander::new(&domain));
        Self::of(Arc::new(domain), understander, &[]).await
    }

    /// With the default domain and flags of `worker serve`.
    pub(crate) async fn with(flags: &[&str]) -> Self {
        Self::of(dealer::domain(), dealer::understander(), flags).await
    }

    async fn of(domain: Arc<Domain>, understander: Arc<Understander>, flags: &[&str]) -> Self {
        runtime::install_tls();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("crm.sqlite").display());
        let words = ["worker", "--crm-database-url", &url];
        let config = Cli::parse_from(words.iter().chain(flags)).worker;
        let crm = Crm::new(&config.crm.crm_database_url).unwrap();
        crm.migrate().await.unwrap();
        let mut metrics = Metrics::new("worker", "0").unwrap();
        let counters = WorkerMetrics::new(&mut metrics).unwrap();
        let domain_register = domain.register.clone();
        let parts = Parts {
            domain,
            understander,
            model: Model::new(&config.model, counters.clone())
                .unwrap()
                .map(Arc::new),
            crm: Some(crm),
            register: Register::new(&config.register, domain_register.as_ref(), counters.clone())
                .unwrap()
                .map(Arc::new),
            stock: worker::stock::Shelf::default(),
            metrics: counters.clone(),
        };
        let turns = Turns {
            agents: Agents::new(&parts),
            domain: parts.domain,
            understander: parts.understander,
            transcriber: Transcriber::new(&config.media).unwrap(),
            cards: Some(Cards::new(&config.media).unwrap()),
            budget: config.turns.budget(),
            shelf: worker::stock::Shelf::default(),
            colleagues: Vec::new(),
            metrics: counters,
        };
        Self {
            turns,
            metrics: Arc::new(metrics),
            known: Known::default(),
            now: "2026-11-24T09:00:00Z".parse().unwrap(),
            transcript: String::new(),
            messages: 0,
            last: None,
            folder,
        }
    }

    /// The customer writes; gives the reply.
    pub(crate) async fn says(&mut self, text: &str) -> Option<OutboundMessage> {
        self.sends(text, json!({})).await
    }

    /// The customer sends a message with further fields of the wire type.
    pub(crate) async fn sends(&mut self, text: &str, more: Value) -> Option<OutboundMessage> {
        self.messages += 1;
        self.now += SignedDuration::from_mins(1);
        let mut message = json!({
            "id": format!("SM{}", self.messages),
            "conversation": {"id": "whatsapp:+31612345678"},
            "sender": {"id": "whatsapp:+31612345678", "name": "Sanne de Boer", "phone_number": "+31612345678"},
            "content": text, "message_type": "incoming", "channel": "whatsapp", "source": "twilio",
        });
        let fields = message.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        let shown = if text.is_empty() {
            more.to_string()
        } else {
            text.to_owned()
        };
        let message: InboundMessage = serde_json::from_value(message).unwrap();
        let effects = self
            .turns
            .take(message, self.known.clone(), self.now)
            .await
            .unwrap();
        writeln!(self.transcript, "customer  {shown}").unwrap();
        self.note(&effects);
        let reply = effects.reply.clone();
        self.remember(effects);
        reply
    }

    /// What the CRM has of a lead under this name.
    pub(crate) async fn noted(&self, name: &str) -> Option<String> {
        let url = format!("sqlite:{}", self.folder.path().join("crm.sqlite").display());
        let pool = AnyPoolOptions::new().connect(&url).await.unwrap();
        let query = sqlx::query_scalar("SELECT value FROM lead_fields WHERE name = $1");
        query.bind(name).fetch_optional(&pool).await.unwrap()
    }

    /// Somebody gives the conversation to a colleague or back.
    pub(crate) fn changes_hands(&mut self, kind: ControlKind) {
        let event = ControlEvent {
            conversation_id: "whatsapp:+31612345678".parse().unwrap(),
            source: Source::Twilio,
            kind,
            by: None,
            changed_at: None,
            late: false,
            at: self.now,
        };
        writeln!(self.transcript, "--------  {kind:?}").unwrap();
        let effects = self.turns.control(&event, self.known.clone());
        self.remember(effects);
    }

    fn remember(&mut self, effects: Effects) {
        self.known.memory.clone_from(&effects.memory);
        self.known.history.extend(effects.history.iter().cloned());
        match effects.opt_out {
            Some(OptOut::Since(_)) => self.known.opted_out = true,
            Some(OptOut::Lifted) => self.known.opted_out = false,
            None => {}
        }
        self.last = Some(effects);
    }

    fn note(&mut self, effects: &Effects) {
        let state = effects.state.as_ref();
        if let Some(router) = state.and_then(|state| state.router_output.as_ref()) {
            write!(self.transcript, "          {}", router.intent).unwrap();
            let slots = state.and_then(|state| state.extraction_output.as_ref());
            for (name, value) in slots.iter().flat_map(|output| &output.slots) {
                write!(self.transcript, " {name}={value}").unwrap();
            }
            let output = state.and_then(|state| state.conversation_output.as_ref());
            if let Some(reason) = output.and_then(|output| output.escalation_reason.as_ref()) {
                write!(self.transcript, " escalated={reason}").unwrap();
            }
            self.transcript.push('\n');
        }
        let reply = effects.reply.as_ref();
        let said = reply.map_or("(silent)", |reply| reply.text.as_str());
        writeln!(self.transcript, "bot       {said}").unwrap();
    }
}
