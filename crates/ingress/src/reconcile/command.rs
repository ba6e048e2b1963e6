//! `ingress reconcile`: the same comparison by hand.

use std::fmt;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use streams::{DeploymentError, Redis};

use super::compare::{MEMORY, Tally, Window};
use super::list::List;
use super::pass::{Failure, Outcome, Pass};
use super::taking::{MOST_TRIES, Tries};
use super::{Providers, ProvidersError, before};
use crate::config::IngressConfig;

/// What to compare, and the settings of `ingress serve`.
#[derive(Debug, Clone, Args)]
pub struct ReconcileArgs {
    /// From when on: a time such as `2026-11-28T09:00:00+01:00`, or how long ago, such as `90m` or
    /// `3h`. At most 23 hours ago: nobody remembers for longer what was answered. Nor from
    /// before this version ran: what another bot answered, or of WAHA an earlier version, is taken in
    /// again.
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Since,

    /// Only say what is lost; take nothing in.
    #[arg(long)]
    dry_run: bool,

    /// Take a message in without its file where the provider does not give that now. Otherwise it is
    /// left, and a later comparison asks again.
    #[arg(long)]
    incomplete: bool,

    #[command(flatten)]
    ingress: IngressConfig,
}

#[derive(Debug, Clone, Copy)]
enum Since {
    Ago(SignedDuration),
    At(Timestamp),
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(ago) = text.parse::<SignedDuration>() {
        return Some(Since::Ago(ago))
            .filter(|_| ago > SignedDuration::ZERO && ago <= MEMORY)
            .ok_or_else(|| "must be more than nothing and at most 23h".into());
    }
    text.parse().map(Since::At).map_err(|_| {
        "must be a time such as 2026-11-28T09:00:00+01:00, or a duration such as 3h".into()
    })
}

/// Why nothing was compared at all.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// No provider has credentials.
    #[error(
        "no provider can be asked: set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_WHATSAPP_NUMBER, or \
         WAHA_WEBHOOK_SECRET, WAHA_BASE_URL and WAHA_API_KEY, or \
         CHATWOOT_WEBHOOK_SECRET, CHATWOOT_BASE_URL, CHATWOOT_ACCOUNT_ID, \
         CHATWOOT_READ_TOKEN and CHATWOOT_INBOX_IDS"
    )]
    NoProvider,
    /// The time is not within the last 23 hours.
    #[error(
        "--since must lie within the last 23 hours: nobody remembers for longer what was answered"
    )]
    TooFar,
    /// A provider's settings are wrong.
    #[error(transparent)]
    Providers(#[from] ProvidersError),
    /// Redis is away, or no service has started with it.
    #[error(transparent)]
    Redis(#[from] DeploymentError),
}

/// What was compared, one line a list.
#[derive(Debug, Default)]
pub struct Reconciled {
    lines: Vec<String>,
    /// Whether every list was read to its end.
    pub complete: bool,
}

impl fmt::Display for Reconciled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

/// Compares every list that can be read.
///
/// # Errors
/// When none can be asked. A list that cannot be read is part of the answer.
pub async fn reconcile(args: &ReconcileArgs) -> Result<Reconciled, ReconcileError> {
    let config = &args.ingress;
    let now = Timestamp::now();
    let since = match args.since {
        Since::Ago(ago) => before(now, ago),
        Since::At(at) => at,
    };
    if since >= now || since < before(now, MEMORY) {
        return Err(ReconcileError::TooFar);
    }
    let providers = Providers::new(config)?;
    if providers.is_empty() {
        return Err(ReconcileError::NoProvider);
    }
    let redis = Redis::of_deployment(&config.redis).await?;
    let pass = Pass {
        redis: &redis,
        limits: &config.limits,
        max_age: config.reconcile.max_age(),
        now,
        dry_run: args.dry_run,
        most_tries: if args.incomplete { 1 } else { MOST_TRIES },
        lease: None,
    };
    let window = Window::from(since, now, &config.reconcile);
    let mut reconciled = Reconciled {
        complete: true,
        ..Reconciled::default()
    };
    for mut list in providers.lists() {
        let outcome = to_its_end(&pass, &mut list, window).await;
        reconciled.complete &= outcome.failure.is_none();
        reconciled
            .lines
            .push(line(list.name(), &outcome, args.dry_run));
    }
    Ok(reconciled)
}

/// Compares a list as long as each pass goes further.
async fn to_its_end(pass: &Pass<'_>, list: &mut List<'_>, window: Window) -> Outcome {
    let (mut tally, mut tries, mut reached) = (Tally::default(), Tries::new(), 0);
    loop {
        let mut outcome = pass.run(list, window, &mut tries).await;
        tally += outcome.tally;
        let read = list.take_read();
        let went_further = read.len() > reached;
        if !matches!(outcome.failure, Some(Failure::Endless)) || !went_further {
            outcome.tally = tally;
            return outcome;
        }
        reached = read.len();
        list.leave_out(read);
        list.rewind();
    }
}

fn line(name: &str, outcome: &Outcome, dry_run: bool) -> String {
    let tally = &outcome.tally;
    let found = if dry_run { "lost" } else { "found" };
    let mut line = format!(
        "{name}: {} listed, {} known, {} {found}",
        tally.listed, tally.known, tally.found
    );
    for (count, what) in [
        (tally.too_old, "too old to answer"),
        (tally.rejected, "not usable"),
        (tally.rate_limited, "beyond their conversation's limit"),
        (tally.incomplete, "without what the list leaves out"),
        (tally.colleagues, "written by somebody else"),
        (tally.ignored, "nobody's business"),
    ] {
        if count > 0 {
            line += &format!(", {count} {what}");
        }
    }
    if let Some(failure) = &outcome.failure {
        line += &format!("; not complete: {failure}");
    }
    line
}
