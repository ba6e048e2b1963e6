use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde_json::json;

use super::refuse;
use crate::address;
use crate::journal::{Query, Record};
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// Longest wait of one request.
const MAX_WAIT: Duration = Duration::from_secs(300);

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SentQuery {
    provider: Option<Provider>,
    to: Option<String>,
    from: Option<String>,
    endpoint: Option<String>,
    accepted: Option<String>,
    since: u64,
    limit: Option<usize>,
    count: Option<usize>,
    timeout_ms: Option<u64>,
}

impl SentQuery {
    /// Accepted messages, unless `endpoint` or `accepted` name something else or `any`.
    fn query(&self) -> Result<Query, String> {
        Ok(Query {
            provider: self.provider,
            to: self.to.as_deref().map(address::customer),
            from: self.from.clone(),
            endpoint: match self.endpoint.as_deref() {
                None => Some(Endpoint::Send),
                Some("any") => None,
                Some(name) => Some(endpoint(name)?),
            },
            accepted: match self.accepted.as_deref() {
                None | Some("true") => Some(true),
                Some("false") => Some(false),
                Some("any") => None,
                Some(_) => return Err("accepted is neither true nor false nor any".to_owned()),
            },
            since: self.since,
            limit: self.limit.unwrap_or(Query::DEFAULT_LIMIT),
            ..Query::default()
        })
    }
}

fn endpoint(name: &str) -> Result<Endpoint, String> {
    let deserializer: StrDeserializer<'_, ValueError> = name.into_deserializer();
    Endpoint::deserialize(deserializer).map_err(|error| format!("endpoint: {error}"))
}

/// What the services sent, oldest first; accepted messages unless the query says otherwise.
pub(super) async fn sent(world: Data<World>, query: web::Query<SentQuery>) -> HttpResponse {
    let asked = match query.query() {
        Ok(asked) => asked,
        Err(error) => return refuse(&error),
    };
    let entries = world.journal.oldest(&asked);
    HttpResponse::Ok().json(json!({ "last": last(&entries, query.since), "entries": entries }))
}

/// Waits until `count` messages were sent. Level-triggered: what was sent before counts.
pub(super) async fn wait(world: Data<World>, query: web::Query<SentQuery>) -> HttpResponse {
    let count = query.count.unwrap_or(1);
    let timeout = Duration::from_millis(query.timeout_ms.unwrap_or(10_000));
    if timeout > MAX_WAIT {
        return refuse("timeout_ms is more than 300000");
    }
    let asked = match query.query() {
        Ok(asked) => asked,
        Err(error) => return refuse(&error),
    };
    let entries = tokio::select! {
        entries = world.journal.wait(&asked, count, timeout) => entries,
        () = world.stopping() => world.journal.oldest(&asked),
    };
    HttpResponse::Ok().json(json!({
        "complete": entries.len() >= count,
        "last": last(&entries, query.since),
        "entries": entries,
    }))
}

/// Number to ask on from.
fn last(entries: &[Record], since: u64) -> u64 {
    entries.last().map_or(since, |record| record.entry.seq)
}

/// All conversations, the liveliest first.
pub(super) async fn conversations(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "conversations": world.journal.conversations() }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TranscriptQuery {
    provider: Option<Provider>,
    #[serde(default)]
    since: u64,
}

/// One customer's conversation, both ways, oldest first.
pub(super) async fn transcript(
    world: Data<World>,
    address: Path<String>,
    query: web::Query<TranscriptQuery>,
) -> HttpResponse {
    let customer = address::customer(&address);
    let query = Query {
        provider: query.provider,
        to: Some(customer.clone()),
        since: query.since,
        limit: Query::DEFAULT_LIMIT,
        ..Query::default()
    };
    let mut entries = world.journal.newest(&query, 0);
    entries.reverse();
    let conversation = world.chatwoot.of_customer(&customer);
    HttpResponse::Ok().json(json!({
        "customer": customer,
        "chatwoot": conversation,
        "entries": entries,
    }))
}

/// Counters.
pub(super) async fn stats(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "uptime_us": world.clock.now().micros,
        "journal": world.journal.stats(),
    }))
}

/// Who is played: what the page shows.
pub(super) async fn info(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "url": world.url,
        "ingress_url": world.config.ingress_url,
        "public_base_url": world.config.signed_base_url(),
        "twilio": { "numbers": world.config.twilio.numbers },
        "waha": {
            "session": world.config.waha.session,
            "engine": world.config.waha.engine.as_str(),
        },
        "chatwoot": { "account_id": world.config.chatwoot.account_id },
    }))
}

/// Forgets everything that happened and every order to misbehave.
pub(super) async fn reset(world: Data<World>) -> HttpResponse {
    world.reset();
    HttpResponse::Ok().json(json!({ "reset": true }))
}
