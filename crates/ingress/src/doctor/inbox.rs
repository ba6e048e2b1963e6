//! The inbox of Chatwoot in which conversations of other channels are shown: whether it is what egress and
//! ingress need.

use serde_json::Value;

use crate::config::IngressConfig;
use crate::reconcile::Providers;

/// Looks at the inbox, where one is set and may be read.
pub(super) async fn examine(
    config: &IngressConfig,
    lines: &mut Vec<String>,
    problems: &mut Vec<String>,
) {
    let Some(inbox) = config.mirror.chatwoot_mirror_inbox_id else {
        return;
    };
    let Ok(providers) = Providers::new(config) else {
        // The URL is a problem of its own.
        return;
    };
    match providers.inbox(inbox).await {
        None => lines.push(format!(
            "Chatwoot's inbox {inbox}: not looked at; CHATWOOT_READ_TOKEN, CHATWOOT_BASE_URL and \
             CHATWOOT_ACCOUNT_ID would tell"
        )),
        Some(Err(error)) => problems.push(format!("CHATWOOT_MIRROR_INBOX_ID: {inbox}: {error}")),
        Some(Ok(found)) => {
            let base = config.base_url();
            let wrong = mistakes(&found, base.as_deref());
            if wrong.is_empty() {
                let name = found["name"].as_str().unwrap_or_default();
                lines.push(format!("Chatwoot's inbox {inbox}: {name}, as it should be"));
            }
            let named = wrong.into_iter();
            problems
                .extend(named.map(|wrong| format!("CHATWOOT_MIRROR_INBOX_ID: {inbox} {wrong}")));
        }
    }
}

/// What is wrong with the inbox. Its webhook's URL is not shown: a token may be its last part.
fn mistakes(inbox: &Value, base: Option<&str>) -> Vec<String> {
    let mut mistakes = Vec::new();
    if inbox["channel_type"] != "Channel::Api" {
        mistakes.push("is no API inbox: messages of customers cannot be shown in it".to_owned());
        return mistakes;
    }
    if inbox["lock_to_single_conversation"] == false {
        mistakes
            .push("makes a new conversation each time: lock it to a single conversation".into());
    }
    let url = ["webhook_url", "callback_webhook_url"].map(|name| inbox[name].as_str());
    let url = url.into_iter().flatten().find(|url| !url.is_empty());
    let ours = base.map(|base| format!("{}/webhooks/chatwoot", base.trim_end_matches('/')));
    match (url, ours) {
        (None, _) => mistakes.push("has no webhook: what colleagues write there is only found later".into()),
        (Some(url), Some(ours)) if !url.starts_with(&ours) => mistakes.push(format!(
            "has a webhook that does not begin with {ours}: what colleagues write there does not come"
        )),
        _ => {}
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BASE: Option<&str> = Some("https://bot.example.nl/");

    fn inbox(changes: &Value) -> Value {
        let mut inbox = json!({
            "id": 6, "name": "WhatsApp", "channel_type": "Channel::Api",
            "lock_to_single_conversation": true,
            "webhook_url": "https://bot.example.nl/webhooks/chatwoot/geheim",
        });
        for (name, value) in changes.as_object().unwrap() {
            inbox[name] = value.clone();
        }
        inbox
    }

    #[test]
    fn an_inbox_as_the_readme_makes_it_is_well() {
        assert_eq!(mistakes(&inbox(&json!({})), BASE), [""; 0]);
        assert_eq!(mistakes(&inbox(&json!({})), None), [""; 0]);
    }

    #[test]
    fn each_thing_that_is_wrong_is_named_and_no_token_shown() {
        for (changes, wrong) in [
            (
                json!({"channel_type": "Channel::WebWidget"}),
                "no API inbox",
            ),
            (json!({"lock_to_single_conversation": false}), "lock it"),
            (json!({"webhook_url": null}), "no webhook"),
            (
                json!({"webhook_url": "https://old.example.nl/webhooks/chatwoot/geheim"}),
                "does not begin with https://bot.example.nl/webhooks/chatwoot",
            ),
        ] {
            let found = mistakes(&inbox(&changes), BASE);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(
                found[0].contains(wrong) && !found[0].contains("geheim"),
                "{found:?}"
            );
        }
    }
}
