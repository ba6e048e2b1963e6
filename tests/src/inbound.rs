use serde_json::json;
use streams::NewEntry;

use crate::settings::NUMBER;

/// An inbound entry as ingress writes it, number `number` of as many customers.
pub fn inbound_entry(number: u32, customers: u32) -> NewEntry {
    let phone = format!("+3161{:07}", number % customers);
    let customer = format!("whatsapp:{phone}");
    let id = format!("SM{number:032x}");
    let payload = json!({
        "id": id,
        "conversation": { "id": customer },
        "sender": { "id": customer, "phone_number": phone },
        "content": "Ik zoek een Volkswagen Golf",
        "message_type": "incoming",
        "channel": "whatsapp",
        "source": "twilio",
        "endpoint": { "address": NUMBER },
    });
    NewEntry {
        kind: "message".into(),
        event: format!("twilio:message:{id}"),
        conversation: customer,
        payload: payload.to_string(),
        ..NewEntry::default()
    }
}
