//! What a customer with bad manners and a peer without any secret do to ingress.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use crate::Service;
use crate::webhook::Webhooks;

/// Texts of this length are refused after verification.
const LONG_TEXT: usize = 31_000;
const LONG_TEXTS: u32 = 900;
const IDLE: u32 = 3_000;
const STALLED: u32 = 900;
/// As the largest body that is read.
const STALLED_BYTES: usize = 60_000;
const REFUSALS_A_SECOND: u32 = 500;
const ADDRESSES: u32 = 16;

/// An attack in progress.
pub(crate) struct Attack {
    tasks: JoinSet<()>,
    deeds: Arc<Deeds>,
}

#[derive(Debug, Default)]
struct Deeds {
    texts: AtomicU64,
    idle: AtomicU64,
    stalled: AtomicU64,
    refusals: AtomicU64,
}

impl Attack {
    /// Starts everything at once.
    pub(crate) fn start(webhooks: &Webhooks, ingress: &Service) -> Self {
        runtime::raise_file_limit();
        let deeds = Arc::new(Deeds::default());
        let url = ingress.url();
        let ingress: SocketAddr = url
            .trim_start_matches("http://")
            .parse()
            .expect("an address");
        let mut tasks = JoinSet::new();
        tasks.spawn(write(webhooks.clone(), deeds.clone()));
        tasks.spawn(refuse(ingress, deeds.clone()));
        for number in 0..IDLE {
            let count = Counter(deeds.clone(), |deeds| &deeds.idle);
            tasks.spawn(hold(ingress, number, Vec::new(), count));
        }
        for number in 0..STALLED {
            let count = Counter(deeds.clone(), |deeds| &deeds.stalled);
            tasks.spawn(hold(ingress, number, stalled_request(), count));
        }
        Self { tasks, deeds }
    }

    /// Ends it, and says what was done.
    pub(crate) async fn stop(mut self) -> Vec<(&'static str, u64)> {
        self.tasks.shutdown().await;
        let count = |deed: &AtomicU64| deed.load(Ordering::Relaxed);
        vec![
            ("texts of the flooding customer", count(&self.deeds.texts)),
            ("idle connections opened", count(&self.deeds.idle)),
            ("bodies stalled", count(&self.deeds.stalled)),
            ("requests that must be refused", count(&self.deeds.refusals)),
        ]
    }
}

/// Counts one kind of deed.
struct Counter(Arc<Deeds>, fn(&Deeds) -> &AtomicU64);

impl Counter {
    fn one(&self) {
        (self.1)(&self.0).fetch_add(1, Ordering::Relaxed);
    }
}

/// One customer: texts that are too long, and then as many short ones as the provider delivers.
async fn write(webhooks: Webhooks, deeds: Arc<Deeds>) {
    let long = "x".repeat(LONG_TEXT);
    let mut pace = interval(Duration::from_millis(10));
    for number in 0_u32.. {
        pace.tick().await;
        let text = if number < LONG_TEXTS { &long } else { "hoi" };
        let sid = format!("SM{:032x}", 0xbad_0000_u64 + u64::from(number));
        if webhooks.post(&sid, "+31699999999", text).await.is_ok() {
            deeds.texts.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Keeps one connection open on which this was sent; another as soon as it is closed.
async fn hold(ingress: SocketAddr, number: u32, request: Vec<u8>, count: Counter) {
    loop {
        if let Ok(mut stream) = connect(ingress, number).await
            && stream.write_all(&request).await.is_ok()
        {
            count.one();
            drop(stream.read_to_end(&mut Vec::new()).await);
        }
        // A peer with a thousand connections does not open each of them again at once.
        sleep(Duration::from_secs(1)).await;
    }
}

fn stalled_request() -> Vec<u8> {
    let head = format!(
        "POST /webhooks/twilio/whatsapp HTTP/1.1\r\nhost: x\r\nx-twilio-signature: any\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        STALLED_BYTES + 1
    );
    [head.into_bytes(), vec![b'x'; STALLED_BYTES]].concat()
}

/// Requests that are refused for every kind of reason.
async fn refuse(ingress: SocketAddr, deeds: Arc<Deeds>) {
    let post = |target: &str, headers: &str, body: &str| {
        let length = body.len();
        format!(
            "POST {target} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n{body}"
        )
    };
    let signed = "x-twilio-signature: any\r\n";
    let twilio = "/webhooks/twilio/whatsapp";
    let form = format!("{signed}content-type: application/x-www-form-urlencoded\r\n");
    let requests = [
        post(
            twilio,
            &format!("{signed}content-type: text/plain\r\n"),
            "x",
        ),
        post(twilio, &form, "Body=x"),
        post(twilio, &form, &"x".repeat(70_000)),
        post(twilio, &form, &"a&".repeat(2_000)),
        post(twilio, "", "x"),
        post("/webhooks/waha", "x-webhook-hmac: 00\r\n", "{}"),
        post("/nowhere", "", "x"),
    ];
    let mut pace = interval(Duration::from_secs(1) / REFUSALS_A_SECOND);
    let mut running = JoinSet::new();
    for (number, request) in (0_u32..).zip(requests.iter().cycle()) {
        pace.tick().await;
        while running.try_join_next().is_some() {}
        let (request, deeds) = (request.clone(), deeds.clone());
        running.spawn(async move {
            let Ok(mut stream) = connect(ingress, number).await else {
                return;
            };
            drop(stream.write_all(request.as_bytes()).await);
            let mut answer = Vec::new();
            let answered = stream.read_to_end(&mut answer);
            if timeout(Duration::from_secs(5), answered).await.is_ok() {
                deeds.refusals.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

/// From one of a few addresses, none of which is an honest customer's provider.
async fn connect(ingress: SocketAddr, number: u32) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let host = 2 + u8::try_from(number % ADDRESSES).unwrap_or_default();
    socket.bind((Ipv4Addr::new(127, 0, 0, host), 0).into())?;
    socket.connect(ingress).await
}
