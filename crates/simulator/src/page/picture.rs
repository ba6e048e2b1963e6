//! Pictures that services send by their address. Nothing is fetched here: what the phone shows is a drawing
//! that has the name of the file, so that another address looks otherwise.

use actix_web::HttpResponse;
use actix_web::web::Query;
use serde::Deserialize;

use super::answer;

/// So much of a name is drawn.
const NAME: usize = 24;

/// Which picture is drawn.
#[derive(Deserialize)]
pub(super) struct Asked {
    of: String,
}

/// Where the drawing for an address is.
pub(super) fn path(url: &str) -> String {
    let of: String = form_urlencoded::byte_serialize(url.as_bytes()).collect();
    format!("/page/picture?of={of}")
}

pub(super) async fn draw(asked: Query<Asked>) -> HttpResponse {
    answer("image/svg+xml").body(drawing(&asked.of))
}

fn drawing(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let letters = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c));
    let name: String = letters.take(NAME).collect();
    let hue = url
        .bytes()
        .fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 360);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 160 104\">\
         <rect width=\"160\" height=\"104\" fill=\"hsl({hue},45%,72%)\"/>\
         <circle cx=\"126\" cy=\"24\" r=\"11\" fill=\"hsl({hue},60%,92%)\"/>\
         <path d=\"M0 84 46 38l34 34 22-20 58 46v6H0z\" fill=\"hsl({hue},35%,45%)\"/>\
         <text x=\"80\" y=\"98\" font-family=\"sans-serif\" font-size=\"10\" text-anchor=\"middle\" fill=\"#fff\">{name}</text></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_the_files_name_and_nothing_else_of_its_address() {
        let drawn = drawing("https://cars.example/foto/d001-1.jpg?\"><script>");
        assert!(drawn.contains(">d001-1.jpg<"), "{drawn}");
        assert!(!drawn.contains("script"), "{drawn}");
        assert_eq!(
            path("https://a/b c"),
            "/page/picture?of=https%3A%2F%2Fa%2Fb+c"
        );
        assert_ne!(drawing("https://a/1.jpg"), drawing("https://a/2.jpg"));
    }
}
