use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::conversation::{Conversation, ConversationStatus};
use super::{api_inbox, conversations, messages};
use crate::answer::Answer;
use crate::auth;
use crate::faults::respond;
use crate::journal::Call;
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// The paths of Chatwoot's API that are played.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    let base = "/api/v1/accounts/{account}/conversations/{conversation}";
    config
        .service(
            web::resource(format!("{base}/messages"))
                .route(web::post().to(messages::create))
                .route(web::get().to(messages::list)),
        )
        .route(
            &format!("{base}/toggle_status"),
            web::post().to(toggle_status),
        )
        .route(base, web::get().to(api_inbox::show))
        .route("/rails/active_storage/blobs/{id}", web::get().to(file))
        .configure(api_inbox::routes)
        .route(
            "/api/v1/accounts/{account}/conversations",
            web::get().to(conversations::list),
        )
        .route(
            "/api/v1/accounts/{account}/contacts/{contact}",
            web::get().to(conversations::contact),
        );
}

/// An error in Chatwoot's form.
pub(crate) fn error(status: u16, message: Option<String>) -> Answer {
    let message = message.unwrap_or_else(|| {
        match status {
            401 => "Invalid Access Token",
            404 => "Resource could not be found",
            422 => "Validation failed",
            429 => "Too many requests",
            _ => "Internal server error",
        }
        .to_owned()
    });
    Answer::json(status, &json!({ "error": message }))
}

/// Who calls, by `api_access_token`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The agent bot: may create messages and toggle the status.
    Bot,
    /// A human agent.
    User,
}

/// Checks token, rights, account and conversation, in Chatwoot's order.
pub(super) fn admit(
    world: &World,
    request: &HttpRequest,
    (account, conversation): (u64, u64),
    bots_too: bool,
) -> Result<(Caller, Conversation), Answer> {
    let caller = admit_to_account(world, request, account, bots_too)?;
    let conversation = world.chatwoot.get(conversation);
    Ok((caller, conversation.ok_or_else(|| error(404, None))?))
}

/// The same for a path that names no conversation.
pub(super) fn admit_to_account(
    world: &World,
    request: &HttpRequest,
    account: u64,
    bots_too: bool,
) -> Result<Caller, Answer> {
    let config = &world.config.chatwoot;
    let token = auth::header_text(request, "api_access_token").unwrap_or_default();
    let caller = if token == config.bot_token.expose_secret() {
        Caller::Bot
    } else if token == config.user_token.expose_secret() {
        Caller::User
    } else {
        return Err(error(401, None));
    };
    if caller == Caller::Bot && !bots_too {
        let message = "Access to this endpoint is not authorized for bots";
        return Err(error(401, Some(message.to_owned())));
    }
    if account != config.account_id {
        return Err(error(404, None));
    }
    Ok(caller)
}

/// The call as the journal keeps it, before it is checked.
pub(super) fn call(world: &World, endpoint: Endpoint, conversation: u64, body: Value) -> Call {
    let customer = world.chatwoot.get(conversation);
    Call {
        customer: customer.map(|found| found.customer).unwrap_or_default(),
        business: super::INBOX_NAME.to_owned(),
        request: body,
        ..Call::new(Provider::Chatwoot, endpoint)
    }
}

async fn toggle_status(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(u64, u64)>,
    body: Bytes,
) -> HttpResponse {
    if world.api_inbox.has(path.1) {
        return api_inbox::toggle_status(world, request, *path, body).await;
    }
    let world = world.into_inner();
    let json: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut call = call(&world, Endpoint::Status, path.1, json.clone());
    let wanted = json.get("status").filter(|status| !status.is_null());
    call.text = wanted
        .and_then(Value::as_str)
        .unwrap_or("toggled")
        .to_owned();
    let checked = admit(&world, &request, *path, true)
        .and_then(|(_, conversation)| Ok((conversation, wanted.map(parse_status).transpose()?)));
    let (conversation, status) = match checked {
        Ok(checked) => checked,
        Err(answer) => return world.refuse(call, answer.status.to_string(), answer),
    };
    let taker = Arc::clone(&world);
    respond(&world, &request, call, move |call, fault| {
        taker.journal.note(call, fault);
        let Some(changed) = super::change_status(&taker, conversation.id, status) else {
            return error(404, None);
        };
        let payload = json!({
            "success": true,
            "conversation_id": changed.id,
            "current_status": changed.status,
            "snoozed_until": null,
        });
        Answer::json(200, &json!({ "meta": {}, "payload": payload }))
    })
    .await
}

fn parse_status(status: &Value) -> Result<ConversationStatus, Answer> {
    serde_json::from_value(status.clone())
        .map_err(|_| error(422, Some(format!("{status} is not a valid status"))))
}

/// Download of an attachment: the address itself is the secret, no token is asked for.
async fn file(world: Data<World>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let call = Call::new(Provider::Chatwoot, Endpoint::Media);
    let Some(file) = world.media.get(&id) else {
        return world.refuse(call, "404".to_owned(), error(404, None));
    };
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        file.answer()
    })
    .await
}

/// The `Content-Type` of a request.
pub(super) fn content_type(request: &HttpRequest) -> &str {
    auth::header_text(request, header::CONTENT_TYPE.as_str()).unwrap_or_default()
}
