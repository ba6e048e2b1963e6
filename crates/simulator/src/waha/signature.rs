use hmac::Hmac;
use sha2::Sha512;

use crate::signing::keyed_hash;

/// The value of `X-Webhook-Hmac`: lower-case hexadecimal HMAC-SHA512 of the raw body
/// (<https://waha.devlike.pro/docs/how-to/events>).
pub fn sign(key: &str, body: &[u8]) -> String {
    hex::encode(keyed_hash::<Hmac<Sha512>>(key, &[body]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_documentation_shows() {
        for (body, expected) in [
            (
                r#"{"event":"message","session":"default","engine":"WEBJS"}"#,
                "208f8a55dde9e05519e898b10b89bf0d0b3b0fdf11fdbf09b6b90476301b98d8\
                 097c462b2b17a6ce93b6b47a136cf2e78a33a63f6752c2c1631777076153fa89",
            ),
            (
                r#"{"id":"evt_01","event":"message","payload":{"body":"Één 👍"}}"#,
                "71f816de400f431ef1f7874b897ede60ec2d47bb2fd98eaae0a89a9209c11f40\
                 fbffc0658d2d8aead1bc92c3667ad144059db8d6339a2ed9b381a0d9abbe9001",
            ),
        ] {
            assert_eq!(sign("my-secret-key", body.as_bytes()), expected);
        }
    }
}
