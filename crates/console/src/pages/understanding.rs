//! What the bot guessed or could not answer: colleagues say what it means, with one key, and take the labels to
//! the domain file.

use actix_web::web::{self, Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use crm::{DomainNames, Label, Question, Unclear};
use serde::Deserialize;

use super::encoded;
use super::frame::{Frame, on_to, own_path, shown};
use super::problem::told;
use crate::access::Who;
use crate::clock::When;
use crate::desk::{Problem, likely};
use crate::service::State;

/// What labels are pressed with, in this order: the others move.
const KEYS: &str = "123456789asdfghlzxcvbnm";
/// Facts that have a key.
const LIKELY: usize = 6;

#[derive(Template)]
#[template(path = "understanding.html")]
struct Page {
    f: Frame,
    /// What can be looked at: address, words, whether it is.
    tabs: Vec<(String, &'static str, bool)>,
    is_labelled: bool,
    /// The address of the other ones: labelled, or not.
    other: String,
    is_questions: bool,
    /// Whether a worker told what the domain has.
    has_domain: bool,
    /// All facts, for the list.
    facts: Vec<(String, String)>,
    rows: Vec<Row>,
    more: Option<String>,
}

struct Row {
    id: String,
    words: String,
    /// The guess, and how sure it was.
    guess: String,
    sure: String,
    at: Option<When>,
    conversation: Option<String>,
    /// What somebody said that it means.
    label: Option<String>,
    choices: Vec<Choice>,
}

/// A label with a key.
struct Choice {
    key: String,
    value: String,
    words: String,
    is_guess: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    of: String,
    #[serde(default)]
    show: String,
    #[serde(default)]
    before: String,
}

#[derive(Debug, Deserialize)]
struct Labelled {
    /// `intent:…`, `fact:…`, `new`, `nothing`, or empty to take it back.
    label: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    back: String,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/understanding", web::get().to(page))
        .route("/understanding/examples.jsonl", web::get().to(examples))
        .route("/understanding/facts.toml", web::get().to(facts))
        .route("/understanding/{id}/label", web::post().to(label));
}

impl Asked {
    fn kind(&self) -> Unclear {
        let named = |kind: &Unclear| kind.as_str() == self.of;
        Unclear::ALL
            .into_iter()
            .find(named)
            .unwrap_or(Unclear::Intent)
    }

    fn is_labelled(&self) -> bool {
        self.show == "labelled"
    }
}

fn address(kind: Unclear, is_labelled: bool) -> String {
    let show = if is_labelled { "&show=labelled" } else { "" };
    format!("/understanding?of={}{show}", kind.as_str())
}

async fn page(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    asked: Query<Asked>,
) -> HttpResponse {
    let (kind, is_labelled) = (asked.kind(), asked.is_labelled());
    let before = asked.before.parse().ok();
    let found = state.desk.unclear(kind, is_labelled, before).await;
    let (found, domain) = match (found, state.desk.domain().await) {
        (Ok(found), Ok(domain)) => (found, domain),
        (Err(problem), _) | (_, Err(problem)) => {
            return told(&request, &state, &who, &problem, "/").await;
        }
    };
    let (questions, next) = found;
    let f = Frame::new(&request, &state, &who, "understanding").await;
    let tab = |of: Unclear| {
        let words = match of {
            Unclear::Intent => f.t("Guesses", "Gegokt"),
            Unclear::Question => f.t("Questions", "Vragen"),
            Unclear::OptOut => f.t("Opt-outs in doubt", "Afmeldingen in twijfel"),
        };
        (address(of, is_labelled), words, of == kind)
    };
    let rows = questions.iter().map(|one| row(&f, kind, one, &domain));
    let mut facts: Vec<(String, String)> = domain
        .facts
        .iter()
        .map(|fact| (fact.name.clone(), f.named(&fact.name)))
        .collect();
    facts.sort_by(|a, b| a.1.cmp(&b.1));
    shown(&Page {
        tabs: Unclear::ALL.map(tab).into(),
        is_labelled,
        other: address(kind, !is_labelled),
        is_questions: kind == Unclear::Question,
        has_domain: !domain.intents.is_empty(),
        rows: rows.collect(),
        facts,
        more: next.map(|next| {
            let before = encoded(&next.to_string());
            format!("{}&before={before}", address(kind, is_labelled))
        }),
        f,
    })
}

fn row(f: &Frame, kind: Unclear, question: &Question, domain: &DomainNames) -> Row {
    let label = question.label.as_ref().map(|label| match label {
        Label::Nothing => f
            .t("nothing for the domain", "niets voor het domein")
            .to_owned(),
        Label::NewFact(name, answer) => format!("{}: {answer}", f.named(name)),
        Label::Intent(name) | Label::Fact(name) => f.named(name),
    });
    let sure = question
        .confidence
        .map(|sure| format!("{:.0} %", sure * 100.0));
    Row {
        id: question.id.clone(),
        words: question.words.clone(),
        guess: f.named(&question.topic),
        sure: sure.unwrap_or_default(),
        at: f.when(&question.asked_at),
        conversation: question
            .conversation
            .as_deref()
            .map(|id| f.conversation(id)),
        choices: match label {
            Some(_) => Vec::new(),
            None => choices(f, kind, question, domain),
        },
        label,
    }
}

/// What one key says: intents, or for a question the likeliest facts.
fn choices(f: &Frame, kind: Unclear, question: &Question, domain: &DomainNames) -> Vec<Choice> {
    let (prefix, names): (_, Vec<&str>) = match kind {
        Unclear::Question => {
            let likely = likely(domain, question).into_iter();
            ("fact", likely.take(LIKELY).collect())
        }
        Unclear::Intent | Unclear::OptOut => (
            "intent",
            domain.intents.iter().map(String::as_str).collect(),
        ),
    };
    let keys = KEYS.chars().map(String::from).map(Some);
    let keys = keys.chain(std::iter::repeat(None));
    let named = names.into_iter().zip(keys).map(|(name, key)| Choice {
        key: key.unwrap_or_default(),
        value: format!("{prefix}:{name}"),
        words: f.named(name),
        is_guess: name == question.topic,
    });
    let nothing = Choice {
        key: "0".to_owned(),
        value: "nothing".to_owned(),
        words: f.t("none", "geen").to_owned(),
        is_guess: false,
    };
    named.chain([nothing]).collect()
}

/// What a form says.
pub(crate) fn read(label: &str, name: &str, answer: &str) -> Result<Option<Label>, Problem> {
    Ok(Some(match label.split_once(':') {
        Some(("intent", name)) => Label::Intent(name.to_owned()),
        Some(("fact", name)) => Label::Fact(name.to_owned()),
        None if label == "new" => Label::NewFact(name.trim().to_owned(), answer.trim().to_owned()),
        None if label == "nothing" => Label::Nothing,
        None if label.is_empty() => return Ok(None),
        _ => {
            let known = "`label` is intent:NAME, fact:NAME, new, nothing, or empty";
            return Err(Problem::Given(known.to_owned()));
        }
    }))
}

async fn label(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    id: Path<String>,
    form: Form<Labelled>,
) -> HttpResponse {
    let back = match form.back.as_str() {
        "" => "/understanding",
        back => own_path(back),
    };
    let labelled = match read(&form.label, &form.name, &form.answer) {
        Ok(label) => state.desk.label(&who, &id, label.as_ref()).await,
        Err(problem) => Err(problem),
    };
    match labelled {
        Ok(()) => {
            state.metrics.act("label", who.via);
            on_to(back, "")
        }
        Err(problem) => told(&request, &state, &who, &problem, back).await,
    }
}

async fn examples(request: HttpRequest, state: Data<State>, who: Who) -> HttpResponse {
    let text = state.desk.examples().await;
    download(&request, &state, &who, ("examples.jsonl", text)).await
}

async fn facts(request: HttpRequest, state: Data<State>, who: Who) -> HttpResponse {
    let text = state.desk.facts().await;
    download(&request, &state, &who, ("facts.toml", text)).await
}

/// Customers' words leave here: not without a trace.
async fn download(
    request: &HttpRequest,
    state: &State,
    who: &Who,
    (name, text): (&'static str, Result<String, Problem>),
) -> HttpResponse {
    let noted = state.desk.note(who, "export", Some(name), None, None);
    match (text, noted.await) {
        (Ok(text), Ok(())) => HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .insert_header((
                "content-disposition",
                format!("attachment; filename=\"{name}\""),
            ))
            .body(text),
        (Err(problem), _) | (_, Err(problem)) => {
            told(request, state, who, &problem, "/understanding").await
        }
    }
}
