use serde::{Deserialize, Serialize};

/// What a forger, or a broken proxy, did to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tamper {
    /// A signature of the right form that fits nothing.
    BadSignature,
    /// No signature at all.
    MissingSignature,
    /// Signed well, with a key that is not ours.
    WrongToken,
    /// Signed well, then the body was changed.
    AlteredBody,
    /// Twilio: signed over another URL.
    WrongUrl,
    /// A hash that the provider does not use: Twilio SHA-256, WAHA `sha256`, Chatwoot SHA-1.
    WrongAlgorithm,
    /// WAHA and Chatwoot: signed well, an hour ago.
    StaleTimestamp,
    /// Signed well, with a content type that the provider does not use.
    WrongContentType,
}

impl Tamper {
    /// The key to sign with.
    pub(crate) fn key(tamper: Option<Self>, key: &str) -> String {
        match tamper {
            Some(Self::WrongToken) => format!("not-{key}"),
            _ => key.to_owned(),
        }
    }

    /// The signature to send, `None` for no signature.
    pub(crate) fn signature(tamper: Option<Self>, signature: String) -> Option<String> {
        match tamper {
            Some(Self::MissingSignature) => None,
            Some(Self::BadSignature) => Some(scramble(&signature)),
            _ => Some(signature),
        }
    }

    /// The content type to send.
    pub(crate) fn content_type(tamper: Option<Self>, usual: &str) -> String {
        match tamper {
            Some(Self::WrongContentType) => "text/plain".to_owned(),
            _ => usual.to_owned(),
        }
    }

    /// How long ago the provider claims to have sent it, in seconds.
    pub(crate) fn age_secs(tamper: Option<Self>) -> i64 {
        match tamper {
            Some(Self::StaleTimestamp) => 3_600,
            _ => 0,
        }
    }
}

/// Another signature of the same form: every letter and digit becomes its neighbour.
fn scramble(signature: &str) -> String {
    if let Some(value) = signature.strip_prefix("sha256=") {
        return format!("sha256={}", scramble(value));
    }
    let next = |c: char| match c {
        '0'..='8' | 'a'..='e' | 'A'..='Y' => char::from_u32(u32::from(c) + 1).unwrap_or(c),
        '9' => '0',
        'f' => 'a',
        other => other,
    };
    signature.chars().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_signature_keeps_its_form() {
        assert_eq!(scramble("sha256=09af"), "sha256=10ba");
        let base64 = "aGVsbG8gd29ybGQgaGVsbG8gd28=";
        let scrambled = scramble(base64);
        assert_ne!(scrambled, base64);
        assert_eq!(scrambled.len(), base64.len());
        assert!(scrambled.ends_with('='));
    }
}
