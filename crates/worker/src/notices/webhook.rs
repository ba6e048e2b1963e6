//! Signatures of Standard Webhooks 1.0 (standardwebhooks.com). Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crm::Notice;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A key that both sides know.
#[derive(Clone)]
pub(super) struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The text is no secret of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not whsec_ followed by 24 to 64 bytes in base64; make one with: echo whsec_$(openssl rand -base64 32)"
)]
pub(super) struct SecretError;

impl Secret {
    /// Reads `whsec_…`.
    ///
    /// # Errors
    /// When it is anything else, or too short to be safe.
    pub(super) fn read(text: &str) -> Result<Self, SecretError> {
        let encoded = text.trim().strip_prefix("whsec_").ok_or(SecretError)?;
        let key = STANDARD.decode(encoded).map_err(|_| SecretError)?;
        if (24..=64).contains(&key.len()) {
            Ok(Self(key))
        } else {
            Err(SecretError)
        }
    }
}

/// The header `webhook-signature`: one signature for each secret, so that receivers may change over.
#[must_use]
pub(super) fn sign(secrets: &[Secret], id: &str, timestamp: i64, body: &str) -> String {
    let signed = secrets.iter().filter_map(|secret| {
        // A key of any length will do.
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).ok()?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        Some(format!("v1,{signature}"))
    });
    signed.collect::<Vec<_>>().join(" ")
}

/// The body: `{type, timestamp, data}`.
#[must_use]
pub(super) fn body(notice: &Notice) -> String {
    serde_json::json!({
        "type": notice.kind.as_str(),
        "timestamp": notice.at,
        "data": notice.data,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification's reference library.
    #[test]
    fn the_reference_signature_comes_out() {
        let secret = Secret::read("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let body = r#"{"email":"test@example.com","username":"test_user"}"#;
        let id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
        let expected = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
        assert_eq!(
            sign(std::slice::from_ref(&secret), id, 1_649_367_553, body),
            expected
        );
        let both = sign(&[secret.clone(), secret], id, 1_649_367_553, body);
        assert_eq!(both, format!("{expected} {expected}"));
    }

    #[test]
    fn only_secrets_of_the_right_length_are_taken() {
        for bad in [
            "",
            "whsec_",
            "whsec_c2hvcnQ=",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "whsec_!!",
        ] {
            assert!(Secret::read(bad).is_err(), "{bad}");
        }
    }
}
