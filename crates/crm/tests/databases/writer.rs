//! Writes of many turns at once, on SQLite and on PostgreSQL.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crm::{Crm, CrmMetrics, CrmWrite};
use futures_util::future::join_all;
use runtime::metrics::Metrics;
use secrecy::SecretString;
use test_support::{PostgresServer, eventually};

use crate::database::{Database, write};

/// What somebody else writes who has this number.
fn of(number: usize, message: &str) -> CrmWrite {
    let mut write = write(message, "2026-11-23T09:00:00Z");
    let phone = format!("+3161{number:07}");
    write.contact.addresses = vec![format!("whatsapp:{phone}"), format!("tel:{phone}")];
    let lead = write.lead.as_mut().unwrap();
    lead.conversation = format!("whatsapp:{phone}");
    write
}

/// How many transactions there were, and how many writes went into them.
fn transactions(metrics: &Metrics) -> (f64, f64) {
    let page = metrics.page().unwrap();
    let value = |name: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    };
    (
        value("postduif_crm_transaction_writes_count"),
        value("postduif_crm_transaction_writes_sum"),
    )
}

async fn many_at_once_make_few_transactions(url: &str) {
    const WRITES: usize = 300;
    let mut metrics = Metrics::new("worker", "test").unwrap();
    let counters = CrmMetrics::new(&mut metrics).unwrap();
    let crm = Crm::counted(&SecretString::from(url), &counters).unwrap();
    let writes: Vec<_> = (0..WRITES).map(|n| of(n, &format!("M{n}"))).collect();
    for noted in join_all(writes.iter().map(|write| crm.apply(write))).await {
        let noted = noted.unwrap();
        assert!(noted.contact_created && noted.lead_created);
    }
    let (count, sum) = transactions(&metrics);
    assert!(count <= 30.0, "{count} transactions");
    assert!((sum - 300.0).abs() < 0.5, "{sum} writes");
}

async fn what_is_refused_fails_alone(database: &Database) {
    let before = database.count("contacts").await;
    let writes: Vec<_> = (1000..1100).map(|n| of(n, &format!("R{n}"))).collect();
    let refused = |n: &usize| [17, 18, 63].contains(n);
    let writes: Vec<_> = writes
        .into_iter()
        .enumerate()
        .map(|(n, mut write)| {
            if refused(&n) {
                write.contact.name = Some("refused".into());
            }
            write
        })
        .collect();
    let noted = join_all(writes.iter().map(|write| database.crm.apply(write))).await;
    for (n, noted) in noted.into_iter().enumerate() {
        match noted {
            Ok(noted) => assert!(noted.contact_created && !refused(&n), "{n}"),
            Err(error) => assert!(error.is_refusal() && refused(&n), "{n}: {error}"),
        }
    }
    assert_eq!(database.count("contacts").await, before + 97);
}

/// They are written one after the other, whatever they are written with.
async fn one_person_who_writes_at_once_is_one_contact(database: &Database) {
    let contacts = database.count("contacts").await;
    let leads = database.count("leads").await;
    let mut writes: Vec<_> = (0..20).map(|n| of(2000, &format!("P{n}"))).collect();
    for (n, write) in writes.iter_mut().enumerate() {
        // Every other one comes over another channel, and shows the same number.
        if n % 2 == 1 {
            write.contact.addresses[0] = format!("{n}@lid");
        }
    }
    let noted = join_all(writes.iter().map(|write| database.crm.apply(write))).await;
    let noted: Vec<_> = noted.into_iter().map(Result::unwrap).collect();
    let count = |is: fn(&crm::Noted) -> bool| noted.iter().filter(|one| is(one)).count();
    assert_eq!(count(|one| one.contact_created), 1);
    assert_eq!(count(|one| one.lead_created), 1);
    assert_eq!(database.count("contacts").await, contacts + 1);
    assert_eq!(database.count("leads").await, leads + 1);
}

async fn what_one_message_says_twice_is_noted_once(database: &Database) {
    let mut write = of(3000, "T1");
    let lead = write.lead.as_mut().unwrap();
    let mut again = lead.fields[0].clone();
    again.value = "later".into();
    lead.fields.push(again);
    write.contact.also = vec!["chatwoot:1:9".into(), "chatwoot:1:9".into()];
    database.crm.apply(&write).await.unwrap();
    let value = "SELECT value FROM lead_fields WHERE message_id = 'twilio:T1'";
    assert_eq!(database.text(value).await.as_deref(), Some("later"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_at_once_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("crm.sqlite").display());
    let database = Database::open(format!("{url}?mode=rwc")).await;
    many_at_once_make_few_transactions(&url).await;
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON contacts WHEN NEW.name = 'refused' \
                  BEGIN SELECT RAISE(ABORT, 'refused'); END";
    database.run(refuse).await;
    what_is_refused_fails_alone(&database).await;
    one_person_who_writes_at_once_is_one_contact(&database).await;
    what_one_message_says_twice_is_noted_once(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_at_once_on_postgresql() {
    let mut server = PostgresServer::start();
    let database = Database::open(server.url()).await;
    many_at_once_make_few_transactions(&server.url()).await;
    let refuse = "ALTER TABLE contacts ADD CONSTRAINT refuse CHECK (name <> 'refused')";
    database.run(refuse).await;
    what_is_refused_fails_alone(&database).await;
    one_person_who_writes_at_once_is_one_contact(&database).await;
    what_one_message_says_twice_is_noted_once(&database).await;

    server.kill();
    assert!(database.crm.apply(&of(4000, "K1")).await.is_err());
    server.restart();
    eventually(async || database.crm.ping().await.map_err(|error| error.to_string())).await;
    let noted = database.crm.apply(&of(4000, "K1")).await.unwrap();
    assert!(
        noted.contact_created,
        "the connection that was open is gone"
    );
}

/// Two processes write into one file; one of them is killed, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_the_process() {
    const URL: &str = "CRM_WRITER_URL";
    const FIRST: &str = "CRM_WRITER_FIRST";
    #[expect(clippy::disallowed_methods, reason = "the test starts itself")]
    let told = std::env::var(URL).ok().zip(std::env::var(FIRST).ok());
    if let Some((url, first)) = told {
        return write_for_ever(&url, first.parse().unwrap()).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("crm.sqlite").display());
    let database = Database::open(format!("{url}?mode=rwc")).await;
    let start = |first: usize| {
        let test = "writer::what_was_answered_survives_the_process";
        let mut process = Command::new(std::env::current_exe().unwrap());
        let process = process.args(["--exact", test, "--nocapture"]);
        let process = process.env(URL, &url).env(FIRST, first.to_string());
        process.stdout(Stdio::piped()).spawn().unwrap()
    };
    let stays = start(1_000_000);
    let mut answered = Vec::new();
    for round in 0..5 {
        answered.extend(answers_until_killed(start(round * 10_000), 150));
    }
    answered.extend(answers_until_killed(stays, 150));
    for message in &answered {
        let found = format!("SELECT COUNT(*) FROM lead_fields WHERE message_id = '{message}'");
        assert_eq!(database.number(found).await, 1, "{message}");
    }
    assert!(answered.len() >= 900, "{}", answered.len());
}

/// What a process says that it wrote, until it is killed after so many.
fn answers_until_killed(mut process: Child, after: usize) -> Vec<String> {
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut answered = Vec::new();
    for line in lines.map_while(Result::ok) {
        if let Some((_, message)) = line.split_once("wrote ") {
            answered.push(message.to_owned());
        }
        if answered.len() == after {
            process.kill().unwrap();
        }
    }
    process.wait().unwrap();
    answered
}

async fn write_for_ever(url: &str, first: usize) {
    let crm = Crm::new(&SecretString::from(url)).unwrap();
    for number in (first..).step_by(20) {
        let writes: Vec<_> = (number..number + 20)
            .map(|n| of(n, &format!("D{n}")))
            .collect();
        let written = writes.iter().map(async |write| {
            crm.apply(write).await.unwrap();
            println!("wrote {}", write.message);
        });
        join_all(written).await;
    }
}

/// What turns wrote reaches the database's own file while its log is short: no commit had to copy it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_sqlite_is_copied_beside_the_turns() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.sqlite");
    let database = Database::open(format!("sqlite:{}?mode=rwc", file.display())).await;
    let size = || std::fs::metadata(&file).unwrap().len();
    let before = size();
    for n in 0..100 {
        database.crm.apply(&of(n, &format!("L{n}"))).await.unwrap();
    }
    eventually(async || match size() > before {
        true => Ok(()),
        false => Err("all of it is in the log"),
    })
    .await;
}
