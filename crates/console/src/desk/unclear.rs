//! Words that were not understood for sure or not answered, and what colleagues say that they mean.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crm::{DomainNames, FactNames, Label, Place, Question, Unclear};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Desk, Problem, ROWS, Who};

/// The longest answer of a new fact, in characters.
const MOST_CHARS: usize = 1_000;

impl Desk {
    /// What colleagues should look at, the newest first: what nobody labelled, or what somebody did.
    ///
    /// # Errors
    /// When the CRM cannot be reached.
    pub async fn unclear(
        &self,
        kind: Unclear,
        is_labelled: bool,
        before: Option<Place>,
    ) -> Result<(Vec<Question>, Option<Place>), Problem> {
        let chosen = (kind, is_labelled);
        Ok(self.crm.questions(chosen, before, ROWS).await?)
    }

    /// What the worker's domain has; nothing before a worker told it.
    ///
    /// # Errors
    /// When the CRM cannot be reached.
    pub async fn domain(&self) -> Result<DomainNames, Problem> {
        Ok(self.crm.domain().await?.unwrap_or_default())
    }

    /// Says what words mean, or takes that back.
    ///
    /// # Errors
    /// When there are no such words any more, the domain has no such name, a new fact cannot be written so, or
    /// the CRM cannot be reached.
    pub async fn label(&self, who: &Who, id: &str, label: Option<&Label>) -> Result<(), Problem> {
        if let Some(label) = label {
            check(label, &self.domain().await?)?;
        }
        let question = self.crm.question(id).await?;
        let question = question.ok_or(Problem::Unknown("question"))?;
        let now = Timestamp::now();
        if !self.crm.label(id, label, &who.name, now).await? {
            return Err(Problem::Unknown("question"));
        }
        let name = label.map(Label::name).filter(|name| !name.is_empty());
        let conversation = question.conversation.as_deref();
        self.note_done(who, "question.label", Some(id), name, conversation)
            .await;
        Ok(())
    }

    /// The labels with an intent as example lines of a domain.
    ///
    /// # Errors
    /// When the CRM cannot be reached.
    pub async fn examples(&self) -> Result<String, Problem> {
        Ok(examples(&self.crm.labels().await?))
    }

    /// The labels with a fact as tables of a domain file.
    ///
    /// # Errors
    /// When the CRM cannot be reached.
    pub async fn facts(&self) -> Result<String, Problem> {
        Ok(facts(&self.crm.labels().await?, &self.domain().await?))
    }
}

/// Whether the domain can have such a label.
fn check(label: &Label, domain: &DomainNames) -> Result<(), Problem> {
    match label {
        Label::Intent(name) if !domain.intents.contains(name) => Err(Problem::Unknown("intent")),
        Label::Fact(name) if fact(domain, name).is_none() => Err(Problem::Unknown("fact")),
        Label::NewFact(name, answer) => check_new(name, answer, domain),
        Label::Intent(_) | Label::Fact(_) | Label::Nothing => Ok(()),
    }
}

fn check_new(name: &str, answer: &str, domain: &DomainNames) -> Result<(), Problem> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let wrong = if name.is_empty() || name.len() > 60 || !name.chars().all(is_plain) {
        "the name of a fact is of a-z, 0-9 and _"
    } else if fact(domain, name).is_some() {
        "there is a fact of that name: choose it"
    } else if answer.trim().is_empty() || answer.chars().count() > MOST_CHARS {
        "write an answer of at most 1,000 characters"
    } else if answer.contains(['{', '}', '[', ']']) {
        "an answer has no { } [ ] here: these are gaps in the domain file"
    } else {
        return Ok(());
    };
    Err(Problem::Given(wrong.to_owned()))
}

fn fact<'a>(domain: &'a DomainNames, name: &str) -> Option<&'a FactNames> {
    domain.facts.iter().find(|fact| fact.name == name)
}

/// The facts that words may ask for, the likeliest first: by the words that their example questions share.
#[must_use]
pub fn likely<'a>(domain: &'a DomainNames, question: &Question) -> Vec<&'a str> {
    let asked = words(&question.words);
    let shared = |fact: &FactNames| {
        let questions = fact.ask.values().flatten();
        let best = questions.map(|one| words(one).intersection(&asked).count());
        let is_topic = fact.name == question.topic;
        (is_topic, best.max().unwrap_or_default())
    };
    let mut ranked: Vec<_> = domain
        .facts
        .iter()
        .map(|fact| (shared(fact), fact))
        .collect();
    ranked.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
    ranked
        .into_iter()
        .map(|(_, fact)| fact.name.as_str())
        .collect()
}

/// The words of a text that are not among the shortest.
fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| word.chars().count() > 3);
    words.map(str::to_lowercase).collect()
}

fn examples(labels: &[Question]) -> String {
    let mut lines = String::new();
    let mut known = BTreeSet::new();
    for one in labels {
        if let Some(Label::Intent(intent)) = &one.label
            && known.insert((&one.words, intent))
        {
            let line = json!({"text": one_line(&one.words), "intent": intent});
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
    }
    lines
}

/// A table for each fact. One that the domain has gets another table: its questions count together, and the first
/// of its answers is said.
fn facts(labels: &[Question], domain: &DomainNames) -> String {
    let mut tables: BTreeMap<&str, (&str, BTreeMap<&str, Vec<&str>>)> = BTreeMap::new();
    let mut taken: BTreeMap<String, &String> = BTreeMap::new();
    let usual = domain.languages.first().map_or("nl", String::as_str);
    for one in labels {
        let (name, answer) = match &one.label {
            Some(Label::Fact(name)) => (name, ""),
            Some(Label::NewFact(name, answer)) => (name, answer.as_str()),
            _ => continue,
        };
        // Two facts of one question are a mistake in a domain: the first label holds.
        let question = one_line(&one.words).to_lowercase();
        if *taken.entry(question).or_insert(name) != name {
            continue;
        }
        let language = one.language.as_deref().unwrap_or(usual);
        let is_served = domain.languages.iter().any(|served| served == language);
        let table = tables.entry(name).or_default();
        if table.0.is_empty() {
            table.0 = answer;
        }
        let asked = table.1.entry(if is_served { language } else { usual });
        asked.or_default().push(&one.words);
    }
    let mut text = String::new();
    for (name, (answer, asked)) in tables {
        // Writing into a text cannot fail.
        let _infallible = write!(text, "{}", table(name, answer, &asked, domain));
    }
    text
}

fn table(
    name: &str,
    answer: &str,
    asked: &BTreeMap<&str, Vec<&str>>,
    domain: &DomainNames,
) -> String {
    let known = fact(domain, name);
    let mut lines = format!("[[facts]]\nname = {}\n", quoted(name));
    for language in &domain.languages {
        let of_known = known.and_then(|fact| fact.ask.get(language)?.first());
        let of_others = asked.values().next();
        // Each language needs one.
        let (questions, mark) = match (asked.get(language.as_str()), of_known, of_others) {
            (Some(questions), ..) => (questions.clone(), ""),
            (None, Some(one), _) => (vec![one.as_str()], ""),
            (None, None, Some(questions)) => (questions.clone(), " # translate"),
            (None, None, None) => continue,
        };
        let mut unique: Vec<String> = Vec::new();
        for question in questions.iter().map(|one| quoted(&one_line(one))) {
            if !unique.contains(&question) {
                unique.push(question);
            }
        }
        lines.push_str(&format!("ask.{language} = [{}]{mark}\n", unique.join(", ")));
    }
    match known {
        Some(fact) => lines.push_str(&fact.rest),
        None => {
            let own: Vec<&str> = asked.keys().copied().collect();
            for language in &domain.languages {
                let mark = if own.contains(&language.as_str()) {
                    ""
                } else {
                    " # translate"
                };
                lines.push_str(&format!(
                    "answer.{language} = {}{mark}\n",
                    quoted(answer.trim())
                ));
            }
        }
    }
    lines.push('\n');
    lines
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text between quotation marks: JSON's are TOML's.
fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '\u{7f}').collect();
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(words: &str, language: &str, label: Label) -> Question {
        Question {
            id: "q_1".into(),
            words: words.into(),
            topic: "other".into(),
            asked_at: String::new(),
            conversation: None,
            language: Some(language.into()),
            confidence: None,
            label: Some(label),
        }
    }

    fn domain() -> DomainNames {
        let fact = |name: &str, nl: &str, en: &str| FactNames {
            name: name.into(),
            ask: [("nl", nl), ("en", en)]
                .map(|(language, ask)| (language.to_owned(), vec![ask.to_owned()]))
                .into(),
            rest: "answer.nl = \"Ja.\"\nanswer.en = \"Yes.\"\n".into(),
        };
        DomainNames {
            languages: vec!["nl".into(), "en".into()],
            threshold: 0.6,
            intents: vec!["car_inquiry".into()],
            facts: vec![
                fact("parking", "kan ik er parkeren", "can I park there"),
                fact("coffee", "is er koffie", "is there coffee"),
            ],
        }
    }

    #[test]
    fn labels_become_lines_and_tables_that_can_be_pasted() {
        let labels = [
            labelled(
                "ik zoek \"iets\"\nmoois",
                "nl",
                Label::Intent("car_inquiry".into()),
            ),
            labelled("waar zet ik mijn auto", "nl", Label::Fact("parking".into())),
            labelled(
                "mag de hond mee",
                "nl",
                Label::NewFact("dogs".into(), "Graag!".into()),
            ),
            labelled("Waar zet ik mijn  auto", "nl", Label::Fact("coffee".into())),
            labelled(
                "en de kat",
                "de",
                Label::NewFact("dogs".into(), String::new()),
            ),
            labelled("tja", "nl", Label::Nothing),
        ];
        let line = r#"{"intent":"car_inquiry","text":"ik zoek \"iets\" moois"}"#;
        let said: Value = serde_json::from_str(examples(&labels).trim()).unwrap();
        assert_eq!(said, serde_json::from_str::<Value>(line).unwrap());
        let text = facts(&labels, &domain());
        let read: toml::Table = toml::from_str(&text).unwrap();
        let tables = read["facts"].as_array().unwrap();
        assert_eq!(tables.len(), 2, "{text}");
        assert_eq!(tables[0]["name"].as_str(), Some("dogs"));
        assert_eq!(tables[0]["ask"]["nl"].as_array().unwrap().len(), 2);
        assert_eq!(tables[0]["answer"]["en"].as_str(), Some("Graag!"));
        assert!(text.contains("# translate"), "{text}");
        assert_eq!(tables[1]["ask"]["en"][0].as_str(), Some("can I park there"));
        assert_eq!(tables[1]["answer"]["nl"].as_str(), Some("Ja."));
    }

    #[test]
    fn the_likeliest_fact_comes_first() {
        let asked = labelled("Kan ik ergens parkeren?", "nl", Label::Nothing);
        assert_eq!(likely(&domain(), &asked)[0], "parking");
        let topic = Question {
            topic: "coffee".into(),
            ..asked
        };
        assert_eq!(likely(&domain(), &topic)[0], "coffee");
    }

    #[test]
    fn what_the_domain_cannot_have_is_refused() {
        let refused = |label: Label| check(&label, &domain()).unwrap_err().to_string();
        assert!(refused(Label::Intent("none".into())).contains("no such intent"));
        assert!(refused(Label::Fact("none".into())).contains("no such fact"));
        for (name, answer, why) in [
            ("Honden!", "Ja", "a-z"),
            ("coffee", "Ja", "choose it"),
            ("dogs", " ", "write an answer"),
            ("dogs", "Ja {hours}", "gaps"),
        ] {
            let said = refused(Label::NewFact(name.into(), answer.into()));
            assert!(said.contains(why), "{said}");
        }
        assert!(check(&Label::NewFact("dogs".into(), "Ja".into()), &domain()).is_ok());
    }
}
