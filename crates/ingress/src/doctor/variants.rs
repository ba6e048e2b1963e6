//! The likely mistakes: how URL, parameters and token may differ from what Twilio signed. Pure.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};

use super::signature::SignatureArgs;
use crate::twilio::{Algorithm, Pair, Params, key_id};

/// A changed request and what was changed about it; nothing for the request as it came.
pub(super) struct Variant<T> {
    pub(super) value: T,
    pub(super) difference: Option<String>,
}

impl<T> Variant<T> {
    pub(super) fn same(value: T) -> Self {
        Self {
            value,
            difference: None,
        }
    }

    pub(super) fn other(value: T, difference: impl Into<String>) -> Self {
        Self {
            value,
            difference: Some(difference.into()),
        }
    }
}

pub(super) fn url_variants(args: &SignatureArgs) -> Vec<Variant<String>> {
    let url = args.url.as_str();
    let mut variants = vec![Variant::same(url.to_owned())];
    let changed = [
        spelling_variants(url),
        query_variants(url),
        path_variants(args, url),
    ];
    let changed = changed
        .into_iter()
        .flatten()
        .filter(|(value, _)| value != url);
    variants.extend(changed.map(|(value, difference)| Variant::other(value, difference)));
    variants
}

/// A URL and how it differs.
type Changed = (String, String);

fn spelling_variants(url: &str) -> Vec<Changed> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let other = if scheme == "https" { "http" } else { "https" };
    let mut variants = vec![
        (
            format!("{other}://{rest}"),
            format!("URL, scheme: Twilio signed {other}://; set it in PUBLIC_BASE_URL"),
        ),
        (
            url.to_lowercase(),
            "URL: upper case is in one and not in the other".into(),
        ),
    ];
    if let Some(host) = host_of(url) {
        let other = host
            .strip_prefix("www.")
            .map_or_else(|| format!("www.{host}"), str::to_owned);
        variants.push((
            url.replacen(host, &other, 1),
            format!("URL, host: Twilio signed {other}"),
        ));
    }
    variants
}

fn query_variants(url: &str) -> Vec<Changed> {
    let (before, query) = url.split_once('?').unwrap_or((url, ""));
    let tail = if query.is_empty() {
        String::new()
    } else {
        format!("?{query}")
    };
    let slash = before
        .strip_suffix('/')
        .map_or_else(|| format!("{before}/"), str::to_owned);
    let mut variants = vec![(
        format!("{slash}{tail}"),
        "URL, path: a slash at its end is in one and not in the other".to_owned(),
    )];
    if !query.is_empty() {
        let text = "URL, query: something re-encodes %20 and +; pass the query on as it came";
        variants.push((
            before.into(),
            "URL, query: Twilio signed the URL without its query".into(),
        ));
        variants.push((
            format!("{before}?{}", query.replace("%20", "+")),
            text.into(),
        ));
        variants.push((
            format!("{before}?{}", query.replace('+', "%20")),
            text.into(),
        ));
    }
    variants
}

fn path_variants(args: &SignatureArgs, url: &str) -> Vec<Changed> {
    let mut variants = Vec::new();
    for base in args
        .other_bases
        .iter()
        .map(|base| base.trim_end_matches('/'))
    {
        let whole = path_of(url).unwrap_or_default();
        let text = format!("URL: Twilio signed {base}; set PUBLIC_BASE_URL to it");
        variants.push((format!("{base}{whole}"), text));
        variants.extend(path_suffixes(url).into_iter().map(|path| {
            (
                format!("{base}{path}"),
                format!("URL, path: Twilio signed {base}{path}"),
            )
        }));
    }
    let origin = origin_of(url).unwrap_or_default();
    variants.extend(path_suffixes(url).into_iter().map(|path| {
        let text = format!("URL, path: Twilio signed it without the prefix, as {path}");
        (format!("{origin}{path}"), text)
    }));
    variants
}

fn origin_of(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url
        .get(start..)?
        .find('/')
        .map_or(url.len(), |slash| start + slash);
    url.get(..end)
}

fn host_of(url: &str) -> Option<&str> {
    let authority = origin_of(url)?.split_once("://")?.1;
    authority
        .rsplit('@')
        .next()?
        .split(':')
        .next()
        .filter(|host| !host.is_empty())
}

fn path_of(url: &str) -> Option<&str> {
    url.get(origin_of(url)?.len()..)
}

/// The path without its first segment, without its first two, and so on.
fn path_suffixes(url: &str) -> Vec<&str> {
    let path = path_of(url).unwrap_or_default();
    let end = path.find('?').unwrap_or(path.len());
    let slashes = path
        .match_indices('/')
        .map(|(at, _)| at)
        .filter(|at| *at > 0 && *at < end);
    slashes.filter_map(|at| path.get(at..)).collect()
}

type Pairs = Vec<Pair<'static>>;

pub(super) fn body_variants(body: &[u8]) -> Vec<Variant<Pairs>> {
    let pairs = |body: &[u8]| owned(&Params::parse(body).unwrap_or_default());
    let mut variants = vec![Variant::same(pairs(body))];
    variants.push(Variant::other(
        Vec::new(),
        "parameters: Twilio signed none; the request was a GET, or the body is not Twilio's",
    ));
    if let Some(without) = body.strip_suffix(b"\n") {
        let without = without.strip_suffix(b"\r").unwrap_or(without);
        let text = "parameters: the body file ends with a line break that the request did not have";
        variants.push(Variant::other(pairs(without), text));
    }
    let decode_again = |part: &[u8]| {
        let mut encoded = b"x=".to_vec();
        encoded.extend_from_slice(part);
        let params = Params::parse(&encoded).unwrap_or_default();
        params
            .in_signing_order()
            .first()
            .map_or_else(Vec::new, |(_, value)| value.to_vec())
    };
    let plus_kept = String::from_utf8_lossy(body)
        .replace('+', "%2B")
        .into_bytes();
    let changes: [(Pairs, &str); 3] = [
        (
            mapped(&pairs(body), trim),
            "parameters: white space at the end of a value was removed on the way",
        ),
        (
            mapped(&pairs(body), decode_again),
            "parameters: the body was encoded twice",
        ),
        (
            pairs(&plus_kept),
            "parameters: a plus sign was not decoded to a space before signing",
        ),
    ];
    for (changed, text) in changes {
        variants.push(Variant::other(changed, text));
    }
    variants
}

fn owned(params: &Params<'_>) -> Pairs {
    let pairs = params.in_signing_order().into_iter();
    pairs
        .map(|(name, value)| (Cow::Owned(name.to_vec()), Cow::Owned(value.to_vec())))
        .collect()
}

fn mapped(pairs: &Pairs, change: impl Fn(&[u8]) -> Vec<u8>) -> Pairs {
    pairs
        .iter()
        .map(|(name, value)| (name.clone(), Cow::Owned(change(value))))
        .collect()
}

fn trim(value: &[u8]) -> Vec<u8> {
    value.trim_ascii().to_vec()
}

/// A key and the hash that it is used with.
pub(super) struct Token {
    pub(super) secret: SecretString,
    pub(super) algorithm: Algorithm,
}

/// The key that the request should be signed with comes without a difference: the shared key that
/// its header names, else the auth token.
pub(super) fn token_variants(args: &SignatureArgs) -> Vec<Variant<Token>> {
    let named = args.settings.as_deref().and_then(key_id);
    let mut variants = auth_tokens(args);
    if let Some(id) = named {
        let text = format!(
            "token: Twilio signed with an auth token, although the header names the shared key {id}"
        );
        for variant in &mut variants {
            variant.difference.get_or_insert_with(|| text.clone());
        }
    }
    variants.extend(args.shared_keys.iter().map(|key| {
        let token = Token {
            secret: key.secret.clone(),
            algorithm: key.algorithm,
        };
        let id = &key.id;
        match named {
            Some(named) if named == id => Variant::same(token),
            Some(named) => Variant::other(
                token,
                format!("token: Twilio signed with the shared key {id}, the header names {named}"),
            ),
            None => Variant::other(
                token,
                format!(
                    "token: Twilio signed with the shared key {id}; the header that names it is missing"
                ),
            ),
        }
    }));
    variants
}

fn auth_tokens(args: &SignatureArgs) -> Vec<Variant<Token>> {
    let sha1 = |secret: SecretString| Token {
        secret,
        algorithm: Algorithm::Sha1,
    };
    let mut variants = Vec::new();
    if let Some(token) = &args.auth_token {
        variants.push(Variant::same(sha1(token.clone())));
        let exposed = token.expose_secret();
        for cleaned in [exposed.trim(), exposed.trim_matches(['"', '\''])] {
            if cleaned != exposed {
                let text = "token: TWILIO_AUTH_TOKEN has white space or quotes around it";
                variants.push(Variant::other(sha1(cleaned.into()), text));
            }
        }
    }
    for (number, token) in args.other_tokens.iter().enumerate() {
        let text = format!(
            "token: Twilio signed with the {}. of the other tokens; set TWILIO_AUTH_TOKEN to it",
            number + 1
        );
        variants.push(Variant::other(sha1(token.clone()), text));
    }
    variants
}
