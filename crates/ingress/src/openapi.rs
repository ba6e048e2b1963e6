//! The description of the HTTP interface, generated from the handlers.

use utoipa::OpenApi;

use crate::routes::{chatwoot, hexon, twilio, waha};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Postduif ingress",
        description = "Webhooks of Twilio, WAHA and Chatwoot, and the pages that operators and orchestrators ask."
    ),
    paths(
        twilio::whatsapp, twilio::status, twilio::events, waha::event, chatwoot::signed, chatwoot::by_path_token, hexon::push,
        pages::live, pages::ready, pages::metrics, pages::openapi
    ),
    tags(
        (name = "webhooks", description = "Called by the providers"),
        (name = "operations", description = "Called by orchestrators and monitoring")
    )
)]
struct Document;

/// The pages that `runtime` serves; described here because they are part of the same interface.
#[expect(
    dead_code,
    reason = "the attributes are read, the functions never called"
)]
mod pages {
    #[utoipa::path(get, path = "/health/live", responses((status = 200, description = "The process lives")), tag = "operations")]
    pub(super) fn live() {}

    #[utoipa::path(get, path = "/health/ready", responses(
        (status = 200, description = "Ready, or degraded but still taking webhooks in"),
        (status = 503, description = "Not ready: Redis is away and there is no spool")), tag = "operations")]
    pub(super) fn ready() {}

    #[utoipa::path(get, path = "/metrics", responses(
        (status = 200, description = "Prometheus text format", content_type = "text/plain")), tag = "operations")]
    pub(super) fn metrics() {}

    #[utoipa::path(get, path = "/openapi.json", responses(
        (status = 200, description = "This document", content_type = "application/json")), tag = "operations")]
    pub(super) fn openapi() {}
}

/// The document as JSON.
///
/// # Errors
/// When it cannot be written.
pub fn document() -> serde_json::Result<String> {
    serde_json::to_string_pretty(&Document::openapi())
}
