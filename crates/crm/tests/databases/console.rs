//! What the console keeps and shows, on SQLite and on PostgreSQL.

use crm::console::{IDLE, LONGEST, NewAct};
use crm::{
    CrmWrite, DomainNames, Filter, HandoverWrite, Kind, Label, Matter, QuestionWrite, Settled,
    Status, Unclear, What,
};
use jiff::{SignedDuration, Timestamp};
use test_support::PostgresServer;

use crate::database::{Database, PHONE, write};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const NOON: &str = "2026-11-23T12:00:00Z";

async fn sessions_end_when_idle_and_after_a_week(database: &Database) {
    let (crm, noon) = (&database.crm, at(NOON));
    crm.begin_session("secret", "Anna", "hash", noon)
        .await
        .unwrap();
    let session = crm.session("secret", "hash", noon).await.unwrap().unwrap();
    assert_eq!(session.operator, "Anna");
    assert!(!session.id.contains("secret"));
    let elsewhere = crm.session("secret", "another hash", noon).await.unwrap();
    assert_eq!(elsewhere, None);
    assert_eq!(crm.session("other", "hash", noon).await.unwrap(), None);
    let idle = noon.checked_add(IDLE).unwrap();
    let later = idle.checked_add(SignedDuration::from_secs(1)).unwrap();
    assert_eq!(crm.session("secret", "hash", later).await.unwrap(), None);
    // Who is always there stays, but not for ever.
    let step = SignedDuration::from_hours(7);
    let (mut now, mut last) = (noon, noon);
    while crm.session("secret", "hash", now).await.unwrap().is_some() {
        last = now;
        now = now.checked_add(step).unwrap();
    }
    let lasted = last.duration_since(noon);
    assert!(
        lasted <= LONGEST && lasted > SignedDuration::from_hours(6 * 24),
        "{lasted}"
    );
    crm.begin_session("secret 2", "Bram", "hash", now)
        .await
        .unwrap();
    crm.begin_session("secret 3", "Chris", "another hash", now)
        .await
        .unwrap();
    assert_eq!(crm.end_sessions_without("hash").await.unwrap(), 1);
    let there = crm.sessions(now).await.unwrap();
    assert_eq!(there.len(), 1, "{there:?}");
    assert_eq!(crm.end_sessions(Some("none")).await.unwrap(), 0);
    assert_eq!(crm.end_sessions(Some(&there[0].id)).await.unwrap(), 1);
    assert_eq!(crm.session("secret 2", "hash", now).await.unwrap(), None);
}

async fn programs_are_known_by_their_token(database: &Database) {
    let (crm, noon) = (&database.crm, at(NOON));
    assert!(crm.add_token("pd_1", "link", noon).await.unwrap());
    assert!(!crm.add_token("pd_2", "link", noon).await.unwrap());
    assert_eq!(
        crm.token("pd_1", noon).await.unwrap().as_deref(),
        Some("link")
    );
    assert_eq!(crm.token("pd_2", noon).await.unwrap(), None);
    assert!(crm.tokens().await.unwrap()[0].used_at.is_some());
    assert!(crm.remove_token("link").await.unwrap());
    assert!(!crm.remove_token("link").await.unwrap());
    assert_eq!(crm.token("pd_1", noon).await.unwrap(), None);
}

fn asks(message: &str, time: &str) -> CrmWrite {
    CrmWrite {
        handover: Some(HandoverWrite {
            conversation: PHONE.into(),
            opens: true,
            reason: "asked".into(),
            urgent: false,
            last_words: "een mens graag".into(),
            summary: "Reason: asked".into(),
            promised_at: None,
            answer_by: at("2026-11-23T13:00:00Z"),
            late_reply: None,
        }),
        withdrawn: None,
        questions: vec![QuestionWrite {
            words: "heeft hij een trekhaak".into(),
            topic: "towbar".into(),
            ..QuestionWrite::default()
        }],
        ..write(message, time)
    }
}

/// A search that most of the customers fit is answered with the newest of them.
async fn many_are_found_by_what_they_have_in_common(database: &Database) {
    let crm = &database.crm;
    for n in 0..600 {
        let time = at(NOON) + SignedDuration::from_secs(n);
        let phone = format!("+3165{n:07}");
        let mut one = write(&format!("M{n}"), &time.to_string());
        one.contact.addresses = vec![format!("whatsapp:{phone}"), format!("tel:{phone}")];
        one.contact.name = Some(format!("Jansen {n}"));
        one.lead.as_mut().unwrap().conversation = format!("whatsapp:{phone}");
        crm.apply(&one).await.unwrap();
    }
    for search in ["jansen", "+31650000"] {
        let found = crm.find(search, 2).await.unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|one| one.name.as_deref().unwrap())
            .collect();
        assert_eq!(names, ["Jansen 599", "Jansen 598"], "{search}");
        let filter = Filter {
            search: Some(search),
            ..Filter::only(What::Open)
        };
        let page = crm.browse(Matter::Lead, filter, None, 2).await.unwrap();
        assert_eq!(page.rows.len(), 2, "{search}");
        let next = crm
            .browse(Matter::Lead, filter, page.next, 2)
            .await
            .unwrap();
        assert_eq!(next.rows.len(), 2, "{search}");
    }
    assert_eq!(crm.find("jansen 59", 50).await.unwrap().len(), 11);
    assert_eq!(crm.find("JANSEN 600", 50).await.unwrap().len(), 0);
}

async fn lists_are_filtered_and_paged_from_the_newest(database: &Database) {
    let crm = &database.crm;
    let before = crm.revision().await.unwrap();
    crm.apply(&asks("Q1", NOON)).await.unwrap();
    assert_ne!(crm.revision().await.unwrap(), before);
    let list = |filter: Filter<'static>| crm.browse(Matter::Lead, filter, None, 1);
    let all = Filter::only(What::Open);
    let page = list(all).await.unwrap();
    assert_eq!(page.rows.len(), 1);
    let next = page.next.unwrap();
    assert_eq!(next.to_string().parse(), Ok(next.clone()));
    let rest = crm.browse(Matter::Lead, all, Some(next), 1).await.unwrap();
    assert!(rest.rows.is_empty() && rest.next.is_none());
    for (search, found) in [
        ("sanne", 1),
        ("SANNE", 1),
        (" ", 1),
        ("612345678", 1),
        ("31612345678", 1),
        ("31600000000", 0),
        ("%", 0),
        ("_", 0),
        ("piet", 0),
    ] {
        let filter = Filter {
            search: Some(search),
            ..all
        };
        assert_eq!(list(filter).await.unwrap().rows.len(), found, "{search}");
        assert_eq!(crm.find(search, 10).await.unwrap().len(), found, "{search}");
    }
    let others = Filter {
        owner: Some("Anna"),
        ..all
    };
    assert!(list(others).await.unwrap().rows.is_empty());
    for (intent, found) in [("car_inquiry", 1), ("trade_in", 0)] {
        let filter = Filter {
            intent: Some(intent),
            search: Some("sanne"),
            ..Filter::only(What::Only(Status::New))
        };
        assert_eq!(list(filter).await.unwrap().rows.len(), found, "{intent}");
    }
    let contact = crm.contact_of(PHONE).await.unwrap().unwrap();
    assert_eq!(contact.addresses, ["tel:+31612345678", PHONE]);
    let conversations = crm
        .conversations_of(&[&contact.id, "c_none"])
        .await
        .unwrap();
    assert_eq!(conversations.len(), 1);
    assert_eq!(conversations[&contact.id], [PHONE]);
    assert_eq!(
        crm.matters_of(Matter::Handover, &contact.id)
            .await
            .unwrap()
            .len(),
        1
    );
    let changes = crm.changes_about(&contact.id).await.unwrap();
    assert!(
        changes.iter().any(|change| change["to"] == "waiting"),
        "{changes:?}"
    );
    let asked = (Unclear::Question, false);
    let (questions, next) = crm.questions(asked, None, 10).await.unwrap();
    assert_eq!((questions.len(), next), (1, None));
    assert_eq!(questions[0].conversation.as_deref(), Some(PHONE));
    assert!(crm.last_handover().await.unwrap().is_some());
    assert!(
        crm.open_handover("whatsapp:+31600000000")
            .await
            .unwrap()
            .is_none()
    );
}

/// What words mean is kept with them, and goes with whom they are from.
async fn words_are_labelled_and_labels_go_with_the_person(database: &Database) {
    let crm = &database.crm;
    let unsure = QuestionWrite {
        words: "doen jullie ook iets met occasions".into(),
        topic: "other".into(),
        kind: Unclear::Intent,
        conversation: Some(PHONE.into()),
        confidence: Some(0.31),
    };
    let mut guessed = write("SM77", NOON);
    guessed.questions = vec![unsure];
    let contact = crm.apply(&guessed).await.unwrap().contact_id;
    let open = (Unclear::Intent, false);
    let (found, _) = crm.questions(open, None, 10).await.unwrap();
    let [one] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (one.confidence, one.conversation.as_deref()),
        (Some(0.31), Some(PHONE))
    );
    let intent = Label::Intent("car_inquiry".into());
    assert!(
        crm.label(&one.id, Some(&intent), "Anna", at(NOON))
            .await
            .unwrap()
    );
    assert!(
        !crm.label("q_none", Some(&intent), "Anna", at(NOON))
            .await
            .unwrap()
    );
    assert!(crm.questions(open, None, 10).await.unwrap().0.is_empty());
    assert_eq!(crm.labels().await.unwrap()[0].label, Some(intent));
    let new = Label::NewFact("occasions".into(), "Ja, volop.".into());
    crm.label(&one.id, Some(&new), "Anna", at(NOON))
        .await
        .unwrap();
    assert_eq!(
        crm.question(&one.id).await.unwrap().unwrap().label,
        Some(new)
    );
    crm.label(&one.id, None, "Anna", at(NOON)).await.unwrap();
    assert!(crm.labels().await.unwrap().is_empty());
    crm.erase(&[contact], false).await.unwrap();
    assert_eq!(crm.question(&one.id).await.unwrap(), None);
    let names = DomainNames {
        intents: vec!["car_inquiry".into()],
        ..DomainNames::default()
    };
    assert_eq!(crm.domain().await.unwrap(), None);
    for _ in 0..2 {
        crm.tell_domain(&names, at(NOON)).await.unwrap();
    }
    assert_eq!(crm.domain().await.unwrap(), Some(names));
}

async fn who_was_told_is_shown_with_what_failed(database: &Database) {
    let (crm, noon) = (&database.crm, at(NOON));
    crm.tell_test("Anna", noon).await.unwrap();
    let later = noon.checked_add(SignedDuration::from_secs(1)).unwrap();
    crm.tell_test("Anna", later).await.unwrap();
    let channels = |kind: Kind| match kind {
        Kind::Test => vec!["mail"],
        _ => vec!["mail", "webhook"],
    };
    crm.dispatch(channels, true, later).await.unwrap();
    let claimed = crm
        .claim(&["mail", "webhook"], "w", 10, later)
        .await
        .unwrap();
    assert_eq!(
        claimed.len(),
        4,
        "both tests, and the hand-over on both channels"
    );
    for one in &claimed {
        let settled = match one.channel.as_str() {
            "mail" => Settled::Sent,
            _ => Settled::Failed {
                error: "500".into(),
            },
        };
        crm.settle(one, "w", &settled, later).await.unwrap();
    }
    let (all, _) = crm.attempts(false, None, 10).await.unwrap();
    assert_eq!(all.len(), 3);
    let (failing, _) = crm.attempts(true, None, 10).await.unwrap();
    assert_eq!(failing.len(), 1, "{failing:?}");
    assert_eq!(failing[0].sends[1].error.as_deref(), Some("500"));
    let row = crm.open_handover(PHONE).await.unwrap().unwrap();
    let id = row[0].1.as_str().unwrap();
    let told = crm.told_of(&[id, "h_none"]).await.unwrap();
    let told: Vec<_> = told[id]
        .iter()
        .map(|one| (one.channel.as_str(), one.status.as_str()))
        .collect();
    assert_eq!(told, [("mail", "sent"), ("webhook", "failed")]);
}

async fn an_act_outlives_the_person_it_was_about_without_naming_them(database: &Database) {
    let crm = &database.crm;
    let contact = crm.contact_of(PHONE).await.unwrap().unwrap();
    let act = NewAct {
        at: at(NOON),
        by: "Anna",
        via: "page",
        act: "handover.take",
        subject: Some("h_1"),
        note: Some("Sanne bellen"),
        contact: Some(&contact.id),
    };
    crm.note_act(act).await.unwrap();
    let machine = NewAct {
        act: "letters.replay",
        contact: None,
        ..act
    };
    crm.note_act(machine).await.unwrap();
    assert_eq!(crm.acts(10).await.unwrap().len(), 2);
    crm.erase(&[contact.id], false).await.unwrap();
    let acts = crm.acts(10).await.unwrap();
    let took = acts.iter().find(|one| one.act == "handover.take").unwrap();
    assert_eq!((&took.subject, &took.note), (&None, &None));
    let replayed = acts.iter().find(|one| one.act == "letters.replay").unwrap();
    assert_eq!(
        replayed.note.as_deref(),
        Some("Sanne bellen"),
        "it was about nobody"
    );
}

async fn all(database: &Database) {
    sessions_end_when_idle_and_after_a_week(database).await;
    programs_are_known_by_their_token(database).await;
    lists_are_filtered_and_paged_from_the_newest(database).await;
    who_was_told_is_shown_with_what_failed(database).await;
    an_act_outlives_the_person_it_was_about_without_naming_them(database).await;
    words_are_labelled_and_labels_go_with_the_person(database).await;
    many_are_found_by_what_they_have_in_common(database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite:{}?mode=rwc",
        folder.path().join("crm.sqlite").display()
    );
    all(&Database::open(url).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_on_postgresql() {
    let server = PostgresServer::start();
    all(&Database::open(server.url()).await).await;
}
