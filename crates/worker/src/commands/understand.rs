//! `worker understand`: shows what is understood of each line.

use std::io::{self, BufRead, Write};

use clap::Args;
use serde::{Deserialize, Serialize};
use shared_types::Slots;

use crate::config::DomainConfig;
use crate::domain::Domain;
use crate::understanding::{Evidence, Understander};

/// `worker understand`.
#[derive(Debug, Clone, Args)]
pub struct UnderstandArgs {
    /// Read JSON objects with a `text`, one a line, instead of bare lines.
    #[arg(long)]
    jsonl: bool,
    /// Say which patterns of the domain file spoke for and against the intents, as `cues`.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    domain: DomainConfig,
}

impl UnderstandArgs {
    /// The domain to understand by.
    pub const fn domain(&self) -> &DomainConfig {
        &self.domain
    }

    /// Reads standard input, writes to standard output.
    ///
    /// # Errors
    /// As [`run`].
    pub fn run(&self, domain: &Domain) -> io::Result<()> {
        let format = if self.jsonl {
            Format::JsonLines
        } else {
            Format::Text
        };
        let output = io::BufWriter::new(io::stdout().lock());
        let showing = Showing {
            format,
            explain: self.explain,
        };
        match run(domain, showing, io::stdin().lock(), output, io::stderr()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

/// What is read, and what is shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Showing {
    /// How the input is read.
    pub format: Format,
    /// Whether the cues are shown too.
    pub explain: bool,
}

/// How the input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A message a line.
    #[default]
    Text,
    /// A JSON object a line, with the message in `text`; other fields are ignored.
    JsonLines,
}

#[derive(Deserialize)]
struct Line {
    text: String,
}

#[derive(Serialize)]
struct Understood<'a> {
    text: &'a str,
    lang: &'a str,
    intent: &'a str,
    confidence: f64,
    slots: &'a Slots,
    #[serde(skip_serializing_if = "Option::is_none")]
    cues: Option<Vec<Evidence>>,
}

/// Writes a JSON object for each message: `{"text", "lang", "intent", "confidence", "slots"}`,
/// with `cues` where they are asked for.
/// Empty lines are skipped. A line that cannot be read is told on `problems`, with its number, and
/// the next one is read.
///
/// # Errors
/// When the input cannot be read further or an output not be written.
pub fn run(
    domain: &Domain,
    showing: Showing,
    mut input: impl BufRead,
    mut output: impl Write,
    mut problems: impl Write,
) -> io::Result<()> {
    let understander = Understander::new(domain);
    let mut bytes = Vec::new();
    for number in 1_u64.. {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        match message(&bytes, showing.format) {
            Ok(None) => {}
            Ok(Some(text)) => {
                write_one(&understander, &text, showing.explain, &mut output)?;
                output.flush()?;
            }
            Err(problem) => writeln!(problems, "line {number}: {problem}")?,
        }
    }
    Ok(())
}

fn message(bytes: &[u8], format: Format) -> Result<Option<String>, String> {
    let line = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let line = line.trim_end_matches(['\n', '\r']);
    if line.trim().is_empty() {
        return Ok(None);
    }
    match format {
        Format::Text => Ok(Some(line.to_owned())),
        Format::JsonLines => serde_json::from_str::<Line>(line)
            .map(|line| Some(line.text))
            .map_err(|error| format!("is no JSON object with a `text`: {error}")),
    }
}

fn write_one(
    understander: &Understander,
    text: &str,
    explain: bool,
    output: &mut impl Write,
) -> io::Result<()> {
    let understanding = understander.understand(text);
    let understood = Understood {
        text,
        lang: &understanding.lang,
        intent: &understanding.intent,
        confidence: (understanding.confidence * 1000.0).round() / 1000.0,
        slots: &understanding.slots,
        cues: explain.then(|| understander.explain(text)),
    };
    serde_json::to_writer(&mut *output, &understood)?;
    output.write_all(b"\n")
}
