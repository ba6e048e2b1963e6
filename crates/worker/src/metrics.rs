//! What the worker counts. Every name and label is here.

use std::time::Duration;

use crm::CrmMetrics;
use prometheus::{HistogramVec, IntCounterVec};
use runtime::metrics::{LATENCY_BUCKETS, Metrics, from_zero};

use crate::effects::OptOut;
use crate::graph::Node;

mod colleagues;
mod stock;
mod talks;

pub(crate) use colleagues::Colleagues;
pub(crate) use stock::StockMetrics;
pub(crate) use talks::Talked;
use talks::Talks;

/// The counters of the worker.
#[derive(Debug, Clone)]
pub struct WorkerMetrics {
    turns: IntCounterVec,
    turn_seconds: HistogramVec,
    agent_seconds: HistogramVec,
    fallbacks: IntCounterVec,
    model_errors: IntCounterVec,
    tokens: IntCounterVec,
    cost: IntCounterVec,
    escalations: IntCounterVec,
    opt_outs: IntCounterVec,
    crm: CrmMetrics,
    transcriptions: IntCounterVec,
    cards: IntCounterVec,
    colleagues: Colleagues,
    talks: Talks,
    stock: StockMetrics,
    plates: IntCounterVec,
}

fn opt_outs(metrics: &mut Metrics) -> prometheus::Result<IntCounterVec> {
    let counters = metrics.counters(
        "postduif_opt_outs_total",
        &["change"],
        "Contacts that ended messages, or wanted them again.",
    )?;
    Ok(from_zero(counters, OptOut::NAMES.map(|change| [change])))
}

fn plates(metrics: &mut Metrics) -> prometheus::Result<IntCounterVec> {
    let counters = metrics.counters(
        "postduif_plates_looked_up_total",
        &["outcome"],
        "Questions to the register of plates: found, unknown, limited (not asked, or refused for too many), slow, or failed.",
    )?;
    let outcomes = ["found", "unknown", "limited", "slow", "failed"];
    Ok(from_zero(counters, outcomes.map(|outcome| [outcome])))
}

impl WorkerMetrics {
    pub(crate) fn looked_up(&self, outcome: &'static str) {
        self.plates.with_label_values(&[outcome]).inc();
    }

    /// Registers the metrics.
    ///
    /// # Errors
    /// When a name is taken, which is a mistake in the code.
    pub fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            turns: metrics.counters(
                "postduif_turns_total",
                &["source", "intent", "outcome"],
                "Turns by what the customer wanted and how they ended: replied, silent, escalated, or given_up.",
            )?,
            turn_seconds: metrics.histograms(
                "postduif_turn_seconds",
                &["source"],
                LATENCY_BUCKETS,
                "Time of a turn from its start to its commit.",
            )?,
            agent_seconds: metrics.histograms(
                "postduif_agent_seconds",
                &["agent"],
                LATENCY_BUCKETS,
                "Time that an agent took.",
            )?,
            fallbacks: metrics.counters(
                "postduif_model_fallbacks_total",
                &["agent", "reason"],
                "Times that the rules stood in for the language model.",
            )?,
            model_errors: metrics.counters(
                "postduif_model_errors_total",
                &["agent", "status"],
                "Questions that the model's server did not answer, by HTTP status, or slow, unreachable, unreadable.",
            )?,
            tokens: metrics.counters(
                "postduif_model_tokens_total",
                &["agent", "kind"],
                "Tokens of the language model.",
            )?,
            cost: metrics.counters(
                "postduif_model_cost_micros_total",
                &["agent"],
                "Cost of the language model, in millionths of the currency of LLM_PROMPT_PRICE.",
            )?,
            escalations: metrics.counters(
                "postduif_escalations_total",
                &["reason"],
                "Conversations handed to a colleague.",
            )?,
            opt_outs: opt_outs(metrics)?,
            crm: CrmMetrics::new(metrics)?,
            transcriptions: metrics.counters(
                "postduif_transcriptions_total",
                &["outcome"],
                "Voice messages put into text.",
            )?,
            cards: metrics.counters(
                "postduif_contact_cards_total",
                &["outcome"],
                "Contact cards that came as a file, and whether they were read.",
            )?,
            colleagues: Colleagues::new(metrics)?,
            talks: Talks::new(metrics)?,
            stock: StockMetrics::new(metrics)?,
            plates: plates(metrics)?,
        })
    }

    pub(crate) fn turn(&self, source: &str, intent: &str, outcome: &'static str, took: Duration) {
        self.turns
            .with_label_values(&[source, intent, outcome])
            .inc();
        self.turn_seconds
            .with_label_values(&[source])
            .observe(took.as_secs_f64());
    }

    pub(crate) fn talked(&self, source: &str, turn: &Talked) {
        self.talks.count(source, turn);
    }

    /// A message became a dead letter; a colleague was told.
    pub(crate) fn given_up(&self, source: &str) {
        self.turns
            .with_label_values(&[source, "none", "given_up"])
            .inc();
        self.escalated("turn_failed");
    }

    pub(crate) fn agent(&self, node: Node, took: Duration) {
        self.agent_seconds
            .with_label_values(&[node.as_str()])
            .observe(took.as_secs_f64());
    }

    pub(crate) fn fallback(&self, node: Node, reason: &'static str) {
        self.fallbacks
            .with_label_values(&[node.as_str(), reason])
            .inc();
    }

    pub(crate) fn model_failed(&self, node: Node, status: &str) {
        self.model_errors
            .with_label_values(&[node.as_str(), status])
            .inc();
    }

    pub(crate) fn tokens(&self, node: Node, prompt: u64, completion: u64) {
        self.tokens
            .with_label_values(&[node.as_str(), "prompt"])
            .inc_by(prompt);
        self.tokens
            .with_label_values(&[node.as_str(), "completion"])
            .inc_by(completion);
    }

    pub(crate) fn cost(&self, node: Node, micros: u64) {
        self.cost.with_label_values(&[node.as_str()]).inc_by(micros);
    }

    pub(crate) fn escalated(&self, reason: &str) {
        self.escalations.with_label_values(&[reason]).inc();
    }

    pub(crate) fn opted(&self, change: &'static str) {
        self.opt_outs.with_label_values(&[change]).inc();
    }

    /// What is counted of the CRM.
    pub(crate) const fn crm(&self) -> &CrmMetrics {
        &self.crm
    }

    /// What is counted of what is for sale.
    pub(crate) const fn stock(&self) -> &StockMetrics {
        &self.stock
    }

    /// What is counted of telling colleagues.
    pub(crate) const fn colleagues(&self) -> &Colleagues {
        &self.colleagues
    }

    pub(crate) fn transcribed(&self, outcome: &'static str) {
        self.transcriptions.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn card(&self, outcome: &'static str) {
        self.cards.with_label_values(&[outcome]).inc();
    }
}
