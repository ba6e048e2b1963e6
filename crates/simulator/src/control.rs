//! The commands of people and tests: everything under `/simulator`.

mod customers;
mod events;
mod inbox;
mod journal;
mod misbehaviour;
mod services;
mod waha;

use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

/// All paths under `/simulator`.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/simulator")
            .route("/messages", web::post().to(customers::messages))
            .route("/colleague", web::post().to(customers::colleague))
            .route(
                "/chatwoot/status",
                web::post().to(customers::chatwoot_status),
            )
            .service(
                web::resource("/chatwoot/inbox")
                    .route(web::get().to(inbox::show))
                    .route(web::put().to(inbox::exists)),
            )
            .route("/chatwoot/inbox/write", web::post().to(inbox::write))
            .route("/chatwoot/inbox/hand", web::post().to(inbox::hand))
            .route("/chatwoot/inbox/retry", web::post().to(inbox::retry))
            .route("/waha/session-status", web::post().to(waha::session_status))
            .route("/waha/ack", web::post().to(waha::ack))
            .route("/waha/lids", web::post().to(waha::lid))
            .route("/waha/numbers", web::post().to(waha::number))
            .route("/sent", web::get().to(journal::sent))
            .route("/sent/wait", web::get().to(journal::wait))
            .route("/conversations", web::get().to(journal::conversations))
            .route(
                "/conversations/{address}",
                web::get().to(journal::transcript),
            )
            .route("/stats", web::get().to(journal::stats))
            .route("/info", web::get().to(journal::info))
            .route("/events", web::get().to(events::stream))
            .route("/reset", web::post().to(journal::reset))
            .route("/xray/{seq}", web::get().to(services::xray))
            .route("/counts", web::get().to(services::counts))
            .service(
                web::resource("/services")
                    .route(web::get().to(services::list))
                    .route(web::put().to(services::tell)),
            )
            .service(
                web::resource("/services/orders")
                    .route(web::get().to(services::next_order))
                    .route(web::post().to(services::order)),
            )
            .service(
                web::resource("/faults")
                    .route(web::post().to(misbehaviour::add))
                    .route(web::get().to(misbehaviour::list))
                    .route(web::delete().to(misbehaviour::clear)),
            )
            .route("/faults/{id}", web::delete().to(misbehaviour::remove))
            .service(
                web::resource("/deliveries")
                    .route(web::put().to(misbehaviour::set_deliveries))
                    .route(web::get().to(misbehaviour::deliveries)),
            )
            .service(
                web::resource("/llm/rules")
                    .route(web::post().to(misbehaviour::add_llm_rules))
                    .route(web::get().to(misbehaviour::llm_rules))
                    .route(web::delete().to(misbehaviour::clear_llm_rules)),
            ),
    );
}

/// 400 with one line about what is wrong.
fn refuse(message: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({ "error": message }))
}

/// 404 with one line about what was not found.
fn not_found(message: &str) -> HttpResponse {
    HttpResponse::NotFound().json(json!({ "error": message }))
}

/// What a body or query that does not fit is answered with: 400 and the reason.
pub(crate) fn unreadable(
    error: impl std::error::Error + 'static,
    _request: &HttpRequest,
) -> actix_web::Error {
    let response = refuse(&error.to_string());
    actix_web::error::InternalError::from_response(error.to_string(), response).into()
}
