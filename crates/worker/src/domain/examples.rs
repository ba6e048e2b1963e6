use serde::Deserialize;

use super::intents::Intent;
use super::problem::Problems;

/// A message of which it is known what the customer wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// What was written.
    pub text: String,
    /// Place of the intent.
    pub intent: usize,
}

#[derive(Deserialize)]
struct Line {
    text: String,
    intent: String,
}

/// Reads a file of JSON objects with `text` and `intent`, one a line, as `worker evaluate` does.
pub(super) fn read(
    name: &str,
    text: &str,
    intents: &[Intent],
    problems: &Problems,
) -> Vec<Example> {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let examples = lines.filter_map(|(number, line)| {
        let example = parse(line, intents);
        example
            .map_err(|message| problems.add(name, number, message))
            .ok()
    });
    examples.collect()
}

fn parse(line: &str, intents: &[Intent]) -> Result<Example, String> {
    let line: Line = serde_json::from_str(line)
        .map_err(|_| "is no JSON object with a `text` and an `intent`".to_owned())?;
    let intent = intents.iter().position(|intent| intent.name == line.intent);
    let text = line.text;
    intent
        .map(|intent| Example { text, intent })
        .ok_or_else(|| format!("there is no intent `{}`", line.intent))
}
