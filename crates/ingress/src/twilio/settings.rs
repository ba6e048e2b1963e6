use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;

/// The hash of a shared key's signature. Comes from configuration alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `HMAC_SHA1`
    Sha1,
    /// `HMAC_SHA256`
    Sha256,
}

/// A shared key of Twilio's webhook settings
/// (<https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys>).
#[derive(Debug, Clone)]
pub struct SharedKey {
    /// The id that `X-Twilio-Webhooks-Signature-Settings` names.
    pub id: String,
    /// The hash to expect.
    pub algorithm: Algorithm,
    /// The key.
    pub secret: SecretString,
}

/// The text describes no shared key. Never holds the text: it has a secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedKeyError;

impl fmt::Display for SharedKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a shared key is written id:SHA1:secret or id:SHA256:secret")
    }
}

impl std::error::Error for SharedKeyError {}

impl FromStr for SharedKey {
    type Err = SharedKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let (Some(id), Some(algorithm), Some(secret)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(SharedKeyError);
        };
        let algorithm = match algorithm.to_ascii_uppercase().as_str() {
            "SHA1" | "HMAC_SHA1" => Algorithm::Sha1,
            "SHA256" | "HMAC_SHA256" => Algorithm::Sha256,
            _ => return Err(SharedKeyError),
        };
        if id.is_empty() || secret.is_empty() {
            return Err(SharedKeyError);
        }
        Ok(Self {
            id: id.to_owned(),
            algorithm,
            secret: secret.into(),
        })
    }
}

/// Everything that a Twilio signature may be made with.
#[derive(Debug, Clone, Default)]
pub struct TwilioKeys {
    /// Account auth tokens: the current one, and the next one during a rotation. SHA-1 always.
    pub auth_tokens: Vec<SecretString>,
    /// Shared keys by id.
    pub shared: Vec<SharedKey>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_keys_are_read_and_never_shown() {
        let key: SharedKey = "webhooks_sharedkey_1:sha256:hunter:2".parse().unwrap();
        assert_eq!(key.algorithm, Algorithm::Sha256);
        assert!(!format!("{key:?}").contains("hunter"));
        for bad in ["", "id", "id:MD5:x", "id:SHA1:", ":SHA1:x"] {
            assert_eq!(
                bad.parse::<SharedKey>().unwrap_err(),
                SharedKeyError,
                "{bad}"
            );
        }
    }
}
