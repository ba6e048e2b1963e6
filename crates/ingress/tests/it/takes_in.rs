//! The happy path of every provider: from the signed webhook to the stream.

use serde_json::{Value, json};

use crate::http::{Answer, Request};
use crate::signing::{
    ACCOUNT, BASE, CHATWOOT, CHATWOOT_PATH_TOKEN, STATUS, TWILIO_TOKEN, WHATSAPP, chatwoot,
    chatwoot_aged, chatwoot_message, encode, shared_key_signature, text_message, twilio_form,
    twilio_json, twilio_message, twilio_signature, waha, waha_message,
};
use crate::support::{Rig, stream};

#[track_caller]
fn assert_twiml(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/xml"));
    assert_eq!(answer.body, "<Response/>");
}

/// The one message in the inbound stream, without the time at which it came.
fn the_message(rig: &Rig) -> Value {
    let entries = stream(&rig.redis, "in:0");
    assert_eq!(entries.len(), 1, "{entries:?}");
    let mut message = entries[0].payload();
    assert!(message["received_at"].is_string());
    message.as_object_mut().unwrap().remove("received_at");
    message
}

#[test]
fn a_twilio_message_becomes_the_message_of_the_contract() {
    let rig = Rig::start(&[]);
    assert_twiml(&twilio_message("SM1", "Één Golf 👍").send(rig.port()));
    assert_eq!(
        the_message(&rig),
        json!({
            "id": "SM1", "conversation": {"id": "whatsapp:+31612345678"},
            "sender": {"id": "whatsapp:+31612345678", "name": "John Doe", "phone_number": "+31612345678"},
            "content": "Één Golf 👍", "message_type": "incoming", "channel": "whatsapp",
            "source": "twilio", "endpoint": {"address": "whatsapp:+14155238886"},
        })
    );
    let entry = &stream(&rig.redis, "in:0")[0];
    assert_eq!(entry.field("kind"), "message");
    assert_eq!(entry.field("event"), "twilio:message:SM1");
    let ttl: i64 = rig.redis.run(&["TTL", "twilio:message:SM1"]);
    assert!((3_000..=3_600).contains(&ttl), "{ttl}");
    assert_eq!(rig.ingress.counted("twilio", "received"), 1.0);
    assert_eq!(rig.ingress.counted("twilio", "queued"), 1.0);
}

#[test]
fn a_twilio_message_as_json_is_taken_in_when_its_hash_is_signed() {
    let rig = Rig::start(&[]);
    let body: serde_json::Map<String, Value> = text_message("SM2", "hoi")
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let request = twilio_json(serde_json::to_string(&body).unwrap().as_bytes());
    assert_twiml(&request.send(rig.port()));
    assert_eq!(the_message(&rig)["content"], "hoi");

    let mut altered = request;
    altered.body.push(b' ');
    assert_eq!(
        altered.send(rig.port()).outcome(),
        (403, "invalid_signature".into())
    );
}

#[test]
fn either_auth_token_and_both_spellings_of_the_port_are_accepted() {
    let rig = Rig::start(&["--twilio-extra-auth-tokens", "next-token,third-token"]);
    let mut sids = 0;
    for base in [BASE, "https://bot.postduif.test:443"] {
        for token in [TWILIO_TOKEN, "next-token", "third-token"] {
            sids += 1;
            let sid = format!("SM{sids}");
            let pairs = text_message(&sid, "hoi");
            let signature = twilio_signature(token, &format!("{base}{WHATSAPP}"), &pairs);
            let request = twilio_form(WHATSAPP, &pairs)
                .without("X-Twilio-Signature")
                .header("X-Twilio-Signature", signature);
            assert_twiml(&request.send(rig.port()));
        }
    }
    assert_eq!(stream(&rig.redis, "in:0").len(), 6);
}

#[test]
fn a_shared_key_signs_with_the_algorithm_that_is_configured_for_it() {
    let rig = Rig::start(&["--twilio-shared-keys", "key1:SHA256:shared-secret-of-tests"]);
    let pairs = text_message("SM1", "hoi");
    let signature = shared_key_signature(
        "shared-secret-of-tests",
        &format!("{BASE}{WHATSAPP}"),
        &pairs,
    );
    let request = twilio_form(WHATSAPP, &pairs)
        .without("X-Twilio-Signature")
        .header("X-Twilio-Signature", signature);
    let named = |settings: &str| {
        let request = request.clone();
        request.header("X-Twilio-Webhooks-Signature-Settings", settings)
    };
    for settings in ["key=key2,algorithm=HMAC_SHA256", "junk"] {
        assert_eq!(named(settings).send(rig.port()).status, 403, "{settings}");
    }
    assert_eq!(
        request.send(rig.port()).status,
        403,
        "SHA-256 without a key's name"
    );
    assert_twiml(&named("key=key1,algorithm=HMAC_SHA1").send(rig.port()));
}

#[test]
fn a_webhook_of_another_twilio_account_is_refused() {
    let rig = Rig::start(&[]);
    let mut pairs = text_message("SM1", "hoi");
    pairs[1].1 = "AC00000000000000000000000000000002";
    let answer = twilio_form(WHATSAPP, &pairs).send(rig.port());
    assert_eq!(answer.outcome(), (403, "invalid_signature".into()));
    assert_eq!(stream(&rig.redis, "in:0"), []);
}

#[test]
fn a_message_without_text_is_queued_with_what_it_carries() {
    let rig = Rig::start(&[]);
    let mut pairs = text_message("MM1", "");
    pairs[5].1 = "1";
    pairs.push((
        "MediaUrl0",
        "https://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM1/Media/ME1",
    ));
    pairs.push(("MediaContentType0", "image/jpeg"));
    assert_twiml(&twilio_form(WHATSAPP, &pairs).send(rig.port()));
    let message = the_message(&rig);
    assert_eq!(message["content"], "");
    assert_eq!(message["attachments"][0]["content_type"], "image/jpeg");
}

#[test]
fn a_status_callback_is_queued_for_egress_and_answered_with_204() {
    let rig = Rig::start(&[]);
    let pairs = [
        ("MessageSid", "SM9"),
        ("MessageStatus", "undelivered"),
        ("ErrorCode", "63016"),
        ("AccountSid", ACCOUNT),
        ("To", "whatsapp:+31612345678"),
        ("From", "whatsapp:+14155238886"),
    ];
    let target = format!("{STATUS}?oid=ob_1&x=%20a+b");
    let answer = twilio_form(&target, &pairs).send(rig.port());
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));

    let signed_without_query = twilio_form(STATUS, &pairs);
    let request = Request {
        target: target.clone(),
        ..signed_without_query
    };
    assert_eq!(request.send(rig.port()).status, 403, "the query is signed");
    let other_query = Request {
        target: target.replace("ob_1", "ob_2"),
        ..twilio_form(&target, &pairs)
    };
    assert_eq!(other_query.send(rig.port()).status, 403);

    let entries = stream(&rig.redis, "out:0");
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].field("kind"), "delivery");
    assert_eq!(entries[0].field("event"), "twilio:status:SM9:undelivered");
    let report = entries[0].payload();
    assert_eq!(report["outbound_id"], "ob_1");
    assert_eq!(report["status"], "undelivered");
    assert_eq!(report["error_code"], "63016");
    assert_eq!(stream(&rig.redis, "in:0"), []);

    let again = twilio_form(&target, &pairs).send(rig.port());
    assert_eq!(again.status, 204);
    assert_eq!(stream(&rig.redis, "out:0").len(), 1, "a report counts once");
}

#[test]
fn a_waha_message_becomes_the_message_of_the_contract() {
    let rig = Rig::start(&[]);
    let answer = waha(waha_message("A1", "hoi").to_string()).send(rig.port());
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    assert_eq!(
        the_message(&rig),
        json!({
            "id": "false_31612345678@c.us_A1",
            "conversation": {"id": "waha:default:31612345678@c.us"},
            "sender": {"id": "31612345678@c.us", "name": "John Doe", "phone_number": "+31612345678"},
            "content": "hoi", "message_type": "incoming", "channel": "whatsapp", "source": "waha",
            "endpoint": {"address": "31201234567@c.us", "session": "default"},
        })
    );
}

#[test]
fn waha_messages_are_told_apart_by_session_and_id() {
    let rig = Rig::start(&[]);
    let mut other_session = waha_message("A1", "hoi");
    other_session["session"] = "second".into();
    for event in [
        waha_message("A1", "hoi"),
        waha_message("A1", "hoi"),
        other_session,
    ] {
        assert_eq!(waha(event.to_string()).send(rig.port()).status, 200);
    }
    let events: Vec<_> = stream(&rig.redis, "in:0")
        .iter()
        .map(|entry| entry.field("event").to_owned())
        .collect();
    assert_eq!(
        events,
        ["waha:message:default:A1", "waha:message:second:A1"]
    );
}

#[test]
fn waha_events_that_are_none_of_our_business_are_answered_with_200_and_not_queued() {
    let rig = Rig::start(&[]);
    let changed = |field: &str, value: Value| {
        let mut event = waha_message("A1", "hoi");
        event["payload"][field] = value;
        event
    };
    for (event, reason) in [
        (changed("from", "1203630@g.us".into()), "group"),
        (changed("from", "status@broadcast".into()), "status"),
        (changed("from", "12@broadcast".into()), "broadcast"),
        (changed("from", "12@newsletter".into()), "newsletter"),
        (json!({"event": "message.reaction", "payload": {}}), "event"),
    ] {
        let answer = waha(event.to_string()).send(rig.port());
        assert_eq!(answer.status, 200, "{reason}");
        let ignored =
            format!("postduif_webhooks_ignored_total{{reason=\"{reason}\",source=\"waha\"}}");
        assert_eq!(rig.ingress.metric(&ignored), 1.0, "{reason}");
    }
    assert_eq!(stream(&rig.redis, "in:0"), []);
}

#[test]
fn waha_acks_go_to_egress_and_session_changes_are_counted() {
    let rig = Rig::start(&[]);
    let ack = json!({
        "event": "message.ack", "session": "default",
        "payload": {"id": "true_4711@lid_K1", "from": "4711@lid", "fromMe": true, "ack": 3},
    });
    assert_eq!(waha(ack.to_string()).send(rig.port()).status, 200);
    let entries = stream(&rig.redis, "out:0");
    assert_eq!(entries[0].field("event"), "waha:status:default:K1:read");
    assert_eq!(entries[0].payload()["to"], "4711@lid");

    let status =
        json!({"event": "session.status", "session": "default", "payload": {"status": "FAILED"}});
    assert_eq!(waha(status.to_string()).send(rig.port()).status, 200);
    let changes = "postduif_waha_session_changes_total{working=\"false\"}";
    assert_eq!(rig.ingress.metric(changes), 1.0);
}

#[test]
fn a_chatwoot_message_becomes_the_message_of_the_contract() {
    let rig = Rig::start(&[]);
    let answer = chatwoot(chatwoot_message(11, "hoi").to_string()).send(rig.port());
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    assert_eq!(
        the_message(&rig),
        json!({
            "id": "11", "conversation": {"id": "chatwoot:1:42"},
            "sender": {
                "id": "whatsapp:+31612345678", "name": "John Doe", "phone_number": "+31612345678",
                "aliases": ["chatwoot:1-contact-7"],
            },
            "content": "hoi", "message_type": "incoming", "channel": "whatsapp", "source": "chatwoot",
            "endpoint": {"account_id": 1, "conversation_id": 42},
        })
    );
    assert_eq!(
        stream(&rig.redis, "in:0")[0].field("event"),
        "chatwoot:message:1:11"
    );
}

#[test]
fn a_chatwoot_server_that_does_not_sign_uses_the_path_token() {
    let rig = Rig::start(&[]);
    let body = chatwoot_message(12, "hoi").to_string();
    let wrong = Request::post(&format!("{CHATWOOT}/guessed"), body.clone());
    assert_eq!(
        wrong.send(rig.port()).outcome(),
        (403, "invalid_signature".into())
    );
    let right = Request::post(&format!("{CHATWOOT}/{CHATWOOT_PATH_TOKEN}"), body);
    assert_eq!(right.send(rig.port()).status, 200);
    assert_eq!(the_message(&rig)["id"], "12");
}

#[test]
fn chatwoot_messages_that_are_not_for_the_bot_are_ignored() {
    let rig = Rig::start(&[]);
    let changed = |pointer: &str, value: Value| {
        let mut event = chatwoot_message(1, "hoi");
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    for (event, reason) in [
        (changed("/message_type", "template".into()), "not_incoming"),
        (changed("/message_type", 3.into()), "not_incoming"),
        (changed("/private", true.into()), "private_note"),
        (
            changed("/sender", json!({"id": 3, "type": "user"})),
            "own_message",
        ),
        (
            changed("/sender", json!({"id": 3, "type": "agent_bot"})),
            "own_message",
        ),
        (
            changed("/conversation/status", "open".into()),
            "not_pending",
        ),
        (
            changed("/conversation/meta", json!({"assignee": {"id": 5}})),
            "human_assignee",
        ),
        (changed("/content", " ".into()), "empty"),
        (changed("/event", "message_updated".into()), "event"),
    ] {
        let ignored =
            format!("postduif_webhooks_ignored_total{{reason=\"{reason}\",source=\"chatwoot\"}}");
        let before = rig.ingress.metric(&ignored);
        assert_eq!(
            chatwoot(event.to_string()).send(rig.port()).status,
            200,
            "{reason}"
        );
        assert_eq!(rig.ingress.metric(&ignored), before + 1.0, "{reason}");
    }
    assert_eq!(stream(&rig.redis, "in:0"), []);
    let by_number = changed("/message_type", 0.into());
    assert_eq!(chatwoot(by_number.to_string()).send(rig.port()).status, 200);
    assert_eq!(stream(&rig.redis, "in:0").len(), 1);
}

#[test]
fn a_human_who_takes_over_or_gives_back_reaches_the_worker_in_order() {
    let rig = Rig::start(&[]);
    let status = |status: &str, meta: Value| {
        json!({
            "event": "conversation_status_changed", "id": 42, "status": status, "meta": meta,
            "account": {"id": 1},
        })
    };
    let human = json!({"assignee": {"id": 5}});
    assert_eq!(
        chatwoot(chatwoot_message(1, "hoi").to_string())
            .send(rig.port())
            .status,
        200
    );
    for event in [
        status("open", json!({})),
        status("pending", json!({})),
        status("pending", human),
        status("resolved", json!({})),
        status("snoozed", json!({})),
    ] {
        assert_eq!(chatwoot(event.to_string()).send(rig.port()).status, 200);
    }
    let found: Vec<_> = stream(&rig.redis, "in:0")
        .iter()
        .map(|entry| {
            (
                entry.field("kind").to_owned(),
                entry.payload()["kind"].clone(),
            )
        })
        .collect();
    let control = |kind: &str| ("control".to_owned(), Value::from(kind));
    assert_eq!(
        found,
        [
            ("message".into(), Value::Null),
            control("human_took_over"),
            control("released"),
            control("human_took_over"),
            control("resolved"),
        ]
    );
    for entry in stream(&rig.redis, "in:0") {
        assert_eq!(entry.field("conv"), "chatwoot:1:42");
    }
}

#[test]
fn a_control_event_is_known_again_by_what_was_signed_and_not_by_its_header() {
    let rig = Rig::start(&[]);
    let event =
        json!({"event": "conversation_opened", "id": 42, "status": "open", "account": {"id": 1}});
    for (age, delivery) in [(0, "d1"), (0, "d2"), (60, "d1"), (60, "d3")] {
        let request = chatwoot_aged(event.to_string(), age);
        let request = request.header("X-Chatwoot-Delivery", delivery);
        assert_eq!(request.send(rig.port()).status, 200);
    }
    assert_eq!(stream(&rig.redis, "in:0").len(), 2);
}

#[test]
fn a_webhook_that_is_replayed_after_days_is_known_however_it_is_split() {
    let rig = Rig::start(&[]);
    let split = |pairs: &[(&str, &str)]| {
        let mut all = text_message("SM1", "hoi");
        all.retain(|(name, _)| *name != "Body");
        all.extend_from_slice(pairs);
        twilio_form(WHATSAPP, &all)
    };
    // The names and values of both, one after the other, are the same.
    let one = split(&[("Body", "hoiButtonPayloadb")]);
    let split_otherwise = split(&[("Body", "hoi"), ("ButtonPayload", "b")]);
    assert_eq!(one.headers, split_otherwise.headers);
    assert_twiml(&one.send(rig.port()));
    // A day later.
    let forgotten: u64 = rig.redis.run(&["DEL", "twilio:message:SM1"]);
    assert_eq!(forgotten, 1);
    assert_twiml(&one.send(rig.port()));
    assert_twiml(&split_otherwise.send(rig.port()));
    assert_eq!(rig.ingress.counted("twilio", "duplicate"), 2.0);
    assert_eq!(stream(&rig.redis, "in:0").len(), 1);
    // Another content is another message.
    assert_twiml(&split(&[("Body", "anders")]).send(rig.port()));
    assert_eq!(stream(&rig.redis, "in:0").len(), 2);

    let by_token = format!("{CHATWOOT}/{CHATWOOT_PATH_TOKEN}");
    let event = chatwoot_message(12, "hoi").to_string();
    for _ in 0..2 {
        let answer = Request::post(&by_token, event.clone()).send(rig.port());
        assert_eq!(answer.status, 200);
        rig.redis.run::<u64>(&["DEL", "chatwoot:message:1:12"]);
    }
    assert_eq!(stream(&rig.redis, "in:0").len(), 3);
}

#[test]
fn every_signature_vector_is_accepted_over_http_and_refused_when_altered() {
    let file = test_support::fixture("twilio/signature_vectors.json");
    let file: Value = serde_json::from_slice(&file).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let forms = vectors.iter().filter(|vector| vector["kind"] == "form");
    for vector in forms {
        let url = vector["url"].as_str().unwrap();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, path) = rest.split_once('/').unwrap();
        let base = format!("{scheme}://{authority}");
        let query = path
            .split_once('?')
            .map_or(String::new(), |(_, query)| format!("?{query}"));
        let target = format!("{WHATSAPP}{query}");
        let pairs: Vec<(&str, &str)> = vector["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect();
        let token = vector["token"].as_str().unwrap();
        let rig = Rig::start(&["--public-base-url", &base, "--twilio-auth-token", token]);
        let signature = twilio_signature(token, &format!("{base}{target}"), &pairs);
        let request = Request::post(&target, encode(&pairs))
            .header("Content-Type", crate::signing::FORM)
            .header("X-Twilio-Signature", signature);
        // Some vectors are no WhatsApp messages: believed, but not usable.
        let answer = request.send(rig.port());
        assert!(
            [200, 400].contains(&answer.status),
            "{}: {answer:?}",
            vector["name"]
        );

        let mut altered = request.clone();
        altered.body.extend_from_slice(b"&Extra=1");
        assert_eq!(altered.send(rig.port()).status, 403, "{}", vector["name"]);
    }
}
