//! The webhooks under `tests/fixtures/cases`: what providers' own software makes.

use ingress::{Event, Reading, read};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::fixtures::assert_round_trip;
use crate::properties::{any_json, pointers};
use crate::signing::encode;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) expect: String,
    #[serde(default)]
    pub(crate) body: Value,
    #[serde(default)]
    pub(crate) form: Map<String, Value>,
}

/// The cases' own time: WAHA's carry it.
fn now() -> Timestamp {
    Timestamp::from_second(1_795_889_900).unwrap()
}

fn cases(provider: &str) -> Vec<Case> {
    let file = test_support::fixture(&format!("cases/{provider}.json"));
    serde_json::from_slice(&file).unwrap()
}

pub(crate) fn waha(body: &Value) -> Reading {
    let body = body.to_string();
    read::waha(body.as_bytes(), now(), SignedDuration::from_hours(1))
}

pub(crate) fn chatwoot(body: &Value) -> Reading {
    read::chatwoot(body.to_string().as_bytes(), "delivery-1", Some(1), now())
}

pub(crate) fn twilio(form: &Map<String, Value>) -> Reading {
    let pairs: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let form = encode(&pairs);
    read::twilio_message(&read::Params::parse(form.as_bytes()).unwrap(), now())
}

/// What the agents are told, as a reviewer wants to read it: without what all messages have.
fn shown(reading: &Reading) -> Value {
    match reading {
        Reading::Event(event) => {
            let entry = event.entry(None).unwrap();
            assert_round_trip(event, &entry);
            let mut payload: Map<String, Value> = serde_json::from_str(&entry.payload).unwrap();
            for same in [
                "id",
                "message_type",
                "channel",
                "source",
                "received_at",
                "endpoint",
                "at",
            ] {
                payload.remove(same);
            }
            payload.into()
        }
        Reading::Ignored(reason) => json!({ "ignored": reason }),
        Reading::Written(written) => json!({
            "written": written.message.id, "conversations": written.conversations,
            "to": written.message.to, "by": written.message.by, "content": written.message.content,
            "attachments": written.message.attachments,
        }),
        Reading::Again(message) => json!({ "again": message.id }),
        Reading::Rejected(rejection) => json!({ "rejected": rejection.code }),
        Reading::Session {
            status,
            working,
            timelocked,
            ..
        } => {
            json!({ "session": status, "working": working, "timelocked": timelocked })
        }
    }
}

pub(crate) fn became(reading: &Reading) -> &'static str {
    match reading {
        Reading::Event(_) => "queued",
        Reading::Written(_) | Reading::Again(_) => "written",
        Reading::Ignored(_) | Reading::Session { .. } => "ignored",
        Reading::Rejected(_) => "rejected",
    }
}

fn check(provider: &str, read: impl Fn(&Case) -> Reading) {
    let mut results = Map::new();
    for case in cases(provider) {
        let reading = read(&case);
        assert_eq!(
            became(&reading),
            case.expect,
            "{provider} {}: {reading:?}",
            case.name
        );
        results.insert(case.name, shown(&reading));
    }
    insta::assert_json_snapshot!(provider, results);
}

#[test]
fn every_shape_of_waha_is_read_as_what_it_is() {
    check("waha", |case| waha(&case.body));
}

#[test]
fn every_shape_of_chatwoot_is_read_as_what_it_is() {
    check("chatwoot", |case| chatwoot(&case.body));
}

#[test]
fn every_shape_of_twilio_is_read_as_what_it_is() {
    check("twilio", |case| twilio(&case.form));
}

/// What a message cannot do without, and what says whose business it is.
const ESSENTIAL: [&str; 24] = [
    "",
    "/event",
    "/session",
    "/payload",
    "/payload/id",
    "/payload/from",
    "/payload/fromMe",
    "/payload/_data/key/remoteJid",
    "/payload/_data/key/remoteJidAlt",
    "/payload/_data/Info/Chat",
    "/id",
    "/message_type",
    "/private",
    "/account",
    "/account/id",
    "/conversation",
    "/conversation/id",
    "/conversation/status",
    "/conversation/meta/assignee",
    "/conversation/meta/assignee_type",
    "/sender/type",
    "/sender/identifier",
    "/conversation/meta/sender/identifier",
    "/conversation/contact_inbox/source_id",
];

/// Whether a field may be anything: neither essential nor the only place of the words.
fn is_optional(case: &Case, place: &str) -> bool {
    let payload = &case.body["payload"];
    let said = |name: &str| !payload[name].is_null() && payload[name] != false;
    let elsewhere = ["body", "media", "location", "vCards"]
        .into_iter()
        .filter(|name| said(name));
    let told_by_payload = elsewhere.count() > 0;
    let of_chatwoot = case.body.get("conversation").is_some();
    let only_place = if of_chatwoot {
        place.starts_with("/content") || place.starts_with("/attachments")
    } else {
        let of_engine = place.starts_with("/payload/_data");
        (of_engine && !told_by_payload)
            || ["/payload/_data/type", "/payload/_data"].contains(&place)
    };
    !only_place && !ESSENTIAL.contains(&place)
}

fn queued(provider: &str) -> Vec<Case> {
    let mut cases = cases(provider);
    cases.retain(|case| case.expect == "queued");
    cases
}

/// A case that is queued, with one of its optional fields.
fn optional_fields(provider: &str) -> Vec<(Case, String)> {
    let messages = queued(provider).into_iter().filter(|case| {
        ["message", "message_created"].contains(&case.body["event"].as_str().unwrap())
    });
    let fields = messages.flat_map(|case| {
        let places = pointers(&case.body).into_iter();
        let optional: Vec<_> = places.filter(|place| is_optional(&case, place)).collect();
        optional.into_iter().map(move |place| (case.clone(), place))
    });
    fields.collect()
}

fn with(case: &Case, place: &str, value: Value) -> Value {
    let mut body = case.body.clone();
    if let Some(target) = body.pointer_mut(place) {
        *target = value;
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_optional_field_of_waha_refuses_a_message(
        (case, place) in prop::sample::select(optional_fields("waha")),
        value in any_json(),
    ) {
        let reading = waha(&with(&case, &place, value.clone()));
        let queued = matches!(&reading, Reading::Event(Event::Message(_)));
        prop_assert!(queued, "{} {place} {value}: {reading:?}", case.name);
    }

    #[test]
    fn no_optional_field_of_chatwoot_refuses_a_message(
        (case, place) in prop::sample::select(optional_fields("chatwoot")),
        value in any_json(),
    ) {
        let reading = chatwoot(&with(&case, &place, value.clone()));
        let names_group = value.as_str().is_some_and(|text| text.contains("@g.us"));
        let is_group = names_group && matches!(&reading, Reading::Ignored("group"));
        let queued = is_group || matches!(&reading, Reading::Event(Event::Message(_)));
        prop_assert!(queued, "{} {place} {value}: {reading:?}", case.name);
    }

    #[test]
    fn no_optional_parameter_of_twilio_refuses_a_message(
        case in prop::sample::select(queued("twilio")),
        at in any::<prop::sample::Index>(),
        value in any::<String>(),
    ) {
        const ESSENTIAL: [&str; 7] = ["MessageSid", "From", "GroupId", "MessageType", "WaId", "Body", "InteractiveData"];
        let names: Vec<&String> = case.form.keys().filter(|name| !ESSENTIAL.contains(&name.as_str())).collect();
        let mut form = case.form.clone();
        form.insert((*at.get(&names)).clone(), value.into());
        let reading = twilio(&form);
        prop_assert!(matches!(&reading, Reading::Event(Event::Message(_))) || only_place(&case.form), "{}: {reading:?}", case.name);
        prop_assert!(!matches!(reading, Reading::Rejected(_)));
    }
}

/// Whether the message is in the parameter alone that may be replaced.
fn only_place(form: &Map<String, Value>) -> bool {
    form["Body"] == ""
        && ["Latitude", "ButtonPayload"]
            .iter()
            .any(|name| form.contains_key(*name))
}

#[test]
fn odd_fields_are_left_out_and_named() {
    let mut body = cases("waha")[0].body.clone();
    body["me"] = json!({"pushName": "Garage"});
    body["timestamp"] = "soon".into();
    body["payload"]["replyTo"] = 5.into();
    body["payload"]["hasMedia"] = Value::Null;
    body["payload"]["vCards"] = "x".into();
    let Reading::Event(Event::Message(message)) = waha(&body) else {
        panic!("not queued");
    };
    assert_eq!(message.content, "Ik zoek een Volkswagen Golf");
    assert_eq!(message.unread, ["replyTo", "timestamp", "vCards"]);
    assert_eq!(message.endpoint.unwrap().address, None);
}

/// WAHA may tell of a message twice, under the number of the chat and under its hidden id.
#[test]
fn one_message_under_both_addresses_of_its_chat_is_one() {
    let by_number = cases("waha")[0].body.clone();
    let mut by_hidden_id = by_number.clone();
    let key = by_number["payload"]["id"]
        .as_str()
        .unwrap()
        .rsplit('_')
        .next()
        .unwrap();
    by_hidden_id["payload"]["id"] = format!("false_150000000004711@lid_{key}").into();
    by_hidden_id["payload"]["from"] = "150000000004711@lid".into();
    by_hidden_id["payload"]["_data"]["key"]["remoteJid"] = "150000000004711@lid".into();
    let event = |body: &Value| match waha(body) {
        Reading::Event(event) => event.entry(None).unwrap().event,
        other => panic!("{other:?}"),
    };
    assert_eq!(event(&by_hidden_id), event(&by_number));
}

#[test]
fn an_edit_names_what_it_takes_the_place_of_and_is_known_again() {
    let case = cases("waha")
        .into_iter()
        .find(|case| case.name.contains("message_edited"))
        .unwrap();
    let key = |body: &Value| match waha(body) {
        Reading::Event(event) => event.entry(None).unwrap().event,
        other => panic!("{other:?}"),
    };
    // Some engines send the edit under the id of the message that it edits.
    let mut same_id = case.body.clone();
    same_id["payload"]["editedMessageId"] = "3AEB0000000000000087".into();
    let mut original = case.body.clone();
    original["event"] = "message".into();
    assert_ne!(key(&same_id), key(&original));
    assert_eq!(key(&same_id), key(&same_id));
}
