use crate::address;
use crate::journal::{Entry, MessageStatus};

/// The form fields of a status callback for a message that was accepted earlier, as described at
/// <https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks>.
pub fn status_form(
    account_sid: &str,
    entry: &Entry,
    status: MessageStatus,
    error_code: Option<u32>,
) -> Vec<(String, String)> {
    let to = address::whatsapp(&entry.customer);
    let mut form: Vec<(String, String)> = [
        ("ChannelToAddress", to.as_str()),
        ("ChannelPrefix", "whatsapp"),
        ("MessageStatus", status.as_str()),
        ("SmsStatus", status.as_str()),
        ("MessageSid", &entry.id),
        ("SmsSid", &entry.id),
        ("AccountSid", account_sid),
        ("ApiVersion", "2010-04-01"),
        ("To", &to),
        ("From", &entry.business),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    if let Some(event) = event_type(status) {
        form.push(("EventType".to_owned(), event.to_owned()));
    }
    if let Some(code) = error_code {
        form.push(("ErrorCode".to_owned(), code.to_string()));
        form.push((
            "ErrorMessage".to_owned(),
            super::error_text(code).to_owned(),
        ));
        form.push((
            "ChannelStatusMessage".to_owned(),
            super::error_text(code).to_owned(),
        ));
    }
    form
}

fn event_type(status: MessageStatus) -> Option<&'static str> {
    match status {
        MessageStatus::Sent => Some("SENT"),
        MessageStatus::Delivered => Some("DELIVERED"),
        MessageStatus::Read => Some("READ"),
        MessageStatus::Undelivered => Some("UNDELIVERED"),
        MessageStatus::Failed => Some("FAILED"),
        _ => None,
    }
}
