//! The kustomize files, rendered and checked against the schemas of Kubernetes and KEDA.

use std::process::Command;

use crate::files::root;
use crate::tools::{self, run};

fn render(variant: &str) -> String {
    run(
        ".",
        "kubectl",
        ["kustomize", &format!("deploy/kubernetes/{variant}")],
    )
}

/// The documents of a kind.
fn of_kind(rendered: &str, kind: &str) -> Vec<String> {
    let documents = rendered.split("\n---\n");
    documents
        .filter(|document| document.contains(&format!("kind: {kind}\n")))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_base_fits_the_schemas() {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), render("base")).unwrap();
    let arguments = ["--strict".as_ref(), file.path().as_os_str()];
    run(".", "kubernetes-validate", arguments);
}

#[test]
fn the_scaled_object_fits_kedas_schema() {
    let rendered = render("autoscaled");
    let scaled = of_kind(&rendered, "ScaledObject");
    let [scaled] = scaled.as_slice() else {
        panic!("{scaled:?}")
    };
    let script = root().join("tests/tests/deploy/keda.mjs");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), scaled).unwrap();
    let modules = tools::folder().join("node/node_modules");
    tools::output(
        Command::new("node")
            .arg(script)
            .arg(modules)
            .arg(file.path()),
    );
}

#[test]
fn workers_never_outnumber_the_partitions() {
    let rendered = render("autoscaled");
    let most = rendered
        .lines()
        .find_map(|line| line.trim().strip_prefix("maxReplicaCount: "))
        .unwrap();
    assert!(most.parse::<u16>().unwrap() <= 64, "REDIS_PARTITIONS is 64");
    let workers = of_kind(&rendered, "Deployment");
    let worker = workers
        .iter()
        .find(|document| document.contains("  name: worker\n"))
        .unwrap();
    assert!(
        !worker.contains("  replicas:"),
        "every apply would undo what KEDA decided"
    );
}

#[test]
fn every_pod_is_confined_watched_and_ends_in_peace() {
    let rendered = render("base");
    let mut workloads = of_kind(&rendered, "Deployment");
    workloads.extend(of_kind(&rendered, "StatefulSet"));
    assert_eq!(workloads.len(), 3);
    for workload in workloads {
        for wanted in [
            "readOnlyRootFilesystem: true",
            "runAsNonRoot: true",
            "allowPrivilegeEscalation: false",
            "terminationGracePeriodSeconds: 40",
            "automountServiceAccountToken: false",
            "startupProbe:",
            "livenessProbe:",
            "path: /health/ready",
            "topologySpreadConstraints:",
            "memory: ",
        ] {
            assert!(
                workload.contains(wanted),
                "{wanted} is missing in\n{workload}"
            );
        }
    }
    assert_eq!(of_kind(&rendered, "PodDisruptionBudget").len(), 3);
}

#[test]
fn only_webhooks_are_public() {
    let rendered = render("base");
    let routes = of_kind(&rendered, "Ingress");
    assert_eq!(routes.len(), 1);
    let paths: Vec<_> = routes[0]
        .lines()
        .filter_map(|line| line.trim().strip_prefix("path: "))
        .collect();
    assert_eq!(paths, ["/webhooks"]);
}
