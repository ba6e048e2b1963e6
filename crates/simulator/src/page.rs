//! The chat page: rendered here, with a small script that keeps it fresh. Nothing is from elsewhere.

mod actions;
mod chat;
mod faults;
mod files;
mod picture;
mod view;

use actix_web::HttpResponse;
use actix_web::web;

/// Script and style come from this server only, and nothing inline is run or applied.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The paths of the page.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route("/", web::get().to(view::page));
    files::routes(config);
    actions::routes(config);
}

/// An answer of the page, before its body.
fn answer(content_type: &str) -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(content_type)
        .insert_header(("content-security-policy", POLICY))
        .insert_header(("x-content-type-options", "nosniff"))
        // Without one a browser hides where a form comes from, and that is what forms are let through by.
        .insert_header(("referrer-policy", "same-origin"))
        .insert_header(("cache-control", "no-cache"));
    answer
}
