//! Model servers that differ from each other: what they refuse, how they answer, how they fail.

use std::io;

use serde_json::{Value, json};
use simulator::{Provider, Query, SimulatorHandle};

use crate::chat::Chat;
use crate::model::{chat, rule, simulator};

/// One object that answers every question.
const ALL_IN_ONE: &str = r#"{"intent":"car_inquiry","confidence":0.93,"language":"nl","car_make":"VW","car_model":"Golf","response_text":"Een Golf, mooie keuze!","sentiment":"neutral","should_escalate":false,"escalation_reason":null}"#;

fn raw(simulator: &SimulatorHandle, status: u16, body: &str) {
    rule(
        simulator,
        json!({"reply": {"kind": "raw", "status": status, "body": body}}),
    );
}

fn asked(simulator: &SimulatorHandle) -> Vec<Value> {
    let questions = Query {
        provider: Some(Provider::Llm),
        limit: 100,
        ..Query::default()
    };
    let sent = simulator.sent(&questions).into_iter();
    sent.map(|record| record.entry.request.clone()).collect()
}

#[tokio::test]
async fn a_server_is_asked_without_what_it_refuses() {
    let simulator = simulator();
    let refuses = |parameter: &str, status: u16, body: Value| {
        let reply = json!({"kind": "raw", "status": status, "body": body.to_string()});
        rule(
            &simulator,
            json!({"match": {"parameter": parameter}, "reply": reply}),
        );
    };
    refuses(
        "temperature",
        400,
        json!({"error": {"message": "Unsupported value: 'temperature' does not support 0 with this model.", "param": "temperature", "code": "unsupported_value"}}),
    );
    refuses(
        "max_completion_tokens",
        422,
        json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted", "input": 800}]}),
    );
    let format =
        "1 validation error: body.response_format.type Input should be 'text' or 'json_object'";
    refuses(
        "json_schema",
        500,
        json!({"error": {"message": format, "type": "internal_server_error"}}),
    );
    refuses(
        "json_object",
        400,
        json!({"error": "response_format is not supported"}),
    );
    rule(
        &simulator,
        json!({"reply": {"kind": "text", "text": ALL_IN_ONE}}),
    );
    let mut chat = chat(&simulator, &["--llm-retries", "0"]).await;
    let reply = chat.says("Ik zoek een Golf").await.unwrap();
    assert_eq!(reply.text, "Een Golf, mooie keuze!");
    let first = asked(&simulator).len();
    assert_eq!(
        first,
        5 + 3,
        "five refusals, then the three questions of the turn"
    );
    chat.says("Een Golf dus").await.unwrap();
    let all = asked(&simulator);
    assert_eq!(all.len(), first + 3, "what is refused is remembered");
    let last = all.last().unwrap();
    assert_eq!(last["max_tokens"], 800);
    for parameter in ["temperature", "max_completion_tokens", "response_format"] {
        assert!(last.get(parameter).is_none(), "{last}");
    }
}

#[tokio::test]
async fn what_a_setting_says_is_sent_to_the_letter() {
    let simulator = simulator();
    let flags = [
        "--llm-temperature",
        "1",
        "--llm-token-limit-field",
        "max_tokens",
        "--llm-response-format",
        "json_object",
    ];
    let mut chat = chat(&simulator, &flags).await;
    chat.says("Ik zoek een Golf").await.unwrap();
    let request = asked(&simulator).remove(0);
    assert_eq!(request["temperature"], 1.0);
    assert_eq!(request["max_tokens"], 800);
    assert_eq!(request["response_format"], json!({"type": "json_object"}));
    let prompt = request["messages"][0]["content"].as_str().unwrap();
    assert!(
        prompt.contains("JSON") && prompt.contains("`intent`"),
        "{prompt}"
    );
}

#[tokio::test]
async fn answers_of_every_shape_are_used() {
    let message = |content: Value| json!({"choices": [{"message": {"content": content}}]});
    for body in [
        message(json!(format!("```json\n{ALL_IN_ONE}\n```"))),
        message(json!(format!(
            "<think>A golf? {{}}</think>Sure:\n{ALL_IN_ONE}\nDone!"
        ))),
        message(json!([{"type": "text", "text": ALL_IN_ONE}])),
        json!({"choices": [{"message": {"content": null, "reasoning_content": ALL_IN_ONE}}]}),
        json!({"choices": [{"finish_reason": "length", "message": {"content": ALL_IN_ONE}}]}),
        json!({"id": null, "created": "1.5", "service_tier": "on_demand", "usage": {"prompt_tokens": 1.0},
            "choices": [{"index": null, "finish_reason": "eos_token", "logprobs": [], "message": {"role": null, "content": ALL_IN_ONE}}]}),
    ] {
        let simulator = simulator();
        raw(&simulator, 200, &format!("\n\n {body}"));
        let mut chat = chat(&simulator, &[]).await;
        let reply = chat.says("Ik zoek een Volkswagen Golf").await.unwrap();
        assert_eq!(reply.text, "Een Golf, mooie keuze!", "{body}");
        assert_eq!(
            chat.known.memory.wanted["car_make"].any_of[0].to_string(),
            "Volkswagen"
        );
    }
}

#[tokio::test]
async fn an_error_keeps_its_status_and_the_breaker_counts_it() {
    let simulator = simulator();
    rule(
        &simulator,
        json!({"reply": {"kind": "error", "status": 401, "message": "no key"}}),
    );
    let mut chat = chat(&simulator, &[]).await;
    for _ in 0..3 {
        chat.says("Ik zoek een Golf").await.unwrap();
    }
    let page = chat.metrics.page().unwrap();
    for line in [
        r#"postduif_model_errors_total{agent="router",status="401"} 2"#,
        r#"postduif_model_fallbacks_total{agent="router",reason="refused"} 2"#,
        r#"postduif_model_fallbacks_total{agent="router",reason="open"} 1"#,
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    assert_eq!(
        asked(&simulator).len(),
        5,
        "a refusal is not repeated, and soon nobody asks"
    );
}

#[tokio::test]
async fn nobody_waits_for_a_server_that_wants_to_be_left_alone_for_longer_than_the_turn() {
    let simulator = simulator();
    let reply = json!({"kind": "raw", "status": 429, "body": "{}", "retry_after": 30});
    rule(&simulator, json!({ "reply": reply }));
    let mut chat = chat(&simulator, &["--llm-retries", "3"]).await;
    chat.says("Ik zoek een Golf").await.unwrap();
    let page = chat.metrics.page().unwrap();
    assert!(page.contains(r#"agent="router",reason="failed""#), "{page}");
    assert_eq!(asked(&simulator).len(), 3, "each question once");
}

#[tokio::test]
async fn a_turn_ends_in_time_whatever_its_steps_would_take() {
    let simulator = simulator();
    rule(
        &simulator,
        json!({"match": {"file": "message"}, "reply": {"kind": "text", "text": "?"}, "delay_ms": 60_000}),
    );
    rule(&simulator, json!({"reply": {"kind": "endless"}}));
    let url = format!("{}/v1", simulator.url());
    let limits = [
        "--llm-base-url",
        &url,
        "--transcribe-base-url",
        &url,
        "--waha-base-url",
        simulator.url(),
        "--waha-api-key",
        "x",
        "--turn-budget-ms",
        "2000",
        "--llm-timeout-ms",
        "20000",
        "--transcribe-timeout-ms",
        "20000",
    ];
    let mut chat = Chat::with(&limits).await;
    let voice = json!({"attachments": [{"url": format!("{}/api/files/x.oga", simulator.url()), "content_type": "audio/ogg"}]});
    assert!(chat.sends("", voice).await.is_some());
    assert!(chat.says("Ik zoek een Golf").await.is_some());
}

#[tokio::test]
async fn answers_that_cannot_be_used_are_paid_for_by_the_contact() {
    let simulator = simulator();
    rule(
        &simulator,
        json!({"reply": {"kind": "text", "text": "Sure!"}}),
    );
    let mut chat = chat(&simulator, &["--llm-tokens-per-contact-per-day", "100"]).await;
    for _ in 0..4 {
        chat.says("Ik zoek een Golf").await.unwrap();
    }
    assert_eq!(
        asked(&simulator).len(),
        1,
        "one question costs more than the budget"
    );
}

#[tokio::test]
async fn a_model_never_hears_a_name_or_a_number() {
    let simulator = simulator();
    let mut chat = chat(&simulator, &[]).await;
    for message in [
        "Hallo",
        "groetjes, sanne",
        "mijn nummer is 06\u{a0}1234\u{a0}5678 of 31 6 1234 5678",
        "０６１２３４５６７８ en jan＠voorbeeld.example",
        "Ik zoek een Golf",
    ] {
        chat.says(message).await;
    }
    for request in asked(&simulator) {
        let text = request.to_string();
        let lower = text.to_lowercase();
        assert!(
            !lower.contains("sanne") && !lower.contains("voorbeeld"),
            "{text}"
        );
        assert!(
            !text.contains("5678") && !text.contains("５６７８"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn nothing_that_a_customer_wrote_gets_into_a_log_with_a_servers_words() {
    let log = Log::default();
    let collector = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // With one collector alone, what another test's thread logs first is taken for what nobody wants.
    let _other = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let _collecting = tracing::subscriber::set_default(collector);
    for (status, body) in [
        (
            200,
            r#"{"choices":[{"message":{"content":"Kolibrie wil een Golf"}}]}"#.to_owned(),
        ),
        (
            200,
            r#"{"choices":[{"message":"Kolibrie"}],"usage":"Kolibrie"}"#.to_owned(),
        ),
        (200, "<html>Kolibrie</html>".to_owned()),
        (
            200,
            r#"{"error":{"message":"cannot parse Kolibrie","code":"Kolibrie"}}"#.to_owned(),
        ),
        (
            400,
            r#"{"error":{"message":"temperature of 'kolibrie' is wrong","code":400}}"#.to_owned(),
        ),
        (
            422,
            r#"{"detail":[{"loc":["body"],"msg":"Kolibrie","input":{"messages":"Kolibrie"}}]}"#
                .to_owned(),
        ),
        (500, "Kolibrie".to_owned()),
    ] {
        let simulator = simulator();
        raw(&simulator, status, &body);
        let mut chat = chat(&simulator, &["--llm-retries", "0"]).await;
        chat.says("Ik heet Kolibrie en zoek een Golf")
            .await
            .unwrap();
    }
    let log = log.text();
    assert!(log.contains("the model cannot be used"), "{log}");
    assert!(!log.to_lowercase().contains("kolibrie"), "{log}");
}

/// Where log lines end up.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
