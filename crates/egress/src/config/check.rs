//! Settings checked against each other.

use secrecy::{ExposeSecret, SecretString};
use streams::MemberId;

use super::EgressConfig;

impl EgressConfig {
    /// What is wrong with the settings as a whole; empty when nothing is.
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let Err(error) = self.redis.check() {
            mistakes.push(error.to_string());
        }
        let consumer = self.consumer(MemberId::unique("check"));
        if let Err(error) = consumer.check(self.sending.request_timeout()) {
            mistakes.push(format!(
                "EGRESS_LEASE_MS and EGRESS_REQUEST_TIMEOUT_MS: {error}"
            ));
        }
        let twilio = &self.twilio;
        if twilio.twilio_account_sid.is_some() != twilio.twilio_auth_token.is_some() {
            mistakes.push("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: set both or none".into());
        }
        let has_sender = !twilio.twilio_whatsapp_number.is_empty()
            || twilio.twilio_messaging_service_sid.is_some();
        if twilio.twilio_account_sid.is_some() && !has_sender {
            mistakes.push(
                "TWILIO_WHATSAPP_NUMBER: is missing; replies need a number to leave from".into(),
            );
        }
        let chatwoot = &self.chatwoot;
        if chatwoot.chatwoot_base_url.is_some() && chatwoot.chatwoot_api_token.is_none() {
            mistakes.push("CHATWOOT_API_TOKEN: is missing; CHATWOOT_BASE_URL is set".into());
        }
        if self.mirror.chatwoot_mirror_inbox_id.is_some() {
            let needs = [
                ("CHATWOOT_BASE_URL", chatwoot.chatwoot_base_url.is_some()),
                (
                    "CHATWOOT_ACCOUNT_ID",
                    chatwoot.chatwoot_account_id.is_some(),
                ),
                ("CHATWOOT_API_TOKEN", chatwoot.chatwoot_api_token.is_some()),
                (
                    "CHATWOOT_MIRROR_USER_TOKEN",
                    self.mirror.chatwoot_mirror_user_token.is_some(),
                ),
            ];
            let missing = needs.iter().filter(|(_, is_set)| !is_set);
            mistakes.extend(missing.map(|(variable, _)| {
                format!("{variable}: is missing; CHATWOOT_MIRROR_INBOX_ID is set")
            }));
        }
        let urls = [
            ("TWILIO_API_BASE_URL", Some(&twilio.twilio_api_base_url)),
            ("WAHA_BASE_URL", self.waha.waha_base_url.as_ref()),
            (
                "CHATWOOT_BASE_URL",
                self.chatwoot.chatwoot_base_url.as_ref(),
            ),
            ("PUBLIC_BASE_URL", self.public_base_url.as_ref()),
        ];
        for (variable, url) in urls {
            let is_http = |url: &str| url.starts_with("http://") || url.starts_with("https://");
            if url.is_some_and(|url| !is_http(url)) {
                mistakes.push(format!("{variable}: must start with http:// or https://"));
            }
        }
        let empty = |secret: &SecretString| secret.expose_secret().trim().is_empty();
        if twilio.twilio_auth_token.as_ref().is_some_and(empty) {
            mistakes.push("TWILIO_AUTH_TOKEN: is set but blank".into());
        }
        let rates = [
            ("EGRESS_TWILIO_PER_SECOND", twilio.twilio_per_second),
            ("EGRESS_WAHA_PER_SECOND", self.waha.waha_per_second),
            (
                "EGRESS_CHATWOOT_PER_SECOND",
                self.chatwoot.chatwoot_per_second,
            ),
            ("EGRESS_WAHA_TYPING_SPEED", self.waha.waha_typing_speed),
        ];
        for (variable, rate) in rates {
            if !rate.is_finite() || rate < 0.0 {
                mistakes.push(format!("{variable}: must not be negative; 0 is off"));
            }
        }
        mistakes
    }
}
