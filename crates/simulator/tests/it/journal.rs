use std::time::Duration;

use serde_json::{Value, json};
use simulator::{CustomerMessage, Provider};

use crate::support::{CUSTOMER, NUMBER, PATIENCE, Rig, json};

impl Rig {
    /// The stream of events, once it is open.
    pub(crate) async fn events(&self) -> reqwest::Response {
        let request = self.http.get(self.url("/simulator/events"));
        request.send().await.unwrap()
    }
}

fn texts(answer: &Value) -> Vec<&str> {
    let entries = answer["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["text"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn what_was_sent_is_listed_in_order_and_read_on_from_the_last() {
    let rig = Rig::start();
    for text in ["een", "twee", "drie"] {
        json(rig.send(text)).await;
    }
    json(rig.twilio(&[("From", NUMBER), ("To", CUSTOMER)])).await;
    let first = rig.ask("/simulator/sent?to=%2B31612345678&limit=2").await;
    assert_eq!(texts(&first), ["een", "twee"]);
    let rest = format!("/simulator/sent?provider=twilio&since={}", first["last"]);
    let rest = rig.ask(&rest).await;
    assert_eq!(texts(&rest), ["drie"]);
    assert_eq!(rest["entries"][0]["accepted"], true);
    assert_eq!(rest["entries"][0]["request"]["To"], CUSTOMER);
    assert!(rest["entries"][0]["arrived_us"].is_u64());
    assert!(rest["entries"][0]["at"].is_string());
    let refused = rig.ask("/simulator/sent?accepted=false").await;
    assert_eq!(refused["entries"][0]["refused"], "21602");
    let all = rig.ask("/simulator/sent?accepted=any&endpoint=any").await;
    assert_eq!(texts(&all).len(), 4);
    let (status, _) = json(rig.http.get(rig.url("/simulator/sent?accepted=maybe"))).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_wait_ends_at_once_when_enough_was_sent_before() {
    let rig = Rig::start();
    json(rig.send("een")).await;
    let found = rig
        .ask("/simulator/sent/wait?to=31612345678&count=1&timeout_ms=0")
        .await;
    assert_eq!(found["complete"], true);
    assert_eq!(texts(&found), ["een"]);
}

#[tokio::test]
async fn a_wait_ends_when_the_last_message_arrives() {
    let rig = Rig::start();
    json(rig.send("een")).await;
    let wait = rig.ask("/simulator/sent/wait?to=%2B31612345678&count=3&timeout_ms=20000");
    let send = async {
        json(rig.send("twee")).await;
        json(rig.send("drie")).await;
    };
    let (found, ()) = tokio::join!(wait, send);
    assert_eq!(found["complete"], true);
    assert_eq!(texts(&found), ["een", "twee", "drie"]);
}

#[tokio::test]
async fn a_wait_in_vain_tells_what_there_is() {
    let rig = Rig::start();
    json(rig.send("een")).await;
    let found = rig
        .ask("/simulator/sent/wait?to=%2B31612345678&count=2&timeout_ms=10")
        .await;
    assert_eq!(found["complete"], false);
    assert_eq!(texts(&found), ["een"]);
}

#[tokio::test]
async fn the_memory_is_bounded_and_counts_what_it_drops() {
    let rig = Rig::start_with(|config| config.journal_entries = 3);
    for number in 0..5 {
        json(rig.send(&number.to_string())).await;
    }
    let sent = rig.ask("/simulator/sent").await;
    assert_eq!(texts(&sent), ["2", "3", "4"]);
    let by_customer = rig.ask("/simulator/sent?to=%2B31612345678").await;
    assert_eq!(texts(&by_customer), texts(&sent));
    let since = rig.ask("/simulator/sent?since=4").await;
    assert_eq!(texts(&since), ["4"]);
    let stats = rig.simulator.stats();
    assert_eq!((stats.entries, stats.dropped, stats.last), (3, 2, 5));
    assert_eq!(stats.senders[0].accepted, 5, "counters outlive entries");
}

#[tokio::test]
async fn bytes_bound_the_memory_too() {
    let rig = Rig::start_with(|config| config.journal_bytes = 8_000);
    for _ in 0..5 {
        json(rig.send(&"a".repeat(1_500))).await;
    }
    let stats = rig.simulator.stats();
    assert_eq!(stats.entries as u64 + stats.dropped, 5);
    assert!((1..=2).contains(&stats.entries), "{stats:?}");
}

#[tokio::test]
async fn counters_tell_duplicates_and_refusals_per_sender() {
    let rig = Rig::start();
    for oid in ["a", "b", "a"] {
        let callback = format!("http://127.0.0.1:9/status?oid={oid}");
        let fields = [
            ("From", NUMBER),
            ("To", CUSTOMER),
            ("Body", "x"),
            ("StatusCallback", &callback),
        ];
        json(rig.twilio(&fields)).await;
    }
    json(rig.twilio(&[("From", NUMBER), ("Body", "x")])).await;
    let stats = rig.ask("/simulator/stats").await;
    let sender = &stats["journal"]["senders"][0];
    assert_eq!(sender["provider"], "twilio");
    assert_eq!(sender["sender"], NUMBER);
    assert_eq!(sender["accepted"], 3);
    assert_eq!(sender["duplicates"], 1);
    assert_eq!(sender["refused"], json!({ "21604": 1 }));
    assert!((1..=3).contains(&sender["busiest_second"].as_u64().unwrap()));
    assert_eq!(stats["journal"]["calls"]["twilio.send"], 4);
}

#[tokio::test]
async fn a_transcript_shows_both_sides_with_times_and_names() {
    let rig = Rig::start();
    let message = CustomerMessage::text(Provider::Twilio, "+31612345678", "Hoi").with_name("Jan");
    rig.simulator.post(message).await.unwrap();
    json(rig.send("Dag Jan")).await;
    let transcript = rig
        .ask("/simulator/conversations/whatsapp%3A%2B31612345678?provider=twilio")
        .await;
    assert_eq!(texts(&transcript), ["Hoi", "Dag Jan"]);
    assert_eq!(transcript["entries"][0]["endpoint"], "webhook");
    assert_eq!(transcript["entries"][0]["status"], "received");
    assert!(transcript["entries"][0]["elapsed_us"].is_u64());
    let list = rig.ask("/simulator/conversations").await;
    let conversation = &list["conversations"][0];
    assert_eq!(conversation["name"], "Jan");
    assert_eq!(conversation["customer"], "+31612345678");
    assert_eq!(conversation["newest"]["text"], "Dag Jan");
}

#[tokio::test]
async fn everything_is_forgotten_on_command_but_the_numbering() {
    let rig = Rig::start();
    json(rig.send("een")).await;
    let rule = json!({ "fault": { "kind": "server_error" } });
    rig.command("/simulator/faults", &rule).await;
    let (status, _) = rig.command("/simulator/reset", &json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(rig.ask("/simulator/sent").await["entries"], json!([]));
    assert_eq!(rig.accepted(), 0);
    assert_eq!(
        json(rig.send("twee")).await.0,
        201,
        "the fault is forgotten too"
    );
    assert_eq!(rig.ask("/simulator/sent").await["entries"][0]["seq"], 2);
}

#[tokio::test]
async fn events_tell_entries_as_they_come_and_change() {
    let rig = Rig::start();
    let mut events = rig.events().await;
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    json(rig.send("Hoi \u{2028}<script>")).await;
    let mut heard = String::new();
    while !heard.contains("\"status\":\"read\"") {
        let chunk = tokio::time::timeout(PATIENCE, events.chunk()).await;
        heard.push_str(std::str::from_utf8(&chunk.unwrap().unwrap().unwrap()).unwrap());
    }
    let first = heard.lines().find_map(|line| line.strip_prefix("data: "));
    let first: Value = serde_json::from_str(first.unwrap()).unwrap();
    assert_eq!(first["text"], "Hoi \u{2028}<script>");
    assert_eq!(first["status"], "queued");
    assert!(heard.matches("event: entry").count() >= 4);
}

#[tokio::test]
async fn a_stop_ends_waits_and_streams_of_events() {
    let rig = Rig::start();
    let mut events = rig.events().await;
    let wait = rig
        .http
        .get(rig.url("/simulator/sent/wait?count=9&timeout_ms=60000"))
        .timeout(Duration::from_secs(60))
        .send();
    let http = rig.http.clone();
    let stopped = async {
        // Both requests are open once the simulator has answered a later one.
        let live = http.get(rig.url("/health/live")).send().await.unwrap();
        assert_eq!(live.status(), 200);
        rig.stop();
    };
    let (answer, ()) = tokio::join!(wait, stopped);
    assert!(answer.is_err() || answer.unwrap().status() == 200);
    while let Ok(Some(_)) = events.chunk().await {}
    rig.simulator.stopped().await.unwrap();
}
