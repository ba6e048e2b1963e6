//! Which addresses media may be fetched from, and with whose credentials. Pure.

use reqwest::Url;
use secrecy::SecretString;
use shared_types::Source;

use crate::config::MediaConfig;

/// How a request proves who it comes from.
#[derive(Debug, Clone)]
pub(super) enum Credentials {
    /// Basic authentication, as Twilio's media want it. While a password is changed there are several; one
    /// of them is good.
    Basic {
        user: String,
        passwords: Vec<SecretString>,
    },
    /// The header `X-Api-Key`, as WAHA's files want it.
    ApiKey(SecretString),
}

/// A provider's API that serves its media for credentials. They go there with media that its own
/// messages name, and nowhere else.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) source: Source,
    pub(super) base: Url,
    /// The path of its media below the base; `*` is one plain segment, and one at the end several.
    pub(super) media: String,
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
    #[error("it is on a provider's own host and none of its media")]
    NoMedia,
}

impl Home {
    fn has(&self, url: &Url) -> bool {
        self.base.origin() == url.origin()
    }

    /// Whether this is the address of a media file, without anything that could make it another.
    fn serves(&self, url: &Url) -> bool {
        let path = url.path();
        let base = self.base.path().trim_end_matches('/');
        let below = path
            .strip_prefix(base)
            .and_then(|rest| rest.strip_prefix('/'));
        let fits = below.is_some_and(|below| is_like(below, &self.media));
        fits && url.query().is_none() && url.fragment().is_none()
    }
}

fn is_like(path: &str, pattern: &str) -> bool {
    let mut segments = path.split('/');
    for part in pattern.split('/') {
        match segments.next() {
            Some(segment) if is_plain(segment) && (part == "*" || part == segment) => {}
            _ => return false,
        }
    }
    let deeper = pattern.ends_with('*');
    segments.all(|segment| deeper && is_plain(segment))
}

/// A segment that every server reads alike: no dots alone, nothing encoded but an `@`.
fn is_plain(segment: &str) -> bool {
    let decoded = segment.replace("%40", "@");
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._-".contains(c);
    decoded.chars().all(plain) && decoded.contains(|c: char| c != '.')
}

impl Origins {
    /// As the settings name them.
    pub(super) fn of(config: &MediaConfig) -> Self {
        let home = |source, base: &str, media: String, credentials| {
            Some(Home {
                source,
                base: Url::parse(base).ok()?,
                media,
                credentials,
            })
        };
        let account = config.twilio_account_sid.clone();
        let twilio = account
            .filter(|_| config.twilio_auth_token.is_some())
            .and_then(|user| {
                let tokens = config.twilio_auth_token.iter();
                let tokens = tokens.chain(&config.twilio_extra_auth_tokens);
                let passwords = tokens.cloned().collect();
                let media = format!("2010-04-01/Accounts/{user}/Messages/*/Media/*");
                let credentials = Credentials::Basic { user, passwords };
                home(
                    Source::Twilio,
                    &config.twilio_api_base_url,
                    media,
                    credentials,
                )
            });
        let waha = config.waha_api_key.clone().and_then(|key| {
            let base = config.waha_base_url.as_deref()?;
            home(
                Source::Waha,
                base,
                "api/files/*".into(),
                Credentials::ApiKey(key),
            )
        });
        Self {
            homes: [twilio, waha].into_iter().flatten().collect(),
            hosts: config.media_hosts.clone(),
        }
    }

    /// The address that a message of `source` names, as it may be fetched, and the credentials that
    /// go with it.
    pub(super) fn admit(
        &self,
        text: &str,
        source: Source,
    ) -> Result<(Url, Option<&Credentials>), Refusal> {
        let url = Self::parse(text)?;
        let Some(home) = self.homes.iter().find(|home| home.has(&url)) else {
            return self.public(url).map(|url| (url, None));
        };
        if home.source == source && home.serves(&url) {
            Ok((url, Some(&home.credentials)))
        } else {
            Err(Refusal::NoMedia)
        }
    }

    /// Where a file was moved to, as it may be fetched: without credentials.
    pub(super) fn admit_move(&self, text: &str) -> Result<Url, Refusal> {
        self.public(Self::parse(text)?)
    }

    fn parse(text: &str) -> Result<Url, Refusal> {
        let url = Url::parse(text).map_err(|_| Refusal::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        Ok(url)
    }

    fn public(&self, url: Url) -> Result<Url, Refusal> {
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
            Ok(url)
        } else {
            Err(Refusal::Host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        let home = |source, base: &str, media: &str| Home {
            source,
            base: Url::parse(base).unwrap(),
            media: media.into(),
            credentials: Credentials::ApiKey("key".into()),
        };
        Origins {
            homes: vec![
                home(Source::Waha, "http://waha:3000/waha/", "api/files/*"),
                home(
                    Source::Twilio,
                    "https://api.twilio.com",
                    "2010-04-01/Accounts/AC1/Messages/*/Media/*",
                ),
            ],
            hosts: vec!["media.example.com".into(), ".cdn.example".into()],
        }
    }

    #[test]
    fn only_named_hosts_are_fetched_from_and_only_homes_see_credentials() {
        let origins = origins();
        let verdict = |text: &str| {
            origins
                .admit(text, Source::Waha)
                .map(|(_, credentials)| credentials.is_some())
        };
        for file in [
            "a.oga",
            "default/false_316@c.us_A.oga",
            "default/false_316%40c.us_A.oga",
        ] {
            assert_eq!(
                verdict(&format!("http://waha:3000/waha/api/files/{file}")),
                Ok(true)
            );
        }
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

    #[test]
    fn credentials_go_with_media_of_their_own_messages_alone() {
        let origins = origins();
        let media = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1";
        let with_credentials = origins.admit(media, Source::Twilio).unwrap().1;
        assert!(with_credentials.is_some());
        for (source, text) in [
            (Source::Waha, media),
            (Source::Chatwoot, media),
            (Source::Twilio, "http://waha:3000/waha/api/files/a.oga"),
            (
                Source::Twilio,
                "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json",
            ),
            (
                Source::Twilio,
                "https://api.twilio.com/2010-04-01/Accounts/AC2/Messages/MM1/Media/ME1",
            ),
            (
                Source::Twilio,
                "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1?x=1",
            ),
            (
                Source::Twilio,
                "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/%2e%2e%2fMM2",
            ),
            (
                Source::Twilio,
                "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/../../../Balance.json",
            ),
            (Source::Waha, "http://waha:3000/api/files/a.oga"),
            (Source::Waha, "http://waha:3000/waha/api/files/../sessions"),
            (
                Source::Waha,
                "http://waha:3000/waha/api/files/..%2fsessions",
            ),
            (Source::Waha, "http://waha:3000/waha/api/files/"),
            (
                Source::Waha,
                "http://waha:3000/waha/api/files/a.oga?session=x",
            ),
            (Source::Waha, "http://waha:3000/wahaapi/files/a.oga"),
            (Source::Waha, "http://waha:3000/waha/api/sendText"),
        ] {
            let refused = origins
                .admit(text, source)
                .map(|(_, credentials)| credentials.is_some());
            assert_eq!(refused, Err(Refusal::NoMedia), "{source} {text}");
        }
        assert_eq!(
            origins.admit_move("http://waha:3000/waha/api/files/a.oga"),
            Err(Refusal::NotEncrypted)
        );
    }
}
