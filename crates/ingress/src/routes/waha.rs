//! `POST /webhooks/waha`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use shared_types::Source;

use super::{Gate, Refusals};
use crate::{reply, waha};

const SOURCE: Source = Source::Waha;

/// An event of a WAHA session.
#[utoipa::path(
    post,
    path = "/webhooks/waha",
    request_body(content_type = "application/json", content = String,
        description = "WAHA's event envelope; `message`, `message.ack` and `session.status` are used"),
    params(("X-Webhook-Hmac" = String, Header, description = "HMAC-SHA512 of the raw body, lower-case hexadecimal")),
    responses(
        (status = 200, description = "Taken in, known already, or none of our business"),
        (status = 503, description = "Redis is away and there is no room on disk", body = reply::ErrorBody),
        Refusals
    ),
    tag = "webhooks"
)]
pub(crate) async fn event(
    request: HttpRequest,
    payload: Payload,
    gate: Data<Gate>,
) -> HttpResponse {
    let answer = Box::pin(handle(request, payload, &gate));
    gate.counted(SOURCE, "/webhooks/waha", answer).await
}

async fn handle(request: HttpRequest, payload: Payload, gate: &Gate) -> HttpResponse {
    let webhook = match gate.read(SOURCE, request, payload).await {
        Ok(webhook) => webhook,
        Err(answer) => return answer,
    };
    let Some(secret) = &gate.config.waha.waha_webhook_secret else {
        return reply::error(
            StatusCode::NOT_FOUND,
            &webhook.id,
            "not_found",
            "there is nothing here",
        );
    };
    let given = webhook.header("x-webhook-hmac");
    let algorithm = webhook.header("x-webhook-hmac-algorithm");
    if let Err(refusal) = waha::verify(&webhook.body, given, algorithm, secret)
        && let Some(answer) = gate.refused(&webhook, SOURCE, refusal.name(), &refusal.to_string())
    {
        return answer;
    }
    let reading = waha::read(&webhook.body, Timestamp::now(), gate.config.waha.max_age());
    gate.take(
        &webhook,
        SOURCE,
        reading,
        reply::accepted,
        StatusCode::SERVICE_UNAVAILABLE,
    )
    .await
}
