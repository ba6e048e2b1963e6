//! `.env.example` and the local stack's settings against what the services read.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Arg, Args, Command, FromArgMatches};
use console::ConsoleConfig;
use egress::EgressConfig;
use ingress::IngressConfig;
use simulator::SimulatorConfig;
use worker::WorkerConfig;

use crate::files::read;

/// Set by the platform, or by the file that starts the service.
const GIVEN: [&str; 2] = ["PORT", "RAILWAY_PUBLIC_DOMAIN"];

/// Compose reads these for itself.
const COMPOSE: [&str; 2] = ["COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"];

/// Every variable of all services, with its default.
fn variables() -> BTreeMap<String, Option<String>> {
    let mut variables = BTreeMap::new();
    // The simulator's defaults are nobody else's.
    for (command, has_defaults) in [
        (command::<IngressConfig>(), true),
        (command::<WorkerConfig>(), true),
        (command::<EgressConfig>(), true),
        (command::<ConsoleConfig>(), true),
        (command::<SimulatorConfig>(), false),
    ] {
        for argument in command.get_arguments() {
            let default = default(argument).filter(|_| has_defaults);
            if let Some(name) = argument.get_env() {
                let known = variables
                    .entry(name.to_string_lossy().into_owned())
                    .or_insert(None);
                *known = known.take().or(default);
            }
        }
    }
    variables.retain(|name, _| !GIVEN.contains(&name.as_str()));
    variables
}

fn command<C: Args>() -> Command {
    C::augment_args(Command::new("service"))
}

fn default(argument: &Arg) -> Option<String> {
    let values: Vec<_> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// The settings of a file; with `shown` also those behind a `#`.
fn settings(path: &str, shown: bool) -> BTreeMap<String, String> {
    let text = read(path);
    let lines = text.lines().filter_map(|line| {
        let line = if shown {
            line.strip_prefix('#').unwrap_or(line)
        } else {
            line
        };
        let (name, value) = line.split_once('=')?;
        let is_name = name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        (is_name && !name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    });
    lines.collect()
}

/// What docker-compose.yml reads by itself, with its default.
fn compose_variables() -> BTreeMap<String, String> {
    let text = read("docker-compose.yml");
    let parts = text.split("${").skip(1).filter_map(|part| {
        let (name, default) = part.split_once('}')?.0.split_once(":-")?;
        Some((name.to_owned(), default.to_owned()))
    });
    parts.collect()
}

#[test]
fn every_variable_is_explained() {
    let mut shown: BTreeSet<_> = settings(".env.example", true).into_keys().collect();
    shown.extend(settings("deploy/compose/local.env", true).into_keys());
    let missing: Vec<_> = variables()
        .into_keys()
        .filter(|name| !shown.contains(name))
        .collect();
    assert!(missing.is_empty(), "add to .env.example: {missing:?}");
    let compose: Vec<_> = compose_variables()
        .into_keys()
        .filter(|name| !shown.contains(name))
        .collect();
    assert!(compose.is_empty(), "add to .env.example: {compose:?}");
}

#[test]
fn nothing_is_explained_that_nobody_reads() {
    let (read, compose) = (variables(), compose_variables());
    for file in [".env.example", "deploy/compose/local.env"] {
        let shown = settings(file, true).into_keys();
        let stray: Vec<_> = shown
            .filter(|name| !read.contains_key(name) && !compose.contains_key(name))
            .filter(|name| !COMPOSE.contains(&name.as_str()))
            .collect();
        assert!(stray.is_empty(), "{file}: nobody reads {stray:?}");
    }
}

#[test]
fn the_shown_defaults_are_the_real_ones() {
    let set = settings(".env.example", false);
    let read = variables();
    let compose = compose_variables();
    for (name, shown) in settings(".env.example", true) {
        let real = match read.get(&name) {
            Some(default) => default.clone(),
            None => compose.get(&name).cloned(),
        };
        if let Some(real) = real.filter(|_| !set.contains_key(&name)) {
            let alike = shown == real
                || shown
                    .parse::<f64>()
                    .is_ok_and(|shown| Ok(shown) == real.parse());
            assert!(
                alike,
                "{name}: .env.example shows {shown}, the default is {real}"
            );
        }
    }
}

/// What a service makes of the settings of a file.
fn with_settings<C: Args + FromArgMatches>(settings: &BTreeMap<String, String>) -> C {
    let command = command::<C>().mut_args(|argument| {
        match argument.get_env().and_then(|name| name.to_str()) {
            Some(name) => {
                // clap wants values that live as long as the program.
                let value = settings.get(name).map(|value| &*value.clone().leak());
                let argument = argument.env(None::<&str>);
                match value {
                    Some(value) => argument.default_value(value),
                    None => argument,
                }
            }
            None => argument,
        }
    });
    let matches = command
        .try_get_matches_from(["service"])
        .unwrap_or_else(|error| panic!("{error}"));
    C::from_arg_matches(&matches).unwrap()
}

#[test]
fn the_services_are_content_with_the_local_stack() {
    let local = settings("deploy/compose/local.env", false);
    let nothing = Vec::<String>::new();
    assert_eq!(with_settings::<IngressConfig>(&local).mistakes(), nothing);
    assert_eq!(with_settings::<WorkerConfig>(&local).mistakes(), nothing);
    assert_eq!(with_settings::<EgressConfig>(&local).mistakes(), nothing);
    assert_eq!(with_settings::<ConsoleConfig>(&local).mistakes(), nothing);
    with_settings::<SimulatorConfig>(&local).validate().unwrap();
}

#[test]
fn the_services_are_content_with_the_filled_example() {
    let mut example = settings(".env.example", false);
    let account = "AC0123456789abcdef0123456789abcdef";
    example.insert("TWILIO_ACCOUNT_SID".into(), account.into());
    assert_eq!(
        example.get("SETTINGS_FILE").map(String::as_str),
        Some(".env"),
        "else the simulator is meant"
    );
    let nothing = Vec::<String>::new();
    assert_eq!(with_settings::<IngressConfig>(&example).mistakes(), nothing);
    assert_eq!(with_settings::<WorkerConfig>(&example).mistakes(), nothing);
    assert_eq!(with_settings::<EgressConfig>(&example).mistakes(), nothing);
}

/// What a service says of the example as it is copied.
#[test]
fn the_services_name_what_was_left_to_be_filled_in() {
    let example = settings(".env.example", false);
    for (service, left) in [
        (
            "ingress",
            &[
                "PUBLIC_BASE_URL",
                "TWILIO_ACCOUNT_SID",
                "TWILIO_AUTH_TOKEN",
                "TWILIO_WHATSAPP_NUMBER",
                "REDIS_PASSWORD",
            ][..],
        ),
        (
            "worker",
            &[
                "TWILIO_ACCOUNT_SID",
                "TWILIO_AUTH_TOKEN",
                "CRM_DATABASE_URL",
                "REDIS_PASSWORD",
            ],
        ),
        (
            "egress",
            &[
                "PUBLIC_BASE_URL",
                "TWILIO_ACCOUNT_SID",
                "TWILIO_AUTH_TOKEN",
                "TWILIO_WHATSAPP_NUMBER",
                "REDIS_PASSWORD",
            ],
        ),
    ] {
        let mut command = std::process::Command::new(test_support::binary(service));
        let refused = command
            .arg("serve")
            .env_clear()
            .envs(&example)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&refused.stderr);
        let named: BTreeSet<_> = said
            .lines()
            .filter_map(|line| {
                line.strip_prefix("configuration error: ")?
                    .split_once(": still has the value of an example")
            })
            .map(|(name, _)| name)
            .collect();
        assert_eq!(named, left.iter().copied().collect(), "{service}: {said}");
        assert_eq!(refused.status.code(), Some(64), "{said}");
    }
}

/// Numbers that no service can do anything with.
#[test]
fn every_number_is_bounded() {
    let monstrous = [
        "-1",
        "4294967295",
        "18446744073709551615",
        "99999999999999999999",
        "1e30",
        "NaN",
        "inf",
    ];
    for command in [
        command::<IngressConfig>(),
        command::<WorkerConfig>(),
        command::<EgressConfig>(),
        command::<ConsoleConfig>(),
    ] {
        let is_number = |argument: &&Arg| {
            let default = default(argument);
            let of_many = matches!(argument.get_action(), clap::ArgAction::Append);
            default.is_some_and(|default| default.parse::<f64>().is_ok()) && !of_many
        };
        for argument in command.get_arguments().filter(is_number) {
            let flag = argument.get_long().unwrap();
            for value in monstrous {
                let given = command
                    .clone()
                    .mut_args(|argument| argument.env(None::<&str>));
                let words = ["service".to_owned(), format!("--{flag}={value}")];
                assert!(
                    given.try_get_matches_from(words).is_err(),
                    "--{flag}={value} is taken"
                );
            }
        }
    }
}

#[test]
fn no_fake_secret_is_left_beside_real_ones() {
    let local = settings("deploy/compose/local.env", false);
    for (name, value) in settings(".env.example", true) {
        let fake = local
            .get(&name)
            .is_some_and(|fake| fake.contains("fake") && *fake == value);
        assert!(!fake, "{name}: the example shows the simulator's secret");
    }
}

/// The variables of `.env.example` that hold a secret.
fn secrets() -> Vec<String> {
    let ends = [
        "KEY", "KEYS", "TOKEN", "TOKENS", "SECRET", "PASSWORD", "URL", "LOGIN", "LOGINS", "HASH",
    ];
    let public = ["_BASE_URL", "REDIS_URL"];
    let mut names: Vec<_> = settings(".env.example", true).into_keys().collect();
    names.retain(|name| ends.iter().any(|end| name.ends_with(&format!("_{end}"))));
    names.retain(|name| !public.iter().any(|end| name.ends_with(end)));
    names
}

#[test]
fn no_service_holds_a_secret_of_another() {
    let compose = read("docker-compose.yml");
    let secrets = secrets();
    assert!(secrets.len() > 10, "{secrets:?}");
    for (service, command) in [
        ("ingress", command::<IngressConfig>()),
        ("worker", command::<WorkerConfig>()),
        ("egress", command::<EgressConfig>()),
        ("console", command::<ConsoleConfig>()),
    ] {
        let (_, section) = compose.split_once(&format!("\n  {service}:\n")).unwrap();
        let (section, _) = section.split_once("\n\n").unwrap();
        let folder = if service == "console" {
            service
        } else {
            "base"
        };
        let pod = read(&format!("deploy/kubernetes/{folder}/{service}.yaml"));
        let own: BTreeSet<_> = command.get_arguments().filter_map(Arg::get_env).collect();
        for name in &secrets {
            let is_own = own.contains(name.as_ref() as &std::ffi::OsStr);
            let emptied = section.contains(&format!("\n      {name}: \"\"\n"));
            assert_ne!(is_own, emptied, "{name} of {service} in compose");
            let emptied = pod.contains(&format!("{{ name: {name}, value: \"\" }}"));
            assert_ne!(is_own, emptied, "{name} of {service} in Kubernetes");
        }
    }
}
