//! A colleague answers past the bot, through all services.

use std::time::Duration;

use e2e_tests::System;
use serde_json::{Value, json};
use test_support::eventually;

use crate::support::{CUSTOMER, system_of_every_provider, worker};

/// Gives how often the customer was answered by then.
async fn after(system: &System, message: Value) -> usize {
    let answer = system.simulator().write(message).await;
    assert_eq!(answer["status"], 200, "{answer}");
    system.until_idle(Duration::from_secs(30)).await;
    system.simulator().arrivals().await.len()
}

fn customer(text: &str) -> Value {
    json!({"provider": "waha", "from": CUSTOMER, "text": text})
}

/// WAHA tells of what is written on the telephone as of any message, with the customer as the chat.
fn colleague(text: &str) -> Value {
    let chat = format!("{}@c.us", CUSTOMER.trim_start_matches('+'));
    json!({
        "provider": "waha", "from": CUSTOMER, "text": text,
        "raw_fields": {
            "event": "message.any",
            "payload": {"id": format!("true_{chat}_PHONE1"), "fromMe": true, "to": null},
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_on_the_telephone_has_the_conversation_until_it_is_released() {
    let system = system_of_every_provider().await;
    assert_eq!(after(&system, customer("Ik zoek een Golf")).await, 1);
    let said = "Kom morgen om tien uur, de koffie staat klaar";
    assert_eq!(after(&system, colleague(said)).await, 1);
    assert_eq!(after(&system, customer("Heeft u een automaat?")).await, 1);

    let conversation = format!("waha:default:{}@c.us", CUSTOMER.trim_start_matches('+'));
    let client = system.client();
    let partition = client.partitions().partition_of(&conversation);
    let history = client.keys().of(partition).history(&conversation);
    let lines = client.list_end(&history, 10).await.unwrap();
    let hers = lines.iter().find(|line| line.contains(said)).unwrap();
    assert!(hers.contains(r#""role":"colleague""#), "{hers}");

    let (done, words) = worker(&system, &["release", CUSTOMER]);
    assert!(done, "{words}");
    assert_eq!(after(&system, customer("Heeft u een automaat?")).await, 2);
}

/// Another program on Twilio's number: only the number's own status callback tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_with_another_program_on_twilios_number_has_the_conversation() {
    let system = system_of_every_provider().await;
    let writes = |text: &str| json!({ "from": CUSTOMER, "text": text });
    assert_eq!(after(&system, writes("Ik zoek een Golf")).await, 1);
    system.simulator().deliver(&["sent", "delivered"], 10).await;
    let said = "Ik bel u zo even";
    let told = json!({ "to": CUSTOMER, "text": said });
    system.simulator().interject(told).await;
    let conversation = format!("whatsapp:{CUSTOMER}");
    let client = system.client();
    let partition = client.partitions().partition_of(&conversation);
    let history = client.keys().of(partition).history(&conversation);
    eventually(async || {
        let lines = client.list_end(&history, 10).await.unwrap();
        match lines.iter().find(|line| line.contains(said)) {
            Some(line) if line.contains(r#""role":"colleague""#) => Ok(()),
            _ => Err(lines),
        }
    })
    .await;
    assert_eq!(after(&system, writes("Heeft u een automaat?")).await, 1);
    let (done, words) = worker(&system, &["release", CUSTOMER]);
    assert!(done, "{words}");
    assert_eq!(after(&system, writes("Heeft u een automaat?")).await, 2);
}
