//! Checks the configuration against the world: Redis, the public URL, the clock, Chatwoot's inbox.

use std::collections::BTreeSet;
use std::net::{IpAddr, ToSocketAddrs};

use clap::Args;
use jiff::Timestamp;
use streams::{Duty, Queue, Redis, StreamsError};

use super::{Diagnosis, inbox, spool};
use crate::config::IngressConfig;
use crate::reconcile::{Providers, without_inboxes};
use crate::twilio::host_and_port;

/// The same settings as `ingress serve`.
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub ingress: IngressConfig,
}

/// Beyond this signed times are refused although they are right.
const TOLERABLE_SKEW_MS: i64 = 30_000;

/// The services share one user unless an operator gives each its own.
const DUTIES: [Duty; 4] = [
    Duty::TakeIn,
    Duty::Consume(Queue::Inbound),
    Duty::Consume(Queue::Crm),
    Duty::Consume(Queue::Outbound),
];

/// Prints the effective settings and checks them. `mistakes` were found in them before.
pub async fn examine_config(config: &IngressConfig, mistakes: Vec<String>) -> Diagnosis {
    let mut lines = settings(config);
    let mut problems = mistakes;
    public_url(config, &mut lines, &mut problems);
    match Redis::new(&config.redis) {
        Ok(redis) => redis_server(&redis, &mut lines, &mut problems).await,
        Err(error) => problems.push(error.to_string()),
    }
    inbox::examine(config, &mut lines, &mut problems).await;
    lists(config, &mut lines, &mut problems).await;
    if let Some(folder) = &config.spool.spool_dir {
        problems.extend(spool::mistake(folder));
    }
    if config.limits.observe_only {
        problems.push("INGRESS_OBSERVE_ONLY is on: anybody can send messages in".into());
    }
    // A wrong URL is found in the settings and again where it is used.
    let mut told = BTreeSet::new();
    problems.retain(|problem| told.insert(problem.clone()));
    lines.extend(problems.iter().map(|problem| format!("problem: {problem}")));
    let advice = match problems.as_slice() {
        [] => "point the provider's webhook here".into(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} (first of {} problems)", rest.len() + 1),
    };
    Diagnosis {
        healthy: problems.is_empty(),
        lines,
        advice,
    }
}

fn settings(config: &IngressConfig) -> Vec<String> {
    let set = |present: bool| if present { "set (hidden)" } else { "not set" };
    let base = config.base_url();
    let base = base.as_deref().unwrap_or("not set");
    let limits = &config.limits;
    let spool = config.spool.spool_dir.as_ref();
    let spool = spool.map_or_else(
        || "none: 503 while Redis is away".into(),
        |dir| dir.display().to_string(),
    );
    let proxies: Vec<_> = config
        .strangers
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    let proxies = match config.strangers.behind_proxy() {
        true => proxies.join(","),
        false => "none: the peer's address counts".into(),
    };
    let rows = [
        ("PUBLIC_BASE_URL", base.to_owned()),
        (
            "TWILIO_ACCOUNT_SID",
            config
                .twilio
                .twilio_account_sid
                .clone()
                .unwrap_or_else(|| "not set".into()),
        ),
        (
            "TWILIO_AUTH_TOKEN",
            set(config.twilio.twilio_auth_token.is_some()).into(),
        ),
        (
            "TWILIO_EXTRA_AUTH_TOKENS",
            format!("{} tokens", config.twilio.twilio_extra_auth_tokens.len()),
        ),
        (
            "TWILIO_SHARED_KEYS",
            format!("{} keys", config.twilio.twilio_shared_keys.len()),
        ),
        ("WAHA_WEBHOOK_SECRET", set(config.takes_waha()).into()),
        (
            "CHATWOOT_WEBHOOK_SECRET",
            format!("{} secrets", config.chatwoot.chatwoot_webhook_secret.len()),
        ),
        (
            "CHATWOOT_PATH_TOKEN",
            set(config.chatwoot.chatwoot_path_token.is_some()).into(),
        ),
        (
            "REDIS_PARTITIONS",
            config.redis.redis_partitions.to_string(),
        ),
        (
            "INGRESS_RATE_LIMIT_PER_MINUTE",
            limits.rate_limit_per_minute.to_string(),
        ),
        (
            "INGRESS_TOTAL_LIMIT_PER_MINUTE",
            limits.total_limit_per_minute.to_string(),
        ),
        (
            "INGRESS_FAILED_SIGNATURES_PER_MINUTE",
            config.failed_signatures().to_string(),
        ),
        (
            "INGRESS_CLIENT_ADDRESS",
            format!("{:?}", config.strangers.client_address),
        ),
        ("INGRESS_TRUSTED_PROXIES", proxies),
        ("INGRESS_REPLAY_DAYS", limits.replay_days.to_string()),
        ("INGRESS_MAX_BACKLOG", limits.max_backlog.to_string()),
        ("INGRESS_SPOOL_DIR", spool),
        ("INGRESS_RECONCILE_INTERVAL_SECS", lost_messages(config)),
        ("PORT", config.port.to_string()),
    ];
    rows.into_iter()
        .map(|(name, value)| format!("{name:<38} {value}"))
        .collect()
}

/// Of whom lost messages are looked for.
fn lost_messages(config: &IngressConfig) -> String {
    let interval = config.reconcile.reconcile_interval_secs;
    let looked_for = match Providers::new(config) {
        _ if interval == 0 => "0: lost messages are not looked for".into(),
        Ok(providers) if providers.is_empty() => {
            "no provider has what its list needs: lost messages are not looked for".into()
        }
        Ok(providers) => format!("{interval}: {}", providers.names().join(", ")),
        Err(error) => error.to_string(),
    };
    let warning = without_inboxes(config).filter(|_| interval > 0);
    [Some(looked_for.as_str()), warning]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}

/// The lists in which lost messages are looked for.
async fn lists(config: &IngressConfig, lines: &mut Vec<String>, problems: &mut Vec<String>) {
    if config.reconcile.reconcile_interval_secs == 0 {
        return;
    }
    // A wrong URL is a problem of its own.
    let Ok(providers) = Providers::new(config) else {
        return;
    };
    for (name, read) in providers.try_out(&config.reconcile).await {
        match read {
            Ok(()) => lines.push(format!("lost messages: {name} can be read")),
            Err(error) => problems.push(format!("lost messages: {name}: {error}")),
        }
    }
}

fn public_url(config: &IngressConfig, lines: &mut Vec<String>, problems: &mut Vec<String>) {
    let Some(base) = config.base_url() else {
        return;
    };
    if config.takes_twilio() {
        lines.push(format!(
            "Twilio calls: {}/webhooks/twilio/whatsapp",
            base.trim_end_matches('/')
        ));
    }
    let Some((host, port)) = host_and_port(&base) else {
        problems.push(
            "PUBLIC_BASE_URL: its port is no number from 1 to 65535: write one URL, such as https://bot.example.nl"
                .into(),
        );
        return;
    };
    let address: Option<IpAddr> = host.parse().ok();
    let is_local = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    if base.starts_with("http://") && !is_local {
        problems.push(
            "PUBLIC_BASE_URL is http: most edges redirect it to https, and a redirected POST \
             arrives as a GET; and whoever is on the way reads what customers write, and \
             signatures, which are credentials. Use https"
                .into(),
        );
    }
    match (host, port)
        .to_socket_addrs()
        .map(|mut addresses| addresses.next())
    {
        Ok(Some(address)) => {
            lines.push(format!("public host: {host} resolves to {}", address.ip()))
        }
        _ => problems.push(format!(
            "PUBLIC_BASE_URL: the host {host} does not resolve from here"
        )),
    }
}

async fn redis_server(redis: &Redis, lines: &mut Vec<String>, problems: &mut Vec<String>) {
    if let Err(error) = examine_redis(redis, lines, problems).await {
        problems.push(format!(
            "Redis cannot be used: {error} (REDIS_URL, or REDIS_HOST and REDIS_PORT)"
        ));
    }
}

async fn examine_redis(
    redis: &Redis,
    lines: &mut Vec<String>,
    problems: &mut Vec<String>,
) -> Result<(), StreamsError> {
    let report = match redis.server_report().await {
        Ok(report) => report,
        // A write is told why more often than a question.
        Err(error) => {
            let refused = redis.check_writable(Duty::TakeIn).await;
            return Err(refused.err().unwrap_or(error));
        }
    };
    lines.push(format!(
        "{} {}: append-only {}, fsync {}, eviction {}",
        report.name,
        report.version,
        if report.append_only { "on" } else { "off" },
        report.fsync.as_deref().unwrap_or("unknown"),
        report.eviction_policy.as_deref().unwrap_or("unknown"),
    ));
    problems.extend(report.warnings());
    let mut is_refused = false;
    for check in [
        redis.check_writable(Duty::TakeIn).await,
        redis.check_permissions(&DUTIES).await,
    ] {
        is_refused |= check.is_err();
        problems.extend(check.err().map(|error| error.to_string()));
        // Both may fail of the same.
        problems.dedup();
    }
    match examine_deployment(redis, lines, problems).await {
        // Why is said already.
        Err(_) if is_refused => Ok(()),
        examined => examined,
    }
}

async fn examine_deployment(
    redis: &Redis,
    lines: &mut Vec<String>,
    problems: &mut Vec<String>,
) -> Result<(), StreamsError> {
    let server_ms = redis.clock_ms().await?;
    lines.push("scripts: work".into());
    let skew = Timestamp::now().as_millisecond() - server_ms;
    lines.push(format!("clock: {skew} ms off Redis' clock"));
    if skew.abs() > TOLERABLE_SKEW_MS {
        problems.push(format!(
            "the clocks of this machine and of Redis differ by {} s",
            skew / 1000
        ));
    }
    let wanted = redis.partitions().to_string();
    match redis.stored_layout().await? {
        Some(stored) if stored != wanted => problems.push(format!(
            "this Redis holds {stored} partitions, REDIS_PARTITIONS is {wanted}: set REDIS_PARTITIONS={stored}"
        )),
        Some(stored) => lines.push(format!("partitions: {stored}")),
        None => lines.push("partitions: not fixed yet; the first service to start does it".into()),
    }
    Ok(())
}
