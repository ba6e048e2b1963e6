//! Twilio: account and tokens, numbers, template, Messaging Service
//! (<https://www.twilio.com/docs/iam/api/account>, <https://www.twilio.com/docs/whatsapp/api/senders>,
//! <https://www.twilio.com/docs/content/content-api-resources>).

use runtime::{Finding, Findings};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::probe::{Probe, Reply};
use crate::config::{EgressConfig, SANDBOX, TwilioConfig};

const SETTING: &str = "TWILIO_API_BASE_URL";

pub(super) async fn examine(config: &EgressConfig, probe: &Probe, findings: &mut Findings) {
    let twilio = &config.twilio;
    let (Some(account), Some(tokens)) = (&twilio.twilio_account_sid, twilio.tokens()) else {
        return;
    };
    let mut good = None;
    for (place, token) in tokens.iter().enumerate() {
        let (name, setting) = if place == 0 {
            ("Twilio's account", "TWILIO_AUTH_TOKEN")
        } else {
            ("Twilio's further token", "TWILIO_EXTRA_AUTH_TOKENS")
        };
        let finding = look_at_account(twilio, probe, (account, token), setting).await;
        if finding.is_ok() {
            good = good.or(Some(token));
        }
        findings.add(name, finding);
    }
    // What else is wrong nobody tells who may not ask.
    let Some(token) = good else {
        return;
    };
    let asked = Asked {
        twilio,
        probe,
        account,
        token,
    };
    asked.numbers(findings).await;
    if let Some(sid) = &twilio.twilio_window_template_sid {
        findings.add("Twilio's template", asked.template(sid).await);
    }
    if let Some(sid) = &twilio.twilio_messaging_service_sid {
        findings.add("Twilio's Messaging Service", asked.service(sid).await);
    }
    if config.public_base_url.is_none() {
        findings.add(
            "status callbacks",
            Err("PUBLIC_BASE_URL is not set: nobody learns whether a message was delivered".into()),
        );
    }
}

async fn look_at_account(
    twilio: &TwilioConfig,
    probe: &Probe,
    (account, token): (&str, &SecretString),
    setting: &str,
) -> Finding {
    let base = twilio.twilio_api_base_url.trim_end_matches('/');
    let url = format!("{base}/2010-04-01/Accounts/{account}.json");
    let request = probe
        .get(&url)
        .basic_auth(account, Some(token.expose_secret()));
    let reply = probe.ask(request, SETTING).await?;
    match (reply.status, reply.text("status")) {
        (200, "active") => {
            let kind = match reply.text("type") {
                "Trial" => ", a trial: it sends to verified numbers alone, and adds a sentence",
                _ => "",
            };
            Ok(format!("{}{kind}", reply.text("friendly_name")))
        }
        (200, status @ ("suspended" | "closed")) => Err(format!(
            "the account is {status}: nothing is sent until Twilio opens it again (see its console)"
        )),
        (401, _) => Err(format!(
            "{setting}: Twilio refuses it ({}); copy the token of this account anew from its console",
            code(&reply)
        )),
        (404, _) if reply.json.get("code").is_some() => {
            Err("TWILIO_ACCOUNT_SID: Twilio knows no such account".into())
        }
        _ => Err(reply.odd(SETTING)),
    }
}

fn code(reply: &Reply) -> String {
    let code = reply.json.get("code").and_then(Value::as_u64);
    code.map_or_else(|| reply.status.to_string(), |code| code.to_string())
}

struct Asked<'a> {
    twilio: &'a TwilioConfig,
    probe: &'a Probe,
    account: &'a str,
    token: &'a SecretString,
}

impl Asked<'_> {
    /// Twilio's other APIs have hosts of their own; what stands in for it has one.
    async fn get(&self, host: &str, path: &str) -> Result<Reply, String> {
        let base = match self.twilio.is_real_twilio() {
            true => format!("https://{host}.twilio.com"),
            false => self
                .twilio
                .twilio_api_base_url
                .trim_end_matches('/')
                .to_owned(),
        };
        let request = self.probe.get(&format!("{base}{path}"));
        let request = request.basic_auth(self.account, Some(self.token.expose_secret()));
        self.probe.ask(request, SETTING).await
    }

    async fn numbers(&self, findings: &mut Findings) {
        let listed = self
            .get(
                "messaging",
                "/v2/Channels/Senders?Channel=whatsapp&PageSize=100",
            )
            .await;
        for number in self.twilio.senders() {
            let finding = match &listed {
                _ if number.as_str() == SANDBOX && self.twilio.is_real_twilio() => {
                    Ok("Twilio's sandbox: only who joined it hears from you".into())
                }
                Ok(reply) if reply.status == 200 => state_of(&reply.json, number.as_str()),
                // A subaccount's or a stand-in's API may have no such list.
                Ok(reply) => Ok(format!(
                    "not looked at: the list of senders answers {}",
                    reply.status
                )),
                Err(error) => Err(error.clone()),
            };
            findings.add(format!("number {}", number.local_part()), finding);
        }
    }

    async fn template(&self, sid: &str) -> Finding {
        const NAME: &str = "TWILIO_WINDOW_TEMPLATE_SID";
        let reply = self
            .get("content", &format!("/v1/Content/{sid}/ApprovalRequests"))
            .await?;
        match reply.status {
            200 => match reply
                .json
                .pointer("/whatsapp/status")
                .and_then(Value::as_str)
            {
                Some("approved") => Ok("WhatsApp approved it".into()),
                status => Err(format!(
                    "{NAME}: WhatsApp has not approved it ({}): outside of the 24 hours nothing is sent",
                    status.unwrap_or("never asked")
                )),
            },
            404 => Err(format!("{NAME}: this account has no such template")),
            _ => Err(reply.odd(SETTING)),
        }
    }

    async fn service(&self, sid: &str) -> Finding {
        let reply = self
            .get("messaging", &format!("/v1/Services/{sid}"))
            .await?;
        match reply.status {
            200 => Ok(reply.text("friendly_name").to_owned()),
            404 => Err("TWILIO_MESSAGING_SERVICE_SID: this account has no such service".into()),
            _ => Err(reply.odd(SETTING)),
        }
    }
}

fn state_of(list: &Value, number: &str) -> Finding {
    let senders = list.get("senders").and_then(Value::as_array);
    let is_it = |sender: &&Value| {
        ["sender_id", "senderId"]
            .iter()
            .any(|name| sender[*name].as_str() == Some(number))
    };
    let sender = senders.into_iter().flatten().find(is_it);
    match sender.map(|sender| sender["status"].as_str().unwrap_or_default()) {
        Some("ONLINE" | "ONLINE:UPDATING") => Ok("it is online".into()),
        Some(status) => Err(format!("it is {status} at Twilio: see the sender in its console")),
        None => Err(
            "TWILIO_WHATSAPP_NUMBER: it is no WhatsApp sender of this account; messages from it end with 63007".into(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_that_cannot_send_is_told_with_what_twilio_calls_it() {
        let list = json!({"senders": [
            {"sid": "XE1", "sender_id": "whatsapp:+31201112233", "status": "ONLINE"},
            {"sid": "XE2", "sender_id": "whatsapp:+31201112244", "status": "OFFLINE"},
        ]});
        assert!(state_of(&list, "whatsapp:+31201112233").is_ok());
        let offline = state_of(&list, "whatsapp:+31201112244").unwrap_err();
        assert!(offline.contains("OFFLINE"), "{offline}");
        let foreign = state_of(&list, "whatsapp:+31201112255").unwrap_err();
        assert!(
            foreign.contains("no WhatsApp sender of this account"),
            "{foreign}"
        );
    }
}
