//! What callers show to be let in.

use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// User name and password of Basic authentication.
pub(crate) fn basic(request: &HttpRequest) -> Option<(String, String)> {
    let value = header_text(request, header::AUTHORIZATION.as_str())?;
    let encoded = value.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// The token of Bearer authentication.
pub(crate) fn bearer(request: &HttpRequest) -> Option<&str> {
    header_text(request, header::AUTHORIZATION.as_str())?.strip_prefix("Bearer ")
}

/// The value of a header, where it is text.
pub(crate) fn header_text<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}
