//! The Dockerfile and docker-compose.yml.

use std::process::Command;

use serde_json::Value;

use crate::files::{read, root};
use crate::tools::{self, run};

const SERVICES: [&str; 5] = ["ingress", "worker", "egress", "console", "simulator"];

/// docker-compose.yml as Compose understands it, with the settings of a file.
fn compose(settings: Option<&str>, profiles: &[&str]) -> Value {
    let mut command = Command::new(tools::path("docker-compose"));
    command
        .current_dir(root())
        .args(["--env-file", settings.unwrap_or("/dev/null")]);
    for profile in profiles {
        command.args(["--profile", profile]);
    }
    match settings {
        Some(settings) => command.env("SETTINGS_FILE", settings),
        None => command.env_remove("SETTINGS_FILE"),
    };
    let printed = tools::output(command.args(["config", "--format", "json"]));
    serde_json::from_str(&printed).unwrap()
}

#[test]
fn the_dockerfile_follows_the_rules_of_the_trade() {
    run(
        ".",
        "hadolint",
        ["--failure-threshold", "style", "deploy/Dockerfile"],
    );
}

#[test]
fn the_runtime_image_has_no_shell_and_no_root() {
    let text = read("deploy/Dockerfile");
    let (_, runtime) = text.split_once("FROM ${RUNTIME_IMAGE}").unwrap();
    assert!(!runtime.contains("\nRUN "), "RUN needs a shell");
    let user = runtime
        .lines()
        .find_map(|line| line.strip_prefix("USER "))
        .unwrap();
    let id: u32 = user.split(':').next().unwrap().parse().unwrap();
    assert_ne!(id, 0);
    for exec in ["ENTRYPOINT [", "CMD [", "HEALTHCHECK "] {
        assert!(runtime.contains(&format!("\n{exec}")), "{exec}");
    }
    for label in ["title", "description", "licenses", "version", "revision"] {
        assert!(
            runtime.contains(&format!("org.opencontainers.image.{label}=")),
            "{label}"
        );
    }
}

#[test]
fn base_images_are_pinned_and_can_be_replaced() {
    let text = read("deploy/Dockerfile");
    for name in ["RUST_IMAGE", "RUNTIME_IMAGE"] {
        let image = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("ARG {name}=")))
            .unwrap();
        let tag = image.rsplit_once(':').unwrap().1;
        assert_ne!(tag, "latest");
        assert!(
            read("docker-compose.yml").contains(&format!("${{{name}:-{image}}}")),
            "{name} differs"
        );
    }
    let bases = text.lines().filter_map(|line| line.strip_prefix("FROM "));
    let earlier = ["toolchain", "dependencies"];
    for base in bases.map(|base| base.split(' ').next().unwrap()) {
        assert!(base.starts_with("${") || earlier.contains(&base), "{base}");
    }
}

#[test]
fn the_builds_are_locked() {
    for line in read("deploy/Dockerfile")
        .lines()
        .filter(|line| line.contains("cargo build"))
    {
        assert!(line.contains("--locked --release"), "{line}");
    }
}

/// An argument ends with its stage in older builders, and then the whole workspace is compiled.
#[test]
fn later_stages_know_what_to_compile() {
    let text = read("deploy/Dockerfile");
    let (toolchain, _) = text.split_once("FROM toolchain AS manifests").unwrap();
    assert!(toolchain.contains("ENV PACKAGES=\"${PACKAGES}\""));
}

#[test]
fn the_compose_file_fits_its_schema() {
    run(
        ".",
        "check-jsonschema",
        [
            "--builtin-schema",
            "vendor.compose-spec",
            "docker-compose.yml",
        ],
    );
}

#[test]
fn a_service_is_confined_and_ends_in_peace() {
    let stack = compose(None, &["console"]);
    for name in SERVICES {
        let service = &stack["services"][name];
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(service["build"]["args"]["SERVICE"], name);
        // The drain ends after SHUTDOWN_GRACE_SECS, which is 25.
        assert_eq!(service["stop_grace_period"], "40s", "{name}");
    }
    for name in ["ingress", "worker", "egress"] {
        assert_eq!(
            stack["services"][name]["depends_on"]["redis"]["condition"],
            "service_healthy"
        );
    }
}

#[test]
fn every_container_restarts_and_has_a_limit() {
    let stack = compose(None, &["console", "observability", "waha"]);
    for (name, service) in stack["services"].as_object().unwrap() {
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        assert!(
            service["mem_limit"].is_string(),
            "{name} has no memory limit"
        );
        assert!(
            service["logging"]["options"]["max-size"].is_string(),
            "{name} may fill the disk with logs"
        );
        for port in service["ports"].as_array().into_iter().flatten() {
            assert_eq!(
                port["host_ip"], "127.0.0.1",
                "{name} is open to the network"
            );
        }
    }
    assert_eq!(stack["services"].as_object().unwrap().len(), 12);
}

#[test]
fn more_workers_do_not_collide() {
    let worker = &compose(None, &[])["services"]["worker"];
    assert!(worker["ports"].is_null() && worker["container_name"].is_null());
    let volumes = worker["volumes"].as_array().unwrap();
    let [domains] = volumes.as_slice() else {
        panic!("{volumes:?}");
    };
    assert_eq!(domains["target"], "/domains");
    assert_eq!(domains["read_only"], true, "nobody writes what all read");
}

#[test]
fn redis_keeps_what_it_acknowledged() {
    let redis = &compose(None, &[])["services"]["redis"];
    let command: Vec<_> = redis["command"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let command = command.join(" ");
    assert!(
        command.contains("--appendonly yes --appendfsync always"),
        "{command}"
    );
    assert!(
        command.contains("--maxmemory-policy noeviction"),
        "{command}"
    );
    assert_eq!(redis["volumes"][0]["target"], "/data");
}

#[test]
fn the_data_is_reached_by_those_that_need_it_and_with_a_password() {
    let stack = compose(None, &["observability", "waha"]);
    let networks = |name: &str| -> Vec<String> {
        let networks = &stack["services"][name]["networks"];
        match networks.as_object() {
            Some(by_name) => by_name.keys().cloned().collect(),
            None => serde_json::from_value(networks.clone()).unwrap(),
        }
    };
    for name in ["data", "crm"] {
        assert_eq!(stack["networks"][name]["internal"], true, "{name}");
    }
    assert_eq!(
        [networks("redis"), networks("postgres")],
        [["data"], ["crm"]]
    );
    for name in [
        "simulator",
        "waha",
        "prometheus",
        "grafana",
        "jaeger",
        "alertmanager",
    ] {
        let reached = networks(name);
        assert!(!reached.iter().any(|n| n == "data" || n == "crm"), "{name}");
    }
    let redis = stack["services"]["redis"]["command"].to_string();
    assert!(redis.contains("--requirepass"), "{redis}");
}

/// A PostgreSQL keeps the password that its volume was made with.
#[test]
fn the_real_thing_has_volumes_of_its_own() {
    let (local, real) = (compose(None, &[]), compose(Some(".env.example"), &[]));
    for volume in ["postgres", "redis", "spool"] {
        let name = |stack: &Value| stack["volumes"][volume]["name"].clone();
        assert_ne!(name(&local), name(&real), "{volume}");
    }
}

#[test]
fn the_real_thing_has_a_business_of_its_own() {
    let worker = &compose(Some(".env.example"), &[])["services"]["worker"];
    let source = worker["volumes"][0]["source"].as_str().unwrap();
    assert!(source.ends_with("/business"), "{source}");
    let file = worker["environment"]["WORKER_DOMAIN_FILE"]
        .as_str()
        .unwrap();
    assert!(file.starts_with("/domains/"), "{file}");
}

/// The runbook changes the line of the local stack's settings that names the simulator.
#[test]
fn traces_find_the_way_to_jaeger() {
    let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=";
    let local = read("deploy/compose/local.env");
    let named = local.lines().filter(|line| line.starts_with(endpoint));
    assert_eq!(named.count(), 1);
    let change = format!("sed -i 's,^{endpoint}.*,{endpoint}http://jaeger:4318,' ");
    assert!(read("deploy/README.md").contains(&change), "{change}");
    let stack = compose(None, &["observability"]);
    for name in ["ingress", "worker", "egress", "jaeger"] {
        let networks = stack["services"][name]["networks"].to_string();
        assert!(networks.contains("watch"), "{name}");
    }
}

/// Compose forgets `--scale` at the next `up`.
#[test]
fn as_many_run_as_the_settings_say() {
    let mut file = tempfile::NamedTempFile::new_in(root()).unwrap();
    std::io::Write::write_all(&mut file, b"SCALE_WORKER=3\nSCALE_EGRESS=2\n").unwrap();
    let stack = compose(file.path().to_str(), &[]);
    assert_eq!(stack["services"]["worker"]["scale"], 3);
    assert_eq!(stack["services"]["egress"]["scale"], 2);
    for page in ["README.md", "deploy/README.md"] {
        assert!(!read(page).contains("--scale worker"), "{page}");
    }
}

#[test]
fn the_filled_example_leaves_the_simulator_out() {
    let example = compose(Some(".env.example"), &[]);
    assert_eq!(example["services"]["simulator"]["scale"], 0);
    let simulator = &example["services"]["simulator"]["environment"];
    assert_eq!(
        simulator["TWILIO_AUTH_TOKEN"], "fake-twilio-token",
        "never a real secret"
    );
}
