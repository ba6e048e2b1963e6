//! Who wrote through Chatwoot, and what of it the inbox proves. Pure.
//!
//! A contact's number is what somebody typed: in a web chat anybody types anybody's, and Chatwoot
//! merges contacts by it. Only an inbox of WhatsApp proves a number, and only the one that the
//! message came from.

use serde_json::Value;
use shared_types::{ChannelAddress, PhoneNumber, Sender, phone_number_of};

use crate::lenient::Fields;
use crate::text::clean_line;
use crate::whatsapp::{chat_of, machine};

const MAX_NAME_CHARS: usize = 100;
/// Where WAHA's Chatwoot app notes the chat of a contact.
const WAHA_ATTRIBUTES: [&str; 3] = [
    "waha_whatsapp_jid",
    "waha_whatsapp_lid",
    "waha_whatsapp_chat_id",
];

/// The contact, as the message has it or as the conversation does.
fn contacts<'a>(message: Fields<'a>, conversation: Fields<'a>) -> [Option<Fields<'a>>; 3] {
    let meta = conversation.object("meta");
    [
        message.object("sender"),
        message.object("contact"),
        meta.and_then(|meta| meta.object("sender")),
    ]
}

/// The WhatsApp addresses that WAHA's app wrote into a contact.
fn of_waha<'a>(contact: Fields<'a>) -> impl Iterator<Item = &'a str> {
    let attributes = contact.object("custom_attributes");
    let attribute = move |name| attributes?.raw(name)?.as_str();
    let identifier = contact.raw("identifier").and_then(Value::as_str);
    WAHA_ATTRIBUTES
        .into_iter()
        .filter_map(attribute)
        .chain(identifier)
}

/// Chats that WAHA's app mirrors into Chatwoot and that are no customer's; machines.
pub(super) fn not_a_customer(
    message: Fields<'_>,
    conversation: Fields<'_>,
) -> Option<&'static str> {
    let contacts = contacts(message, conversation).into_iter().flatten();
    let addresses = contacts.flat_map(of_waha);
    let of_contact = addresses
        .filter_map(|address| chat_of(address).err())
        .find(|kind| *kind != "address");
    let inbox = conversation.object("contact_inbox");
    let source = inbox.and_then(|inbox| inbox.raw("source_id")?.as_str());
    of_contact.or_else(|| machine(digits(source.unwrap_or_default())))
}

fn digits(source: &str) -> &str {
    source
        .strip_prefix("whatsapp:")
        .unwrap_or(source)
        .trim_start_matches('+')
}

/// None when the message names nobody.
pub(super) fn sender(
    message: Fields<'_>,
    conversation: Fields<'_>,
    account: u64,
) -> Option<Sender> {
    let contacts = contacts(message, conversation);
    let first = |name| {
        let texts = contacts
            .iter()
            .flatten()
            .filter_map(|contact| contact.text(name));
        texts.into_iter().next()
    };
    let inbox = conversation.object("contact_inbox");
    let contact_id = contacts
        .iter()
        .flatten()
        .find_map(|contact| contact.whole("id"));
    let contact_id = contact_id.or_else(|| inbox?.whole("contact_id"))?;
    let told = first("phone_number").and_then(number);
    let channel = conversation.text("channel").unwrap_or_default();
    let source = inbox
        .and_then(|inbox| inbox.text("source_id"))
        .unwrap_or_default();
    let proof = Proof::of(channel, source, &contacts, told.as_ref());
    let mut addresses: Vec<ChannelAddress> = Vec::new();
    let whatsapp = proof
        .number
        .as_ref()
        .map(|number| format!("whatsapp:{number}"));
    let contact = if proof.is_whatsapp {
        format!("chatwoot:{account}-contact-{contact_id}")
    } else {
        // Who else has this contact's name or number is not proven: the visitor stands alone.
        let visitor = inbox.and_then(|inbox| inbox.whole("id"));
        match visitor {
            Some(visitor) => format!("chatwoot:{account}-visitor-{visitor}"),
            None => format!(
                "chatwoot:{account}-conversation-{}",
                conversation.whole("id")?
            ),
        }
    };
    let all = whatsapp
        .into_iter()
        .chain([contact])
        .filter_map(|text| text.parse().ok());
    for address in all.chain(proof.addresses) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    let mut addresses = addresses.into_iter();
    Some(Sender {
        id: addresses.next()?,
        // WAHA's app names a contact without a name by its address.
        name: first("name")
            .filter(|name| chat_of(name).is_err())
            .and_then(|name| clean_line(name, MAX_NAME_CHARS)),
        phone_number_is_claimed: proof.number.is_none() && told.is_some(),
        phone_number: proof.number.or(told),
        aliases: addresses.collect(),
        username: None,
    })
}

/// A number as people write it: `+31 6 12345678`.
fn number(text: &str) -> Option<PhoneNumber> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    phone_number_of(digits.strip_prefix('+')?)
}

/// What an inbox proves of who wrote.
struct Proof {
    is_whatsapp: bool,
    number: Option<PhoneNumber>,
    addresses: Vec<ChannelAddress>,
}

impl Proof {
    fn of(
        channel: &str,
        source: &str,
        contacts: &[Option<Fields<'_>>],
        told: Option<&PhoneNumber>,
    ) -> Self {
        let mut proof = Self {
            is_whatsapp: false,
            number: None,
            addresses: Vec::new(),
        };
        match channel {
            // The source is the WhatsApp id or the business-scoped id that the message came from.
            "Channel::Whatsapp" => {
                proof.is_whatsapp = true;
                proof.number = phone_number_of(digits(source)).or_else(|| told.cloned());
                let scoped = source.contains('.').then(|| format!("whatsapp:{source}"));
                proof
                    .addresses
                    .extend(scoped.and_then(|id| id.parse().ok()));
            }
            "Channel::TwilioSms" if source.starts_with("whatsapp:") => {
                proof.is_whatsapp = true;
                proof.number = phone_number_of(digits(source));
                proof
                    .addresses
                    .extend(source.parse::<ChannelAddress>().ok());
            }
            // An inbox of the API is as good as who writes into it: WAHA's app notes the chat.
            "Channel::Api" => {
                let chats = contacts
                    .iter()
                    .flatten()
                    .flat_map(|contact| of_waha(*contact));
                proof
                    .addresses
                    .extend(chats.filter_map(|chat| chat_of(chat).ok()));
                proof.is_whatsapp = !proof.addresses.is_empty();
                proof.number = proof
                    .addresses
                    .iter()
                    .find_map(ChannelAddress::phone_number);
            }
            _ => {}
        }
        proof
    }
}
