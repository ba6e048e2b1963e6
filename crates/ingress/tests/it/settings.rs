//! What the program says of its settings and its command line.

use tempfile::NamedTempFile;
use test_support::RedisServer;

use crate::program::{run, text};

#[test]
fn bad_values_are_all_named_at_once_and_never_shown() {
    let output = run(
        &[
            ("PORT", "hunter2"),
            ("PUBLIC_BASE_URL", "hunter2.example.nl"),
            ("TWILIO_SHARED_KEYS", "hunter2"),
            ("INGRESS_CLIENT_ADDRESS", "hunter2"),
            ("INGRESS_REQUEST_TIMEOUT_SECS", "0"),
        ],
        &["serve"],
    );
    assert_eq!(output.status.code(), Some(64));
    let said = text(&output.stderr);
    for variable in [
        "PORT",
        "PUBLIC_BASE_URL",
        "TWILIO_SHARED_KEYS",
        "INGRESS_CLIENT_ADDRESS",
        "INGRESS_REQUEST_TIMEOUT_SECS",
    ] {
        assert!(said.contains(variable), "{variable} in {said}");
    }
    assert_eq!(said.lines().count(), 5, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn settings_that_do_not_fit_together_are_all_named_at_once() {
    let output = run(
        &[
            ("TWILIO_AUTH_TOKEN", "hunter2"),
            ("WAHA_WEBHOOK_SECRET", "  "),
            ("CHATWOOT_PATH_TOKEN", "hunter2"),
            ("REDIS_URL", "hunter2://"),
            ("REDIS_PASSWORD", "hunter2"),
        ],
        &["serve"],
    );
    assert_eq!(output.status.code(), Some(64));
    let said = text(&output.stderr);
    for variable in [
        "PUBLIC_BASE_URL",
        "WAHA_WEBHOOK_SECRET",
        "CHATWOOT_PATH_TOKEN",
        "REDIS_URL",
    ] {
        assert!(said.contains(variable), "{variable} in {said}");
    }
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn what_is_around_a_secret_or_an_id_is_left_out_and_what_is_inside_refused() {
    let redis = RedisServer::start();
    let command = |secret: &str, words: &[&str]| {
        run(
            &[
                ("REDIS_URL", &format!("{}\n", redis.url())),
                ("REDIS_PORT", "tcp://10.43.131.181:6379"),
                ("WAHA_WEBHOOK_SECRET", secret),
                ("REDIS_SENTINEL_MASTER", "mymaster\r\n"),
            ],
            words,
        )
    };
    let output = command("hunter2-hunter2\n", &["doctor", "config"]);
    let said = text(&output.stderr);
    for warning in [
        "configuration warning: WAHA_WEBHOOK_SECRET: white space",
        "configuration warning: REDIS_URL: white space",
        "configuration warning: REDIS_SENTINEL_MASTER: white space",
        "configuration warning: REDIS_PORT is not used, because REDIS_URL is set",
    ] {
        assert!(said.contains(warning), "{warning} in {said}");
    }
    assert_eq!(said.lines().count(), 4, "{said}");
    let report = text(&output.stdout);
    assert!(report.contains("WAHA_WEBHOOK_SECRET"), "{report}");
    let output = command("hun\nter2", &["serve"]);
    assert_eq!(output.status.code(), Some(64));
    let said = text(&output.stderr);
    assert!(
        said.contains("WAHA_WEBHOOK_SECRET") && said.contains("control character"),
        "{said}"
    );
    assert!(!said.contains("hun"), "{said}");
}

#[test]
fn a_service_link_is_named_where_its_value_matters() {
    let link = ("REDIS_PORT", "tcp://10.43.131.181:6379");
    let output = run(
        &[("WAHA_WEBHOOK_SECRET", "no-other-knows-it"), link],
        &["serve"],
    );
    assert_eq!(output.status.code(), Some(64));
    let said = text(&output.stderr);
    assert!(
        said.contains("REDIS_PORT") && said.contains("enableServiceLinks"),
        "{said}"
    );
    assert!(!said.contains("10.43"), "{said}");
}

#[test]
fn a_service_without_a_provider_does_not_start() {
    let output = run(&[], &["serve"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("no provider is configured"));
}

#[test]
fn a_spool_that_cannot_be_opened_is_a_mistake_in_the_configuration() {
    let file = NamedTempFile::new().unwrap();
    let folder = file.path().to_str().unwrap();
    let secret = ("WAHA_WEBHOOK_SECRET", "no-other-knows-it");
    let output = run(
        &[secret, ("INGRESS_SPOOL_DIR", folder), ("PORT", "0")],
        &["serve"],
    );
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("INGRESS_SPOOL_DIR"));
}

#[test]
fn another_number_of_partitions_than_the_deployment_has_is_refused() {
    let redis = RedisServer::start();
    redis.run::<()>(&["SET", "partitions", "8"]);
    let output = run(
        &[
            ("REDIS_URL", &redis.url()),
            ("REDIS_PARTITIONS", "16"),
            ("WAHA_WEBHOOK_SECRET", "no-other-knows-it"),
            ("PORT", "0"),
        ],
        &["serve"],
    );
    assert_eq!(output.status.code(), Some(64));
    let said = text(&output.stderr);
    assert!(said.contains('8') && said.contains("16"), "{said}");
}

#[test]
fn all_kinds_of_mistakes_are_named_in_one_go() {
    let output = run(
        &[
            ("INGRESS_RATE_LIMIT_PER_MINUTE", "4294967295"),
            ("INGRESS_TRUSTED_HOPS", "\"1\""),
            ("TWILIO_ACCOUNT_SID", "SK0123456789abcdef0123456789abcdef"),
            ("TWILIO_AUTH_TOKEN", "your-token"),
            ("WAHA_WEBHOOK_SECRET", "'a-quoted-secret'"),
            ("PUBLIC_BASE_URL", "https://bot.dealer.test/webhooks"),
            ("CHATWOOT_PATH_TOKEN", "short"),
            ("INGRESS_RATE_LIMIT", "50"),
        ],
        &["serve"],
    );
    assert_eq!(output.status.code(), Some(64));
    let said = text(&output.stderr);
    for line in [
        "configuration error: INGRESS_RATE_LIMIT_PER_MINUTE (--rate-limit-per-minute): expected a whole number from 0 to 100000",
        "configuration error: INGRESS_TRUSTED_HOPS (--trusted-hops): the quotation marks around its value",
        "configuration error: TWILIO_ACCOUNT_SID: is the SID of an API key (SK…); AC… is wanted",
        "configuration error: TWILIO_AUTH_TOKEN: still has the value of an example",
        "configuration error: WAHA_WEBHOOK_SECRET: the quotation marks around its value",
        "configuration error: PUBLIC_BASE_URL (--public-base-url): must end before /webhooks",
        "configuration error: CHATWOOT_PATH_TOKEN: needs at least 16 characters",
        "configuration warning: INGRESS_RATE_LIMIT: nothing reads it; is INGRESS_RATE_LIMIT_PER_MINUTE meant?",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    assert_eq!(said.lines().count(), 8, "{said}");
}

#[test]
fn a_command_line_that_is_not_whole_is_told_what_it_lacks() {
    let said = |words: &[&str]| {
        let output = run(&[], words);
        assert_eq!(output.status.code(), Some(64), "{words:?}");
        text(&output.stderr)
    };
    let alone = said(&[]);
    assert!(
        alone.contains("a command is missing") && alone.contains("serve"),
        "{alone}"
    );
    let list = said(&["rejected"]);
    assert!(
        list.contains("discard") && list.contains("Usage:"),
        "{list}"
    );
    let discard = said(&["rejected", "discard"]);
    for part in [
        "<IDS|--reason <REASON>|--all>",
        "Usage: ingress rejected discard",
    ] {
        assert!(discard.contains(part), "{part} in {discard}");
    }
    assert!(said(&["rejcted"]).contains("'rejected'"));
    assert!(said(&["serve", "--prot", "1"]).contains("'--port'"));
}

#[test]
fn help_begins_with_what_the_program_does() {
    let output = run(&[], &["--help"]);
    let help = text(&output.stdout);
    assert!(help.starts_with("Takes webhooks"), "{help}");
}

#[test]
fn help_explains_every_setting_and_shows_no_secret() {
    let secrets = [
        ("TWILIO_AUTH_TOKEN", "hunter2"),
        ("TWILIO_EXTRA_AUTH_TOKENS", "hunter2"),
        ("TWILIO_SHARED_KEYS", "k:SHA1:hunter2"),
        ("WAHA_WEBHOOK_SECRET", "hunter2"),
        ("CHATWOOT_WEBHOOK_SECRET", "hunter2"),
        ("CHATWOOT_PATH_TOKEN", "hunter2"),
        ("REDIS_URL", "redis://:hunter2@localhost"),
        ("REDIS_PASSWORD", "hunter2"),
    ];
    for words in [
        &["serve", "--help"][..],
        &["doctor", "signature", "--help"],
        &["doctor", "config", "--help"],
    ] {
        let output = run(&secrets, words);
        assert!(output.status.success());
        let help = text(&output.stdout);
        assert!(!help.contains("hunter2"), "{help}");
        assert!(help.contains("TWILIO_AUTH_TOKEN"));
    }
}
