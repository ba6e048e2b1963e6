//! What pages are made of besides their words.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web;

/// Every file: path, type, content.
const FILES: [(&str, &str, &str); 3] = [
    ("/icon.svg", "image/svg+xml", include_str!("icon.svg")),
    (
        "/style.css",
        "text/css; charset=utf-8",
        include_str!("style.css"),
    ),
    (
        "/app.js",
        "text/javascript; charset=utf-8",
        include_str!("app.js"),
    ),
];

pub(super) fn routes(config: &mut web::ServiceConfig) {
    for (path, content_type, content) in FILES {
        let file = move || async move {
            HttpResponse::Ok()
                .content_type(content_type)
                .insert_header((CACHE_CONTROL, "no-cache"))
                .body(content)
        };
        config.route(path, web::get().to(file));
    }
}
