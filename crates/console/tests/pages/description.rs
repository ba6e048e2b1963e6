//! The description of the API says what is served, and all of it.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crm::Unclear;

use crate::support::Rig;

/// Method and path of every operation that is described.
fn operations(document: &Value) -> Vec<(Method, String)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().keys();
        let methods = methods.filter(|method| *method != "parameters");
        let method = |name: &String| name.to_uppercase().parse().unwrap();
        methods
            .map(|name| (method(name), path.clone()))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_file_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let said = format!("{:#}\n", console::document());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, said).unwrap();
        return;
    }
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(file == said, "run this test with UPDATE_OPENAPI=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_that_is_described_is_served() {
    let rig = Rig::start().await;
    let token = rig.token();
    let served = rig.api(&token, Method::GET, "/api/v1/openapi.json", Value::Null);
    let (status, document) = served.await;
    assert_eq!((status, &document), (StatusCode::OK, &console::document()));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for (method, path) in operations(&document) {
        let target = path.replace("{id}", "whatsapp%3A%2B31612345678");
        let (status, said) = rig.api(&token, method.clone(), &target, json!({})).await;
        let is_none = said["error"] == "there is no such page (any more)";
        assert!(
            !is_none && status != 405,
            "{method} {path}: {status} {said}"
        );
        let operation = &document["paths"][&path][method.as_str().to_lowercase()];
        let responses = &operation["responses"];
        assert!(
            responses[status.as_str()].is_object(),
            "{method} {path} answers {status}: {said}"
        );
        assert!(!text(&operation["summary"]).is_empty());
    }
}

#[test]
fn every_path_that_is_served_is_described() {
    let source = include_str!("../../src/api.rs");
    let document = console::document();
    let literals = source.split('"').skip(1).step_by(2);
    let paths: Vec<_> = literals
        .filter(|text| text.starts_with("/api/v1/"))
        .collect();
    assert!(paths.len() > 5, "{paths:?}");
    for path in paths {
        for matter in ["handovers", "leads", "appointments"] {
            let path = path.replace("{path}", matter).replace("{{id}}", "{id}");
            assert!(
                document["paths"][&path].is_object(),
                "{path} is not described"
            );
        }
    }
}

/// The fields of a type that requests are read as.
fn fields(name: &str) -> BTreeSet<String> {
    let source = include_str!("../../src/api.rs");
    let (_, body) = source.split_once(&format!("struct {name} {{\n")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let lines = body.lines().filter_map(|line| line.trim().split_once(": "));
    let names = lines.map(|(name, _)| name.to_owned());
    names.filter(|name| !name.starts_with("///")).collect()
}

#[test]
fn what_may_be_asked_is_described() {
    let document = console::document();
    let properties = |schema: &str| -> BTreeSet<String> {
        let properties = &document["components"]["schemas"][schema]["properties"];
        properties.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(properties("LeadChange"), fields("Change"));
    assert_eq!(properties("Message"), fields("Message"));
    assert_eq!(properties("Label"), fields("Labelled"));
    let asked = document["paths"]["/api/v1/leads"]["get"]["parameters"].as_array();
    let asked = asked.unwrap().iter();
    let asked: BTreeSet<_> = asked
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(asked, fields("Asked"));
}

/// Whether an answer has what its schema requires, and nothing that it does not know.
fn fits(document: &Value, schema: &Value, found: &Value, place: &str) {
    if schema.as_object().is_some_and(serde_json::Map::is_empty) {
        return;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return fits(
            document,
            &document["components"]["schemas"][name],
            found,
            place,
        );
    }
    if let Some(either) = schema["oneOf"].as_array() {
        if !found.is_null() {
            fits(document, &either[0], found, place);
        }
        return;
    }
    match found {
        Value::Object(object) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().unwrap();
                assert!(object.contains_key(name), "{place} has no {name}");
            }
            for (name, value) in object {
                let known = &schema["properties"][name];
                let known = if known.is_null() {
                    &schema["additionalProperties"]
                } else {
                    known
                };
                assert!(known.is_object(), "{place}: {name} is not described");
                fits(document, known, value, &format!("{place}.{name}"));
            }
        }
        Value::Array(items) => {
            for item in items {
                fits(document, &schema["items"], item, &format!("{place}[]"));
            }
        }
        other => {
            let kind = match other {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(number) if number.is_f64() => "number",
                Value::Number(_) => "integer",
                _ => "string",
            };
            let kinds = schema["type"].to_string();
            assert!(
                kinds.contains(kind) || !schema["const"].is_null(),
                "{place} is {other}, not {kinds}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_what_is_described() {
    let rig = Rig::start().await;
    let id = rig.asks("Sanne", "+31612345678", "een mens graag").await;
    rig.wants("Sanne", "+31612345678", "car_inquiry").await;
    rig.unsure(Unclear::Question, "other", "Mag de hond mee?")
        .await;
    let token = rig.token();
    let document = console::document();
    let handover = format!("/api/v1/handovers/{id}");
    for (path, described) in [
        ("/api/v1/waiting", "/api/v1/waiting"),
        ("/api/v1/handovers", "/api/v1/handovers"),
        (&handover, "/api/v1/handovers/{id}"),
        ("/api/v1/leads", "/api/v1/leads"),
        ("/api/v1/questions", "/api/v1/questions"),
        ("/api/v1/templates", "/api/v1/templates"),
        ("/api/v1/appointments", "/api/v1/appointments"),
        (
            "/api/v1/conversations/whatsapp%3A%2B31612345678",
            "/api/v1/conversations/{id}",
        ),
    ] {
        let (status, found) = rig.api(&token, Method::GET, path, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {found}");
        let answer = &document["paths"][described]["get"]["responses"]["200"];
        let schema = &answer["content"]["application/json"]["schema"];
        fits(&document, schema, &found, path);
    }
    let change = json!({"status": "taken"});
    let (_, accepted) = rig.api(&token, Method::POST, &handover, change).await;
    fits(
        &document,
        &document["components"]["schemas"]["Accepted"],
        &accepted,
        "202",
    );
}
