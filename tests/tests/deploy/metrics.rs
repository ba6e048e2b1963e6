//! Every metric and label that a dashboard or alert asks for exists.

use std::collections::{BTreeMap, BTreeSet};

use runtime::RedisMetrics;
use runtime::metrics::Metrics;
use serde_json::Value;

use crate::files::read;
use crate::tools;

/// Prometheus adds these.
const ADDED: [&str; 3] = ["job", "instance", "le"];

/// Labels by metric name, with the names that a histogram's parts have.
fn registered() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut metrics = Metrics::new("tests", "0").unwrap();
    RedisMetrics::new(&mut metrics).unwrap();
    ingress::IngressMetrics::new(&mut metrics).unwrap();
    worker::metrics::WorkerMetrics::new(&mut metrics).unwrap();
    egress::EgressMetrics::new(&mut metrics).unwrap();
    let mut names = BTreeMap::new();
    for family in metrics.families() {
        let labels: BTreeSet<_> = family.labels.iter().copied().collect();
        let suffixes: &[&str] = if family.kind == "histogram" {
            &["_bucket", "_count", "_sum"]
        } else {
            &[""]
        };
        for suffix in suffixes {
            names.insert(format!("{}{suffix}", family.name), labels.clone());
        }
    }
    // The process collector has no families of ours.
    for line in metrics
        .page()
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("process_"))
    {
        names.insert(
            line.split_whitespace().next().unwrap().to_owned(),
            BTreeSet::new(),
        );
    }
    names.insert("up".into(), BTreeSet::new());
    names
}

/// All queries, with where they are.
fn queries() -> Vec<(String, String)> {
    let mut queries = vec![("scaled object".to_owned(), scaling_query())];
    queries.extend(alert_queries());
    queries.extend(dashboard_queries());
    queries
}

/// What the dashboards ask, with the panel's name.
pub(crate) fn dashboard_queries() -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for name in ["owner", "operator"] {
        let dashboard: Value =
            serde_json::from_str(&read(&format!("deploy/grafana/dashboards/{name}.json"))).unwrap();
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let place = format!("{name}: {}", panel["title"].as_str().unwrap());
                queries.push((place, target["expr"].as_str().unwrap().to_owned()));
            }
        }
    }
    queries
}

/// As Prometheus understood alerts.yml.
fn alert_queries() -> Vec<(String, String)> {
    let text = read("deploy/prometheus/alerts.yml");
    let mut queries = Vec::new();
    for rule in text.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        let expression = rule.split_once("expr: ").unwrap().1;
        let end = ["\n        for:", "\n        labels:"]
            .iter()
            .filter_map(|key| expression.find(key))
            .min();
        let expression = expression
            .get(..end.unwrap())
            .unwrap()
            .trim_start_matches('|');
        queries.push((name.to_owned(), expression.trim().to_owned()));
    }
    queries
}

fn scaling_query() -> String {
    let text = read("deploy/kubernetes/autoscaled/worker.yaml");
    let query = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("query: "))
        .unwrap();
    query.to_owned()
}

/// Words that are followed by `{` or are names of ours, and the labels that are spoken of.
fn asked(query: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut names, mut labels) = (BTreeSet::new(), BTreeSet::new());
    let without_texts: String = query.split('"').step_by(2).collect();
    let mut rest = without_texts.as_str();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut braces = false;
    let mut by = false;
    while let Some(start) = rest.find(is_word) {
        let (gap, from) = rest.split_at(start);
        for c in gap.chars() {
            braces = (braces || c == '{') && c != '}';
            by = by && c != ')';
        }
        let end = from.find(|c| !is_word(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        if braces || by {
            labels.insert(word.to_owned());
        } else if word == "by" {
            by = true;
        } else if word == "up"
            || ["postduif_", "webhook_", "process_"]
                .iter()
                .any(|own| word.starts_with(own))
        {
            names.insert(word.to_owned());
        }
        rest = after;
    }
    (names, labels)
}

#[test]
fn every_query_asks_for_what_exists() {
    let registered = registered();
    for (place, query) in queries() {
        let (names, labels) = asked(&query);
        assert!(!names.is_empty(), "{place}: no metric in {query}");
        let mut known: BTreeSet<&str> = ADDED.into();
        for name in &names {
            let of_name = registered
                .get(name)
                .unwrap_or_else(|| panic!("{place}: no service has {name}"));
            known.extend(of_name);
        }
        let strange: Vec<_> = labels
            .iter()
            .filter(|label| !known.contains(label.as_str()))
            .collect();
        assert!(
            strange.is_empty(),
            "{place}: {names:?} have no label {strange:?}"
        );
    }
}

#[test]
fn the_reader_of_queries_sees_names_and_labels() {
    let (names, labels) =
        asked(r#"sum by (a) (rate(postduif_x_total{b=~"postduif_no|c"}[5m])) / up"#);
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        ["postduif_x_total", "up"]
    );
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn prometheus_understands_every_query() {
    let rules: Vec<_> = queries()
        .into_iter()
        .enumerate()
        .map(|(at, (_, query))| serde_json::json!({ "record": format!("query:{at}"), "expr": query }))
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    let groups = serde_json::json!({ "groups": [{ "name": "queries", "rules": rules }] });
    std::fs::write(file.path(), groups.to_string()).unwrap();
    tools::run(
        ".",
        "promtool",
        ["check".as_ref(), "rules".as_ref(), file.path().as_os_str()],
    );
}
