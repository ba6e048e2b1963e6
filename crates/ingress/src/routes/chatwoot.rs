//! `POST /webhooks/chatwoot` and, for servers that do not sign, `POST /webhooks/chatwoot/{token}`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use shared_types::Source;

use super::{Gate, Refusals};
use crate::request::Webhook;
use crate::{chatwoot, reply};

const SOURCE: Source = Source::Chatwoot;

/// An event of a Chatwoot account, inbox or agent bot.
#[utoipa::path(
    post,
    path = "/webhooks/chatwoot",
    request_body(content_type = "application/json", content = String,
        description = "Chatwoot's event; `message_created` and the conversation events are used"),
    params(
        ("X-Chatwoot-Signature" = String, Header, description = "`sha256=` and the HMAC-SHA256 of `<timestamp>.<raw body>`"),
        ("X-Chatwoot-Timestamp" = String, Header, description = "Seconds since 1970; at most five minutes off"),
    ),
    responses(
        (status = 200, description = "Taken in, known already, or none of our business"),
        (status = 500, description = "Redis is away and there is no room on disk; 500, because Chatwoot repeats only that and 429", body = reply::ErrorBody),
        Refusals
    ),
    tag = "webhooks"
)]
pub(crate) async fn signed(
    request: HttpRequest,
    payload: Payload,
    gate: Data<Gate>,
) -> HttpResponse {
    let verify = |webhook: &Webhook| {
        chatwoot::verify(
            &webhook.body,
            webhook.header("x-chatwoot-signature"),
            webhook.header("x-chatwoot-timestamp"),
            &gate.config.chatwoot.chatwoot_webhook_secret,
            Timestamp::now(),
        )
    };
    let answer = Box::pin(handle(request, payload, &gate, verify));
    gate.counted(SOURCE, "/webhooks/chatwoot", answer).await
}

/// The same for a server that does not sign.
#[utoipa::path(
    post,
    path = "/webhooks/chatwoot/{token}",
    request_body(content_type = "application/json", content = String),
    params(("token" = String, Path, description = "CHATWOOT_PATH_TOKEN")),
    responses(
        (status = 200, description = "Taken in, known already, or none of our business"),
        (status = 500, description = "Redis is away and there is no room on disk; 500, because Chatwoot repeats only that and 429", body = reply::ErrorBody),
        Refusals
    ),
    tag = "webhooks"
)]
pub(crate) async fn by_path_token(
    request: HttpRequest,
    payload: Payload,
    token: Path<String>,
    gate: Data<Gate>,
) -> HttpResponse {
    let expected = gate.config.chatwoot.chatwoot_path_token.as_ref();
    let verify = |_: &Webhook| chatwoot::verify_path_token(&token, expected);
    let answer = Box::pin(handle(request, payload, &gate, verify));
    gate.counted(SOURCE, "/webhooks/chatwoot/{token}", answer)
        .await
}

async fn handle(
    request: HttpRequest,
    payload: Payload,
    gate: &Gate,
    verify: impl FnOnce(&Webhook) -> Result<(), chatwoot::Refusal>,
) -> HttpResponse {
    let webhook = match gate.read(SOURCE, request, payload).await {
        Ok(webhook) => webhook,
        Err(answer) => return answer,
    };
    if let Err(refusal) = verify(&webhook)
        && let Some(answer) = gate.refused(&webhook, SOURCE, refusal.name(), &refusal.to_string())
    {
        return answer;
    }
    let delivery = match webhook.header("x-chatwoot-delivery") {
        Some(delivery) if delivery.len() <= 64 => delivery.to_owned(),
        _ => hex::encode(Sha256::digest(&webhook.body)),
    };
    let account = gate.config.chatwoot.chatwoot_account_id;
    let reading = chatwoot::read(&webhook.body, &delivery, account, Timestamp::now());
    // Chatwoot repeats only 429 and 500 (its `AgentBots::WebhookJob`).
    gate.take(
        &webhook,
        SOURCE,
        reading,
        reply::accepted,
        StatusCode::INTERNAL_SERVER_ERROR,
    )
    .await
}
