use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::signing::keyed_hash;

/// The hash of a Twilio signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// The usual one, and the only one with the Auth Token.
    HmacSha1,
    /// Only with a shared key.
    HmacSha256,
}

/// The value of `X-Twilio-Signature` for a request to `url` (query included) with these form
/// fields: base64 of HMAC-SHA1 with the Auth Token.
///
/// Signed is the URL, then for every field name in byte order its distinct values in order, name
/// and value after one another without separators
/// (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>).
pub fn sign(token: &str, url: &str, params: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    sign_with(Algorithm::HmacSha1, token, url, params)
}

/// As [`sign`], with a hash of choice, for shared keys.
pub fn sign_with(
    algorithm: Algorithm,
    key: &str,
    url: &str,
    params: &[(impl AsRef<str>, impl AsRef<str>)],
) -> String {
    let sorted: BTreeSet<(&str, &str)> = params
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()))
        .collect();
    let mut parts = vec![url.as_bytes()];
    for (name, value) in sorted {
        parts.push(name.as_bytes());
        parts.push(value.as_bytes());
    }
    STANDARD.encode(match algorithm {
        Algorithm::HmacSha1 => keyed_hash::<Hmac<Sha1>>(key, &parts),
        Algorithm::HmacSha256 => keyed_hash::<Hmac<Sha256>>(key, &parts),
    })
}

/// The URL of a request whose body is no form: `bodySHA256` is added to its query. The signature is
/// then over this URL with no fields.
pub fn body_sha256_url(url: &str, body: &[u8]) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    let hash = hex::encode(Sha256::digest(body));
    format!("{url}{separator}bodySHA256={hash}")
}

#[cfg(test)]
mod tests;
