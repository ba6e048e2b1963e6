//! `console unclear`, `label`, `labels`: what was not understood for sure, and what it means.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use crm::{Label, Question, Unclear};
use serde_json::{Value, json};

use super::{CommandError, Place};
use crate::pages::understanding::read;

/// Labels.
#[derive(Debug, Clone, Subcommand)]
pub enum UnclearArgs {
    /// Print what was guessed, could not be answered, or may be an opt-out, the newest first.
    Unclear(UnclearList),
    /// Say what words mean, for the domain file.
    Label(LabelArgs),
    /// Print the labels as example lines or as facts, to be pasted into the domain.
    Labels(LabelsArgs),
}

/// What is printed.
#[derive(Debug, Clone, Args)]
pub struct UnclearList {
    /// `intent`, `question` or `opt_out`.
    #[arg(default_value = "intent", value_parser = kind)]
    kind: Unclear,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// A label.
#[derive(Debug, Clone, Args)]
pub struct LabelArgs {
    /// The id, as `console unclear` prints it.
    id: String,
    /// `intent:NAME`, `fact:NAME`, `new`, `nothing`, or an empty text to take a label back.
    label: String,
    /// The name of a new fact.
    #[arg(long, default_value = "")]
    name: String,
    /// The answer of a new fact.
    #[arg(long, default_value = "")]
    answer: String,
    #[command(flatten)]
    place: Place,
}

/// How labels are printed.
#[derive(Debug, Clone, Args)]
pub struct LabelsArgs {
    /// Labels with a fact, as `[[facts]]`; else those with an intent, as example lines.
    #[arg(long)]
    facts: bool,
    #[command(flatten)]
    place: Place,
}

fn kind(text: &str) -> Result<Unclear, &'static str> {
    let named = |kind: &Unclear| kind.as_str() == text;
    let found = Unclear::ALL.into_iter().find(named);
    found.ok_or("must be intent, question or opt_out")
}

impl UnclearArgs {
    /// Does what is asked.
    ///
    /// # Errors
    /// When it cannot be done; the error says why.
    pub async fn run(&self) -> Result<ExitCode, CommandError> {
        match self {
            Self::Unclear(list) => unclear(list).await?,
            Self::Label(args) => {
                let label = read(&args.label, &args.name, &args.answer)?;
                let desk = args.place.desk().await?;
                let who = args.place.who();
                desk.label(&who, &args.id, label.as_ref()).await?;
                runtime::print(&"noted")?;
            }
            Self::Labels(args) => {
                let desk = args.place.desk().await?;
                let text = match args.facts {
                    true => desk.facts().await?,
                    false => desk.examples().await?,
                };
                desk.note_done(&args.place.who(), "export", Some("labels"), None, None)
                    .await;
                runtime::print(&text.trim_end())?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn unclear(list: &UnclearList) -> Result<(), CommandError> {
    let desk = list.place.desk().await?;
    let (rows, _) = desk.unclear(list.kind, false, None).await?;
    for row in &rows {
        if list.json {
            runtime::print(&question_json(row))?;
        } else {
            let sure = row
                .confidence
                .map(|sure| format!(" ({:.0} %)", sure * 100.0));
            let sure = sure.unwrap_or_default();
            runtime::print(&format!(
                "{}  {}  {}{sure}  {}",
                row.id, row.asked_at, row.topic, row.words
            ))?;
        }
    }
    Ok(())
}

/// Words that a colleague should look at, as programs get them.
pub(crate) fn question_json(question: &Question) -> Value {
    let label = question.label.as_ref().map(|label| match label {
        Label::Intent(name) => json!({"intent": name}),
        Label::Fact(name) => json!({"fact": name}),
        Label::NewFact(name, answer) => json!({"new_fact": name, "answer": answer}),
        Label::Nothing => json!({}),
    });
    json!({
        "id": question.id, "words": question.words, "topic": question.topic,
        "asked_at": question.asked_at, "conversation": question.conversation,
        "language": question.language, "confidence": question.confidence, "label": label,
    })
}
