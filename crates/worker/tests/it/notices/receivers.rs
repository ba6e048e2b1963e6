//! Receivers that are down, slow, refuse, redirect, or answer what they should not: each channel says so,
//! in a bounded time, and goes on.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use test_support::{Process, eventually_within, free_port};

use super::{OLD_SECRET, Office, PATIENCE, Receiver, SECRET, python, webhook};

/// What a receiver does with a connection.
#[derive(Clone, Copy)]
enum Does {
    /// Nobody listens.
    Nothing,
    /// It takes the connection and says nothing.
    Silence,
    /// It says this, byte by byte, one every 100 ms.
    Drips(&'static str),
    /// It says this and ends.
    Says(&'static str),
    /// It says this for as long as anybody listens.
    Endless(&'static str),
    /// It redirects to a receiver of its own, which must not be asked.
    Redirects(&'static str),
}

/// A receiver, and how often the place was asked to which it redirects.
struct Odd {
    port: u16,
    redirected: Arc<AtomicUsize>,
}

impl Odd {
    fn start(does: Does) -> Self {
        let redirected = Arc::new(AtomicUsize::new(0));
        let target = listen({
            let redirected = redirected.clone();
            move |_| {
                redirected.fetch_add(1, Ordering::SeqCst);
            }
        });
        let port = match does {
            Does::Nothing => free_port(),
            _ => listen(move |stream| does.answer(stream, target)),
        };
        Self { port, redirected }
    }
}

/// Handles each connection in a thread of its own; all end with the process.
fn listen(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let handle = Arc::new(handle);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let handle = handle.clone();
            std::thread::spawn(move || handle(stream.unwrap()));
        }
    });
    port
}

impl Does {
    fn answer(self, mut stream: TcpStream, target: u16) {
        // A mail server speaks first, all others when they are asked.
        let _patience = stream.set_read_timeout(Some(Duration::from_millis(300)));
        let mut asked = [0; 64 * 1024];
        let _read = stream.read(&mut asked);
        match self {
            Self::Nothing => {}
            Self::Silence => while stream.read(&mut asked).is_ok_and(|read| read > 0) {},
            Self::Says(words) => drop(stream.write_all(words.as_bytes())),
            Self::Drips(words) => {
                for byte in words.bytes().chain(std::iter::repeat(b' ')) {
                    if stream.write_all(&[byte]).is_err() {
                        return;
                    }
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
            Self::Endless(words) => while stream.write_all(words.as_bytes()).is_ok() {},
            Self::Redirects(status) => {
                let answer = format!(
                    "HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:{target}/\r\n\
                     content-length: 0\r\nconnection: close\r\n\r\n"
                );
                drop(stream.write_all(answer.as_bytes()));
            }
        }
        if let Self::Silence = self {
            std::thread::sleep(Duration::from_secs(60));
        }
    }
}

type Settings = Vec<(&'static str, String)>;

/// What the command says of a channel, and how long that took.
async fn tried(office: &Office, channel: &str, settings: Settings) -> (bool, String, Duration) {
    let began = Instant::now();
    let words = ["notices", "test", channel];
    let (arrived, said) = office.worker_beside(&words, settings).await;
    (arrived, said, began.elapsed())
}

const UNAUTHORIZED: &str =
    "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const MISSING: &str =
    "HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>";
const BROKEN: &str =
    "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const PAGE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>";
const EMPTY: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
const STREAM: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n<html>";
const OTHER: &str = "SSH-2.0-OpenSSH_9.2\r\n";
/// Slack's own answer in two parts, with time between them.
const SLOW_OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// Whom it does not reach, and what is said of it; none where it counts as delivered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_answers_oddly_is_named_and_never_waited_for_without_end() {
    let webhook_of = |odd: &Odd| {
        vec![
            (
                "NOTICE_WEBHOOK_URL",
                format!("http://127.0.0.1:{}/", odd.port),
            ),
            ("NOTICE_WEBHOOK_SECRET", SECRET.to_owned()),
        ]
    };
    let service_of = |odd: &Odd, preset: &'static str| {
        vec![
            ("NOTICE_HTTP_PRESET", preset.to_owned()),
            ("NOTICE_HTTP_URL", format!("http://127.0.0.1:{}/", odd.port)),
            ("NOTICE_HTTP_TOPIC", "post".to_owned()),
            ("NOTICE_HTTP_TOKEN", "tk_1".to_owned()),
        ]
    };
    // By 2xx a webhook is delivered, whatever is said with it.
    let table: [(Does, Option<&str>, Option<&str>); 13] = [
        (Does::Nothing, Some("refused"), Some("refused")),
        (Does::Silence, Some("time"), Some("time")),
        (
            Does::Drips("HTTP/1.1 200 OK\r\nx-drip: "),
            Some("time"),
            Some("time"),
        ),
        (Does::Says(UNAUTHORIZED), Some("401"), Some("401")),
        (Does::Says(MISSING), Some("404"), Some("404")),
        (Does::Says(BROKEN), Some("500"), Some("500")),
        (
            Does::Redirects("302 Found"),
            Some("not followed"),
            Some("not followed"),
        ),
        (
            Does::Redirects("308 Permanent Redirect"),
            Some("not followed"),
            Some("not followed"),
        ),
        (Does::Says(PAGE), None, Some("not what was expected")),
        (Does::Says(EMPTY), None, Some("not what was expected")),
        (Does::Endless(STREAM), None, Some("not what was expected")),
        (Does::Says(OTHER), Some(""), Some("")),
        (
            Does::Says("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"),
            Some("410"),
            Some("410"),
        ),
    ];
    let office = Office::new(Vec::new()).await;
    let tries = table.iter().flat_map(|(does, webhook, service)| {
        let odd = Arc::new(Odd::start(*does));
        [
            (odd.clone(), "webhook", webhook_of(&odd), *webhook),
            (odd.clone(), "slack", service_of(&odd, "slack"), *service),
            (odd.clone(), "ntfy", service_of(&odd, "ntfy"), *service),
        ]
    });
    let office = &office;
    let judged = stream::iter(tries).map(|(odd, channel, settings, expected)| async move {
        let (arrived, said, took) = tried(office, channel, settings).await;
        assert_eq!(arrived, expected.is_none(), "{channel}: {said}");
        assert!(
            said.contains(expected.unwrap_or_default()),
            "{channel}: {said}"
        );
        assert!(took < Duration::from_secs(60), "{channel} took {took:?}");
        assert_eq!(
            odd.redirected.load(Ordering::SeqCst),
            0,
            "{channel} followed"
        );
        assert!(!said.contains("tk_1"), "{said}");
    });
    judged.buffer_unordered(8).collect::<Vec<()>>().await;
}

/// Slack says `ok`; that it comes in two parts is no failure, which would tell colleagues twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_in_parts_is_one_answer() {
    let port = listen(|mut stream| {
        let mut asked = [0; 64 * 1024];
        let _read = stream.read(&mut asked);
        let (first, second) = SLOW_OK.split_at(SLOW_OK.len() - 1);
        let _sent = stream.write_all(first.as_bytes());
        std::thread::sleep(Duration::from_millis(300));
        let _sent = stream.write_all(second.as_bytes());
    });
    let settings = vec![
        ("NOTICE_HTTP_PRESET", "slack".to_owned()),
        ("NOTICE_HTTP_URL", format!("http://127.0.0.1:{port}/")),
    ];
    let office = Office::new(Vec::new()).await;
    let (arrived, said, _) = tried(&office, "slack", settings).await;
    assert!(arrived, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_answers_oddly_is_named_and_never_waited_for_without_end() {
    let table = [
        (Does::Nothing, "refused"),
        (Does::Silence, "time"),
        (Does::Drips("220 example.nl ESMTP"), "time"),
        (Does::Says("421 try again later\r\n"), "421"),
        (Does::Says("554 no service here\r\n"), "554"),
        (Does::Says(PAGE), ""),
    ];
    let office = &Office::new(Vec::new()).await;
    let tries = table.map(|(does, expected)| async move {
        let odd = Odd::start(does);
        let settings = vec![
            (
                "NOTICE_SMTP_URL",
                format!("smtp://bot:geheim@127.0.0.1:{}", odd.port),
            ),
            ("NOTICE_SMTP_UNENCRYPTED", "true".into()),
            ("NOTICE_MAIL_FROM", "bot@postduif.test".into()),
            ("NOTICE_MAIL_TO", "verkoop@postduif.test".into()),
        ];
        let (arrived, said, took) = tried(office, "mail", settings).await;
        assert!(!arrived && said.contains(expected), "{expected}: {said}");
        assert!(!said.contains("geheim"), "{said}");
        assert!(took < Duration::from_secs(60), "{took:?}");
    });
    join_all(tries).await;
}

/// A colleague who left: the mail server refuses the address, and the others get theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_refused_keeps_a_mail_from_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (port, mails) = (free_port(), folder.path().join("mails"));
    let server = "
import asyncio, sys
from aiosmtpd.controller import Controller
class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('weg'):
            return '550 no such user'
        envelope.rcpt_tos.append(address)
        return '250 OK'
    async def handle_DATA(self, server, session, envelope):
        with open(sys.argv[2], 'a') as mails:
            mails.write(' '.join(envelope.rcpt_tos) + '\\n')
        return '250 OK'
Controller(Handler(), hostname='127.0.0.1', port=int(sys.argv[1])).start()
asyncio.new_event_loop().run_forever()
";
    let mut command = std::process::Command::new(python());
    command.args(["-c", server, &port.to_string()]).arg(&mails);
    let _server = Process::start("aiosmtpd", &mut command);
    let addresses = |to: &str| {
        vec![
            ("NOTICE_SMTP_URL", format!("smtp://127.0.0.1:{port}")),
            ("NOTICE_SMTP_UNENCRYPTED", "true".into()),
            ("NOTICE_MAIL_FROM", "bot@postduif.test".into()),
            ("NOTICE_MAIL_TO", to.to_owned()),
        ]
    };
    let office = Office::new(Vec::new()).await;
    eventually_within(PATIENCE, async || {
        TcpStream::connect(("127.0.0.1", port)).map(drop)
    })
    .await;
    let (arrived, said, _) = tried(
        &office,
        "mail",
        addresses("weg@postduif.test,balie@postduif.test"),
    )
    .await;
    assert!(arrived, "{said}");
    assert_eq!(
        std::fs::read_to_string(&mails).unwrap(),
        "balie@postduif.test\n"
    );
    let (arrived, said, _) = tried(&office, "mail", addresses("weg@postduif.test")).await;
    assert!(!arrived && said.contains("550"), "{said}");
}

/// The secret is another one after a restart, while a notice waits: it is signed with what is set now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_waits_is_signed_with_the_secret_that_is_set_then() {
    let receiver = Receiver::start(&[BROKEN, super::OK]);
    let mut office = Office::new(webhook(&receiver)).await;
    office
        .settings
        .retain(|(name, _)| *name != "NOTICE_WEBHOOK_SECRET");
    let rotated = |secret: &str| ("NOTICE_WEBHOOK_SECRET", secret.to_owned());
    office.settings.push(rotated(OLD_SECRET));
    office.asks("R1", "Sanne").await;
    let mut first = office.serve();
    receiver.until_seen(1).await;
    first.kill();
    office.settings.pop();
    office.settings.push(rotated(SECRET));
    let _second = office.serve();
    let seen = receiver.until_seen(2).await;
    for ((head, body), secret) in seen.iter().zip([OLD_SECRET, SECRET]) {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let pairs = names.map(|name| (name, super::header(head, name)));
        let headers = pairs.iter().map(|(name, value)| {
            let name = reqwest::header::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        let headers: reqwest::header::HeaderMap = headers.collect();
        let judge = standardwebhooks::Webhook::new(secret).unwrap();
        judge.verify(body.as_bytes(), &headers).unwrap();
    }
    let ids: Vec<_> = seen
        .iter()
        .map(|(head, _)| super::header(head, "webhook-id"))
        .collect();
    assert_eq!(ids[0], ids[1]);
}

/// A notice on WhatsApp that cannot be sent is a dead letter, of which nobody is told on WhatsApp again
/// and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_cannot_be_sent_is_not_the_cause_of_the_next() {
    let receiver = Receiver::start(&[super::OK]);
    let mut settings = webhook(&receiver);
    settings.push(("NOTICE_WHATSAPP_TO", "+31600000001".to_owned()));
    let office = Office::new(settings).await;
    let letter = |conversation: &str| {
        let words = [
            "XADD",
            "odlq:0",
            "*",
            "conv",
            conversation,
            "_reason",
            "window_closed",
        ];
        office.redis.run::<String>(&words);
    };
    letter("whatsapp:+31600000001");
    // The same look tells of it, after dead letters.
    let six_minutes_ago = jiff::Timestamp::now().as_millisecond() - 360_000;
    let id = format!("{six_minutes_ago}-1");
    let stalled = [
        "XADD",
        "out:0",
        &id,
        "conv",
        "whatsapp:+31612345678",
        "kind",
        "message",
    ];
    office.redis.run::<String>(&stalled);
    let _worker = office.serve();
    let kind = |body: &str| -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(body).unwrap()
    };
    let seen = receiver.until_seen(1).await;
    assert_eq!(kind(&seen[0].1)["type"], "channel.down");
    letter("whatsapp:+31612345678");
    let seen = receiver.until_seen(2).await;
    let told = kind(&seen[1].1);
    assert_eq!(
        (&told["type"], &told["data"]["count"]),
        (&"dead_letter.added".into(), &2.into())
    );
}
