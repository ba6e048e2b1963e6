//! A real Prometheus with the real rules watches real services while things go wrong.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use e2e_tests::{Role, Settings, System, SystemBuilder};
use serde_json::{Value, json};
use test_support::{Process, eventually_within, free_port};

use crate::files::read;
use crate::metrics::dashboard_queries;
use crate::tools;

const PATIENCE: Duration = Duration::from_secs(60);

/// The rules with short windows and no waiting, so that a test sees them fire.
fn hasty_rules() -> String {
    let lines = read("deploy/prometheus/alerts.yml");
    let lines = lines
        .lines()
        .filter(|line| !line.trim().starts_with("for: "));
    let mut rules: String = lines.map(|line| format!("{line}\n")).collect();
    for window in ["[5m]", "[10m]", "[15m]"] {
        rules = rules.replace(window, "[15s]");
    }
    rules
}

struct Prometheus {
    _process: Process,
    url: String,
}

impl Prometheus {
    fn watching(system: &mut System, folder: &Path) -> Self {
        let jobs: Vec<_> = [Role::Ingress, Role::Worker, Role::Egress]
            .map(|role| scrape(system, role))
            .into();
        let config = json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": ["alerts.yml"],
            "scrape_configs": jobs,
        });
        std::fs::write(folder.join("prometheus.yml"), config.to_string()).unwrap();
        std::fs::write(folder.join("alerts.yml"), hasty_rules()).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(tools::path("prometheus"));
        command
            .arg(format!(
                "--config.file={}",
                folder.join("prometheus.yml").display()
            ))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stderr(Stdio::null());
        Self {
            _process: Process::start("prometheus", &mut command),
            url: format!("http://{address}/api/v1"),
        }
    }

    async fn ask(&self, path: &str) -> Result<Value, String> {
        let answer = reqwest::get(format!("{}{path}", self.url))
            .await
            .map_err(|error| error.to_string())?;
        answer.json().await.map_err(|error| error.to_string())
    }

    /// How many services answer it.
    async fn up(&self) -> Result<usize, String> {
        let targets = self.ask("/targets").await?;
        let targets = targets["data"]["activeTargets"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        Ok(targets
            .iter()
            .filter(|target| target["health"] == "up")
            .count())
    }

    /// How many series answer a query, and the first one's value.
    async fn value(&self, query: &str) -> Result<(usize, Option<f64>), String> {
        let request = reqwest::Client::new().get(format!("{}/query", self.url));
        let answer = request.query(&[("query", query)]).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        let answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        let series = answer["data"]["result"]
            .as_array()
            .ok_or_else(|| answer.to_string())?;
        let value = series.first().and_then(|first| first["value"][1].as_str());
        Ok((series.len(), value.and_then(|value| value.parse().ok())))
    }

    async fn firing(&self) -> Result<BTreeSet<String>, String> {
        let alerts = self.ask("/alerts").await?;
        let alerts = alerts["data"]["alerts"].as_array().ok_or("no alerts")?;
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        Ok(firing
            .filter_map(|alert| alert["labels"]["alertname"].as_str())
            .map(str::to_owned)
            .collect())
    }

    /// Customers go on writing until these alerts fire: a counter counts from its second sample on.
    async fn until_firing(&self, wanted: &[&str], mut write: impl AsyncFnMut()) {
        eventually_within(PATIENCE, async || {
            write().await;
            let firing = self.firing().await?;
            if wanted.iter().all(|name| firing.contains(*name)) {
                Ok(())
            } else {
                Err(format!("wanted {wanted:?}, firing {firing:?}"))
            }
        })
        .await;
    }
}

fn scrape(system: &mut System, role: Role) -> Value {
    let targets: Vec<_> = system
        .all(role)
        .iter()
        .map(|service| service.url().replace("http://", ""))
        .collect();
    json!({ "job_name": role.as_str(), "static_configs": [{ "targets": targets }] })
}

/// Another customer each time: who says the same again and again is taken for a machine.
async fn write(system: &System, tamper: Option<&str>) {
    static CUSTOMERS: AtomicU32 = AtomicU32::new(0);
    let customer = CUSTOMERS.fetch_add(1, Ordering::Relaxed);
    let mut message = json!({ "from": format!("+316123{customer:05}"), "text": "Hallo" });
    if let Some(tamper) = tamper {
        message["tamper"] = tamper.into();
    }
    system.simulator().write(message).await;
}

/// A person who looks at the dashboards on the first day sees zeros, and not that there is no data. Times
/// are not known before something took them.
async fn every_panel_shows_something(prometheus: &Prometheus) {
    for (panel, query) in dashboard_queries() {
        if query.contains("histogram_quantile") {
            continue;
        }
        eventually_within(PATIENCE, async || match prometheus.value(&query).await? {
            (0, _) => Err(format!("{panel} shows no data: {query}")),
            _ => Ok(()),
        })
        .await;
    }
    // Twilio reports what became of the one answer; those webhooks are queued, too.
    eventually_within(PATIENCE, async || {
        let webhooks = r#"sum(webhook_requests_total{status="queued"})"#;
        let (webhooks, messages) = (
            prometheus.value(webhooks).await?.1,
            prometheus.value("sum(postduif_messages_total)").await?.1,
        );
        if webhooks > Some(1.0) && messages == Some(1.0) {
            Ok(())
        } else {
            Err(format!("{webhooks:?} webhooks, {messages:?} messages"))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_fire_while_things_go_wrong_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let mut system = SystemBuilder::new(Settings::default()).start().await;
    let prometheus = Prometheus::watching(&mut system, folder.path());

    write(&system, None).await;
    eventually_within(PATIENCE, async || {
        let (up, firing) = (prometheus.up().await?, prometheus.firing().await?);
        if up == 3 && firing.is_empty() {
            Ok(())
        } else {
            Err(format!("{up} are up, firing: {firing:?}"))
        }
    })
    .await;

    every_panel_shows_something(&prometheus).await;

    let forge = async || write(&system, Some("bad_signature")).await;
    prometheus.until_firing(&["SignatureErrors"], forge).await;

    let refused = json!({ "kind": "error", "status": 400, "code": 21211 });
    let fault = json!({ "provider": "twilio", "endpoint": "send", "fault": refused });
    system.simulator().misbehave(fault).await;
    let ask = async || write(&system, None).await;
    let failures = ["SendFailures", "DeadLettersGrowing"];
    prometheus.until_firing(&failures, ask).await;

    system.service(Role::Worker, 0).kill();
    let missing = ["ServiceMissing", "PartitionsUnowned"];
    prometheus.until_firing(&missing, async || ()).await;
}
