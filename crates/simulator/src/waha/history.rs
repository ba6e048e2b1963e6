use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::{authorise, refuse, require_working};
use super::error::error;
use super::{Ack, ack_of};
use crate::address;
use crate::answer::Answer;
use crate::faults::respond;
use crate::journal::{Call, Entry, Query, Record};
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// The query of a chat's messages.
#[derive(Debug, Default, PartialEq, Eq)]
struct HistoryQuery {
    limit: usize,
    offset: usize,
    from_me: Option<bool>,
    from_second: Option<i64>,
    to_second: Option<i64>,
    without_media: bool,
}

impl HistoryQuery {
    const DEFAULT_LIMIT: usize = 10;

    fn parse(query: &str) -> Self {
        let mut history = Self {
            limit: Self::DEFAULT_LIMIT,
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "limit" => history.limit = value.parse().unwrap_or(Self::DEFAULT_LIMIT),
                "offset" => history.offset = value.parse().unwrap_or(0),
                "downloadMedia" => history.without_media = value == "false",
                "filter.fromMe" => history.from_me = value.parse().ok(),
                "filter.timestamp.gte" => history.from_second = value.parse().ok(),
                "filter.timestamp.lte" => history.to_second = value.parse().ok(),
                _ => {}
            }
        }
        history
    }

    fn matches(&self, record: &Record) -> bool {
        let entry = &record.entry;
        let from_me = entry.endpoint.is_outgoing();
        let second = entry.arrived.at.as_second();
        ((from_me && entry.outcome.is_accepted()) || entry.endpoint == Endpoint::Webhook)
            && self.from_me.is_none_or(|wanted| wanted == from_me)
            && self.from_second.is_none_or(|from| second >= from)
            && self.to_second.is_none_or(|to| second <= to)
    }
}

/// The messages of one chat, newest first, both ways.
pub(super) async fn list(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> HttpResponse {
    let (session, chat) = path.into_inner();
    let checked = authorise(&world, &request).and_then(|()| require_working(&world, &session));
    if let Err(answer) = checked {
        return refuse(&world, Endpoint::List, answer);
    }
    let history = HistoryQuery::parse(request.query_string());
    let call = Call {
        customer: address::customer(&chat),
        business: session,
        ..Call::new(Provider::Waha, Endpoint::List)
    };
    respond(&world, &request, call, |call, fault| {
        let query = Query {
            provider: Some(Provider::Waha),
            to: Some(call.customer.clone()),
            arrived_to: fault.and_then(|fault| fault.known_until(Timestamp::now())),
            limit: usize::MAX,
            ..Query::default()
        };
        world.journal.note(call, fault);
        let messages: Vec<Value> = world
            .journal
            .newest(&query, 0)
            .iter()
            .filter(|record| history.matches(record))
            .skip(history.offset)
            .take(history.limit)
            .map(|record| message(record, &world.business_chat_id(), &history))
            .collect();
        Answer::json(200, &Value::Array(messages))
    })
    .await
}

/// One message by its id.
pub(super) async fn one(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(String, String, String)>,
) -> HttpResponse {
    let (session, _, id) = path.into_inner();
    let checked = authorise(&world, &request).and_then(|()| require_working(&world, &session));
    if let Err(answer) = checked {
        return refuse(&world, Endpoint::Fetch, answer);
    }
    let history = HistoryQuery::parse(request.query_string());
    let found = world.journal.written_with_id(&id);
    respond(
        &world,
        &request,
        Call::new(Provider::Waha, Endpoint::Fetch),
        |call, fault| {
            world.journal.note(call, fault);
            match &found {
                Some(record) => {
                    Answer::json(200, &message(record, &world.business_chat_id(), &history))
                }
                None => error(404, None),
            }
        },
    )
    .await
}

/// The chats of a session, the one with the newest message first. Each engine has its own shape.
pub(super) async fn chats(
    world: Data<World>,
    request: HttpRequest,
    session: Path<String>,
) -> HttpResponse {
    let checked = authorise(&world, &request).and_then(|()| require_working(&world, &session));
    if let Err(answer) = checked {
        return refuse(&world, Endpoint::List, answer);
    }
    let page = HistoryQuery::parse(request.query_string());
    respond(
        &world,
        &request,
        Call::new(Provider::Waha, Endpoint::List),
        |call, fault| {
            let of_waha = world.journal.conversations().into_iter();
            let of_waha =
                of_waha.filter(|chat| chat.provider == Provider::Waha && !chat.customer.is_empty());
            let engine = world.config.waha.engine;
            let chats: Vec<Value> = of_waha
                .skip(page.offset)
                .take(page.limit)
                .map(|chat| engine.chat(&chat.customer, chat.newest.entry.arrived.at.as_second()))
                .collect();
            world.journal.note(call, fault);
            Answer::json(200, &Value::Array(chats))
        },
    )
    .await
}

fn message(record: &Record, me: &str, history: &HistoryQuery) -> Value {
    let entry = &record.entry;
    if let Some(payload) = entry.request.pointer("/event/payload") {
        let mut payload = payload.clone();
        if history.without_media {
            payload["media"] = Value::Null;
        }
        return payload;
    }
    payload(entry, me, ack_of(record.progress.status))
}

/// A message as events and lists have it, when a customer did not write it.
pub(super) fn payload(entry: &Entry, me: &str, ack: Option<Ack>) -> Value {
    let from_me = entry.endpoint.is_outgoing();
    let chat = address::chat_id(&entry.customer);
    let (from, to) = if from_me {
        (me, chat.as_str())
    } else {
        (chat.as_str(), me)
    };
    json!({
        "id": entry.id,
        "timestamp": entry.arrived.at.as_second(),
        "from": from,
        "fromMe": from_me,
        "source": if entry.endpoint == Endpoint::Send { "api" } else { "app" },
        "to": to,
        "body": entry.text,
        "hasMedia": false,
        "media": null,
        "ack": ack.map(Ack::number),
        "ackName": ack.map(Ack::name),
        "replyTo": null,
    })
}
