use std::str::FromStr;

use shared_types::{Inbound, Source};
use streams::Entry;

use super::*;
use crate::domain::Domain;

fn message(content: &str) -> InboundMessage {
    let json = serde_json::json!({
        "id": "SM1", "conversation": {"id": "whatsapp:+31612345678"},
        "sender": {"id": "whatsapp:+31612345678"}, "content": content,
        "message_type": "incoming", "channel": "whatsapp", "source": "twilio"
    });
    serde_json::from_value(json).unwrap()
}

fn entry(gap: Option<u64>) -> Entry {
    Entry {
        id: FromStr::from_str("1700000000000-0").unwrap(),
        kind: "message".into(),
        event: "twilio:message:SM1".into(),
        conversation: "whatsapp:+31612345678".into(),
        mailbox: "whatsapp:+31612345678".into(),
        trace: None,
        gap: gap.map(Duration::from_millis),
        replayed: false,
    }
}

/// What becomes of messages, each with its gap in milliseconds and its age in milliseconds.
fn gather(apart: &[Source], said: &[(&str, Option<u64>, u64)]) -> Gather {
    let bursts = Bursts::new(&Domain::embedded().unwrap(), apart);
    let held: Vec<_> = said
        .iter()
        .map(|(text, gap, age)| (entry(*gap), Inbound::Message(Box::new(message(text))), *age))
        .collect();
    let waiting: Vec<_> = held
        .iter()
        .map(|(entry, payload, age)| Waiting {
            entry,
            payload,
            age: Duration::from_millis(*age),
        })
        .collect();
    bursts.gather(&waiting)
}

const fn wait(ms: u64) -> Gather {
    Gather::Wait(Duration::from_millis(ms))
}

#[test]
fn a_whole_message_is_answered_at_once() {
    for text in [
        "Ik zoek een Volkswagen Golf",
        "wat kost een apk?",
        "ja",
        "15",
        "STOP",
    ] {
        assert_eq!(gather(&[], &[(text, None, 0)]), Gather::Take(1), "{text}");
    }
    assert_eq!(
        gather(&[], &[("ik zoek een auto", Some(5_000), 0)]),
        Gather::Take(1)
    );
}

#[test]
fn what_looks_unfinished_waits_for_the_rest() {
    for text in [
        "hoi",
        "Goedemorgen",
        "nog 1 ding",
        "ik zoek een golf en",
        "één vraag:",
        "wait",
    ] {
        assert_eq!(gather(&[], &[(text, None, 100)]), wait(2_900), "{text}");
        assert_eq!(
            gather(&[], &[(text, None, 3_000)]),
            Gather::Take(1),
            "{text}"
        );
    }
}

#[test]
fn a_burst_is_one_turn_once_it_has_paused() {
    let burst = [
        ("hoi", None, 1_000),
        ("ik zag die golf", Some(250), 750),
        ("die blauwe", Some(250), 500),
        ("kan ik m morgen zien", Some(250), 250),
        ("en wat kost ie ongeveer", Some(250), 0),
    ];
    assert_eq!(gather(&[], &burst), wait(1_500));
    let later = burst.map(|(text, gap, age)| (text, gap, age + 1_500));
    assert_eq!(gather(&[], &later), Gather::Take(5));
}

#[test]
fn nobody_waits_longer_than_the_longest_wait() {
    let steady = [("hoi", None, 7_900), ("en", Some(200), 0)];
    assert_eq!(gather(&[], &steady), wait(100));
    let over = [("hoi", None, 8_000), ("en", Some(200), 0)];
    assert_eq!(gather(&[], &over), Gather::Take(2));
}

#[test]
fn a_channel_may_have_each_message_answered() {
    let burst = [("hoi", None, 0), ("ik zag die golf", Some(250), 0)];
    assert_eq!(gather(&[Source::Twilio], &burst), Gather::Take(1));
}

#[test]
fn merged_messages_keep_the_first_ones_id_and_every_text() {
    let (first, last) = (message("hoi"), message("heb je een golf"));
    let whole = merged(&first, &[&message(""), &last]);
    assert_eq!(
        (whole.content.as_str(), &whole.id),
        ("hoi\nheb je een golf", &first.id)
    );
}
