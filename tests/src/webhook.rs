//! Signed webhooks, posted straight to ingress as the providers would.

use reqwest::RequestBuilder;
use serde_json::Value;
use shared_types::{OutboundId, Source};
use simulator::twilio::{Account, encode_form, sign, webhook_form};
use simulator::{CustomerMessage, Provider, waha};

use crate::settings::{ACCOUNT, NUMBER, TOKEN, WAHA_SECRET};

/// Posts webhooks to one ingress.
#[derive(Debug, Clone)]
pub struct Webhooks {
    http: reqwest::Client,
    ingress: String,
}

impl Webhooks {
    /// `ingress` is the base URL, which is also what Twilio signs.
    pub fn to(http: reqwest::Client, ingress: &str) -> Self {
        Self {
            http,
            ingress: ingress.to_owned(),
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
        self.post_twilio(&webhook_form(account, sid, &message))
            .await
    }

    /// Posts a message of Twilio's with these parameters.
    ///
    /// # Errors
    /// When ingress cannot be reached or does not answer in time.
    pub async fn post_twilio(
        &self,
        form: &[(impl AsRef<str>, impl AsRef<str>)],
    ) -> reqwest::Result<u16> {
        let url = format!("{}/webhooks/twilio/whatsapp", self.ingress);
        let request = self
            .http
            .post(&url)
            .header("x-twilio-signature", sign(TOKEN, &url, form))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(encode_form(form));
        status(request).await
    }

    /// Posts an event of WAHA's.
    ///
    /// # Errors
    /// When ingress cannot be reached or does not answer in time.
    pub async fn post_waha(&self, event: &Value) -> reqwest::Result<u16> {
        let body = event.to_string();
        let request = self
            .http
            .post(format!("{}/webhooks/waha", self.ingress))
            .header("x-webhook-hmac", waha::sign(WAHA_SECRET, body.as_bytes()))
            .header("x-webhook-hmac-algorithm", "sha512")
            .header("content-type", "application/json")
            .body(body);
        status(request).await
    }
}

async fn status(request: RequestBuilder) -> reqwest::Result<u16> {
    Ok(request.send().await?.status().as_u16())
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
