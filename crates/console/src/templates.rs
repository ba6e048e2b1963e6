//! Templates that WhatsApp has approved: what a customer may be sent when free text is not taken. The list is a
//! file of the operator's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use shared_types::{Template, sid_mistake};

/// The name of the template that egress sends by itself, which is on no list.
const OF_EGRESS: &str = "window";
/// The longest value of a variable, in characters.
const MOST_CHARS: usize = 500;

/// Where the list is.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TemplateArgs {
    /// A TOML file with the Content templates that may be sent when free text is not taken.
    #[arg(long, env = "CONSOLE_TEMPLATES_FILE", value_name = "FILE")]
    console_templates_file: Option<PathBuf>,
    /// The Content template that egress sends instead of text outside of the 24 hours; colleagues may choose it
    /// too.
    #[arg(long, env = "TWILIO_WINDOW_TEMPLATE_SID", value_name = "HX…")]
    twilio_window_template_sid: Option<String>,
}

/// A template, as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageTemplate {
    /// What colleagues call it; the same in each language.
    pub name: String,
    /// The language that it is in, such as `nl`; empty when that is not known.
    #[serde(default)]
    pub language: String,
    /// Twilio's ContentSid, `HX…`.
    pub sid: String,
    /// What the customer reads, with `{{1}}` or `{{name}}` for the variables; empty when that is not known.
    #[serde(default)]
    pub text: String,
    /// Variables, and what colleagues fill in for them.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    templates: Vec<MessageTemplate>,
}

/// Why a template cannot be sent so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing is said for a variable.
    #[error("the template needs a value for {0}")]
    Missing(String),
    /// There is no such variable.
    #[error("the template has no variable {0}")]
    Unknown(String),
    /// WhatsApp takes no such value.
    #[error("{0}: a value is one line of at most {MOST_CHARS} characters")]
    Unfit(String),
    /// Another channel.
    #[error("only Twilio sends templates: write free text here")]
    NotTwilio,
    /// Several are called so.
    #[error("there are several of that name: say the language, or the SID")]
    Ambiguous,
}

/// A part of a template's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Words(&'a str),
    Variable(&'a str),
}

impl TemplateArgs {
    /// The templates that are set up.
    ///
    /// # Errors
    /// What is wrong with the settings; the text begins with the variable.
    pub(crate) fn read(&self) -> Result<Vec<MessageTemplate>, String> {
        let mut templates = match &self.console_templates_file {
            Some(file) => read(file).map_err(|why| format!("CONSOLE_TEMPLATES_FILE: {why}"))?,
            None => Vec::new(),
        };
        let of_egress = self.twilio_window_template_sid.as_ref();
        if let Some(sid) = of_egress.filter(|sid| templates.iter().all(|one| one.sid != **sid)) {
            if let Some(mistake) = sid_mistake("HX", sid) {
                return Err(format!("TWILIO_WINDOW_TEMPLATE_SID: {mistake}"));
            }
            templates.push(MessageTemplate {
                name: OF_EGRESS.to_owned(),
                language: String::new(),
                sid: sid.clone(),
                text: String::new(),
                variables: BTreeMap::new(),
            });
        }
        Ok(templates)
    }
}

fn read(file: &Path) -> Result<Vec<MessageTemplate>, String> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    parse(&text).map_err(|why| format!("{name}: {why}"))
}

fn parse(text: &str) -> Result<Vec<MessageTemplate>, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().iter().take(start);
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line}: {}", error.message().replace('\n', " "))
    })?;
    let mut known = BTreeSet::new();
    for template in &file.templates {
        let name = &template.name;
        if name.trim().is_empty() || name.trim() != name {
            return Err("a template has no name".to_owned());
        }
        if let Some(mistake) = sid_mistake("HX", &template.sid) {
            return Err(format!("{name}: its sid {mistake}"));
        }
        if !known.insert((name, &template.language)) {
            return Err(format!("{name}: there are two in the same language"));
        }
        let stray = template.variables.keys();
        let mut stray = stray
            .filter(|variable| !template.text.is_empty() && !in_text(&template.text, variable));
        if let Some(variable) = stray.next() {
            return Err(format!("{name}: its text has no {{{{{variable}}}}}"));
        }
    }
    Ok(file.templates)
}

fn in_text(text: &str, variable: &str) -> bool {
    parts(text).contains(&Part::Variable(variable))
}

/// A text in its parts.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((words, (name, after))) = next_variable(rest) {
        if !words.is_empty() {
            parts.push(Part::Words(words));
        }
        parts.push(Part::Variable(name));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Words(rest));
    }
    parts
}

/// The words before the next variable; its name, and what follows.
fn next_variable(text: &str) -> Option<(&str, (&str, &str))> {
    let (words, after) = text.split_once("{{")?;
    let (name, after) = after.split_once("}}")?;
    Some((words, (name.trim(), after)))
}

impl MessageTemplate {
    /// What the customer reads, in parts.
    pub(crate) fn parts(&self) -> Vec<Part<'_>> {
        parts(&self.text)
    }

    /// Its variables in the order in which they are read, each with what is filled in.
    #[must_use]
    pub fn variables(&self) -> Vec<(&str, &str)> {
        let mut names: Vec<&str> = Vec::new();
        let of_text = self.parts().into_iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name),
            Part::Words(_) => None,
        });
        for name in of_text.chain(self.variables.keys().map(String::as_str)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let what = |name: &str| self.variables.get(name).map_or("", String::as_str);
        names.into_iter().map(|name| (name, what(name))).collect()
    }

    /// The template with its variables, and what the customer reads as far as that is known.
    ///
    /// # Errors
    /// When a value is missing, strange, or of no variable.
    pub fn fill(
        &self,
        values: &BTreeMap<String, String>,
    ) -> Result<(Template, String), TemplateError> {
        let known = self.variables();
        let is_known = |name: &&String| known.iter().any(|(known, _)| known == name);
        if let Some(stray) = values.keys().find(|name| !is_known(name)) {
            return Err(TemplateError::Unknown(stray.clone()));
        }
        let mut variables = BTreeMap::new();
        for (name, what) in &known {
            let shown = || match *what {
                "" => (*name).to_owned(),
                what => format!("{name} ({what})"),
            };
            let value = values.get(*name).map_or("", |value| value.trim());
            if value.is_empty() {
                return Err(TemplateError::Missing(shown()));
            }
            if value.chars().any(char::is_control) || value.chars().count() > MOST_CHARS {
                return Err(TemplateError::Unfit(shown()));
            }
            variables.insert((*name).to_owned(), value.to_owned());
        }
        let read = self.read_as(&variables);
        let content_sid = self.sid.clone();
        Ok((
            Template {
                content_sid,
                variables,
            },
            read,
        ))
    }

    fn read_as(&self, variables: &BTreeMap<String, String>) -> String {
        if self.text.is_empty() {
            let told = variables
                .iter()
                .map(|(name, value)| format!(" {name}: {value}"));
            return format!("[template {}]{}", self.name, told.collect::<String>());
        }
        let filled = self.parts().into_iter().map(|part| match part {
            Part::Words(words) => words,
            Part::Variable(name) => variables.get(name).map_or("", String::as_str),
        });
        filled.collect()
    }
}

/// The template of this name or SID, and of this language where one is named.
///
/// # Errors
/// When several are called so.
pub(crate) fn find<'a>(
    templates: &'a [MessageTemplate],
    name: &str,
    language: Option<&str>,
) -> Result<Option<&'a MessageTemplate>, TemplateError> {
    let is_it = |one: &&MessageTemplate| {
        (one.name == name || one.sid == name)
            && language.is_none_or(|language| one.language == language)
    };
    let mut found = templates.iter().filter(is_it);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(TemplateError::Ambiguous),
        (found, None) => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        [[templates]]
        name = "follow_up"
        language = "nl"
        sid = "HX0123456789abcdef0123456789abcdef"
        text = "Dag {{1}}, de {{ 2 }} is er. Komt u kijken, {{1}}?"
        variables = { 1 = "voornaam", 2 = "auto" }

        [[templates]]
        name = "follow_up"
        language = "en"
        sid = "HX0123456789abcdef0123456789abcde0"
    "#;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_template_is_filled_and_read_as_the_customer_reads_it() {
        let templates = parse(FILE).unwrap();
        let dutch = find(&templates, "follow_up", Some("nl")).unwrap().unwrap();
        assert_eq!(dutch.variables(), [("1", "voornaam"), ("2", "auto")]);
        let (template, read) = dutch
            .fill(&values(&[("1", " Sanne "), ("2", "Golf")]))
            .unwrap();
        assert_eq!(read, "Dag Sanne, de Golf is er. Komt u kijken, Sanne?");
        assert_eq!(template.content_sid, dutch.sid);
        assert_eq!(template.variables["1"], "Sanne");
        let english = find(&templates, "HX0123456789abcdef0123456789abcde0", None);
        let (_, read) = english.unwrap().unwrap().fill(&values(&[])).unwrap();
        assert_eq!(read, "[template follow_up]");
        assert_eq!(
            find(&templates, "follow_up", None),
            Err(TemplateError::Ambiguous)
        );
        assert_eq!(find(&templates, "other", None), Ok(None));
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        let templates = parse(FILE).unwrap();
        let fill = |pairs: &[(&str, &str)]| templates[0].fill(&values(pairs)).unwrap_err();
        let missing = TemplateError::Missing("2 (auto)".into());
        assert_eq!(fill(&[("1", "Sanne"), ("2", " ")]), missing);
        let lines = fill(&[("1", "a\nb"), ("2", "c")]);
        assert_eq!(lines, TemplateError::Unfit("1 (voornaam)".into()));
        let stray = fill(&[("1", "a"), ("2", "b"), ("3", "c")]);
        assert_eq!(stray, TemplateError::Unknown("3".into()));
    }

    #[test]
    fn mistakes_of_the_file_are_told() {
        for (text, wrong) in [
            ("templates = 1", "invalid type"),
            (
                "[[templates]]\nname = \"a\"\nsid = \"AC1\"",
                "a: its sid is the SID of an account",
            ),
            ("[[templates]]\nname = \"\"\nsid = \"HX1\"", "has no name"),
            (
                "[[templates]]\nname = \"a\"\nsid = \"HX0123456789abcdef0123456789abcdef\"\n\
                 text = \"Dag\"\nvariables = { 1 = \"naam\" }",
                "its text has no {{1}}",
            ),
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.contains(wrong), "{told}");
        }
        let twice = FILE.replace("\"en\"", "\"nl\"");
        assert!(
            parse(&twice)
                .unwrap_err()
                .contains("two in the same language")
        );
        let nowhere = TemplateArgs {
            console_templates_file: Some("/nowhere.toml".into()),
            twilio_window_template_sid: None,
        };
        assert!(
            nowhere
                .read()
                .unwrap_err()
                .starts_with("CONSOLE_TEMPLATES_FILE: /nowhere.toml")
        );
    }
}
