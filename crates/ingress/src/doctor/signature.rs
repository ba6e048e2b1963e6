//! Tries the likely mistakes, fewest first, until the signature fits. Pure but for reading the file.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use secrecy::SecretString;

use super::Diagnosis;
use super::variants::{Token, Variant, body_variants, token_variants, url_variants};
use crate::twilio::{
    Algorithm, Pair, Params, Refusal, SharedKey, SignedBody, SignedRequest, TwilioKeys,
    port_variants, sign, verify,
};

/// A request as it reached us.
#[derive(Debug, Clone, Args)]
pub struct SignatureArgs {
    /// The URL as we believe that Twilio called it: PUBLIC_BASE_URL, path and query.
    #[arg(long)]
    pub url: String,

    /// The raw body, in a file.
    #[arg(long, value_name = "FILE")]
    pub body_file: PathBuf,

    /// The header X-Twilio-Signature.
    #[arg(long)]
    pub signature: String,

    /// The header Content-Type.
    #[arg(long, default_value = "application/x-www-form-urlencoded")]
    pub content_type: String,

    /// The header X-Twilio-Webhooks-Signature-Settings, where there is one.
    #[arg(long)]
    pub settings: Option<String>,

    /// Other base URLs that may have been signed, such as the one in Twilio's console.
    #[arg(long = "also-base-url", value_name = "URL")]
    pub other_bases: Vec<String>,

    /// The account's auth token.
    #[arg(long, env = "TWILIO_AUTH_TOKEN", hide_env_values = true)]
    pub auth_token: Option<SecretString>,

    /// Other tokens to try: the old one, a subaccount's, an API key's secret.
    #[arg(
        long,
        env = "TWILIO_EXTRA_AUTH_TOKENS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub other_tokens: Vec<SecretString>,

    /// Shared keys as `id:SHA256:secret`.
    #[arg(
        long,
        env = "TWILIO_SHARED_KEYS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub shared_keys: Vec<SharedKey>,

    /// Our account, to compare with the body's.
    #[arg(long, env = "TWILIO_ACCOUNT_SID")]
    pub account_sid: Option<String>,
}

/// Says whether the signature is right, or what differs.
pub fn examine_signature(args: &SignatureArgs, body: &[u8]) -> Diagnosis {
    let media_type = args
        .content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    let is_form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let mut lines = observations(args, body, is_form);
    let params = Params::parse(body).unwrap_or_default();
    let signed = if is_form {
        SignedBody::Form(&params)
    } else {
        SignedBody::Raw(body)
    };
    let request = SignedRequest {
        url: &args.url,
        body: signed,
        signature: Some(&args.signature),
        settings: args.settings.as_deref(),
    };
    let tokens = args.auth_token.iter().cloned().collect();
    let keys = TwilioKeys {
        auth_tokens: tokens,
        shared: args.shared_keys.clone(),
    };
    match verify(&request, &keys) {
        Ok(()) => {
            lines.insert(0, "valid: the signature fits URL, body and token".into());
            if let Some(advice) = foreign_account(args, body) {
                return Diagnosis {
                    advice: format!(
                        "{advice}; ingress refuses its webhooks until TWILIO_ACCOUNT_SID is this account's"
                    ),
                    lines,
                    healthy: false,
                };
            }
            let advice = "nothing to do; if ingress still answers 403, its PUBLIC_BASE_URL or \
                          TWILIO_AUTH_TOKEN differs from what you gave here";
            return Diagnosis {
                lines,
                advice: advice.into(),
                healthy: true,
            };
        }
        Err(refusal @ (Refusal::UnknownKey | Refusal::NoBodyHash | Refusal::BodyHash)) => {
            return Diagnosis {
                lines,
                advice: refusal.to_string(),
                healthy: false,
            };
        }
        Err(Refusal::Missing | Refusal::Mismatch) => {}
    }
    let bodies = if is_form {
        body_variants(body)
    } else {
        vec![Variant::same(Vec::new())]
    };
    match find_difference(args, &bodies) {
        Some(differences) => {
            lines.push("the signature fits once this is changed:".into());
            lines.extend(
                differences
                    .iter()
                    .map(|difference| format!("  - {difference}")),
            );
            let advice = differences.join("; and ");
            Diagnosis {
                lines,
                advice,
                healthy: false,
            }
        }
        None => unexplained(args, lines),
    }
}

fn unexplained(args: &SignatureArgs, mut lines: Vec<String>) -> Diagnosis {
    lines.push("no likely variant of URL, parameters or token fits".into());
    let advice = if args.auth_token.is_none() && args.shared_keys.is_empty() {
        "give the auth token in TWILIO_AUTH_TOKEN, or the shared key in TWILIO_SHARED_KEYS"
    } else {
        "the token differs, or the body does: compare TWILIO_AUTH_TOKEN with the primary token in \
         Twilio's console (each subaccount has its own), take the body from the raw request and \
         not from a log, and give other URLs with --also-base-url"
    };
    Diagnosis {
        lines,
        advice: advice.into(),
        healthy: false,
    }
}

/// What can be seen without any key.
fn observations(args: &SignatureArgs, body: &[u8], is_form: bool) -> Vec<String> {
    let mut lines = Vec::new();
    match STANDARD.decode(&args.signature) {
        Ok(bytes) if bytes.len() == 20 => {}
        Ok(bytes) if bytes.len() == 32 => lines.push(
            "signature: has the length of SHA-256; Twilio uses it only with a shared key".into(),
        ),
        Ok(bytes) => lines.push(format!(
            "signature: is base64 of {} bytes; SHA-1 gives 20",
            bytes.len()
        )),
        Err(_) => {
            lines.push("signature: is not base64; Twilio's has 28 characters and ends in =".into())
        }
    }
    if !is_form && !args.url.contains("bodySHA256=") {
        lines.push(format!(
            "body: {} is not a form, and the URL has no bodySHA256 parameter: Twilio would have added one",
            args.content_type
        ));
    }
    lines.extend(foreign_account(args, body));
    lines
}

/// What to say of a body of another account than ours.
fn foreign_account(args: &SignatureArgs, body: &[u8]) -> Option<String> {
    let params = Params::parse(body).unwrap_or_default();
    let own = args.account_sid.as_ref()?;
    let given = params.get("AccountSid").ok()??;
    (own != given).then(|| {
        format!("account: the body is of {given}, TWILIO_ACCOUNT_SID is {own}: each account signs with its own token")
    })
}

/// The smallest set of changes after which the signature fits.
fn find_difference(
    args: &SignatureArgs,
    bodies: &[Variant<Vec<Pair<'static>>>],
) -> Option<Vec<String>> {
    let urls = url_variants(args);
    let tokens = token_variants(args);
    let mut best: Option<Vec<String>> = None;
    for url in &urls {
        for body in bodies {
            for token in &tokens {
                for encoding in encodings(token.value.algorithm) {
                    let differences: Vec<String> = [
                        &url.difference,
                        &body.difference,
                        &token.difference,
                        &encoding.difference,
                    ]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect();
                    let is_better = best
                        .as_ref()
                        .is_none_or(|best| differences.len() < best.len());
                    if is_better && fits(args, &url.value, &body.value, token, &encoding.value) {
                        best = Some(differences);
                    }
                }
            }
        }
    }
    best
}

/// How a hash may be made and written.
struct Encoding {
    algorithm: Algorithm,
    hexadecimal: bool,
}

fn encodings(expected: Algorithm) -> [Variant<Encoding>; 3] {
    let base64 = |algorithm| Encoding {
        algorithm,
        hexadecimal: false,
    };
    let other = match expected {
        Algorithm::Sha1 => Variant::other(
            base64(Algorithm::Sha256),
            "token: the request is signed with HMAC-SHA256; Twilio does that only with a shared \
             key, so put it into TWILIO_SHARED_KEYS as SHA256",
        ),
        Algorithm::Sha256 => Variant::other(
            base64(Algorithm::Sha1),
            "token: the request is signed with HMAC-SHA1, TWILIO_SHARED_KEYS says SHA256",
        ),
    };
    let hexadecimal = Variant::other(
        Encoding {
            algorithm: expected,
            hexadecimal: true,
        },
        "signature: is hexadecimal; Twilio's is base64, so something between rewrites it",
    );
    [Variant::same(base64(expected)), other, hexadecimal]
}

fn fits(
    args: &SignatureArgs,
    url: &str,
    pairs: &[Pair<'_>],
    token: &Variant<Token>,
    encoding: &Encoding,
) -> bool {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()))
        .collect();
    port_variants(url).iter().any(|url| {
        let signature = sign(encoding.algorithm, &token.value.secret, url, &pairs);
        if encoding.hexadecimal {
            STANDARD
                .decode(signature)
                .is_ok_and(|bytes| hex::encode(bytes) == args.signature)
        } else {
            signature == args.signature
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://bot.example.nl/webhooks/twilio/whatsapp?x=a%20b";
    const BODY: &[u8] = b"AccountSid=AC1&Body=hoi+daar&From=whatsapp%3A%2B31612345678";

    fn signed(url: &str, body: &[u8], token: &str) -> String {
        let params = Params::parse(body).unwrap();
        sign(
            Algorithm::Sha1,
            &token.into(),
            url,
            &params.in_signing_order(),
        )
    }

    fn args(url: &str, signature: String) -> SignatureArgs {
        SignatureArgs {
            url: url.into(),
            body_file: PathBuf::new(),
            signature,
            content_type: "application/x-www-form-urlencoded".into(),
            settings: None,
            other_bases: vec!["https://other.example.com".into()],
            auth_token: Some("token".into()),
            other_tokens: vec!["old".into()],
            shared_keys: vec![],
            account_sid: Some("AC1".into()),
        }
    }

    #[track_caller]
    fn explains(args: &SignatureArgs, body: &[u8], cause: &str) {
        let diagnosis = examine_signature(args, body);
        assert!(!diagnosis.healthy);
        let said = diagnosis.to_string();
        assert!(said.contains(cause), "expected {cause:?} in:\n{said}");
        assert!(
            !said.contains("token\"") && !said.contains("\"old"),
            "no secret may be shown"
        );
    }

    #[test]
    fn a_good_signature_is_called_valid() {
        assert!(examine_signature(&args(URL, signed(URL, BODY, "token")), BODY).healthy);
    }

    #[test]
    fn each_likely_mistake_is_named() {
        let with = |url: &str, body: &[u8], token: &str| args(URL, signed(url, body, token));
        let swap = |from: &str, to: &str| URL.replacen(from, to, 1);
        explains(
            &with(&swap("https", "http"), BODY, "token"),
            BODY,
            "URL, scheme",
        );
        explains(
            &with(&swap("bot.", "www.bot."), BODY, "token"),
            BODY,
            "URL, host",
        );
        explains(
            &with(&swap("bot.example.nl", "other.example.com"), BODY, "token"),
            BODY,
            "Twilio signed https://other.example.com",
        );
        explains(
            &with(&swap("/whatsapp", "/whatsapp/"), BODY, "token"),
            BODY,
            "URL, path",
        );
        explains(
            &with(&swap("/webhooks/twilio", "/twilio"), BODY, "token"),
            BODY,
            "without the prefix",
        );
        explains(
            &with(&swap("?x=a%20b", ""), BODY, "token"),
            BODY,
            "URL, query",
        );
        explains(&with(&swap("%20", "+"), BODY, "token"), BODY, "re-encodes");
        explains(&with(URL, BODY, "old"), BODY, "1. of the other tokens");
        explains(
            &with(URL, b"", "token"),
            BODY,
            "parameters: Twilio signed none",
        );
        explains(
            &with(URL, BODY, "token"),
            &[BODY, b"\n"].concat(),
            "line break",
        );
        explains(
            &with(URL, b"Body=hoi", "token"),
            b"Body=hoi++",
            "white space at the end",
        );
        let two = with(&swap("https", "http"), BODY, "old");
        explains(&two, BODY, "URL, scheme");
        explains(&two, BODY, "of the other tokens");
    }

    #[test]
    fn wrong_kinds_of_signature_are_recognised() {
        let params = Params::parse(BODY).unwrap();
        let sha256 = sign(
            Algorithm::Sha256,
            &"token".into(),
            URL,
            &params.in_signing_order(),
        );
        explains(&args(URL, sha256), BODY, "HMAC-SHA256");
        let hex = hex::encode(STANDARD.decode(signed(URL, BODY, "token")).unwrap());
        explains(&args(URL, hex), BODY, "hexadecimal");
        let quoted = SignatureArgs {
            auth_token: Some("\"token\"".into()),
            ..args(URL, signed(URL, BODY, "token"))
        };
        explains(&quoted, BODY, "quotes around it");
        let other_account = SignatureArgs {
            account_sid: Some("AC2".into()),
            ..args(URL, signed(URL, BODY, "x"))
        };
        explains(&other_account, BODY, "account: the body is of AC1");
        explains(
            &args(URL, signed(URL, BODY, "unknown")),
            BODY,
            "the token differs, or the body does",
        );
    }
}
