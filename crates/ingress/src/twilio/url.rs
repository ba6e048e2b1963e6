//! The URL that Twilio signed, as text. A URL type would re-encode it.

/// The public URL of a request: the configured base, and path and query exactly as they came.
pub(crate) fn with_path(public_base: &str, path_and_query: &str) -> String {
    format!("{}{path_and_query}", public_base.trim_end_matches('/'))
}

/// The two spellings that Twilio may have signed: without a port, and with one (its own, or the
/// scheme's default). The official libraries accept both, because the signer is inconsistent
/// (`compute_signature` of `twilio-python`, `getExpectedTwilioSignature` of `twilio-node`).
pub(crate) fn port_variants(url: &str) -> [String; 2] {
    let Some((scheme, rest)) = url.split_once("://") else {
        return [url.to_owned(), url.to_owned()];
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (userinfo, host_port) = match authority.rsplit_once('@') {
        Some((userinfo, host_port)) => (Some(userinfo), host_port),
        None => (None, authority),
    };
    let (host, port) = split_port(host_port);
    let default = if scheme.eq_ignore_ascii_case("http") {
        "80"
    } else {
        "443"
    };
    let at = if userinfo.is_some() { "@" } else { "" };
    let userinfo = userinfo.unwrap_or_default();
    [
        format!("{scheme}://{userinfo}{at}{host}{tail}"),
        format!(
            "{scheme}://{userinfo}{at}{host}:{}{tail}",
            port.unwrap_or(default)
        ),
    ]
}

/// The host of a URL, without the brackets of an IPv6 address, and its port: its own, or the
/// scheme's default.
pub(crate) fn host_and_port(url: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_port = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host_port)| host_port);
    let (host, port) = split_port(host_port);
    let port = match port {
        Some(port) => port.parse().ok()?,
        None if scheme.eq_ignore_ascii_case("http") => 80,
        None => 443,
    };
    Some((host.trim_matches(['[', ']']), port))
}

/// Splits `host:port`; the colons of an IPv6 address are inside brackets.
fn split_port(host_port: &str) -> (&str, Option<&str>) {
    let after_address = host_port.rfind(']').map_or(0, |bracket| bracket + 1);
    match host_port
        .get(after_address..)
        .and_then(|tail| tail.rfind(':'))
    {
        Some(colon) => {
            let (host, port) = host_port.split_at(after_address + colon);
            (host, port.strip_prefix(':'))
        }
        None => (host_port, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_the_port_are_made_by_text_alone() {
        for (url, without, with) in [
            (
                "https://a.nl/x?q=%20",
                "https://a.nl/x?q=%20",
                "https://a.nl:443/x?q=%20",
            ),
            ("http://a.nl", "http://a.nl", "http://a.nl:80"),
            (
                "https://a.nl:8443?x=/:1",
                "https://a.nl?x=/:1",
                "https://a.nl:8443?x=/:1",
            ),
            (
                "https://[2001:db8::1]:8443/x",
                "https://[2001:db8::1]/x",
                "https://[2001:db8::1]:8443/x",
            ),
            (
                "https://[2001:db8::1]/x",
                "https://[2001:db8::1]/x",
                "https://[2001:db8::1]:443/x",
            ),
            (
                "https://u:p%40@a.nl/x",
                "https://u:p%40@a.nl/x",
                "https://u:p%40@a.nl:443/x",
            ),
        ] {
            assert_eq!(port_variants(url), [without, with], "{url}");
        }
    }

    #[test]
    fn host_and_port_are_found_in_every_kind_of_url() {
        for (url, expected) in [
            ("https://a.nl/x", Some(("a.nl", 443))),
            ("http://a.nl", Some(("a.nl", 80))),
            ("https://u:p@a.nl:8443/x", Some(("a.nl", 8443))),
            ("https://[::1]:8443/x", Some(("::1", 8443))),
            ("https://[::1]", Some(("::1", 443))),
            ("https://a.nl:many", None),
            ("a.nl", None),
        ] {
            assert_eq!(host_and_port(url), expected, "{url}");
        }
    }

    #[test]
    fn the_base_gives_scheme_host_and_prefix() {
        assert_eq!(
            with_path("https://a.nl/", "/webhooks?x=1"),
            "https://a.nl/webhooks?x=1"
        );
        assert_eq!(with_path("https://a.nl/bot", "/w"), "https://a.nl/bot/w");
    }
}
