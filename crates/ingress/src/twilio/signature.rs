//! `X-Twilio-Signature` over raw bytes. Pure
//! (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::{Algorithm, Params, TwilioKeys, port_variants};

/// What a signature covers, and the signature.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The public URL with query, as Twilio called it.
    pub url: &'a str,
    /// What the body is.
    pub body: SignedBody<'a>,
    /// The header `X-Twilio-Signature`.
    pub signature: Option<&'a str>,
    /// The header `X-Twilio-Webhooks-Signature-Settings`. Not signed: it only names a key.
    pub settings: Option<&'a str>,
}

/// The two ways in which a body is signed.
#[derive(Debug, Clone, Copy)]
pub enum SignedBody<'a> {
    /// Form-encoded: the parameters are part of the signed text.
    Form(&'a Params<'a>),
    /// Anything else: the URL carries `bodySHA256`, the hash of these bytes.
    Raw(&'a [u8]),
}

/// Why a request is not believed. Tells the likely cause, holds no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The header is not there.
    #[error(
        "the request has no X-Twilio-Signature header: it does not come from Twilio, or a proxy drops the header"
    )]
    Missing,
    /// The signature is right for no key that is configured.
    #[error(
        "the signature does not match: the auth token, PUBLIC_BASE_URL or the body differs from what Twilio signed; `ingress doctor signature` finds out which"
    )]
    Mismatch,
    /// The settings header names a shared key that is not configured, or cannot be read.
    #[error("the request is signed with a shared key that is not in TWILIO_SHARED_KEYS")]
    UnknownKey,
    /// A body that is no form must be covered by `bodySHA256`.
    #[error("the body is not a form and the URL has no bodySHA256 parameter that covers it")]
    NoBodyHash,
    /// The URL is signed, but its `bodySHA256` is the hash of another body.
    #[error("the body is not the one that Twilio hashed into bodySHA256")]
    BodyHash,
}

impl Refusal {
    /// A short name for logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Mismatch => "mismatch",
            Self::UnknownKey => "unknown_key",
            Self::NoBodyHash => "no_body_hash",
            Self::BodyHash => "body_hash",
        }
    }
}

/// Checks a signature in constant time.
///
/// A request that names a shared key is checked with that key only, and with the algorithm that is
/// configured for it. One that names none is checked with the auth tokens and SHA-1.
///
/// # Errors
/// Says why the request is refused.
pub fn verify(request: &SignedRequest<'_>, keys: &TwilioKeys) -> Result<(), Refusal> {
    let given = request.signature.ok_or(Refusal::Missing)?;
    let (pairs, body_hash) = match request.body {
        SignedBody::Form(params) => (params.in_signing_order(), None),
        SignedBody::Raw(body) => (Vec::new(), Some(body_hash_matches(request.url, body)?)),
    };
    let one = |algorithm, secret: &SecretString, url: &str| {
        let expected = sign(algorithm, secret, url, &pairs);
        expected.as_bytes().ct_eq(given.as_bytes())
    };
    let signed = |algorithm, secret: &SecretString| {
        // The URL as it is configured is nearly always the one that was signed. That its other
        // spelling takes longer tells nobody more than the answer does.
        let as_called = one(algorithm, secret, request.url);
        if bool::from(as_called) {
            return as_called;
        }
        let other = port_variants(request.url);
        let matches = other.iter().map(|url| one(algorithm, secret, url));
        matches.fold(as_called, |all, next| all | next)
    };
    let genuine = match request.settings {
        Some(settings) => {
            let id = key_id(settings).ok_or(Refusal::UnknownKey)?;
            let key = keys
                .shared
                .iter()
                .find(|key| key.id == id)
                .ok_or(Refusal::UnknownKey)?;
            signed(key.algorithm, &key.secret)
        }
        None => keys
            .auth_tokens
            .iter()
            .fold(Choice::from(0), |matches, token| {
                matches | signed(Algorithm::Sha1, token)
            }),
    };
    if !bool::from(genuine) {
        return Err(Refusal::Mismatch);
    }
    match body_hash {
        Some(false) => Err(Refusal::BodyHash),
        _ => Ok(()),
    }
}

/// A hash of all that a signature covers: requests that are read differently but signed alike have
/// the same.
pub(crate) fn replay_mark(request: &SignedRequest<'_>) -> String {
    let mut hash = Sha256::new();
    hash.update(request.url);
    if let SignedBody::Form(params) = request.body {
        for (name, value) in params.in_signing_order() {
            hash.update(name);
            hash.update(value);
        }
    }
    hex::encode(hash.finalize())
}

/// `base64(HMAC(secret, url + name + value + …))` over pairs in signing order.
pub(crate) fn sign(
    algorithm: Algorithm,
    secret: &SecretString,
    url: &str,
    pairs: &[(&[u8], &[u8])],
) -> String {
    let key = secret.expose_secret().as_bytes();
    match algorithm {
        Algorithm::Sha1 => mac::<Hmac<Sha1>>(key, url, pairs),
        Algorithm::Sha256 => mac::<Hmac<Sha256>>(key, url, pairs),
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], url: &str, pairs: &[(&[u8], &[u8])]) -> String {
    // HMAC takes keys of every length.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(url.as_bytes());
    for (name, value) in pairs {
        mac.update(name);
        mac.update(value);
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The key id of `key=<id>,algorithm=<name>`. The algorithm is not read.
pub(crate) fn key_id(settings: &str) -> Option<&str> {
    let mut parts = settings.split(',').map(str::trim);
    parts
        .find_map(|part| part.strip_prefix("key="))
        .filter(|id| !id.is_empty())
}

fn body_hash_matches(url: &str, body: &[u8]) -> Result<bool, Refusal> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut hashes = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("bodySHA256="));
    let (Some(given), None) = (hashes.next(), hashes.next()) else {
        return Err(Refusal::NoBodyHash);
    };
    let actual = hex::encode(Sha256::digest(body));
    Ok(actual.as_bytes().ct_eq(given.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        vectors: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        kind: String,
        algorithm: String,
        token: String,
        url: String,
        form_body: Option<String>,
        json_body: Option<String>,
        signature: String,
        signature_settings_header: Option<String>,
        expect_valid: bool,
    }

    fn keys(vector: &Vector) -> TwilioKeys {
        match vector.signature_settings_header.as_deref() {
            None => TwilioKeys {
                auth_tokens: vec![vector.token.as_str().into()],
                shared: vec![],
            },
            Some(settings) => {
                let algorithm = vector.algorithm.strip_prefix("HMAC_").unwrap();
                let key = format!("{}:{algorithm}:{}", key_id(settings).unwrap(), vector.token);
                TwilioKeys {
                    auth_tokens: vec![],
                    shared: vec![key.parse().unwrap()],
                }
            }
        }
    }

    /// Every vector was run through Twilio's own libraries; the file says which.
    #[test]
    fn every_vector_is_answered_as_the_official_libraries_answer_it() {
        let file = test_support::fixture("twilio/signature_vectors.json");
        let Vectors { vectors } = serde_json::from_slice(&file).unwrap();
        assert!(vectors.len() >= 29);
        for vector in &vectors {
            let form = vector.form_body.clone().unwrap_or_default();
            let params = Params::parse(form.as_bytes()).unwrap();
            let body = match (vector.kind.as_str(), &vector.json_body) {
                ("json", Some(json)) => SignedBody::Raw(json.as_bytes()),
                _ => SignedBody::Form(&params),
            };
            let request = SignedRequest {
                url: &vector.url,
                body,
                signature: Some(&vector.signature),
                settings: vector.signature_settings_header.as_deref(),
            };
            let verified = verify(&request, &keys(vector));
            assert_eq!(
                verified.is_ok(),
                vector.expect_valid,
                "{}: {verified:?}",
                vector.name
            );
        }
    }

    const URL: &str = "https://bot.example.nl/webhooks/twilio/whatsapp";

    fn signed_with(secret: &str, algorithm: Algorithm, params: &Params<'_>) -> String {
        sign(algorithm, &secret.into(), URL, &params.in_signing_order())
    }

    fn request<'a>(params: &'a Params<'a>, signature: &'a str) -> SignedRequest<'a> {
        let body = SignedBody::Form(params);
        SignedRequest {
            url: URL,
            body,
            signature: Some(signature),
            settings: None,
        }
    }

    #[test]
    fn what_is_signed_alike_has_one_mark_however_it_is_split() {
        let mark = |body: &str, url: &str| {
            let params = Params::parse(body.as_bytes()).unwrap();
            replay_mark(&SignedRequest {
                url,
                ..request(&params, "")
            })
        };
        let one = mark("Body=hiFromx&From=y", URL);
        assert_eq!(one, mark("Body=hi&From=xFromy", URL));
        assert_ne!(one, mark("Body=hiFromx&From=z", URL));
        assert_ne!(
            one,
            mark("Body=hiFromx&From=y", "https://bot.example.nl/other")
        );
    }

    #[test]
    fn either_token_is_good_while_they_are_rotated() {
        let params = Params::parse(b"Body=hoi").unwrap();
        let keys = TwilioKeys {
            auth_tokens: vec!["old".into(), "new".into()],
            shared: vec![],
        };
        for token in ["old", "new"] {
            let signature = signed_with(token, Algorithm::Sha1, &params);
            assert_eq!(verify(&request(&params, &signature), &keys), Ok(()));
        }
        let signature = signed_with("other", Algorithm::Sha1, &params);
        assert_eq!(
            verify(&request(&params, &signature), &keys),
            Err(Refusal::Mismatch)
        );
    }

    #[test]
    fn the_settings_header_cannot_choose_the_key_or_the_algorithm() {
        let params = Params::parse(b"Body=hoi").unwrap();
        let keys = TwilioKeys {
            auth_tokens: vec!["token".into()],
            shared: vec!["k1:SHA1:shared".parse().unwrap()],
        };
        let with_token = signed_with("token", Algorithm::Sha1, &params);
        let with_sha256 = signed_with("shared", Algorithm::Sha256, &params);
        let with_sha1 = signed_with("shared", Algorithm::Sha1, &params);
        let check = |signature: &str, settings| {
            verify(
                &SignedRequest {
                    settings,
                    ..request(&params, signature)
                },
                &keys,
            )
        };
        let named = Some("key=k1,algorithm=HMAC_SHA256");
        assert_eq!(check(&with_sha1, named), Ok(()));
        assert_eq!(check(&with_sha256, named), Err(Refusal::Mismatch));
        assert_eq!(
            check(&with_token, named),
            Err(Refusal::Mismatch),
            "no fallback to the auth token"
        );
        assert_eq!(check(&with_token, Some("key=k2")), Err(Refusal::UnknownKey));
        assert_eq!(check(&with_token, Some("junk")), Err(Refusal::UnknownKey));
        assert_eq!(check(&with_sha1, None), Err(Refusal::Mismatch));
    }

    #[test]
    fn a_body_that_is_no_form_needs_its_hash_in_the_url() {
        let keys = TwilioKeys {
            auth_tokens: vec!["token".into()],
            shared: vec![],
        };
        let signature = sign(Algorithm::Sha1, &"token".into(), URL, &[]);
        let request = SignedRequest {
            url: URL,
            body: SignedBody::Raw(b"{}"),
            signature: Some(&signature),
            settings: None,
        };
        assert_eq!(verify(&request, &keys), Err(Refusal::NoBodyHash));
    }

    #[test]
    fn without_keys_nothing_is_believed() {
        let params = Params::default();
        let signature = signed_with("", Algorithm::Sha1, &params);
        assert_eq!(
            verify(&request(&params, &signature), &TwilioKeys::default()),
            Err(Refusal::Mismatch)
        );
        let unsigned = SignedRequest {
            signature: None,
            ..request(&params, "")
        };
        assert_eq!(
            verify(&unsigned, &TwilioKeys::default()),
            Err(Refusal::Missing)
        );
    }
}
