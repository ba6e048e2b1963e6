//! Which pages may use the simulator: those that it serves itself.
//!
//! A page of another site that somebody has open could post to a server on their machine, or reach it
//! under a name of its own that it lets point there. The first tells its own `Origin`, the second a
//! foreign `Host`.

use std::net::IpAddr;

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

/// Whether a request comes from a page of ours or from a program. `own_names` are further host names
/// that lead here.
pub(crate) fn is_welcome(headers: &HeaderMap, own_names: &[String]) -> bool {
    let mut hosts = headers
        .get_all(HOST)
        .map(|host| host.to_str().unwrap_or_default());
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host,
        // HTTP/1.0 has none; two of them are a trick.
        (None, _) => return !headers.contains_key(ORIGIN),
        (Some(_), Some(_)) => return false,
    };
    if !leads_here(host, own_names) {
        return false;
    }
    headers.get_all(ORIGIN).all(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    })
}

/// Addresses, names without a dot, and names that are kept for private networks (RFC 6761, RFC 6762,
/// ICANN's `internal`) cannot belong to a site on the internet.
fn leads_here(host: &str, own_names: &[String]) -> bool {
    let name = without_port(host);
    let bare = name.trim_matches(['[', ']']);
    bare.parse::<IpAddr>().is_ok()
        || !name.contains('.') && !name.is_empty()
        || [".localhost", ".internal", ".local"]
            .iter()
            .any(|private| name.to_ascii_lowercase().ends_with(private))
        || own_names.iter().any(|own| own.eq_ignore_ascii_case(name))
}

fn without_port(host: &str) -> &str {
    let after_address = host.rfind(']').map_or(0, |bracket| bracket + 1);
    let port = host.get(after_address..).and_then(|rest| rest.find(':'));
    let end = port.map_or(host.len(), |colon| after_address + colon);
    host.get(..end).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn welcome(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        is_welcome(&headers, &["sim.example.nl".to_owned()])
    }

    #[test]
    fn programs_and_pages_of_ours_are_welcome() {
        for (host, origin) in [
            ("localhost:8090", None),
            ("127.0.0.1:8090", Some("http://127.0.0.1:8090")),
            ("[::1]:8090", Some("http://[::1]:8090")),
            ("simulator:8090", None),
            ("Sim.example.nl", Some("https://sim.example.nl")),
        ] {
            assert!(welcome(host, origin), "{host} {origin:?}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_not() {
        for (host, origin) in [
            ("evil.example", None),
            ("127.0.0.1.evil.example:8090", None),
            ("localhost:8090", Some("https://evil.example")),
            ("localhost:8090", Some("http://localhost:9000")),
            ("localhost:8090", Some("null")),
            ("", None),
        ] {
            assert!(!welcome(host, origin), "{host} {origin:?}");
        }
    }
}
