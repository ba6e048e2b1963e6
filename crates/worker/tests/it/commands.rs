//! `worker understand` and `worker evaluate`, as functions.

use worker::commands::evaluate::{self, EvaluateError, Options};
use worker::commands::understand::{self, Format, Showing};
use worker::domain::Domain;

fn understand(format: Format, input: &[u8]) -> (String, String) {
    show(
        Showing {
            format,
            explain: false,
        },
        input,
    )
}

fn show(showing: Showing, input: &[u8]) -> (String, String) {
    let domain = Domain::embedded().unwrap();
    let (mut output, mut problems) = (Vec::new(), Vec::new());
    understand::run(&domain, showing, input, &mut output, &mut problems)
        .expect("it can be written");
    (
        String::from_utf8(output).unwrap(),
        String::from_utf8(problems).unwrap(),
    )
}

#[test]
fn each_line_of_text_becomes_a_line_of_json() {
    let (output, problems) = understand(Format::Text, "hoi\r\n\nzoek een rode golf\n".as_bytes());
    let lines: Vec<serde_json::Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let intents: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["intent"].as_str())
        .collect();
    assert_eq!(intents, ["greeting", "car_inquiry"]);
    assert_eq!(lines[1]["slots"]["color"], "red");
    let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys.len(),
        6,
        "text, lang, intent, confidence, slots, acts: {keys:?}"
    );
    assert_eq!(problems, "");
}

#[test]
fn broken_lines_are_told_and_do_not_stop_the_rest() {
    let input = b"{\"text\":\"hoi\",\"id\":1}\nnot json\n\xff\xfe\n{\"txt\":\"hoi\"}\n{\"text\":\"stop\"}\n";
    let (output, problems) = understand(Format::JsonLines, input);
    assert_eq!(output.lines().count(), 2);
    let numbers: Vec<&str> = problems
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(numbers, ["line 2", "line 3", "line 4"]);
}

#[test]
fn explanation_names_the_patterns_that_spoke() {
    let showing = Showing {
        explain: true,
        ..Showing::default()
    };
    let (output, _) = show(showing, b"wil een proefrit\n");
    let shown: serde_json::Value = serde_json::from_str(&output).unwrap();
    let cues = shown["cues"].as_array().unwrap();
    let pattern = |cue: &&serde_json::Value| cue["pattern"] == "proefrit*";
    let cue = cues.iter().find(pattern).expect("the pattern is named");
    assert_eq!(cue["intent"], "test_drive");
    assert_eq!(cue["weight"], 9.0);
    let by_examples = cues.iter().filter(|cue| cue["pattern"].is_null());
    let strongest = by_examples.max_by(|a, b| {
        let weight = |cue: &serde_json::Value| cue["weight"].as_f64().unwrap_or_default();
        weight(a).total_cmp(&weight(b))
    });
    assert_eq!(strongest.unwrap()["intent"], "test_drive");
}

const LABELLED: &str = r#"{"text":"hoi","lang":"nl","intent":"greeting","slots":{}}
{"text":"zoek een rode golf","lang":"nl","intent":"car_inquiry","slots":{"car_make":"Volkswagen","car_model":"Golf","color":"red"}}
{"text":"zoek een golf","lang":"nl","intent":"trade_in","slots":{"car_make":"Opel"}}
"#;

fn evaluate(input: &str, options: Options) -> (String, Result<(), EvaluateError>) {
    let mut output = Vec::new();
    let result = evaluate::run(
        &Domain::embedded().unwrap(),
        input.as_bytes(),
        &mut output,
        options,
    );
    (String::from_utf8(output).unwrap(), result.map(|_| ()))
}

#[test]
fn report_counts_what_was_right() {
    let (json, result) = evaluate(
        LABELLED,
        Options {
            json: true,
            ..Options::default()
        },
    );
    assert!(result.is_ok());
    let score: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(score["messages"], 3);
    assert_eq!(
        score["slots"],
        serde_json::json!({"right": 3, "superfluous": 2, "missing": 1})
    );
    assert_eq!(score["confusion"]["trade_in"]["car_inquiry"], 1);
    assert_eq!(score["misses"][0]["text"], "zoek een golf");
    assert!(score["timing"]["p95"].as_f64().is_some_and(|p95| p95 > 0.0));
    let (table, _) = evaluate(LABELLED, Options::default());
    for part in [
        "all (micro)",
        "confidence",
        "time a message",
        "car_inquiry instead of trade_in",
    ] {
        assert!(table.contains(part), "{part} is not in\n{table}");
    }
}

#[test]
fn missed_floors_and_bad_labels_are_errors() {
    let floor = |min_intent| Options {
        min_intent: Some(min_intent),
        ..Options::default()
    };
    assert!(evaluate(LABELLED, floor(0.6)).1.is_ok());
    let (report, missed) = evaluate(LABELLED, floor(0.9));
    assert_eq!(
        missed.unwrap_err().to_string(),
        "intent accuracy is 0.667, less than 0.900"
    );
    assert!(
        report.contains("all (micro)"),
        "the report is written all the same"
    );
    let (_, bad) = evaluate("{\"text\":\"hoi\"}\n", Options::default());
    assert!(matches!(bad, Err(EvaluateError::Label { line: 1, .. })));
    assert!(matches!(
        evaluate("\n", Options::default()).1,
        Err(EvaluateError::Empty)
    ));
}
