//! What the default domain reads out of messages, by family of wording.

use std::sync::Arc;
use worker::domain::Answer;
use worker::understanding::{Understander, Understanding};

use crate::dealer;

fn understander() -> Arc<Understander> {
    dealer::understander()
}

fn slots(understanding: &Understanding) -> String {
    let slots: Vec<String> = understanding
        .slots
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    slots.join(" ")
}

#[track_caller]
fn assert_slots(table: &[(&str, &str)]) {
    let understander = understander();
    for (text, expected) in table {
        assert_eq!(slots(&understander.understand(text)), *expected, "{text}");
    }
}

#[test]
fn amounts_of_money_are_read_in_every_notation() {
    assert_slots(&[
        ("zoek een auto voor max 15k", "price_max=15000"),
        ("zoek een auto, budget € 12.500,-", "price_max=12500"),
        ("zoek een auto van 12,5 mille", "price_max=12500"),
        ("zoek een auto tot zes mille", "price_max=6000"),
        ("zoek een auto, max 12 duizend", "price_max=12000"),
        (
            "zoek een auto tussen de 10 en 15k",
            "price_max=15000 price_min=10000",
        ),
        ("zoek een auto tegen de 6000", "price_max=6000"),
        (
            "zoek een auto, vijfentwintigduizend euro",
            "price_max=25000",
        ),
        (
            "a car from ten to twelve and a half thousand euros",
            "price_max=12500 price_min=10000",
        ),
        ("need a car, nine grand max", "price_max=9000"),
        ("suche ein auto bis 9.500,- Euro", "price_max=9500"),
        (
            "suche ein auto zwischen 8 und 10 tausend",
            "price_max=10000 price_min=8000",
        ),
    ]);
}

#[test]
fn a_currency_before_the_number_changes_no_end_of_a_range() {
    for text in [
        "auto vanaf €15.000 tot €22.000",
        "auto tussen € 15.000,- en € 22.000,-",
        "auto €15k-€22k",
        "a car from €15,000 to €22,000",
        "ein auto zwischen €15.000 und €22.000",
    ] {
        assert_slots(&[(text, "price_max=22000 price_min=15000")]);
    }
    assert_slots(&[
        ("auto vanaf € 15.000", "price_min=15000"),
        ("lease, max € 300 per maand", ""),
        (
            "elektrische auto, minimaal 400 km range en onder de 30 k",
            "fuel_type=electric price_max=30000",
        ),
    ]);
}

#[test]
fn only_a_budget_is_a_price() {
    assert_slots(&[
        ("lease, max 300 per maand", ""),
        ("lening met 2000 euro aanbetaling", ""),
        ("ze boden me 4500 voor mijn auto, bieden jullie meer?", ""),
        ("auto van 18.000 euro financieren", "price_max=18000"),
        ("order 45821, wanneer wordt die geleverd", ""),
    ]);
}

#[test]
fn years_are_read_as_bounds_and_ranges() {
    assert_slots(&[
        (
            "golf bj 17",
            "car_make=Volkswagen car_model=Golf year_max=2017 year_min=2017",
        ),
        (
            "golf van '17",
            "car_make=Volkswagen car_model=Golf year_max=2017 year_min=2017",
        ),
        (
            "Golf EZ 03/2019",
            "car_make=Volkswagen car_model=Golf year_max=2019 year_min=2019",
        ),
        (
            "golf vanaf 2018",
            "car_make=Volkswagen car_model=Golf year_min=2018",
        ),
        (
            "golf bj 13 of 14",
            "car_make=Volkswagen car_model=Golf year_max=2014 year_min=2013",
        ),
        (
            "golf 2016 or newer",
            "car_make=Volkswagen car_model=Golf year_min=2016",
        ),
        (
            "Golf nicht älter als 2015",
            "car_make=Volkswagen car_model=Golf year_min=2015",
        ),
        ("golf, apk tot 2027", "car_make=Volkswagen car_model=Golf"),
    ]);
}

#[test]
fn kilometres_are_told_from_prices() {
    assert_slots(&[
        (
            "golf, onder de ton gelopen",
            "car_make=Volkswagen car_model=Golf mileage_max=100000",
        ),
        (
            "golf max 1 ton",
            "car_make=Volkswagen car_model=Golf mileage_max=100000",
        ),
        (
            "golf tot 80dkm",
            "car_make=Volkswagen car_model=Golf mileage_max=80000",
        ),
        (
            "Golf bis 90 tkm",
            "car_make=Volkswagen car_model=Golf mileage_max=90000",
        ),
        (
            "golf onder de 100.000",
            "car_make=Volkswagen car_model=Golf mileage_max=100000",
        ),
        (
            "golf, rij 20.000 km per jaar",
            "car_make=Volkswagen car_model=Golf",
        ),
        (
            "golf tot 9000, 120.000 km",
            "car_make=Volkswagen car_model=Golf mileage_max=120000 price_max=9000",
        ),
    ]);
}

#[test]
fn names_are_found_however_they_are_written() {
    assert_slots(&[
        ("volkwagen polootje", "car_make=Volkswagen car_model=Polo"),
        ("merc a klasse", "car_make=Mercedes-Benz car_model=A-Class"),
        ("bmw 3er", "car_make=BMW car_model=3 Series"),
        ("id 3 of id.4", "car_make=Volkswagen car_model=ID.3"),
        ("xc-40", "car_make=Volvo car_model=XC40"),
        ("toyota chr", "car_make=Toyota car_model=C-HR"),
        (
            "mazda 2 uit 2016",
            "car_make=Mazda car_model=2 year_max=2016 year_min=2016",
        ),
        (
            "peugeot 2008 uit 2018",
            "car_make=Peugeot car_model=2008 year_max=2018 year_min=2018",
        ),
        ("is die 208 er nog", "car_make=Peugeot car_model=208"),
        ("lynk en co 01", "car_make=Lynk & Co car_model=01"),
        (
            "320d touring",
            "body_type=estate car_make=BMW car_model=3 Series fuel_type=diesel",
        ),
    ]);
}

#[test]
fn ordinary_words_are_no_cars() {
    assert_slots(&[
        ("please note that I paid already", ""),
        ("met Leon, kan iemand mij bellen", ""),
        ("ik sta op de A2 met pech", ""),
        ("kan ik 208 euro per maand betalen", ""),
        ("in spring I need new tyres", ""),
    ]);
}

#[test]
fn negation_reaches_as_far_as_it_is_meant() {
    assert_slots(&[
        ("zoek een auto, geen diesel", ""),
        ("zoek een automaat ipv schakel", "transmission=automatic"),
        (
            "looking for a polo, not a manual",
            "car_make=Volkswagen car_model=Polo",
        ),
        (
            "geen rode of gele, wel een blauwe golf",
            "car_make=Volkswagen car_model=Golf color=blue",
        ),
        ("kein Kombi, sondern eine Limousine", "body_type=sedan"),
        (
            "golf met niet meer dan 80.000 km",
            "car_make=Volkswagen car_model=Golf mileage_max=80000",
        ),
    ]);
    let negated = understander().understand("toch geen automaat").negated;
    let negated: Vec<String> = negated
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(negated, ["transmission=automatic"]);
}

#[test]
fn of_two_cars_the_one_that_counts_is_described() {
    assert_slots(&[
        (
            "zoek een zwarte polo vanaf 2018, mijn grijze golf uit 2012 ruil ik in",
            "car_make=Volkswagen car_model=Polo color=black year_min=2018",
        ),
        (
            "wat krijg ik voor mijn grijze golf uit 2012 als ik een zwarte polo koop",
            "car_make=Volkswagen car_model=Golf color=grey year_max=2012 year_min=2012",
        ),
    ]);
}

#[test]
fn plates_are_those_of_the_customer() {
    assert_slots(&[
        ("apk voor zb-612-n", "license_plate=ZB-612-N"),
        ("inruilwaarde 12kdb4", "license_plate=12KDB4"),
        ("Inzahlungnahme KLE-AB 123", "license_plate=KLE-AB 123"),
        ("is de auto met kenteken R-482-KT nog te koop", ""),
    ]);
}

#[test]
fn mood_and_bare_answers_are_told() {
    let understander = understander();
    for (text, angry, legal) in [
        ("wat een schandalige oplichters zijn jullie", true, false),
        ("ik schakel mijn advocaat in", false, true),
        ("hebben jullie een golf", false, false),
    ] {
        let mood = understander.understand(text).mood;
        assert_eq!((mood.angry, mood.legal_threat), (angry, legal), "{text}");
    }
    for (text, answer) in [
        ("ja hoor", Some(Answer::Affirmation)),
        ("Nein danke", Some(Answer::Denial)),
        ("👍", Some(Answer::Affirmation)),
        ("ja, en is de golf er nog?", None),
    ] {
        assert_eq!(understander.understand(text).answer, answer, "{text}");
    }
}

#[test]
fn languages_that_are_not_served_get_the_fallback_with_little_confidence() {
    let understander = understander();
    for text in [
        "Bonjour, vous avez encore une Clio diesel?",
        "Привет, у вас есть машины?",
        "qsdfk wmlkj",
    ] {
        let understanding = understander.understand(text);
        assert_eq!(understanding.intent, "other", "{text}");
        assert!(
            understanding.confidence < 0.6,
            "{text}: {}",
            understanding.confidence
        );
    }
}
