//! What the README lists is what the code has.

use crate::http::Request;
use crate::support::Rig;

const README: &str = include_str!("../../README.md");

/// The text of every source file of the crate.
fn sources() -> String {
    fn read(folder: &std::path::Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, all);
            } else {
                *all += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let mut all = String::new();
    read(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut all,
    );
    all
}

#[test]
fn every_code_of_a_rejection_is_explained() {
    let sources = sources();
    let calls = sources.split("Rejection::new(").skip(1);
    let codes: Vec<_> = calls.filter_map(|call| call.split('"').nth(1)).collect();
    assert!(codes.len() > 15, "{codes:?}");
    for code in codes {
        assert!(
            README.contains(&format!("`{code}`")),
            "{code} is not in the README"
        );
    }
}

#[test]
fn every_route_is_listed() {
    let rig = Rig::start(&[]);
    let document = Request::get("/openapi.json").send(rig.port()).json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let route = format!("`{} {path}`", method.to_uppercase());
            assert!(README.contains(&route), "{route} is not in the README");
        }
    }
}

#[test]
fn every_metric_is_listed() {
    let mut metrics = runtime::metrics::Metrics::new("ingress", "0").unwrap();
    let of_all_services = metrics.families().len();
    drop(ingress::IngressMetrics::new(&mut metrics).unwrap());
    let own = metrics.families().iter().skip(of_all_services);
    for family in own {
        assert!(
            README.contains(&format!("`{}`", family.name)),
            "{} is not in the README",
            family.name
        );
        for label in family.labels {
            assert!(README.contains(&format!("`{label}`")), "{label}");
        }
    }
}

#[test]
fn every_setting_that_is_named_exists() {
    let sources = sources();
    let words = README.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    let settings = words.filter(|word| word.starts_with("INGRESS_"));
    for setting in settings {
        assert!(sources.contains(&format!("\"{setting}\"")), "{setting}");
    }
}
