//! Keyed hashes, written independently of the code that checks them.

use hmac::{KeyInit, Mac};

/// The keyed hash of the parts one after another, `M` being `Hmac<Sha1>` or alike.
#[expect(
    clippy::expect_used,
    reason = "HMAC takes a key of any length (RFC 2104), so the error cannot happen"
)]
pub(crate) fn keyed_hash<M: Mac + KeyInit>(key: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}
