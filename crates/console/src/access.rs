//! Who may use the console: one password on a login form, a cookie after that, tokens for programs; and
//! requests only from pages of its own.

pub(crate) mod guard;
pub(crate) mod limit;
pub(crate) mod origin;
pub(crate) mod password;

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap};
use crm::{Crm, CrmError};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use uuid::Uuid;

use limit::Limit;
use password::Password;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// By their own word.
    pub name: String,
    /// `page`, `api` or `command`.
    pub via: &'static str,
}

/// How the console is reached.
#[derive(Debug)]
pub(crate) struct Access {
    /// None for this machine alone, where everybody is let in.
    pub(crate) password: Option<Arc<Password>>,
    /// Logins that were refused.
    pub(crate) limit: Limit,
    /// A password takes memory to check: one at a time.
    pub(crate) one: Arc<Semaphore>,
    /// The cookie may go over plain http.
    pub(crate) insecure: bool,
}

/// Who has no login where none is needed.
const ON_THIS_MACHINE: &str = "operator";

impl Access {
    pub(crate) fn new(password: Option<Password>, insecure: bool) -> Self {
        Self {
            password: password.map(Arc::new),
            limit: Limit::default(),
            one: Arc::new(Semaphore::new(1)),
            insecure,
        }
    }

    /// Who sends a request; none when they have to log in first.
    pub(crate) async fn who(
        &self,
        headers: &HeaderMap,
        crm: &Crm,
    ) -> Result<Option<Who>, CrmError> {
        let now = Timestamp::now();
        if let Some(token) = bearer(headers) {
            let name = crm.token(token, now).await?;
            return Ok(name.map(|name| Who { name, via: "api" }));
        }
        let Some(password) = &self.password else {
            return Ok(Some(Who {
                name: ON_THIS_MACHINE.to_owned(),
                via: "page",
            }));
        };
        let Some(secret) = cookie(headers, self.cookie_name()) else {
            return Ok(None);
        };
        let session = crm.session(secret, &password.text(), now).await?;
        Ok(session.map(|session| Who {
            name: session.operator,
            via: "page",
        }))
    }

    pub(crate) const fn cookie_name(&self) -> &'static str {
        if self.insecure {
            "console"
        } else {
            "__Host-console"
        }
    }

    /// The header that gives a browser its session, or takes it with an empty secret.
    pub(crate) fn set_cookie(&self, secret: &str) -> String {
        let name = self.cookie_name();
        let secure = if self.insecure { "" } else { "; Secure" };
        let ends = if secret.is_empty() { "; Max-Age=0" } else { "" };
        format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict{secure}{ends}")
    }
}

/// What nobody can guess: 244 random bits.
pub(crate) fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// The token of a program.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A cookie's value.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(COOKIE).filter_map(|one| one.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';'));
    pairs.find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn cookies_and_tokens_are_read_by_their_name() {
        let mut headers = HeaderMap::new();
        headers.append(
            COOKIE,
            HeaderValue::from_static("lang=nl; __Host-console=abc"),
        );
        assert_eq!(cookie(&headers, "__Host-console"), Some("abc"));
        assert_eq!(cookie(&headers, "console"), None);
        assert_eq!(bearer(&headers), None);
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer pd_1"));
        assert_eq!(bearer(&headers), Some("pd_1"));
    }

    #[test]
    fn the_cookie_is_for_this_host_alone_unless_it_must_go_over_plain_http() {
        let secure = Access::new(None, false).set_cookie("s");
        assert_eq!(
            secure,
            "__Host-console=s; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        let plain = Access::new(None, true).set_cookie("");
        assert_eq!(
            plain,
            "console=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
        );
        assert_ne!(secret(), secret());
    }
}
