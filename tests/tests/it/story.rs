//! The whole way of one hand-over: asked for while the business is closed, told at opening, answered in the
//! help desk, and known to the bot afterwards. Real processes, and a real mail server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use e2e_tests::{Role, Settings, System, SystemBuilder};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit};
use serde_json::{Value, json};
use test_support::{Process, eventually_within, free_port};

use crate::mirror::{connect_mirror, said, shown};
use crate::support::{CUSTOMER, business, worker};

const TWILIO: &str = "whatsapp:+31612345678";
/// The business opens within two minutes.
const PATIENCE: Duration = Duration::from_secs(180);

/// Takes mails and webhooks, and writes each into a file of its kind.
const RECEIVERS: &str = r#"
import asyncio, http.server, sys, threading
from aiosmtpd.controller import Controller

mail_port, hook_port, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

class Mail:
    async def handle_DATA(self, server, session, envelope):
        with open(folder + "/mails", "ab") as mails:
            mails.write(envelope.content)
        return "250 OK"

class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with open(folder + "/hooks", "ab") as hooks:
            hooks.write(body + b"\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *line):
        pass

hooks = http.server.ThreadingHTTPServer(("127.0.0.1", hook_port), Hook)
threading.Thread(target=hooks.serve_forever, daemon=True).start()
Controller(Mail(), hostname="127.0.0.1", port=mail_port).start()
asyncio.new_event_loop().run_forever()
"#;

/// What the receivers of notices got so far.
struct Office {
    folder: PathBuf,
    _receivers: Process,
}

impl Office {
    /// The receivers, and the settings of the worker that name them.
    fn start(folder: &Path) -> (Self, Vec<(String, String)>) {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let python = top.join("target/receivers/bin/python");
        assert!(python.exists(), "run scripts/receivers first");
        let (mail, hook) = (free_port(), free_port());
        let mut command = Command::new(python);
        command.args(["-c", RECEIVERS, &mail.to_string(), &hook.to_string()]);
        command.arg(folder);
        let receivers = Process::start("receivers", &mut command);
        let settings = [
            ("NOTICE_SMTP_URL", format!("smtp://127.0.0.1:{mail}")),
            ("NOTICE_SMTP_UNENCRYPTED", "true".into()),
            ("NOTICE_MAIL_FROM", "Postduif <bot@postduif.test>".into()),
            ("NOTICE_MAIL_TO", "balie@postduif.test".into()),
            ("NOTICE_WEBHOOK_URL", format!("http://127.0.0.1:{hook}/")),
            (
                "NOTICE_WEBHOOK_SECRET",
                "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into(),
            ),
            ("NOTICE_ALLOW_PRIVATE", "true".into()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        let office = Self {
            folder: folder.to_owned(),
            _receivers: receivers,
        };
        (office, settings.to_vec())
    }

    /// The notices of a hand-over that was opened: mails, and webhooks.
    fn opened(&self) -> (usize, usize) {
        let read = |name: &str| std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let hooks = read("hooks");
        let events = hooks
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let opened = events.filter(|event| event["type"] == "handover.opened");
        let mails = read("mails");
        let subjects = mails.lines().filter(|line| line.starts_with("Subject:"));
        let of_opening = subjects.filter(|line| line.contains("wacht op een collega"));
        (of_opening.count(), opened.count())
    }
}

/// A business that is closed, with the minute at which it opens, as customers read it. Its own clock shows
/// noon, so that no day ends meanwhile.
fn closed_business(folder: &Path) -> (PathBuf, String) {
    let now = Timestamp::now();
    let hour = now.to_zoned(TimeZone::UTC).hour();
    // "Etc/GMT-3" is three hours ahead.
    let zone = format!("Etc/GMT{:+}", hour - 12);
    let local = now.in_tz(&zone).unwrap();
    let opens = (&local + 80.seconds()).round(Unit::Minute).unwrap();
    let opens = opens.strftime("%H:%M").to_string();
    let zone = format!("timezone = \"{zone}\"");
    let hours = format!("hours = \"Mo-Su {opens}-23:00\"");
    let file = business(folder, &[("timezone =", &zone), ("hours =", &hours)]);
    (file, opens)
}

async fn asks(system: &System, text: &str) -> Vec<String> {
    let message = json!({"from": CUSTOMER, "name": "Jan", "text": text});
    let answer = system.simulator().write(message).await;
    assert_eq!(answer["status"], 200, "{answer}");
    system.until_idle(PATIENCE).await;
    let arrivals = system.simulator().arrivals().await;
    arrivals.into_iter().map(|one| one.text).collect()
}

/// All services of a business that is closed, what its colleagues hear, and the minute at which it opens.
async fn closed_system() -> (System, Office, String) {
    let mut system = SystemBuilder::new(Settings::default()).prepare();
    let folder = system.folder().to_owned();
    let (domain, opens) = closed_business(&folder);
    let (office, notices) = Office::start(&folder);
    connect_mirror(&mut system);
    let worker_settings = system.service(Role::Worker, 0);
    worker_settings.set(notices);
    worker_settings.set([(
        "WORKER_DOMAIN_FILE".to_owned(),
        domain.display().to_string(),
    )]);
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    system.simulator().deliver(&["sent", "delivered"], 10).await;
    (system, office, opens)
}

/// Whoever would tell and send dies, and comes again.
async fn kill_and_start(system: &mut System) {
    for role in [Role::Worker, Role::Egress] {
        system.service(role, 0).kill();
        system.start(role).await;
    }
}

/// How often the bot's history has these words of a colleague.
async fn heard(system: &System, words: &str) -> usize {
    let client = system.client();
    let partition = client.partitions().partition_of(TWILIO);
    let history = client.keys().of(partition).history(TWILIO);
    let lines = client.list_end(&history, 20).await.unwrap();
    let hers = lines
        .iter()
        .filter(|line| line.contains(r#""role":"colleague""#));
    hers.filter(|line| line.contains(words)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_for_while_we_are_closed_and_answers_in_the_help_desk() {
    let (mut system, office, opens) = closed_system().await;

    // She asks for a person, and hears when there will be one.
    let texts = asks(&system, "Ik wil graag een medewerker spreken").await;
    assert_eq!(texts.len(), 1);
    assert!(
        texts[0].contains(&format!("vanaf {opens}")),
        "{opens}: {texts:?}"
    );
    let waiting = shown(&system, TWILIO).await;
    assert_eq!(waiting["status"], "open");
    assert_eq!(office.opened(), (0, 0), "told while nobody is there");

    // Whoever would tell and send is killed; at opening each colleague hears of it once.
    kill_and_start(&mut system).await;
    eventually_within(PATIENCE, async || match office.opened() {
        (mails, hooks) if mails >= 1 && hooks >= 1 => Ok(()),
        other => Err(other),
    })
    .await;
    kill_and_start(&mut system).await;

    // A colleague answers in the help desk: the bot is silent.
    let words = "Wij zijn er, de zilveren Golf staat klaar voor een proefrit";
    let answer = json!({"to": CUSTOMER, "text": words, "name": "Petra"});
    system.simulator().in_inbox("write", answer).await;
    eventually_within(PATIENCE, async || {
        let arrivals = system.simulator().arrivals().await;
        if arrivals.iter().any(|one| one.text == words) {
            Ok(())
        } else {
            Err(arrivals)
        }
    })
    .await;
    assert_eq!(asks(&system, "Fijn, dank u").await.len(), 2);

    // She closes; the next question is the bot's, which knows what she said.
    let resolve = json!({"to": CUSTOMER, "status": "resolved", "name": "Petra"});
    system.simulator().in_inbox("hand", resolve).await;
    eventually_within(PATIENCE, async || {
        let (_, list) = worker(&system, &["handovers", "list", "--json"]);
        if list.contains("\"closed\"") || !list.contains("\"answered\"") {
            Ok(())
        } else {
            Err(list)
        }
    })
    .await;
    let texts = asks(&system, "Hoe laat bent u open?").await;
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert_eq!(heard(&system, words).await, 1);
    // Each was told once, and the help desk shows all of it, in order.
    assert_eq!(office.opened(), (1, 1));
    let by: Vec<String> = said(&system, TWILIO)
        .await
        .into_iter()
        .map(|(by, _)| by)
        .collect();
    let expected = [
        "customer",
        "bot",
        "colleague",
        "customer",
        "customer",
        "bot",
    ];
    assert_eq!(by, expected);
    assert_eq!(shown(&system, TWILIO).await["status"], "pending");
}
