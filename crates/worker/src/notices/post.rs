//! One POST to a receiver that we do not know: bounded, never redirected, never to a private address
//! unless that is allowed.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, Url};

use super::channel::Outcome;

const TIMEOUT: Duration = Duration::from_secs(15);
const MAX_READ: usize = 200;

/// What posts notices.
#[derive(Debug, Clone)]
pub(super) struct Poster {
    http: Client,
    may_be_private: bool,
}

impl Poster {
    /// # Errors
    /// When the HTTP client cannot be built.
    pub(super) fn new(may_be_private: bool) -> reqwest::Result<Self> {
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .no_proxy();
        if !may_be_private {
            builder = builder.dns_resolver(Arc::new(PublicOnly));
        }
        Ok(Self {
            http: builder.build()?,
            may_be_private,
        })
    }

    /// Posts a JSON document. `is_done` judges what a success says.
    pub(super) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: String,
        is_done: impl Fn(u16, &str) -> bool,
    ) -> Outcome {
        if !self.may_be_private && literal(url).is_some_and(|ip| !is_public(ip)) {
            return Outcome::failed("the target is a private address; see NOTICE_ALLOW_PRIVATE");
        }
        let request = self
            .http
            .post(url.clone())
            .headers(headers)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(body);
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = runtime::Chain(&error.without_url()).to_string();
                return Outcome::failed(&error);
            }
        };
        let status = answer.status();
        let after = answer.headers().get(RETRY_AFTER);
        let after = after.and_then(|value| pause_of(value.to_str().ok()?, Timestamp::now()));
        let said = beginning(&mut answer).await;
        match status.as_u16() {
            410 => Outcome::Gone,
            200..=299 if is_done(status.as_u16(), &said) => Outcome::Sent,
            200..=299 => Outcome::failed(&format!("{status}, but not what was expected")),
            300..=399 => Outcome::failed(&format!("{status}: redirects are not followed")),
            _ => Outcome::Failed {
                error: status.to_string(),
                after,
            },
        }
    }
}

/// The beginning of what a receiver says, which may come in parts: only that matters, and it may talk
/// without end.
async fn beginning(answer: &mut Response) -> String {
    let mut said = Vec::new();
    while said.len() < MAX_READ
        && let Ok(Some(part)) = answer.chunk().await
    {
        said.extend_from_slice(&part);
    }
    said.truncate(MAX_READ);
    String::from_utf8_lossy(&said).into_owned()
}

/// How long a receiver wants to be left alone: seconds, or a date (RFC 9110, section 10.2.3).
fn pause_of(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(text.trim()).ok()?.timestamp();
    until.duration_since(now).try_into().ok()
}

/// The address that a URL names without a name.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

/// Looks names up and leaves out what is private. The connection goes to what was judged here.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move { public_addresses(name.as_str()).await })
    }
}

async fn public_addresses(name: &str) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    let found = tokio::net::lookup_host((name, 0)).await?;
    let public: Vec<SocketAddr> = found.filter(|found| is_public(found.ip())).collect();
    if public.is_empty() {
        return Err("the target has no public address; see NOTICE_ALLOW_PRIVATE".into());
    }
    Ok(Box::new(public.into_iter()))
}

/// Whether an address is one of the public internet (iana.org, special-purpose address registries).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => {
            if let Some(inner) = inner_v4(ip) {
                return is_public_v4(inner);
            }
            let first = ip.segments()[0];
            let global_unicast = first & 0xe000 == 0x2000;
            let documentation = first == 0x2001 && ip.segments()[1] == 0x0db8;
            global_unicast && !documentation
        }
    }
}

/// The address of the older kind within one of the newer: mapped, translated (RFC 6052) or 6to4.
fn inner_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, .., g, h] = ip.segments();
    let [c, d] = [ip.segments()[1], ip.segments()[2]];
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b) {
        (0x0064, 0xff9b) => Some(from(g, h)),
        (0x2002, _) => Some(from(c, d)),
        _ => ip.to_ipv4(),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let special = a == 192 && b == 0 && c == 0;
    let benchmark = a == 198 && (b == 18 || b == 19);
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || shared
        || special
        || benchmark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_names_a_pause_or_a_moment() {
        let now = "1994-11-06T08:49:07Z".parse().unwrap();
        let pause = |text| pause_of(text, now).map(|pause| pause.as_secs());
        assert_eq!(pause("120"), Some(120));
        assert_eq!(pause(" Sun, 06 Nov 1994 08:49:37 GMT "), Some(30));
        for nothing in ["", "-1", "1.5", "morgen", "Sun, 06 Nov 1994 08:48:37 GMT"] {
            assert_eq!(pause(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn only_the_public_internet_is_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }
}
