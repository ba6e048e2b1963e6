use serde::Deserialize;

use super::facts::Fact;
use super::problem::Problems;

/// A question of which it is known which fact answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactQuestion {
    /// What was asked.
    pub text: String,
    /// Place of the fact; none where no fact answers it.
    pub fact: Option<usize>,
}

#[derive(Deserialize)]
struct Line {
    text: String,
    fact: Option<String>,
}

/// Reads a file of JSON objects with `text` and `fact`, one a line; without `fact` no fact answers it.
pub(super) fn read(
    name: &str,
    text: &str,
    facts: &[Fact],
    problems: &Problems,
) -> Vec<FactQuestion> {
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let questions = lines.filter_map(|(number, line)| {
        let question = parse(line, facts);
        question
            .map_err(|message| problems.add(name, number, message))
            .ok()
    });
    questions.collect()
}

fn parse(line: &str, facts: &[Fact]) -> Result<FactQuestion, String> {
    let line: Line = serde_json::from_str(line)
        .map_err(|_| "is no JSON object with a `text` and a `fact`".to_owned())?;
    let text = line.text;
    let Some(name) = line.fact else {
        return Ok(FactQuestion { text, fact: None });
    };
    let fact = facts.iter().position(|fact| fact.name == name);
    fact.map(|fact| FactQuestion {
        text,
        fact: Some(fact),
    })
    .ok_or_else(|| format!("there is no fact `{name}`"))
}
