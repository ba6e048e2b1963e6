//! Prometheus' rules and Alertmanager's configuration.

use crate::files::read;
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

#[test]
fn every_rule_says_what_to_do() {
    let text = read("deploy/prometheus/alerts.yml");
    let runbook = read("deploy/README.md");
    for rule in text.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        for key in ["severity: ", "summary: ", "description: "] {
            assert!(rule.contains(key), "{name} has no {key}");
        }
        let anchor = format!("runbook: \"deploy/README.md#{}\"", name.to_lowercase());
        assert!(rule.contains(&anchor), "{name} has no {anchor}");
        assert!(
            runbook.contains(&format!("\n### {name}\n")),
            "the runbook has no section {name}"
        );
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
