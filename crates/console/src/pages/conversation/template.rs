//! A template instead of free text, when WhatsApp takes none.

use std::collections::BTreeMap;

use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::super::encoded;
use super::super::frame::on_to;
use super::super::problem::told;
use super::id_of;
use crate::access::Who;
use crate::desk::{MessageTemplate, Problem, Words};
use crate::service::State;
use crate::templates::Part;

/// How the fields of variables begin.
const VALUE: &str = "value-";

/// A template that may be sent.
pub(super) struct Offered {
    pub(super) name: String,
    pub(super) language: String,
    pub(super) sid: String,
    /// What the customer reads: words, or a variable. Empty when that is not known.
    pub(super) parts: Vec<(bool, String)>,
    /// The field of each variable, and what is filled in.
    pub(super) fields: Vec<(String, String)>,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/conversations/{id}/template", web::post().to(send));
}

/// What is offered, in the customer's language first.
pub(super) fn offered(templates: &[MessageTemplate], language: Option<&str>) -> Vec<Offered> {
    let mut sorted: Vec<&MessageTemplate> = templates.iter().collect();
    sorted.sort_by_key(|one| Some(one.language.as_str()) != language);
    sorted.into_iter().map(shown).collect()
}

fn shown(template: &MessageTemplate) -> Offered {
    let variables = template.variables();
    let called = |name: &str| match variables.iter().find(|(known, _)| *known == name) {
        Some((_, what)) if !what.is_empty() => (*what).to_owned(),
        _ => name.to_owned(),
    };
    let parts = template.parts().into_iter().map(|part| match part {
        Part::Words(words) => (false, words.to_owned()),
        Part::Variable(name) => (true, called(name)),
    });
    let fields = variables.iter();
    Offered {
        name: template.name.replace('_', " "),
        language: template.language.clone(),
        sid: template.sid.clone(),
        parts: parts.collect(),
        fields: fields
            .map(|(name, _)| (format!("{VALUE}{name}"), called(name)))
            .collect(),
    }
}

async fn send(
    request: HttpRequest,
    state: Data<State>,
    who: Who,
    id: Path<String>,
    form: Form<Vec<(String, String)>>,
) -> HttpResponse {
    let back = format!("/conversations/{}", encoded(&id));
    let field = |name: &str| {
        let found = form.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let values: BTreeMap<String, String> = form
        .iter()
        .filter_map(|(field, value)| Some((field.strip_prefix(VALUE)?.to_owned(), value.clone())))
        .collect();
    let words = Words::Template {
        name: field("template"),
        language: None,
        values: &values,
    };
    let token = field("token").parse();
    let sent = match (id_of(&id), token) {
        (Ok(id), Ok(token)) => state.desk.answer(&who, &id, words, token).await,
        (Ok(_), Err(_)) => Err(Problem::Given(
            "the form has no token: load it again".into(),
        )),
        (Err(problem), _) => Err(problem),
    };
    match sent {
        Ok(()) => {
            state.metrics.act("template", who.via);
            on_to(&back, "sent")
        }
        Err(problem) => told(&request, &state, &who, &problem, &back).await,
    }
}
