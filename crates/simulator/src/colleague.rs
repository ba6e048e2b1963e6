//! A colleague writes to a customer past the services: with another program on Twilio's number, on the
//! telephone that WAHA is linked to, in Chatwoot.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::address;
use crate::customer::MessageResult;
use crate::delivery;
use crate::journal::{Call, Entry, MessageStatus};
use crate::provider::{Endpoint, Provider};
use crate::webhook::{Posted, Webhook};
use crate::world::World;
use crate::{chatwoot, twilio, waha};

/// What a colleague writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColleagueMessage {
    /// Through whom it goes.
    pub provider: Provider,
    /// The customer: `+31612345678`, or an address without a number, such as `4711@lid`.
    pub to: String,
    /// The text.
    pub text: String,
    /// The colleague's name, which only Chatwoot tells; Petra when absent.
    pub by: Option<String>,
    /// Sender number or WAHA session; the configured one when absent.
    pub from: Option<String>,
    /// WAHA and Chatwoot: post the event again after a failure, this often.
    pub retries: u32,
    /// Milliseconds before each retry.
    pub retry_delay_ms: u64,
    /// Nothing tells of it: no status callback, no event. The provider has it all the same.
    pub lost: bool,
}

/// Writes as a colleague; gives the provider's id, and of WAHA and Chatwoot the ingress's answer. Twilio
/// tells only later, by the number's own status callback.
///
/// # Errors
///
/// One line about what is wrong with the message.
pub(crate) async fn write(
    world: &Arc<World>,
    message: ColleagueMessage,
) -> Result<MessageResult, String> {
    if message.to.trim().is_empty() || message.text.trim().is_empty() {
        return Err("to and text must not be empty".to_owned());
    }
    match message.provider {
        Provider::Twilio => Ok(on_twilio(world, &message)),
        Provider::Waha => Ok(on_the_telephone(world, &message).await),
        Provider::Chatwoot => in_chatwoot(world, &message).await,
        Provider::Llm => Err("provider must be twilio, waha or chatwoot".to_owned()),
    }
}

fn on_twilio(world: &Arc<World>, message: &ColleagueMessage) -> MessageResult {
    let number = world.config.twilio.numbers.first();
    let from = message.from.as_ref().or(number);
    let business = address::whatsapp(from.map_or("", String::as_str));
    let id = twilio::new_sid(0);
    let call = Call {
        business: business.clone(),
        request: json!({ "From": business, "To": address::whatsapp(&message.to) }),
        ..call(message)
    };
    let entry = accept(world, call, &id);
    let callback = (!message.lost).then(|| twilio::status_url(&world.config));
    let plan = world.delivery_plan(&as_call(&entry));
    delivery::begin(world, &entry, &plan, callback);
    told(id, None)
}

async fn on_the_telephone(world: &Arc<World>, message: &ColleagueMessage) -> MessageResult {
    let session = message.from.as_ref().unwrap_or(&world.config.waha.session);
    let id = waha::new_id(true, &address::chat_id(&message.to));
    let call = Call {
        business: session.clone(),
        ..call(message)
    };
    let entry = accept(world, call, &id);
    let webhook = waha::own_message_webhook(world, &entry, "app");
    told(id, post(world, message, &webhook).await)
}

async fn in_chatwoot(
    world: &Arc<World>,
    message: &ColleagueMessage,
) -> Result<MessageResult, String> {
    let customer = address::customer(&message.to);
    let conversation = world.chatwoot.of_customer(&customer);
    let conversation = conversation.ok_or("the customer has no conversation in Chatwoot")?;
    let id = world.chatwoot.next_message().to_string();
    let call = Call {
        business: chatwoot::INBOX_NAME.to_owned(),
        ..call(message)
    };
    let entry = accept(world, call, &id);
    let by = message.by.as_deref().unwrap_or("Petra");
    let webhook = chatwoot::user_message_webhook(world, &conversation, &entry, by);
    Ok(told(id, post(world, message, &webhook).await))
}

fn call(message: &ColleagueMessage) -> Call {
    Call {
        customer: address::customer(&message.to),
        text: message.text.clone(),
        request: json!({ "by": message.by }),
        ..Call::new(message.provider, Endpoint::Colleague)
    }
}

/// The call by which rules choose a course of delivery.
fn as_call(entry: &Entry) -> Call {
    Call {
        customer: entry.customer.clone(),
        business: entry.business.clone(),
        text: entry.text.clone(),
        ..Call::new(entry.provider, Endpoint::Colleague)
    }
}

fn accept(world: &World, call: Call, id: &str) -> Arc<Entry> {
    world.journal.accept(call, id, MessageStatus::Queued, None)
}

async fn post(
    world: &World,
    message: &ColleagueMessage,
    webhook: &Webhook,
) -> Option<(Posted, u32)> {
    if message.lost {
        return None;
    }
    let mut posted = world.webhooks.post(webhook).await;
    let mut retried = 0;
    while retried < message.retries && !posted.is_success() {
        retried += 1;
        tokio::time::sleep(Duration::from_millis(message.retry_delay_ms)).await;
        posted = world.webhooks.post(webhook).await;
    }
    Some((posted, retried))
}

fn told(id: String, posted: Option<(Posted, u32)>) -> MessageResult {
    let (posted, retried) = posted.unwrap_or_else(|| (Posted::untold(), 0));
    MessageResult {
        id,
        posted,
        retried,
        repeats: Vec::new(),
    }
}
