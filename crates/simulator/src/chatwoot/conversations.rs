use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::api::{admit_to_account, error};
use super::api_inbox;
use super::conversation::ConversationStatus;
use super::webhook::{INBOX_ID, conversation_body};
use crate::answer::Answer;
use crate::faults::respond;
use crate::journal::Call;
use crate::provider::{Endpoint, Provider};
use crate::world::World;

/// The conversations of a status, by default the open ones; the one with the newest message first.
pub(super) async fn list(
    world: Data<World>,
    request: HttpRequest,
    account: Path<u64>,
) -> HttpResponse {
    const PAGE: usize = 25;
    let call = Call::new(Provider::Chatwoot, Endpoint::List);
    if let Err(answer) = admit_to_account(&world, &request, *account, false) {
        return world.refuse(call, answer.status.to_string(), answer);
    }
    let given = |wanted: &str| {
        let mut query = form_urlencoded::parse(request.query_string().as_bytes());
        let (_, value) = query.find(|(name, _)| name == wanted)?;
        Some(value.into_owned())
    };
    let status: Option<ConversationStatus> = match given("status").as_deref() {
        Some("all") => None,
        Some(word) => serde_json::from_value(json!(word)).ok(),
        None => Some(ConversationStatus::Open),
    };
    let page: usize = given("page")
        .and_then(|page| page.parse().ok())
        .unwrap_or(1);
    if given("inbox_id") == Some(api_inbox::API_INBOX_ID.to_string()) {
        return respond(&world, &request, call, |call, fault| {
            world.journal.note(call, fault);
            let all = api_inbox::listed(&world, status);
            let meta = json!({ "all_count": all.len() });
            let page = all.into_iter().skip(page.saturating_sub(1) * PAGE);
            let page: Vec<Value> = page.take(PAGE).collect();
            Answer::json(200, &json!({ "data": { "meta": meta, "payload": page } }))
        })
        .await;
    }
    respond(&world, &request, call, |call, fault| {
        let summaries = world.journal.conversations().into_iter();
        let of_chatwoot = summaries.filter(|one| one.provider == Provider::Chatwoot);
        let conversations: Vec<Value> = of_chatwoot
            .filter_map(|one| {
                let conversation = world.chatwoot.of_customer(&one.customer)?;
                status
                    .is_none_or(|status| status == conversation.status)
                    .then(|| listed(*account, &conversation, one.newest.entry.arrived.at))
            })
            .skip(page.saturating_sub(1) * PAGE)
            .take(PAGE)
            .collect();
        world.journal.note(call, fault);
        let meta = json!({ "all_count": conversations.len() });
        Answer::json(
            200,
            &json!({ "data": { "meta": meta, "payload": conversations } }),
        )
    })
    .await
}

/// A conversation as the list has it: the channel is in `meta`, and nothing says which of the contact's
/// addresses it is.
fn listed(account: u64, conversation: &super::Conversation, at: Timestamp) -> Value {
    let mut body = conversation_body(account, conversation, at);
    body["meta"]["channel"] = body["channel"].take();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("channel");
        fields.remove("contact_inbox");
    }
    body
}

/// A contact, with its address in each inbox. It has the number of its conversation.
pub(super) async fn contact(
    world: Data<World>,
    request: HttpRequest,
    path: Path<(u64, u64)>,
) -> HttpResponse {
    let (account, contact) = path.into_inner();
    let call = Call::new(Provider::Chatwoot, Endpoint::Contact);
    if let Err(answer) = admit_to_account(&world, &request, account, false) {
        return world.refuse(call, answer.status.to_string(), answer);
    }
    let conversation = world.chatwoot.get(contact);
    respond(&world, &request, call, |call, fault| {
        world.journal.note(call, fault);
        let Some(conversation) = &conversation else {
            return error(404, None);
        };
        let source = conversation.customer.trim_start_matches('+');
        let inboxes = json!([{ "source_id": source, "inbox": { "id": INBOX_ID } }]);
        let contact = json!({
            "id": contact, "name": conversation.name, "contact_inboxes": inboxes,
        });
        Answer::json(200, &json!({ "payload": contact }))
    })
    .await
}
