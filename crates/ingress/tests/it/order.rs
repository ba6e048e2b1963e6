//! Signature, rate limit, dedup, validation, queue: in this order, and what each protects.

use crate::http::{Answer, Request};
use crate::signing::{STATUS, WHATSAPP, text_message, twilio_form, twilio_message};
use crate::support::{Rig, Service, config, length, stream};

fn unsigned(sid: &str) -> Request {
    twilio_message(sid, "hoi").without("X-Twilio-Signature")
}

fn invalid(sid: &str) -> Request {
    let mut pairs = text_message(sid, "hoi");
    pairs[2].1 = "whatsapp:+0612345678";
    twilio_form(WHATSAPP, &pairs)
}

#[track_caller]
fn assert_rate_limited(answer: &Answer) {
    assert_eq!(answer.outcome(), (429, "rate_limited".into()));
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}

#[test]
fn the_signature_comes_before_the_rate_limit() {
    let rig = Rig::start(&["--rate-limit-per-minute", "2"]);
    let limits = [
        "--rate-limit-per-minute",
        "2",
        "--failed-signatures-per-minute",
        "0",
    ];
    let other = Service::start(config(&rig.redis.url(), &limits));
    for n in 0..5 {
        assert_eq!(unsigned(&format!("SM{n}")).send(other.port).status, 403);
    }
    let used: Vec<String> = rig.redis.run(&["KEYS", "recent:*"]);
    assert!(used.is_empty(), "what is not verified uses up no budget");
    for sid in ["SM1", "SM2"] {
        assert_eq!(twilio_message(sid, "hoi").send(rig.port()).status, 200);
    }
    assert_rate_limited(&twilio_message("SM3", "hoi").send(rig.port()));
    assert_eq!(
        unsigned("SM3").send(rig.port()).outcome(),
        (403, "invalid_signature".into()),
        "a bad signature is refused as such when the budget is used up too"
    );
}

fn message_of(sid: &str, from: &str) -> Request {
    let mut pairs = text_message(sid, "hoi");
    pairs[2].1 = from;
    twilio_form(WHATSAPP, &pairs)
}

#[test]
fn one_customer_uses_up_a_budget_of_their_own_and_nobody_elses() {
    let rig = Rig::start(&["--rate-limit-per-minute", "50"]);
    let (stranger, honest) = ("whatsapp:+31611111111", "whatsapp:+31622222222");
    for n in 0..60 {
        let answer = message_of(&format!("SM{n}"), stranger).send(rig.port());
        if n < 50 {
            assert_eq!(answer.status, 200);
        } else {
            assert_rate_limited(&answer);
        }
    }
    assert_eq!(message_of("SM100", honest).send(rig.port()).status, 200);
    let report = [
        ("MessageSid", "SM200"),
        ("MessageStatus", "read"),
        ("To", stranger),
    ];
    let callback = twilio_form(STATUS, &report);
    assert_eq!(callback.send(rig.port()).status, 204);
    assert_eq!(length(&rig.redis, "in:0"), 51);
}

#[test]
fn repetitions_cost_nothing_and_what_is_rejected_counts_for_its_sender() {
    let rig = Rig::start(&["--rate-limit-per-minute", "2"]);
    let sender = "whatsapp:+31611111111";
    let long = "x".repeat(1_601);
    let too_long = |sid| {
        let mut pairs = text_message(sid, &long);
        pairs[2].1 = sender;
        twilio_form(WHATSAPP, &pairs)
    };
    assert_eq!(message_of("SM1", sender).send(rig.port()).status, 200);
    assert_eq!(message_of("SM1", sender).send(rig.port()).status, 200);
    let rejected = too_long("SM2").send(rig.port());
    assert_eq!(rejected.outcome(), (400, "message_too_long".into()));
    assert_rate_limited(&message_of("SM3", sender).send(rig.port()));
    assert_rate_limited(&too_long("SM4").send(rig.port()));
    assert_eq!(message_of("SM1", sender).send(rig.port()).status, 200);
    assert_eq!(length(&rig.redis, "in:0"), 1);
    let kept = stream(&rig.redis, "rejected:0");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].field("conv"), sender, "erasing a person finds it");
}

#[test]
fn what_is_more_than_the_system_takes_is_refused_with_an_alarm() {
    let rig = Rig::start(&["--total-limit-per-minute", "4"]);
    let statuses: Vec<u16> = (0..6)
        .map(|n| {
            let from = format!("whatsapp:+3161111111{n}");
            message_of(&format!("SM{n}"), &from).send(rig.port()).status
        })
        .collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429]);
    assert_eq!(rig.ingress.metric("postduif_total_limit_alarms_total"), 4.0);
    let refused =
        "postduif_verified_webhooks_refused_total{reason=\"total_limit\",source=\"twilio\"}";
    assert_eq!(rig.ingress.metric(refused), 2.0);
}

#[test]
fn what_is_rejected_is_never_queued_and_kept_once() {
    let rig = Rig::start(&[]);
    for _ in 0..2 {
        let answer = invalid("SM1").send(rig.port());
        assert_eq!(answer.outcome(), (400, "invalid_sender".into()));
    }
    let kept = stream(&rig.redis, "rejected:0");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].payload()["rejection"]["code"], "invalid_sender");
    assert_eq!(kept[0].payload()["source"], "twilio");
    let body = kept[0].payload()["body"].as_str().unwrap().to_owned();
    assert!(body.contains("MessageSid=SM1"), "{body}");
    assert_eq!(length(&rig.redis, "in:0"), 0);
    // Mended at the provider, the same message is taken in.
    assert_eq!(twilio_message("SM1", "hoi").send(rig.port()).status, 200);
    assert_eq!(length(&rig.redis, "in:0"), 1);
}

#[test]
fn twenty_equal_messages_at_once_are_queued_once() {
    let rig = Rig::start(&[]);
    let other = Service::start(config(&rig.redis.url(), &[]));
    let request = twilio_message("SM1", "hoi");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let send = |n: usize| {
            let port = [rig.port(), other.port][n % 2];
            let request = &request;
            scope.spawn(move || request.send(port).status)
        };
        let all: Vec<_> = (0..20).map(send).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 20]);
    assert_eq!(length(&rig.redis, "in:0"), 1);
    let sum = |status| rig.ingress.counted("twilio", status) + other.counted("twilio", status);
    assert_eq!((sum("queued"), sum("duplicate")), (1.0, 19.0));
}

#[test]
fn two_instances_share_one_rate_limit() {
    let rig = Rig::start(&["--rate-limit-per-minute", "10"]);
    let other = Service::start(config(&rig.redis.url(), &["--rate-limit-per-minute", "10"]));
    let answers: Vec<Answer> = (0..14)
        .map(|n| {
            let port = [rig.port(), other.port][n % 2];
            twilio_message(&format!("SM{n}"), "hoi").send(port)
        })
        .collect();
    assert!(answers[..10].iter().all(|answer| answer.status == 200));
    answers[10..].iter().for_each(assert_rate_limited);
    assert_eq!(length(&rig.redis, "in:0"), 10);
    assert_eq!(rig.ingress.counted("twilio", "rate_limited"), 2.0);
    let alert =
        "postduif_verified_webhooks_refused_total{reason=\"rate_limited\",source=\"twilio\"}";
    assert_eq!(
        rig.ingress.metric(alert),
        2.0,
        "genuine webhooks count apart"
    );
}

#[test]
fn a_request_id_of_the_callers_choice_does_not_get_around_the_rate_limit() {
    let rig = Rig::start(&["--rate-limit-per-minute", "2"]);
    let send = |n: u8| {
        let request = twilio_message(&format!("SM{n}"), "hoi").header("X-Request-Id", "always-me");
        request.send(rig.port()).status
    };
    assert_eq!([send(1), send(2), send(3)], [200, 200, 429]);
}

#[test]
fn the_client_address_comes_from_the_header_that_is_trusted() {
    let from = |address: &str| unsigned("SM1").header("X-Forwarded-For", address);
    let one = ["--failed-signatures-per-minute", "1"];
    let distrusting = Rig::start(&one);
    assert_eq!(from("203.0.113.1").send(distrusting.port()).status, 403);
    assert_eq!(from("203.0.113.2").send(distrusting.port()).status, 429);

    let hops = ["--client-address", "x-forwarded-for", "--trusted-hops", "2"];
    let trusting = Rig::start(&[one.as_slice(), &hops].concat());
    let port = trusting.port();
    assert_eq!(
        from("6.6.6.6, 203.0.113.1, 10.0.0.1").send(port).status,
        403
    );
    assert_eq!(from("203.0.113.2, 10.0.0.1").send(port).status, 403);
    assert_eq!(
        from("7.7.7.7, 203.0.113.1, 10.0.0.1").send(port).status,
        429,
        "what a client writes to the left of our proxies does not count"
    );
    let two_lines = from("7.7.7.7, 203.0.113.1").header("X-Forwarded-For", "10.0.0.1");
    assert_eq!(
        two_lines.send(port).status,
        429,
        "a proxy may add a line of its own instead of appending"
    );

    let elsewhere = ["--trusted-proxies", "192.0.2.0/24"];
    let direct = Rig::start(&[one.as_slice(), &hops, &elsewhere].concat());
    assert_eq!(
        from("203.0.113.1, 10.0.0.1").send(direct.port()).status,
        403
    );
    assert_eq!(
        from("203.0.113.2, 10.0.0.1").send(direct.port()).status,
        429,
        "a peer that is no proxy of ours cannot choose its address"
    );
    let distrusted = direct.ingress.metric("postduif_distrusted_addresses_total");
    assert_eq!(distrusted, 2.0);
}

#[test]
fn bad_signatures_have_a_stricter_budget_that_genuine_webhooks_do_not_share() {
    let rig = Rig::start(&["--rate-limit-per-minute", "6"]);
    let outcomes: Vec<_> = (0..5)
        .map(|_| unsigned("SM1").send(rig.port()).outcome())
        .collect();
    assert!(
        outcomes[..3]
            .iter()
            .all(|outcome| *outcome == (403, "invalid_signature".into()))
    );
    for outcome in &outcomes[3..] {
        assert_eq!(*outcome, (429, "too_many_failed_signatures".into()));
    }
    let errors = "webhook_signature_errors_total{source=\"twilio\"}";
    assert_eq!(rig.ingress.metric(errors), 5.0);
    assert_eq!(rig.ingress.counted("twilio", "rate_limited"), 2.0);
    assert_eq!(twilio_message("SM1", "hoi").send(rig.port()).status, 200);
}

#[test]
fn webhooks_are_refused_while_a_partition_is_full() {
    let rig = Rig::start(&["--max-backlog", "2"]);
    for sid in ["SM1", "SM2"] {
        assert_eq!(twilio_message(sid, "hoi").send(rig.port()).status, 200);
    }
    let answer = twilio_message("SM3", "hoi").send(rig.port());
    assert_eq!(answer.outcome(), (503, "unavailable".into()));
    assert!(answer.header("retry-after").is_some());
    rig.redis.run::<u64>(&["DEL", "in:0"]);
    assert_eq!(twilio_message("SM3", "hoi").send(rig.port()).status, 200);
}

#[test]
fn rejected_webhooks_are_bounded_and_the_oldest_go_first() {
    let rig = Rig::start(&["--max-rejected", "3"]);
    for n in 0..5 {
        assert_eq!(invalid(&format!("SM{n}")).send(rig.port()).status, 400);
    }
    let kept: Vec<_> = stream(&rig.redis, "rejected:0")
        .iter()
        .map(|entry| entry.field("event").to_owned())
        .collect();
    let expected = [2, 3, 4].map(|n| format!("twilio:rejected:SM{n}"));
    assert_eq!(kept, expected);
}

#[test]
fn malformed_webhooks_under_one_request_id_are_all_kept() {
    let rig = Rig::start(&[]);
    for body in ["{", "[", "{"] {
        let request = crate::signing::waha(body).header("X-Request-Id", "always-me");
        assert_eq!(
            request.send(rig.port()).outcome(),
            (400, "malformed_json".into())
        );
    }
    assert_eq!(
        length(&rig.redis, "rejected:0"),
        2,
        "a repetition is kept once"
    );
}

/// How often Redis was asked, but for what ingress asks by the clock, webhooks or not.
fn asked_for_webhooks(rig: &Rig) -> f64 {
    let by_the_clock = [
        "backlog",
        "check",
        "clock",
        "config",
        "info",
        "layout",
        "permissions",
        "xlen",
        "xtrim",
    ]
    .map(|script| format!("{{script=\"{script}\"}}"));
    let samples = rig
        .ingress
        .metrics()
        .into_iter()
        .filter_map(|(name, count)| {
            let script = name.strip_prefix("postduif_redis_script_seconds_count")?;
            (!by_the_clock.iter().any(|own| own == script)).then_some(count)
        });
    samples.sum()
}

#[test]
fn a_webhook_costs_one_round_trip_whatever_becomes_of_it() {
    let rig = Rig::start(&["--rate-limit-per-minute", "2", "--threads", "1"]);
    assert_eq!(twilio_message("SM0", "hoi").send(rig.port()).status, 200);
    let before = asked_for_webhooks(&rig);
    for (request, status) in [
        (twilio_message("SM1", "hoi"), 200),
        (twilio_message("SM1", "hoi"), 200),
        (invalid("SM2"), 400),
        (twilio_message("SM3", "hoi"), 429),
    ] {
        assert_eq!(request.send(rig.port()).status, status);
    }
    assert_eq!(asked_for_webhooks(&rig) - before, 4.0);
    assert_eq!(unsigned("SM4").send(rig.port()).status, 403);
    assert_eq!(
        asked_for_webhooks(&rig) - before,
        4.0,
        "what is not genuine never reaches Redis"
    );
}
