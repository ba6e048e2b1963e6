//! A running ingress with a Redis of its own.

use std::net::TcpListener;
use std::thread::JoinHandle;

use clap::Parser;
use ingress::{Ingress, IngressConfig};
use serde_json::Value;
use test_support::{RedisServer, eventually};
use tokio_util::sync::CancellationToken;

use crate::http::Request;
use crate::signing::{
    ACCOUNT, BASE, CHATWOOT_PATH_TOKEN, CHATWOOT_SECRET, TWILIO_TOKEN, WAHA_SECRET,
};

#[derive(Parser)]
#[command(args_override_self = true)]
struct Cli {
    #[command(flatten)]
    ingress: IngressConfig,
}

/// All providers, one partition, no limits; `extra` flags win.
pub(crate) fn config(redis_url: &str, extra: &[&str]) -> IngressConfig {
    let fixed = [
        ["ingress", "--redis-url", redis_url].as_slice(),
        &["--redis-partitions", "1", "--redis-timeout-ms", "500"],
        &["--threads", "2", "--shutdown-grace-secs", "5"],
        &["--public-base-url", BASE, "--twilio-account-sid", ACCOUNT],
        &["--twilio-auth-token", TWILIO_TOKEN],
        &["--waha-webhook-secret", WAHA_SECRET],
        &["--chatwoot-webhook-secret", CHATWOOT_SECRET],
        &["--chatwoot-path-token", CHATWOOT_PATH_TOKEN],
        &["--hexon-login", "dealer:a long password"],
        &["--rate-limit-per-minute", "0"],
        // Nothing listens there, and nobody asks Twilio.
        match extra.contains(&"--twilio-api-base-url") {
            true => &[],
            false => &["--twilio-api-base-url", "http://127.0.0.1:9"],
        },
    ]
    .concat();
    let config = Cli::parse_from(fixed.iter().chain(extra)).ingress;
    assert_eq!(config.mistakes(), Vec::<String>::new());
    config
}

/// An ingress in this process. Stops when it is dropped.
pub(crate) struct Service {
    pub(crate) port: u16,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    pub(crate) fn start(config: IngressConfig) -> Self {
        runtime::install_tls();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let token = stop.clone();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let ingress = Ingress::build(config).unwrap();
            runtime
                .unwrap()
                .block_on(ingress.run(listener, None, token))
                .unwrap();
        };
        Self {
            port,
            stop,
            thread: Some(std::thread::spawn(serve)),
        }
    }

    /// Stops as on SIGTERM and waits for the end.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking());
        }
    }

    pub(crate) fn ready(&self) -> (u16, Value) {
        let answer = Request::get("/health/ready").send(self.port);
        (answer.status, answer.json())
    }

    /// Waits until the ready page says this status and this word.
    pub(crate) async fn until_ready_says(&self, status: u16, word: &str) {
        eventually(async || match self.ready() {
            (found, page) if found == status && page["status"] == word => Ok(()),
            other => Err(other),
        })
        .await;
    }

    /// All counters and gauges of ours by name with labels.
    pub(crate) fn metrics(&self) -> Vec<(String, f64)> {
        let page = Request::get("/metrics").send(self.port).body;
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        lines.filter_map(sample).collect()
    }

    /// One sample; 0 when it was never counted.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let samples = self.metrics();
        let found = samples.iter().find(|(sample, _)| sample == name);
        found.map_or(0.0, |(_, value)| *value)
    }

    /// How many webhooks of a source ended so.
    pub(crate) fn counted(&self, source: &str, status: &str) -> f64 {
        self.metric(&format!(
            "webhook_requests_total{{source=\"{source}\",status=\"{status}\"}}"
        ))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}

/// A Redis and an ingress over it.
pub(crate) struct Rig {
    pub(crate) redis: RedisServer,
    pub(crate) ingress: Service,
}

impl Rig {
    pub(crate) fn start(extra: &[&str]) -> Self {
        let redis = RedisServer::start();
        let ingress = Service::start(config(&redis.url(), extra));
        Self { redis, ingress }
    }

    pub(crate) fn port(&self) -> u16 {
        self.ingress.port
    }
}

/// An entry of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    fields: Vec<(String, String)>,
}

impl Entry {
    pub(crate) fn field(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        fields
            .find(|(found, _)| found == name)
            .map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn payload(&self) -> Value {
        serde_json::from_str(self.field("payload")).unwrap()
    }
}

/// What lies in a stream: `in:0`, `out:0` or `rejected:0`.
pub(crate) fn stream(redis: &RedisServer, name: &str) -> Vec<Entry> {
    let entries: Vec<(String, Vec<(String, String)>)> = redis.run(&["XRANGE", name, "-", "+"]);
    entries
        .into_iter()
        .map(|(_, fields)| Entry { fields })
        .collect()
}

pub(crate) fn length(redis: &RedisServer, name: &str) -> u64 {
    redis.run(&["XLEN", name])
}
