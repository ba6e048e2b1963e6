//! A conversation is shown as it is, answered within its rules, given back, and erased.

use console::desk::{Desk, Who, Words};
use crm::Crm;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use secrecy::SecretString;
use uuid::Uuid;

use crate::support::{HOSTILE, PHONE, Rig};

const PAGE: &str = "/conversations/whatsapp%3A%2B31612345678";

impl Rig {
    fn line(&self, role: &str, text: &str) {
        let at = Timestamp::now();
        let line = serde_json::json!({"role": role, "text": text, "at": at}).to_string();
        self.run(&["RPUSH", &format!("hist:{PHONE}"), &line]);
    }

    /// The customer wrote last so many hours ago.
    fn wrote(&self, hours: i64) {
        let at = Timestamp::now().checked_sub(SignedDuration::from_hours(hours));
        let ms = at.unwrap().as_millisecond().to_string();
        self.run(&["HSET", &format!("conv:{PHONE}"), "last_in", &ms, "ver", "3"]);
    }

    fn human_has_it(&self) {
        let until = Timestamp::now()
            .checked_add(SignedDuration::from_hours(4))
            .unwrap();
        let ms = until.as_millisecond().to_string();
        self.run(&["HSET", &format!("conv:{PHONE}"), "human_until", &ms]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_and_who_has_it_is_shown() {
    let rig = Rig::start().await;
    let anna = rig.operator("Anna").await;
    assert_eq!(anna.get(PAGE).await.status(), StatusCode::NOT_FOUND);
    rig.asks(HOSTILE, "+31612345678", "een mens graag").await;
    rig.wrote(1);
    rig.line("customer", HOSTILE);
    rig.line("bot", "Een collega kijkt mee");
    let page = anna.page(PAGE).await;
    assert!(
        !page.contains("<img src=x") && !page.contains("</textarea></script>"),
        "{page}"
    );
    for shown in [
        "Een collega kijkt mee",
        "The bot answers",
        "free text until",
        "tel:+31612345678",
        "waiting",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    rig.human_has_it();
    let page = anna.page(PAGE).await;
    for shown in ["The bot is silent", "asked for a person", "Give back"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_sent_once_in_the_conversations_order() {
    let rig = Rig::start().await;
    rig.asks("Sanne", "+31612345678", "een mens graag").await;
    rig.wrote(1);
    let anna = rig.operator("Anna").await;
    let token = "0199c0de-0000-7000-8000-000000000001";
    let answer = [("text", "Kom morgen om tien uur"), ("token", token)];
    for _ in 0..2 {
        let to = anna.submit(&format!("{PAGE}/answer"), &answer).await;
        assert_eq!(to, format!("{PAGE}?done=sent"));
    }
    let queued = rig.waiting_for_worker().await;
    assert_eq!(queued.len(), 1, "{queued:?}");
    let (kind, payload) = &queued[0];
    assert_eq!(kind, "colleague");
    assert_eq!(payload["content"], "Kom morgen om tien uur");
    assert_eq!(
        (payload["by"].as_str(), payload["unsent"].as_bool()),
        (Some("Anna"), Some(true))
    );
    // No turn that was begun before commits.
    let state = rig
        .redis
        .keys()
        .of(rig.redis.partitions().partition_of(PHONE))
        .conversation(PHONE);
    let state = rig.redis.hash(&state).await.unwrap();
    assert_eq!(state["ver"], "4");
    assert!(state.contains_key("colleague"));
    let empty = [("text", "  "), ("token", token)];
    let refused = anna.post(&format!("{PAGE}/answer"), &empty).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let acts = anna.page("/acts").await;
    assert_eq!(acts.matches("conversation.answer").count(), 1, "{acts}");
    // A program may send its token again: other words are not lost.
    let other = [("text", "Of om elf uur"), ("token", token)];
    anna.submit(&format!("{PAGE}/answer"), &other).await;
    assert_eq!(rig.waiting_for_worker().await.len(), 2);
}

/// Who is told of an error tries again, and the customer gets the answer twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_no_error_when_its_row_cannot_be_written() {
    let rig = Rig::start().await;
    rig.wrote(1);
    let desk = Desk {
        crm: Crm::new(&SecretString::from("sqlite:/nowhere/crm.sqlite")).unwrap(),
        redis: rig.redis.clone(),
        country: "31".into(),
        templates: Vec::new(),
    };
    let who = Who {
        name: "Anna".into(),
        via: "page",
    };
    assert!(desk.crm.ping().await.is_err());
    let id = PHONE.parse().unwrap();
    desk.answer(&who, &id, Words::Text("Dag"), Uuid::from_u128(1))
        .await
        .unwrap();
    desk.take_over(&who, &id).await.unwrap();
    desk.give_back(&who, &id).await.unwrap();
    assert_eq!(rig.waiting_for_worker().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_where_the_channel_takes_nothing_or_the_customer_wants_nothing() {
    let rig = Rig::start().await;
    rig.asks("Sanne", "+31612345678", "een mens graag").await;
    rig.wrote(25);
    let anna = rig.operator("Anna").await;
    let answer = [
        ("text", "Dag"),
        ("token", "0199c0de-0000-7000-8000-000000000001"),
    ];
    let page = anna.page(PAGE).await;
    assert!(
        page.contains("no free text") && !page.contains("<textarea"),
        "{page}"
    );
    let refused = anna.post(&format!("{PAGE}/answer"), &answer).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    rig.wrote(1);
    let now = Timestamp::now().as_millisecond().to_string();
    rig.run(&["HSET", &format!("contact:{PHONE}"), "opted_out", &now]);
    let page = anna.page(PAGE).await;
    assert!(
        page.contains("not wanted since") && !page.contains("<textarea"),
        "{page}"
    );
    let refused = anna.post(&format!("{PAGE}/answer"), &answer).await;
    assert!(refused.text().await.unwrap().contains("wants no messages"));
    assert!(rig.waiting_for_worker().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_taken_over_and_given_back_without_a_hand_over() {
    let rig = Rig::start().await;
    rig.wants("Sanne", "+31612345678", "car_inquiry").await;
    rig.wrote(1);
    let anna = rig.operator("Anna").await;
    let done = anna.submit(&format!("{PAGE}/take"), &[]).await;
    assert_eq!(done, format!("{PAGE}?done=take"));
    rig.human_has_it();
    assert!(anna.page(PAGE).await.contains("The bot is silent"));
    anna.submit(&format!("{PAGE}/give-back"), &[]).await;
    let kinds = rig.waiting_for_worker().await;
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(_, payload)| payload["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["human_took_over", "released"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_after_a_look_at_what_goes() {
    let rig = Rig::start().await;
    let id = rig.asks("Sanne", "+31612345678", "een mens graag").await;
    rig.wrote(1);
    rig.line("customer", "hoi");
    let anna = rig.operator("Anna").await;
    anna.submit(
        &format!("/handovers/{id}/take"),
        &[("note", "Sanne bellen")],
    )
    .await;
    let preview = anna.page(&format!("{PAGE}/erase")).await;
    assert!(preview.contains("Erase for good"), "{preview}");
    // What the command lists, line by line.
    let desk = Desk {
        crm: rig.crm.clone(),
        redis: rig.redis.clone(),
        country: "31".into(),
        templates: Vec::new(),
    };
    let who = Who {
        name: "Anna".into(),
        via: "page",
    };
    let counted = desk
        .erase(&who, &PHONE.parse().unwrap(), true)
        .await
        .unwrap();
    let places = counted.places();
    assert!(places.contains(&("CRM hand-overs", 1)) && places.contains(&("CRM leads", 0)));
    for (place, count) in places {
        // A text in a page has its apostrophes in another spelling.
        let row =
            format!("<td>{place}</td><td class=\"number\">{count}</td>").replace('\'', "&#39;");
        assert!(preview.contains(&row), "{row}: {preview}");
    }
    // Only looked at: all is there.
    anna.page(PAGE).await;
    assert_eq!(
        anna.submit(&format!("{PAGE}/erase"), &[]).await,
        "/?done=erased"
    );
    assert_eq!(anna.get(PAGE).await.status(), StatusCode::NOT_FOUND);
    // Nor does a page that was open before bring anything back.
    let queued = rig.waiting_for_worker().await.len();
    let answer = [
        ("text", "Dag"),
        ("token", "0199c0de-0000-7000-8000-000000000001"),
    ];
    for act in ["answer", "take", "give-back"] {
        let refused = anna.post(&format!("{PAGE}/{act}"), &answer).await;
        assert_eq!(refused.status(), StatusCode::NOT_FOUND, "{act}");
    }
    assert_eq!(rig.waiting_for_worker().await.len(), queued);
    let acts = anna.page("/acts").await;
    assert!(
        acts.contains("person.erase") && acts.contains("handover.take"),
        "{acts}"
    );
    assert!(!acts.contains("Sanne") && !acts.contains(&id), "{acts}");
}

impl Rig {
    /// Four messages: one whose turn is not kept any more, one answered, one silent, one held back.
    async fn four_messages(&self) {
        self.wants("Sanne", "+31612345678", "car_inquiry").await;
        self.wrote(1);
        let at = |second: i64| Timestamp::from_second(1_790_000_000 + second).unwrap();
        let line = |role: &str, text: &str, second: i64| {
            let line = serde_json::json!({"role": role, "text": text, "at": at(second)});
            self.run(&["RPUSH", &format!("hist:{PHONE}"), &line.to_string()]);
        };
        let turn = |second: i64, more: serde_json::Value| {
            let mut turn = serde_json::json!({
                "times": {"received": at(second - 2), "queued": at(second - 1), "turn": at(second), "took_us": 4_200},
                "state": {"content": HOSTILE, "router_output": {"intent": "car_inquiry", "confidence": 0.92, "next_agent": "extraction"}},
                "values": {"wanted": {"before": {"car_model": "Polo"}, "after": {"car_model": "Golf"}}},
                "facts": ["opening_hours"], "events": ["a"],
            });
            turn.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            self.run(&["RPUSH", &format!("turns:{PHONE}"), &turn.to_string()]);
        };
        line("customer", "lang geleden", 0);
        line("customer", HOSTILE, 100);
        line("customer", "stop", 200);
        line("customer", "en nu?", 300);
        turn(
            100,
            serde_json::json!({"reply": {"outbound": "ob_1", "text": "Dag"}}),
        );
        turn(
            200,
            serde_json::json!({"silence": "opted_out", "reply": null}),
        );
        turn(
            300,
            serde_json::json!({"reply": {"outbound": "ob_2", "text": "Dag"}}),
        );
        let ms = |second: i64| at(second).as_millisecond().to_string();
        self.run(&["LPUSH", &format!("sends:{PHONE}"), "ob_1"]);
        self.run(&[
            "HSET",
            "sent:ob_1",
            "state",
            "sent",
            "intent_at",
            &ms(101),
            "sent_at",
            &ms(103),
            "at:delivered",
            &ms(104),
        ]);
        let partition = self.redis.partitions().partition_of(PHONE);
        let letters = self
            .redis
            .keys()
            .of(partition)
            .dead_letters(streams::Queue::Outbound);
        self.run(&[
            "XADD",
            &letters,
            "*",
            "_reason",
            "human_in_charge",
            "conv",
            PHONE,
            "event",
            "ob_2",
        ]);
    }
}

/// What the worker kept of a turn, the ledger and the dead letters say what happened; what is not kept any more
/// is told to be so.
#[tokio::test(flavor = "multi_thread")]
async fn what_happened_to_a_message_is_folded_under_it() {
    let rig = Rig::start().await;
    rig.four_messages().await;
    let anna = rig.operator("Anna").await;
    let page = anna.page(PAGE).await;
    let parts: Vec<&str> = page.split("<details class=\"xray\"").skip(1).collect();
    assert_eq!(parts.len(), 4, "{page}");
    assert!(parts[0].contains("not kept any more"), "{}", parts[0]);
    for shown in [
        "webhook taken",
        "in the queue",
        "turn taken",
        "4.2 ms",
        "provider asked",
        "+5.0 s",
        "2.0 s",
        "delivered",
        "car inquiry",
        "92 %",
        "car model",
        "<s>Polo</s>",
        "<b>Golf</b>",
        "opening hours",
    ] {
        assert!(parts[1].contains(shown), "{shown}: {}", parts[1]);
    }
    assert!(!parts[1].contains("<img src=x"), "{}", parts[1]);
    assert!(
        parts[2].contains("Silent on purpose: the customer wants no messages"),
        "{}",
        parts[2]
    );
    assert!(
        parts[3].contains("held back: a colleague has the conversation"),
        "{}",
        parts[3]
    );
}
