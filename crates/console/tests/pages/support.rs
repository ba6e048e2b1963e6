//! A running console, its Redis and CRM, and a browser without a script.

use std::net::TcpListener;
use std::time::Duration;

use clap::Parser;
use console::{Console, ConsoleConfig};
use crm::{ContactWrite, Crm, CrmWrite, HandoverWrite, LeadField, LeadWrite};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, Response, StatusCode};
use secrecy::SecretString;
use streams::Redis;
use tempfile::TempDir;
use test_support::{RedisServer, eventually};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const PHONE: &str = "whatsapp:+31612345678";
const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pages/templates.toml");
pub(crate) const HOSTILE: &str = "</textarea></script><img src=x onerror=alert(1)>\"'";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    console: ConsoleConfig,
}

/// Everything that a test needs. Stops when it is dropped.
pub(crate) struct Rig {
    pub(crate) crm: Crm,
    pub(crate) redis: Redis,
    pub(crate) url: String,
    pub(crate) settings: Vec<(&'static str, String)>,
    words: Vec<String>,
    http: reqwest::Client,
    _server: RedisServer,
    _folder: TempDir,
    running: Running,
}

/// A console that serves until this is dropped.
struct Running {
    url: String,
    _tasks: JoinSet<()>,
    _guard: DropGuard,
}

impl Running {
    fn start(config: ConsoleConfig) -> Self {
        assert_eq!(config.mistakes(), Vec::<String>::new());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let console = Console::build(config).unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let stop = stop.clone();
            async move { console.run(listener, stop).await.unwrap() }
        });
        Self {
            url,
            _tasks: tasks,
            _guard: stop.drop_guard(),
        }
    }
}

/// Somebody at the console.
pub(crate) struct Browser<'a> {
    rig: &'a Rig,
    pub(crate) cookie: Option<String>,
}

impl Rig {
    /// With a password.
    pub(crate) async fn start() -> Self {
        Self::start_with(&["--console-password-hash", &console::hash(PASSWORD).unwrap()]).await
    }

    /// With templates of Twilio's.
    pub(crate) async fn with_templates() -> Self {
        let hash = console::hash(PASSWORD).unwrap();
        let mut rig = Self::start_with(&[
            "--console-password-hash",
            &hash,
            "--console-templates-file",
            TEMPLATES,
            "--twilio-window-template-sid",
            "HX00000000000000000000000000000009",
        ])
        .await;
        let file = ("CONSOLE_TEMPLATES_FILE", TEMPLATES.to_owned());
        rig.settings.push(file);
        rig
    }

    pub(crate) async fn start_with(more: &[&str]) -> Self {
        runtime::install_tls();
        let server = RedisServer::start();
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("crm.sqlite").display());
        let redis_url = server.url();
        let mut words = vec!["test", "--redis-url", &redis_url, "--redis-partitions", "4"];
        words.extend(["--crm-database-url", &database, "--bind", "127.0.0.1"]);
        words.extend(more);
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let config = Cli::parse_from(&words).console;
        let redis = Redis::new(&config.redis).unwrap();
        redis.claim_layout().await.unwrap().unwrap();
        let crm = Crm::new(&SecretString::from(database.clone())).unwrap();
        eventually(async || crm.migrate().await.map_err(|error| error.to_string())).await;
        let running = Running::start(config);
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        let rig = Self {
            crm,
            redis,
            url: running.url.clone(),
            settings: vec![
                ("REDIS_URL", redis_url),
                ("CRM_DATABASE_URL", database),
                ("USER", "anna".into()),
            ],
            words,
            http,
            _server: server,
            _folder: folder,
            running,
        };
        rig.until_ready().await;
        rig
    }

    async fn until_ready(&self) {
        let ready = format!("{}/health/ready", self.url);
        eventually(async || match self.http.get(&ready).send().await {
            Ok(answer) if answer.status() == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    /// Ends the console and starts it with another setting.
    pub(crate) async fn restart_with(&mut self, flag: &str, value: &str) {
        let at = self.words.iter().position(|word| word == flag).unwrap();
        value.clone_into(&mut self.words[at + 1]);
        self.running = Running::start(Cli::parse_from(&self.words).console);
        self.url.clone_from(&self.running.url);
        self.until_ready().await;
    }

    /// Somebody who is logged in.
    pub(crate) async fn operator(&self, name: &str) -> Browser<'_> {
        let mut browser = self.stranger();
        let fields = [("name", name), ("password", PASSWORD), ("next", "/")];
        let answer = browser.post("/login", &fields).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        assert!(
            cookie.contains("HttpOnly; SameSite=Strict; Secure"),
            "{cookie}"
        );
        browser.cookie = cookie.split(';').next().map(str::to_owned);
        browser
    }

    pub(crate) fn stranger(&self) -> Browser<'_> {
        Browser {
            rig: self,
            cookie: None,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// A customer who asks for a person.
    pub(crate) async fn asks(&self, name: &str, phone: &str, words: &str) -> String {
        let conversation = format!("whatsapp:{phone}");
        let at = Timestamp::now();
        let write = CrmWrite {
            message: format!("twilio:{phone}"),
            at,
            contact: contact(name, phone),
            lead: None,
            appointments: Vec::new(),
            withdrawn: None,
            questions: Vec::new(),
            handover: Some(HandoverWrite {
                conversation: conversation.clone(),
                opens: true,
                reason: "asked".into(),
                urgent: words.contains("dringend"),
                last_words: words.into(),
                summary: "Reason: asked".into(),
                promised_at: None,
                answer_by: at.checked_add(SignedDuration::from_hours(1)).unwrap(),
                late_reply: None,
            }),
        };
        self.crm.apply(&write).await.unwrap();
        let row = self
            .crm
            .open_handover(&conversation)
            .await
            .unwrap()
            .unwrap();
        console::desk::cell(&row, "id").to_owned()
    }

    /// A customer who wants something.
    pub(crate) async fn wants(&self, name: &str, phone: &str, intent: &str) {
        let write = CrmWrite {
            message: format!("twilio:{phone}"),
            at: Timestamp::now(),
            contact: contact(name, phone),
            lead: Some(LeadWrite {
                conversation: format!("whatsapp:{phone}"),
                intent: intent.into(),
                fields: vec![LeadField {
                    name: "car_model".into(),
                    value: "=Golf".into(),
                    agent: "extraction".into(),
                    confidence: 0.9,
                }],
                complete: false,
            }),
            appointments: Vec::new(),
            withdrawn: None,
            questions: Vec::new(),
            handover: None,
        };
        self.crm.apply(&write).await.unwrap();
    }

    /// What waits for the worker: kind and payload of each entry.
    pub(crate) async fn waiting_for_worker(&self) -> Vec<(String, serde_json::Value)> {
        let mut all = Vec::new();
        for number in 0..4 {
            let key = format!("in:{number}");
            let entries: Vec<(String, Vec<String>)> = self._server.run(&["XRANGE", &key, "-", "+"]);
            for (_, fields) in entries {
                let value = |name: &str| {
                    let at = fields.iter().step_by(2).position(|field| field == name);
                    fields[at.unwrap() * 2 + 1].clone()
                };
                let payload = serde_json::from_str(&value("payload")).unwrap();
                all.push((value("kind"), payload));
            }
        }
        all
    }

    /// Runs a command on Redis.
    pub(crate) fn run(&self, words: &[&str]) {
        let _: test_support::redis::Value = self._server.run(words);
    }
}

fn contact(name: &str, phone: &str) -> ContactWrite {
    ContactWrite {
        addresses: vec![format!("whatsapp:{phone}"), format!("tel:{phone}")],
        also: Vec::new(),
        name: Some(name.into()),
        language: Some("nl".into()),
        wants_messages: None,
    }
}

impl Browser<'_> {
    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.rig.request(method, path).header(ORIGIN, &self.rig.url);
        match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// A page that is there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.request(Method::POST, path).form(fields);
        request.send().await.unwrap()
    }

    /// Posts a form; gives where it leads.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await;
        let status = answer.status();
        let to = answer.headers().get(LOCATION);
        let to = to.map(|to| to.to_str().unwrap().to_owned());
        assert_eq!(
            status,
            StatusCode::SEE_OTHER,
            "{path}: {}",
            answer.text().await.unwrap()
        );
        to.unwrap()
    }
}
