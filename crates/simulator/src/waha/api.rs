use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use sha2::{Digest as _, Sha512};

use super::error::{error, invalid, not_working};
use super::state::SessionStatus;
use super::{contacts, history, messages};
use crate::address;
use crate::answer::Answer;
use crate::auth;
use crate::journal::Call;
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// The paths of WAHA's API that are played. Fixed words come before parameters.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/api/sendText", web::post().to(messages::send_text))
        .route("/api/sendImage", web::post().to(messages::send_image))
        .route("/api/sendSeen", web::post().to(messages::send_seen))
        .route("/api/startTyping", web::post().to(messages::start_typing))
        .route("/api/stopTyping", web::post().to(messages::stop_typing))
        .route("/api/sessions", web::get().to(contacts::sessions))
        .route("/api/sessions/{session}", web::get().to(contacts::session))
        .route(
            "/api/contacts/check-exists",
            web::get().to(contacts::check_exists),
        )
        .route("/api/files/{id}", web::get().to(contacts::file))
        .route(
            "/api/{session}/new-message-id",
            web::get().to(messages::new_message_id),
        )
        .route(
            "/api/{session}/presence",
            web::post().to(messages::presence),
        )
        .route(
            "/api/{session}/lids/pn/{phone}",
            web::get().to(contacts::lid_of_phone),
        )
        .route(
            "/api/{session}/lids/{lid}",
            web::get().to(contacts::phone_of_lid),
        )
        .route("/api/{session}/chats", web::get().to(history::chats))
        .route(
            "/api/{session}/chats/{chat}/messages/{message}",
            web::get().to(history::one),
        )
        .route(
            "/api/{session}/chats/{chat}/messages",
            web::get().to(history::list),
        );
}

/// Checks `X-Api-Key`. A configured key of the form `sha512:<hex>` is compared with the hash of the
/// one that is shown.
pub(super) fn authorise(world: &World, request: &HttpRequest) -> Result<(), Answer> {
    let expected = world.config.waha.api_key.expose_secret();
    let given = auth::header_text(request, "x-api-key").unwrap_or_default();
    let same = match expected.strip_prefix("sha512:") {
        Some(hash) => hex::encode(Sha512::digest(given)) == hash.to_lowercase(),
        None => given == expected,
    };
    if same { Ok(()) } else { Err(error(401, None)) }
}

/// Checks that a session exists and is connected.
pub(super) fn require_working(world: &World, session: &str) -> Result<(), Answer> {
    match world.waha.session(session) {
        Some(SessionStatus::Working) => Ok(()),
        Some(status) => Err(not_working(session, status)),
        None => {
            let message = format!("Session \"{session}\" does not exist");
            Err(error(404, Some(message)))
        }
    }
}

/// Writes down a look-up that was refused, and answers it.
pub(super) fn refuse(world: &World, endpoint: Endpoint, answer: Answer) -> HttpResponse {
    let call = Call::new(Provider::Waha, endpoint);
    world.refuse(call, answer.status.to_string(), answer)
}

/// A POST whose body is understood, yet not checked.
pub(super) struct Request {
    pub(super) call: Call,
    problem: Option<Answer>,
}

impl Request {
    /// Takes the JSON body apart. `session` is the one in the path, where there is one.
    pub(super) fn parse(endpoint: Endpoint, session: Option<&str>, body: &[u8]) -> Self {
        let (json, problem) = match serde_json::from_slice::<Value>(body) {
            Ok(json) => (json, None),
            Err(problem) => (Value::Null, Some(error(400, Some(problem.to_string())))),
        };
        let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
        let call = Call {
            customer: address::customer(text("chatId")),
            business: session.unwrap_or_else(|| text("session")).to_owned(),
            text: text("text").to_owned(),
            request: json.clone(),
            ..Call::new(Provider::Waha, endpoint)
        };
        Self { call, problem }
    }

    /// A text field of the body.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = self.call.request.get(name)?.as_str()?;
        (!value.is_empty()).then_some(value)
    }

    /// The checks that WAHA makes, in its order: key, form, fields, session.
    pub(super) fn check(
        &self,
        world: &World,
        request: &HttpRequest,
        required: &[&str],
    ) -> Result<(), Answer> {
        authorise(world, request)?;
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        let missing: Vec<String> = required
            .iter()
            .filter(|name| self.text(name).is_none())
            .map(|name| format!("{name} should not be empty"))
            .collect();
        if missing.is_empty() {
            require_working(world, &self.call.business)
        } else {
            Err(invalid(&missing))
        }
    }
}
