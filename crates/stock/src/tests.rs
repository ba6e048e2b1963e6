//! Feeds of a small domain of birds' names, and what becomes of them.

use std::sync::Arc;

use crate::{
    FeedError, Feeds, Import, Limits, Mapping, Names, Place, Reading, Reason, Schema, Status, Value,
};

const ATTRIBUTES: &str = r#"
furthest = 7
private = ["trade", "price[type=dealer]"]
[price]
weight = 5
slack = 2000
[status]
available = ["InStock"]
reserved = ["gereserveerd"]
sold = ["verkocht", "SoldOut"]
[attributes.make]
kind = "name"
weight = 8
[attributes.model]
kind = "name"
weight = 8
alike = [["Kite", "Lark"]]
[attributes.fuel]
kind = "word"
weight = 5
[attributes.fuel.words]
petrol = ["benzine", "B"]
electric = ["elektrisch"]
[attributes.year]
kind = "year"
[attributes.since]
kind = "month"
[attributes.km]
kind = "number"
unit = "km"
units = { km = 1, KMT = 1, mi = 1.609344, SMI = 1.609344, M = 1.609344, K = 1 }
slack = 40000
[attributes.power]
kind = "number"
unit = "kW"
units = { kW = 1, pk = 0.7355 }
[attributes.seats]
kind = "number"
slack = 2
weight = 6
[attributes.towbar]
kind = "flag"
options = ["trekhaak"]
[attributes.version]
kind = "text"
"#;

/// A domain that sells Kites, Larks and Storks.
pub(crate) fn feeds() -> Feeds {
    let mut names = Names::new("make", "model");
    for (make, model) in [("Aro", "Kite"), ("Bel", "Lark"), ("Bel", "Stork")] {
        names.add_make(make, make);
        names.add_model(make, model, model);
    }
    let names = vec![names];
    let schema = Schema::parse(ATTRIBUTES, &names).unwrap();
    let mappings = vec![Mapping::own(&schema)];
    Feeds {
        schema: Arc::new(schema),
        names,
        mappings,
    }
}

pub(crate) fn import(text: &str) -> Result<Import, FeedError> {
    import_with(&feeds(), text.as_bytes(), &Limits::default())
}

fn import_with(feeds: &Feeds, bytes: &[u8], limits: &Limits) -> Result<Import, FeedError> {
    let now = "2026-11-29T12:00:00Z".parse().unwrap();
    feeds.import(
        bytes,
        &Reading {
            source: "test",
            mapping: None,
            now,
            limits: limits.clone(),
        },
    )
}

fn mapped(mapping: &str) -> Feeds {
    let mut feeds = feeds();
    feeds
        .mappings
        .insert(0, Mapping::parse(mapping, &feeds.schema).unwrap());
    feeds
}

#[test]
fn rows_with_the_fields_own_names_need_no_mapping() {
    let read = import(
        "\u{feff}id,title,price,status,make,model,fuel,km,power,options,images,url,text,towbar\n\
         7,,14950.50,gereserveerd,ARO,kite 1.2,Benzine,60000,100 pk,Airco|Trekhaak vast,https://a.example/1.jpg|ftp://x,https://a.example/7,<b>Mooi</b>,\n",
    )
    .unwrap();
    let [item] = read.items.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!(
        (&*item.id, &*item.title, item.status),
        ("7", "Aro Kite", Status::Reserved)
    );
    assert_eq!(
        item.price.map(|price| (price.cents, price.whole())),
        Some((1_495_050, 14_951))
    );
    assert_eq!(item.get("fuel"), Some(Value::Word("petrol".into())));
    assert_eq!(item.get("power"), Some(Value::Number(74)));
    assert_eq!(
        item.get("towbar"),
        Some(Value::Flag(true)),
        "the options say so"
    );
    assert_eq!(item.get("seats"), None);
    assert_eq!(&*item.images, [Box::from("https://a.example/1.jpg")]);
    assert_eq!(item.text.as_deref(), Some("Mooi"));
    assert_eq!(read.report.unread.len(), 0);
}

#[test]
fn what_cannot_be_read_is_told_with_its_line_and_stops_nothing() {
    let read = import(
        "id,title,price,fuel,km\n\
         1,Aro Kite,op aanvraag,kolen,0\n\
         ,Aro Kite,1,,\n\
         1,Aro Kite,1,,\n\
         2,,1,,\n\
         3,\"Bel\nLark\",2,,,,,\n\
         4,Bel Lark,0,benzine,-5\n",
    )
    .unwrap();
    let report = &read.report;
    assert_eq!((report.elements, report.read), (6, 2));
    assert_eq!(
        report.places,
        [
            (Place::Line(3), Reason::NoId),
            (Place::Line(4), Reason::Duplicate),
            (Place::Line(5), Reason::NoTitle),
            (Place::Line(6), Reason::Columns),
        ]
    );
    assert_eq!(
        read.items.iter().map(|item| item.price).collect::<Vec<_>>(),
        [None, None],
        "0 is no price"
    );
    let fields: Vec<_> = report
        .unread
        .iter()
        .map(|(field, one)| (field.as_str(), one.count, one.text.as_str()))
        .collect();
    assert_eq!(
        fields,
        [
            ("fuel", 1, "kolen"),
            ("km", 2, "0"),
            ("price", 1, "op aanvraag")
        ]
    );
}

#[test]
fn rows_without_a_header_in_an_old_encoding_are_read_by_position() {
    let feeds = mapped(
        "name = \"old\"\nformat = \"csv\"\ndelimiter = \";\"\nencoding = \"iso-8859-15\"\nheader = false\nat_least = 4\nnumbers = \"comma\"\n\
         [fields]\nid = 1\ntitle = 2\nprice = 3\n",
    );
    let bytes = b"0;A1;\"Citro\xebn \xa4 5\";12.345,00\n0;A2;Kite;1.000\n";
    let read = import_with(&feeds, bytes, &Limits::default()).unwrap();
    let shown: Vec<_> = read
        .items
        .iter()
        .map(|item| (&*item.title, item.price.map(|price| price.cents)))
        .collect();
    assert_eq!(
        shown,
        [("Citroën € 5", Some(1_234_500)), ("Kite", Some(100_000))]
    );
    assert_eq!(read.report.mapping, "old");
}

#[test]
fn no_feed_is_longer_than_it_may_be() {
    let limits = Limits {
        bytes: 100_000,
        element: 20_000,
        ..Limits::default()
    };
    let feeds = feeds();
    let unclosed = format!("id,title\n1,\"{}", "x\n".repeat(48_000));
    let error = import_with(&feeds, unclosed.as_bytes(), &limits).unwrap_err();
    assert!(
        matches!(error, FeedError::ElementTooLong(Place::Line(2), 20_000)),
        "{error}"
    );
    let endless = std::io::repeat(b'x');
    let now = "2026-11-29T12:00:00Z".parse().unwrap();
    let rows = std::io::Read::chain(&b"id,title\n"[..], endless);
    let error = feeds
        .import(
            rows,
            &Reading {
                source: "test",
                mapping: None,
                now,
                limits: limits.clone(),
            },
        )
        .unwrap_err();
    assert!(matches!(error, FeedError::ElementTooLong(..)), "{error}");
    let many: String = (0..20_000).map(|id| format!("{id},Kite\n")).collect();
    let error = import_with(&feeds, format!("id,title\n{many}").as_bytes(), &limits).unwrap_err();
    assert!(matches!(error, FeedError::TooLong(100_000)), "{error}");
    let few = Limits {
        items: 2,
        ..Limits::default()
    };
    let read = import_with(&feeds, b"id,title\n1,a\n2,b\n3,c\n", &few).unwrap();
    assert_eq!(
        (read.items.len(), read.report.skipped.get(&Reason::TooMany)),
        (2, Some(&1))
    );
}

#[test]
fn what_is_no_feed_is_refused_by_name() {
    for (text, says) in [
        ("", "it is empty"),
        ("\u{feff} \n", "it is empty"),
        (
            "<!DOCTYPE html><html><body>404</body></html>",
            "it is a web page, not a feed",
        ),
        (
            "naam,prijs\nGolf,1\n",
            "no mapping fits it: its first line is \"naam,prijs\"",
        ),
        (
            "<?xml version=\"1.0\"?><!-- <a> --><rss/>",
            "no mapping fits it: its outermost element is <rss>",
        ),
    ] {
        assert_eq!(import(text).unwrap_err().to_string(), says);
    }
}

#[test]
fn mistakes_in_files_have_their_line() {
    let names = feeds().names;
    for (text, line, says) in [
        ("[attributes.a]\nkind = \"colour\"\n", 2, "unknown variant"),
        ("[attributes.a]\nkind = \"word\"\n", 1, "`a` has no words"),
        (
            "[attributes.a]\nkind = \"name\"\n",
            1,
            "no catalogue of the domain gives `a`",
        ),
        (
            "[attributes.price]\nkind = \"text\"\n",
            1,
            "field of every record",
        ),
        (
            "[attributes.a]\nkind = \"word\"\n[attributes.a.words]\nx = [\"z\"]\ny = [\"Z\"]\n",
            5,
            "stands for both",
        ),
        (
            "[status]\ngone = [\"weg\"]\n[attributes]\n",
            2,
            "not `gone`",
        ),
    ] {
        let mistake = Schema::parse(text, &names).unwrap_err();
        assert_eq!(mistake.line, line, "{mistake}");
        assert!(mistake.message.contains(says), "{mistake}");
    }
    let schema = feeds().schema;
    for (text, says) in [
        (
            "name = \"x\"\nformat = \"csv\"\n[fields]\nid = 0\nwheels = 1\n",
            "line 5: `wheels` is no field",
        ),
        (
            "name = \"x\"\nformat = \"csv\"\n[fields]\ntitle = 0\n",
            "line 1: no field `id`",
        ),
        (
            "name = \"x\"\nformat = \"csv\"\nencoding = \"klingon\"\n[fields]\nid = 0\n",
            "line 3: `klingon` is no known encoding",
        ),
        (
            "name = \"x\"\nformat = \"xml\"\n[fields]\nid = \"a\"\n",
            "line 1: `items`",
        ),
    ] {
        let mistake = Mapping::parse(text, &schema).unwrap_err().to_string();
        assert!(mistake.starts_with(says), "{mistake}");
    }
}

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
    let again: Vec<crate::Item> = serde_json::from_str(&kept).unwrap();
    assert_eq!(again, read.items);
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
