//! The dialogues beside each shipped domain go as their owners expect.

use std::path::Path;

use worker::commands::rehearse::rehearse;
use worker::domain::Domain;
use worker::stock::{SHIPPED, from_file};

async fn goes_as_expected(name: &str) {
    let domains = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/domains");
    let domain = Domain::load(&domains.join(format!("{name}.toml"))).unwrap();
    let report = rehearse(&domain, None, &domains.join(name).join("rehearsals"))
        .await
        .unwrap();
    assert!(report.dialogues >= 3, "{report:?}");
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n"));
}

#[tokio::test]
async fn the_dealers_dialogues_go_as_expected() {
    Box::pin(goes_as_expected("car-dealer")).await;
}

#[tokio::test]
async fn the_dealers_dialogues_about_the_stock_go_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy/domains/car-dealer/stock/rehearsals");
    let domain = Domain::embedded().unwrap();
    let stock = from_file(&domain, Path::new(SHIPPED)).unwrap();
    let report = rehearse(&domain, Some(stock), &folder).await.unwrap();
    assert!(report.dialogues >= 8, "{report:?}");
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n"));
}

#[tokio::test]
async fn the_salons_dialogues_go_as_expected() {
    Box::pin(goes_as_expected("hair-salon")).await;
}

/// Appointments, complaints and the like go with a stock as they do without.
#[tokio::test]
async fn the_salons_dialogues_about_its_treatments_go_as_expected() {
    let domains = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/domains");
    let domain = Domain::load(&domains.join("hair-salon.toml")).unwrap();
    let others = ["closed-day", "ill", "complaint"].map(|name| format!("rehearsals/{name}.txt"));
    let own = ("stock/rehearsals".to_owned(), 7);
    for (path, dialogues) in others.map(|path| (path, 1)).into_iter().chain([own]) {
        let stock = from_file(&domain, Path::new(SHIPPED)).unwrap();
        let path = domains.join("hair-salon").join(path);
        let report = rehearse(&domain, Some(stock), &path).await.unwrap();
        assert!(report.dialogues >= dialogues, "{report:?}");
        assert!(report.failures.is_empty(), "{}", report.failures.join("\n"));
    }
}

#[tokio::test]
async fn what_goes_otherwise_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let dialogue = "at 2026-12-01 10:00\n> hallo\nsays fact(parking)\nasks nothing\nhums along\n";
    std::fs::write(folder.path().join("a.txt"), dialogue).unwrap();
    let report = rehearse(&Domain::embedded().unwrap(), None, folder.path())
        .await
        .unwrap();
    let lines: Vec<_> = report
        .failures
        .iter()
        .filter_map(|failure| failure.lines().next())
        .collect();
    assert_eq!(
        lines,
        [
            "a.txt:3: says fact(parking): greeting",
            "a.txt:5: hums along: `hums` is nothing that can be expected"
        ]
    );
    assert_eq!((report.dialogues, report.failed), (1, 1));
}
