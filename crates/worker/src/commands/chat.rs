//! `worker chat`: talk with a domain in the terminal. No Redis, no model, no CRM.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};
use stock::Test;

use super::talk::{Talk, Turned};
use crate::config::DomainConfig;
use crate::dialogue::state::State;
use crate::domain::Domain;
use crate::onlooker::values;
use crate::stock::{from_file, or_refuse};

/// `worker chat`.
#[derive(Debug, Clone, Args)]
pub struct ChatArgs {
    /// Read JSON objects, one a line: `from`, `text`, and if need be `at` (the local time of the
    /// business, or a time with an offset), `attachments`, `location`, `name`. Print one a turn.
    #[arg(long)]
    jsonl: bool,
    /// A feed of what is for sale, in any known format; `shipped` is the domain's own example.
    #[arg(long, value_name = "FILE")]
    stock: Option<PathBuf>,
    #[command(flatten)]
    domain: DomainConfig,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    from: String,
    #[serde(default)]
    text: String,
    at: Option<String>,
    name: Option<String>,
    #[serde(default)]
    attachments: Vec<Value>,
    location: Option<Value>,
}

impl ChatArgs {
    /// The domain to talk with.
    pub const fn domain(&self) -> &DomainConfig {
        &self.domain
    }

    /// Reads standard input, writes to standard output.
    ///
    /// # Errors
    /// When a line cannot be read or an answer not be written.
    pub async fn run(&self, domain: Domain) -> anyhow::Result<()> {
        let stock = self.stock.as_deref();
        let stock = stock.map(|file| or_refuse(from_file(&domain, file)));
        let talk = Talk::new(domain, stock);
        let (input, output) = (io::stdin().lock(), io::stdout().lock());
        let ran = if self.jsonl {
            json_lines(talk, input, output, io::stderr()).await
        } else {
            terminal(talk, input, output).await
        };
        match ran {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// A line to the customer's text, the replies and what was understood below it.
async fn terminal(mut talk: Talk, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    writeln!(
        output,
        "Write as a customer would; an empty line or Ctrl-D ends."
    )?;
    for line in input.lines() {
        let line = line?;
        if line.trim().is_empty() {
            break;
        }
        let turned = talk.says("you", &line, json!({}), Timestamp::now()).await;
        for reply in &turned.replies {
            writeln!(output, "  {reply}")?;
        }
        if let Some(picture) = &turned.picture {
            writeln!(output, "  (picture: {picture})")?;
        }
        if turned.replies.is_empty() {
            writeln!(output, "  (silent: {})", turned.silence.unwrap_or("?"))?;
        }
        writeln!(output, "    [{}]", turned.understood())?;
        output.flush()?;
    }
    Ok(())
}

/// An object for each line. A line that cannot be read is told on `problems`, with its number, and
/// the next one is read.
///
/// # Errors
/// When the input cannot be read further or an output not be written.
async fn json_lines(
    mut talk: Talk,
    input: impl BufRead,
    mut output: impl Write,
    mut problems: impl Write,
) -> io::Result<()> {
    let mut clocks: BTreeMap<String, Timestamp> = BTreeMap::new();
    for (number, line) in input.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = match serde_json::from_str(&line) {
            Ok(line) => line,
            Err(error) => {
                writeln!(problems, "line {}: {error}", number + 1)?;
                continue;
            }
        };
        let at = line.at.as_deref().map(|at| talk.moment(at));
        let Some(now) = at.unwrap_or_else(|| Some(Timestamp::now())) else {
            writeln!(problems, "line {}: `at` is no moment", number + 1)?;
            continue;
        };
        let clock = clocks.entry(line.from.clone()).or_insert(now);
        *clock = now.max(*clock);
        let more = extras(&line);
        let turned = talk.says(&line.from, &line.text, more, now).await;
        serde_json::to_writer(&mut output, &shown(&line, &turned))?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}

/// Further fields of the message as it comes from ingress. A file may be given by its kind alone.
fn extras(line: &Line) -> Value {
    let file = |file: &Value| match file {
        Value::String(kind) => json!({"content_type": kind}),
        other => other.clone(),
    };
    let files: Vec<Value> = line.attachments.iter().map(file).collect();
    let mut more = json!({"attachments": files});
    if let Some(location) = &line.location {
        more["location"] = location.clone();
    }
    if let Some(name) = &line.name {
        more["name"] = json!(name);
    }
    more
}

/// What is wanted, with the amounts that no slot has: seven seats.
fn wanted(state: &State) -> Value {
    let mut shown = values(&state.wanted);
    for (attribute, test) in &state.stock.needs {
        if let Test::AtLeast(amount) | Test::AtMost(amount) | Test::Near(amount) = test
            && shown.get(attribute).is_none()
        {
            shown[attribute] = json!(amount);
        }
    }
    shown
}

fn shown(line: &Line, turned: &Turned) -> Value {
    let state = &turned.state;
    json!({
        "from": line.from,
        "text": line.text,
        "replies": turned.replies,
        "silence": turned.silence,
        "acts": turned.acts,
        "intent": turned.intent,
        "confidence": turned.confidence,
        "language": state.lang,
        "wanted": wanted(state),
        "own": values(&state.own),
        "open_question": turned.open_question(),
        "appointment": turned.appointment(),
        "stock": turned.stock(),
        "picture": turned.picture,
        "lead": turned.lead,
        "opt_out": turned.opted_out,
        "handover": turned.handover(),
    })
}

impl Talk {
    /// A moment on the clock of the business, or one with an offset.
    pub(crate) fn moment(&self, text: &str) -> Option<Timestamp> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(moment);
        }
        let local: DateTime = text.replacen(' ', "T", 1).parse().ok()?;
        let zoned = local
            .to_zoned(self.domain().business.time_zone.clone())
            .ok()?;
        Some(zoned.timestamp())
    }
}
