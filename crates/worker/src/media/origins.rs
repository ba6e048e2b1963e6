//! Which addresses media may be fetched from, and with whose credentials. Pure.

use reqwest::Url;
use secrecy::SecretString;

/// How a request proves who it comes from.
#[derive(Debug, Clone)]
pub(super) enum Credentials {
    /// Basic authentication, as Twilio's media want it.
    Basic {
        user: String,
        password: SecretString,
    },
    /// The header `X-Api-Key`, as WAHA's files want it.
    ApiKey(SecretString),
}

/// A host with credentials of its own. They go to this origin and to no other.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) base: Url,
    pub(super) credentials: Credentials,
}

/// Where media may come from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins {
    pub(super) homes: Vec<Home>,
    /// Host names; one that begins with a dot covers what lies below it.
    pub(super) hosts: Vec<String>,
}

/// Why an address is not fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it is no web address")]
    NotAUrl,
    #[error("it holds a user or password")]
    UserInfo,
    #[error("it is not encrypted")]
    NotEncrypted,
    #[error("its host is not allowed")]
    Host,
}

impl Origins {
    /// The address as it may be fetched, and the credentials that go with it.
    pub(super) fn admit(&self, text: &str) -> Result<(Url, Option<&Credentials>), Refusal> {
        let url = Url::parse(text).map_err(|_| Refusal::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        if let Some(home) = self
            .homes
            .iter()
            .find(|home| home.base.origin() == url.origin())
        {
            return Ok((url, Some(&home.credentials)));
        }
        if url.scheme() != "https" {
            return Err(Refusal::NotEncrypted);
        }
        let host = url.host_str().unwrap_or_default();
        let is_allowed = self
            .hosts
            .iter()
            .any(|allowed| match allowed.strip_prefix('.') {
                Some(parent) => host
                    .strip_suffix(parent)
                    .is_some_and(|below| below.ends_with('.')),
                None => host == allowed,
            });
        if is_allowed {
            Ok((url, None))
        } else {
            Err(Refusal::Host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        let credentials = Credentials::ApiKey("key".into());
        Origins {
            homes: vec![Home {
                base: Url::parse("http://waha:3000").unwrap(),
                credentials,
            }],
            hosts: vec!["media.example.com".into(), ".cdn.example".into()],
        }
    }

    #[test]
    fn only_named_hosts_are_fetched_from_and_only_homes_see_credentials() {
        let origins = origins();
        let verdict = |text: &str| {
            origins
                .admit(text)
                .map(|(_, credentials)| credentials.is_some())
        };
        assert_eq!(verdict("http://waha:3000/api/files/a.oga"), Ok(true));
        assert_eq!(verdict("https://media.example.com/a"), Ok(false));
        assert_eq!(verdict("https://a.b.cdn.example/x"), Ok(false));
        for (text, refusal) in [
            ("http://waha:3001/api/files/a.oga", Refusal::NotEncrypted),
            ("https://waha:3000/api/files/a.oga", Refusal::Host),
            ("http://media.example.com/a", Refusal::NotEncrypted),
            ("https://media.example.com.evil.example/a", Refusal::Host),
            ("https://evilcdn.example/a", Refusal::Host),
            ("https://cdn.example/a", Refusal::Host),
            ("https://waha@media.example.com/a", Refusal::UserInfo),
            ("https://media.example.com@evil.example/", Refusal::UserInfo),
            ("https://169.254.169.254/latest/meta-data", Refusal::Host),
            ("file:///etc/passwd", Refusal::NotEncrypted),
            ("not a url", Refusal::NotAUrl),
        ] {
            assert_eq!(verdict(text), Err(refusal), "{text}");
        }
    }
}
