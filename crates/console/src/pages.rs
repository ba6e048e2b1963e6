//! The pages: rendered here, whole before any script runs. A small script keeps them fresh.

mod acts;
mod conversation;
mod files;
mod frame;
mod letters;
mod login;
mod matters;
mod notices;
mod overview;
pub(crate) mod problem;
mod search;
pub(crate) mod understanding;
mod waiting;

use actix_web::web;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{api, events, openapi};

/// What stands in a path or a value of an address as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A text as a part of an address.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// The paths of the pages.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .configure(files::routes)
        .configure(login::routes)
        .configure(waiting::routes)
        .configure(search::routes)
        .configure(conversation::routes)
        .configure(matters::routes)
        .configure(notices::routes)
        .configure(letters::routes)
        .configure(overview::routes)
        .configure(understanding::routes)
        .configure(acts::routes)
        .configure(api::routes)
        .configure(openapi::routes)
        .route("/events", web::get().to(events::stream))
        .default_service(web::to(problem::no_page));
}
