use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Rig, json};

fn question(text: &str) -> Value {
    json!({ "model": "gpt-test", "messages": [
        { "role": "system", "content": "Je bent een autoverkoper." },
        { "role": "user", "content": text },
    ] })
}

/// A question that asks for JSON of this schema.
fn structured(text: &str, name: &str) -> Value {
    let mut question = question(text);
    question["response_format"] = json!({
        "type": "json_schema",
        "json_schema": { "name": name, "strict": true, "schema": {
            "type": "object",
            "properties": { "intent": { "type": "string", "enum": ["other", "car_inquiry"] } },
            "required": ["intent"],
        } },
    });
    question
}

impl Rig {
    async fn complete(&self, question: &Value) -> (u16, Value) {
        self.command("/v1/chat/completions", question).await
    }

    /// The model answers so from now on.
    async fn script(&self, rule: Value) {
        let delete = self.http.delete(self.url("/simulator/llm/rules"));
        assert_eq!(json(delete).await.0, 204);
        let (status, answer) = self.command("/simulator/llm/rules", &rule).await;
        assert_eq!(status, 201, "{answer}");
    }
}

fn content(answer: &Value) -> &str {
    let message = &answer["choices"][0]["message"];
    message["content"].as_str().unwrap()
}

#[tokio::test]
async fn answers_without_a_script_in_the_form_that_was_asked_for() {
    let rig = Rig::start();
    let (status, answer) = rig.complete(&question("Hoi")).await;
    assert_eq!(status, 200);
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], "gpt-test");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["choices"][0]["message"]["role"], "assistant");
    assert!(content(&answer).contains("Hoi"));
    let usage = &answer["usage"];
    let sum =
        usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], sum);

    let (_, answer) = rig.complete(&structured("Hoi", "router")).await;
    let json: Value = serde_json::from_str(content(&answer)).unwrap();
    assert_eq!(json, json!({ "intent": "other" }));
}

#[tokio::test]
async fn rules_answer_by_text_and_schema_and_wear_out() {
    let rig = Rig::start();
    let value = json!({ "intent": "car_inquiry" });
    rig.script(json!([
        { "match": { "text": "Golf", "schema": "router" }, "times": 1,
          "reply": { "kind": "json", "value": value } },
        { "match": { "text": "Golf" }, "reply": { "kind": "text", "text": "Leuk!" } },
    ]))
    .await;
    let (_, other) = rig.complete(&structured("Polo", "router")).await;
    assert_eq!(content(&other), r#"{"intent":"other"}"#);
    let (_, first) = rig.complete(&structured("een Golf", "router")).await;
    assert_eq!(content(&first), value.to_string());
    let (_, second) = rig.complete(&structured("een Golf", "router")).await;
    assert_eq!(content(&second), "Leuk!");
    let parts = json!({ "model": "m", "messages": [
        { "role": "user", "content": [{ "type": "text", "text": "Golf" }] },
        { "role": "assistant", "content": "Polo" },
    ] });
    assert_eq!(content(&rig.complete(&parts).await.1), "Leuk!");
}

#[tokio::test]
async fn a_model_may_refuse_ramble_and_break() {
    let rig = Rig::start();
    rig.script(json!({ "reply": { "kind": "refusal", "text": "Nee." } }))
        .await;
    let (_, answer) = rig.complete(&question("x")).await;
    assert_eq!(answer["choices"][0]["message"]["content"], Value::Null);
    assert_eq!(answer["choices"][0]["message"]["refusal"], "Nee.");

    rig.script(json!({ "reply": { "kind": "truncated", "text": "{\"int" } }))
        .await;
    let (_, answer) = rig.complete(&question("x")).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "length");

    rig.script(json!({ "reply": { "kind": "malformed" } }))
        .await;
    let (_, answer) = rig.complete(&question("x")).await;
    assert!(serde_json::from_str::<Value>(content(&answer)).is_err());

    rig.script(json!({ "reply": { "kind": "broken_body" } }))
        .await;
    let (status, answer) = rig.complete(&question("x")).await;
    assert_eq!((status, answer), (200, Value::Null));

    rig.script(json!({ "delay_ms": 1, "reply": { "kind": "error", "status": 503 } }))
        .await;
    let (status, answer) = rig.complete(&question("x")).await;
    assert_eq!(status, 503);
    assert_eq!(answer["error"]["type"], "server_error");
}

#[tokio::test]
async fn an_endless_answer_goes_on_until_the_client_gives_up() {
    let rig = Rig::start();
    rig.script(json!({ "reply": { "kind": "endless", "every_ms": 1 } }))
        .await;
    let request = rig.http.post(rig.url("/v1/chat/completions"));
    let request = request.timeout(Duration::from_secs(2)).json(&question("x"));
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut bytes = 0;
    let error = loop {
        match response.chunk().await {
            Ok(chunk) => bytes += chunk.expect("it never ends").len(),
            Err(error) => break error,
        }
    };
    assert!(error.is_timeout());
    assert!(bytes > 0);
}

#[tokio::test]
async fn keys_and_requests_are_checked() {
    let rig = Rig::start_with(|config| config.llm_api_key = Some("sk-test".to_owned().into()));
    let (status, error) = rig.complete(&question("x")).await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (401, &json!("invalid_api_key"))
    );
    let post = |body: Value| {
        let request = rig.http.post(rig.url("/v1/chat/completions"));
        json(request.bearer_auth("sk-test").json(&body))
    };
    assert_eq!(post(question("x")).await.0, 200);
    for bad in [
        json!([]),
        json!({ "messages": [] }),
        json!({ "model": "m" }),
        json!({ "model": "m", "messages": [], "stream": true }),
    ] {
        let (status, error) = post(bad).await;
        assert_eq!(status, 400);
        assert_eq!(error["error"]["type"], "invalid_request_error");
    }
}

#[tokio::test]
async fn audio_is_transcribed_as_scripted() {
    let rig = Rig::start();
    let transcribe = |format: &str| {
        let body = format!(
            "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
             --B\r\nContent-Disposition: form-data; name=\"response_format\"\r\n\r\n{format}\r\n\
             --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"golf.ogg\"\r\n\r\n\
             OggS\r\n--B--\r\n"
        );
        rig.http
            .post(rig.url("/v1/audio/transcriptions"))
            .header("content-type", "multipart/form-data; boundary=B")
            .body(body)
    };
    let (status, answer) = json(transcribe("json")).await;
    assert_eq!(status, 200);
    assert!(answer["text"].is_string());
    rig.script(json!({
        "match": { "file": "golf" }, "reply": { "kind": "text", "text": "Ik zoek een Golf" },
    }))
    .await;
    assert_eq!(json(transcribe("json")).await.1["text"], "Ik zoek een Golf");
    let plain = transcribe("text").send().await.unwrap();
    assert_eq!(plain.text().await.unwrap(), "Ik zoek een Golf");
    let (_, answer) = rig.complete(&question("golf")).await;
    assert_ne!(
        content(&answer),
        "Ik zoek een Golf",
        "the rule is for files"
    );
    let (status, _) = rig.command("/v1/audio/transcriptions", &json!({})).await;
    assert_eq!(status, 400);
}
