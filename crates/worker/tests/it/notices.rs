//! Notices on their way: a worker that serves, real receivers, and receivers that fail in every way.

mod receivers;
mod services;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crm::Crm;
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;
use test_support::{Process, RedisServer, eventually_within, free_port};

use crate::outbox::asks;

const PATIENCE: Duration = Duration::from_secs(120);
const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OLD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// What came in: the head of the request, and its body.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// A receiver that answers each request with the next of these, the last one for ever.
struct Receiver {
    port: u16,
    seen: Seen,
}

impl Receiver {
    fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Seen::default();
        let log = seen.clone();
        std::thread::spawn(move || {
            for (turn, stream) in listener.incoming().enumerate() {
                let answer = answers.get(turn).or(answers.last()).unwrap();
                serve(&stream.unwrap(), answer, &log);
            }
        });
        Self { port, seen }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    fn seen(&self) -> Vec<(String, String)> {
        self.seen.lock().unwrap().clone()
    }

    async fn until_seen(&self, count: usize) -> Vec<(String, String)> {
        eventually_within(PATIENCE, async || {
            let seen = self.seen();
            if seen.len() >= count {
                Ok(seen)
            } else {
                Err(seen)
            }
        })
        .await
    }
}

fn serve(mut stream: &TcpStream, answer: &str, log: &Seen) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if head.is_empty() {
            head.push_str(&format!("request: {line}"));
        } else if let Some((name, value)) = line.split_once(':') {
            head.push_str(&format!("{}:{value}", name.to_lowercase()));
        }
        line.clear();
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    if reader.read_exact(&mut body).is_ok() {
        log.lock()
            .unwrap()
            .push((head, String::from_utf8(body).unwrap()));
        let _closed = stream.write_all(answer.as_bytes());
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// Where the libraries of receivers are.
fn receivers() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/receivers");
    assert!(path.join("wanted").is_file(), "run scripts/receivers first");
    path
}

/// The interpreter with the libraries of receivers.
fn python() -> PathBuf {
    receivers().join("bin/python")
}

/// The official libraries of Standard Webhooks believe a webhook, with the new secret and with the old.
fn assert_verified(body: &str, headers: [(&'static str, &str); 3]) {
    let map: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    for secret in [SECRET, OLD_SECRET] {
        let receiver = standardwebhooks::Webhook::new(secret).unwrap();
        receiver.verify(body.as_bytes(), &map).unwrap();
    }
    let in_python = "
import json, sys
from standardwebhooks.webhooks import Webhook
body, headers = sys.argv[1], json.loads(sys.argv[2])
for secret in sys.argv[3:]:
    Webhook(secret).verify(body, headers)
";
    let in_javascript = "
const {Webhook} = require(process.argv[1]);
const [body, headers, ...secrets] = process.argv.slice(2);
for (const secret of secrets) new Webhook(secret).verify(body, JSON.parse(headers));
";
    let headers = serde_json::to_string(&BTreeMap::from(headers)).unwrap();
    let mut python = Command::new(python());
    python.args(["-c", in_python]);
    let mut node = Command::new("node");
    node.args(["-e", in_javascript])
        .arg(receivers().join("node_modules/standardwebhooks"));
    for mut command in [python, node] {
        command.args([body, &headers, SECRET, OLD_SECRET]);
        let verified = command.output().unwrap();
        assert!(verified.status.success(), "{verified:?}");
    }
}

/// A CRM with a customer who waits, and what a worker needs beside it.
struct Office {
    redis: RedisServer,
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
    crm: Crm,
}

impl Office {
    async fn new(settings: Vec<(&'static str, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Open at any hour, whenever this runs.
        let domain = std::fs::read_to_string(repository("deploy/domains/car-dealer.toml")).unwrap();
        let hours = domain
            .lines()
            .find(|line| line.starts_with("hours = "))
            .unwrap();
        let domain = domain.replace(hours, "hours = \"24/7\"");
        std::fs::write(folder.path().join("car-dealer.toml"), domain).unwrap();
        let parts = repository("deploy/domains/car-dealer");
        std::os::unix::fs::symlink(parts, folder.path().join("car-dealer")).unwrap();
        let crm = Crm::new(&SecretString::from(database(&folder))).unwrap();
        crm.migrate().await.unwrap();
        Self {
            redis: RedisServer::start(),
            folder,
            settings,
            crm,
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command
            .args(words)
            .env_clear()
            .env("REDIS_URL", self.redis.url())
            .env("REDIS_PARTITIONS", "1")
            .env(
                "WORKER_DOMAIN_FILE",
                self.folder.path().join("car-dealer.toml"),
            )
            .env("CRM_DATABASE_URL", database(&self.folder))
            .env("NOTICE_ALLOW_PRIVATE", "true")
            .env("PORT", free_port().to_string())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stderr(Stdio::null());
        command
    }

    fn serve(&self) -> Process {
        let mut serve = self.command(&["serve"]);
        Process::start("worker", serve.stdout(Stdio::null()))
    }

    fn worker(&self, words: &[&str]) -> (bool, String) {
        let output = self.command(words).stderr(Stdio::piped()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// The same, without holding up the others.
    async fn worker_beside(
        &self,
        words: &[&str],
        settings: Vec<(&'static str, String)>,
    ) -> (bool, String) {
        let mut command = self.command(words);
        command.envs(settings);
        let output =
            tokio::task::spawn_blocking(move || command.stderr(Stdio::piped()).output().unwrap());
        let output = output.await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// A customer of this name asks for a person.
    async fn asks(&self, message: &str, name: &str) {
        let mut asks = asks(message, Timestamp::now());
        asks.contact.name = Some(name.to_owned());
        self.crm.apply(&asks).await.unwrap();
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
        .canonicalize()
        .unwrap()
}

fn database(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("crm.sqlite").display())
}

fn webhook(receiver: &Receiver) -> Vec<(&'static str, String)> {
    vec![
        ("NOTICE_WEBHOOK_URL", receiver.url()),
        ("NOTICE_WEBHOOK_SECRET", format!("{SECRET},{OLD_SECRET}")),
    ]
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    head.lines()
        .find_map(|line| line.strip_prefix(start.as_str()))
        .unwrap()
        .trim()
}

/// Two workers, and one is killed: the notice comes once, and the library of the standard believes it
/// under either secret.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_webhook_comes_once() {
    let receiver = Receiver::start(&[OK]);
    let office = Office::new(webhook(&receiver)).await;
    office.asks("N1", "<!channel>").await;
    let mut killed = office.serve();
    let _other = office.serve();
    let seen = receiver.until_seen(1).await;
    killed.kill();
    let (head, body) = &seen[0];
    let notice: Value = serde_json::from_str(body).unwrap();
    assert_eq!(notice["type"], "handover.opened");
    assert_eq!(notice["data"]["name"], "<!channel>");
    assert_eq!(notice["data"]["last_words"], "een mens graag");
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    assert_verified(body, names.map(|name| (name, header(head, name))));
    // What the customer writes meanwhile tells more of the same hand-over, and rings no bell.
    office.asks("N2", "Sanne").await;
    let sent = office.crm.sends(10).await.unwrap();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(receiver.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_comes_as_readable_text_whatever_a_customer_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let (port, mails) = (free_port(), folder.path().join("mails"));
    let server = "
import asyncio, sys
from aiosmtpd.controller import Controller
class Handler:
    async def handle_DATA(self, server, session, envelope):
        with open(sys.argv[2], 'ab') as mails:
            mails.write(envelope.content)
        return '250 OK'
Controller(Handler(), hostname='127.0.0.1', port=int(sys.argv[1])).start()
asyncio.new_event_loop().run_forever()
";
    let mut command = Command::new(python());
    command.args(["-c", server, &port.to_string()]).arg(&mails);
    let _server = Process::start("aiosmtpd", &mut command);
    let office = Office::new(vec![
        ("NOTICE_SMTP_URL", format!("smtp://127.0.0.1:{port}")),
        ("NOTICE_SMTP_UNENCRYPTED", "true".into()),
        ("NOTICE_MAIL_FROM", "Postduif <bot@postduif.test>".into()),
        (
            "NOTICE_MAIL_TO",
            "verkoop@postduif.test,balie@postduif.test".into(),
        ),
    ])
    .await;
    office.asks("M1", "Jan\r\nBcc: dief@example.com").await;
    let _worker = office.serve();
    let mail = eventually_within(PATIENCE, async || {
        let mail = std::fs::read_to_string(&mails).unwrap_or_default();
        if mail.contains("Laatste bericht") {
            Ok(mail)
        } else {
            Err(mail)
        }
    })
    .await;
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    for line in [
        "To: verkoop@postduif.test, balie@postduif.test",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(head.contains(line), "{line} is not in\n{head}");
    }
    assert!(
        head.contains("Message-ID: <notice_") && head.contains("@postduif.test>"),
        "{head}"
    );
    assert!(body.contains("Laatste bericht: een mens graag"), "{body}");
    let (arrived, said) = office.worker(&["notices", "test", "mail"]);
    assert!(arrived && said.contains("it arrived"), "{said}");
}

/// Redirects, errors, HTML where Slack would say ok: each is tried again. 410 switches off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_fails_is_tried_again_and_one_that_is_gone_is_not() {
    let slack = Receiver::start(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>",
    ]);
    let gone =
        Receiver::start(&["HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"]);
    let mut settings = webhook(&gone);
    settings.extend([
        ("NOTICE_HTTP_PRESET", "slack".to_owned()),
        ("NOTICE_HTTP_URL", slack.url()),
    ]);
    let office = Office::new(settings).await;
    office.asks("F1", "<!channel>").await;
    let _worker = office.serve();
    // After its first pause, too.
    let seen = slack.until_seen(2).await;
    assert!(
        !seen[0].1.contains("<!channel>") && seen[0].1.contains("&lt;!channel&gt;"),
        "{seen:?}"
    );
    let off = eventually_within(PATIENCE, async || {
        let off = office.crm.channels_off().await.unwrap();
        if off.is_empty() { Err(off) } else { Ok(off) }
    })
    .await;
    assert_eq!(off[0].0, "webhook");
    assert_eq!(gone.seen().len(), 1, "nothing more is sent to it");
    let (_, listed) = office.worker(&["notices", "list"]);
    assert!(listed.contains("webhook is switched off (410"), "{listed}");
    assert!(listed.contains("channel.down"), "{listed}");
    let (retried, said) = office.worker(&["notices", "retry"]);
    assert!(retried, "{said}");
    gone.until_seen(2).await;
}

/// A reply that nobody sends, and a message that nobody could handle: both are named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn colleagues_are_told_that_replies_wait_and_which_message_was_set_aside() {
    let receiver = Receiver::start(&[OK]);
    let office = Office::new(webhook(&receiver)).await;
    let ago = |minutes: i64| Timestamp::now().as_millisecond() - minutes * 60_000;
    let add = |stream: &str, minutes: i64, fields: &[&str]| {
        let id = format!("{}-1", ago(minutes));
        let words = [
            &["XADD", stream, &id, "conv", "whatsapp:+31612345678"],
            fields,
        ]
        .concat();
        office.redis.run::<String>(&words)
    };
    add("out:0", 6, &["kind", "message"]);
    add("odlq:0", 3, &["_reason", "permanent"]);
    let newest = add("odlq:0", 2, &["_reason", "too_long"]);
    let _worker = office.serve();
    let seen = receiver.until_seen(2).await;
    let told = |kind: &str| {
        let mut bodies = seen
            .iter()
            .map(|(_, body)| serde_json::from_str::<Value>(body).unwrap());
        bodies.find(|body| body["type"] == kind).unwrap()["data"].clone()
    };
    let down = told("channel.down");
    assert_eq!(down["channel"], "whatsapp");
    assert!(!down.to_string().contains("31612345678"), "{down}");
    let letter = told("dead_letter.added");
    assert_eq!(letter["letter"], format!("0/{newest}"));
    assert_eq!(
        (&letter["queue"], &letter["count"], &letter["why"]),
        (&"outbound".into(), &2.into(), &"too_long".into())
    );
}

#[tokio::test]
async fn a_test_says_what_is_wrong() {
    let redirect = Receiver::start(&[
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ]);
    let mut office = Office::new(webhook(&redirect)).await;
    let (arrived, said) = office.worker(&["notices", "test", "webhook"]);
    assert!(
        !arrived && said.contains("redirects are not followed"),
        "{said}"
    );
    office
        .settings
        .push(("NOTICE_ALLOW_PRIVATE", "false".into()));
    let (arrived, said) = office.worker(&["notices", "test", "webhook"]);
    assert!(!arrived && said.contains("private address"), "{said}");
    assert_eq!(redirect.seen().len(), 1);
    let (arrived, said) = office.worker(&["notices", "test", "mail"]);
    assert!(!arrived && said.contains("set up: webhook"), "{said}");
    office
        .settings
        .push(("NOTICE_WEBHOOK_SECRET", "geheim".into()));
    let (arrived, said) = office.worker(&["notices", "test", "webhook"]);
    assert!(
        !arrived && said.contains("NOTICE_WEBHOOK_SECRET") && !said.contains("geheim"),
        "{said}"
    );
}
