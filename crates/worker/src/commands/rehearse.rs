//! `worker rehearse`: dialogues in small text files, with what is expected of each turn.
//!
//! ```text
//! # the guarantee comes in between
//! lang nl
//! at 2026-11-28 19:10
//! > heeft die Captur een afneembare haak
//! acts ask(towbar)
//! says passed_on(towbar)
//! not says noted
//! asks nothing
//! > dan kom ik woensdag half drie een stukje rijden
//! appointment 2026-12-02 14:30
//! asks at_most 1
//! ```

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use stock::Stock;

use super::talk::{Talk, Turned, act_name};
use crate::config::DomainConfig;
use crate::domain::Domain;
use crate::stock::{from_file, or_refuse};

/// `worker rehearse`.
#[derive(Debug, Clone, Args)]
pub struct RehearseArgs {
    /// The folder of the dialogues (`*.txt`), or one of them.
    path: PathBuf,
    /// A feed of what is for sale, in any known format; `shipped` is the domain's own example.
    #[arg(long, value_name = "FILE")]
    stock: Option<PathBuf>,
    #[command(flatten)]
    domain: DomainConfig,
}

impl RehearseArgs {
    /// The domain to rehearse.
    pub const fn domain(&self) -> &DomainConfig {
        &self.domain
    }

    /// Rehearses, and tells what went otherwise. Whether all went as expected.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn run(&self, domain: &Domain) -> anyhow::Result<bool> {
        let stock = self.stock.as_deref();
        let stock = stock.map(|file| or_refuse(from_file(domain, file)));
        let report = rehearse(domain, stock, &self.path).await?;
        for failure in &report.failures {
            runtime::print(failure)?;
        }
        let right = report.dialogues - report.failed;
        runtime::print(&format!("{right} of {} dialogues right", report.dialogues))?;
        Ok(report.failures.is_empty())
    }
}

/// What a rehearsal showed.
#[derive(Debug, Default)]
pub struct Report {
    /// Dialogues that were held.
    pub dialogues: usize,
    /// Those in which something went otherwise.
    pub failed: usize,
    /// What went otherwise, with file and line.
    pub failures: Vec<String>,
}

/// Holds the dialogues of a folder, or of one file, one after the other.
///
/// # Errors
/// When a file cannot be read.
pub async fn rehearse(
    domain: &Domain,
    stock: Option<Stock>,
    path: &Path,
) -> std::io::Result<Report> {
    let mut files = if path.is_dir() {
        let entries: Result<Vec<_>, _> = std::fs::read_dir(path)?.collect();
        let files = entries?.into_iter().map(|entry| entry.path());
        files
            .filter(|file| file.extension().is_some_and(|end| end == "txt"))
            .collect()
    } else {
        vec![path.to_owned()]
    };
    files.sort();
    let mut report = Report::default();
    let mut talk = Talk::new(domain.clone(), stock);
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let failures = hold(&mut talk, &name, &text).await;
        report.dialogues += 1;
        report.failed += usize::from(!failures.is_empty());
        report.failures.extend(failures);
    }
    Ok(report)
}

/// Holds one dialogue.
async fn hold(talk: &mut Talk, file: &str, text: &str) -> Vec<String> {
    let mut failures = Vec::new();
    let mut now = Timestamp::now();
    let mut turned: Option<Turned> = None;
    let mut heard = String::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let place = format!("{file}:{}", number + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(said) = line.strip_prefix('>') {
            heard = said.trim().to_owned();
            let (text, more) = match heard
                .strip_prefix('[')
                .and_then(|rest| rest.split_once(']'))
            {
                Some((kind, words)) => (
                    words.trim(),
                    json!({"attachments": [{"content_type": kind}]}),
                ),
                None => (heard.as_str(), json!({})),
            };
            now += jiff::SignedDuration::from_secs(60);
            let answer = talk.says(file, text, more, now).await;
            if answer.replies.is_empty() && answer.silence.is_none() {
                failures.push(format!("{place}: \"{heard}\" was not answered"));
            }
            turned = Some(answer);
            continue;
        }
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match (key, &turned) {
            ("at", _) => match talk.moment(value) {
                Some(at) => now = at,
                None => failures.push(format!("{place}: `{value}` is no moment")),
            },
            ("lang", None) => {}
            (_, None) => failures.push(format!("{place}: nothing was said yet")),
            (_, Some(turned)) => {
                if let Err(found) = check(key, value, turned) {
                    let replies = turned.replies.join(" ");
                    failures.push(format!(
                        "{place}: {line}: {found}\n    > {heard}\n    {replies}"
                    ));
                }
            }
        }
    }
    failures
}

/// Whether a turn is as a line expects; else what it was.
fn check(key: &str, value: &str, turned: &Turned) -> Result<(), String> {
    let all = |found: &[String]| {
        let missing = value
            .split_whitespace()
            .find(|one| !found.iter().any(|name| name == one));
        match missing {
            None => Ok(()),
            Some(_) => Err(found.join(" ")),
        }
    };
    match key {
        "not" => {
            let (key, value) = value.split_once(' ').unwrap_or((value, ""));
            match check(key, value, turned) {
                Ok(()) => Err("it was so".into()),
                Err(_) => Ok(()),
            }
        }
        "acts" => {
            let names = turned.acts.iter().map(act_name);
            let kinds = names
                .clone()
                .filter_map(|name| Some(name.split_once('(')?.0.to_owned()));
            all(&names.clone().chain(kinds).collect::<Vec<_>>())
        }
        "says" => all(&turned.says()),
        "text" => {
            let text = turned.replies.join(" ").to_lowercase();
            holds(text.contains(&value.to_lowercase()), text)
        }
        "asks" => asks(value, turned),
        "slot" | "own" => slot(key, value, turned),
        "appointment" => appointment(value, turned),
        "stock" => stock(value, turned),
        "picture" => {
            let found = turned.picture.as_deref().unwrap_or("none");
            holds(found.contains(value), found.to_owned())
        }
        "told" => {
            let told = turned.state.told.as_ref();
            let reason = told.map_or("nobody", |told| told.reason.as_str());
            holds(reason == value, reason.to_owned())
        }
        "silent" => {
            let silence = turned.silence.unwrap_or("not silent");
            holds(
                silence == value || value.is_empty() && turned.silence.is_some(),
                silence.to_owned(),
            )
        }
        "lang" => {
            let lang = turned.state.lang.clone().unwrap_or_default();
            holds(lang == value, lang)
        }
        "opt_out" => holds(
            turned.opted_out.to_string() == value,
            turned.opted_out.to_string(),
        ),
        _ => Err(format!("`{key}` is nothing that can be expected")),
    }
}

fn holds(holds: bool, found: String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(found) }
}

fn asks(value: &str, turned: &Turned) -> Result<(), String> {
    let asked = turned.asks();
    let marks = turned.replies.join(" ").matches('?').count();
    match value.strip_prefix("at_most ") {
        Some(most) => holds(
            most.parse().is_ok_and(|most: usize| marks <= most),
            marks.to_string(),
        ),
        None => {
            let asked = asked.unwrap_or_else(|| "nothing".into());
            holds(asked == value, asked)
        }
    }
}

/// `slot price_max 12000`, `slot color any`, `slot car_model Yaris Jazz`, or `slot color` alone.
fn slot(key: &str, value: &str, turned: &Turned) -> Result<(), String> {
    let wishes = if key == "own" {
        &turned.state.own
    } else {
        &turned.state.wanted
    };
    let (slot, wanted) = value.split_once(' ').unwrap_or((value, ""));
    let wish = wishes.get(slot);
    let mut found: Vec<String> = wish
        .map(|wish| wish.any_of.iter().map(ToString::to_string).collect())
        .unwrap_or_default();
    if wish.is_some_and(|wish| wish.indifferent) {
        found.push("any".into());
    }
    let shown = found.join(" ");
    holds(
        if wanted.is_empty() {
            !found.is_empty()
        } else {
            shown == wanted
        },
        shown,
    )
}

/// `stock 17 4`: these things of the stock, in this order; `stock none`.
fn stock(value: &str, turned: &Turned) -> Result<(), String> {
    let found = turned.stock().join(" ");
    let found = if found.is_empty() {
        "none".to_owned()
    } else {
        found
    };
    holds(found == value, found)
}

/// `appointment 2026-12-02 14:30`, `appointment moved`, `appointment none`.
fn appointment(value: &str, turned: &Turned) -> Result<(), String> {
    let found = turned.appointment();
    if found.is_null() {
        return holds(value == "none", "none".into());
    }
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let shown = format!("{} {} {}", text("date"), text("time"), text("status"));
    let words = value.split_whitespace();
    holds(
        words
            .clone()
            .all(|word| shown.split(' ').any(|part| part == word)),
        shown.clone(),
    )
}
