use hmac::Hmac;
use sha2::Sha256;

use crate::signing::keyed_hash;

/// The value of `X-Chatwoot-Signature`: `sha256=` and the hexadecimal HMAC-SHA256 of the timestamp
/// (Unix seconds, as in `X-Chatwoot-Timestamp`), a dot and the raw body.
pub fn sign(secret: &str, timestamp: i64, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    let parts: [&[u8]; 3] = [timestamp.as_bytes(), b".", body];
    format!(
        "sha256={}",
        hex::encode(keyed_hash::<Hmac<Sha256>>(secret, &parts))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_timestamp_and_raw_bytes() {
        for (body, expected) in [
            (
                r#"{"event":"message_created","id":1}"#,
                "sha256=636f471fb6ee698d467033326dba4e644abd8904eba5c33d880fe181855f1162",
            ),
            (
                r#"{"event":"message_created","content":"Één 👍"}"#,
                "sha256=8024064e11bb23ada5eb9caef0a6c1279c1d9717ccf9f57697424958ba2500b0",
            ),
            (
                r#"{"event":"message_created","content":"\u00c9\u00e9n"}"#,
                "sha256=345b4bbc535e8e4115343cd0e296d8f5d9c355df3f8ba1e805da86d273abd9be",
            ),
        ] {
            let signature = sign("chatwoot-test-secret", 1_780_000_000, body.as_bytes());
            assert_eq!(signature, expected);
        }
    }
}
