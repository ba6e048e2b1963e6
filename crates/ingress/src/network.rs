//! Networks by address and prefix. Pure.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A network, such as `10.0.0.0/8`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// The text names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a network is written like 10.0.0.0/8 or 2001:db8::/32, or as one address")]
pub struct NetworkError;

impl Network {
    /// Loopback, link-local, private and shared address space (RFC 1918, 4193, 6598): what no
    /// stranger on the internet connects from.
    pub const PRIVATE: [&str; 9] = [
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "::1",
        "fc00::/7",
        "fe80::/10",
    ];

    /// Whether an address lies in it. An IPv4 address in IPv6's clothes counts as IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, true),
            IpAddr::V6(v6) => (v6.to_bits(), false),
        };
        let (own, other) = (bits(self.address), bits(address.to_canonical()));
        let differing = own.0 ^ other.0;
        own.1 == other.1 && differing.leading_zeros() >= self.prefix.into()
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| NetworkError)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| NetworkError)?,
            None => longest,
        };
        if prefix > longest {
            return Err(NetworkError);
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(network: &str, address: &str) -> bool {
        let network: Network = network.parse().unwrap();
        network.contains(address.parse().unwrap())
    }

    #[test]
    fn the_prefix_decides() {
        assert!(within("10.0.0.0/8", "10.255.1.2"));
        assert!(!within("10.0.0.0/8", "11.0.0.1"));
        assert!(within("172.16.0.0/12", "172.31.255.255"));
        assert!(!within("172.16.0.0/12", "172.32.0.0"));
        assert!(within("192.0.2.7", "192.0.2.7"));
        assert!(!within("192.0.2.7", "192.0.2.6"));
        assert!(within("0.0.0.0/0", "203.0.113.9"));
        assert!(within("fc00::/7", "fd12::1"));
        assert!(!within("fc00::/7", "2001:db8::1"));
        assert!(within("10.0.0.0/8", "::ffff:10.1.1.1"));
        assert!(!within("::/0", "10.1.1.1"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in ["", "x", "10.0.0.0/33", "10.0.0.0/x", "::1/129", "10.0/8"] {
            assert_eq!(bad.parse::<Network>(), Err(NetworkError), "{bad}");
        }
        for good in Network::PRIVATE {
            assert!(good.parse::<Network>().is_ok(), "{good}");
        }
    }
}
