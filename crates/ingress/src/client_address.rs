//! Whose budget a request uses up. Pure.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::config::{ClientAddressSource, StrangersConfig};

/// Whom a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    /// What limits count for.
    pub(crate) address: String,
    /// A header claims another address, but no proxy of ours wrote it.
    pub(crate) distrusted: bool,
}

/// A header counts only when it is configured and a proxy of ours is the peer. When it is missing
/// or no address, the peer's own counts.
pub(crate) fn client(
    config: &StrangersConfig,
    peer: Option<SocketAddr>,
    header: impl Fn(&str) -> Option<String>,
) -> Client {
    let claimed = match config.client_address {
        ClientAddressSource::Peer => None,
        ClientAddressSource::XRealIp => header("x-real-ip").and_then(|value| parse(&value)),
        ClientAddressSource::XForwardedFor => {
            let value = header("x-forwarded-for").unwrap_or_default();
            let hop = usize::from(config.trusted_hops.get()).saturating_sub(1);
            value.rsplit(',').nth(hop).and_then(parse)
        }
    };
    let peer = peer.map(|peer| peer.ip());
    let proxies = &config.trusted_proxies;
    let by_proxy = peer.is_some_and(|peer| proxies.iter().any(|proxy| proxy.contains(peer)));
    let address = claimed.filter(|_| by_proxy).or(peer);
    Client {
        address: address.map_or_else(|| "unknown".to_owned(), subscriber),
        distrusted: claimed.is_some() && !by_proxy,
    }
}

fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

/// The address that limits count for: an IPv4 address, or the /64 of an IPv6 one, since a single
/// subscriber has a whole /64.
pub(crate) fn subscriber(address: IpAddr) -> String {
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
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        strangers: StrangersConfig,
    }

    fn found(flags: &[&str], peer: &str, header: &str) -> Client {
        let config = Cli::parse_from(["test"].iter().chain(flags)).strangers;
        let given = |_: &str| Some(header.to_owned()).filter(|value| !value.is_empty());
        client(&config, peer.parse().ok(), given)
    }

    const REAL_IP: [&str; 2] = ["--client-address", "x-real-ip"];

    #[test]
    fn headers_count_only_when_they_are_configured() {
        let address = |flags: &[&str], header| found(flags, "10.0.0.1:5", header).address;
        assert_eq!(address(&[], "203.0.113.9"), "10.0.0.1");
        assert_eq!(address(&REAL_IP, "203.0.113.9"), "203.0.113.9");
        assert_eq!(address(&REAL_IP, "junk"), "10.0.0.1");
        assert_eq!(address(&REAL_IP, ""), "10.0.0.1");
    }

    #[test]
    fn headers_count_only_when_a_proxy_of_ours_wrote_them() {
        let stranger = found(&REAL_IP, "198.51.100.1:5", "203.0.113.9");
        assert_eq!(
            (stranger.address.as_str(), stranger.distrusted),
            ("198.51.100.1", true)
        );
        let flags = [&REAL_IP[..], &["--trusted-proxies", "198.51.100.0/24,::1"]].concat();
        let named = found(&flags, "198.51.100.1:5", "203.0.113.9");
        assert_eq!(
            (named.address.as_str(), named.distrusted),
            ("203.0.113.9", false)
        );
        assert!(found(&flags, "10.0.0.1:5", "203.0.113.9").distrusted);
        assert!(!found(&[], "198.51.100.1:5", "203.0.113.9").distrusted);
    }

    #[test]
    fn forwarded_addresses_are_counted_from_the_right() {
        let forwarded = "6.6.6.6, 203.0.113.9, 10.0.0.1";
        for (hops, address) in [("1", "10.0.0.1"), ("2", "203.0.113.9"), ("9", "10.9.9.9")] {
            let flags = [
                "--client-address",
                "x-forwarded-for",
                "--trusted-hops",
                hops,
            ];
            assert_eq!(found(&flags, "10.9.9.9:5", forwarded).address, address);
        }
    }

    #[test]
    fn ipv6_counts_by_subscriber_and_mapped_ipv4_as_ipv4() {
        let peer = |peer| found(&[], peer, "").address;
        assert_eq!(peer("[2001:db8:1:2:3:4:5:6]:5"), "2001:db8:1:2::/64");
        assert_eq!(peer("[::ffff:192.0.2.1]:5"), "192.0.2.1");
        let claimed = found(&REAL_IP, "[::1]:1", "[2001:db8::1]:443").address;
        assert_eq!(claimed, "2001:db8::/64");
    }
}
