//! The OpenAPI document says what is served, and all of it.

use serde_json::Value;

use crate::http::Request;
use crate::signing::CHATWOOT_PATH_TOKEN;
use crate::support::Rig;

fn document(rig: &Rig) -> Value {
    let answer = Request::get("/openapi.json").send(rig.port());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// Method and path of every operation that is described.
fn operations(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().keys();
        let pairs: Vec<_> = methods
            .map(|method| (method.clone(), path.clone()))
            .collect();
        pairs
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn every_operation_that_is_described_is_served() {
    let rig = Rig::start(&[]);
    let document = document(&rig);
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let served = operations(&document);
    assert_eq!(served.len(), 11, "{served:?}");
    for (method, path) in served {
        let target = path.replace("{token}", CHATWOOT_PATH_TOKEN);
        let method = if method == "post" { "POST" } else { "GET" };
        let answer = Request::new(method, &target).send(rig.port());
        assert!(
            ![404, 405].contains(&answer.status),
            "{method} {path}: {answer:?}"
        );
        let responses = &document["paths"][&path][method.to_lowercase()]["responses"];
        let status = answer.status.to_string();
        assert!(
            responses[&status].is_object(),
            "{method} {path} answers {status}, which is not described"
        );
    }
}

/// The routes as the code has them, found by asking for everything that could be one.
#[test]
fn every_path_that_is_served_is_described() {
    let source = [
        include_str!("../../src/server.rs"),
        include_str!("../../../runtime/src/health.rs"),
    ]
    .concat();
    let rig = Rig::start(&[]);
    let described: Vec<_> = operations(&document(&rig))
        .into_iter()
        .map(|(_, path)| path)
        .collect();
    let literals = source.split('"').skip(1).step_by(2);
    let paths: Vec<_> = literals
        .filter(|text| text.starts_with('/') && !text.contains(char::is_whitespace))
        .collect();
    assert!(paths.len() >= described.len(), "{paths:?}");
    for path in paths {
        assert!(
            described.iter().any(|found| found == path),
            "{path} is not described"
        );
    }
}

#[test]
fn every_answer_that_webhooks_give_is_described() {
    let rig = Rig::start(&[]);
    let document = document(&rig);
    let unavailable = |path: &str| {
        if path.contains("chatwoot") {
            "500"
        } else {
            "503"
        }
    };
    // Who logs in is told so; who signs is not.
    let not_genuine = |path: &str| if path.contains("hexon") { "401" } else { "403" };
    for (method, path) in operations(&document) {
        if method != "post" {
            continue;
        }
        let operation = &document["paths"][&path]["post"];
        let success = if path.ends_with("status") || path.ends_with("events") {
            "204"
        } else {
            "200"
        };
        let always = [
            success,
            "400",
            not_genuine(&path),
            "408",
            "413",
            "429",
            "431",
            unavailable(&path),
        ];
        for status in always {
            assert!(
                operation["responses"][status].is_object(),
                "{path} lacks {status}"
            );
        }
        let is_twilio = path.contains("twilio");
        assert_eq!(
            operation["responses"]["415"].is_object(),
            is_twilio,
            "{path}"
        );
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.starts_with(['4', '5']) {
                // Who pushes vehicles reads `1` or `0`.
                if path.contains("hexon") {
                    assert!(
                        response["content"]["text/plain"].is_object(),
                        "{path} {status}"
                    );
                    continue;
                }
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/ErrorBody", "{path} {status}");
            }
        }
    }
}
