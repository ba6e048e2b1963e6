//! Whose budget a request uses up. Pure.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::config::ClientAddressSource;

/// The address that limits count for: an IPv4 address, or the /64 of an IPv6 one, since a single
/// subscriber has a whole /64.
///
/// A header counts only when it is configured, and falls back to the peer when it is missing or
/// not an address.
pub(crate) fn client_address(
    source: ClientAddressSource,
    trusted_hops: u16,
    peer: Option<SocketAddr>,
    header: impl Fn(&str) -> Option<String>,
) -> String {
    let claimed = match source {
        ClientAddressSource::Peer => None,
        ClientAddressSource::XRealIp => header("x-real-ip").and_then(|value| parse(&value)),
        ClientAddressSource::XForwardedFor => {
            let value = header("x-forwarded-for").unwrap_or_default();
            let hop = usize::from(trusted_hops).saturating_sub(1);
            value.rsplit(',').nth(hop).and_then(parse)
        }
    };
    let address = claimed.or_else(|| peer.map(|peer| peer.ip()));
    address.map_or_else(|| "unknown".to_owned(), key)
}

fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

fn key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ClientAddressSource::{Peer, XForwardedFor, XRealIp};

    fn address(source: ClientAddressSource, hops: u16, peer: &str, header: &str) -> String {
        let given = |_: &str| Some(header.to_owned()).filter(|value| !value.is_empty());
        client_address(source, hops, peer.parse().ok(), given)
    }

    #[test]
    fn headers_count_only_when_they_are_trusted() {
        assert_eq!(address(Peer, 1, "192.0.2.1:5", "203.0.113.9"), "192.0.2.1");
        assert_eq!(
            address(XRealIp, 1, "192.0.2.1:5", "203.0.113.9"),
            "203.0.113.9"
        );
        assert_eq!(address(XRealIp, 1, "192.0.2.1:5", "junk"), "192.0.2.1");
        assert_eq!(address(XRealIp, 1, "192.0.2.1:5", ""), "192.0.2.1");
    }

    #[test]
    fn forwarded_addresses_are_counted_from_the_right() {
        let forwarded = "6.6.6.6, 203.0.113.9, 10.0.0.1";
        assert_eq!(
            address(XForwardedFor, 1, "192.0.2.1:5", forwarded),
            "10.0.0.1"
        );
        assert_eq!(
            address(XForwardedFor, 2, "192.0.2.1:5", forwarded),
            "203.0.113.9"
        );
        assert_eq!(
            address(XForwardedFor, 9, "192.0.2.1:5", forwarded),
            "192.0.2.1"
        );
    }

    #[test]
    fn ipv6_counts_by_subscriber_and_mapped_ipv4_as_ipv4() {
        assert_eq!(
            address(Peer, 1, "[2001:db8:1:2:3:4:5:6]:5", ""),
            "2001:db8:1:2::/64"
        );
        assert_eq!(address(Peer, 1, "[::ffff:192.0.2.1]:5", ""), "192.0.2.1");
        assert_eq!(
            address(XRealIp, 1, "192.0.2.1:5", "[2001:db8::1]:443"),
            "2001:db8::/64"
        );
    }
}
