//! Settings checked against each other.

use secrecy::{ExposeSecret, SecretString};
use shared_types::sid_mistake;
use streams::MemberId;

use super::EgressConfig;
use super::providers::TwilioConfig;

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
        mistakes.extend(twilio.mistakes());
        let chatwoot = &self.chatwoot;
        if chatwoot.chatwoot_base_url.is_some() && chatwoot.chatwoot_api_token.is_none() {
            mistakes.push("CHATWOOT_API_TOKEN: is missing; CHATWOOT_BASE_URL is set".into());
        }
        mistakes.extend(self.missing_for_the_mirror());
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
        let is_configured = twilio.twilio_account_sid.is_some()
            || self.waha.waha_base_url.is_some()
            || chatwoot.chatwoot_base_url.is_some();
        if !is_configured {
            mistakes.push(
                "no provider is configured: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, WAHA_BASE_URL, \
                 or CHATWOOT_BASE_URL and CHATWOOT_API_TOKEN; every reply would become a dead letter"
                    .into(),
            );
        }
        mistakes
    }

    fn missing_for_the_mirror(&self) -> Vec<String> {
        if self.mirror.chatwoot_mirror_inbox_id.is_none() {
            return Vec::new();
        }
        let chatwoot = &self.chatwoot;
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
        missing
            .map(|(variable, _)| format!("{variable}: is missing; CHATWOOT_MIRROR_INBOX_ID is set"))
            .collect()
    }
}

impl TwilioConfig {
    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if self.twilio_account_sid.is_some() != self.twilio_auth_token.is_some() {
            mistakes.push("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: set both or none".into());
        }
        let sids = [
            ("TWILIO_ACCOUNT_SID", "AC", &self.twilio_account_sid),
            (
                "TWILIO_MESSAGING_SERVICE_SID",
                "MG",
                &self.twilio_messaging_service_sid,
            ),
            (
                "TWILIO_WINDOW_TEMPLATE_SID",
                "HX",
                &self.twilio_window_template_sid,
            ),
        ];
        for (variable, kind, sid) in sids {
            let wrong = sid.as_ref().and_then(|sid| sid_mistake(kind, sid));
            mistakes.extend(wrong.map(|wrong| format!("{variable}: {wrong}")));
        }
        let has_sender =
            !self.twilio_whatsapp_number.is_empty() || self.twilio_messaging_service_sid.is_some();
        if self.twilio_account_sid.is_some() && !has_sender {
            mistakes.push(
                "TWILIO_WHATSAPP_NUMBER: is missing; replies need a number to leave from".into(),
            );
        }
        mistakes
    }
}
