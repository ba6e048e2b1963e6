//! Whether a request comes from a page of ours. Pure.
//!
//! A page of another site that an operator has open could post here with the operator's cookie. Browsers
//! say where a request comes from: by `Sec-Fetch-Site`, which they leave out on plain http but for this
//! machine, or by `Origin`.

use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

/// Whether a request may change something. Of a program that has a token nothing is asked here: no browser
/// sends one by itself.
pub(crate) fn may_change(method: &Method, headers: &HeaderMap) -> bool {
    if matches!(*method, Method::GET | Method::HEAD) {
        return true;
    }
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = header("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let (origin, host) = (header(ORIGIN.as_str()), header(HOST.as_str()));
    let authority = origin.and_then(|origin| origin.split_once("://"));
    match (authority, host) {
        (Some((_, authority)), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// What proxies say of those for whom they ask.
const OF_PROXIES: [&str; 5] = [
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "forwarded",
    "via",
];

/// Whether a request was sent to a name of this machine, by nobody for another. Where nobody logs in, a site
/// could lead a name of its own here, and read the answers; and a proxy on this machine would let everybody
/// in whom it serves.
pub(crate) fn is_to_this_machine(headers: &HeaderMap) -> bool {
    if OF_PROXIES.iter().any(|name| headers.contains_key(*name)) {
        return false;
    }
    let mut hosts = headers.get_all(HOST);
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let host = host.to_str().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_matches(['[', ']']);
    let address = bare.parse::<std::net::IpAddr>();
    address.is_ok_and(|address| address.is_loopback()) || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        headers
    }

    #[test]
    fn only_pages_of_ours_change_anything() {
        let may = |pairs: &[_]| may_change(&Method::POST, &headers(pairs));
        assert!(may(&[("sec-fetch-site", "same-origin")]));
        assert!(may(&[("sec-fetch-site", "none")]));
        assert!(may(&[
            ("host", "console:8070"),
            ("origin", "http://console:8070")
        ]));
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[
                ("sec-fetch-site", "same-site"),
                ("host", "a"),
                ("origin", "http://a"),
            ],
            &[("host", "console"), ("origin", "http://evil")],
            &[("host", "console"), ("origin", "null")],
            &[("host", "console")],
            &[],
        ] {
            assert!(!may(foreign), "{foreign:?}");
        }
        assert!(may_change(&Method::GET, &headers(&[])));
    }

    #[test]
    fn names_that_others_could_lead_here_are_not_this_machine() {
        for host in ["127.0.0.1:8070", "localhost", "LOCALHOST:1", "[::1]:8070"] {
            assert!(is_to_this_machine(&headers(&[("host", host)])), "{host}");
        }
        for host in ["evil.test:8070", "192.0.2.1", "localhost.evil.test", ""] {
            assert!(!is_to_this_machine(&headers(&[("host", host)])), "{host}");
        }
        let two = headers(&[("host", "localhost"), ("host", "evil.test")]);
        assert!(!is_to_this_machine(&two));
        for name in OF_PROXIES {
            let through = headers(&[("host", "localhost"), (name, "192.0.2.1")]);
            assert!(!is_to_this_machine(&through), "{name}");
        }
    }
}
