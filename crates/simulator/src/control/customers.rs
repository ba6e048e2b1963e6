use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{not_found, refuse};
use crate::address;
use crate::chatwoot::{self, ConversationStatus};
use crate::colleague::{ColleagueMessage, write};
use crate::customer::{CustomerMessage, MessageResult, post, post_all};
use crate::world::World;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchQuery {
    /// How many messages of a batch are posted at the same time.
    #[serde(default = "one")]
    concurrency: usize,
}

fn one() -> usize {
    1
}

/// One message, or an array of them: posts signed webhooks and tells what the ingress answered.
pub(super) async fn messages(
    world: Data<World>,
    query: Query<BatchQuery>,
    body: Json<Value>,
) -> HttpResponse {
    let world = world.into_inner();
    let body = body.into_inner();
    if !body.is_array() {
        let message = match serde_json::from_value::<CustomerMessage>(body) {
            Ok(message) => message,
            Err(error) => return refuse(&error.to_string()),
        };
        return match post(&world, message).await {
            Ok(result) => HttpResponse::Ok().json(result),
            Err(error) => refuse(&error),
        };
    }
    let messages = match serde_json::from_value::<Vec<CustomerMessage>>(body) {
        Ok(messages) => messages,
        Err(error) => return refuse(&error.to_string()),
    };
    let invalid = messages.iter().find_map(|message| message.validate().err());
    if let Some(error) = invalid {
        return refuse(&error);
    }
    let results = post_all(&world, messages, query.concurrency).await;
    let results: Vec<Value> = results.into_iter().map(MessageResult::json).collect();
    HttpResponse::Ok().json(results)
}

/// A colleague writes past the services.
pub(super) async fn colleague(world: Data<World>, body: Json<ColleagueMessage>) -> HttpResponse {
    match write(&world.into_inner(), body.into_inner()).await {
        Ok(result) => HttpResponse::Ok().json(result),
        Err(error) => refuse(&error),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusChangeBody {
    conversation: Option<u64>,
    from: Option<String>,
    status: ConversationStatus,
    assignee: Option<String>,
}

/// A human takes a conversation over, or gives it back.
pub(super) async fn chatwoot_status(
    world: Data<World>,
    body: Json<StatusChangeBody>,
) -> HttpResponse {
    let world = world.into_inner();
    let body = body.into_inner();
    let id = body.conversation.or_else(|| {
        let customer = address::customer(body.from.as_deref()?);
        Some(world.chatwoot.of_customer(&customer)?.id)
    });
    let Some(id) = id else {
        return not_found("no conversation of that number or customer");
    };
    world.chatwoot.assign(id, body.assignee);
    match chatwoot::change_status(&world, id, Some(body.status)) {
        Some(conversation) => HttpResponse::Ok().json(json!({ "conversation": conversation })),
        None => not_found("no conversation of that number"),
    }
}
