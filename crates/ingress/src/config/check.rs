//! Settings checked against each other.

use secrecy::{ExposeSecret, SecretString};
use shared_types::sid_mistake;

use super::IngressConfig;
use crate::reconcile::wrong_urls;

/// Twilio makes its tokens itself; people choose these.
const LEAST_SECRET: usize = 12;

impl IngressConfig {
    /// What is wrong with the settings as a whole; empty when nothing is.
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let Err(error) = self.redis.check() {
            mistakes.push(error.to_string());
        }
        mistakes.extend(self.weak_secrets());
        mistakes.extend(self.mistakes_about_twilio());
        if !self.takes_twilio() && !self.takes_waha() && !self.takes_chatwoot() {
            mistakes.push(
                "no provider is configured: set TWILIO_AUTH_TOKEN (or TWILIO_SHARED_KEYS), \
                 WAHA_WEBHOOK_SECRET or CHATWOOT_WEBHOOK_SECRET"
                    .into(),
            );
        }
        if self.mirror.chatwoot_mirror_inbox_id.is_some() && !self.takes_chatwoot() {
            mistakes.push(
                "CHATWOOT_WEBHOOK_SECRET: is missing; CHATWOOT_MIRROR_INBOX_ID is set".into(),
            );
        }
        if let Some(login) = &self.hexon_login {
            let (user, password) = login.expose_secret().split_once(':').unwrap_or_default();
            if user.is_empty() || password.len() < LEAST_SECRET {
                mistakes.push(format!(
                    "HEXON_LOGIN: must be user:password, the password of at least {LEAST_SECRET} characters"
                ));
            }
        }
        mistakes.extend(wrong_urls(self));
        mistakes
    }

    /// Secrets that are none.
    fn weak_secrets(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let empty = |secret: &SecretString| secret.expose_secret().trim().is_empty();
        let secrets = [
            (
                "TWILIO_AUTH_TOKEN",
                self.twilio.twilio_auth_token.iter().any(empty),
            ),
            (
                "TWILIO_EXTRA_AUTH_TOKENS",
                self.twilio.twilio_extra_auth_tokens.iter().any(empty),
            ),
            (
                "WAHA_WEBHOOK_SECRET",
                self.waha.waha_webhook_secret.iter().any(empty),
            ),
            (
                "CHATWOOT_WEBHOOK_SECRET",
                self.chatwoot.chatwoot_webhook_secret.iter().any(empty),
            ),
            (
                "CHATWOOT_PATH_TOKEN",
                self.chatwoot.chatwoot_path_token.iter().any(empty),
            ),
        ];
        for (variable, is_empty) in secrets {
            if is_empty {
                mistakes.push(format!(
                    "{variable}: is set but empty; everybody could sign with it"
                ));
            }
        }
        let short =
            |secret: &SecretString| !empty(secret) && secret.expose_secret().len() < LEAST_SECRET;
        let chosen_by_people = [
            (
                "WAHA_WEBHOOK_SECRET",
                self.waha.waha_webhook_secret.iter().any(short),
            ),
            (
                "CHATWOOT_WEBHOOK_SECRET",
                self.chatwoot.chatwoot_webhook_secret.iter().any(short),
            ),
        ];
        for (variable, _) in chosen_by_people.iter().filter(|(_, is_short)| *is_short) {
            mistakes.push(format!(
                "{variable}: needs at least {LEAST_SECRET} characters; whoever sees one signature \
                 can try all shorter ones"
            ));
        }
        let token = self.chatwoot.chatwoot_path_token.as_ref();
        if token.is_some_and(|token| !empty(token) && token.expose_secret().len() < 16) {
            mistakes
                .push("CHATWOOT_PATH_TOKEN: needs at least 16 characters to be unguessable".into());
        }
        mistakes
    }

    fn mistakes_about_twilio(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let account = self.twilio.twilio_account_sid.as_ref();
        let wrong = account.and_then(|sid| sid_mistake("AC", sid));
        mistakes.extend(wrong.map(|wrong| format!("TWILIO_ACCOUNT_SID: {wrong}")));
        if account.is_some() && !self.takes_twilio() {
            mistakes.push(
                "TWILIO_AUTH_TOKEN: is missing; TWILIO_ACCOUNT_SID is set, and without the token no webhook \
                 of Twilio is taken in"
                    .into(),
            );
        }
        if self.takes_twilio() && self.base_url().is_none() {
            mistakes.push(
                "PUBLIC_BASE_URL: is missing; Twilio signs the URL that it calls, such as \
                 https://bot.example.nl"
                    .into(),
            );
        }
        mistakes
    }
}
