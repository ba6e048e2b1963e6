//! What a webhook costs ingress, beside a handler that reads the same form and answers the same bytes.

use std::time::Duration;

use simulator::twilio::{Account, encode_form, sign, webhook_form};
use simulator::{CustomerMessage, Provider};
use test_support::RedisServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at};

use crate::settings::{ACCOUNT, NUMBER, TOKEN};
use crate::{RedisShape, Role, Service, Settings, cpu_time, print_table, rss_kib};

/// What ingress answers to a message of Twilio.
pub const TWILIO_ANSWER: &str = "<Response/>";

pub(crate) const CONNECTIONS: u32 = 32;
const CUSTOMERS: u32 = 1_000;
/// The same load for both: what a server can do beyond it would tell how well it batches.
const PER_SECOND: u32 = 5_000;
/// The servers take turns, so that a change of the machine's speed strikes both.
const ROUNDS: u32 = 20;
/// Before counting: connections to Redis are made, and scripts loaded.
const WARM_UP: u32 = 1_000;

/// A server under load, and what it has used.
struct Server {
    service: Service,
    requests: std::vec::IntoIter<Vec<u8>>,
    cpu: Duration,
}

impl Server {
    async fn start(mut service: Service, series: usize, requests: u32) -> Self {
        service.start();
        service.until_ready().await;
        let requests = signed_requests(&service.url(), series, WARM_UP + requests, CUSTOMERS);
        let mut server = Self {
            service,
            requests: requests.into_iter(),
            cpu: Duration::ZERO,
        };
        server.post(WARM_UP).await;
        server.cpu = Duration::ZERO;
        server
    }

    async fn post(&mut self, count: u32) {
        let address = self.service.url().replace("http://", "");
        let mut connections = JoinSet::new();
        let before = cpu_time(self.service.id());
        for place in 0..CONNECTIONS {
            let mine = count / CONNECTIONS + u32::from(place < count % CONNECTIONS);
            let mine: Vec<_> = self.requests.by_ref().take(mine as usize).collect();
            let pace = Some(PER_SECOND);
            connections.spawn(post_one_by_one(address.clone(), mine, place, pace));
        }
        connections.join_all().await;
        self.cpu += cpu_time(self.service.id()).saturating_sub(before);
    }

    fn micros(&self, requests: u32) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(requests)
    }

    fn row(&self, name: &str, requests: u32, plain: f64) -> (String, String) {
        let micros = self.micros(requests);
        let text = format!(
            "{micros:5.1} µs of CPU, {:4.2} times the first, {:5.1} MB resident",
            micros / plain,
            rss_kib(self.service.id()) as f64 / 1024.0,
        );
        (name.to_owned(), text)
    }
}

/// Posts signed, unique webhooks to both, and prints what each used.
pub async fn print_cost_of_webhooks(requests: u32) {
    runtime::install_tls();
    let redis = RedisShape::Single(RedisServer::builder().tcp().start());
    let folder = tempfile::tempdir().expect("a folder");
    let ingress = |log: &'static str| {
        let settings = Settings {
            log,
            ..Settings::default()
        };
        let environment = settings.ingress(&redis.settings(), folder.path());
        let file = folder.path().join(format!("ingress-{log}.log"));
        let mut ingress = Service::new(Role::Ingress, "ingress", environment, file);
        let limit = ("INGRESS_RATE_LIMIT_PER_MINUTE".into(), "100000000".into());
        ingress.set([("PUBLIC_BASE_URL".to_owned(), ingress.url()), limit]);
        ingress
    };
    let file = folder.path().join("plain.log");
    let plain = Service::new(Role::Ingress, "plain", Vec::new(), file);
    let mut servers = Vec::new();
    let services = [plain, ingress("info"), ingress("warn")];
    for (series, service) in services.into_iter().enumerate() {
        servers.push(Server::start(service, series, requests).await);
    }
    for round in 0..ROUNDS {
        let count = requests / ROUNDS + u32::from(round < requests % ROUNDS);
        for server in &mut servers {
            server.post(count).await;
        }
    }
    let plain = servers[0].micros(requests);
    let names = [
        "a handler that only reads the form",
        "ingress, a log line for each",
        "ingress, RUST_LOG=warn",
    ];
    let rows = names.into_iter().zip(&servers);
    let rows: Vec<_> = rows
        .map(|(name, server)| server.row(name, requests, plain))
        .collect();
    print_table(
        &format!("What one of {requests} webhooks costs, {PER_SECOND} a second, one thread"),
        &rows,
    );
}

/// Whole HTTP requests, so that nothing but sending them is left to do while it counts. The ids of
/// two series differ.
pub(crate) fn signed_requests(
    base_url: &str,
    series: usize,
    count: u32,
    customers: u32,
) -> Vec<Vec<u8>> {
    let url = format!("{base_url}/webhooks/twilio/whatsapp");
    let host = base_url.trim_start_matches("http://");
    let account = Account {
        sid: ACCOUNT,
        number: NUMBER,
    };
    let request = |number: u32| {
        let from = format!("+316{:08}", number % customers);
        let text = "Hallo, ik zoek een Volkswagen Golf onder de 15.000 euro";
        let message = CustomerMessage::text(Provider::Twilio, &from, text);
        let form = webhook_form(account, &format!("SM{series:08x}{number:024x}"), &message);
        let (signature, body) = (sign(TOKEN, &url, &form), encode_form(&form));
        format!(
            "POST /webhooks/twilio/whatsapp HTTP/1.1\r\nhost: {host}\r\n\
             user-agent: TwilioProxy/1.1\r\naccept: */*\r\nx-twilio-signature: {signature}\r\n\
             content-type: application/x-www-form-urlencoded; charset=UTF-8\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len(),
        )
        .into_bytes()
    };
    (0..count).map(request).collect()
}

/// One of the connections that together post so many a second, or as many as are taken in.
pub(crate) async fn post_one_by_one(
    address: String,
    requests: Vec<Vec<u8>>,
    place: u32,
    per_second: Option<u32>,
) {
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    connection.set_nodelay(true).expect("a socket");
    let mut pace = per_second.map(|per_second| {
        let between = Duration::from_secs(1) / per_second;
        interval_at(Instant::now() + between * place, between * CONNECTIONS)
    });
    let mut answer = Vec::with_capacity(2_048);
    for request in requests {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        connection
            .write_all(&request)
            .await
            .expect("a request sent");
        answer.clear();
        // The answer is short and always ends the same.
        while !answer.ends_with(TWILIO_ANSWER.as_bytes()) {
            let read = connection.read_buf(&mut answer).await.expect("an answer");
            assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "not taken in");
    }
}
