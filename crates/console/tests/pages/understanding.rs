//! What was guessed or not answered is labelled with one key, and the labels are taken to the domain file.

use std::collections::BTreeMap;

use crm::{
    ContactWrite, CrmWrite, DomainNames, FactNames, LeadField, LeadWrite, QuestionWrite, Unclear,
};
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{HOSTILE, PHONE, Rig};

impl Rig {
    /// A customer who was not understood; gives the id.
    pub(crate) async fn unsure(&self, kind: Unclear, topic: &str, words: &str) -> String {
        let write = CrmWrite {
            message: format!("twilio:{words}"),
            at: Timestamp::now(),
            contact: ContactWrite {
                addresses: vec![PHONE.into()],
                also: Vec::new(),
                name: Some("Sanne".into()),
                language: Some("nl".into()),
                wants_messages: None,
            },
            withdrawn: None,
            lead: (kind == Unclear::Question).then(|| LeadWrite {
                conversation: PHONE.into(),
                intent: "car_inquiry".into(),
                fields: Vec::<LeadField>::new(),
                complete: false,
            }),
            appointments: Vec::new(),
            questions: vec![QuestionWrite {
                words: words.into(),
                topic: topic.into(),
                kind,
                conversation: Some(PHONE.into()),
                confidence: (kind != Unclear::Question).then_some(0.31),
            }],
            handover: None,
        };
        self.crm.apply(&write).await.unwrap();
        let (found, _) = self.crm.questions((kind, false), None, 50).await.unwrap();
        let one = found.iter().find(|one| one.words == words);
        one.unwrap().id.clone()
    }

    async fn knows_the_domain(&self) {
        let fact = |name: &str, ask: &str| FactNames {
            name: name.into(),
            ask: BTreeMap::from([("nl".to_owned(), vec![ask.to_owned()])]),
            rest: "answer.nl = \"Ja.\"\n".into(),
        };
        let names = DomainNames {
            languages: vec!["nl".into()],
            threshold: 0.6,
            intents: vec!["other".into(), "car_inquiry".into(), "opt_out".into()],
            facts: vec![
                fact("coffee", "is er koffie"),
                fact("parking", "kan ik er parkeren"),
            ],
        };
        self.crm
            .tell_domain(&names, Timestamp::now())
            .await
            .unwrap();
    }
}

#[expect(clippy::too_many_lines, reason = "one story")]
#[tokio::test(flavor = "multi_thread")]
async fn one_key_labels_and_labels_leave_as_lines_and_tables() {
    let rig = Rig::start().await;
    let anna = rig.operator("Anna").await;
    assert!(
        anna.page("/understanding")
            .await
            .contains("No worker has told")
    );
    rig.knows_the_domain().await;
    let guess = rig.unsure(Unclear::Intent, "other", HOSTILE).await;
    let question = rig
        .unsure(Unclear::Question, "other", "waar kan ik parkeren")
        .await;
    let doubt = rig.unsure(Unclear::OptOut, "other", "laat maar").await;
    let page = anna.page("/understanding").await;
    assert!(!page.contains("<img src=x"), "{page}");
    for shown in [
        "(31 %)",
        "data-key=\"2\"",
        "intent:car_inquiry",
        "conversations/whatsapp",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let page = anna.page("/understanding?of=question").await;
    let likeliest = page.find("value=\"fact:parking\" data-key=\"1\"");
    assert!(likeliest.is_some() && page.contains("New fact"), "{page}");
    assert!(
        anna.page("/understanding?of=opt_out")
            .await
            .contains("laat maar")
    );
    let label = async |id: &str, fields: &[(&str, &str)]| {
        let back = ("back", "/understanding?of=question");
        let fields = [fields, &[back]].concat();
        let to = anna
            .submit(&format!("/understanding/{id}/label"), &fields)
            .await;
        assert_eq!(to, "/understanding?of=question");
    };
    label(&guess, &[("label", "intent:car_inquiry")]).await;
    label(&question, &[("label", "fact:parking")]).await;
    label(&doubt, &[("label", "intent:opt_out")]).await;
    assert!(anna.page("/understanding").await.contains("There is none"));
    let labelled = anna.page("/understanding?show=labelled").await;
    assert!(
        labelled.contains("car inquiry") && labelled.contains("Take the label back"),
        "{labelled}"
    );
    let lines = anna.page("/understanding/examples.jsonl").await;
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], json!({"text": HOSTILE, "intent": "car_inquiry"}));
    let facts = anna.page("/understanding/facts.toml").await;
    assert!(
        facts.contains("ask.nl = [\"waar kan ik parkeren\"]"),
        "{facts}"
    );
    label(&guess, &[("label", "")]).await;
    assert_eq!(
        anna.page("/understanding/examples.jsonl")
            .await
            .lines()
            .count(),
        1
    );
    label(
        &question,
        &[
            ("label", "new"),
            ("name", "parking_nearby"),
            ("answer", "Voor de deur."),
        ],
    )
    .await;
    assert!(
        anna.page("/understanding/facts.toml")
            .await
            .contains("answer.nl = \"Voor de deur.\"")
    );
    let acts = anna.page("/acts").await;
    assert!(
        acts.contains("question.label") && acts.contains("export"),
        "{acts}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_the_domain_cannot_have_is_refused() {
    let rig = Rig::start().await;
    rig.knows_the_domain().await;
    let anna = rig.operator("Anna").await;
    let guess = rig.unsure(Unclear::Intent, "other", HOSTILE).await;
    for (id, fields, status) in [
        (&guess, [("label", "intent:none"), ("name", "")], 404),
        (&guess, [("label", "odd"), ("name", "")], 400),
        (
            &guess,
            [("label", "new"), ("name", "Spaties mogen niet")],
            400,
        ),
        (
            &"q_none".to_owned(),
            [("label", "nothing"), ("name", "")],
            404,
        ),
    ] {
        let refused = anna
            .post(&format!("/understanding/{id}/label"), &fields)
            .await;
        assert_eq!(refused.status().as_u16(), status, "{fields:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_and_commands_label_too() {
    let rig = Rig::start().await;
    rig.knows_the_domain().await;
    let id = rig
        .unsure(Unclear::Intent, "other", "iets met wielen")
        .await;
    let other = rig
        .unsure(Unclear::Intent, "other", "of met vleugels")
        .await;
    let token = rig.token();
    let path = "/api/v1/questions?kind=intent";
    let (_, listed) = rig.api(&token, Method::GET, path, Value::Null).await;
    assert_eq!(listed["rows"].as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(listed["rows"][0]["confidence"], 0.31, "{listed}");
    let path = format!("/api/v1/questions/{id}/label");
    let body = json!({"label": "intent:car_inquiry"});
    let (status, said) = rig.api(&token, Method::POST, &path, body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{said}");
    let (_, listed) = rig
        .api(
            &token,
            Method::GET,
            "/api/v1/questions?kind=intent&labelled=true",
            Value::Null,
        )
        .await;
    assert_eq!(
        listed["rows"][0]["label"]["intent"], "car_inquiry",
        "{listed}"
    );
    let (status, _) = rig
        .api(
            &token,
            Method::GET,
            "/api/v1/questions?kind=odd",
            Value::Null,
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(rig.said(&["unclear"]).contains("of met vleugels"));
    rig.said(&["label", &other, "nothing"]);
    assert_eq!(rig.said(&["unclear", "--json"]), "");
    assert!(rig.said(&["labels"]).contains("iets met wielen"));
    assert!(
        !rig.console(&["label", &other, "fact:none"])
            .status
            .success()
    );
}
