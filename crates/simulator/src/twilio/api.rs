use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret as _;
use serde_json::json;
use uuid::Uuid;

use super::error::TwilioError;
use super::list::ListQuery;
use super::request::SendForm;
use super::resource;
use crate::answer::Answer;
use crate::auth;
use crate::delivery;
use crate::faults::{Fault, respond};
use crate::journal::{Call, MessageStatus, Progress, Record};
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// The paths of Twilio's API that are played.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/2010-04-01/Accounts/{sid}.json", web::get().to(account))
        .service(
            web::resource("/2010-04-01/Accounts/{sid}/Messages.json")
                .route(web::post().to(create))
                .route(web::get().to(list)),
        )
        .route(
            "/2010-04-01/Accounts/{sid}/Messages/{message}.json",
            web::get().to(fetch),
        )
        .route(
            "/2010-04-01/Accounts/{sid}/Messages/{message}/Media.json",
            web::get().to(media_list),
        )
        .route("/v2/Indicators/Typing.json", web::post().to(typing))
        .route(
            "/2010-04-01/Accounts/{sid}/Messages/{message}/Media/{id}",
            web::get().to(media),
        );
}

async fn create(
    world: Data<World>,
    request: HttpRequest,
    account: Path<String>,
    body: Bytes,
) -> HttpResponse {
    let world = world.into_inner();
    let form = SendForm::parse(content_type(&request), &body);
    let call = form.call();
    let checked = authorise(&world, &request, Some(&account))
        .and_then(|()| form.check(&world.config.twilio.numbers));
    if let Err(error) = checked {
        return refuse(&world, call, &error);
    }
    let taker = Arc::clone(&world);
    respond(&world, &request, call, move |call, fault| {
        let plan = taker.delivery_plan(&call);
        let status = if form.get("From").is_some() {
            MessageStatus::Queued
        } else {
            MessageStatus::Accepted
        };
        let sid = new_sid(form.media_count());
        let entry = taker
            .journal
            .accept(call, &sid, status, fault.map(Fault::kind));
        let callback = form.callback().map(str::to_owned);
        delivery::begin(&taker, &entry, &plan, callback);
        let record = Record {
            entry,
            progress: Progress::of(status),
        };
        let account = &taker.config.twilio.account_sid;
        Answer::json(201, &resource::message(account, &record))
    })
    .await
}

/// <https://www.twilio.com/docs/iam/api/account>
async fn account(world: Data<World>, request: HttpRequest, account: Path<String>) -> HttpResponse {
    let call = Call::new(Provider::Twilio, Endpoint::Fetch);
    if let Err(error) = authorise(&world, &request, Some(&account)) {
        return refuse(&world, call, &error);
    }
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        let answer = json!({
            "sid": world.config.twilio.account_sid, "friendly_name": "Simulator",
            "status": "active", "type": "Full",
        });
        Answer::json(200, &answer)
    })
    .await
}

async fn list(world: Data<World>, request: HttpRequest, account: Path<String>) -> HttpResponse {
    if let Err(error) = authorise(&world, &request, Some(&account)) {
        return refuse(&world, Call::new(Provider::Twilio, Endpoint::List), &error);
    }
    let query = ListQuery::parse(request.query_string());
    let call = Call::new(Provider::Twilio, Endpoint::List);
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        Answer::json(200, &query.answer(&world, fault))
    })
    .await
}

async fn fetch(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (account, sid) = path.into_inner();
    let call = Call::new(Provider::Twilio, Endpoint::Fetch);
    if let Err(error) = authorise(&world, &request, Some(&account)) {
        return refuse(&world, call, &error);
    }
    let Some(record) = world.journal.sent_with_id(&sid) else {
        return refuse(&world, call, &TwilioError::not_found(request.path()));
    };
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        Answer::json(200, &resource::message(&account, &record))
    })
    .await
}

/// The files of a message.
async fn media_list(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (account, sid) = path.into_inner();
    let call = Call::new(Provider::Twilio, Endpoint::List);
    if let Err(error) = authorise(&world, &request, Some(&account)) {
        return refuse(&world, call, &error);
    }
    let Some(record) = world.journal.written_with_id(&sid) else {
        return refuse(&world, call, &TwilioError::not_found(request.path()));
    };
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        Answer::json(200, &resource::media_list(&account, &record))
    })
    .await
}

/// The typing indicator: also marks the inbound message as read.
async fn typing(world: Data<World>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let form = SendForm::parse(content_type(&request), &body);
    let message = form.get("messageId").unwrap_or_default();
    let mut call = Call {
        request: json!({ "messageId": message, "channel": form.get("channel") }),
        ..Call::new(Provider::Twilio, Endpoint::Typing)
    };
    if let Some(customer) = world.journal.customer_who_wrote(message) {
        call.customer = customer;
    }
    if let Err(error) = authorise(&world, &request, None).and_then(|()| check_typing(&form)) {
        return refuse(&world, call, &error);
    }
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        Answer::json(200, &json!({ "success": true }))
    })
    .await
}

fn check_typing(form: &SendForm) -> Result<(), TwilioError> {
    let inbound = form
        .get("messageId")
        .is_some_and(|sid| sid.starts_with("SM") || sid.starts_with("MM"));
    if form.get("channel") == Some("whatsapp") && inbound {
        Ok(())
    } else {
        Err(TwilioError::new(
            400,
            20_001,
            "channel must be whatsapp, messageId the SID of an inbound message",
        ))
    }
}

async fn media(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(String, String, String)>,
) -> HttpResponse {
    let (account, _, id) = path.into_inner();
    let call = Call::new(Provider::Twilio, Endpoint::Media);
    if let Err(error) = authorise(&world, &request, Some(&account)) {
        return refuse(&world, call, &error);
    }
    let Some(file) = world.media.get(&id) else {
        return refuse(&world, call, &TwilioError::not_found(request.path()));
    };
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        file.answer()
    })
    .await
}

/// Basic authentication with account SID and auth token, and the account in the path.
fn authorise(
    world: &World,
    request: &HttpRequest,
    account: Option<&str>,
) -> Result<(), TwilioError> {
    let config = &world.config.twilio;
    let given = auth::basic(request);
    let expected = (
        config.account_sid.as_str(),
        config.auth_token.expose_secret(),
    );
    if given
        .as_ref()
        .map(|(user, password)| (user.as_str(), password.as_str()))
        != Some(expected)
    {
        return Err(TwilioError::unauthorized());
    }
    match account {
        Some(sid) if sid != config.account_sid => Err(TwilioError::not_found(request.path())),
        _ => Ok(()),
    }
}

fn refuse(world: &World, call: Call, error: &TwilioError) -> HttpResponse {
    world.refuse(call, error.code.to_string(), error.answer())
}

fn content_type(request: &HttpRequest) -> &str {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// `SM` or, with media, `MM` and 32 hexadecimal digits.
pub(super) fn new_sid(media: usize) -> String {
    let kind = if media == 0 { "SM" } else { "MM" };
    format!("{kind}{}", Uuid::new_v4().simple())
}
