use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use serde_json::{Value, json};

use super::message::{CustomerMessage, Media};
use crate::address;
use crate::chatwoot::{self, Conversation, ConversationStatus};
use crate::journal::{Call, MessageStatus};
use crate::provider::{Endpoint, Provider};
use crate::webhook::{Posted, Webhook};
use crate::world::World;
use crate::{twilio, waha};

/// What came of a customer's message.
#[derive(Debug, Clone, Serialize)]
pub struct MessageResult {
    /// The provider's id of the message.
    pub id: String,
    /// The ingress's answer to the last try of the first posting.
    #[serde(flatten)]
    pub posted: Posted,
    /// How often it was tried again after a failure.
    pub retried: u32,
    /// The answers to the repetitions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repeats: Vec<Posted>,
}

/// A message ready to be posted.
struct Prepared {
    id: String,
    webhook: Webhook,
    business: String,
    conversation: Option<Conversation>,
}

/// Posts a message as its provider would, and writes it down.
///
/// # Errors
///
/// One line about what is wrong with the message.
pub(crate) async fn post(
    world: &Arc<World>,
    mut message: CustomerMessage,
) -> Result<MessageResult, String> {
    message.validate()?;
    serve_media(world, &mut message)?;
    let prepared = prepare(world, &message)?;
    let seq = write_down(world, &message, &prepared);
    let (posted, retried) = if message.lost {
        (Posted::lost(), 0)
    } else {
        post_with_retries(world, &message, &prepared.webhook).await
    };
    world.journal.update(seq, |progress| {
        progress.status = match posted.status {
            None => MessageStatus::Unreachable,
            Some(_) if posted.is_success() => MessageStatus::Received,
            Some(_) => MessageStatus::Rejected,
        };
        progress.code = posted.status.map(u32::from);
        progress.elapsed_us = Some(posted.elapsed_us);
        progress.request_id.clone_from(&posted.request_id);
        progress.complaint = posted.complaint();
    });
    // Of a webhook that is lost, Chatwoot knows no failure.
    if !message.lost {
        give_up_bot(world, &message, prepared.conversation, &posted);
    }
    let repeats = if message.lost {
        Vec::new()
    } else {
        repeat(world, &message, &prepared.webhook).await
    };
    Ok(MessageResult {
        id: prepared.id,
        posted,
        retried,
        repeats,
    })
}

/// Posts many messages, at most `concurrency` at a time; with 1 strictly one after another.
/// The results are in the order of the messages.
pub(crate) async fn post_all(
    world: &Arc<World>,
    messages: Vec<CustomerMessage>,
    concurrency: usize,
) -> Vec<Result<MessageResult, String>> {
    stream::iter(messages)
        .map(|message| post(world, message))
        .buffered(concurrency.max(1))
        .collect()
        .await
}

/// Gives attachments without an address one of ours.
fn serve_media(world: &World, message: &mut CustomerMessage) -> Result<(), String> {
    let path = match message.provider {
        Provider::Waha => "api/files".to_owned(),
        Provider::Chatwoot => "rails/active_storage/blobs".to_owned(),
        Provider::Twilio | Provider::Llm => {
            let account = &world.config.twilio.account_sid;
            let sid = twilio::new_sid(message.media.len());
            format!("2010-04-01/Accounts/{account}/Messages/{sid}/Media")
        }
    };
    let provider = message.provider;
    let is_file = |media: &&mut Media| provider == Provider::Twilio || !media.is_card();
    let media = message.media.iter_mut().filter(is_file);
    for media in media.filter(|media| media.url.is_none()) {
        let id = world.media.keep(media)?;
        media.url = Some(format!("{}/{path}/{id}", world.url));
        media.base64 = None;
        media.content = None;
    }
    Ok(())
}

fn prepare(world: &World, message: &CustomerMessage) -> Result<Prepared, String> {
    match message.provider {
        Provider::Twilio | Provider::Llm => Ok(prepare_twilio(world, message)),
        Provider::Waha => Ok(prepare_waha(world, message)),
        Provider::Chatwoot => prepare_chatwoot(world, message),
    }
}

fn prepare_twilio(world: &World, message: &CustomerMessage) -> Prepared {
    let id = message
        .id
        .clone()
        .unwrap_or_else(|| twilio::new_sid(message.media.len()));
    let number = world.config.twilio.numbers.first();
    let business = message.to.as_ref().or(number);
    Prepared {
        webhook: twilio::inbound_webhook(&world.config, &id, message),
        business: address::whatsapp(business.map_or("", String::as_str)),
        id,
        conversation: None,
    }
}

fn prepare_waha(world: &World, message: &CustomerMessage) -> Prepared {
    let chat = address::chat_id(&message.from);
    let id = message
        .id
        .clone()
        .unwrap_or_else(|| waha::new_id(false, &chat));
    let name = message.to.clone();
    let name = name.unwrap_or_else(|| world.config.waha.session.clone());
    let me = world.business_chat_id();
    let session = waha::Session {
        name: &name,
        engine: world.config.waha.engine,
        me: &me,
    };
    Prepared {
        webhook: waha::inbound_webhook(&world.config, session, &id, message),
        id,
        business: name,
        conversation: None,
    }
}

fn prepare_chatwoot(world: &World, message: &CustomerMessage) -> Result<Prepared, String> {
    let id = match &message.id {
        Some(id) => id
            .parse()
            .map_err(|_| "id: Chatwoot's ids are numbers".to_owned())?,
        None => world.chatwoot.next_message(),
    };
    let customer = address::customer(&message.from);
    let conversation = world
        .chatwoot
        .written_by(&customer, message.name.as_deref());
    Ok(Prepared {
        webhook: chatwoot::inbound_webhook(&world.config, &conversation, id, message),
        id: id.to_string(),
        business: chatwoot::INBOX_NAME.to_owned(),
        conversation: Some(conversation),
    })
}

/// Written down before it is posted, so that it stands before its answer.
fn write_down(world: &World, message: &CustomerMessage, prepared: &Prepared) -> u64 {
    let call = Call {
        customer: address::customer(&message.from),
        business: prepared.business.clone(),
        text: shown_text(message),
        request: json!({
            "name": message.name,
            "media": message.media,
            "location": message.location,
            "button": message.button,
            "reply_to": message.reply_to,
            "tamper": message.tamper,
            "conversation": prepared.conversation.as_ref().map(|found| found.id),
            "event": event(message.provider, &prepared.webhook),
            "headers": prepared.webhook.headers,
            "form": form(message.provider, &prepared.webhook),
        }),
        ..Call::new(message.provider, Endpoint::Webhook)
    };
    let status = MessageStatus::Posting;
    let entry = world.journal.accept(call, &prepared.id, status, None);
    if let Some(name) = &message.name {
        world.journal.name(entry.provider, &entry.customer, name);
    }
    entry.seq
}

/// What a provider's own list has of a message that its event has: all of it.
fn event(provider: Provider, webhook: &Webhook) -> Value {
    match provider {
        Provider::Waha | Provider::Chatwoot => {
            serde_json::from_slice(&webhook.body).unwrap_or(Value::Null)
        }
        Provider::Twilio | Provider::Llm => Value::Null,
    }
}

/// The body of a webhook that is a form.
fn form(provider: Provider, webhook: &Webhook) -> Value {
    match provider {
        Provider::Twilio => String::from_utf8_lossy(&webhook.body).into(),
        Provider::Waha | Provider::Chatwoot | Provider::Llm => Value::Null,
    }
}

fn shown_text(message: &CustomerMessage) -> String {
    match &message.button {
        Some(button) if message.text.is_empty() => button.text.clone(),
        _ => message.text.clone(),
    }
}

async fn post_with_retries(
    world: &World,
    message: &CustomerMessage,
    webhook: &Webhook,
) -> (Posted, u32) {
    let mut posted = world.webhooks.post(webhook).await;
    let mut retried = 0;
    while retried < message.retries && is_retried(message.provider, &posted) {
        retried += 1;
        tokio::time::sleep(Duration::from_millis(message.retry_delay_ms)).await;
        posted = world.webhooks.post(webhook).await;
    }
    (posted, retried)
}

/// Whether a provider that was told to retry tries again: Chatwoot's bots on 429 and 500 only.
fn is_retried(provider: Provider, posted: &Posted) -> bool {
    match provider {
        Provider::Chatwoot => matches!(posted.status, Some(429 | 500)),
        _ => !posted.is_success(),
    }
}

async fn repeat(world: &World, message: &CustomerMessage, webhook: &Webhook) -> Vec<Posted> {
    let times = message.repeat.saturating_sub(1);
    if message.at_once {
        return join_all((0..times).map(|_| world.webhooks.post(webhook))).await;
    }
    let mut repeats = Vec::new();
    for _ in 0..times {
        repeats.push(world.webhooks.post(webhook).await);
    }
    repeats
}

/// Chatwoot hands a pending conversation to humans when its bot cannot be reached. A forged webhook
/// is not Chatwoot's, and changes nothing.
fn give_up_bot(
    world: &Arc<World>,
    message: &CustomerMessage,
    conversation: Option<Conversation>,
    posted: &Posted,
) {
    let Some(conversation) = conversation else {
        return;
    };
    let pending = conversation.status == ConversationStatus::Pending;
    if pending && message.tamper.is_none() && !posted.is_success() {
        chatwoot::change_status(world, conversation.id, Some(ConversationStatus::Open));
    }
}

impl MessageResult {
    /// The result as JSON; a message that could not be posted has an `error` and nothing else.
    pub(crate) fn json(result: Result<Self, String>) -> Value {
        match result {
            Ok(result) => json!(result),
            Err(error) => json!({ "error": error }),
        }
    }
}
