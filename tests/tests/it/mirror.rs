//! Conversations of other channels in Chatwoot's API inbox, through all services: what is shown there, and
//! what colleagues answer.

use std::time::Duration;

use e2e_tests::{Role, Settings, System, SystemBuilder};
use serde_json::{Value, json};
use streams::Queue;
use test_support::eventually_within;

use crate::support::{CUSTOMER, worker};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const TWILIO: &str = "whatsapp:+31612345678";

/// All services, with an inbox beside the channels.
pub(crate) async fn mirrored_system() -> System {
    let mut system = SystemBuilder::new(Settings::default()).prepare();
    connect_mirror(&mut system);
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    system.simulator().deliver(&[], 0).await;
    system
}

/// The same, where the inbox is compared with what came, again and again.
pub(crate) async fn looking_system() -> System {
    let mut system = SystemBuilder::new(Settings::default()).prepare();
    connect_mirror(&mut system);
    let looking = [
        ("CHATWOOT_READ_TOKEN", "fake-chatwoot-user-token"),
        ("INGRESS_RECONCILE_INTERVAL_SECS", "1"),
        ("INGRESS_RECONCILE_SETTLE_SECS", "1"),
        // Without its number Twilio is not asked.
        ("TWILIO_WHATSAPP_NUMBER", ""),
    ];
    let looking = looking.map(|(name, value)| (name.to_owned(), value.to_owned()));
    system.service(Role::Ingress, 0).set(looking);
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    system.simulator().deliver(&[], 0).await;
    system
}

/// Sets what the services need for the inbox.
pub(crate) fn connect_mirror(system: &mut System) {
    system.connect_every_provider();
    for role in [Role::Ingress, Role::Worker, Role::Egress] {
        let settings = [
            ("CHATWOOT_MIRROR_INBOX_ID", "2"),
            ("CHATWOOT_MIRROR_USER_TOKEN", "fake-chatwoot-user-token"),
            (
                "CHATWOOT_WEBHOOK_SECRET",
                "fake-chatwoot-secret,fake-mirror-secret",
            ),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        system.service(role, 0).set(settings);
    }
}

/// The inbox's conversation with this address.
pub(crate) async fn shown(system: &System, conversation: &str) -> Value {
    let inbox = system.simulator().inbox().await;
    let all = inbox["conversations"].as_array().unwrap();
    let own = all.iter().find(|one| one["source_id"] == conversation);
    own.cloned().unwrap_or(Value::Null)
}

/// Who said what there, oldest first, without notes.
pub(crate) async fn said(system: &System, conversation: &str) -> Vec<(String, String)> {
    let shown = shown(system, conversation).await;
    let messages = shown["messages"].as_array().cloned().unwrap_or_default();
    let public = messages.iter().filter(|one| one["private"] == false);
    public
        .map(|one| {
            let by = match (&one["message_type"], one["sender"]["type"].as_str()) {
                (Value::Number(kind), _) if kind.as_u64() == Some(0) => "customer",
                (_, Some("agent_bot")) => "bot",
                _ => "colleague",
            };
            (by.to_owned(), one["content"].as_str().unwrap().to_owned())
        })
        .collect()
}

pub(crate) async fn write(system: &System, provider: &str, from: &str, text: &str) {
    let message = json!({"provider": provider, "from": from, "name": "Jan", "text": text});
    let answer = system.simulator().write(message).await;
    assert_eq!(answer["status"], 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_on_every_channel_is_shown_in_order() {
    let system = mirrored_system().await;
    for text in [
        "Ik zoek een Golf",
        "Benzine",
        "Ik wil een medewerker spreken",
    ] {
        write(&system, "twilio", CUSTOMER, text).await;
        write(&system, "waha", "+31687654321", text).await;
        write(&system, "chatwoot", "+31611111111", text).await;
        system.until_idle(PATIENCE).await;
    }
    for (conversation, customer) in [
        (TWILIO, CUSTOMER),
        ("waha:default:31687654321@c.us", "+31687654321"),
    ] {
        let arrivals = system.simulator().arrivals().await;
        let answers = arrivals.into_iter().filter(|one| one.customer == customer);
        let answers: Vec<String> = answers.map(|one| one.text).collect();
        let said = said(&system, conversation).await;
        let by: Vec<&str> = said.iter().map(|(by, _)| by.as_str()).collect();
        assert_eq!(
            by,
            ["customer", "bot", "customer", "bot", "customer", "bot"]
        );
        let bot = said.iter().filter(|(by, _)| by == "bot");
        assert_eq!(
            bot.map(|(_, text)| text.clone()).collect::<Vec<_>>(),
            answers
        );
        let shown = shown(&system, conversation).await;
        assert_eq!(
            (&shown["status"], &shown["priority"]),
            (&json!("open"), &json!("high"))
        );
        let note = &shown["messages"].as_array().unwrap().last().unwrap();
        assert_eq!(note["private"], true, "{note}");
    }
    // What Chatwoot has itself is not shown once more.
    let inbox = system.simulator().inbox().await;
    assert_eq!(inbox["conversations"].as_array().unwrap().len(), 2);
    // She takes it there, and gives it back by a command.
    let taken = json!({"to": CUSTOMER, "assignee": "Petra", "name": "Petra"});
    system.simulator().in_inbox("hand", taken).await;
    eventually_within(PATIENCE, async || {
        match worker(&system, &["release", CUSTOMER]) {
            (true, words) if !words.contains("nothing was done") => Ok(()),
            (_, words) => Err(words),
        }
    })
    .await;
    system.until_idle(PATIENCE).await;
    let shown = shown(&system, TWILIO).await;
    assert_eq!(
        (&shown["status"], &shown["assignee"]),
        (&json!("pending"), &Value::Null)
    );
}

/// Chatwoot is away in every way, and egress is killed in between: customers notice nothing, and what they
/// wrote is shown later, in order and once.
#[tokio::test(flavor = "multi_thread")]
async fn while_chatwoot_is_away_nobody_waits_and_later_everything_is_shown_once() {
    const CUSTOMERS: usize = 20;
    const ROUNDS: usize = 5;
    let mut system = mirrored_system().await;
    let simulator = system.simulator();
    for (skip, kind) in ["timeout", "reset", "server_error", "redirect", "empty_body"]
        .into_iter()
        .enumerate()
    {
        let fault = json!({"endpoint": "mirror", "skip": skip, "probability": 0.7,
            "seed": skip, "fault": {"kind": kind}});
        simulator.misbehave(fault).await;
    }
    let from = |customer: usize| format!("+3161200{customer:04}");
    for round in 0..ROUNDS {
        let messages: Vec<Value> = (0..CUSTOMERS)
            .map(|n| json!({"from": from(n), "text": format!("Vraag {round} van {n}")}))
            .collect();
        simulator.write_at_once(&messages, 8).await;
        if round == 2 {
            system.service(Role::Egress, 0).kill();
            system.start(Role::Egress).await;
        }
    }
    let client = system.client();
    let waiting = async |queue| client.backlog(queue, 0).await.unwrap().entries;
    eventually_within(PATIENCE, async || {
        let left = waiting(Queue::Inbound).await + waiting(Queue::Outbound).await;
        if left == 0 { Ok(()) } else { Err(left) }
    })
    .await;
    assert!(waiting(Queue::Mirror).await > 0, "Chatwoot was not away");
    system.simulator().behave().await;
    system.until_idle(PATIENCE).await;
    for customer in 0..CUSTOMERS {
        let said = said(&system, &format!("whatsapp:{}", from(customer))).await;
        let theirs = said.iter().filter(|(by, _)| by == "customer");
        let theirs: Vec<String> = theirs.map(|(_, text)| text.clone()).collect();
        let expected = (0..ROUNDS).map(|round| format!("Vraag {round} van {customer}"));
        assert_eq!(theirs, expected.collect::<Vec<_>>());
        let ours = said.iter().filter(|(by, _)| by == "bot");
        let ours: Vec<String> = ours.map(|(_, text)| text.clone()).collect();
        assert_eq!(ours, texts_to(&system, &from(customer)).await);
        assert!(ours.len() > 1, "{ours:?}");
    }
}

/// What is forgotten of a person is also where they are shown; what Chatwoot has stays there.
#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_shown_no_more_of() {
    let system = mirrored_system().await;
    write(&system, "twilio", CUSTOMER, "Ik zoek een Golf").await;
    system.until_idle(PATIENCE).await;
    let client = system.client();
    let partition = client.partitions().partition_of(TWILIO);
    let key = client.keys().of(partition).mirror(TWILIO);
    assert!(!client.hash(&key).await.unwrap().is_empty());
    let (done, words) = worker(&system, &["erase", CUSTOMER]);
    assert!(done, "{words}");
    assert!(client.hash(&key).await.unwrap().is_empty());
    assert_eq!(said(&system, TWILIO).await.len(), 2);
}

/// What becomes of a colleague's message in the inbox.
async fn until_status(system: &System, conversation: &str, text: &str, status: &str) -> Value {
    eventually_within(PATIENCE, async || {
        let shown = shown(system, conversation).await;
        let messages = shown["messages"].as_array().cloned().unwrap_or_default();
        let mut found = messages.into_iter().filter(|one| one["content"] == text);
        match found.next_back() {
            Some(one) if one["status"] == status => Ok(one),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

pub(crate) async fn texts_to(system: &System, customer: &str) -> Vec<String> {
    let arrivals = system.simulator().arrivals().await;
    let theirs = arrivals.into_iter().filter(|one| one.customer == customer);
    theirs.map(|one| one.text).collect()
}

/// She answers in the inbox: the customer gets it, the bot is silent, her words are in the history, the ticks
/// come back; she gives it back, and the bot answers again.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_answers_in_the_inbox_and_gives_the_conversation_back() {
    let system = mirrored_system().await;
    for (provider, conversation, customer) in [
        ("twilio", TWILIO, CUSTOMER),
        ("waha", "waha:default:31687654321@c.us", "+31687654321"),
    ] {
        let simulator = system.simulator();
        write(&system, provider, customer, "Ik zoek een Golf").await;
        system.until_idle(PATIENCE).await;
        simulator.deliver(&["sent", "delivered", "read"], 20).await;
        // The event overtakes whatever is answered, and comes twice.
        simulator
            .misbehave(json!({"endpoint": "event", "fault": {"kind": "event_twice"}}))
            .await;
        let words = "Kom morgen om tien uur, de koffie staat klaar";
        let answer = json!({"to": conversation, "text": words, "name": "Petra"});
        simulator.in_inbox("write", answer).await;
        until_status(&system, conversation, words, "read").await;
        system.until_idle(PATIENCE).await;
        simulator.behave().await;
        simulator.deliver(&[], 0).await;
        let texts = texts_to(&system, customer).await;
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert_eq!(texts[1], words);
        let shown = shown(&system, conversation).await;
        assert_eq!(
            (&shown["status"], &shown["assignee"]["name"]),
            (&json!("open"), &json!("Petra"))
        );
        assert!(
            said(&system, conversation)
                .await
                .iter()
                .all(|(by, text)| by == "colleague" || text != words)
        );

        write(&system, provider, customer, "Heeft u een automaat?").await;
        system.until_idle(PATIENCE).await;
        assert_eq!(texts_to(&system, customer).await.len(), 2);
        let client = system.client();
        let partition = client.partitions().partition_of(conversation);
        let history = client.keys().of(partition).history(conversation);
        let lines = client.list_end(&history, 10).await.unwrap();
        let hers = lines.iter().filter(|line| line.contains(words));
        let hers: Vec<&String> = hers.collect();
        assert_eq!(hers.len(), 1);
        assert!(hers[0].contains(r#""role":"colleague""#), "{hers:?}");

        let resolve = json!({"to": conversation, "status": "resolved", "name": "Petra"});
        simulator.in_inbox("hand", resolve).await;
        system.until_idle(PATIENCE).await;
        eventually_within(PATIENCE, async || {
            let (_, list) = worker(&system, &["handovers", "list", "--json"]);
            if list.contains("answered") {
                Err(list)
            } else {
                Ok(())
            }
        })
        .await;
        write(&system, provider, customer, "Heeft u een automaat?").await;
        system.until_idle(PATIENCE).await;
        assert_eq!(texts_to(&system, customer).await.len(), 3);
        assert_eq!(
            self::shown(&system, conversation).await["status"],
            "pending"
        );
    }
    let inbox = system.simulator().inbox().await.to_string();
    assert!(
        !inbox.contains("from the webhook"),
        "a webhook was refused: {inbox}"
    );
}

/// What does not leave says so in words; "retry" sends it, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_failed_is_sent_again_when_she_presses_retry() {
    let system = mirrored_system().await;
    let simulator = system.simulator();
    write(&system, "twilio", CUSTOMER, "Ik zoek een Golf").await;
    system.until_idle(PATIENCE).await;
    let refuse = json!({"provider": "twilio", "endpoint": "send", "times": 1,
        "fault": {"kind": "error", "status": 400, "code": 21211, "message": "Invalid 'To'"}});
    simulator.misbehave(refuse).await;
    let words = "Ik bel u zo";
    simulator
        .in_inbox("write", json!({"to": CUSTOMER, "text": words}))
        .await;
    let failed = until_status(&system, TWILIO, words, "failed").await;
    let error = failed["content_attributes"]["external_error"]
        .as_str()
        .unwrap();
    assert!(error.contains("21211"), "{error}");
    let message = failed["id"].as_u64().unwrap();
    for _ in 0..2 {
        simulator
            .in_inbox("retry", json!({ "message": message }))
            .await;
    }
    until_status(&system, TWILIO, words, "sent").await;
    system.until_idle(PATIENCE).await;
    let again = texts_to(&system, CUSTOMER).await;
    assert_eq!(again.iter().filter(|text| *text == words).count(), 1);

    // Files are refused in words, and take the conversation over all the same.
    let file = json!({"to": CUSTOMER, "by": "file", "text": "zie foto"});
    simulator.in_inbox("write", file).await;
    until_status(&system, TWILIO, "zie foto", "failed").await;
    // After an erasure nothing leaves any more.
    let (done, said) = worker(&system, &["erase", CUSTOMER]);
    assert!(done, "{said}");
    simulator
        .in_inbox("write", json!({"to": CUSTOMER, "text": "Bent u daar?"}))
        .await;
    until_status(&system, TWILIO, "Bent u daar?", "failed").await;
    system.until_idle(PATIENCE).await;
    assert!(
        !texts_to(&system, CUSTOMER)
            .await
            .contains(&"Bent u daar?".to_owned())
    );
}

/// Two at once, and one who takes and gives back within a second: both are heard, nobody is talked over.
#[tokio::test(flavor = "multi_thread")]
async fn two_colleagues_at_once_are_both_heard() {
    let system = mirrored_system().await;
    let simulator = system.simulator();
    write(&system, "twilio", CUSTOMER, "Ik zoek een Golf").await;
    system.until_idle(PATIENCE).await;
    let says = |name: &str, text: &str| {
        let body = json!({"to": CUSTOMER, "text": text, "name": name});
        simulator.in_inbox("write", body)
    };
    tokio::join!(says("Petra", "Ik kijk even"), says("Anna", "Ik ook"));
    until_status(&system, TWILIO, "Ik kijk even", "sent").await;
    until_status(&system, TWILIO, "Ik ook", "sent").await;
    system.until_idle(PATIENCE).await;
    assert_eq!(texts_to(&system, CUSTOMER).await.len(), 3);

    says("Petra", "Tot zo").await;
    let resolve = json!({"to": CUSTOMER, "status": "resolved", "name": "Petra"});
    simulator.in_inbox("hand", resolve).await;
    until_status(&system, TWILIO, "Tot zo", "sent").await;
    system.until_idle(PATIENCE).await;
    // What she did last stands.
    assert_eq!(shown(&system, TWILIO).await["status"], "resolved");
}

/// Events that never came are found in the inbox itself, once; and nothing goes round.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_event_was_lost_is_found_and_nothing_goes_round() {
    let mut system = looking_system().await;
    let simulator = system.simulator();
    simulator.deliver(&["sent", "delivered"], 10).await;
    write(&system, "twilio", CUSTOMER, "Ik zoek een Golf").await;
    system.until_idle(PATIENCE).await;
    for (text, lost) in [("Een", true), ("Twee", false), ("Drie", true)] {
        let answer = json!({"to": CUSTOMER, "text": text, "lost": lost});
        simulator.in_inbox("write", answer).await;
    }
    for text in ["Een", "Twee", "Drie"] {
        until_status(&system, TWILIO, text, "delivered").await;
    }
    system.until_idle(PATIENCE).await;
    let before = (
        texts_to(&system, CUSTOMER).await,
        said(&system, TWILIO).await,
    );
    assert_eq!(before.0.len(), 4, "{before:?}");
    assert_eq!(before.1.len(), 5, "{before:?}");
    // Several comparisons later all is as it was.
    let compared = async |system: &mut System| {
        let url = format!("{}/metrics", system.service(Role::Ingress, 0).url());
        let page = reqwest::get(url).await.unwrap().text().await.unwrap();
        let runs = page
            .lines()
            .filter(|line| line.starts_with("postduif_reconcile_runs_total{"));
        let of_inbox = runs.filter(|line| line.contains("colleagues") && line.contains("complete"));
        of_inbox
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum::<f64>()
    };
    let so_far = compared(&mut system).await;
    eventually_within(PATIENCE, async || match compared(&mut system).await {
        enough if enough >= so_far + 3.0 => Ok(()),
        few => Err(few),
    })
    .await;
    system.until_idle(PATIENCE).await;
    let after = (
        texts_to(&system, CUSTOMER).await,
        said(&system, TWILIO).await,
    );
    assert_eq!(after, before);
}
