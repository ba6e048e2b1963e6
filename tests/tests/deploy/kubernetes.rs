//! The kustomize files, rendered and checked against the schemas of Kubernetes and KEDA.

use std::process::Command;

use crate::files::{read, root};
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
fn base_and_console_fit_the_schemas() {
    for variant in ["base", "console"] {
        let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
        std::fs::write(file.path(), render(variant)).unwrap();
        let arguments = ["--strict".as_ref(), file.path().as_os_str()];
        run(".", "kubernetes-validate", arguments);
    }
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
    for workload in &workloads {
        assert!(
            workload.contains("topologySpreadConstraints:"),
            "{workload}"
        );
    }
    workloads.extend(of_kind(&render("console"), "Deployment"));
    assert_eq!(workloads.len(), 4);
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
            "name: postduif\n",
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

/// The part of the runbook between two texts.
fn of_runbook(from: &str, to: &str) -> String {
    let runbook = read("deploy/README.md");
    let (_, rest) = runbook.split_once(from).unwrap();
    rest.split_once(to).unwrap().0.to_owned()
}

/// The overlay that the runbook shows, beside a copy of the base.
#[test]
fn the_shown_overlay_names_images_host_and_class() {
    let folder = tempfile::tempdir_in(root().join("deploy/kubernetes")).unwrap();
    let overlay = of_runbook("```yaml\napiVersion: kustomize", "```");
    let file = folder.path().join("kustomization.yaml");
    std::fs::write(file, format!("apiVersion: kustomize{overlay}")).unwrap();
    let folder = folder.path().to_str().unwrap().to_owned();
    let rendered = run(".", "kubectl", ["kustomize", &folder]);
    for service in ["ingress", "worker", "egress"] {
        let image = format!("image: ghcr.io/acme/postduif/{service}:");
        assert!(rendered.contains(&image), "{image}");
    }
    assert!(!rendered.contains("example.nl"), "{rendered}");
    assert!(rendered.contains("ingressClassName: traefik"));
}

/// What a value with quotes is in the pods: the same as in Compose's containers.
#[test]
fn the_secret_has_no_quotes_of_the_settings_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "# a remark\nTOKEN='a$b#c'\nPLAIN=d=e\n\nINNER=f'g\n";
    std::fs::write(folder.path().join(".env"), settings).unwrap();
    let pipeline = of_runbook("kubectl create namespace postduif\n", "\nkubectl label");
    assert!(pipeline.contains("kubectl --namespace postduif create secret"));
    let tools = tools::folder().join("bin");
    let script = format!(
        "set -o pipefail\nPATH={}:$PATH\n{pipeline} --dry-run=client --output json",
        tools.display()
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder.path());
    let printed = tools::output(&mut command);
    let secret: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let data = secret["data"].as_object().unwrap();
    // Base64 of the values.
    let wanted = [("TOKEN", "YSRiI2M="), ("PLAIN", "ZD1l"), ("INNER", "Zidn")];
    assert_eq!(data.len(), wanted.len(), "{secret}");
    for (name, value) in wanted {
        assert_eq!(data[name], value, "{name}");
    }
}

/// WAHA, Chatwoot, models, mail servers and databases listen on ports of their own.
#[test]
fn pods_reach_every_port_but_not_the_metadata_of_the_machine() {
    let policies = of_kind(&render("base"), "NetworkPolicy");
    let services = policies
        .iter()
        .find(|policy| policy.contains("  name: services\n"))
        .unwrap();
    let (_, out) = services.split_once("  egress:\n").unwrap();
    let (out, _) = out.split_once("  ingress:\n").unwrap_or((out, ""));
    assert!(!out.contains("port"), "{out}");
    assert!(out.contains("169.254.169.254/32"), "{out}");
    let all = policies.concat();
    assert!(
        !all.contains("nginx"),
        "whose proxy is the operator's choice"
    );
}

/// Prometheus and a proxy of the operators reach it, once their namespaces are labelled; it reaches the services.
#[test]
fn the_console_is_not_public_and_may_ask_the_services() {
    let rendered = render("console");
    for kind in ["Ingress", "PodDisruptionBudget"] {
        assert!(of_kind(&rendered, kind).is_empty(), "{kind}");
    }
    let service = of_kind(&rendered, "Service").concat();
    assert!(service.contains("clusterIP: None"), "{service}");
    let policies = of_kind(&rendered, "NetworkPolicy");
    let policy = |name: &str| {
        let name = format!("  name: {name}\n");
        policies
            .iter()
            .find(|policy| policy.contains(&name))
            .unwrap()
    };
    assert!(policy("console").contains("postduif/operators: \"true\""));
    let watched = policy("watched");
    let console = read("deploy/kubernetes/console/console.yaml");
    let (_, asked) = console.split_once("CONSOLE_SERVICES, value: \"").unwrap();
    for place in asked.split('"').next().unwrap().split(',') {
        let (service, port) = place.split_once(':').unwrap();
        assert!(
            watched.contains(&format!("- {service}\n")),
            "{service}: {watched}"
        );
        let pod = read(&format!("deploy/kubernetes/base/{service}.yaml"));
        assert!(pod.contains(&format!("containerPort: {port} ")), "{place}");
    }
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
