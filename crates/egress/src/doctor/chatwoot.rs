//! Chatwoot: the bot's token, and the inbox of the mirror. A bot may read nothing; that it may not is told in other
//! words than that nobody knows its token
//! (<https://github.com/chatwoot/chatwoot/blob/develop/app/controllers/concerns/access_token_auth_helper.rb>).

use reqwest::RequestBuilder;
use runtime::{Finding, Findings};
use secrecy::{ExposeSecret, SecretString};

use super::probe::{Probe, Reply};
use crate::config::EgressConfig;

const SETTING: &str = "CHATWOOT_BASE_URL";

pub(super) async fn examine(config: &EgressConfig, probe: &Probe, findings: &mut Findings) {
    let chatwoot = &config.chatwoot;
    let (Some(base), Some(token)) = (&chatwoot.chatwoot_base_url, &chatwoot.chatwoot_api_token)
    else {
        return;
    };
    let base = base.trim_end_matches('/');
    // Which account does not matter to whether a bot may list.
    let account = chatwoot.chatwoot_account_id.unwrap_or(1);
    let list = format!("{base}/api/v1/accounts/{account}/conversations");
    findings.add("Chatwoot's bot", bot(probe, &list, token).await);
    let mirror = &config.mirror;
    if let (Some(inbox), Some(token)) = (
        mirror.chatwoot_mirror_inbox_id,
        &mirror.chatwoot_mirror_user_token,
    ) {
        let url = format!("{base}/api/v1/accounts/{account}/inboxes/{inbox}");
        findings.add(
            "Chatwoot's inbox of the mirror",
            inbox_of(probe, &url, token).await,
        );
    }
}

fn with(request: RequestBuilder, token: &SecretString) -> RequestBuilder {
    request.header("api_access_token", token.expose_secret())
}

async fn bot(probe: &Probe, list: &str, token: &SecretString) -> Finding {
    let reply = probe.ask(with(probe.get(list), token), SETTING).await?;
    let words = reply.text("error").to_ascii_lowercase();
    match reply.status {
        401 if words.contains("bots") => Ok("its token is known".into()),
        401 => Err("CHATWOOT_API_TOKEN: Chatwoot does not know it; copy the agent bot's access token anew".into()),
        200 => Err(
            "CHATWOOT_API_TOKEN: it is a person's; use the agent bot's, or what is sent looks like a colleague's".into(),
        ),
        404 => Err(not_there(&reply)),
        _ => Err(reply.odd(SETTING)),
    }
}

async fn inbox_of(probe: &Probe, url: &str, token: &SecretString) -> Finding {
    let reply = probe.ask(with(probe.get(url), token), SETTING).await?;
    match reply.status {
        200 if reply.text("channel_type") == "Channel::Api" => Ok(reply.text("name").to_owned()),
        200 => Err("CHATWOOT_MIRROR_INBOX_ID: it is no API inbox".into()),
        401 if reply.text("error").contains("bots") => Err(
            "CHATWOOT_MIRROR_USER_TOKEN: it is a bot's; use that of an account of its own".into(),
        ),
        401 => Err(
            "CHATWOOT_MIRROR_USER_TOKEN: Chatwoot does not know it, or it may not see the account"
                .into(),
        ),
        404 => Err(not_there(&reply)),
        _ => Err(reply.odd(SETTING)),
    }
}

fn not_there(reply: &Reply) -> String {
    if reply.json.is_object() {
        "CHATWOOT_ACCOUNT_ID or the inbox: there is no such thing, or this token may not see it"
            .into()
    } else {
        reply.odd(SETTING)
    }
}
