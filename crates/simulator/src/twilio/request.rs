use std::collections::HashMap;

use reqwest::Url;
use serde_json::{Map, Value};

use super::error::TwilioError;
use crate::address;
use crate::journal::Call;
use crate::provider::{Endpoint, Provider};

/// Longest `Body`, in UTF-16 units, which is how Twilio counts what is not in the GSM alphabet.
const MAX_BODY: usize = 1_600;

/// The form of a create-message call.
#[derive(Debug, Default)]
pub(super) struct SendForm {
    fields: HashMap<String, Vec<String>>,
}

impl SendForm {
    /// Takes the body apart. What is no form has no fields, as with Twilio.
    pub(super) fn parse(content_type: &str, body: &[u8]) -> Self {
        let mut form = Self::default();
        if content_type.starts_with("application/x-www-form-urlencoded") {
            for (name, value) in form_urlencoded::parse(body) {
                form.fields
                    .entry(name.into_owned())
                    .or_default()
                    .push(value.into_owned());
            }
        }
        form
    }

    /// The first value of a field, `None` when it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .get(name)?
            .first()
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn media_count(&self) -> usize {
        self.fields.get("MediaUrl").map_or(0, Vec::len)
    }

    /// What the journal keeps of it.
    pub(super) fn call(&self) -> Call {
        let text = |name| self.get(name).unwrap_or_default().to_owned();
        let business = self.get("From").or(self.get("MessagingServiceSid"));
        Call {
            customer: address::customer(self.get("To").unwrap_or_default()),
            business: business.unwrap_or_default().to_owned(),
            text: text("Body"),
            oid: self.callback().and_then(oid),
            request: self.json(),
            ..Call::new(Provider::Twilio, Endpoint::Send)
        }
    }

    pub(super) fn callback(&self) -> Option<&str> {
        self.get("StatusCallback")
    }

    fn json(&self) -> Value {
        let fields = self.fields.iter().map(|(name, values)| {
            let value = match values.as_slice() {
                [one] => Value::from(one.as_str()),
                many => Value::from(many.to_vec()),
            };
            (name.clone(), value)
        });
        Value::Object(fields.collect::<Map<_, _>>())
    }

    /// The checks that Twilio makes before it takes a message, in its order.
    pub(super) fn check(&self, numbers: &[String]) -> Result<(), TwilioError> {
        let to = self.get("To").ok_or(TwilioError::bad_request(21_604))?;
        let from = self.get("From");
        if from.is_none() && self.get("MessagingServiceSid").is_none() {
            return Err(TwilioError::bad_request(21_603));
        }
        if !is_whatsapp_address(to) {
            return Err(TwilioError::new(
                400,
                21_211,
                format!("Invalid 'To' Phone Number: {to}"),
            ));
        }
        if let Some(from) = from {
            check_from(from, numbers)?;
        }
        self.check_content()?;
        match self.callback().map(Url::parse) {
            Some(Ok(url)) if !url.has_host() => Err(TwilioError::bad_request(21_609)),
            Some(Err(_)) => Err(TwilioError::bad_request(21_609)),
            _ => Ok(()),
        }
    }

    fn check_content(&self) -> Result<(), TwilioError> {
        let body = self.get("Body");
        let media = self.fields.get("MediaUrl");
        if body.is_none() && media.is_none() && self.get("ContentSid").is_none() {
            return Err(TwilioError::bad_request(21_602));
        }
        if body.is_some_and(|body| body.encode_utf16().count() > MAX_BODY) {
            return Err(TwilioError::bad_request(21_617));
        }
        let invalid = |urls: &Vec<String>| urls.iter().any(|url| Url::parse(url).is_err());
        if media.is_some_and(invalid) {
            return Err(TwilioError::bad_request(21_620));
        }
        Ok(())
    }
}

fn check_from(from: &str, numbers: &[String]) -> Result<(), TwilioError> {
    if !from.starts_with("whatsapp:") {
        return Err(TwilioError::bad_request(21_910));
    }
    let ours = numbers
        .iter()
        .any(|number| address::customer(number) == address::customer(from));
    if ours {
        Ok(())
    } else {
        Err(TwilioError::bad_request(63_007))
    }
}

/// `whatsapp:` and an E.164 number, or a business-scoped id such as `NL.4566abc`.
fn is_whatsapp_address(to: &str) -> bool {
    let Some(local) = to.strip_prefix("whatsapp:") else {
        return false;
    };
    if let Some(digits) = local.strip_prefix('+') {
        return (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
    }
    local.split_once('.').is_some_and(|(country, id)| {
        country.len() == 2
            && country.bytes().all(|byte| byte.is_ascii_uppercase())
            && (1..=128).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The outbound id that a service put into the query of its status callback.
fn oid(callback: &str) -> Option<String> {
    let url = Url::parse(callback).ok()?;
    let (_, value) = url.query_pairs().find(|(name, _)| name == "oid")?;
    Some(value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn refused(body: &str) -> Option<u32> {
        let numbers = ["whatsapp:+14155238886".to_owned()];
        SendForm::parse(FORM, body.as_bytes())
            .check(&numbers)
            .err()
            .map(|error| error.code)
    }

    #[test]
    fn each_mistake_has_its_code() {
        let ours = "From=whatsapp%3A%2B14155238886";
        let to = "To=whatsapp%3A%2B31612345678";
        for (body, code) in [
            (format!("{ours}&{to}&Body=Hoi"), None),
            (format!("{ours}&{to}&ContentSid=HX1"), None),
            (format!("{ours}&To=whatsapp%3ANL.4566abc&Body=Hoi"), None),
            (format!("MessagingServiceSid=MG1&{to}&Body=Hoi"), None),
            (format!("{ours}&Body=Hoi"), Some(21_604)),
            (format!("{to}&Body=Hoi"), Some(21_603)),
            (format!("{ours}&{to}"), Some(21_602)),
            (format!("{ours}&{to}&Body="), Some(21_602)),
            (format!("{ours}&To=%2B31612345678&Body=x"), Some(21_211)),
            (
                format!("{ours}&To=whatsapp%3A31612345678&Body=x"),
                Some(21_211),
            ),
            (
                format!("From=whatsapp%3A%2B15550001111&{to}&Body=x"),
                Some(63_007),
            ),
            (format!("From=%2B14155238886&{to}&Body=x"), Some(21_910)),
            (format!("{ours}&{to}&Body=x&MediaUrl=nowhere"), Some(21_620)),
            (
                format!("{ours}&{to}&Body=x&StatusCallback=nowhere"),
                Some(21_609),
            ),
            (format!("{ours}&{to}&Body={}", "a".repeat(1_600)), None),
            (
                format!("{ours}&{to}&Body={}", "a".repeat(1_601)),
                Some(21_617),
            ),
            (
                format!("{ours}&{to}&Body={}", "👍".repeat(801)),
                Some(21_617),
            ),
        ] {
            assert_eq!(refused(&body), code, "{body:.120}");
        }
    }

    #[test]
    fn what_is_no_form_has_no_fields() {
        let form = SendForm::parse("application/json", br#"{"To":"whatsapp:+31612345678"}"#);
        assert_eq!(form.check(&[]).err().map(|error| error.code), Some(21_604));
    }

    #[test]
    fn the_outbound_id_comes_from_the_query_of_the_callback() {
        let body = "StatusCallback=https%3A%2F%2Fbot.example%2Fstatus%3Foid%3Dout_1%26x%3D2";
        assert_eq!(
            SendForm::parse(FORM, body.as_bytes()).call().oid.as_deref(),
            Some("out_1")
        );
    }
}
