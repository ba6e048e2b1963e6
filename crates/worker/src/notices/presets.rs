//! What services that take one POST want to read. Pure.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use clap::ValueEnum;
use crm::{Kind, Notice};
use serde_json::{Value, json};

use super::text::{self, Labels};

/// A service that takes notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// An incoming webhook of Slack, or of what understands the same.
    Slack,
    /// ntfy: the URL is the server's, the topic a setting of its own.
    Ntfy,
    /// Gotify: the URL is the server's.
    Gotify,
    /// The API of Apprise: the URL ends in `/notify/<key>`.
    Apprise,
}

/// How a service is asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    /// Put after the URL.
    pub(super) path: &'static str,
    /// How the token is carried.
    pub(super) auth: Auth,
    /// The body.
    pub(super) body: Value,
}

/// How a service wants its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Auth {
    /// The URL is the secret.
    None,
    /// In a header of the service's own.
    Header(&'static str),
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic` for a user and a password with a colon between, else as [`Auth::Bearer`].
    Basic,
}

impl Auth {
    /// The header, and what it says.
    pub(super) fn header(self, token: &str) -> Option<(&'static str, String)> {
        const AUTHORIZATION: &str = "authorization";
        match self {
            Self::None => None,
            Self::Header(name) => Some((name, token.to_owned())),
            Self::Basic if token.contains(':') => {
                Some((AUTHORIZATION, format!("Basic {}", STANDARD.encode(token))))
            }
            Self::Bearer | Self::Basic => Some((AUTHORIZATION, format!("Bearer {token}"))),
        }
    }
}

/// Whether an answer of the service says that it took the notice. A success alone does not: a proxy or a
/// login page says 200 as well.
pub(super) fn is_taken(preset: Preset, status: u16, said: &str) -> bool {
    let said = said.trim_start();
    match preset {
        Preset::Slack => said.trim_end() == "ok",
        Preset::Ntfy | Preset::Gotify => said.starts_with('{'),
        // 204: there is no such key, and nobody was told.
        Preset::Apprise => status != 204 && !said.starts_with('<'),
    }
}

/// The call of a notice. Words of customers stay words: none of these services reads them as markup.
pub(super) fn call(preset: Preset, topic: &str, notice: &Notice, labels: Labels) -> Call {
    let (title, body) = (text::title(notice, labels), text::body(notice, labels));
    let urgent = notice.field("priority") == "urgent" || notice.kind == Kind::HandoverUnanswered;
    match preset {
        Preset::Slack => Call {
            path: "",
            auth: Auth::None,
            body: json!({
                "text": for_slack(&format!("{title}\n{body}")),
                "mrkdwn": false,
                "link_names": false,
                "unfurl_links": false,
            }),
        },
        Preset::Ntfy => Call {
            path: "",
            auth: Auth::Bearer,
            body: json!({
                "topic": topic,
                "title": title,
                "message": body,
                "priority": if urgent { 5 } else { 3 },
                "markdown": false,
            }),
        },
        Preset::Gotify => Call {
            path: "/message",
            auth: Auth::Header("x-gotify-key"),
            body: json!({
                "title": title,
                "message": body,
                "priority": if urgent { 8 } else { 5 },
                "extras": {"client::display": {"contentType": "text/plain"}},
            }),
        },
        Preset::Apprise => Call {
            path: "",
            auth: Auth::Basic,
            body: json!({
                "title": title,
                "body": body,
                "type": if urgent { "warning" } else { "info" },
                "format": "text",
            }),
        },
    }
}

/// Slack reads `<!channel>` and `<http://…|words>` unless these three are written out
/// (docs.slack.dev, Formatting message text).
fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_calls_nobody_in_slack() {
        let data = json!({"name": "<!channel>", "last_words": "<http://x|klik> & <@U1>"});
        let notice = Notice {
            id: "notice_1".into(),
            kind: Kind::HandoverOpened,
            at: String::new(),
            data: data.as_object().unwrap().clone(),
        };
        let call = call(Preset::Slack, "", &notice, Labels::Dutch);
        let text = call.body["text"].as_str().unwrap();
        assert!(!text.contains('<') && !text.contains('>'), "{text}");
        assert!(text.contains("&lt;!channel&gt;"), "{text}");
    }
}
