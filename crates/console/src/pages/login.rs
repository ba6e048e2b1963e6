//! In, out, and in which language.

use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, SET_COOKIE};
use actix_web::web::{self, Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;

use super::frame::{Frame, LANGUAGE, on_to, own_path, shown};
use crate::access::{Who, cookie, secret};
use crate::lang::Lang;
use crate::service::State;

/// The longest name of an operator.
const NAME: usize = 40;

#[derive(Debug, Default, Deserialize)]
struct Next {
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Login {
    name: String,
    password: String,
    next: String,
}

#[derive(Debug, Deserialize)]
struct Chosen {
    lang: String,
    back: String,
}

#[derive(Template)]
#[template(path = "login.html")]
struct Page {
    f: Frame,
    next: String,
    name: String,
    wrong: Option<&'static str>,
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/login", web::get().to(page))
        .route("/login", web::post().to(login))
        .route("/logout", web::post().to(logout))
        .route("/language", web::post().to(language));
}

async fn page(request: HttpRequest, state: Data<State>, next: Query<Next>) -> HttpResponse {
    let next = next.into_inner().next.unwrap_or_default();
    shown(&Page {
        f: Frame::bare(&request, &state),
        next: own_path(&next).to_owned(),
        name: String::new(),
        wrong: None,
    })
}

/// A name as it is kept: what can be read, and not more of it.
fn tidy(name: &str) -> String {
    let name = name.chars().filter(|c| !c.is_control()).take(NAME);
    name.collect::<String>().trim().to_owned()
}

async fn login(request: HttpRequest, state: Data<State>, form: Form<Login>) -> HttpResponse {
    let Login {
        name,
        password,
        next,
    } = form.into_inner();
    let (name, next) = (tidy(&name), own_path(&next).to_owned());
    let address = request.peer_addr().map(|peer| peer.ip());
    let address = address.unwrap_or_else(|| [0, 0, 0, 0].into());
    let Some(known) = state.access.password.clone() else {
        return on_to(&next, "");
    };
    // One at a time, from the question whether one may try to the count of what was refused: tries that come
    // together do not all pass the limit. A closed semaphore there is not.
    let one = state.access.one.clone().acquire_owned().await;
    if let Some(wait) = state.access.limit.wait(address, Instant::now()) {
        state.metrics.login("limited");
        let words = (
            "Too many logins were refused. Wait some minutes.",
            "Te veel pogingen. Wacht enkele minuten.",
        );
        let mut answer = refused(&request, &state, (name, next), words);
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let seconds = wait.as_secs().max(1).into();
        answer.headers_mut().insert(RETRY_AFTER, seconds);
        return answer;
    }
    let hash = known.text();
    let checked = web::block(move || known.is(&password)).await;
    if !checked.unwrap_or(false) || name.is_empty() {
        state.access.limit.refused(address, Instant::now());
        state.metrics.login("refused");
        tracing::warn!("a login was refused");
        let words = (
            "Name or password is wrong.",
            "Naam of wachtwoord klopt niet.",
        );
        let mut answer = refused(&request, &state, (name, next), words);
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        return answer;
    }
    drop(one);
    let secret = secret();
    let crm = &state.desk.crm;
    let begun = crm.begin_session(&secret, &name, &hash, Timestamp::now());
    if let Err(error) = begun.await {
        tracing::error!(%error, "nobody can log in");
        let words = (
            "The database does not answer.",
            "De database antwoordt niet.",
        );
        let mut answer = refused(&request, &state, (name, next), words);
        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return answer;
    }
    state.metrics.login("granted");
    let who = Who { name, via: "page" };
    let desk = &state.desk;
    desk.note_done(&who, "login", None, None, None).await;
    let mut answer = on_to(&next, "");
    if let Ok(cookie) = state.access.set_cookie(&secret).parse() {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}

fn refused(
    request: &HttpRequest,
    state: &State,
    (name, next): (String, String),
    (en, nl): (&'static str, &'static str),
) -> HttpResponse {
    let f = Frame::bare(request, state);
    let wrong = Some(f.t(en, nl));
    shown(&Page {
        f,
        next,
        name,
        wrong,
    })
}

async fn logout(request: HttpRequest, state: Data<State>, who: Who) -> HttpResponse {
    let desk = &state.desk;
    let secret = cookie(request.headers(), state.access.cookie_name());
    if let Some(secret) = secret
        && let Some(password) = &state.access.password
        && let Ok(Some(session)) = desk
            .crm
            .session(secret, &password.text(), Timestamp::now())
            .await
    {
        match desk.crm.end_sessions(Some(&session.id)).await {
            Ok(_) => desk.note_done(&who, "logout", None, None, None).await,
            Err(error) => tracing::error!(%error, operator = who.name, "a session did not end"),
        }
    }
    let mut answer = on_to("/login", "");
    if let Ok(cookie) = state.access.set_cookie("").parse() {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}

async fn language(form: Form<Chosen>) -> HttpResponse {
    let code = Lang::read(&form.lang).unwrap_or(Lang::En).code();
    let mut answer = on_to(own_path(&form.back), "");
    let cookie = format!("{LANGUAGE}={code}; Path=/; SameSite=Lax; Max-Age=31536000");
    if let Ok(cookie) = cookie.parse() {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}
