use super::*;
use crate::tests::{feeds, import};
use crate::wish::Order;

fn stock() -> Stock {
    let rows = "id,title,price,status,make,model,fuel,year,km,towbar,seats\n\
        1,Aro Kite,15000,,Aro,Kite,petrol,2019,60000,ja,5\n\
        2,Aro Kite,14000,reserved,Aro,Kite,electric,2020,30000,,5\n\
        3,Aro Kite,9000,sold,Aro,Kite,petrol,2015,150000,,5\n\
        4,Aro Kite,16000,,Aro,Kite,electric,2021,20000,nee,\n\
        5,Bel Lark,15500,,Bel,Lark,petrol,2020,45000,,7\n\
        6,Bel Stork,40000,,Bel,Stork,petrol,2022,,,9\n";
    Stock::new(feeds().schema, import(rows).unwrap().items)
}

fn wish(conditions: &[(&str, Test)]) -> Wish {
    let conditions = conditions.iter().map(|(attribute, test)| Condition {
        attribute: (*attribute).to_owned(),
        test: test.clone(),
    });
    Wish {
        conditions: conditions.collect(),
        order: None,
    }
}

fn one_of(word: &str) -> Test {
    Test::OneOf(vec![word.to_owned()])
}

fn ids<'a>(found: &'a Found<'_>) -> Vec<&'a str> {
    found.matches.iter().map(|one| &*one.item.id).collect()
}

#[test]
fn exact_ones_come_first_by_status_and_price() {
    let stock = stock();
    let found = stock.find(&wish(&[("model", one_of("kite"))]), 10);
    assert_eq!(ids(&found), ["1", "4", "2", "3"]);
    assert_eq!((found.exact, found.available, found.total), (4, 2, 6));
    assert!(found.matches.iter().all(|one| one.misses.is_empty()));
    assert_eq!(
        stock
            .find(&wish(&[("model", one_of("kite"))]), 2)
            .matches
            .len(),
        2
    );
}

#[test]
fn the_nearest_follow_when_nothing_fits_and_say_why() {
    let stock = stock();
    let found = stock.find(
        &wish(&[
            ("model", one_of("Kite")),
            ("fuel", one_of("electric")),
            (PRICE, Test::AtMost(13_500)),
        ]),
        3,
    );
    assert_eq!(found.exact, 0);
    assert_eq!(ids(&found), ["2", "4"]);
    let [reserved, ..] = found.matches.as_slice() else {
        panic!()
    };
    assert_eq!(
        reserved.misses,
        [Miss {
            attribute: PRICE.into(),
            wanted: Test::AtMost(13_500),
            has: Some(Value::Number(14_000))
        }]
    );
}

#[test]
fn a_sold_one_is_named_before_the_nearest_that_can_be_had() {
    let stock = stock();
    let found = stock.find(
        &wish(&[("model", one_of("Kite")), (PRICE, Test::AtMost(12_000))]),
        2,
    );
    assert_eq!(ids(&found), ["3", "2"]);
    assert_eq!((found.exact, found.available), (1, 0));
}

#[test]
fn what_is_not_told_is_a_miss_that_says_so() {
    let stock = stock();
    let found = stock.find(
        &wish(&[
            ("model", one_of("Kite")),
            ("fuel", one_of("electric")),
            ("towbar", Test::Has(true)),
            (PRICE, Test::AtMost(14_500)),
        ]),
        1,
    );
    assert_eq!(ids(&found), ["2"]);
    let misses: Vec<_> = found.matches.iter().flat_map(|one| &one.misses).collect();
    assert_eq!(
        misses,
        [&Miss {
            attribute: "towbar".into(),
            wanted: Test::Has(true),
            has: None
        }]
    );
}

#[test]
fn one_of_the_same_group_stands_in_whatever_its_make() {
    let stock = stock();
    let found = stock.find(
        &wish(&[
            ("make", one_of("Aro")),
            ("model", one_of("Kite")),
            ("seats", Test::AtLeast(7)),
        ]),
        1,
    );
    assert_eq!(
        ids(&found),
        ["5"],
        "the Lark is like a Kite and has seven seats"
    );
}

#[test]
fn what_is_far_from_the_wish_is_not_offered() {
    let stock = stock();
    assert_eq!(
        ids(&stock.find(&wish(&[("make", one_of("Ferrari"))]), 3)),
        [""; 0]
    );
    assert_eq!(
        ids(&stock.find(
            &wish(&[("model", one_of("Stork")), (PRICE, Test::AtMost(5_000))]),
            3
        )),
        [""; 0]
    );
}

#[test]
fn order_and_nearness_decide_among_those_that_fit() {
    let stock = stock();
    let mut cheap = wish(&[("year", Test::AtLeast(2019))]);
    cheap.order = Some(Order {
        attribute: "km".into(),
        descending: false,
    });
    assert_eq!(
        ids(&stock.find(&cheap, 9)),
        ["4", "5", "1", "6", "2"],
        "the reserved one comes last"
    );
    let about = wish(&[(PRICE, Test::Near(15_600))]);
    assert_eq!(ids(&stock.find(&about, 2)), ["5", "4"]);
    let not = wish(&[("fuel", Test::NoneOf(vec!["petrol".into()]))]);
    assert_eq!(ids(&stock.find(&not, 9)), ["4", "2"]);
}

#[test]
fn every_wish_is_answered_without_a_condition_or_a_stock() {
    let stock = stock();
    assert_eq!(stock.find(&Wish::default(), 0).matches.len(), 0);
    assert_eq!(stock.find(&Wish::default(), 9).exact, 6);
    let empty = Stock::new(feeds().schema, Vec::new());
    assert_eq!(
        empty
            .find(&wish(&[("nothing", Test::Near(i64::MIN))]), 3)
            .total,
        0
    );
    assert_eq!(empty.seen_at(), None);
}
