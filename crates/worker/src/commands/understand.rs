//! `worker understand`: shows what is understood of each line.

use std::io::{self, BufRead, Write};

use clap::Args;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};
use shared_types::{SlotValue, Slots};

use crate::config::DomainConfig;
use crate::dialogue::act::{Act, Context};
use crate::domain::Domain;
use crate::understanding::{Evidence, Understander};

/// `worker understand`.
#[derive(Debug, Clone, Args)]
pub struct UnderstandArgs {
    /// Read JSON objects with a `text`, one a line, instead of bare lines. `at` says when it was
    /// written, in the business' local time or with an offset: 2026-12-02T11:05.
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
    /// A JSON object a line, with the message in `text` and perhaps its moment in `at`; other
    /// fields are ignored.
    JsonLines,
}

#[derive(Deserialize)]
struct Line {
    text: String,
    at: Option<String>,
}

#[derive(Serialize)]
struct Understood<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
    lang: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unserved: Option<String>,
    intent: String,
    confidence: f64,
    slots: Slots,
    acts: Vec<Act>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<Asked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cues: Option<Vec<Evidence>>,
}

/// A question about opening hours and its answer.
#[derive(Serialize)]
struct Asked {
    kind: &'static str,
    answer: String,
}

/// Writes a JSON object for each message: `{"text", "lang", "intent", "confidence", "slots", "acts"}`,
/// with `unserved` where that is the language of the text, `at` where it was given, `hours` where they
/// are asked for, and `cues` on demand. `slots`
/// have `date` and `time` where the message gives them.
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
            Ok(Some(line)) => match moment(line.at.as_deref(), &domain.business.time_zone) {
                Ok(now) => {
                    let understood = understood(domain, &understander, &line, &now);
                    let cues = showing.explain;
                    let cues = cues.then(|| understander.explain(domain, &line.text));
                    serde_json::to_writer(&mut output, &Understood { cues, ..understood })?;
                    output.write_all(b"\n")?;
                    output.flush()?;
                }
                Err(problem) => writeln!(problems, "line {number}: {problem}")?,
            },
            Err(problem) => writeln!(problems, "line {number}: {problem}")?,
        }
    }
    Ok(())
}

fn message(bytes: &[u8], format: Format) -> Result<Option<Line>, String> {
    let line = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let line = line.trim_end_matches(['\n', '\r']);
    if line.trim().is_empty() {
        return Ok(None);
    }
    match format {
        Format::Text => Ok(Some(Line {
            text: line.to_owned(),
            at: None,
        })),
        Format::JsonLines => serde_json::from_str(line)
            .map(Some)
            .map_err(|error| format!("is no JSON object with a `text`: {error}")),
    }
}

/// The moment at which a message was written; the present when nothing says.
fn moment(at: Option<&str>, time_zone: &TimeZone) -> Result<Zoned, String> {
    let Some(at) = at else {
        return Ok(Timestamp::now().to_zoned(time_zone.clone()));
    };
    if let Ok(timestamp) = at.parse::<Timestamp>() {
        return Ok(timestamp.to_zoned(time_zone.clone()));
    }
    let local: DateTime = at
        .parse()
        .map_err(|_| format!("`at` is no time such as 2026-12-02T11:05: {at}"))?;
    local
        .to_zoned(time_zone.clone())
        .map_err(|error| format!("`at` is no time of the business: {error}"))
}

fn understood<'a>(
    domain: &Domain,
    understander: &Understander,
    line: &'a Line,
    now: &Zoned,
) -> Understood<'a> {
    let understanding = understander.understand(&line.text);
    let when = understanding.moments.at(now);
    let mut slots = understanding.slots;
    for (name, text) in [("date", when.date_text()), ("time", when.time_text())] {
        slots.extend(text.map(|text| (name.to_owned(), SlotValue::Text(text))));
    }
    let hours = &domain.business.hours;
    let answer = understanding.hours_asked.answer(&when, hours, now);
    Understood {
        text: &line.text,
        at: line.at.as_deref(),
        lang: understanding.lang,
        unserved: understanding.unserved,
        intent: understanding.intent,
        confidence: (understanding.confidence * 1000.0).round() / 1000.0,
        slots,
        acts: understander.acts(&line.text, &Context::default()),
        hours: answer.map(|answer| Asked {
            kind: answer.kind(),
            answer: answer.to_string(),
        }),
        cues: None,
    }
}
