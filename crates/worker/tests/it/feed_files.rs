//! `worker stock`: files of feeds, checked and imported.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use stock::{Limits, Reading};
use tempfile::TempDir;
use worker::commands::stock::lines as lines_of;
use worker::domain::Domain;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/stock")
        .join(name)
}

fn stock(folder: &TempDir, words: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_worker"))
        .arg("stock")
        .args(words)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// What becomes of each vehicle in those files, parts of lines with a bar between.
fn known() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "MB-001",
            "mobile-de\tMB-001\tavailable\t21450\tVolkswagen Golf Variant 1.5 TSI|air_conditioning: true|body_type: estate|car_make: Volkswagen|car_model: Golf|color: white|first_registered: 2021-05|fuel_type: petrol|inspection: 2028-05|mileage: 45800|power: 110|seats: 5|towbar: true|transmission: automatic|vat: vat_included|year: 2021|text: Gepflegt, 17\" Felgen; für 3 € mehr",
        ),
        ("MB-002", "car_make: Citroën|towbar: false|vat: margin"),
        ("MB-003", "available\t-\t|car_model: B-Class"),
        (
            "S-1",
            "schema-org\tS-1\tavailable\t21450\tVW Golf 1.5 TSI|car_make: Volkswagen|car_model: Golf|mileage: 45800|power: 112|transmission: automatic|condition: used|text: Nette auto. Negeer",
        ),
        (
            "https://voorbeeld.example/leaf",
            "sold\t13950\t|car_model: Leaf|fuel_type: electric|mileage: 38211",
        ),
        (
            "XX0XXXXXXXX000003",
            "available\t-\t|car_make: Ford|car_model: Focus|mileage: 32187",
        ),
        (
            "5016729",
            "hexon\t5016729\treserved\t11950\t|fuel_type: petrol|transmission: automatic|color: grey|mileage: 112400|power: 92|vat: margin|towbar: true|license_plate: GO-316-I|image: https://voorbeeld.example/77-1.jpg",
        ),
        (
            "5016730",
            "sold\t20950\t|car_model: Model 3|mileage: 16093|vat: vat_included|image: https://voorbeeld.example/78-1.jpg",
        ),
        (
            "5016731",
            "available\t7950\t|fuel_type: diesel|transmission: manual|image: https://voorbeeld.example/79-1.jpg",
        ),
        (
            "900001",
            "autoscout24\t900001\tavailable\t27450\t|car_make: BMW|car_model: 3 Series|body_type: sedan|color: black|year: 2019|isofix: true|text: Prima **perfetta**",
        ),
        (
            "900002",
            "available\t-\t|car_model: Panda|transmission: manual|fuel_type: petrol",
        ),
    ]
}

#[test]
fn files_of_the_big_systems_are_imported_without_code() {
    let domain = Domain::embedded().unwrap();
    let feeds = &domain.stock.as_ref().unwrap().feeds;
    let mut items = Vec::new();
    for (file, mapping, read) in [
        ("mobile-de.csv", "mobile-de", 3),
        ("schema-org.html", "schema-org", 3),
        ("hexon.xml", "hexon", 3),
        ("autoscout24.xml", "autoscout24", 2),
    ] {
        let how = Reading {
            source: mapping,
            mapping: None,
            now: "2026-11-29T12:00:00Z".parse().unwrap(),
            limits: Limits::default(),
        };
        let import = feeds
            .import(File::open(fixture(file)).unwrap(), &how)
            .unwrap();
        let report = &import.report;
        assert_eq!(
            (report.mapping.as_str(), report.read, report.elements),
            (mapping, read, read)
        );
        items.extend(import.items);
    }
    for (id, lines) in known() {
        let item = items.iter().find(|item| &*item.id == id).unwrap();
        let said = lines_of(item).join("\n");
        for line in lines.split('|') {
            assert!(said.contains(line), "{id}: `{line}` is not in\n{said}");
        }
    }
    // What was not told, and what the trade pays, is nowhere.
    let all = serde_json::to_string(&items).unwrap();
    for price in [
        "9321",
        "17654",
        "6789",
        "24321",
        "23456",
        "5432",
        "19000",
        "8000.00",
        "15000",
        ":0,",
        "mileage\":{\"number\":0",
    ] {
        assert!(!all.contains(price), "{price}");
    }
}

#[test]
fn checking_a_feed_says_what_is_wrong_with_it_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let feed = folder.path().join("feed.csv");
    std::fs::write(&feed, "id,title,fuel_type\n1,Golf,kolen\n,Polo,\n1,Up,\n").unwrap();
    let (whole, said) = stock(&folder, &["check", "feed.csv"]);
    assert!(!whole);
    assert_eq!(
        said,
        "1 of 3 read, by the mapping own\nnot read, no id: 1 (line 3)\nnot read, the id of an earlier one: 1 (line 4)\n\
         fuel_type unknown: 1 (first line 2: \"kolen\")\n"
    );
    assert_eq!(
        stock(&folder, &["check", "shipped"]),
        (true, "40 of 40 read, by the mapping own\n".into())
    );
    let (done, said) = stock(&folder, &["check", "nothing.csv"]);
    assert!(
        !done && said.contains("nothing.csv cannot be read"),
        "{said}"
    );
    let (_, said) = stock(&folder, &["check", "feed.csv", "--mapping", "klingon"]);
    assert!(
        said.contains("there is no mapping klingon; there are schema-org, hexon"),
        "{said}"
    );
    assert!(!folder.path().join("crm.sqlite").exists());
    assert!(stock(&folder, &["import", "shipped", "--as", "own"]).0);
    let (done, said) = stock(&folder, &["import", "feed.csv", "--as", "own"]);
    assert!(
        !done && said.contains("1 items are less than half of the 40"),
        "{said}"
    );
    assert!(stock(&folder, &["import", "feed.csv", "--as", "own", "--smaller"]).0);
    let (_, said) = stock(&folder, &["list"]);
    assert!(
        stock(&folder, &["show", "1"])
            .1
            .starts_with("own\t1\tavailable\t-\tGolf\n")
    );
    assert!(
        said.starts_with("own (hand) 1 items, read ")
            && said.ends_with("own\t1\tavailable\t-\tGolf\n"),
        "{said}"
    );
}
