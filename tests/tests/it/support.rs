use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e_tests::{RedisShape, Role, Settings, System, SystemBuilder};
use serde_json::{Value, json};
use test_support::{RedisCluster, binary, eventually};

pub(crate) const CUSTOMER: &str = "+31612345678";

/// One of each service, all ready, and nothing heard of messages after they were accepted.
pub(crate) async fn system() -> System {
    let system = SystemBuilder::new(Settings::default()).start().await;
    system.simulator().deliver(&[], 0).await;
    system
}

/// The same with WAHA and Chatwoot beside Twilio.
pub(crate) async fn system_of_every_provider() -> System {
    of_every_provider(SystemBuilder::new(Settings::default())).await
}

/// The same over a Redis Cluster.
pub(crate) async fn system_over_a_cluster() -> System {
    let cluster = RedisShape::Cluster(tokio::task::block_in_place(RedisCluster::start));
    of_every_provider(SystemBuilder::new(Settings::default()).redis(cluster)).await
}

async fn of_every_provider(builder: SystemBuilder) -> System {
    let mut system = builder.prepare();
    system.connect_every_provider();
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    system.simulator().deliver(&[], 0).await;
    system
}

/// Waits until the customer was answered `count` times and nothing is on its way any more; gives
/// the outbound ids in order of arrival.
pub(crate) async fn answers(system: &System, count: usize) -> Vec<String> {
    let simulator = system.simulator();
    eventually(async || match simulator.arrivals().await.len() {
        enough if enough >= count => Ok(()),
        few => Err(few),
    })
    .await;
    system.until_idle(std::time::Duration::from_secs(30)).await;
    let arrivals = simulator.arrivals().await;
    arrivals
        .into_iter()
        .map(|arrival| arrival.oid.unwrap())
        .collect()
}

/// Lets the customer write; gives the id of the message, which ingress has acknowledged.
pub(crate) async fn write(system: &System, text: &str) -> String {
    let message = json!({ "from": CUSTOMER, "text": text, "retries": 20, "retry_delay_ms": 100 });
    let answer = system.simulator().write(message).await;
    assert_eq!(answer["status"], 200, "{answer}");
    id_of(&answer)
}

pub(crate) fn id_of(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

/// Runs a command of the worker on the system's Redis and CRM: whether it succeeded, and its words.
pub(crate) fn worker(system: &System, args: &[&str]) -> (bool, String) {
    outcome(worker_command(system, args).output().unwrap())
}

/// The same, while other things happen.
pub(crate) async fn worker_beside(system: &System, args: &[&str]) -> (bool, String) {
    let mut command = worker_command(system, args);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    outcome(output.await.unwrap())
}

fn worker_command(system: &System, args: &[&str]) -> Command {
    let database = system.folder().join("crm.sqlite");
    let mut command = Command::new(binary("worker"));
    command
        .args(args)
        .env_clear()
        .envs(system.redis.settings())
        // Not the deployment's own number: it does not matter.
        .env("REDIS_PARTITIONS", "5")
        .env("CRM_DATABASE_URL", format!("sqlite:{}", database.display()));
    command
}

fn outcome(output: Output) -> (bool, String) {
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// The car dealer of `deploy/domains`, copied into a folder, with other lines where a line of its file begins so.
pub(crate) fn business(folder: &Path, lines: &[(&str, &str)]) -> PathBuf {
    let domains = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/domains");
    let copied = Command::new("cp")
        .arg("-r")
        .args([domains.join("car-dealer"), domains.join("car-dealer.toml")])
        .arg(folder)
        .status();
    assert!(copied.unwrap().success());
    let file = folder.join("car-dealer.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.lines().map(|line| {
        let other = lines.iter().find(|(begin, _)| line.starts_with(begin));
        other.map_or(line, |(_, other)| other)
    });
    std::fs::write(&file, changed.collect::<Vec<_>>().join("\n")).unwrap();
    file
}
