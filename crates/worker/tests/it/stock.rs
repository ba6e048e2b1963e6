//! The stock that comes with the car dealer.

use std::path::Path;

use stock::{Condition, Limits, Reading, Status, Stock, Test, Wish};
use worker::domain::{Domain, SlotKind};
use worker::stock::{SHIPPED, from_file};

fn shipped() -> Stock {
    from_file(&Domain::embedded().unwrap(), Path::new(SHIPPED)).unwrap()
}

fn found(stock: &Stock, conditions: &[(&str, Test)]) -> Vec<String> {
    let conditions = conditions.iter().map(|(attribute, test)| Condition {
        attribute: (*attribute).into(),
        test: test.clone(),
    });
    let wish = Wish {
        conditions: conditions.collect(),
        order: None,
    };
    let found = stock.find(&wish, 10);
    found
        .matches
        .iter()
        .map(|one| one.item.id.to_string())
        .collect()
}

fn one_of(word: &str) -> Test {
    Test::OneOf(vec![word.into()])
}

#[test]
fn the_shipped_feed_is_read_to_its_last_value() {
    let domain = Domain::embedded().unwrap();
    let known = domain.stock.as_ref().unwrap();
    let how = Reading {
        source: SHIPPED,
        mapping: None,
        now: "2026-11-29T12:00:00Z".parse().unwrap(),
        limits: Limits::default(),
    };
    let import = known
        .feeds
        .import(known.example.as_deref().unwrap().as_bytes(), &how)
        .unwrap();
    assert_eq!((import.items.len(), import.report.elements), (40, 40));
    assert!(
        import.report.unread.is_empty(),
        "{:?}",
        import.report.unread
    );
    let count = |status| {
        import
            .items
            .iter()
            .filter(|item| item.status == status)
            .count()
    };
    assert_eq!((count(Status::Reserved), count(Status::Sold)), (1, 1));
}

/// Else a wish for what the catalogue has would find nothing of it.
#[test]
fn the_words_of_the_stock_are_those_of_the_slots() {
    let domain = Domain::embedded().unwrap();
    let stock = shipped();
    for slot in &domain.slots {
        let known: Vec<&str> = match &slot.kind {
            SlotKind::Choice { values, .. } => values.iter().map(String::as_str).collect(),
            SlotKind::Catalogue(catalogue) => {
                for item in stock.items() {
                    let make = item.get(&catalogue.upper).unwrap();
                    let model = item.get(&catalogue.lower).unwrap();
                    let make = catalogue
                        .makes
                        .iter()
                        .find(|one| Some(one.name.as_str()) == make.as_str());
                    let models = &make.unwrap().models;
                    assert!(
                        models
                            .iter()
                            .any(|one| Some(one.name.as_str()) == model.as_str()),
                        "{}",
                        item.title
                    );
                }
                continue;
            }
            SlotKind::Amount(_) | SlotKind::Year(_) | SlotKind::Plate { .. } => continue,
        };
        for item in stock.items() {
            let value = item.get(&slot.name);
            let word = value.as_ref().and_then(|value| value.as_str());
            assert!(
                word.is_none_or(|word| known.contains(&word)),
                "{}: {value:?}",
                item.title
            );
        }
    }
}

#[test]
fn customers_wishes_find_their_cars() {
    let stock = shipped();
    let golfs = found(
        &stock,
        &[
            ("car_make", one_of("Volkswagen")),
            ("car_model", one_of("Golf")),
        ],
    );
    assert_eq!(golfs, ["D003", "D004", "D001", "D002", "D006", "D005"]);
    let towing = found(
        &stock,
        &[
            ("towing_weight", Test::AtLeast(1600)),
            ("transmission", one_of("automatic")),
            ("price", Test::AtMost(25_000)),
        ],
    );
    assert_eq!(towing, ["D014", "D020", "D013"]);
    let far = found(
        &stock,
        &[
            ("fuel_type", one_of("electric")),
            ("range", Test::AtLeast(400)),
            ("price", Test::AtMost(22_000)),
        ],
    );
    assert_eq!(far, ["D011", "D038", "D031"]);
    let seats = found(&stock, &[("seats", Test::AtLeast(7))]);
    assert_eq!(seats, ["D014", "D035"]);
}

#[test]
fn who_asks_for_what_is_not_there_is_offered_what_is_like_it() {
    let stock = shipped();
    let like_a_leon = found(
        &stock,
        &[("car_make", one_of("Seat")), ("car_model", one_of("Leon"))],
    );
    assert!(like_a_leon.contains(&"D001".to_owned()), "{like_a_leon:?}");
    assert!(
        !like_a_leon.contains(&"D015".to_owned()),
        "no van: {like_a_leon:?}"
    );
    assert_eq!(found(&stock, &[("car_make", one_of("Ferrari"))]), [""; 0]);
}
