use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};

use super::answer;
use crate::world::World;

/// Every file: path, type, content.
const FILES: [(&str, &str, &str); 3] = [
    ("/page/icon.svg", "image/svg+xml", include_str!("icon.svg")),
    (
        "/page/style.css",
        "text/css; charset=utf-8",
        include_str!("style.css"),
    ),
    (
        "/page/app.js",
        "text/javascript; charset=utf-8",
        include_str!("app.js"),
    ),
];

pub(super) fn routes(config: &mut web::ServiceConfig) {
    for (path, content_type, content) in FILES {
        let file = move || async move { answer(content_type).body(content) };
        config.route(path, web::get().to(file));
    }
    config.route("/page/media/{id}", web::get().to(media));
    config.route("/page/picture", web::get().to(super::picture::draw));
}

/// An attachment of a customer, which no browser may run as a page of ours.
async fn media(world: Data<World>, id: Path<String>) -> HttpResponse {
    match world.media.get(&id) {
        Some(file) => file.answer().into(),
        None => HttpResponse::NotFound().finish(),
    }
}
