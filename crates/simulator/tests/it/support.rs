//! A running simulator, a receiver in the ingress's place, and a client.

use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use reqwest::redirect::Policy;
use serde_json::Value;
use simulator::{Simulator, SimulatorConfig, SimulatorHandle};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Longer than anything takes that happens at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000000";
pub(crate) const TOKEN: &str = "fake-twilio-token";
pub(crate) const NUMBER: &str = "whatsapp:+14155238886";
pub(crate) const CUSTOMER: &str = "whatsapp:+31612345678";

/// Everything that a test needs. Stops when it is dropped.
pub(crate) struct Rig {
    pub(crate) simulator: SimulatorHandle,
    pub(crate) ingress: Receiver,
    pub(crate) http: reqwest::Client,
    stop: CancellationToken,
    _guard: DropGuard,
}

impl Rig {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let stop = CancellationToken::new();
        let ingress = Receiver::start(stop.clone());
        let mut config = SimulatorConfig::for_ingress(&ingress.url);
        config.status_delay_ms = 1;
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let simulator = Simulator::new(config, listener, stop.clone())
            .start()
            .unwrap();
        Self {
            simulator,
            ingress,
            http: client(),
            _guard: stop.clone().drop_guard(),
            stop,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.url())
    }

    /// A Twilio create-message call with these fields.
    pub(crate) fn twilio(&self, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
        self.http
            .post(self.url(&path))
            .basic_auth(ACCOUNT, Some(TOKEN))
            .form(fields)
    }

    /// A valid Twilio message with this text.
    pub(crate) fn send(&self, text: &str) -> reqwest::RequestBuilder {
        self.twilio(&[("From", NUMBER), ("To", CUSTOMER), ("Body", text)])
    }

    /// GET on Twilio's API below the account.
    pub(crate) fn twilio_get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http
            .get(self.url(&format!("/2010-04-01/Accounts/{ACCOUNT}/{path}")))
            .basic_auth(ACCOUNT, Some(TOKEN))
    }

    /// Tells simulator and receiver to stop.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// How many messages the providers took.
    pub(crate) fn accepted(&self) -> u64 {
        let senders = self.simulator.stats().senders;
        senders.iter().map(|sender| sender.accepted).sum()
    }

    /// A command of the JSON API with a body; status and answer.
    pub(crate) async fn command(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(self.url(path)).json(body);
        json(request).await
    }

    /// A question of the JSON API; the answer.
    pub(crate) async fn ask(&self, path: &str) -> Value {
        let (status, answer) = json(self.http.get(self.url(path))).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }
}

/// A client that follows no redirect and gives up after [`PATIENCE`].
pub(crate) fn client() -> reqwest::Client {
    // Fails when another test of this process was first, which is fine.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

/// Status and JSON of the answer, `null` for a body that is none.
pub(crate) async fn json(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// A webhook as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(found, _)| found == name)?;
        Some(value)
    }

    pub(crate) fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let mut form = self.form().into_iter();
        form.find(|(found, _)| found == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Stands in the ingress's place: takes every webhook and keeps it.
pub(crate) struct Receiver {
    pub(crate) url: String,
    state: Data<ReceiverState>,
    count: watch::Receiver<usize>,
}

struct ReceiverState {
    received: Mutex<Vec<Received>>,
    status: AtomicU16,
    count: watch::Sender<usize>,
}

impl Receiver {
    fn start(stop: CancellationToken) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, count) = watch::channel(0);
        let state = Data::new(ReceiverState {
            received: Mutex::default(),
            status: AtomicU16::new(200),
            count: sender,
        });
        let shared = state.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .default_service(web::to(receive))
        })
        .workers(1)
        .shutdown_timeout(0)
        .disable_signals()
        .shutdown_signal(stop.cancelled_owned())
        .listen(listener)
        .unwrap()
        .run();
        drop(TaskTracker::new().spawn(server));
        Self { url, state, count }
    }

    /// Answers with this status from now on.
    pub(crate) fn answer_with(&self, status: u16) {
        self.state.status.store(status, Ordering::SeqCst);
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// Waits until this many webhooks have arrived, and gives them.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut changes = self.count.clone();
        let enough = changes.wait_for(|found| *found >= count);
        let waited = tokio::time::timeout(PATIENCE, enough).await.map(drop);
        let received = self.all();
        assert!(
            waited.is_ok(),
            "{} of {count}: {received:?}",
            received.len()
        );
        received
    }
}

async fn receive(state: Data<ReceiverState>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let headers = request.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    });
    let received = Received {
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        body: body.to_vec(),
        headers: headers.collect(),
    };
    let count = {
        let mut all = state.received.lock().unwrap();
        all.push(received);
        all.len()
    };
    state.count.send_replace(count);
    let status = StatusCode::from_u16(state.status.load(Ordering::SeqCst)).unwrap();
    HttpResponse::build(status)
        .content_type("text/xml")
        .body("<Response/>")
}
