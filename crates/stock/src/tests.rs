//! Feeds of a small domain of birds' names, and what becomes of them.

use std::sync::Arc;

use crate::{
    FeedError, Feeds, Import, Limits, Mapping, Names, Place, Reading, Reason, Schema, Status, Value,
};

mod objects_and_elements;

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
            ("km", 1, "-5"),
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
