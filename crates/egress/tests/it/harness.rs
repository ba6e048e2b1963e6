//! A redis-server, a simulator, and as many egress services as a test wants.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clap::{Args, Command, FromArgMatches, Parser};
use egress::{Egress, EgressConfig, EgressError};
use jiff::Timestamp;
use shared_types::{
    ChannelAddress, DeliveryEvent, DeliveryStatus, Endpoint, OutboundId, OutboundMessage, Purpose,
    Source,
};
use simulator::{
    CustomerMessage, DeliveryPlan, Fault, FaultRule, Provider, Query, Record, Simulator,
    SimulatorConfig, SimulatorHandle,
};
use streams::{Ingest, Ingested, Letter, NewEntry, PartitionKeys, Queue, Redis, RedisConfig};
use test_support::{RedisServer, eventually};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::logs;

/// Longer than anything takes that happens at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000000";
pub(crate) const OURS: &str = "whatsapp:+14155238886";
pub(crate) const OTHER_OURS: &str = "whatsapp:+31201234567";
pub(crate) const CUSTOMER: &str = "whatsapp:+31612345678";
pub(crate) const PUBLIC: &str = "http://bot.postduif.test";

pub(crate) const PARTITIONS: &str = "8";

/// Fields of a Redis hash.
pub(crate) type Fields = BTreeMap<String, String>;

#[derive(Parser)]
struct RedisCli {
    #[command(flatten)]
    redis: RedisConfig,
}

/// Everything around the service. Stops when it is dropped.
pub(crate) struct Rig {
    pub(crate) server: RedisServer,
    pub(crate) redis: Redis,
    pub(crate) simulator: SimulatorHandle,
    partitions: &'static str,
    _stop: DropGuard,
}

impl Rig {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        Self::with_partitions(PARTITIONS, change)
    }

    pub(crate) fn with_partitions(
        partitions: &'static str,
        change: impl FnOnce(&mut SimulatorConfig),
    ) -> Self {
        logs::keep();
        runtime::install_tls();
        let server = RedisServer::start();
        let stop = CancellationToken::new();
        // Nothing listens there: what the simulator would post is of no interest here.
        let mut config = SimulatorConfig::for_ingress("http://127.0.0.1:9");
        config.twilio.numbers.push(OTHER_OURS.into());
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let simulator = Simulator::new(config, listener, stop.clone())
            .start()
            .unwrap();
        simulator.set_deliveries(DeliveryPlan::silent()).unwrap();
        let args = redis_args(&server, partitions);
        let cli = RedisCli::parse_from(["test".to_owned()].into_iter().chain(args));
        Self {
            redis: Redis::new(&cli.redis).unwrap(),
            server,
            partitions,
            simulator,
            _stop: stop.drop_guard(),
        }
    }

    /// Arguments that point `egress` at this rig, quick in everything, with `changes` on top.
    pub(crate) fn args(&self, changes: &[&str]) -> Vec<String> {
        let url = self.simulator.url();
        let mut args = redis_args(&self.server, self.partitions);
        for (name, value) in [
            ("port", "0"),
            ("public-base-url", PUBLIC),
            ("twilio-account-sid", ACCOUNT),
            ("twilio-auth-token", "fake-twilio-token"),
            ("twilio-whatsapp-number", &format!("{OURS},{OTHER_OURS}")),
            ("twilio-api-base-url", url),
            ("twilio-per-second", "0"),
            ("waha-base-url", url),
            ("waha-api-key", "fake-waha-key"),
            ("waha-per-second", "0"),
            ("waha-typing-speed", "0"),
            ("chatwoot-base-url", url),
            ("chatwoot-api-token", "fake-chatwoot-bot-token"),
            ("chatwoot-account-id", "1"),
            ("chatwoot-per-second", "0"),
            ("request-timeout-ms", "400"),
            ("settle-ms", "50"),
            ("first-pause-ms", "20"),
            ("first-round-pause-ms", "40"),
            ("probe-ms", "100"),
            ("lease-ms", "1500"),
            ("shutdown-grace-secs", "5"),
        ] {
            let change = |change: &&str| change.split_once('=').is_some_and(|(n, _)| n == name);
            if !changes.iter().any(change) {
                args.push(format!("--{name}={value}"));
            }
        }
        args.extend(changes.iter().map(|change| format!("--{change}")));
        args
    }

    /// Starts a service in this process.
    pub(crate) fn egress(&self, changes: &[&str]) -> Running {
        let command = EgressConfig::augment_args(Command::new("egress"))
            .mut_args(|arg| arg.env(None::<&str>));
        let args = ["egress".to_owned()].into_iter().chain(self.args(changes));
        let config = EgressConfig::from_arg_matches(&command.get_matches_from(args)).unwrap();
        assert_eq!(config.mistakes(), Vec::<String>::new());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let egress = Egress::build(config, "test").unwrap();
        #[expect(
            clippy::disallowed_methods,
            reason = "a test waits for the task or aborts it"
        )]
        let task = tokio::spawn(egress.run(listener, stop.clone()));
        Running {
            metrics: format!("http://{address}/metrics"),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            stop,
            task,
        }
    }

    pub(crate) fn keys(&self, conversation: &str) -> PartitionKeys {
        let partition = self.redis.partitions().partition_of(conversation);
        self.redis.keys().of(partition)
    }

    /// Queues a message as the worker would.
    pub(crate) async fn queue(&self, message: &OutboundMessage) {
        let payload = serde_json::to_string(message).unwrap();
        let conversation = message.conversation_id.as_str();
        self.queue_raw("message", message.id.as_str(), conversation, &payload)
            .await;
    }

    pub(crate) async fn queue_raw(
        &self,
        kind: &str,
        event: &str,
        conversation: &str,
        payload: &str,
    ) {
        self.add(NewEntry {
            kind: kind.into(),
            event: event.into(),
            conversation: conversation.into(),
            payload: payload.into(),
            ..NewEntry::default()
        })
        .await;
    }

    pub(crate) async fn add(&self, entry: NewEntry) {
        let ingest = Ingest::unlimited(Queue::Outbound, &entry);
        self.redis.ingest(&ingest).await.unwrap();
    }

    /// A colleague writes to the customer; gives the id of the entry, as ingress would.
    pub(crate) async fn colleague_writes(&self, conversation: &str) -> String {
        let entry = NewEntry {
            kind: "colleague".into(),
            event: "colleague".into(),
            conversation: conversation.into(),
            payload: "{}".into(),
            fences: true,
            ..NewEntry::default()
        };
        let ingest = Ingest::unlimited(Queue::Inbound, &entry);
        match self.redis.ingest(&ingest).await.unwrap() {
            Ingested::Queued { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    /// Queues a delivery report as ingress would.
    pub(crate) async fn report(&self, report: &DeliveryEvent) {
        self.add(NewEntry {
            kind: "delivery".into(),
            event: format!("status:{}:{}", report.provider_id, report.status.as_str()),
            conversation: report.conversation_id.to_string(),
            mailbox: Some(format!("delivery:{}", report.provider_id)),
            payload: serde_json::to_string(report).unwrap(),
            trace: None,
            fences: false,
        })
        .await;
    }

    /// Waits until `count` messages to the customer were accepted, in any spelling.
    pub(crate) async fn sent(&self, to: &str, count: usize) -> Vec<Record> {
        let sent = self.simulator.wait_for_sent(to, count, PATIENCE).await;
        assert_eq!(sent.len(), count, "messages accepted for {to}");
        sent
    }

    /// Everything that was asked of a provider so far, in order.
    pub(crate) fn calls(&self, provider: Provider) -> Vec<Record> {
        self.simulator.sent(&Query {
            provider: Some(provider),
            limit: Query::DEFAULT_LIMIT,
            ..Query::default()
        })
    }

    pub(crate) fn fault(&self, fault: Fault, times: u64) {
        let rule = FaultRule::for_sends(Provider::Twilio, times, fault);
        self.simulator.add_fault(rule).unwrap();
    }

    /// The same for one customer alone.
    pub(crate) fn fault_for(&self, to: &str, fault: Fault, times: u64) {
        let mut rule = FaultRule::for_sends(Provider::Twilio, times, fault);
        rule.matching.to = Some(to.into());
        self.simulator.add_fault(rule).unwrap();
    }

    /// The ledger's record of a send.
    pub(crate) async fn ledger(&self, message: &OutboundMessage) -> Fields {
        self.ledger_of(message.conversation_id.as_str(), message.id.as_str())
            .await
    }

    pub(crate) async fn ledger_of(&self, conversation: &str, id: &str) -> Fields {
        let key = self.keys(conversation).send(id);
        self.redis.hash(&key).await.unwrap()
    }

    /// Waits until the ledger's record fits, and gives it.
    pub(crate) async fn ledger_when(
        &self,
        message: &OutboundMessage,
        fits: impl Fn(&Fields) -> bool,
    ) -> Fields {
        eventually(async || {
            let fields = self.ledger(message).await;
            if fits(&fields) {
                Ok(fields)
            } else {
                Err(fields)
            }
        })
        .await
    }

    /// Waits until this many dead letters lie there, and gives them.
    pub(crate) async fn letters(&self, count: usize) -> Vec<Letter> {
        let shelf = streams::Shelf::Dead(Queue::Outbound);
        eventually(async || {
            let letters = self.redis.letters(shelf, None, 100).await.unwrap();
            if letters.len() == count {
                Ok(letters)
            } else {
                Err(letters)
            }
        })
        .await
    }

    /// Waits until nothing is waiting or in progress.
    pub(crate) async fn until_empty(&self) {
        eventually(async || {
            let now = Timestamp::now().as_millisecond();
            match self
                .redis
                .backlog(Queue::Outbound, now)
                .await
                .unwrap()
                .entries
            {
                0 => Ok(()),
                entries => Err(entries),
            }
        })
        .await;
    }

    /// Lets a customer write through Chatwoot, so that there is a conversation: number 1.
    pub(crate) async fn chatwoot_conversation(&self) {
        let message = CustomerMessage::text(Provider::Chatwoot, CUSTOMER, "Hallo");
        self.simulator.post(message).await.unwrap();
    }

    /// Sets fields of what the worker keeps: `conversation` or `contact`.
    pub(crate) fn set(&self, key: &str, field: &str, value: &str) {
        self.server.run::<u64>(&["HSET", key, field, value]);
    }

    pub(crate) fn forget(&self, key: &str) {
        self.server.run::<u64>(&["DEL", key]);
    }
}

fn redis_args(server: &RedisServer, partitions: &str) -> Vec<String> {
    vec![
        format!("--redis-url={}", server.url()),
        format!("--redis-partitions={partitions}"),
    ]
}

/// A service that runs in this process.
pub(crate) struct Running {
    metrics: String,
    http: reqwest::Client,
    stop: CancellationToken,
    task: JoinHandle<Result<(), EgressError>>,
}

impl Running {
    /// As SIGTERM would.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// As a crash would: nothing is drained, nothing is released.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    /// The value of a metric, with its labels as the page writes them; 0 when it is not there.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let page = self.http.get(&self.metrics).send().await.unwrap();
        let page = page.text().await.unwrap();
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// The sum of a metric over all of its lines that have this label.
    pub(crate) async fn metric_with(&self, name: &str, label: &str) -> f64 {
        let page = self.http.get(&self.metrics).send().await.unwrap();
        let page = page.text().await.unwrap();
        let of_name = page.lines().filter_map(|line| line.strip_prefix(name));
        let of_label = of_name.filter(|rest| rest.starts_with('{') && rest.contains(label));
        of_label
            .map(|rest| rest.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    }
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A reply to [`CUSTOMER`], with an id that no other test has.
pub(crate) fn reply(text: &str) -> OutboundMessage {
    reply_to(CUSTOMER, text)
}

pub(crate) fn reply_to(to: &str, text: &str) -> OutboundMessage {
    OutboundMessage {
        id: fresh_id(),
        source: Source::Twilio,
        conversation_id: to.parse().unwrap(),
        to: to.parse().unwrap(),
        endpoint: Endpoint {
            address: Some(OURS.parse().unwrap()),
            ..Endpoint::default()
        },
        text: text.into(),
        in_reply_to: "SM00000000000000000000000000000001".parse().unwrap(),
        purpose: Purpose::Reply,
        template: None,
        picture: None,
        handoff_note: None,
        not_before: None,
        colleague_seen: None,
        mirrored: None,
        created_at: Timestamp::now(),
    }
}

pub(crate) fn fresh_id() -> OutboundId {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    format!("ob_{process:016x}{number:016x}").parse().unwrap()
}

/// A reply in a WAHA chat.
pub(crate) fn waha_reply(chat: &str, text: &str) -> OutboundMessage {
    OutboundMessage {
        source: Source::Waha,
        conversation_id: format!("waha:default:{chat}").parse().unwrap(),
        to: chat.parse().unwrap(),
        endpoint: Endpoint {
            session: Some("default".into()),
            ..Endpoint::default()
        },
        in_reply_to: format!("false_{chat}_3EB0AA").parse().unwrap(),
        ..reply(text)
    }
}

/// A reply in Chatwoot's conversation number 1.
pub(crate) fn chatwoot_reply(text: &str) -> OutboundMessage {
    OutboundMessage {
        source: Source::Chatwoot,
        conversation_id: "chatwoot:1:1".parse().unwrap(),
        to: "chatwoot:1".parse().unwrap(),
        endpoint: Endpoint {
            account_id: Some(1),
            conversation_id: Some(1),
            ..Endpoint::default()
        },
        in_reply_to: "4711".parse().unwrap(),
        ..reply(text)
    }
}

/// A status callback for a message, as ingress reads it.
pub(crate) fn callback(
    message: &OutboundMessage,
    provider_id: &str,
    status: DeliveryStatus,
) -> DeliveryEvent {
    let to: ChannelAddress = message.to.clone();
    DeliveryEvent {
        source: message.source,
        outbound_id: Some(message.id.clone()),
        conversation_id: message.conversation_id.clone(),
        provider_id: provider_id.into(),
        to,
        status,
        error_code: None,
        error_message: None,
        at: Timestamp::now(),
    }
}

/// A form field of a request as the provider understood it.
pub(crate) fn field(record: &Record, name: &str) -> String {
    let value = record.entry.request.get(name);
    value
        .and_then(|value| value.as_str())
        .unwrap_or_default()
        .to_owned()
}

pub(crate) fn texts(records: &[Record]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record.entry.text.as_str())
        .collect()
}
