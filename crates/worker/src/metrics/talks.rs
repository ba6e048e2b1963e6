//! What is counted of conversations.

use prometheus::{HistogramVec, IntCounterVec};
use runtime::metrics::Metrics;

use crate::dialogue::Silence;
use crate::effects::Effects;

const MESSAGE_BUCKETS: &[f64] = &[1.0, 2.0, 3.0, 5.0, 8.0, 13.0];

#[derive(Debug, Clone)]
pub(super) struct Talks {
    acts: IntCounterVec,
    passed_on: IntCounterVec,
    silent: IntCounterVec,
    turn_messages: HistogramVec,
}

/// What a turn did: its acts, the questions that it passed on, how many messages it answers.
#[derive(Debug)]
pub(crate) struct Talked {
    acts: Vec<[&'static str; 2]>,
    passed_on: Vec<String>,
    silence: Option<Silence>,
    messages: usize,
}

impl Talked {
    pub(crate) fn of(messages: usize, effects: &Effects) -> Self {
        let acts = effects.acts.iter();
        Self {
            acts: acts
                .map(|act| [act.does.name(), act.origin.as_str()])
                .collect(),
            passed_on: effects.passed_on.clone(),
            silence: effects.silence,
            messages,
        }
    }
}

impl Talks {
    pub(super) fn new(metrics: &mut Metrics) -> prometheus::Result<Self> {
        Ok(Self {
            acts: metrics.counters(
                "postduif_acts_total",
                &["act", "origin"],
                "What customers did with their messages, as rules or model read it.",
            )?,
            passed_on: metrics.counters(
                "postduif_passed_on_total",
                &["topic"],
                "Questions that no fact answers and a colleague has to.",
            )?,
            silent: metrics.counters(
                "postduif_silent_total",
                &["reason"],
                "Turns without a reply: opted_out, human or machine.",
            )?,
            turn_messages: metrics.histograms(
                "postduif_turn_messages",
                &["source"],
                MESSAGE_BUCKETS,
                "Messages that one turn answers.",
            )?,
        })
    }

    pub(super) fn count(&self, source: &str, turn: &Talked) {
        for labels in &turn.acts {
            self.acts.with_label_values(labels).inc();
        }
        for topic in &turn.passed_on {
            self.passed_on.with_label_values(&[topic]).inc();
        }
        if let Some(silence) = turn.silence {
            self.silent.with_label_values(&[silence.as_str()]).inc();
        }
        self.turn_messages
            .with_label_values(&[source])
            .observe(turn.messages as f64);
    }
}
