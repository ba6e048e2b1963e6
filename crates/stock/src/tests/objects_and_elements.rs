//! Feeds as JSON and XML.

use super::{import_with, mapped};
use crate::{Import, Item, Limits, Mapping, Place, Pushed, Reading, Reason, Status, Value};

const OBJECTS: &str = r#"name = "objects"
format = "json"
types = ["Car", "Product"]
containers = ["@graph", "itemListElement", "item"]
[fields]
id = ["sku", "@id"]
title = "name"
price = "offers/price"
status = "offers/availability"
images = ["image", "image/url"]
km = [{ from = "mileageFromOdometer/value", unit_from = "mileageFromOdometer/unitCode" }, "mileageFromOdometer"]
fuel = "fuelType"
make = ["brand/name", "brand"]
model = [{ from = "name", known = true }]
seats = "seatingCapacity"
"#;

fn shown(read: &Import) -> Vec<(&str, Option<i64>, Option<i64>, Status)> {
    let items = read.items.iter().map(|item| {
        let km = item.get("km").and_then(|value| value.number());
        (
            &*item.id,
            item.price.map(|price| price.whole()),
            km,
            item.status,
        )
    });
    items.collect()
}

#[test]
fn objects_are_found_wherever_they_stand() {
    let feeds = mapped(OBJECTS);
    let text = r#"{"@context": "https://schema.org", "@graph": [
        {"@type": "WebPage", "name": "no thing"},
        {"@type": ["Product", "Car"], "sku": "1", "name": "Aro Kite 1.2", "brand": {"@type": "Brand", "name": "Aro"},
         "mileageFromOdometer": {"value": "31.000", "unitCode": "SMI"}, "fuelType": "Benzine", "seatingCapacity": "5",
         "offers": [{"@type": "Offer", "price": "14.950,00"}], "image": [{"url": "https://a.example/1.jpg"}]},
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item":
          {"@type": "http://schema.org/Car", "@id": "https://a.example/2", "name": "Bel Lark", "brand": "Bel",
           "mileageFromOdometer": 45000, "offers": {"price": 9950.5, "availability": "https://schema.org/SoldOut"}}}]},
        {"@type": "Offer", "price": "7000", "itemOffered": {"@type": "Car", "sku": "3", "name": "Bel Stork"}}
    ]}"#;
    let read = import_with(&feeds, text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(
        shown(&read),
        [
            ("1", Some(14_950), Some(49_890), Status::Available),
            (
                "https://a.example/2",
                Some(9_951),
                Some(45_000),
                Status::Sold
            ),
            ("3", Some(7_000), None, Status::Available),
        ]
    );
    assert_eq!(
        read.items
            .iter()
            .filter_map(|item| item.get("model"))
            .count(),
        2,
        "Bel Stork has no make"
    );
    let page = format!(
        "<!doctype html><html><head><SCRIPT type='application/ld+json'>not json</SCRIPT>\
         <script>var x = 1;</script><script type=\"application/ld+json\" id=a>{text}</script></head>"
    );
    let from_page = import_with(&feeds, page.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(shown(&from_page), shown(&read));
}

const ELEMENTS: &str = r#"name = "elements"
format = "xml"
numbers = "comma"
roots = ["stock", "thing"]
items = ["thing"]
[fields]
id = ["@nr", "nr"]
action = { from = ["@do", "do"], words = { delete = "delete", add = "add" } }
title = { from = ["make", "model"], join = true }
make = "make"
model = "model"
price = ["prices/price[type=public]/value", "price/amount", "price"]
km = { from = "km", unit_from = "km/@unit" }
status = { from = "sold", words = { j = "sold", n = "" } }
options = ["options/option/name", "options/option"]
text = "text"
"#;

#[test]
fn elements_become_things_and_what_the_trade_pays_does_not() {
    let feeds = mapped(ELEMENTS);
    let text = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><!DOCTYPE stock [<!ENTITY e \"x\">]>\
        <s:stock xmlns:s=\"urn:s\"><thing nr=\"1\" do=\"add\"><make>Aro</make><model>Kite &amp; more</model>\
        <price><type>dealer</type><amount>1.000</amount></price>\
        <prices><price type=\"dealer\"><value>2.000</value></price><price><type>public</type><value>12.950,00</value></price></prices>\
        <trade>1.500</trade><km unit=\"M\">10.000</km><sold>n</sold>\
        <options><option><name>Trekhaak</name></option></options><text><![CDATA[<b>Citro\u{eb}n</b>]]>&#33;&e;</text></thing>\
        <thing><nr>2</nr><do>delete</do></thing><thing nr=\"3\"/></s:stock>";
    let bytes: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let read = import_with(&feeds, &bytes, &Limits::default()).unwrap();
    assert_eq!(
        shown(&read),
        [("1", Some(12_950), Some(16_093), Status::Available)]
    );
    let [item] = read.items.as_slice() else {
        panic!()
    };
    assert_eq!(
        item.text.as_deref(),
        Some("Citroën !"),
        "no entity of a DTD is expanded"
    );
    assert_eq!(item.get("towbar"), Some(Value::Flag(true)));
    assert_eq!(
        read.report.places,
        [
            (Place::Element(2), Reason::Deleted),
            (Place::Element(3), Reason::NoTitle)
        ]
    );
    let kept = serde_json::to_string(&read.items).unwrap();
    assert!(
        !["1500", "150000", "1000", "2000", "200000"]
            .iter()
            .any(|price| kept.contains(price)),
        "{kept}"
    );
    let mut again: Vec<Item> = serde_json::from_str(&kept).unwrap();
    again.iter_mut().for_each(|one| one.seen_at = item.seen_at);
    assert_eq!(again, read.items);
}

#[test]
fn what_is_pushed_is_put_or_removed() {
    let feeds = mapped(ELEMENTS);
    let push = |text: &str| {
        let now = "2026-11-29T12:00:00Z".parse().unwrap();
        let limits = Limits::default();
        let how = Reading {
            source: "push",
            mapping: None,
            now,
            limits,
        };
        feeds
            .pushed(text.as_bytes(), &how)
            .map_err(|error| error.to_string())
    };
    let put =
        push("<thing nr=\"1\" do=\"change\"><make>Aro</make><trade>9</trade></thing>").unwrap();
    assert!(
        matches!(put.as_slice(), [Pushed::Put(item)] if &*item.id == "1" && &*item.source == "push")
    );
    let removed = push("<thing nr=\"1\" do=\"DELETE\"/>").unwrap();
    assert_eq!(removed, [Pushed::Remove("1".into())]);
    assert_eq!(
        push("<thing do=\"delete\"/>").unwrap(),
        [Pushed::Unread(Reason::NoId)]
    );
    assert_eq!(
        push("<thing nr=\"2\"/>").unwrap(),
        [Pushed::Unread(Reason::NoTitle)]
    );
    assert_eq!(
        push("<other/>").unwrap_err(),
        "no mapping fits it: its outermost element is <other>"
    );
}

#[test]
fn what_breaks_off_or_goes_too_deep_is_refused_with_its_place() {
    let limits = Limits {
        depth: 12,
        element: 50_000,
        ..Limits::default()
    };
    let (objects, elements) = (mapped(OBJECTS), mapped(ELEMENTS));
    for (feeds, text, says) in [
        (
            &elements,
            "<stock><thing nr=\"1\"><make>Aro</make></thing><thing nr=\"2\"><make>".to_owned(),
            "it ends early, in element 2",
        ),
        (
            &elements,
            "<stock><thing nr=\"1\"><make>Aro</m".to_owned(),
            "it ends early, in element 1",
        ),
        (
            &elements,
            "<stock><thing nr=\"1\"><make>Aro</model>".to_owned(),
            "element 1: ",
        ),
        (
            &elements,
            format!("<stock><thing>{}", "<a>".repeat(100)),
            "element 1 is deeper than 12 levels",
        ),
        (
            &elements,
            format!("<stock><thing>{}", "x".repeat(200_000)),
            "element 1 is longer than 50000 bytes",
        ),
        (
            &objects,
            "[{\"@type\": \"Car\", \"sku\": \"1\", \"name\": \"Kite\"}, {\"@type\"".to_owned(),
            "it ends early, in element 2",
        ),
        (
            &objects,
            "[{\"@type\": \"Car\",, }]".to_owned(),
            "element 1: ",
        ),
        (
            &objects,
            format!("{}{}", "[".repeat(100), "]".repeat(100)),
            "element 1: deeper than 12 levels",
        ),
        (
            &objects,
            format!("{{\"a\":{}", "{\"a\":".repeat(100)),
            "element 1: deeper than 12 levels",
        ),
        (
            &objects,
            format!("[\"{}\"]", "x".repeat(200_000)),
            "element 1 is longer than 50000 bytes",
        ),
        (
            &objects,
            "<html><script type=\"application/ld+json\">{</script></html>".to_owned(),
            "it ends early, in element 1",
        ),
        (
            &objects,
            "<html><script>1</script></html>".to_owned(),
            "it is a web page, not a feed",
        ),
    ] {
        let error = import_with(feeds, text.as_bytes(), &limits)
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(says), "{error}, not {says}");
    }
}

proptest::proptest! {
    /// Whatever comes, it is read or refused.
    #[test]
    fn no_bytes_stop_the_readers(start in proptest::sample::select(vec!["id,title\n", "<stock><thing>", "[{\"@type\":\"Car\",", "<html><script type=application/ld+json>"]), bytes in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..300)) {
        let mut feeds = mapped(OBJECTS);
        feeds.mappings.push(Mapping::parse(ELEMENTS, &feeds.schema).unwrap());
        let mut all = start.as_bytes().to_vec();
        all.extend(bytes);
        drop(import_with(&feeds, &all, &Limits::default()));
    }
}
