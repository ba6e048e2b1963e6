//! Model servers that answer oddly: in other shapes, in other encodings, in pieces, or not at all. To the
//! letter, which no server of a library would write.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use clap::Parser as _;
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use worker::domain::Domain;
use worker::llm::Model;
use worker::metrics::WorkerMetrics;

use crate::chat::Cli;

/// One object that answers every question.
const ANSWER: &str = r#"{"intent":"car_inquiry","confidence":0.93,"language":"nl","car_make":"VW","car_model":"Golf","response_text":"Een Golf, mooie keuze!","sentiment":"neutral","should_escalate":false,"escalation_reason":null}"#;

/// Answers every request with the same bytes, piece by piece; gives its address.
fn server(pieces: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_request(&mut stream);
            for piece in &pieces {
                // Who has heard enough closes.
                if stream.write_all(piece).is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    });
    format!("http://{address}/v1")
}

fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = stream.read(&mut part).unwrap_or(0);
        request.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&request);
        let length = text.to_lowercase();
        let length = length.split("content-length: ").nth(1);
        let length = length.and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
        let head = text.find("\r\n\r\n").map(|at| at + 4);
        if count == 0
            || head
                .zip(length)
                .is_some_and(|(head, length)| request.len() >= head + length)
        {
            return;
        }
    }
}

fn answer(head: &str, body: &[u8]) -> Vec<Vec<u8>> {
    let head = format!(
        "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    vec![head.into_bytes(), body.to_vec()]
}

fn ok(body: &impl ToString) -> Vec<Vec<u8>> {
    answer(
        "200 OK\r\ncontent-type: application/json",
        body.to_string().as_bytes(),
    )
}

fn message(message: &Value) -> Value {
    json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
}

fn plain() -> Value {
    message(&json!({"role": "assistant", "content": ANSWER}))
}

/// The answer as a server streams it that reads over `stream`.
fn streamed() -> Vec<Vec<u8>> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let mut pieces = vec![head.as_bytes().to_vec(), b": ping\n\n".to_vec()];
    for part in ANSWER.as_bytes().chunks(40) {
        let part = String::from_utf8_lossy(part);
        let delta = json!({"choices": [{"index": 0, "delta": {"content": part}}]});
        pieces.push(format!("data: {delta}\n\n").into_bytes());
    }
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}});
    pieces.push(format!("data: {usage}\n\ndata: [DONE]\n\n").into_bytes());
    pieces
}

fn chunked() -> Vec<Vec<u8>> {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    let body = plain().to_string();
    let mut pieces = vec![head.as_bytes().to_vec()];
    for part in body.as_bytes().chunks(7) {
        let mut piece = format!("{:x}\r\n", part.len()).into_bytes();
        piece.extend_from_slice(part);
        piece.extend_from_slice(b"\r\n");
        pieces.push(piece);
    }
    pieces.push(b"0\r\n\r\n".to_vec());
    pieces
}

fn useful() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let arguments: Value = serde_json::from_str(ANSWER).unwrap();
    let latin = plain()
        .to_string()
        .replace("mooie", "mooi\u{1}")
        .into_bytes();
    let latin: Vec<u8> = latin
        .into_iter()
        .map(|byte| if byte == 1 { 0xeb } else { byte })
        .collect();
    let text = plain().to_string();
    vec![
        ("a stream", streamed()),
        ("chunks", chunked()),
        (
            "a page",
            answer("200 OK\r\ncontent-type: text/html", text.as_bytes()),
        ),
        ("a byte order mark", ok(&format!("\u{feff}{text}"))),
        (
            "HTTP/1.0 without a length",
            vec![format!("HTTP/1.0 200 OK\r\n\r\n{text}").into_bytes()],
        ),
        (
            "Latin-1",
            answer(
                "200 OK\r\ncontent-type: application/json; charset=iso-8859-1",
                &latin,
            ),
        ),
        (
            "a call of a tool",
            ok(&message(
                &json!({"content": null, "tool_calls": [{"function": {"arguments": arguments}}]}),
            )),
        ),
        (
            "a call of a function",
            ok(&message(
                &json!({"content": "", "function_call": {"name": "router", "arguments": ANSWER}}),
            )),
        ),
        (
            "details of reasoning",
            ok(&message(
                &json!({"content": null, "reasoning_details": [{"type": "reasoning.text", "text": ANSWER}]}),
            )),
        ),
        (
            "parts of thought",
            ok(&message(
                &json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": ANSWER}]}),
            )),
        ),
        ("a message that is a text", ok(&message(&json!(ANSWER)))),
        (
            "a plain completion",
            ok(&json!({"choices": [{"text": ANSWER}]})),
        ),
        (
            "an empty choice before the other",
            ok(
                &json!({"choices": [{"message": {"content": ""}}, {"message": {"content": ANSWER}}]}),
            ),
        ),
        (
            "cut after the end",
            ok(
                &json!({"choices": [{"finish_reason": "length", "message": {"content": format!("{ANSWER}\n\n\n```")}}]}),
            ),
        ),
    ]
}

/// With words of what an operator reads.
fn useless() -> Vec<(&'static str, Vec<Vec<u8>>, &'static str)> {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\nconnection: close\r\n\r\n{\"choices\"";
    vec![
        (
            "an error in a success",
            ok(&json!({"error": {"message": "overloaded", "code": 529}})),
            "529: overloaded",
        ),
        (
            "a detail in a success",
            ok(&json!({"detail": "no such model"})),
            "no such model",
        ),
        (
            "what nobody asked to be compressed",
            answer("200 OK\r\ncontent-encoding: gzip", b"\x1f\x8b"),
            "compresses",
        ),
        (
            "no choice",
            ok(&json!({"choices": []})),
            "no chat completions",
        ),
        (
            "choices that are none",
            ok(&json!({"choices": "none"})),
            "no chat completions",
        ),
        ("nothing", ok(&""), "no chat completions"),
        (
            "no content",
            vec![b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_vec()],
            "no chat completions",
        ),
        (
            "half an answer",
            vec![cut.as_bytes().to_vec()],
            "cannot be reached",
        ),
        (
            "a move",
            answer(
                "307 Temporary Redirect\r\nlocation: http://127.0.0.1:9/",
                b"",
            ),
            "redirects",
        ),
        (
            "an error in a list",
            answer(
                "404 Not Found",
                br#"[{"error":{"code":404,"message":"no such model","status":"NOT_FOUND"}}]"#,
            ),
            "404: no such model",
        ),
        (
            "a page of a proxy",
            answer(
                "502 Bad Gateway\r\ncontent-type: text/html",
                b"<html>bad</html>",
            ),
            "502",
        ),
        (
            "an empty answer",
            ok(&message(&json!({"content": ""}))),
            "not the JSON",
        ),
        (
            "cut in the middle",
            ok(
                &json!({"choices": [{"finish_reason": "length", "message": {"content": "{\"intent\":\"car_inq"}}]}),
            ),
            "not the JSON",
        ),
        (
            "not HTTP",
            vec![b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()],
            "cannot be reached",
        ),
    ]
}

/// What a server is to the worker that asks it once: what it takes, or what is wrong with it.
async fn tried(domain: &Domain, pieces: Vec<Vec<u8>>) -> Result<String, String> {
    runtime::install_tls();
    let url = server(pieces);
    let words = [
        "worker",
        "--crm-database-url",
        "sqlite::memory:",
        "--llm-base-url",
        &url,
    ];
    let config = Cli::parse_from(words).worker;
    let counters = WorkerMetrics::new(&mut Metrics::new("worker", "0").unwrap()).unwrap();
    let model = Model::new(&config.model, counters).unwrap().unwrap();
    model.try_out(domain, Duration::from_secs(10)).await
}

#[tokio::test]
async fn what_can_be_meant_as_an_answer_is_used() {
    let domain = Domain::embedded().unwrap();
    for (name, pieces) in useful() {
        let tried = tried(&domain, pieces).await;
        assert!(tried.is_ok(), "{name}: {tried:?}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_named_as_what_it_is() {
    let domain = Domain::embedded().unwrap();
    for (name, pieces, words) in useless() {
        let why = tried(&domain, pieces).await.expect_err(name);
        assert!(why.contains(words), "{name}: {why}");
    }
}
