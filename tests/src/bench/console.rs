//! How long each page of the console takes when a million messages and a hundred thousand conversations are known.

use std::ops::Range;
use std::time::{Duration, Instant};

use crm::console::NewAct;
use crm::{
    AppointmentWrite, ByHand, ContactWrite, Crm, CrmWrite, HandoverWrite, LeadField, LeadWrite,
    Matter, QuestionWrite, Status, Unclear,
};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::json;
use streams::Redis;
use test_support::{RedisServer, redis};

use super::figures::{Figures, quantile};
use super::shape::Shape;
use crate::Role;

/// Messages of each conversation that Redis remembers.
const MESSAGES: u32 = 10;
const AT_ONCE: u32 = 500;
/// One conversation in so many was handed over; the last hand-overs are still open.
const HANDED_OVER: u32 = 50;
const OPEN: u32 = 30;
const WARM_UP: u32 = 20;
const COUNTED: u32 = 200;
/// What a page may take, p95.
const WANTED_MS: f64 = 50.0;

/// Fills Redis and the CRM with so many conversations, and asks for each page again and again.
pub async fn measure_console(shape: &Shape, conversations: u32) -> Figures {
    let mut measured = shape.prepare(Shape::settings());
    let database = measured.crm_url();
    let system = &mut measured.system;
    let url = [("CRM_DATABASE_URL".to_owned(), database.clone())];
    system.service(Role::Console, 0).set(url);
    let client = system.client();
    let claimed = client.claim_layout().await.expect("Redis answers");
    claimed.expect("an empty Redis");
    let began = Instant::now();
    remember(&client, system.redis.server(), conversations);
    let crm = Crm::new(&SecretString::from(database)).expect("a database");
    crm.migrate().await.expect("a database that answers");
    note(&crm, conversations).await;
    let filled = began.elapsed();
    system.start(Role::Console).await;
    let name = format!(
        "Pages of the console, {conversations} conversations, {} messages, {}; filled in {} s",
        conversations * MESSAGES,
        shape.name(),
        filled.as_secs()
    );
    let mut figures = Figures::new(name);
    let url = system.service(Role::Console, 0).url();
    let http = reqwest::Client::builder().no_proxy().build();
    let http = http.expect("an HTTP client");
    let mut slowest: f64 = 0.0;
    for (page, address) in PAGES {
        let mut times = Vec::new();
        for number in 0..WARM_UP + COUNTED {
            let one = number * 7_919 % conversations;
            let path = address
                .replace(
                    "{conversation}",
                    &id(one).replace(':', "%3A").replace('+', "%2B"),
                )
                .replace("{number}", &format!("{one:07}"));
            let took = ask(&http, &format!("{url}{path}")).await;
            if number >= WARM_UP {
                times.push(took.as_secs_f64() * 1_000.0);
            }
        }
        let p95 = quantile(&mut times, 0.95);
        slowest = slowest.max(p95);
        figures.add(format!("{page}, p50"), quantile(&mut times, 0.5), "ms");
        figures.add(format!("{page}, p95"), p95, "ms");
    }
    figures.add("the slowest page's p95", slowest, "ms");
    if slowest > WANTED_MS {
        figures.heading += &format!("; A PAGE TAKES MORE THAN {WANTED_MS} ms");
    }
    figures
}

/// What is asked for. A search is for another customer each time.
const PAGES: [(&str, &str); 19] = [
    ("waiting", "/"),
    ("a conversation", "/conversations/{conversation}"),
    ("conversations", "/conversations"),
    (
        "conversations by name",
        "/conversations?search=klant+{number}",
    ),
    (
        "conversations by number",
        "/conversations?search=06-1{number}",
    ),
    (
        "conversations, nobody found",
        "/conversations?search=nobody+is+called+so",
    ),
    ("leads", "/leads"),
    ("leads, all", "/leads?status=all"),
    ("leads by name", "/leads?status=all&search=klant+{number}"),
    ("leads of somebody", "/leads?status=all&owner=Anna"),
    ("leads, none found", "/leads?status=won&owner=Nobody"),
    ("appointments", "/appointments"),
    (
        "appointments by name",
        "/appointments?search=klant+{number}",
    ),
    ("notices", "/notices"),
    ("notices that failed", "/notices?show=failing"),
    ("dead letters", "/letters"),
    ("open questions", "/understanding?of=question"),
    ("overview", "/overview"),
    ("who did what", "/acts"),
];

async fn ask(http: &reqwest::Client, url: &str) -> Duration {
    let began = Instant::now();
    let answer = http.get(url).send().await.expect("the console answers");
    assert!(answer.status().is_success(), "{url}: {}", answer.status());
    answer.bytes().await.expect("a whole page");
    began.elapsed()
}

fn phone(number: u32) -> String {
    format!("+3161{number:07}")
}

fn id(number: u32) -> String {
    format!("whatsapp:{}", phone(number))
}

/// What the worker remembers of each conversation.
fn remember(client: &Redis, server: &RedisServer, conversations: u32) {
    let mut connection = server.connection();
    let now = Timestamp::now();
    for start in (0..conversations).step_by(AT_ONCE as usize) {
        let mut pipeline = redis::pipe();
        for number in start..conversations.min(start + AT_ONCE) {
            let id = id(number);
            let keys = client.keys().of(client.partitions().partition_of(&id));
            let lines: Vec<String> = (0..MESSAGES).map(|line| said(now, number, line)).collect();
            pipeline.rpush(keys.history(&id), lines).ignore();
            let kept = [
                ("ver", MESSAGES.to_string()),
                ("last_in", now.as_millisecond().to_string()),
            ];
            pipeline
                .hset_multiple(keys.conversation(&id), &kept)
                .ignore();
        }
        pipeline.exec(&mut connection).expect("Redis takes it");
    }
}

fn said(now: Timestamp, number: u32, line: u32) -> String {
    let role = if line.is_multiple_of(2) {
        "customer"
    } else {
        "bot"
    };
    let ago = SignedDuration::from_secs(i64::from(number + (MESSAGES - line) * 60));
    let text = format!(
        "Ik zoek een Volkswagen Golf, liefst automaat, en kan zaterdag komen kijken ({line})"
    );
    json!({"role": role, "text": text, "at": now.checked_sub(ago).unwrap_or(now)}).to_string()
}

/// What the worker notes in the CRM.
async fn note(crm: &Crm, conversations: u32) {
    for start in (0..conversations).step_by(AT_ONCE as usize) {
        let batch: Range<u32> = start..conversations.min(start + AT_ONCE);
        let writes = batch.map(|number| async move {
            let write = write(number, conversations);
            crm.apply(&write).await.expect("the CRM takes it");
        });
        join_all(writes).await;
    }
    // All but the last hand-overs are over, and half of the leads are somebody's.
    let handed_over = (0..conversations).step_by(HANDED_OVER as usize);
    let open = conversations.saturating_sub(OPEN * HANDED_OVER);
    for number in handed_over.take_while(|number| *number < open) {
        let row = crm
            .open_handover(&id(number))
            .await
            .expect("the CRM answers");
        let handover = row
            .as_ref()
            .and_then(|row| row.first())
            .and_then(|(_, id)| id.as_str());
        change(
            crm,
            Matter::Handover,
            handover.expect("a hand-over"),
            Status::Closed,
        )
        .await;
        let contact = crm.contact_of(&id(number)).await.expect("the CRM answers");
        let contact = contact.expect("a contact").id;
        let leads = crm
            .matters_of(Matter::Lead, &contact)
            .await
            .expect("the CRM answers");
        let lead = leads
            .first()
            .and_then(|row| row.first())
            .and_then(|(_, id)| id.as_str());
        let lead = lead.expect("a lead");
        change(crm, Matter::Lead, lead, Status::Taken).await;
        let act = NewAct {
            at: Timestamp::now(),
            by: "Anna",
            via: "page",
            act: "take",
            subject: Some(lead),
            note: None,
            contact: Some(&contact),
        };
        crm.note_act(act).await.expect("the CRM takes it");
    }
}

async fn change(crm: &Crm, matter: Matter, id: &str, to: Status) {
    let by_hand = ByHand {
        matter,
        id,
        to,
        by: "Anna",
        note: None,
        at: Timestamp::now(),
    };
    crm.change(by_hand).await.expect("the CRM takes it");
}

fn write(number: u32, conversations: u32) -> CrmWrite {
    let conversation = id(number);
    let ago = SignedDuration::from_secs(i64::from(conversations - number));
    let now = Timestamp::now();
    let at = now.checked_sub(ago).unwrap_or(now);
    let field = |name: &str, value: &str| LeadField {
        name: name.into(),
        value: value.into(),
        agent: "extraction".into(),
        confidence: 0.9,
    };
    let one_in = |count: u32| number.is_multiple_of(count);
    CrmWrite {
        message: format!("twilio:message:SM{number}"),
        at,
        contact: ContactWrite {
            addresses: vec![conversation.clone(), format!("tel:{}", phone(number))],
            also: Vec::new(),
            name: Some(format!("Klant {number:07}")),
            language: Some("nl".into()),
            wants_messages: None,
        },
        lead: Some(LeadWrite {
            conversation: conversation.clone(),
            intent: "car_inquiry".into(),
            fields: vec![field("car_make", "Volkswagen"), field("car_model", "Golf")],
            complete: one_in(3),
        }),
        withdrawn: None,
        appointments: one_in(5)
            .then(|| AppointmentWrite {
                conversation: conversation.clone(),
                purpose: "test_drive".into(),
                thing: Some("Volkswagen Golf".into()),
                date: Some("2026-12-08".into()),
                time: Some("14:30".into()),
                status: "wanted".into(),
            })
            .into_iter()
            .collect(),
        questions: one_in(10)
            .then(|| QuestionWrite {
                words: "Kan de trekhaak eraf?".into(),
                topic: "other".into(),
                kind: Unclear::Question,
                conversation: Some(conversation.clone()),
                confidence: None,
            })
            .into_iter()
            .collect(),
        handover: one_in(HANDED_OVER).then(|| HandoverWrite {
            conversation,
            opens: true,
            reason: "asked".into(),
            urgent: false,
            last_words: "Kan ik iemand spreken?".into(),
            summary: "Reason: asked".into(),
            promised_at: None,
            answer_by: at.checked_add(SignedDuration::from_hours(1)).unwrap_or(at),
            late_reply: None,
        }),
    }
}
