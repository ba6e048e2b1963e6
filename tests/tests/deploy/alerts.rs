//! Prometheus' rules and Alertmanager's configuration.

use crate::files::read;
use crate::runbook::headings;
use crate::tools::run;

fn names() -> Vec<String> {
    let text = read("deploy/prometheus/alerts.yml");
    let names = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    names.map(str::to_owned).collect()
}

#[test]
fn prometheus_accepts_its_configuration() {
    for file in ["prometheus.yml", "kubernetes.yml"] {
        let printed = run("deploy/prometheus", "promtool", ["check", "config", file]);
        assert!(
            printed.contains(&format!("{} rules found", names().len())),
            "{printed}"
        );
    }
}

#[test]
fn every_rule_fires_and_is_silent_as_promised() {
    run(
        "deploy/prometheus",
        "promtool",
        ["test", "rules", "alerts_test.yml"],
    );
    let tests = read("deploy/prometheus/alerts_test.yml");
    for name in names() {
        for wanted in [
            format!("name: {name} fires"),
            format!("name: {name} is silent"),
        ] {
            assert!(tests.contains(&wanted), "no test: {wanted}");
        }
    }
}

/// As a browser shows the runbook. The account is the operator's.
const RUNBOOK: &str = "https://github.com/your-account/postduif/blob/main/deploy/README.md";

#[test]
fn every_rule_says_what_to_do() {
    let text = read("deploy/prometheus/alerts.yml");
    let headings = headings(&read("deploy/README.md"));
    for rule in text.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        for key in ["severity: ", "summary: ", "description: "] {
            assert!(rule.contains(key), "{name} has no {key}");
        }
        let anchor = name.to_lowercase();
        let link = format!("runbook_url: \"{RUNBOOK}#{anchor}\"");
        assert!(rule.contains(&link), "{name} has no {link}");
        assert!(
            headings.contains(&anchor),
            "the runbook has no section {name}"
        );
    }
}

#[test]
fn whoever_is_told_gets_the_link() {
    let text = read("deploy/alertmanager/alertmanager.yml");
    for receiver in ["slack_configs:", "pagerduty_configs:"] {
        let (_, told) = text.split_once(receiver).unwrap();
        let (told, _) = told.split_once("- name:").unwrap_or((told, ""));
        assert!(told.contains("Annotations.runbook_url"), "{receiver}");
    }
}

#[test]
fn alertmanager_accepts_its_configuration() {
    let files = [
        "check-config",
        "deploy/alertmanager/alertmanager.yml",
        "deploy/alertmanager/local.yml",
    ];
    run(".", "amtool", files);
}

#[test]
fn what_is_critical_wakes_somebody() {
    let route = |severity: &str| {
        let file = "--config.file=deploy/alertmanager/alertmanager.yml";
        let printed = run(
            ".",
            "amtool",
            [
                "config",
                "routes",
                "test",
                file,
                &format!("severity={severity}"),
            ],
        );
        printed.trim().to_owned()
    };
    assert_eq!(route("critical"), "pagerduty,slack");
    assert_eq!(route("warning"), "slack");
}
