use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error;
use super::rules::{LlmReply, LlmRule, Question};
use super::schema::plainest;
use crate::answer::Answer;
use crate::auth;
use crate::faults::respond;
use crate::journal::Call;
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// `POST /v1/chat/completions`.
pub(super) async fn create(world: Data<World>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let json: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut call = Call {
        text: last_user_message(&json),
        request: json,
        ..Call::new(Provider::Llm, Endpoint::Completions)
    };
    call.business = model(&call.request).to_owned();
    if let Err(answer) = authorise(&world, &request).and_then(|()| check(&call.request)) {
        return world.refuse(call, answer.status.to_string(), answer);
    }
    let question = Question {
        text: &call.text,
        schema: schema(&call.request).and_then(|schema| schema.get("name")?.as_str()),
        file: None,
        request: Some(&call.request),
    };
    let rule = world.llm.pick(question);
    if let Some(rule) = &rule {
        tokio::time::sleep(Duration::from_millis(rule.delay_ms)).await;
    }
    if let Some(LlmRule {
        reply: LlmReply::Endless { every_ms },
        ..
    }) = rule
    {
        world.journal.note(call, None);
        return endless(&world, every_ms);
    }
    respond(&world, &request, call, |call, fault| {
        let answer = answer(&call.request, &call.text, rule);
        world.journal.note(call, fault);
        answer
    })
    .await
}

/// The answer of a rule, else the plainest one that the schema allows, else an echo.
fn answer(request: &Value, text: &str, rule: Option<LlmRule>) -> Answer {
    let reply = rule.map(|rule| rule.reply).unwrap_or_else(|| {
        let schema = schema(request).and_then(|schema| schema.get("schema"));
        match schema {
            Some(schema) => LlmReply::Json {
                value: plainest(schema),
            },
            None => LlmReply::Text {
                text: format!("Simulated answer to: {text}"),
            },
        }
    });
    match reply {
        LlmReply::Json { value } => completion(request, Some(&value.to_string()), None, "stop"),
        LlmReply::Text { text } => completion(request, Some(&text), None, "stop"),
        LlmReply::Malformed {} => completion(request, Some("{\"intent\": \"car_inq"), None, "stop"),
        LlmReply::Refusal { text } => completion(request, None, Some(&text), "stop"),
        LlmReply::Truncated { text } => completion(request, Some(&text), None, "length"),
        LlmReply::BrokenBody {} => Answer::new(200, "application/json", "{\"id\": \"chatcmpl-"),
        LlmReply::Raw {
            status,
            body,
            retry_after,
        } => {
            let answer = Answer::new(status, "application/json", body);
            match retry_after {
                Some(seconds) => answer.header("retry-after", seconds.to_string()),
                None => answer,
            }
        }
        LlmReply::Error { status, message } => error(status, message),
        // Answered before, as a stream.
        LlmReply::Endless { .. } => error(500, None),
    }
}

fn completion(
    request: &Value,
    content: Option<&str>,
    refusal: Option<&str>,
    finish_reason: &str,
) -> Answer {
    let prompt_tokens = tokens(&request["messages"].to_string());
    let completion_tokens = tokens(content.or(refusal).unwrap_or_default());
    let message = json!({
        "role": "assistant",
        "content": content,
        "refusal": refusal,
        "annotations": [],
    });
    let body = json!({
        "id": format!("chatcmpl-{}", Uuid::new_v4().simple()),
        "object": "chat.completion",
        "created": Timestamp::now().as_second(),
        "model": model(request),
        "choices": [{
            "index": 0,
            "message": message,
            "logprobs": null,
            "finish_reason": finish_reason,
        }],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
        "system_fingerprint": "fp_simulator",
    });
    Answer::json(200, &body)
}

/// About as many tokens as a real model would count: four bytes each.
fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

/// White space without end, which every JSON parser has to read on and on.
fn endless(world: &World, every_ms: u64) -> HttpResponse {
    let pause = Duration::from_millis(every_ms.max(1));
    let token = world.token();
    let bytes = stream::unfold(token, move |token| async move {
        tokio::select! {
            () = token.cancelled() => None,
            () = tokio::time::sleep(pause) => {
                let byte = Ok::<_, actix_web::Error>(Bytes::from_static(b" "));
                Some((byte, token))
            }
        }
    });
    HttpResponse::Ok()
        .content_type("application/json")
        .streaming(Box::pin(bytes))
}

pub(super) fn authorise(world: &World, request: &HttpRequest) -> Result<(), Answer> {
    let Some(key) = &world.config.llm_api_key else {
        return Ok(());
    };
    if auth::bearer(request) == Some(key.expose_secret()) {
        Ok(())
    } else {
        Err(error(401, None))
    }
}

fn check(request: &Value) -> Result<(), Answer> {
    let problem = if !request.is_object() {
        "the body is not a JSON object"
    } else if model(request).is_empty() {
        "you must provide a model parameter"
    } else if !request.get("messages").is_some_and(Value::is_array) {
        "messages must be an array"
    } else if request.get("stream").and_then(Value::as_bool) == Some(true) {
        "the simulator does not stream: leave stream out"
    } else {
        return Ok(());
    };
    Err(error(400, Some(problem.to_owned())))
}

fn model(request: &Value) -> &str {
    request
        .get("model")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// `response_format.json_schema`: name, schema, strict.
fn schema(request: &Value) -> Option<&Value> {
    request.get("response_format")?.get("json_schema")
}

/// The text of the last message of the user, of all its parts.
fn last_user_message(request: &Value) -> String {
    let messages = request.get("messages").and_then(Value::as_array);
    let content = messages
        .and_then(|messages| {
            messages
                .iter()
                .rev()
                .find(|message| message["role"] == "user")
        })
        .and_then(|message| message.get("content"));
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text")?.as_str())
            .collect::<Vec<_>>()
            .join("\n"),
        _ => String::new(),
    }
}
