//! `worker handovers`, `leads` and `appointments` beside a worker that serves.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{Process, RedisServer, eventually, eventually_within, free_port};

/// On a machine with much else to do the service may take long to start.
const PATIENCE: Duration = Duration::from_secs(120);
const CUSTOMER: &str = "whatsapp:+31687654321";

struct Office {
    redis: RedisServer,
    folder: TempDir,
    _worker: Process,
}

impl Office {
    async fn open() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let redis = RedisServer::start();
        let folder = tempfile::tempdir().unwrap();
        let mut serve = command(&redis, &folder, &["serve"]);
        serve.env("PORT", free_port().to_string());
        serve.envs(settings.iter().copied());
        serve.stdout(Stdio::null()).stderr(Stdio::null());
        let worker = Process::start("worker", &mut serve);
        let office = Self {
            redis,
            folder,
            _worker: worker,
        };
        eventually_within(PATIENCE, async || {
            match office.redis.run::<Option<u64>>(&["GET", "partitions"]) {
                Some(1) => Ok(()),
                other => Err(other),
            }
        })
        .await;
        office
    }

    fn worker(&self, words: &[&str]) -> (bool, String) {
        let output = command(&self.redis, &self.folder, words).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// The customer writes; waits until the turn is committed.
    async fn writes(&self, id: &str, name: &str, text: &str) {
        self.wrote(id, name, text, json!({})).await;
    }

    /// The same, with further fields.
    async fn wrote(&self, id: &str, name: &str, text: &str, more: Value) {
        let mut message = json!({
            "id": id, "conversation": {"id": CUSTOMER},
            "sender": {"id": CUSTOMER, "name": name, "phone_number": "+31687654321"},
            "content": text, "message_type": "incoming", "channel": "whatsapp", "source": "twilio",
        });
        for (name, value) in more.as_object().unwrap() {
            message[name] = value.clone();
        }
        let event = format!("twilio:message:{id}");
        self.redis.run::<String>(&[
            "XADD",
            "in:0",
            "*",
            "v",
            "1",
            "kind",
            "message",
            "event",
            &event,
            "conv",
            CUSTOMER,
            "payload",
            &message.to_string(),
        ]);
        let done = format!("done:{event}");
        eventually(async || match self.redis.run::<u64>(&["EXISTS", &done]) {
            1 => Ok(()),
            _ => Err(event.clone()),
        })
        .await;
    }

    fn replies(&self) -> u64 {
        self.redis.run(&["XLEN", "out:0"])
    }

    fn is_with_colleague(&self) -> bool {
        let until: Option<String> =
            self.redis
                .run(&["HGET", &format!("conv:{CUSTOMER}"), "human_until"]);
        until.is_some_and(|until| until != "0")
    }

    /// Waits until one is listed: a CRM that is not ready yet takes the turn a little later.
    async fn only(&self, what: &str) -> Value {
        eventually(async || match self.list(&[what]).as_slice() {
            [only] => Ok(only.clone()),
            other => Err(other.to_vec()),
        })
        .await
    }

    fn list(&self, words: &[&str]) -> Vec<Value> {
        let (listed, said) = self.worker(&[words, &["list", "--json"]].concat());
        assert!(listed, "{said}");
        said.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn command(redis: &RedisServer, folder: &TempDir, words: &[&str]) -> Command {
    let database = folder.path().join("crm.sqlite");
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    command
        .args(words)
        .env_clear()
        .env("USER", "anna")
        .env("REDIS_URL", redis.url())
        .env("REDIS_PARTITIONS", "1")
        .env("CRM_DATABASE_URL", format!("sqlite:{}", database.display()));
    command
}

#[tokio::test]
async fn a_colleague_takes_a_conversation_and_gives_it_back() {
    let office = Office::open().await;
    office
        .writes("SM1", "Sanne", "ik wil graag een medewerker spreken")
        .await;
    let waiting = office.only("handovers").await;
    assert_eq!(waiting["status"], "waiting");
    assert_eq!(waiting["reason"], "asked");
    assert_eq!(waiting["last_words"], "ik wil graag een medewerker spreken");
    assert!(waiting["promised_at"].is_string() && waiting["answer_by"].is_string());
    let id = waiting["id"].as_str().unwrap().to_owned();
    let (_, text) = office.worker(&["handovers", "list"]);
    assert!(
        text.contains(&id) && !text.contains("31687654321"),
        "{text}"
    );

    let (taken, said) = office.worker(&["handovers", "take", &id]);
    assert!(taken, "{said}");
    eventually(async || office.is_with_colleague().then_some(()).ok_or("not taken")).await;
    let before = office.replies();
    office.writes("SM2", "Sanne", "ik zoek een golf").await;
    assert_eq!(office.replies(), before, "the bot is silent");
    let (late, said) = office.worker(&["handovers", "take", &id, "--by", "bob"]);
    assert!(!late && said.contains("by anna"), "{said}");

    let (closed, said) = office.worker(&["handovers", "close", &id, "--note", "gebeld"]);
    assert!(closed, "{said}");
    eventually(async || {
        (!office.is_with_colleague())
            .then_some(())
            .ok_or("not released")
    })
    .await;
    office.writes("SM3", "Sanne", "ik zoek een golf").await;
    assert_eq!(office.replies(), before + 1, "the bot answers");
    assert!(office.list(&["handovers"]).is_empty());
    let (again, said) = office.worker(&["handovers", "take", &id]);
    assert!(!again && said.contains("is closed since"), "{said}");
    let (_, shown) = office.worker(&["handovers", "show", &id]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["changes"][2]["note"], "gebeld");
    let (_, acts) = office.worker(&["acts"]);
    for act in ["taken", "closed"] {
        assert!(acts.contains(&format!("hand-over {id} {act}")), "{acts}");
    }
    let (erased, said) = office.worker(&["erase", "0687654321"]);
    assert!(erased && said.contains("1  CRM hand-overs"), "{said}");
    let (found, said) = office.worker(&["handovers", "close", &id]);
    assert!(!found && said.contains("there is no hand-over"), "{said}");
}

#[tokio::test]
async fn an_export_is_safe_in_a_spreadsheet_and_whole_for_a_program() {
    let office = Office::open().await;
    let name = "=HYPERLINK(\"http://x\",\"klik\")";
    office.writes("SM1", name, "ik zoek een golf").await;
    let id = office.only("leads").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (done, safe) = office.worker(&["leads", "list", "--csv"]);
    assert!(done, "{safe}");
    assert!(safe.starts_with("\u{feff}id,status,created_at,"), "{safe}");
    assert!(
        safe.contains("\"'=HYPERLINK(\"\"http://x\"\",\"\"klik\"\")\""),
        "{safe}"
    );
    assert!(
        safe.ends_with("\r\n") && safe.matches("\r\n").count() == 2,
        "{safe}"
    );
    let (_, raw) = office.worker(&["leads", "list", "--csv=raw", "--separator", ";"]);
    assert!(
        raw.starts_with("id;status;") && raw.contains("tel:+31687654321"),
        "{raw}"
    );
    let (_, acts) = office.worker(&["acts"]);
    assert!(
        acts.contains("anna") && acts.contains("exported leads as CSV (raw)"),
        "{acts}"
    );
    let (no_end, said) = office.worker(&["leads", "close", &id]);
    assert!(!no_end && said.contains("--as"), "{said}");
    let (won, said) = office.worker(&["leads", "close", &id, "--as", "won"]);
    assert!(won, "{said}");
    let (wrong, said) = office.worker(&["leads", "list", "--status", "waiting"]);
    assert!(
        !wrong && said.contains("new, taken, won, dropped"),
        "{said}"
    );
}

/// The customer asks, nobody comes: colleagues are told again, and the customer hears the truth, once.
#[tokio::test]
async fn nobody_answers_in_time_and_the_customer_is_told() {
    let office = Office::with(&[("CHATWOOT_MIRROR_INBOX_ID", "2")]).await;
    office
        .writes("SM1", "Sanne", "ik wil graag een medewerker spreken")
        .await;
    let id = office.only("handovers").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let database = office.folder.path().join("crm.sqlite");
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", database.display());
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    // It depends on the hour at which this runs whether Twilio would take a message by then.
    let reply = json!({
        "id": "ob_late", "source": "twilio", "conversation_id": CUSTOMER, "to": CUSTOMER,
        "text": "Het is helaas nog niet gelukt", "in_reply_to": "SM1",
        "created_at": "2026-11-28T18:00:00Z",
    });
    let update = "UPDATE handovers SET late_reply = $1, answer_by = '2026-11-28T19:00:00.000000Z'";
    sqlx::query(update)
        .bind(reply.to_string())
        .execute(&pool)
        .await
        .unwrap();
    eventually(async || match office.replies() {
        2 => Ok(()),
        other => Err(other),
    })
    .await;
    let shown = office.redis.dump();
    assert!(shown.contains("Het is helaas nog niet gelukt"), "{shown}");
    let left = "SELECT COUNT(*) FROM handovers WHERE late_reply IS NOT NULL";
    eventually(async || {
        let left: i64 = sqlx::query_scalar(left).fetch_one(&pool).await.unwrap();
        if left == 0 { Ok(()) } else { Err(left) }
    })
    .await;
    // The help desk is shown it, under the name of the reply.
    let shown: Vec<(String, Vec<String>)> = office.redis.run(&["XRANGE", "mir:0", "-", "+"]);
    let excuses = shown
        .iter()
        .filter(|(_, fields)| fields.contains(&"mirror:ob_late".into()));
    assert_eq!(excuses.count(), 1, "{shown:?}");
    let (_, told) = office.worker(&["notices", "list"]);
    assert!(told.matches("handover.unanswered").count() == 1, "{told}");
    let (closed, said) = office.worker(&["handovers", "close", &id]);
    assert!(closed, "{said}");
    assert_eq!(office.replies(), 2);
}

/// A colleague's number gets the notice by way of egress, and is no customer.
#[tokio::test]
async fn a_colleague_is_told_on_whatsapp_and_never_answered() {
    let settings = [("NOTICE_WHATSAPP_TO", "+31687654321")];
    let office = Office::with(&settings).await;
    office.writes("SM1", "Anna", "ik zoek een golf").await;
    assert_eq!(office.replies(), 0, "a colleague is not answered");
    assert!(office.list(&["leads"]).is_empty());
    let crm = format!(
        "sqlite:{}",
        office.folder.path().join("crm.sqlite").display()
    );
    let crm = crm::Crm::new(&crm.into()).unwrap();
    eventually(async || {
        let told = crm
            .tell_of_dead_letters("crm", 3, None, jiff::Timestamp::now())
            .await;
        told.map_err(|error| error.to_string())
    })
    .await;
    eventually(async || match office.replies() {
        1 => Ok(()),
        other => Err(other),
    })
    .await;
    let queued = office.redis.dump();
    assert!(
        queued.contains("Bericht niet verwerkt") && queued.contains("Aantal: 3"),
        "{queued}"
    );
}

/// The newest reply.
fn reply(office: &Office) -> String {
    let entries: Vec<(String, Vec<String>)> =
        office
            .redis
            .run(&["XREVRANGE", "out:0", "+", "-", "COUNT", "1"]);
    let fields = entries.into_iter().next().unwrap().1;
    let payload = fields.iter().find(|field| field.starts_with('{')).unwrap();
    let payload: Value = serde_json::from_str(payload).unwrap();
    payload["text"].as_str().unwrap().to_owned()
}

fn ago(minutes: i64) -> String {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    at.to_string()
}

/// Found in the provider's list: the reply says that it came only now, once, and only when it is so late
/// that the customer has noticed.
#[tokio::test]
async fn a_reply_to_a_message_that_was_found_late_says_so_once() {
    const SORRY: &str = "Sorry, uw bericht kwam pas nu bij ons aan.";
    let office = Office::open().await;
    let late = |minutes: i64| json!({"late": true, "received_at": ago(minutes)});
    office
        .wrote("SM1", "Sanne", "Ik zoek een Golf", late(2))
        .await;
    assert!(!reply(&office).contains(SORRY), "{}", reply(&office));
    office
        .wrote("SM2", "Sanne", "Het mag een automaat zijn", late(20))
        .await;
    let first = reply(&office);
    assert!(
        first.starts_with(SORRY) && first.len() > SORRY.len() + 10,
        "{first}"
    );
    office
        .wrote("SM3", "Sanne", "Tot 15.000 euro", late(19))
        .await;
    assert!(!reply(&office).contains(SORRY), "{}", reply(&office));
    // The window is open since the newest of them, whichever was found last.
    office.writes("SM4", "Sanne", "Heeft u er een?").await;
    let window: &[&str] = &["HGET", &format!("conv:{CUSTOMER}"), "last_in"];
    let since: i64 = office.redis.run::<String>(window).parse().unwrap();
    office.wrote("SM5", "Sanne", "Of een Polo", late(60)).await;
    assert_eq!(office.redis.run::<String>(window), since.to_string());
}

/// Found too late for an answer: nobody answers, and a colleague is told.
#[tokio::test]
async fn a_message_that_was_found_too_late_waits_for_a_colleague() {
    let office = Office::open().await;
    let too_late = json!({"late": true, "too_late": true, "received_at": ago(60 * 13)});
    office
        .wrote("SM1", "Sanne", "Is de Golf er nog?", too_late.clone())
        .await;
    let waiting = office.only("handovers").await;
    assert_eq!(waiting["status"], "waiting");
    assert_eq!(waiting["reason"], "found_too_late");
    assert_eq!(waiting["last_words"], "Is de Golf er nog?");
    assert_eq!(office.replies(), 0);
    eventually(async || {
        let (_, told) = office.worker(&["notices", "list"]);
        if told.contains("handover.opened") {
            Ok(())
        } else {
            Err(told)
        }
    })
    .await;
    // An end of messages is obeyed however late it is found.
    office.wrote("SM2", "Sanne", "STOP", too_late).await;
    let since: Option<String> =
        office
            .redis
            .run(&["HGET", &format!("contact:{CUSTOMER}"), "opted_out"]);
    assert!(since.is_some());
}
