use serde_json::json;

use crate::address;
use crate::customer::CustomerMessage;

/// The account whose webhooks are imitated.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// `AC…`.
    pub sid: &'a str,
    /// The number that customers write to when they name none.
    pub number: &'a str,
}

/// The form fields of an inbound WhatsApp message, as documented at
/// <https://www.twilio.com/docs/messaging/guides/webhook-request>, sorted by nothing in particular.
///
/// `sid` is the `MessageSid` (`SM…`, or `MM…` with media). Media without a `url` are left out.
pub fn webhook_form(
    account: Account<'_>,
    sid: &str,
    message: &CustomerMessage,
) -> Vec<(String, String)> {
    let from = address::whatsapp(&message.from);
    let to = address::whatsapp(message.to.as_deref().unwrap_or(account.number));
    let mut form = Form::default();
    form.put("SmsMessageSid", sid);
    form.put("NumMedia", &message.media.len());
    form.put_some("ProfileName", message.name.as_deref());
    form.put("MessageType", message_type(message));
    form.put("SmsSid", sid);
    form.put_some("WaId", address::digits(&from).as_deref());
    form.put("SmsStatus", "received");
    form.put("Body", body(message));
    form.put("To", &to);
    form.put("NumSegments", "1");
    form.put("ReferralNumMedia", "0");
    form.put("MessageSid", sid);
    form.put("AccountSid", account.sid);
    form.put("From", &from);
    form.put("ApiVersion", "2010-04-01");
    form.put("Forwarded", &message.forwarded);
    form.put("FrequentlyForwarded", &false);
    form.put("ChannelMetadata", &channel_metadata(message, &from));
    form.put_extras(message, &to);
    form.0
        .retain(|(name, _)| !message.remove_params.contains(name));
    form.0.extend(message.raw_params.iter().cloned());
    form.0
}

/// The fields as a request body: `application/x-www-form-urlencoded`.
pub fn encode_form(params: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    let mut encoder = form_urlencoded::Serializer::new(String::new());
    for (name, value) in params {
        encoder.append_pair(name.as_ref(), value.as_ref());
    }
    encoder.finish()
}

fn body(message: &CustomerMessage) -> &str {
    match &message.button {
        Some(button) if message.text.is_empty() => &button.text,
        _ => &message.text,
    }
}

fn message_type(message: &CustomerMessage) -> &'static str {
    if message.button.is_some() {
        "button"
    } else if message.location.is_some() {
        "location"
    } else {
        message.media.first().map_or("text", |media| media.class())
    }
}

/// A JSON text inside the form, as captured from real requests.
fn channel_metadata(message: &CustomerMessage, from: &str) -> String {
    let mut context = json!({
        "Forwarded": message.forwarded.to_string(),
        "FrequentlyForwarded": "false",
    });
    if let Some(name) = &message.name {
        context["ProfileName"] = json!(name);
    }
    if let Some(digits) = address::digits(from) {
        context["WaId"] = json!(digits);
    }
    json!({ "type": "whatsapp", "data": { "context": context } }).to_string()
}

#[derive(Default)]
struct Form(Vec<(String, String)>);

impl Form {
    fn put(&mut self, name: impl Into<String>, value: &(impl ToString + ?Sized)) {
        self.0.push((name.into(), value.to_string()));
    }

    fn put_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    fn put_extras(&mut self, message: &CustomerMessage, to: &str) {
        for (number, media) in message.media.iter().enumerate() {
            self.put(format!("MediaContentType{number}"), &media.content_type);
            if let Some(url) = &media.url {
                self.put(format!("MediaUrl{number}"), url);
            }
        }
        if let Some(button) = &message.button {
            self.put("ButtonText", &button.text);
            self.put_some("ButtonPayload", button.payload.as_deref());
        }
        if let Some(sid) = &message.reply_to {
            self.put("OriginalRepliedMessageSid", sid);
            self.put("OriginalRepliedMessageSender", to);
        }
        if let Some(location) = &message.location {
            self.put("Latitude", &location.latitude);
            self.put("Longitude", &location.longitude);
            self.put_some("Label", location.label.as_deref());
            self.put_some("Address", location.address.as_deref());
        }
        if let Some(referral) = &message.referral {
            self.put_some("ReferralSourceId", referral.source_id.as_deref());
            self.put_some("ReferralSourceType", referral.source_type.as_deref());
            self.put_some("ReferralSourceUrl", referral.source_url.as_deref());
            self.put_some("ReferralHeadline", referral.headline.as_deref());
            self.put_some("ReferralBody", referral.body.as_deref());
            self.put_some("ReferralCtwaClid", referral.ctwa_clid.as_deref());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::{Button, Location, Media, Referral};
    use crate::provider::Provider;

    const ACCOUNT: Account<'_> = Account {
        sid: "AC1",
        number: "whatsapp:+14155238886",
    };

    fn value<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
        form.iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_text_carries_everything_that_twilio_always_sends() {
        let message =
            CustomerMessage::text(Provider::Twilio, "+31612345678", "Hoi").with_name("Jan");
        let form = webhook_form(ACCOUNT, "SM1", &message);
        for (name, expected) in [
            ("MessageSid", "SM1"),
            ("SmsSid", "SM1"),
            ("SmsMessageSid", "SM1"),
            ("AccountSid", "AC1"),
            ("ApiVersion", "2010-04-01"),
            ("SmsStatus", "received"),
            ("From", "whatsapp:+31612345678"),
            ("To", "whatsapp:+14155238886"),
            ("Body", "Hoi"),
            ("NumMedia", "0"),
            ("NumSegments", "1"),
            ("ReferralNumMedia", "0"),
            ("ProfileName", "Jan"),
            ("WaId", "31612345678"),
            ("MessageType", "text"),
            ("Forwarded", "false"),
        ] {
            assert_eq!(value(&form, name), Some(expected), "{name}");
        }
    }

    #[test]
    fn a_business_scoped_id_has_no_phone_number() {
        let message = CustomerMessage::text(Provider::Twilio, "NL.4566abc", "Hoi");
        let form = webhook_form(ACCOUNT, "SM1", &message);
        assert_eq!(value(&form, "From"), Some("whatsapp:NL.4566abc"));
        assert_eq!(value(&form, "WaId"), None);
    }

    #[test]
    fn extras_are_named_as_twilio_names_them() {
        let message = CustomerMessage {
            media: vec![Media {
                content_type: "image/jpeg".to_owned(),
                url: Some("http://media/1".to_owned()),
                ..Media::default()
            }],
            location: Some(Location {
                latitude: 52.37,
                longitude: 4.89,
                label: Some("Dam".to_owned()),
                address: None,
            }),
            button: Some(Button {
                text: "Ja".to_owned(),
                payload: Some("yes".to_owned()),
            }),
            reply_to: Some("SM0".to_owned()),
            referral: Some(Referral {
                ctwa_clid: Some("clid".to_owned()),
                ..Referral::default()
            }),
            ..CustomerMessage::text(Provider::Twilio, "+31612345678", "")
        };
        let form = webhook_form(ACCOUNT, "MM1", &message);
        for (name, expected) in [
            ("MediaUrl0", "http://media/1"),
            ("MediaContentType0", "image/jpeg"),
            ("NumMedia", "1"),
            ("Latitude", "52.37"),
            ("Label", "Dam"),
            ("ButtonPayload", "yes"),
            ("Body", "Ja"),
            ("OriginalRepliedMessageSid", "SM0"),
            ("ReferralCtwaClid", "clid"),
        ] {
            assert_eq!(value(&form, name), Some(expected), "{name}");
        }
    }

    #[test]
    fn fields_can_be_left_out_and_repeated() {
        let message = CustomerMessage {
            remove_params: vec!["MessageSid".to_owned()],
            raw_params: vec![
                ("Body".to_owned(), "again".to_owned()),
                ("Future".to_owned(), "1".to_owned()),
            ],
            ..CustomerMessage::text(Provider::Twilio, "+31612345678", "Hoi")
        };
        let form = webhook_form(ACCOUNT, "SM1", &message);
        assert_eq!(value(&form, "MessageSid"), None);
        assert_eq!(value(&form, "Future"), Some("1"));
        let bodies = form.iter().filter(|(name, _)| name == "Body").count();
        assert_eq!(bodies, 2);
    }
}
