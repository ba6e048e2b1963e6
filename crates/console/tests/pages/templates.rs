//! After 24 hours WhatsApp takes templates alone: colleagues choose one, on the page, by API and by command.

use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{HOSTILE, PHONE, Rig};

const PAGE: &str = "/conversations/whatsapp%3A%2B31612345678";
const TOKEN: &str = "0199c0de-0000-7000-8000-000000000001";
const DUTCH: &str = "HX00000000000000000000000000000002";

impl Rig {
    /// A customer who wrote so many hours ago.
    async fn waits(&self, hours: i64) {
        self.asks("Sanne", "+31612345678", "een mens graag").await;
        let at = Timestamp::now().checked_sub(SignedDuration::from_hours(hours));
        let ms = at.unwrap().as_millisecond().to_string();
        self.run(&["HSET", &format!("conv:{PHONE}"), "last_in", &ms, "ver", "3"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_chosen_and_sent_once_when_free_text_is_not_taken() {
    let rig = Rig::with_templates().await;
    rig.waits(25).await;
    let anna = rig.operator("Anna").await;
    let page = anna.page(PAGE).await;
    for shown in [
        "come back",
        "we hebben nieuws over de",
        "voornaam",
        "window",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let (dutch, english) = (page.find(DUTCH), page.find("Hello "));
    assert!(
        dutch < english,
        "the customer's language comes first: {page}"
    );
    let sent = [
        ("token", TOKEN),
        ("template", DUTCH),
        ("value-1", HOSTILE),
        ("value-2", "Golf"),
    ];
    for _ in 0..2 {
        let to = anna.submit(&format!("{PAGE}/template"), &sent).await;
        assert_eq!(to, format!("{PAGE}?done=sent"));
    }
    let queued = rig.waiting_for_worker().await;
    let [(kind, payload)] = queued.as_slice() else {
        panic!("once: {queued:?}");
    };
    assert_eq!(kind, "colleague");
    assert_eq!(payload["template"]["content_sid"], DUTCH);
    let variables = json!({"1": HOSTILE, "2": "Golf"});
    assert_eq!(payload["template"]["variables"], variables);
    let read = format!(
        "Dag {HOSTILE}, we hebben nieuws over de Golf. Schrijf terug, dan helpen we u verder."
    );
    assert_eq!(payload["content"], read);
    assert_eq!(
        (payload["by"].as_str(), payload["unsent"].as_bool()),
        (Some("Anna"), Some(true))
    );
    let acts = anna.page("/acts").await;
    assert_eq!(acts.matches("conversation.template").count(), 1, "{acts}");
    for (field, value, status) in [
        ("value-2", " ", StatusCode::UNPROCESSABLE_ENTITY),
        ("value-2", "een\ntwee", StatusCode::UNPROCESSABLE_ENTITY),
        ("value-3", "x", StatusCode::UNPROCESSABLE_ENTITY),
        ("template", "HX1", StatusCode::NOT_FOUND),
        ("token", "", StatusCode::BAD_REQUEST),
    ] {
        let mut other = sent.to_vec();
        other.retain(|(name, _)| *name != field);
        other.push((field, value));
        let refused = anna.post(&format!("{PAGE}/template"), &other).await;
        assert_eq!(refused.status(), status, "{field}: {value}");
    }
    assert_eq!(rig.waiting_for_worker().await.len(), 1);
    // While free text is taken nobody is offered one.
    rig.waits(1).await;
    assert!(!anna.page(PAGE).await.contains(DUTCH));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_templates_are_set_up_the_page_says_so() {
    let rig = Rig::start().await;
    rig.waits(25).await;
    let page = rig.operator("Anna").await.page(PAGE).await;
    assert!(
        page.contains("none is set up") && page.contains("CONSOLE_TEMPLATES_FILE"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_a_template_who_wants_no_messages_or_is_on_another_channel() {
    let rig = Rig::with_templates().await;
    rig.waits(25).await;
    let now = Timestamp::now().as_millisecond().to_string();
    rig.run(&["HSET", &format!("contact:{PHONE}"), "opted_out", &now]);
    rig.run(&["HSET", "conv:waha:default:31612345678@c.us", "ver", "1"]);
    let anna = rig.operator("Anna").await;
    let sent = [("token", TOKEN), ("template", "window")];
    for (page, why) in [
        (PAGE, "wants no messages"),
        (
            "/conversations/waha%3Adefault%3A31612345678%40c.us",
            "only Twilio",
        ),
    ] {
        let refused = anna.post(&format!("{page}/template"), &sent).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().await.unwrap().contains(why));
    }
    assert!(rig.waiting_for_worker().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_and_commands_send_templates_too() {
    let rig = Rig::with_templates().await;
    rig.waits(25).await;
    let token = rig.token();
    let (_, listed) = rig
        .api(&token, Method::GET, "/api/v1/templates", Value::Null)
        .await;
    assert_eq!(
        listed["templates"][1]["variables"][0]["what"], "voornaam",
        "{listed}"
    );
    let path = "/api/v1/conversations/whatsapp%3A%2B31612345678/messages";
    let variables = json!({"1": "Sanne"});
    let english =
        json!({"template": "come_back", "language": "en", "variables": variables, "token": TOKEN});
    for _ in 0..2 {
        let (status, said) = rig.api(&token, Method::POST, path, english.clone()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{said}");
    }
    for (body, status) in [
        (
            json!({"template": "come_back", "variables": variables}),
            422,
        ),
        (json!({"template": "come_back", "language": "nl"}), 422),
        (json!({"template": "other"}), 404),
        (json!({"template": "come_back", "text": "Dag"}), 400),
        (json!({"text": "Dag", "variables": variables}), 400),
        (json!({"text": "Dag"}), 422),
    ] {
        let (found, said) = rig.api(&token, Method::POST, path, body).await;
        assert_eq!(found.as_u16(), status, "{said}");
        assert!(said["error"].is_string(), "{said}");
    }
    assert!(rig.said(&["templates"]).contains("come_back  nl"));
    assert!(
        rig.said(&["templates", "--json"])
            .contains(r#""what":"auto""#)
    );
    let words = [
        "answer",
        PHONE,
        "--template",
        "come_back",
        "--language",
        "nl",
    ];
    let missing = rig.console(&words);
    assert!(
        String::from_utf8_lossy(&missing.stderr).contains("1 (voornaam)"),
        "{missing:?}"
    );
    rig.said(&[words.as_slice(), &["--set", "1=Sanne", "--set", "2=Golf"]].concat());
    let queued = rig.waiting_for_worker().await;
    let sids: Vec<_> = queued
        .iter()
        .map(|(_, payload)| &payload["template"]["content_sid"])
        .collect();
    assert_eq!(sids, ["HX00000000000000000000000000000001", DUTCH]);
}
