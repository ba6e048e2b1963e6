//! What the pure functions on a message's way cost: `cargo bench -p e2e-tests --bench functions`. Needs no server.
//!
//! `understanding`, `plan` and `wording` go through the labelled messages of `tests/fixtures/nlu`, one in each
//! iteration, as if each were a customer's first.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program for developers"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use egress::split::{Limit, Unit, split};
use ingress::read::{Params, twilio_message};
use ingress::verify::{SignedBody, SignedRequest, TwilioKeys, twilio as verify};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;
use shared_types::{Inbound, InboundMessage, Payload};
use test_support::fixture;
use worker::dialogue::act::Act;
use worker::dialogue::{self, Heard, Occasion, Reply, Standing, State};
use worker::domain::Domain;
use worker::understanding::{Understander, Understanding};

fn webhook(criterion: &mut Criterion) {
    const URL: &str = "https://example.com/webhooks/twilio";
    const TOKEN: &str = "a token of the account";
    let body = fixture("twilio/message__text.form");
    let params = Params::parse(&body).unwrap();
    let texts = |(name, value): (&[u8], &[u8])| {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(name), text(value))
    };
    let fields: Vec<_> = params.in_signing_order().into_iter().map(texts).collect();
    let signature = simulator::twilio::sign(TOKEN, URL, &fields);
    let keys = TwilioKeys {
        auth_tokens: vec![TOKEN.into()],
        shared: Vec::new(),
    };
    let request = SignedRequest {
        url: URL,
        body: SignedBody::Form(&params),
        signature: Some(&signature),
        settings: None,
    };
    let now = Timestamp::now();
    criterion.bench_function("form", |bench| {
        bench.iter(|| Params::parse(black_box(&body)).is_some());
    });
    criterion.bench_function("signature", |bench| {
        bench.iter(|| verify(black_box(&request), &keys).unwrap());
    });
    criterion.bench_function("message of a form", |bench| {
        bench.iter(|| twilio_message(black_box(&params), now));
    });
}

fn wire(criterion: &mut Criterion) {
    let lines = fixture("entries/inbound.jsonl");
    let first = lines.split(|byte| *byte == b'\n').next().unwrap();
    let entry: Value = serde_json::from_slice(first).unwrap();
    let (kind, json) = (&entry["kind"], &entry["payload"]);
    let (kind, json) = (kind.as_str().unwrap(), json.as_str().unwrap());
    let message: InboundMessage = serde_json::from_str(json).unwrap();
    criterion.bench_function("JSON read", |bench| {
        bench.iter(|| Inbound::read(kind, black_box(json)).unwrap());
    });
    criterion.bench_function("JSON written", |bench| {
        bench.iter(|| serde_json::to_string(black_box(&message)).unwrap());
    });
}

/// A message and what it was read as.
type Read = (String, Understanding, Vec<Act>);

fn turn(criterion: &mut Criterion) {
    let domain = Domain::embedded().unwrap();
    let understander = Understander::new(&domain);
    let first = Standing::of(&State::default(), false);
    let all = fixture("nlu/unseen.jsonl");
    let lines = all
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let read = |line| {
        let line: Value = serde_json::from_slice(line).unwrap();
        let text = line["text"].as_str().unwrap().to_owned();
        let (reading, acts) = understander.take(&text, &first.context());
        (text, reading, acts)
    };
    let messages: Vec<Read> = lines.map(read).collect();
    let mut texts = messages.iter().map(|(text, ..)| text).cycle();
    criterion.bench_function("understanding", |bench| {
        bench.iter(|| understander.take(texts.next().unwrap(), &first.context()));
    });
    let now = Timestamp::now();
    let plan = |message| plan(&domain, message, now);
    let mut again = messages.iter().cycle();
    criterion.bench_function("plan", |bench| {
        bench.iter(|| plan(again.next().unwrap()));
    });
    let planned = messages.iter().map(|message| (message, plan(message)));
    let replies: Vec<_> = planned
        .filter_map(|(message, (state, reply))| match reply {
            Reply::Say(said) => Some((message, state, said)),
            Reply::Silent(_) => None,
        })
        .collect();
    let mut replies = replies.iter().cycle();
    let local = local(&domain, now);
    criterion.bench_function("wording", |bench| {
        bench.iter(|| {
            let ((text, reading, _), state, said) = replies.next().unwrap();
            let occasion = Occasion {
                name: Some("Sanne"),
                text,
                local,
                dice: 1,
            };
            let lang = state.lang.as_deref().unwrap_or(&reading.lang);
            dialogue::word(&domain, domain.replies_in(lang), state, said, occasion)
        });
    });
}

/// What is remembered and said of a customer's first message.
fn plan(domain: &Domain, (text, reading, acts): &Read, now: Timestamp) -> (State, Reply) {
    let heard = Heard {
        acts,
        text,
        attachment: None,
        withheld: false,
        unserved: reading.unserved.as_deref(),
        now,
        local: local(domain, now),
        came: None,
        stock: None,
        sought: &reading.sought,
    };
    let (mut state, dues) = dialogue::update(domain, State::default(), &heard);
    let reply = dialogue::reply(domain, &mut state, &dues, &heard);
    (state, reply)
}

fn local(domain: &Domain, now: Timestamp) -> DateTime {
    now.to_zoned(domain.business.time_zone.clone()).datetime()
}

fn replies(criterion: &mut Criterion) {
    let sentence = "De auto staat voor u klaar, en een collega belt u morgen om 10:30 terug. ";
    let text = sentence.repeat(100);
    let limit = Limit {
        most: 1600,
        unit: Unit::Utf16,
    };
    criterion.bench_function("split of 7,300 characters", |bench| {
        bench.iter(|| split(black_box(&text), limit));
    });
}

criterion_group!(functions, webhook, wire, turn, replies);
criterion_main!(functions);
