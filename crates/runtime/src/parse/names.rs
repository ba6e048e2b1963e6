//! Variables that nothing reads, and what was meant. Every name that a service reads is in `.env.example`;
//! a test of the deployment keeps it so.

use std::collections::BTreeSet;

use clap::Command;

const EXAMPLE: &str = include_str!("../../../../.env.example");

/// What a variable of ours begins with. Others belong to other programs, unless they are nearly ours.
const OURS: [&str; 11] = [
    "INGRESS_",
    "WORKER_",
    "EGRESS_",
    "TWILIO_",
    "WAHA_",
    "CHATWOOT_",
    "REDIS_",
    "CRM_",
    "LLM_",
    "TRANSCRIBE_",
    "NOTICE_",
];
/// Letters that may be wrong, missing or one too many in a name that is nearly ours.
const SLIPS: usize = 2;
/// Shorter names are near to too many others.
const SHORTEST: usize = 8;

/// One line for each of these variables that nothing reads although it looks like ours.
pub(super) fn strays(command: &Command, variables: impl Iterator<Item = String>) -> Vec<String> {
    let mut known: BTreeSet<String> = explained().map(str::to_owned).collect();
    add_own(command, &mut known);
    let unknown = variables.filter(|name| !known.contains(name) && !is_service_link(name));
    let mut strays: Vec<_> = unknown
        .filter_map(|name| {
            let (meant, distance, foreign) = nearest(&name, &known)?;
            let slipped = distance <= SLIPS && name.len() >= SHORTEST;
            let ours = OURS.iter().any(|start| name.starts_with(start));
            let advice = match foreign {
                0 => format!("is {meant} meant?"),
                _ => "--help lists what is read".to_owned(),
            };
            (ours || slipped).then(|| format!("{name}: nothing reads it; {advice}"))
        })
        .collect();
    strays.sort();
    strays
}

/// The names in `.env.example`, also those behind a `#`.
fn explained() -> impl Iterator<Item = &'static str> {
    let lines = EXAMPLE.lines().map(|line| line.trim_start_matches('#'));
    lines.filter_map(|line| {
        let (name, _) = line.split_once('=')?;
        let is_name = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        };
        (!name.is_empty() && is_name(name)).then_some(name)
    })
}

fn add_own(command: &Command, known: &mut BTreeSet<String>) {
    let names = command.get_arguments().filter_map(clap::Arg::get_env);
    known.extend(names.map(|name| name.to_string_lossy().into_owned()));
    for sub in command.get_subcommands() {
        add_own(sub, known);
    }
}

/// What Kubernetes and Docker put beside a container for a service named `redis` or `ingress`.
fn is_service_link(name: &str) -> bool {
    name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.contains("_PORT_")
        || matches!(
            name,
            "INGRESS_PORT" | "WORKER_PORT" | "EGRESS_PORT" | "WAHA_PORT" | "CHATWOOT_PORT"
        )
}

/// The name that is meant, how many letters differ, and how many words are none of its words. A name that goes on where this one ends, or
/// that has all of its words, is nearer than one with the same number of letters.
fn nearest<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<(&'a str, usize, usize)> {
    let upper = name.to_ascii_uppercase();
    let words: BTreeSet<_> = upper.split('_').collect();
    let scored = known.iter().map(|other| {
        let distance = distance(&upper, other);
        let theirs: BTreeSet<_> = other.split('_').collect();
        let foreign = words.difference(&theirs).count();
        let strange = if distance <= SLIPS { 0 } else { foreign };
        (strange, distance, other.as_str())
    });
    let nearest = scored.min();
    nearest.map(|(foreign, distance, other)| (other, distance, foreign))
}

/// Levenshtein's distance: letters to put in, take out or change.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(other.bytes()) {
            let changed = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = changed.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    fn strays_of(names: &[&str]) -> Vec<String> {
        let command =
            Command::new("ingress").arg(Arg::new("x").long("x").env("INGRESS_OWN_SETTING"));
        strays(&command, names.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn a_misspelt_name_is_told_with_the_one_that_is_meant() {
        for (wrong, meant) in [
            ("INGRESS_RATE_LIMIT", "INGRESS_RATE_LIMIT_PER_MINUTE"),
            ("TWILLIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN"),
            ("TWILIO_TOKEN", "TWILIO_AUTH_TOKEN"),
            ("TWILIO_SID", "TWILIO_ACCOUNT_SID"),
            ("TWILIO_WHATSAPP_NUMBERS", "TWILIO_WHATSAPP_NUMBER"),
            ("REDIS_URI", "REDIS_URL"),
            ("EGRESS_PER_SECOND", "EGRESS_WAHA_PER_SECOND"),
            ("WORKER_DOMAIN", "WORKER_DOMAIN_FILE"),
            ("CRM_URL", "CRM_DATABASE_URL"),
            ("LLM_KEY", "LLM_API_KEY"),
            ("NOTICE_SMTP", "NOTICE_SMTP_URL"),
            ("PUBLIC_BASEURL", "PUBLIC_BASE_URL"),
            ("ingress_spool_dir", "INGRESS_SPOOL_DIR"),
        ] {
            let told = strays_of(&[wrong]);
            let line = format!("{wrong}: nothing reads it; is {meant} meant?");
            assert_eq!(told, [line]);
        }
    }

    #[test]
    fn a_name_that_is_near_to_none_is_told_without_a_guess() {
        let told = strays_of(&["WORKER_TIMEZONE"]);
        assert_eq!(
            told,
            ["WORKER_TIMEZONE: nothing reads it; --help lists what is read"]
        );
    }

    #[test]
    fn what_is_somebody_elses_is_left_alone() {
        let others = [
            "PATH",
            "HOME",
            "HOSTNAME",
            "REDIS_SERVICE_HOST",
            "REDIS_PORT_6379_TCP_ADDR",
            "INGRESS_PORT",
            "OTEL_SERVICE_NAME",
            "POSTGRES_USER",
            "INGRESS_OWN_SETTING",
            "EGRESS_ATTEMPTS",
            "REDIS_MAXMEMORY",
            "TERM",
            "LOGNAME",
        ];
        assert_eq!(strays_of(&others), [""; 0]);
    }
}
