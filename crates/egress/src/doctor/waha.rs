//! WAHA: its key, and which sessions work (<https://waha.devlike.pro/docs/how-to/sessions/>).

use runtime::{Finding, Findings};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::probe::{Probe, Reply};
use crate::config::WahaConfig;

const SETTING: &str = "WAHA_BASE_URL";

pub(super) async fn examine(waha: &WahaConfig, probe: &Probe, findings: &mut Findings) {
    let Some(base) = &waha.waha_base_url else {
        return;
    };
    let url = format!("{}/api/sessions?all=true", base.trim_end_matches('/'));
    let request = probe.get(&url);
    let request = match &waha.waha_api_key {
        Some(key) => request.header("X-Api-Key", key.expose_secret()),
        None => request,
    };
    match probe
        .ask(request, SETTING)
        .await
        .map(|reply| sessions(&reply))
    {
        Ok(Ok(sessions)) => {
            for (name, finding) in sessions {
                findings.add(format!("WAHA's session {name}"), finding);
            }
        }
        Ok(Err(finding)) => findings.add("WAHA", finding),
        Err(error) => findings.add("WAHA", Err(error)),
    }
}

/// A finding for each session, or one for all.
fn sessions(reply: &Reply) -> Result<Vec<(String, Finding)>, Finding> {
    match (reply.status, reply.json.as_array()) {
        (200, Some(sessions)) if sessions.is_empty() => {
            Err(Err("it has no session: make one, and scan its code".into()))
        }
        (200, Some(sessions)) => Ok(sessions.iter().map(of_session).collect()),
        (401, _) => Err(Err("WAHA_API_KEY: WAHA refuses it; copy it anew".into())),
        // Enough to send with.
        (403, _) => Err(Ok("the key is known; it may not list sessions".into())),
        _ => Err(Err(reply.odd(SETTING))),
    }
}

fn of_session(session: &Value) -> (String, Finding) {
    let text = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
    let finding = match text("status").as_str() {
        "WORKING" => Ok("it works".into()),
        "SCAN_QR_CODE" => Err("it waits for its code to be scanned with the telephone".into()),
        status => Err(format!("it is {status}: start it, or look into WAHA's log")),
    };
    (text("name"), finding)
}
