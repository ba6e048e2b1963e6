//! A register of plates that answers as the Dutch one does, and in other ways.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::chat::Chat;

const FOUND: &str = r#"[{"kenteken":"GA101E","merk":"VOLKSWAGEN","handelsbenaming":"GOLF","datum_eerste_toelating":"20200914"}]"#;

/// Answers every question alike; tells what it was asked.
fn register(answer: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/resource/m9d7-ebf2.json",
        listener.local_addr().unwrap()
    );
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 2048];
            let read = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            log.lock()
                .unwrap()
                .push(head.lines().next().unwrap_or_default().to_owned());
            // One that hangs says nothing, and keeps the connection.
            if answer.is_empty() {
                silent.push(stream);
                continue;
            }
            let (status, body) = answer.split_once('|').unwrap_or(("200 OK", answer));
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    (url, asked)
}

async fn chat(url: &str, more: &[&str]) -> Chat {
    let flags = [&["--plate-register-url", url], more].concat();
    Chat::with(&flags).await
}

fn own(chat: &Chat, slot: &str) -> Option<String> {
    let wish = chat.known.memory.own.get(slot)?;
    wish.any_of.first().map(ToString::to_string)
}

#[tokio::test]
async fn a_plate_fills_the_customers_own_car() {
    let (url, asked) = register(FOUND);
    let mut chat = chat(&url, &[]).await;
    chat.says("Wat krijg ik voor mijn auto? Kenteken GA-101-E")
        .await;
    assert_eq!(
        own(&chat, "car_make").as_deref(),
        Some("Volkswagen"),
        "{}",
        chat.transcript
    );
    assert_eq!(own(&chat, "car_model").as_deref(), Some("Golf"));
    assert_eq!(
        *asked.lock().unwrap(),
        ["GET /resource/m9d7-ebf2.json?kenteken=GA101E&%24limit=1 HTTP/1.1"]
    );
    // It is known now: nobody asks again.
    chat.says("kenteken is GA-101-E en hij heeft 48.000 km gelopen")
        .await;
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_customer_says_of_their_car_is_not_asked_for() {
    let (url, asked) = register(FOUND);
    let mut chat = chat(&url, &[]).await;
    chat.says("Ik wil mijn Opel Corsa inruilen, kenteken GA-101-E")
        .await;
    assert_eq!(
        own(&chat, "car_make").as_deref(),
        Some("Opel"),
        "{}",
        chat.transcript
    );
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_register_that_fails_changes_no_turn() {
    for answer in [
        "",
        "429 Too Many|",
        "500 Oh|",
        "[]",
        "<html>",
        "{}",
        r#"[{"merk":5}]"#,
        r#"[{"merk":"GEEN MERK"}]"#,
    ] {
        let (url, asked) = register(answer);
        let mut chat = chat(&url, &["--plate-register-timeout-ms", "200"]).await;
        let reply = chat
            .says("Wat krijg ik voor mijn auto? Kenteken GA-101-E")
            .await;
        assert!(reply.is_some());
        assert_eq!(
            own(&chat, "license_plate").as_deref(),
            Some("GA-101-E"),
            "{}",
            chat.transcript
        );
        assert_eq!(own(&chat, "car_make"), None);
        assert_eq!(asked.lock().unwrap().len(), 1, "{answer}");
    }
}

#[tokio::test]
async fn no_more_is_asked_in_a_minute_than_is_allowed() {
    let (url, asked) = register("[]");
    let mut chat = chat(&url, &["--plate-register-per-minute", "2"]).await;
    for plate in ["GA-101-E", "GA-102-E", "GA-103-E", "GA-101-E"] {
        chat.says(&format!("Ik wil mijn auto inruilen, kenteken {plate}"))
            .await;
    }
    assert_eq!(asked.lock().unwrap().len(), 2);
}
