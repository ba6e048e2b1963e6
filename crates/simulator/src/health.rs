use actix_web::HttpResponse;
use actix_web::web;
use serde_json::json;

/// Health of the simulator itself. It depends on nothing, so that it is ready when it lives.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/health/live", web::get().to(healthy))
        .route("/health/ready", web::get().to(healthy));
}

async fn healthy() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}
