//! The chat page: files embedded in the program, nothing from elsewhere.

use actix_web::HttpResponse;
use actix_web::web;

/// Script and style come from this server only, and nothing inline is run or applied.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Every file: path, type, content.
const FILES: [(&str, &str, &str); 8] = [
    (
        "/",
        "text/html; charset=utf-8",
        include_str!("page/index.html"),
    ),
    (
        "/page/icon.svg",
        "image/svg+xml",
        include_str!("page/icon.svg"),
    ),
    ("/page/style.css", CSS, include_str!("page/style.css")),
    ("/page/app.js", SCRIPT, include_str!("page/app.js")),
    ("/page/chat.js", SCRIPT, include_str!("page/chat.js")),
    ("/page/dom.js", SCRIPT, include_str!("page/dom.js")),
    ("/page/faults.js", SCRIPT, include_str!("page/faults.js")),
    ("/page/api.js", SCRIPT, include_str!("page/api.js")),
];
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The paths of the page.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    for (path, content_type, content) in FILES {
        config.route(
            path,
            web::get().to(move || async move {
                HttpResponse::Ok()
                    .content_type(content_type)
                    .insert_header(("content-security-policy", POLICY))
                    .insert_header(("x-content-type-options", "nosniff"))
                    .insert_header(("referrer-policy", "no-referrer"))
                    .insert_header(("cache-control", "no-cache"))
                    .body(content)
            }),
        );
    }
}
