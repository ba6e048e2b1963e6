//! Signed Twilio webhooks, posted straight to ingress as Twilio would.

use shared_types::{OutboundId, Source};
use simulator::twilio::{Account, encode_form, sign, webhook_form};
use simulator::{CustomerMessage, Provider};

use crate::settings::{ACCOUNT, NUMBER, TOKEN};

/// Posts webhooks to one ingress.
#[derive(Debug, Clone)]
pub struct Webhooks {
    http: reqwest::Client,
    url: String,
}

impl Webhooks {
    /// `ingress` is the base URL, which is also what Twilio signs.
    pub fn to(http: reqwest::Client, ingress: &str) -> Self {
        Self {
            http,
            url: format!("{ingress}/webhooks/twilio/whatsapp"),
        }
    }

    /// Posts one message; the HTTP status, or an error when no answer came.
    ///
    /// # Errors
    /// When ingress cannot be reached or does not answer in time.
    pub async fn post(&self, sid: &str, from: &str, text: &str) -> reqwest::Result<u16> {
        let account = Account {
            sid: ACCOUNT,
            number: NUMBER,
        };
        let message = CustomerMessage::text(Provider::Twilio, from, text);
        let form = webhook_form(account, sid, &message);
        let request = self
            .http
            .post(&self.url)
            .header("x-twilio-signature", sign(TOKEN, &self.url, &form))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encode_form(&form));
        Ok(request.send().await?.status().as_u16())
    }
}

/// The id of the event that a Twilio message is.
pub fn inbound_event(sid: &str) -> String {
    format!("{}:message:{sid}", Source::Twilio)
}

/// The outbound id of the first reply to a Twilio message.
pub fn outbound_id(sid: &str) -> String {
    let sid = sid.parse().expect("a message id");
    OutboundId::of_reply(Source::Twilio, &sid, 0).to_string()
}
