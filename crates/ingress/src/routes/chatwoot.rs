//! `POST /webhooks/chatwoot` and, for servers that do not sign, `POST /webhooks/chatwoot/{token}`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use shared_types::Source;

use super::endpoint::Disbelief;
use super::{Endpoint, Refusals};
use crate::request::{Head, Webhook};
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
    endpoint: Data<Endpoint>,
) -> HttpResponse {
    let answer = Box::pin(handle_signed(request, payload, &endpoint));
    endpoint.counted(SOURCE, "/webhooks/chatwoot", answer).await
}

async fn handle_signed(
    request: HttpRequest,
    payload: Payload,
    endpoint: &Endpoint,
) -> HttpResponse {
    let headers = ["x-chatwoot-signature", "x-chatwoot-timestamp"];
    let is_signed = |head: &Head| match endpoint.has_signature(head, &headers) {
        true => Ok(()),
        false => Err(disbelief(chatwoot::Refusal::Missing)),
    };
    let webhook = match endpoint.read(SOURCE, request, payload, is_signed).await {
        Ok(webhook) => webhook,
        Err(answer) => return answer,
    };
    let timestamp = webhook.header("x-chatwoot-timestamp");
    let verified = chatwoot::verify(
        &webhook.body,
        webhook.header("x-chatwoot-signature"),
        timestamp,
        &endpoint.config.chatwoot.chatwoot_webhook_secret,
        Timestamp::now(),
    );
    match verified {
        Ok(()) => webhook.verified(),
        Err(refusal) => {
            let (reason, likely_cause) = disbelief(refusal);
            if let Some(answer) = endpoint.refused(&webhook, SOURCE, reason, &likely_cause) {
                return answer;
            }
        }
    }
    let signed_content = content_mark(timestamp.unwrap_or_default(), &webhook.body);
    take(webhook, endpoint, &signed_content).await
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
    endpoint: Data<Endpoint>,
) -> HttpResponse {
    let answer = Box::pin(handle_by_token(
        request,
        payload,
        token.into_inner(),
        &endpoint,
    ));
    endpoint
        .counted(SOURCE, "/webhooks/chatwoot/{token}", answer)
        .await
}

async fn handle_by_token(
    request: HttpRequest,
    payload: Payload,
    token: String,
    endpoint: &Endpoint,
) -> HttpResponse {
    let expected = endpoint.config.chatwoot.chatwoot_path_token.as_ref();
    let has_token = |head: &Head| {
        chatwoot::verify_path_token(&token, expected).map_err(disbelief)?;
        head.verified();
        Ok(())
    };
    let mut webhook = match endpoint.read(SOURCE, request, payload, has_token).await {
        Ok(webhook) => webhook,
        Err(answer) => return answer,
    };
    let mark = content_mark("", &webhook.body);
    webhook.replay_mark = Some(mark.clone());
    take(webhook, endpoint, &mark).await
}

/// What tells one event from another: all of it, since its header with an id is not signed.
fn content_mark(timestamp: &str, body: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(timestamp)
        .chain_update(".")
        .chain_update(body);
    hex::encode(hash.finalize())
}

async fn take(webhook: Webhook, endpoint: &Endpoint, mark: &str) -> HttpResponse {
    let config = &endpoint.config;
    let account = config.chatwoot.chatwoot_account_id;
    let now = Timestamp::now();
    let reading = chatwoot::read_with_mirror(&webhook.body, mark, account, &config.mirror, now);
    // Chatwoot repeats only 429 and 500 (its `AgentBots::WebhookJob`).
    endpoint
        .take(
            &webhook,
            SOURCE,
            reading,
            reply::accepted,
            StatusCode::INTERNAL_SERVER_ERROR,
        )
        .await
}

fn disbelief(refusal: chatwoot::Refusal) -> Disbelief {
    (refusal.name(), refusal.to_string())
}
