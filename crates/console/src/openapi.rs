//! The description of the API. What rows and statuses are is read from what the code makes them of.

use actix_web::{HttpResponse, web};
use crm::{Matter, Unclear};
use serde_json::{Map, Value, json};

/// Texts that a row always has; the others may be null.
const ALWAYS: [&str; 5] = ["id", "status", "created_at", "conversation", "updated_at"];

/// Names in the paths, and what is listed there.
const MATTERS: [(&str, &str, Matter); 3] = [
    ("handovers", "Handover", Matter::Handover),
    ("leads", "Lead", Matter::Lead),
    ("appointments", "Appointment", Matter::Appointment),
];

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route("/api/v1/openapi.json", web::get().to(page));
}

async fn page() -> HttpResponse {
    HttpResponse::Ok().json(document())
}

/// The document, OpenAPI 3.1.
#[must_use]
pub fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Postduif console",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What operators do, for programs. An act is an event in the conversation's order: it is \
                            answered with 202, and the worker carries it out a moment later.",
        },
        "security": [{"token": []}],
        "paths": paths(),
        "components": {
            "securitySchemes": {"token": {
                "type": "http", "scheme": "bearer", "description": "A token of `console tokens add`.",
            }},
            "schemas": schemas(),
        },
    })
}

fn paths() -> Value {
    let mut paths = Map::new();
    let mut add = |path: &str, operations: Value| {
        paths.insert(format!("/api/v1/{path}"), operations);
    };
    add(
        "waiting",
        json!({"get": operation("Who waits for a colleague, or has one", answer("Waiting"), &[])}),
    );
    let templates = operation(
        "Templates of WhatsApp that may be sent",
        answer("Templates"),
        &[],
    );
    add("templates", json!({"get": templates}));
    let mut questions = operation("What was guessed or not answered", answer("Questions"), &[]);
    questions["parameters"] = json!([
        query(
            "kind",
            "What it is about: `question` when left out",
            kinds()
        ),
        query(
            "labelled",
            "`true`: those that have a label",
            json!({"type": "boolean"})
        ),
        query("before", "The `next` of the page before", text()),
    ]);
    add("questions", json!({"get": questions}));
    let label = operation("Labels it, or takes the label back", accepted(), &["404"]);
    let id = [at("id", "As the list has it.")];
    add(
        "questions/{id}/label",
        json!({"post": with_body(label, "Label"), "parameters": id}),
    );
    for (name, schema, matter) in MATTERS {
        let list = format!("{schema}s, the newest first, 50 at once");
        let mut list = operation(&list, answer(&format!("{schema}s")), &["404"]);
        list["parameters"] = asked(matter);
        add(name, json!({"get": list}));
        let id = [at("id", "As a list has it.")];
        let one = operation("One, with its changes", answer(schema), &["404"]);
        let change = operation("Changes how far it is", accepted(), &["404", "409"]);
        let one = json!({"get": one, "post": with_body(change, &format!("{schema}Change")), "parameters": id});
        add(&format!("{name}/{{id}}"), one);
    }
    let id = [at(
        "id",
        "A conversation: `whatsapp:+31612345678`, its `:` and `+` encoded.",
    )];
    let one = operation(
        "What was said, who has it, who it is",
        answer("Conversation"),
        &["404"],
    );
    add("conversations/{id}", json!({"get": one, "parameters": id}));
    let words =
        "Sends the customer a message as a colleague; the conversation is the colleague's then";
    let message = operation(words, accepted(), &["404", "422"]);
    let message = with_body(message, "Message");
    add(
        "conversations/{id}/messages",
        json!({"post": message, "parameters": id}),
    );
    for (name, words) in [
        ("take", "The bot is silent from now on"),
        ("give-back", "The bot answers again"),
    ] {
        let act = operation(words, accepted(), &["404", "409"]);
        add(
            &format!("conversations/{{id}}/{name}"),
            json!({"post": act, "parameters": id}),
        );
    }
    let this = operation("This document", (200, json!({"type": "object"})), &[]);
    add("openapi.json", json!({"get": this}));
    Value::Object(paths)
}

/// What is answered when all is well: the status and a schema.
type Answer = (u16, Value);

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn answer(schema: &str) -> Answer {
    (200, reference(schema))
}

fn accepted() -> Answer {
    (202, reference("Accepted"))
}

fn operation(words: &str, (status, schema): Answer, more: &[&str]) -> Value {
    let content = |schema: Value| json!({"application/json": {"schema": schema}});
    let mut responses = Map::new();
    let good = json!({"description": "It is as asked.", "content": content(schema)});
    responses.insert(status.to_string(), good);
    for code in ["400", "401", "403", "503"].iter().chain(more) {
        let why = match *code {
            "400" => "It cannot be read.",
            "401" => "The token is not valid.",
            "403" => "It comes from another site's page.",
            "404" => "There is none, or no such status or place.",
            "409" => "Somebody was first.",
            "422" => "The customer cannot be written to.",
            _ => "Redis or the CRM does not answer.",
        };
        let told = json!({"description": why, "content": content(reference("Error"))});
        responses.insert((*code).to_owned(), told);
    }
    json!({"summary": words, "responses": responses})
}

fn with_body(mut operation: Value, schema: &str) -> Value {
    let content = json!({"application/json": {"schema": reference(schema)}});
    operation["requestBody"] = json!({"required": true, "content": content});
    operation
}

fn at(name: &str, words: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": words, "schema": {"type": "string"}})
}

/// What a list may be asked for.
fn asked(matter: Matter) -> Value {
    let mut named = vec!["open", "all"];
    named.extend(statuses(matter));
    let names = [
        ("status", "`open` when left out", json!({"enum": named})),
        ("owner", "Whose", json!({})),
        (
            "intent",
            "What is wanted: the reason of a hand-over, the purpose of an appointment",
            json!({}),
        ),
        (
            "search",
            "A part of the name, or a number in any spelling",
            json!({}),
        ),
        ("before", "The `next` of the page before", json!({})),
    ];
    let parameter = |(name, words, mut schema): (&str, &str, Value)| {
        schema["type"] = "string".into();
        query(name, words, schema)
    };
    names.into_iter().map(parameter).collect()
}

fn query(name: &str, words: &str, schema: Value) -> Value {
    let mut parameter = json!({"name": name, "in": "query", "description": words});
    parameter["schema"] = schema;
    parameter
}

fn kinds() -> Value {
    json!({"type": "string", "enum": Unclear::ALL.map(Unclear::as_str)})
}

fn statuses(matter: Matter) -> Vec<&'static str> {
    matter
        .statuses()
        .iter()
        .map(|status| status.as_str())
        .collect()
}

fn text() -> Value {
    json!({"type": "string"})
}

fn maybe() -> Value {
    json!({"type": ["string", "null"]})
}

fn list_of(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

/// An object with all of these.
fn object(properties: Value) -> Value {
    let names: Vec<String> = properties
        .as_object()
        .map(|all| all.keys().cloned().collect())
        .unwrap_or_default();
    let mut object = json!({"type": "object", "required": names});
    object["properties"] = properties;
    object
}

/// A row of a list. `changes` are there when one is asked for by its id.
fn row(matter: Matter) -> Value {
    let mut properties = Map::new();
    for (name, _) in matter.columns() {
        let schema = if ALWAYS.contains(name) {
            text()
        } else {
            maybe()
        };
        properties.insert((*name).to_owned(), schema);
    }
    properties.insert(
        "status".to_owned(),
        json!({"type": "string", "enum": statuses(matter)}),
    );
    if matter == Matter::Lead {
        let fields = json!({"type": "object", "additionalProperties": text()});
        properties.insert("fields".to_owned(), fields);
    }
    let mut row = object(Value::Object(properties));
    row["properties"]["changes"] = list_of(&object(json!({
        "at": text(), "by": text(), "from": maybe(), "to": text(), "note": maybe(),
    })));
    row
}

fn schemas() -> Value {
    let mut schemas = Map::new();
    for (_, name, matter) in MATTERS {
        schemas.insert(name.to_owned(), row(matter));
        let page = object(json!({"rows": list_of(&reference(name)), "next": maybe()}));
        schemas.insert(format!("{name}s"), page);
        let status = json!({"type": "string", "enum": statuses(matter)});
        let change = json!({"status": status, "note": maybe()});
        let change = json!({
            "type": "object", "required": ["status"], "properties": change, "additionalProperties": false,
        });
        schemas.insert(format!("{name}Change"), change);
    }
    let told = object(json!({"channel": text(), "status": text(), "sent_at": maybe()}));
    let mut waiting = row(Matter::Handover);
    waiting["properties"]["told"] = list_of(&told);
    let more = [
        ("Waiting", object(json!({"waiting": list_of(&waiting)}))),
        ("Conversation", conversation()),
        ("Templates", templates()),
        ("Questions", questions()),
        (
            "Label",
            json!({
                "type": "object", "required": ["label"], "additionalProperties": false,
                "properties": {
                    "label": {
                        "type": "string",
                        "description": "`intent:NAME`, `fact:NAME`, `new` for a fact that the domain lacks, \
                                        `nothing`, or empty: no label.",
                    },
                    "name": {"type": "string", "description": "Of the new fact."},
                    "answer": {"type": "string", "description": "Of the new fact."},
                },
            }),
        ),
        (
            "Message",
            json!({
                "type": "object", "additionalProperties": false,
                "description": "A `text`, or a `template` with its `language` and `variables`.",
                "properties": {
                    "text": maybe(),
                    "template": {"type": ["string", "null"], "description": "Its name or SID."},
                    "language": maybe(),
                    "variables": {"type": "object", "additionalProperties": text()},
                    "token": {
                        "type": ["string", "null"], "format": "uuid",
                        "description": "The same text with the same token is sent once within 24 hours.",
                    },
                },
            }),
        ),
        ("Accepted", object(json!({"accepted": {"const": true}}))),
        ("Error", object(json!({"error": text()}))),
    ];
    schemas.extend(more.map(|(name, schema)| (name.to_owned(), schema)));
    Value::Object(schemas)
}

fn templates() -> Value {
    let variable = object(json!({"name": text(), "what": text()}));
    let template = object(json!({
        "name": text(), "language": maybe(), "sid": text(), "text": maybe(), "variables": list_of(&variable),
    }));
    object(json!({"templates": list_of(&template)}))
}

fn questions() -> Value {
    let label = json!({
        "type": ["object", "null"],
        "properties": {"intent": text(), "fact": text(), "new_fact": text(), "answer": text()},
    });
    let question = object(json!({
        "id": text(), "words": text(), "topic": text(), "asked_at": text(), "conversation": maybe(),
        "language": maybe(), "confidence": {"type": ["number", "null"]}, "label": label,
    }));
    object(json!({"rows": list_of(&question), "next": maybe()}))
}

/// What happened to a customer's message. What is in `turn` is the worker's, and may grow.
fn xray() -> Value {
    let hop = object(json!({
        "what": text(), "place": maybe(), "at": text(), "took_us": {"type": ["integer", "null"]},
    }));
    let held = object(json!({"reason": text(), "error": text()}));
    object(json!({
        "hops": list_of(&hop), "turn": {}, "held": {"oneOf": [held, {"type": "null"}]},
    }))
}

fn conversation() -> Value {
    let change = object(json!({"subject": text(), "from": text(), "to": text(), "by": text()}));
    let line = object(json!({
        "by": text(), "text": text(), "at": text(), "status": maybe(), "error": maybe(),
        "change": {"oneOf": [change, {"type": "null"}]},
        "xray": {"oneOf": [xray(), {"type": "null"}]},
    }));
    let contact = object(json!({
        "id": text(), "name": maybe(), "language": maybe(), "addresses": list_of(&text()),
    }));
    object(json!({
        "id": text(),
        "contact": {"oneOf": [contact, {"type": "null"}]},
        "lines": list_of(&line),
        "human_until": maybe(),
        "opted_out_at": maybe(),
        "writable": {"type": "boolean"},
        "window_until": maybe(),
        "handover": {"oneOf": [reference("Handover"), {"type": "null"}]},
        "leads": list_of(&reference("Lead")),
        "appointments": list_of(&reference("Appointment")),
    }))
}
