//! Variables that nobody reads: a mistake in one of them is no reason to stop.

/// A variable that is only read when another one is not set.
const INSTEAD: &[(&str, &[&str])] = &[
    (
        "REDIS_HOST",
        &["REDIS_URL", "REDIS_SENTINELS", "REDIS_CLUSTER_NODES"],
    ),
    (
        "REDIS_PORT",
        &["REDIS_URL", "REDIS_SENTINELS", "REDIS_CLUSTER_NODES"],
    ),
];

/// Variables with this beginning are only read when the other one is set.
const ONLY_WITH: &[(&str, &str)] = &[
    ("LLM_", "LLM_BASE_URL"),
    ("TRANSCRIBE_", "TRANSCRIBE_BASE_URL"),
    ("INGRESS_SPOOL_", "INGRESS_SPOOL_DIR"),
    ("OTEL_TRACES_", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ("REDIS_WAIT_TIMEOUT_MS", "REDIS_WAIT_REPLICAS"),
    ("EGRESS_TWILIO_", "TWILIO_AUTH_TOKEN"),
    ("EGRESS_WAHA_", "WAHA_BASE_URL"),
    ("EGRESS_CHATWOOT_", "CHATWOOT_BASE_URL"),
];

/// Why a variable is not read, as far as is known without reading everything.
pub(super) fn why(variable: &str, is_set: impl Fn(&str) -> bool) -> Option<String> {
    let instead = INSTEAD.iter().find(|(name, _)| *name == variable);
    let used = instead.and_then(|(_, others)| others.iter().find(|other| is_set(other)));
    if let Some(other) = used {
        return Some(format!("{variable} is not used, because {other} is set"));
    }
    let (_, missing) = ONLY_WITH
        .iter()
        .find(|(start, _)| variable.starts_with(start))?;
    (variable != *missing && !is_set(missing))
        .then(|| format!("{variable} is not used, because {missing} is not set"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_is_told_with_the_reason() {
        let why = |variable: &str, set: &[&str]| why(variable, |name| set.contains(&name));
        assert_eq!(
            why("REDIS_PORT", &["REDIS_URL"]).as_deref(),
            Some("REDIS_PORT is not used, because REDIS_URL is set")
        );
        assert_eq!(why("REDIS_PORT", &["REDIS_PORT"]), None);
        assert!(why("LLM_TIMEOUT_MS", &[]).is_some());
        assert_eq!(why("LLM_TIMEOUT_MS", &["LLM_BASE_URL"]), None);
        assert_eq!(why("PORT", &[]), None);
    }
}
