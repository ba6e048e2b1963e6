//! `POST /webhooks/waha`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use shared_types::Source;

use super::endpoint::Disbelief;
use super::{Endpoint, Refusals};
use crate::request::Head;
use crate::{reply, waha};

const SOURCE: Source = Source::Waha;

/// An event of a WAHA session.
#[utoipa::path(
    post,
    path = "/webhooks/waha",
    request_body(content_type = "application/json", content = String,
        description = "WAHA's event envelope; `message.any`, `message`, `message.ack` and `session.status` are used"),
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
    endpoint: Data<Endpoint>,
) -> HttpResponse {
    let answer = Box::pin(handle(request, payload, &endpoint));
    endpoint.counted(SOURCE, "/webhooks/waha", answer).await
}

async fn handle(request: HttpRequest, payload: Payload, endpoint: &Endpoint) -> HttpResponse {
    let Some(secret) = &endpoint.config.waha.waha_webhook_secret else {
        return super::not_found(request).await;
    };
    let is_signed = |head: &Head| match endpoint.has_signature(head, &["x-webhook-hmac"]) {
        true => Ok(()),
        false => Err(disbelief(waha::Refusal::Missing)),
    };
    let webhook = match endpoint.read(SOURCE, request, payload, is_signed).await {
        Ok(webhook) => webhook,
        Err(answer) => return answer,
    };
    let given = webhook.header("x-webhook-hmac");
    let algorithm = webhook.header("x-webhook-hmac-algorithm");
    match waha::verify(&webhook.body, given, algorithm, secret) {
        Ok(()) => webhook.verified(),
        Err(refusal) => {
            let (reason, likely_cause) = disbelief(refusal);
            if let Some(answer) = endpoint.refused(&webhook, SOURCE, reason, &likely_cause) {
                return answer;
            }
        }
    }
    let reading = waha::read(
        &webhook.body,
        Timestamp::now(),
        endpoint.config.waha.max_age(),
    );
    endpoint
        .take(
            &webhook,
            SOURCE,
            reading,
            reply::accepted,
            StatusCode::SERVICE_UNAVAILABLE,
        )
        .await
}

fn disbelief(refusal: waha::Refusal) -> Disbelief {
    (refusal.name(), refusal.to_string())
}
