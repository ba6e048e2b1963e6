//! `ingress doctor`: a person whose webhook is refused runs it and learns why.

use std::io::Write;
use std::process::{Command, Output};

use tempfile::NamedTempFile;
use test_support::RedisServer;

use crate::signing::{
    ACCOUNT, TWILIO_TOKEN, encode, shared_key_signature, text_message, twilio_signature,
};

const URL: &str = "https://bot.example.nl/webhooks/twilio/whatsapp?tenant=a%20b";

fn doctor(variables: &[(&str, &str)], words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingress"));
    command.env_clear().envs(variables.iter().copied());
    command.arg("doctor").args(words).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A request as it reached us, and what the operator gives the doctor.
struct Case<'a> {
    url: &'a str,
    body: Vec<u8>,
    signature: String,
    token: &'a str,
    more: Vec<&'a str>,
}

fn pairs() -> Vec<(&'static str, &'static str)> {
    text_message("SM1", "Een Golf + winterbanden")
}

impl Default for Case<'_> {
    fn default() -> Self {
        Self {
            url: URL,
            body: encode(&pairs()).into(),
            signature: twilio_signature(TWILIO_TOKEN, URL, &pairs()),
            token: TWILIO_TOKEN,
            more: vec![],
        }
    }
}

fn examine(case: &Case<'_>) -> Output {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&case.body).unwrap();
    let path = file.path().to_str().unwrap();
    let mut words = vec!["signature", "--url", case.url, "--body-file", path];
    words.extend(["--signature", &case.signature]);
    words.extend(&case.more);
    let account = ("TWILIO_ACCOUNT_SID", ACCOUNT);
    doctor(&[("TWILIO_AUTH_TOKEN", case.token), account], &words)
}

#[test]
fn a_good_signature_is_called_valid() {
    let output = examine(&Case::default());
    assert_eq!(output.status.code(), Some(0));
    assert!(said(&output).starts_with("valid:"), "{}", said(&output));
}

/// The signature that Twilio made over another URL, with our token.
fn over(url: &str) -> String {
    twilio_signature(TWILIO_TOKEN, url, &pairs())
}

fn mistakes() -> Vec<(&'static str, Case<'static>)> {
    let signed = |signature| Case {
        signature,
        ..Case::default()
    };
    let swapped = |from: &str, to: &str| signed(over(&URL.replacen(from, to, 1)));
    let with_body = |body: Vec<u8>| Case {
        body,
        ..Case::default()
    };
    let mut other_account = pairs();
    other_account[1].1 = "AC00000000000000000000000000000002";
    let mut line_break: Vec<u8> = encode(&pairs()).into();
    line_break.push(b'\n');
    let trailing = text_message("SM1", "hoi  ");
    vec![
        (
            "URL, scheme: Twilio signed http://",
            swapped("https", "http"),
        ),
        (
            "URL, host: Twilio signed www.bot.example.nl",
            swapped("bot.", "www.bot."),
        ),
        (
            "URL: Twilio signed https://old.example.nl:8443",
            Case {
                more: vec!["--also-base-url", "https://old.example.nl:8443"],
                ..swapped("bot.example.nl", "old.example.nl:8443")
            },
        ),
        (
            "URL, path: a slash at its end",
            swapped("whatsapp", "whatsapp/"),
        ),
        (
            "URL, path: Twilio signed it without the prefix",
            swapped("/webhooks/twilio", "/twilio"),
        ),
        (
            "URL, query: Twilio signed the URL without its query",
            swapped("?tenant=a%20b", ""),
        ),
        ("URL, query: something re-encodes", swapped("%20", "+")),
        (
            "upper case is in one and not in the other",
            Case {
                url: "https://Bot.example.nl/webhooks/twilio/whatsapp?tenant=a%20b",
                ..Case::default()
            },
        ),
        (
            "with the 1. of the other tokens",
            Case {
                token: "new-token",
                more: vec!["--other-tokens", TWILIO_TOKEN],
                ..Case::default()
            },
        ),
        (
            "has white space or quotes around it",
            Case {
                token: "\"twilio-token-of-tests\"",
                ..Case::default()
            },
        ),
        (
            "the shared key key1; the header that names it is missing",
            Case {
                signature: shared_key_signature("shared-secret-of-tests", URL, &pairs()),
                more: vec!["--shared-keys", "key1:SHA256:shared-secret-of-tests"],
                ..Case::default()
            },
        ),
        (
            "Twilio does that only with a shared key",
            signed(shared_key_signature(TWILIO_TOKEN, URL, &pairs())),
        ),
        (
            "although the header names the shared key key1",
            Case {
                more: vec![
                    "--shared-keys",
                    "key1:SHA256:shared-secret-of-tests",
                    "--settings",
                    "key=key1,algorithm=HMAC_SHA256",
                ],
                ..Case::default()
            },
        ),
        (
            "TWILIO_SHARED_KEYS says SHA256",
            Case {
                signature: twilio_signature("shared-secret-of-tests", URL, &pairs()),
                more: vec![
                    "--shared-keys",
                    "key1:SHA256:shared-secret-of-tests",
                    "--settings",
                    "key=key1,algorithm=HMAC_SHA1",
                ],
                ..Case::default()
            },
        ),
        (
            "URL, scheme: Twilio signed http://",
            Case {
                signature: twilio_signature(
                    TWILIO_TOKEN,
                    "http://bot.example.nl/w?bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                    &[],
                ),
                url: "https://bot.example.nl/w?bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                body: b"{}".to_vec(),
                more: vec!["--content-type", "application/json"],
                ..Case::default()
            },
        ),
        ("signature: is not base64", signed("not a signature".into())),
        (
            "the body file ends with a line break",
            with_body(line_break),
        ),
        (
            "white space at the end of a value was removed",
            Case {
                signature: twilio_signature(TWILIO_TOKEN, URL, &text_message("SM1", "hoi")),
                body: encode(&trailing).into(),
                ..Case::default()
            },
        ),
        (
            "parameters: Twilio signed none",
            signed(twilio_signature(TWILIO_TOKEN, URL, &[])),
        ),
        (
            "account: the body is of AC00000000000000000000000000000002",
            Case {
                body: encode(&other_account).into(),
                signature: twilio_signature("subaccount-token", URL, &other_account),
                ..Case::default()
            },
        ),
        (
            "the URL has no bodySHA256 parameter",
            Case {
                body: b"{}".to_vec(),
                more: vec!["--content-type", "application/json"],
                ..Case::default()
            },
        ),
        (
            "is signed with a shared key that is not in TWILIO_SHARED_KEYS",
            Case {
                more: vec!["--settings", "key=key9,algorithm=HMAC_SHA1"],
                ..Case::default()
            },
        ),
    ]
}

#[test]
fn every_mistake_made_on_purpose_is_explained_without_a_secret() {
    for (cause, case) in mistakes() {
        let output = examine(&case);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{cause}: {said}");
        assert!(said.contains(cause), "expected {cause:?} in:\n{said}");
        let last = said.trim_end().lines().last().unwrap();
        assert!(
            last.starts_with("What to do: ") && last.len() > 20,
            "{cause}: {last}"
        );
        for secret in [TWILIO_TOKEN, "new-token", "shared-secret-of-tests"] {
            assert!(!said.contains(secret), "{cause}: {said}");
        }
    }
}

#[test]
fn a_body_file_that_is_not_there_is_an_error_and_not_a_diagnosis() {
    let words = [
        "signature",
        "--url",
        URL,
        "--body-file",
        "/nowhere",
        "--signature",
        "x",
    ];
    let output = doctor(&[], &words);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere"));
}

fn settings<'a>(redis_url: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("REDIS_URL", redis_url),
        ("PUBLIC_BASE_URL", "https://localhost"),
        ("TWILIO_AUTH_TOKEN", TWILIO_TOKEN),
    ];
    all.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    all.extend(more);
    all
}

#[test]
fn a_sound_configuration_is_printed_with_masked_secrets_and_called_well() {
    let redis = RedisServer::builder().append_only("everysec").start();
    let url = redis.url();
    let output = doctor(&settings(&url, &[]), &["config"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in [
        "PUBLIC_BASE_URL",
        "set (hidden)",
        "append-only on",
        "fsync everysec",
        "eviction noeviction",
        "scripts: work",
        "off Redis' clock",
        "partitions: not fixed yet",
        "Twilio calls: https://localhost/webhooks/twilio/whatsapp",
        "All is well: ",
    ] {
        assert!(said.contains(part), "{part:?} in:\n{said}");
    }
    assert!(!said.contains(TWILIO_TOKEN), "{said}");
}

#[test]
fn the_lists_in_which_lost_messages_are_looked_for_are_named() {
    let redis = RedisServer::builder().append_only("everysec").start();
    let url = redis.url();
    let said = |more: &[(&str, &str)]| said(&doctor(&settings(&url, more), &["config"]));
    let account = ("TWILIO_ACCOUNT_SID", ACCOUNT);
    let number = ("TWILIO_WHATSAPP_NUMBER", "+31201112233");
    for (more, expected) in [
        (vec![account], "lost messages are not looked for"),
        (vec![account, number], "300: twilio:whatsapp:+31201112233"),
        (
            vec![account, number, ("INGRESS_RECONCILE_INTERVAL_SECS", "0")],
            "0: lost messages are not looked for",
        ),
        (
            vec![account, number, ("TWILIO_API_BASE_URL", "api.twilio.com")],
            "problem: TWILIO_API_BASE_URL: must be a URL",
        ),
        (
            vec![(
                "TWILIO_API_BASE_URL",
                "https://user:fake-password@twilio.postduif.test",
            )],
            "problem: TWILIO_API_BASE_URL: must not have a user or a password in it",
        ),
        (
            vec![
                account,
                number,
                ("CHATWOOT_READ_TOKEN", "fake-chatwoot-user-token"),
            ],
            "300: twilio:whatsapp:+31201112233, twilio:from:whatsapp:+31201112233; CHATWOOT_INBOX_IDS is not set",
        ),
    ] {
        let said = said(&more);
        assert!(said.contains(expected), "{expected} in {said}");
    }
}

#[test]
fn every_problem_of_a_configuration_is_listed() {
    let redis = RedisServer::builder()
        .setting("maxmemory-policy", "allkeys-lru")
        .start();
    redis.run::<()>(&["SET", "partitions", "8"]);
    let url = redis.url();
    // Longer than a name may be: refused before anybody is asked.
    let nowhere = "x".repeat(64);
    let base = format!("http://{nowhere}.nl");
    let unresolved = format!("{nowhere}.nl does not resolve");
    let wrong = [
        ("PUBLIC_BASE_URL", base.as_str()),
        ("INGRESS_OBSERVE_ONLY", "true"),
        ("WAHA_WEBHOOK_SECRET", " "),
        ("CHATWOOT_PATH_TOKEN", "short-token"),
    ];
    let output = doctor(&settings(&url, &wrong), &["config"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let problems: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("problem: "))
        .collect();
    for part in [
        "WAHA_WEBHOOK_SECRET: is set but empty",
        "CHATWOOT_PATH_TOKEN: needs at least 16 characters",
        "PUBLIC_BASE_URL is http",
        &unresolved,
        "appendonly yes",
        "maxmemory-policy noeviction",
        "set REDIS_PARTITIONS=8",
        "anybody can send messages in",
    ] {
        assert!(
            problems.iter().any(|line| line.contains(part)),
            "{part:?} in:\n{said}"
        );
    }
    let last = said.trim_end().lines().last().unwrap();
    assert!(
        last.starts_with("What to do: ") && last.ends_with("problems)"),
        "{last}"
    );
    assert!(
        !said.contains("short-token") && !said.contains(TWILIO_TOKEN),
        "{said}"
    );
}

#[test]
fn a_redis_that_is_away_is_a_problem_with_a_way_out() {
    let mut redis = RedisServer::start();
    redis.kill();
    let url = redis.url();
    let output = doctor(&settings(&url, &[]), &["config"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("What to do: Redis cannot be used"),
        "{}",
        said(&output)
    );
}

#[test]
fn addresses_of_every_kind_are_understood() {
    let redis = RedisServer::builder().append_only("everysec").start();
    let url = redis.url();
    for base in [
        "http://127.0.0.1:8080",
        "https://[::1]:8443/bot",
        "https://[::1]",
        "https://u:p@localhost/",
    ] {
        let output = doctor(&settings(&url, &[("PUBLIC_BASE_URL", base)]), &["config"]);
        assert_eq!(output.status.code(), Some(0), "{base}: {}", said(&output));
    }
}

#[test]
fn a_redis_that_refuses_what_is_needed_is_no_healthy_one() {
    let redis = RedisServer::builder().append_only("always").start();
    redis.run::<()>(&["SET", "partitions", "64"]);
    redis.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let rules = [
        "on",
        "nopass",
        "~*",
        "+@all",
        "-rpush",
        "-@dangerous",
        "+info",
    ];
    redis.run::<()>(&[&["ACL", "SETUSER", "app"], &rules[..]].concat());
    let url = format!("{}?user=app&pass=any", redis.url());
    let output = doctor(&settings(&url, &[]), &["config"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in ["OOM: its memory is full", "lacks RPUSH on hist:*"] {
        assert!(said.contains(part), "{part:?} in:\n{said}");
    }
}

/// PING, INFO and the client's own words say nothing of it.
#[test]
fn a_cluster_without_masters_and_one_of_its_nodes_are_called_what_they_are() {
    let redis = RedisServer::builder()
        .tcp()
        .append_only("always")
        .setting("cluster-enabled", "yes")
        .start();
    let node = format!("127.0.0.1:{}", redis.port());
    let url = redis.url();
    for place in [("REDIS_CLUSTER_NODES", &node), ("REDIS_URL", &url)] {
        let mut variables = settings("", &[]);
        variables.retain(|(name, _)| *name != "REDIS_URL");
        variables.push((place.0, place.1));
        let said = said(&doctor(&variables, &["config"]));
        let told = said
            .lines()
            .filter(|line| line.starts_with("problem") && line.contains("CLUSTERDOWN"));
        assert_eq!(told.count(), 1, "{place:?}: {said}");
    }
}
