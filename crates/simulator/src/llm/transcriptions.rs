use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::completions::authorise;
use super::error;
use super::rules::{LlmReply, LlmRule, Question};
use crate::answer::Answer;
use crate::auth;
use crate::faults::respond;
use crate::journal::Call;
use crate::multipart::{self, Part};
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// `POST /v1/audio/transcriptions`.
pub(super) async fn create(world: Data<World>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let content_type = auth::header_text(&request, header::CONTENT_TYPE.as_str());
    let parts = multipart::parse(content_type.unwrap_or_default(), &body).unwrap_or_default();
    let file = parts.iter().find(|part| part.name == "file");
    let filename = file.and_then(|file| file.filename.clone());
    let call = Call {
        business: field(&parts, "model"),
        text: filename.clone().unwrap_or_default(),
        request: json!({
            "model": field(&parts, "model"),
            "language": field(&parts, "language"),
            "file": filename,
            "bytes": file.map_or(0, |file| file.content.len()),
        }),
        ..Call::new(Provider::Llm, Endpoint::Transcriptions)
    };
    let checked = authorise(&world, &request).and_then(|()| match file {
        Some(file) if !file.content.is_empty() => Ok(()),
        _ => Err(error(400, Some("file is missing or empty".to_owned()))),
    });
    if let Err(answer) = checked {
        return world.refuse(call, answer.status.to_string(), answer);
    }
    let rule = world.llm.pick(Question {
        file: Some(filename.as_deref().unwrap_or_default()),
        ..Question::default()
    });
    if let Some(rule) = &rule {
        tokio::time::sleep(Duration::from_millis(rule.delay_ms)).await;
    }
    let plain = field(&parts, "response_format") == "text";
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        answer(rule, plain)
    })
    .await
}

fn answer(rule: Option<LlmRule>, plain: bool) -> Answer {
    let text = match rule.map(|rule| rule.reply) {
        None => "Dit is een gesimuleerd spraakbericht.".to_owned(),
        Some(LlmReply::Text { text } | LlmReply::Truncated { text }) => text,
        Some(LlmReply::Json { value }) => return Answer::json(200, &value),
        Some(LlmReply::Error { status, message }) => return error(status, message),
        Some(_) => return Answer::new(200, "application/json", "{\"text\": \"Dit is een"),
    };
    if plain {
        Answer::new(200, "text/plain; charset=utf-8", text)
    } else {
        Answer::json(200, &json!({ "text": text }))
    }
}

fn field(parts: &[Part], name: &str) -> String {
    parts
        .iter()
        .find(|part| part.name == name)
        .map(|part| String::from_utf8_lossy(&part.content).into_owned())
        .unwrap_or_default()
}
