//! The list of all metrics in `crates/runtime/README.md`, against the code and the real pages.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use e2e_tests::Role;
use runtime::RedisMetrics;
use runtime::metrics::{Family, Metrics};
use test_support::eventually;

use crate::support::{answers, system, write};

const BEGIN: &str = "<!-- metrics -->\n";
const END: &str = "<!-- end of metrics -->\n";

/// What a service registers, those of every service first.
fn families(service: &'static str) -> Vec<Family> {
    let mut metrics = Metrics::new(service, "0").unwrap();
    drop(RedisMetrics::new(&mut metrics).unwrap());
    match service {
        "ingress" => drop(ingress::IngressMetrics::new(&mut metrics).unwrap()),
        "worker" => drop(worker::metrics::WorkerMetrics::new(&mut metrics).unwrap()),
        "console" => drop(console::ConsoleMetrics::new(&mut metrics).unwrap()),
        "egress" => drop(egress::EgressMetrics::new(&mut metrics).unwrap()),
        _ => {}
    }
    metrics.families().to_vec()
}

fn chapter() -> String {
    let of_all = families("every service");
    let mut text = table("Every service", &of_all);
    for service in ["ingress", "worker", "egress", "console"] {
        text += &table(service, &families(service)[of_all.len()..]);
    }
    text
}

fn table(title: &str, families: &[Family]) -> String {
    let mut text =
        format!("### {title}\n\n| name | type | labels | help |\n| --- | --- | --- | --- |\n");
    for Family {
        name,
        kind,
        labels,
        help,
    } in families
    {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        writeln!(
            text,
            "| `{name}` | {kind} | {} | {help} |",
            labels.join(", ")
        )
        .unwrap();
    }
    text + "\n"
}

#[test]
fn the_readme_lists_every_metric() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/runtime/README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (listed, after) = rest.split_once(END).unwrap();
    let chapter = format!("\n{}", chapter());
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, [before, BEGIN, &chapter, END, after].concat()).unwrap();
    } else {
        assert_eq!(listed, chapter, "run this test with UPDATE_README=1");
    }
}

/// The name, type and help of each metric on a page.
fn shown(page: &str) -> BTreeMap<&str, (&str, &str)> {
    let about = |kind: &'static str| {
        let lines = page.lines().filter_map(move |line| line.strip_prefix(kind));
        lines.filter_map(|line| line.split_once(' '))
    };
    let types: BTreeMap<_, _> = about("# TYPE ").collect();
    let helps = about("# HELP ");
    helps
        .filter(|(name, _)| !name.starts_with("process_"))
        .map(|(name, help)| (name, (types[name], help)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_show_what_is_listed() {
    let mut system = system().await;
    write(&system, "Ik zoek een Volkswagen Golf").await;
    answers(&system, 1).await;
    let of_all = [
        "postduif_build_info",
        "postduif_redis_script_seconds",
        "postduif_queue_entries",
        "postduif_queue_oldest_milliseconds",
        "postduif_partitions_unowned",
        "postduif_shelved_entries",
        "postduif_redis_durable",
    ];
    let own: [(Role, &[&str]); 3] = [
        (
            Role::Ingress,
            &["webhook_requests_total", "postduif_webhook_seconds"],
        ),
        (
            Role::Worker,
            &[
                "postduif_turns_total",
                "postduif_agent_seconds",
                "postduif_leases_owned",
            ],
        ),
        (
            Role::Egress,
            &[
                "postduif_sends_total",
                "postduif_send_attempts",
                "postduif_leases_owned",
            ],
        ),
    ];
    for (role, own) in own {
        let url = format!("{}/metrics", system.service(role, 0).url());
        let page = eventually(async || {
            let page = reqwest::get(&url).await.unwrap().text().await.unwrap();
            let expected = of_all.iter().chain(own);
            let missing: Vec<_> = expected
                .filter(|name| !shown(&page).contains_key(**name))
                .collect();
            if missing.is_empty() {
                Ok(page.clone())
            } else {
                Err(format!("{role:?}: no {missing:?}"))
            }
        })
        .await;
        let families = families(role.as_str());
        for (name, about) in shown(&page) {
            let family = families.iter().find(|family| family.name == name);
            let family = family.unwrap_or_else(|| panic!("{role:?}: {name} is not listed"));
            assert_eq!(about, (family.kind, family.help), "{name}");
        }
    }
}
