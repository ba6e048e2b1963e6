//! Programs and commands do what pages do.

use std::process::{Command, Output};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::binary;

use crate::support::Rig;

const PATH: &str = "/api/v1/conversations/whatsapp%3A%2B31612345678";

impl Rig {
    pub(crate) fn console(&self, words: &[&str]) -> Output {
        let mut command = Command::new(binary("console"));
        command.args(words).env_clear();
        let settings = self.settings.iter().map(|(name, value)| (*name, value));
        command.envs(settings).output().unwrap()
    }

    pub(crate) fn said(&self, words: &[&str]) -> String {
        let output = self.console(words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn token(&self) -> String {
        self.said(&["tokens", "add", "crm-link"]).trim().to_owned()
    }

    pub(crate) async fn api(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let request = self.request(method, path).bearer_auth(token);
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_with_a_token_does_what_a_colleague_does() {
    let rig = Rig::start().await;
    let id = rig.asks("Sanne", "+31612345678", "een mens graag").await;
    let now = jiff::Timestamp::now().as_millisecond().to_string();
    rig.run(&["HSET", "conv:whatsapp:+31612345678", "last_in", &now]);
    let token = rig.token();
    assert!(!rig.console(&["tokens", "add", "crm-link"]).status.success());
    for page in ["/", "/acts", "/login"] {
        let (status, said) = rig.api(&token, Method::GET, page, Value::Null).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{page}");
        assert!(said["error"].as_str().unwrap().contains("API"), "{said}");
    }
    let (status, waiting) = rig
        .api(&token, Method::GET, "/api/v1/waiting", Value::Null)
        .await;
    assert_eq!(status, StatusCode::OK, "{waiting}");
    assert_eq!(waiting["waiting"][0]["id"], id.as_str());
    let path = format!("/api/v1/handovers/{id}");
    let take = json!({"status": "taken", "note": "by the CRM"});
    assert_eq!(
        rig.api(&token, Method::POST, &path, take.clone()).await.0,
        StatusCode::ACCEPTED
    );
    let (status, late) = rig.api(&token, Method::POST, &path, take).await;
    assert_eq!(status, StatusCode::CONFLICT, "{late}");
    let words = json!({"text": "Kom langs"});
    let sent = rig
        .api(&token, Method::POST, &format!("{PATH}/messages"), words)
        .await;
    assert_eq!(sent.0, StatusCode::ACCEPTED, "{}", sent.1);
    let (_, shown) = rig.api(&token, Method::GET, PATH, Value::Null).await;
    assert_eq!(shown["contact"]["name"], "Sanne", "{shown}");
    assert_eq!(shown["writable"], true);
    let back = rig
        .api(
            &token,
            Method::POST,
            &format!("{PATH}/give-back"),
            Value::Null,
        )
        .await;
    assert_eq!(back.0, StatusCode::ACCEPTED);
    let kinds: Vec<_> = rig
        .waiting_for_worker()
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    // What was taken twice by the same hand is told twice, as after a command that was killed half way.
    assert_eq!(kinds, ["control", "control", "colleague", "control"]);
    let acts = rig.said(&["acts", "--json"]);
    assert!(
        acts.contains("crm-link") && acts.contains("\"via\":\"api\""),
        "{acts}"
    );
    rig.said(&["tokens", "remove", "crm-link"]);
    let acts = rig.said(&["acts"]);
    for shown in ["token.add", "token.remove"] {
        assert!(acts.contains(shown), "{shown}: {acts}");
    }
    let (status, _) = rig
        .api(&token, Method::GET, "/api/v1/waiting", Value::Null)
        .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[expect(clippy::too_many_lines, reason = "a list of requests")]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_asks_wrongly_is_refused_in_words() {
    let rig = Rig::start().await;
    let token = rig.token();
    for (method, path, body, expected) in [
        (
            Method::GET,
            "/api/v1/leads?status=waiting",
            Value::Null,
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::GET,
            "/api/v1/leads?before=x",
            Value::Null,
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::GET,
            "/api/v1/leads?colour=red",
            Value::Null,
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::GET,
            "/api/v1/leads/l_none",
            Value::Null,
            StatusCode::NOT_FOUND,
        ),
        (
            Method::POST,
            "/api/v1/leads/l_none",
            json!({"status": "won"}),
            StatusCode::NOT_FOUND,
        ),
        (
            Method::POST,
            "/api/v1/leads/l_none",
            json!({"state": "won"}),
            StatusCode::BAD_REQUEST,
        ),
        (Method::GET, PATH, Value::Null, StatusCode::NOT_FOUND),
        (
            Method::POST,
            "/api/v1/conversations/whatsapp%3A%2B31612345678/take",
            Value::Null,
            StatusCode::NOT_FOUND,
        ),
        (
            Method::GET,
            "/api/v1/nothing",
            Value::Null,
            StatusCode::NOT_FOUND,
        ),
        (Method::GET, "/api", Value::Null, StatusCode::NOT_FOUND),
        (
            Method::POST,
            "/api/v1/leads/l_none",
            json!({"status": "odd"}),
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::DELETE,
            "/api/v1/waiting",
            Value::Null,
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            Method::GET,
            "/api/v1/conversations/%FF",
            Value::Null,
            StatusCode::NOT_FOUND,
        ),
    ] {
        let (status, said) = rig.api(&token, method, path, body).await;
        assert_eq!(status, expected, "{path}: {said}");
        assert!(said["error"].is_string(), "{path}: {said}");
    }
    let (status, leads) = rig
        .api(&token, Method::GET, "/api/v1/leads?status=all", Value::Null)
        .await;
    assert_eq!(
        (status, &leads["next"]),
        (StatusCode::OK, &Value::Null),
        "{leads}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_read_is_refused_in_json() {
    let rig = Rig::start().await;
    let token = rig.token();
    let path = format!("{PATH}/messages");
    let long = format!("{{\"text\": \"{}\"}}", "a".repeat(70_000));
    for (kind, body, expected) in [
        ("application/json", "{\"text\": ", StatusCode::BAD_REQUEST),
        ("application/json", "[]", StatusCode::BAD_REQUEST),
        ("application/json", "", StatusCode::BAD_REQUEST),
        ("application/json", &long, StatusCode::PAYLOAD_TOO_LARGE),
        (
            "text/plain",
            "{\"text\": \"Dag\"}",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
    ] {
        let request = rig.request(Method::POST, &path).bearer_auth(&token);
        let request = request.header("content-type", kind).body(body.to_owned());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), expected, "{kind}: {body:.20}");
        let said: Value = answer.json().await.unwrap();
        assert!(said["error"].is_string(), "{said}");
    }
    // Another site's page learns no more, and that in the same form.
    let foreign = rig
        .request(Method::POST, &path)
        .header("origin", "http://evil.test");
    let foreign = foreign.send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    assert!(foreign.json::<Value>().await.unwrap()["error"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_do_the_same() {
    let rig = Rig::start().await;
    let id = rig.asks("Sanne", "+31612345678", "een mens graag").await;
    rig.wants("Piet", "+31687654321", "car_inquiry").await;
    let waiting: Value = serde_json::from_str(&rig.said(&["waiting", "--json"])).unwrap();
    assert_eq!(waiting["id"], id.as_str());
    assert!(!rig.said(&["waiting"]).contains("31612345678"), "masked");
    rig.said(&["take", &id, "--note", "ik bel"]);
    assert!(!rig.console(&["take", &id]).status.success());
    let late = rig.console(&["answer", "whatsapp:+31612345678", "Dag"]);
    assert!(!late.status.success());
    assert!(
        String::from_utf8_lossy(&late.stderr).contains("24 hours"),
        "{late:?}"
    );
    let now = jiff::Timestamp::now().as_millisecond().to_string();
    rig.run(&["HSET", "conv:whatsapp:+31612345678", "last_in", &now]);
    rig.said(&["answer", "whatsapp:+31612345678", "Dag Sanne"]);
    let odd = rig.console(&["give-back", "whatsapp:+31612345678", "--json"]);
    assert!(!odd.status.success(), "{odd:?}");
    rig.said(&["give-back", "whatsapp:+31612345678"]);
    rig.said(&["close", &id]);
    assert_eq!(rig.said(&["waiting"]), "");
    assert!(rig.said(&["leads", "--json"]).contains("Piet"));
    assert_eq!(rig.said(&["appointments"]), "");
    let shown = rig.said(&["show", "whatsapp:+31612345678"]);
    for part in ["taken", "Sanne", "tel:+31612345678"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let acts = rig.said(&["acts"]);
    for shown in [
        "anna",
        "handover.take",
        "ik bel",
        "conversation.answer",
        "handover.close",
    ] {
        assert!(acts.contains(shown), "{shown}: {acts}");
    }
    rig.operator("Bram").await;
    let sessions = rig.said(&["sessions", "list"]);
    assert!(sessions.contains("Bram"), "{sessions}");
    assert!(rig.said(&["sessions", "end", "--all"]).contains("1 ended"));
    assert!(rig.said(&["acts"]).contains("session.end"));
    let examined = rig.console(&["doctor", "--bind", "127.0.0.1"]);
    let examined = String::from_utf8(examined.stdout).unwrap();
    for shown in ["crm: it answers and takes writes", "set REDIS_PARTITIONS=4"] {
        assert!(examined.contains(shown), "{shown}: {examined}");
    }
}

#[test]
fn a_password_becomes_the_setting_that_lets_it_in() {
    use std::io::Write as _;
    use std::process::Stdio;
    let hash = |password: &str| {
        let mut command = Command::new(binary("console"));
        let command = command.arg("hash-password").env_clear();
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process
            .stdin
            .take()
            .unwrap()
            .write_all(password.as_bytes())
            .unwrap();
        process.wait_with_output().unwrap()
    };
    let output = hash("a long enough password\n");
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .starts_with("argon2id:")
    );
    assert!(!hash("short\n").status.success());
}

/// Who has a conversation of Chatwoot is Chatwoot's to say.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_of_chatwoot_is_given_back_there_and_nowhere_else() {
    let rig = Rig::start().await;
    let until = jiff::Timestamp::now().as_millisecond() + 3_600_000;
    rig.run(&[
        "HSET",
        "conv:chatwoot:1:23",
        "human_until",
        &until.to_string(),
        "ver",
        "1",
    ]);
    let anna = rig.operator("Anna").await;
    let here = "/conversations/chatwoot%3A1%3A23";
    let page = anna.page(here).await;
    assert!(
        page.contains("The bot is silent") && page.contains("given back in Chatwoot"),
        "{page}"
    );
    assert!(!page.contains("give-back"), "{page}");
    let refused = anna.post(&format!("{here}/give-back"), &[]).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let page = refused.text().await.unwrap();
    assert!(page.contains("set it to pending"), "{page}");
    // Its language button leads to a page that is there.
    let back = format!("name=\"back\" value=\"{here}\"");
    assert!(page.contains(&back), "{page}");
    let token = rig.token();
    let path = format!("/api/v1{here}/give-back");
    let (status, said) = rig.api(&token, Method::POST, &path, Value::Null).await;
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    let told = rig.console(&["give-back", "chatwoot:1:23"]);
    assert!(
        String::from_utf8_lossy(&told.stderr).contains("set it to pending"),
        "{told:?}"
    );
    assert!(rig.waiting_for_worker().await.is_empty());
}
