use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha512;
use subtle::ConstantTimeEq;

/// Why a request is not believed. Tells the likely cause, holds no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The header is not there.
    #[error(
        "the request has no X-Webhook-Hmac header: set `hmac.key` of the session's webhook, or WHATSAPP_HOOK_HMAC_KEY, to WAHA_WEBHOOK_SECRET"
    )]
    Missing,
    /// Another hash than the one that is agreed on.
    #[error("X-Webhook-Hmac-Algorithm is not sha512")]
    Algorithm,
    /// The hash is wrong.
    #[error(
        "the signature does not match: WAHA_WEBHOOK_SECRET differs from the session's hmac key, or a proxy changes the body"
    )]
    Mismatch,
}

impl Refusal {
    /// A short name for logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Algorithm => "algorithm",
            Self::Mismatch => "mismatch",
        }
    }
}

/// Checks `X-Webhook-Hmac`: the lower-case hexadecimal HMAC-SHA512 of the raw body. The header that
/// names the algorithm may only confirm it.
///
/// # Errors
/// Says why the request is refused.
pub fn verify(
    body: &[u8],
    given: Option<&str>,
    algorithm: Option<&str>,
    secret: &SecretString,
) -> Result<(), Refusal> {
    let given = given.ok_or(Refusal::Missing)?;
    if algorithm.is_some_and(|name| name != "sha512") {
        return Err(Refusal::Algorithm);
    }
    let key = secret.expose_secret().as_bytes();
    let mut mac = Hmac::<Sha512>::new_from_slice(key).map_err(|_| Refusal::Mismatch)?;
    mac.update(body);
    let expected = hex::encode(mac.finalize().into_bytes());
    if expected.as_bytes().ct_eq(given.as_bytes()).into() {
        Ok(())
    } else {
        Err(Refusal::Mismatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLES: [(&str, &str); 2] = [
        (
            r#"{"event":"message","session":"default","engine":"WEBJS"}"#,
            "208f8a55dde9e05519e898b10b89bf0d0b3b0fdf11fdbf09b6b90476301b98d8097c462b2b17a6ce93b6b47a136cf2e78a33a63f6752c2c1631777076153fa89",
        ),
        (
            r#"{"id":"evt_01","event":"message","payload":{"body":"Één 👍"}}"#,
            "71f816de400f431ef1f7874b897ede60ec2d47bb2fd98eaae0a89a9209c11f40fbffc0658d2d8aead1bc92c3667ad144059db8d6339a2ed9b381a0d9abbe9001",
        ),
    ];

    #[test]
    fn the_examples_of_the_provider_are_accepted_and_altered_ones_refused() {
        let secret = "my-secret-key".into();
        for (body, signature) in EXAMPLES {
            let upper = signature.to_uppercase();
            let check =
                |body: &str, signature| verify(body.as_bytes(), signature, Some("sha512"), &secret);
            assert_eq!(check(body, Some(signature)), Ok(()));
            assert_eq!(
                check(&format!("{body} "), Some(signature)),
                Err(Refusal::Mismatch)
            );
            assert_eq!(check(body, Some(&upper)), Err(Refusal::Mismatch));
            assert_eq!(check(body, None), Err(Refusal::Missing));
            let sha256 = verify(body.as_bytes(), Some(signature), Some("sha256"), &secret);
            assert_eq!(sha256, Err(Refusal::Algorithm));
            let other = verify(body.as_bytes(), Some(signature), None, &"other".into());
            assert_eq!(other, Err(Refusal::Mismatch));
        }
    }
}
