//! `worker evaluate`: measures the understanding on labelled messages.

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Deserialize;
use shared_types::Slots;

use crate::config::DomainConfig;
use crate::domain::Domain;
use crate::understanding::Understander;

mod report;
mod score;

pub use score::{Band, Counts, LanguageScore, Miss, Score, Timing};

/// `worker evaluate`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateArgs {
    /// Labelled messages, one JSON object a line: `{"text", "lang", "intent", "slots"}`.
    file: PathBuf,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Fail when the share of right intents is below this, 0 to 1.
    #[arg(long, value_name = "SHARE")]
    min_intent: Option<f64>,
    /// Fail when the F1 of the slots is below this, 0 to 1.
    #[arg(long, value_name = "F1")]
    min_slots: Option<f64>,
    /// Fail when the share of messages that are right as a whole is below this, 0 to 1.
    #[arg(long, value_name = "SHARE")]
    min_exact: Option<f64>,
    #[command(flatten)]
    domain: DomainConfig,
}

impl EvaluateArgs {
    /// The domain to understand by.
    pub const fn domain(&self) -> &DomainConfig {
        &self.domain
    }

    /// Prints the report.
    ///
    /// # Errors
    /// As [`run`], and when the file cannot be opened.
    pub fn run(&self, domain: &Domain) -> Result<(), EvaluateError> {
        let options = Options {
            json: self.json,
            min_intent: self.min_intent,
            min_slots: self.min_slots,
            min_exact: self.min_exact,
        };
        let input = io::BufReader::new(File::open(&self.file)?);
        match run(domain, input, io::stdout().lock(), options) {
            Err(EvaluateError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            ended => ended.map(|_| ()),
        }
    }
}

/// What is asked of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// Write the [`Score`] as JSON instead of tables.
    pub json: bool,
    /// The least share of right intents, 0 to 1.
    pub min_intent: Option<f64>,
    /// The least micro F1 of the slots, 0 to 1.
    pub min_slots: Option<f64>,
    /// The least share of messages with intent and all slots right, 0 to 1.
    pub min_exact: Option<f64>,
}

/// Why an evaluation failed.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The labelled messages could not be read, or the report not be written.
    #[error("cannot read or write")]
    Io(#[from] io::Error),
    /// A line is not a labelled message.
    #[error("line {line} is no labelled message")]
    Label {
        /// Counted from 1.
        line: usize,
        /// What the reader says.
        source: serde_json::Error,
    },
    /// There are no messages.
    #[error("there is nothing to evaluate")]
    Empty,
    /// The report was written, but a floor was missed.
    #[error("{what} is {reached:.3}, less than {floor:.3}")]
    Missed {
        /// Which measure.
        what: &'static str,
        /// What was reached.
        reached: f64,
        /// What was asked for.
        floor: f64,
    },
}

/// A labelled message: `{"text", "lang", "intent", "slots"}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Labelled {
    /// The message.
    pub text: String,
    /// Its language.
    pub lang: String,
    /// What the customer wants.
    pub intent: String,
    /// What the message tells.
    pub slots: Slots,
}

/// Reads labelled messages, understands them, and writes the report.
///
/// # Errors
/// Unreadable input, an unwritable output, and missed floors; the report is written before those.
pub fn run(
    domain: &Domain,
    input: impl BufRead,
    mut output: impl Write,
    options: Options,
) -> Result<Score, EvaluateError> {
    let labelled = read(input)?;
    let score = measure(&Understander::new(domain), &labelled)?;
    if options.json {
        serde_json::to_writer_pretty(&mut output, &score).map_err(io::Error::from)?;
        output.write_all(b"\n")?;
    } else {
        report::write(&score, domain.settings.confidence_threshold, &mut output)?;
    }
    check("intent accuracy", score.intent_accuracy, options.min_intent)?;
    check("slot F1", score.slots.f1(), options.min_slots)?;
    check("exact match", score.exact_match, options.min_exact)?;
    Ok(score)
}

/// Understands every message, and times it.
///
/// # Errors
/// When there are none.
pub fn measure(understander: &Understander, labelled: &[Labelled]) -> Result<Score, EvaluateError> {
    let mut collector = score::Collector::default();
    for message in labelled {
        let begin = Instant::now();
        let understanding = understander.understand(&message.text);
        collector.add(message, &understanding, begin.elapsed());
    }
    collector.finish().ok_or(EvaluateError::Empty)
}

/// Reads labelled messages, one JSON object a line. Empty lines are skipped.
///
/// # Errors
/// The first line that cannot be read.
pub fn read(input: impl BufRead) -> Result<Vec<Labelled>, EvaluateError> {
    let mut labelled = Vec::new();
    for (line, text) in (1..).zip(input.lines()) {
        let text = text?;
        if !text.trim().is_empty() {
            let message = serde_json::from_str(&text);
            labelled.push(message.map_err(|source| EvaluateError::Label { line, source })?);
        }
    }
    Ok(labelled)
}

fn check(what: &'static str, reached: f64, floor: Option<f64>) -> Result<(), EvaluateError> {
    match floor {
        Some(floor) if reached < floor => Err(EvaluateError::Missed {
            what,
            reached,
            floor,
        }),
        _ => Ok(()),
    }
}
