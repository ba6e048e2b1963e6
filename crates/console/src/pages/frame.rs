//! What all pages have around them: where one can go, who is there, how many wait.

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;

use super::encoded;
use crate::access::{Who, cookie};
use crate::clock::{Clock, When};
use crate::lang::{Lang, named};
use crate::service::State;

/// The cookie with the language that somebody chose.
pub(super) const LANGUAGE: &str = "lang";

/// The frame of a page.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) lang: Lang,
    pub(super) clock: Clock,
    /// Which of the places it is.
    pub(super) here: &'static str,
    /// Who is there; empty before the login.
    pub(super) who: String,
    pub(super) has_login: bool,
    /// How many customers wait for a colleague.
    pub(super) waiting: i64,
    /// The address of the page.
    pub(super) path: String,
    /// What was done just now, as the address says.
    pub(super) done: String,
}

/// A place that the bar leads to: name, address, words.
type Place = (&'static str, &'static str, &'static str);

/// The language of whom a request is from.
pub(super) fn language(headers: &HeaderMap) -> Lang {
    let chosen = cookie(headers, LANGUAGE).and_then(Lang::read);
    chosen.unwrap_or_else(|| {
        let asked = headers.get(ACCEPT_LANGUAGE);
        Lang::asked(
            asked
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default(),
        )
    })
}

impl Frame {
    pub(super) async fn new(
        request: &HttpRequest,
        state: &State,
        who: &Who,
        here: &'static str,
    ) -> Self {
        let now = Timestamp::now();
        // A bar without the number is better than no page.
        let waiting = state
            .desk
            .crm
            .waiting(now)
            .await
            .map_or(0, |(count, _)| count);
        Self {
            waiting,
            who: who.name.clone(),
            here,
            ..Self::bare(request, state)
        }
    }

    /// The frame for who is not logged in.
    pub(super) fn bare(request: &HttpRequest, state: &State) -> Self {
        let lang = language(request.headers());
        let path = request.uri().path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        let done = request.query_string().split('&');
        let done = done.filter_map(|pair| pair.strip_prefix("done=")).next();
        Self {
            lang,
            clock: Clock {
                now: Timestamp::now(),
                zone: state.zone.clone(),
                lang,
            },
            here: "",
            who: String::new(),
            has_login: state.access.password.is_some(),
            waiting: 0,
            path: path.to_owned(),
            done: done.unwrap_or_default().to_owned(),
        }
    }

    /// The words of the page's language.
    pub(super) fn t(&self, en: &'static str, nl: &'static str) -> &'static str {
        self.lang.say(en, nl)
    }

    /// What a name of ours is called.
    pub(super) fn named(&self, name: &str) -> String {
        named(self.lang, name)
    }

    /// A moment that the CRM has as a text.
    pub(super) fn when(&self, at: &str) -> Option<When> {
        self.clock.read(at)
    }

    /// The page of a conversation.
    pub(super) fn conversation(&self, id: &str) -> String {
        format!("/conversations/{}", encoded(id))
    }

    pub(super) fn places(&self) -> Vec<Place> {
        vec![
            ("waiting", "/", self.t("Waiting", "Wachtend")),
            (
                "conversations",
                "/conversations",
                self.t("Conversations", "Gesprekken"),
            ),
            ("leads", "/leads", "Leads"),
            (
                "appointments",
                "/appointments",
                self.t("Appointments", "Afspraken"),
            ),
            ("notices", "/notices", self.t("Notices", "Meldingen")),
            (
                "letters",
                "/letters",
                self.t("Dead letters", "Onbestelbaar"),
            ),
            (
                "understanding",
                "/understanding",
                self.t("Understanding", "Begrip"),
            ),
            ("overview", "/overview", self.t("Overview", "Overzicht")),
            ("acts", "/acts", self.t("Who did what", "Wie deed wat")),
        ]
    }

    /// What was done just now, in words.
    pub(super) fn told(&self) -> Option<&'static str> {
        Some(match self.done.as_str() {
            "take" => self.t(
                "It is yours: the bot is silent.",
                "Het is van jou: de bot zwijgt.",
            ),
            "close" => self.t(
                "Closed: the bot answers again, in Chatwoot once the conversation is pending there.",
                "Gesloten: de bot antwoordt weer, in Chatwoot zodra het gesprek daar wachtend is.",
            ),
            "answered" => self.t("Noted as answered.", "Als beantwoord genoteerd."),
            "sent" => self.t("Your answer is on its way.", "Je antwoord is onderweg."),
            "give-back" => self.t(
                "Given back: the bot answers again.",
                "Teruggegeven: de bot antwoordt weer.",
            ),
            "test" => self.t(
                "A test notice goes out over every channel that is set up.",
                "Een testmelding gaat uit over elk ingesteld kanaal.",
            ),
            "retry" => self.t("It is tried again now.", "Het wordt nu opnieuw geprobeerd."),
            "replay" => self.t(
                "Put back: they are handled again.",
                "Teruggezet: ze worden opnieuw verwerkt.",
            ),
            "discard" => self.t("Discarded.", "Weggegooid."),
            "changed" => self.t("Changed.", "Gewijzigd."),
            "erased" => self.t(
                "Everything of this person was removed.",
                "Alles van deze persoon is verwijderd.",
            ),
            _ => return None,
        })
    }
}

/// A page as an answer.
pub(super) fn shown(page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(html) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .body(html),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// On to another page, so that loading it again does nothing twice.
pub(super) fn on_to(path: &str, done: &str) -> HttpResponse {
    let mark = if path.contains('?') { '&' } else { '?' };
    let path = match done {
        "" => path.to_owned(),
        done => format!("{path}{mark}done={done}"),
    };
    HttpResponse::SeeOther()
        .insert_header(("location", path))
        .finish()
}

/// A path of ours that a form names; the first page when it leads elsewhere.
pub(super) fn own_path(path: &str) -> &str {
    let is_ours = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(['\\', '\r', '\n', '\t'])
        && path.is_ascii();
    if is_ours { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for path in ["/", "/leads?status=new", "/conversations/whatsapp%3A%2B316"] {
            assert_eq!(own_path(path), path);
        }
        for path in [
            "",
            "//evil.test",
            "https://evil.test",
            "/\\evil.test",
            "/\tevil",
            "javascript:1",
        ] {
            assert_eq!(own_path(path), "/", "{path}");
        }
    }
}
