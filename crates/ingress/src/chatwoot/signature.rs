use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// Why a request is not believed. Tells the likely cause, holds no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header is not there.
    #[error(
        "the request has no X-Chatwoot-Signature and X-Chatwoot-Timestamp: Chatwoot signs account webhooks since 4.11.2 and bots since 4.13.0; for older servers use the path token"
    )]
    Missing,
    /// The signed time is too far from ours.
    #[error("X-Chatwoot-Timestamp is too old, or the clocks differ")]
    Expired,
    /// The hash is wrong.
    #[error(
        "the signature does not match: CHATWOOT_WEBHOOK_SECRET is not the secret of this webhook, bot or inbox, or a proxy changes the body"
    )]
    Mismatch,
    /// The path token is wrong, or none is configured.
    #[error("the path token is wrong")]
    PathToken,
}

impl Refusal {
    /// A short name for logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Expired => "expired",
            Self::Mismatch => "mismatch",
            Self::PathToken => "path_token",
        }
    }
}

/// How far the signed time may lie from ours.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

/// Checks `X-Chatwoot-Signature`: `sha256=` and the hexadecimal HMAC-SHA256 of
/// `<timestamp>.<raw body>`. A webhook, a bot and an inbox each have a secret of their own; any of
/// `secrets` will do.
///
/// # Errors
/// Says why the request is refused.
pub fn verify(
    body: &[u8],
    given: Option<&str>,
    timestamp: Option<&str>,
    secrets: &[SecretString],
    now: Timestamp,
) -> Result<(), Refusal> {
    let (Some(given), Some(timestamp)) = (given, timestamp) else {
        return Err(Refusal::Missing);
    };
    let genuine = secrets.iter().fold(Choice::from(0), |genuine, secret| {
        genuine
            | sign(timestamp, body, secret)
                .as_bytes()
                .ct_eq(given.as_bytes())
    });
    if !bool::from(genuine) {
        return Err(Refusal::Mismatch);
    }
    let seconds = timestamp.parse().map_err(|_| Refusal::Expired)?;
    let at = Timestamp::from_second(seconds).map_err(|_| Refusal::Expired)?;
    if now.duration_since(at).abs() > MAX_AGE {
        Err(Refusal::Expired)
    } else {
        Ok(())
    }
}

/// Checks the unguessable part of the webhook's path, for servers that do not sign.
///
/// # Errors
/// When it is wrong or none is configured.
pub(crate) fn verify_path_token(given: &str, token: Option<&SecretString>) -> Result<(), Refusal> {
    let expected = token.ok_or(Refusal::PathToken)?.expose_secret();
    if expected.as_bytes().ct_eq(given.as_bytes()).into() {
        Ok(())
    } else {
        Err(Refusal::PathToken)
    }
}

fn sign(timestamp: &str, body: &[u8], secret: &SecretString) -> String {
    let key = secret.expose_secret().as_bytes();
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLES: [(&str, &str); 3] = [
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
    ];
    const AT: &str = "1780000000";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + seconds).unwrap()
    }

    fn check(
        body: &str,
        given: Option<&str>,
        timestamp: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let secrets = ["other".into(), "chatwoot-test-secret".into()];
        verify(body.as_bytes(), given, timestamp, &secrets, now)
    }

    #[test]
    fn the_examples_of_the_provider_are_accepted_and_altered_ones_refused() {
        for (body, signature) in EXAMPLES {
            assert_eq!(check(body, Some(signature), Some(AT), at(0)), Ok(()));
            let altered = body.replace("message", "Message");
            assert_eq!(
                check(&altered, Some(signature), Some(AT), at(0)),
                Err(Refusal::Mismatch)
            );
            assert_eq!(
                check(body, Some(signature), Some("1780000001"), at(0)),
                Err(Refusal::Mismatch)
            );
            let bare = signature.strip_prefix("sha256=");
            assert_eq!(check(body, bare, Some(AT), at(0)), Err(Refusal::Mismatch));
        }
    }

    #[test]
    fn the_signed_time_bounds_replays() {
        let (body, signature) = EXAMPLES[0];
        assert_eq!(check(body, Some(signature), Some(AT), at(299)), Ok(()));
        assert_eq!(
            check(body, Some(signature), Some(AT), at(301)),
            Err(Refusal::Expired)
        );
        assert_eq!(
            check(body, Some(signature), Some(AT), at(-301)),
            Err(Refusal::Expired)
        );
        assert_eq!(
            check(body, Some(signature), None, at(0)),
            Err(Refusal::Missing)
        );
        assert_eq!(check(body, None, Some(AT), at(0)), Err(Refusal::Missing));
    }

    #[test]
    fn the_path_token_must_be_configured_and_equal() {
        let token = "long-and-unguessable".into();
        assert_eq!(
            verify_path_token("long-and-unguessable", Some(&token)),
            Ok(())
        );
        assert_eq!(
            verify_path_token("long", Some(&token)),
            Err(Refusal::PathToken)
        );
        assert_eq!(verify_path_token("", None), Err(Refusal::PathToken));
    }
}
