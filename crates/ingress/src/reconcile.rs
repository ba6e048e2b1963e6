//! Finds messages whose webhooks never came: compares the providers' own lists with what was taken in.
//!
//! Off the hot path: what goes wrong here costs a line in the log and a count.

mod chatwoot;
mod command;
mod compare;
mod hands;
mod http;
mod list;
mod pass;
mod reported;
mod taking;
mod twilio;
mod waha;

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde_json::Value;
use shared_types::Source;
use streams::{Compared, Redis, StreamsError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::{IngressConfig, LimitsConfig, ReconcileConfig};
use crate::metrics::IngressMetrics;
use crate::spool::Spool;
use chatwoot::{About, Chatwoot};
pub use command::{ReconcileArgs, ReconcileError, Reconciled, reconcile};
use compare::{Tally, Window, before};
use http::Unreadable;
use list::List;
use pass::{Failure, Outcome, Pass};
pub(crate) use reported::{LookUps, Signs};
use taking::{MOST_TRIES, Tries};
pub(crate) use twilio::Twilio;
use waha::Waha;

/// How long a replica that says nothing keeps the others from comparing. A page takes 20 s at most.
const LEASE: Duration = Duration::from_secs(60);

/// Why the providers' APIs cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProvidersError {
    /// A base URL is none.
    #[error("{0}: must be a URL that starts with http:// or https://")]
    Url(&'static str),
    /// A base URL has a user or a password in it.
    #[error("{0}: must not have a user or a password in it: the API has credentials of its own")]
    UrlWithCredentials(&'static str),
    /// The HTTP client cannot be built.
    #[error("HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// The providers whose lists can be read: those with credentials.
pub(crate) struct Providers {
    twilio: Option<Twilio>,
    waha: Option<Waha>,
    chatwoot: Vec<Chatwoot>,
}

impl Providers {
    pub(crate) fn new(config: &IngressConfig) -> Result<Self, ProvidersError> {
        Ok(Self {
            twilio: twilio(config)?,
            waha: waha(config)?,
            chatwoot: chatwoot(config)?,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.twilio.is_none() && self.waha.is_none() && self.chatwoot.is_empty()
    }

    /// The names of the lists.
    pub(crate) fn names(&self) -> Vec<String> {
        let lists = self.lists().into_iter();
        lists.map(|list| list.name().to_owned()).collect()
    }

    /// The inbox of Chatwoot with this number; none where Chatwoot may not be asked.
    pub(crate) async fn inbox(&self, number: u64) -> Option<Result<Value, Unreadable>> {
        let chatwoot = self.chatwoot.first()?;
        Some(chatwoot.inbox(number).await)
    }

    /// Whether each list can be read: by its name, with the settings that lead there. Only the newest page is
    /// asked for, and nothing is taken in.
    pub(crate) async fn try_out(
        &self,
        config: &ReconcileConfig,
    ) -> Vec<(String, Result<(), String>)> {
        let now = Timestamp::now();
        let window = Window::from(before(now, SignedDuration::from_mins(1)), now, config);
        let mut tried = Vec::new();
        for mut list in self.lists() {
            let settings = match list.source() {
                Source::Twilio => "TWILIO_AUTH_TOKEN, TWILIO_API_BASE_URL",
                Source::Waha => "WAHA_BASE_URL, WAHA_API_KEY, WAHA_SESSIONS",
                Source::Chatwoot => "CHATWOOT_BASE_URL, CHATWOOT_ACCOUNT_ID, CHATWOOT_READ_TOKEN",
            };
            let read = list.next_page(window).await;
            let read = read
                .map(drop)
                .map_err(|error| format!("{error}; see {settings}"));
            tried.push((list.name().to_owned(), read));
        }
        tried
    }

    fn lists(&self) -> Vec<List<'_>> {
        let twilio = self.twilio.iter().flat_map(Twilio::lists);
        let waha = self.waha.iter().flat_map(Waha::lists);
        let chatwoot = self.chatwoot.iter().map(Chatwoot::list);
        twilio.chain(waha).chain(chatwoot).collect()
    }
}

fn twilio(config: &IngressConfig) -> Result<Option<Twilio>, ProvidersError> {
    let is_read = !config.twilio.twilio_whatsapp_number.is_empty();
    Ok(twilio_api(config)?.filter(|_| is_read))
}

/// Twilio's API, where its credentials are set.
pub(crate) fn twilio_api(config: &IngressConfig) -> Result<Option<Twilio>, ProvidersError> {
    let twilio = &config.twilio;
    let (Some(account), Some(_)) = (&twilio.twilio_account_sid, &twilio.twilio_auth_token) else {
        return Ok(None);
    };
    let tokens = twilio.keys().auth_tokens;
    let base = base_url("TWILIO_API_BASE_URL", &twilio.twilio_api_base_url)?;
    let numbers = twilio.twilio_whatsapp_number.iter();
    let numbers = numbers.map(|number| number.address().clone());
    let twilio = Twilio::new(&base, account.clone(), tokens, numbers.collect())?;
    Ok(Some(twilio))
}

fn waha(config: &IngressConfig) -> Result<Option<Waha>, ProvidersError> {
    let waha = &config.waha;
    let (true, Some(base), Some(key)) =
        (config.takes_waha(), &waha.waha_base_url, &waha.waha_api_key)
    else {
        return Ok(None);
    };
    let base = base_url("WAHA_BASE_URL", base)?;
    Ok(Some(Waha::new(
        &base,
        key.clone(),
        waha.waha_sessions.clone(),
    )?))
}

fn chatwoot(config: &IngressConfig) -> Result<Vec<Chatwoot>, ProvidersError> {
    let chatwoot = &config.chatwoot;
    let (true, Some(base), Some(token), Some(account)) = (
        config.takes_chatwoot(),
        &chatwoot.chatwoot_base_url,
        &chatwoot.chatwoot_read_token,
        chatwoot.chatwoot_account_id,
    ) else {
        return Ok(Vec::new());
    };
    let base = base_url("CHATWOOT_BASE_URL", base)?;
    let inboxes = Some(chatwoot.chatwoot_inbox_ids.clone());
    let customers = inboxes.filter(|inboxes| !inboxes.is_empty());
    let shown = Some(config.mirror.clone());
    let colleagues = shown.filter(|shown| shown.chatwoot_mirror_inbox_id.is_some());
    let all = customers.map(About::Customers).into_iter();
    let all = all.chain(colleagues.map(About::Colleagues));
    let all = all.map(|about| Chatwoot::new(&base, token.clone(), account, about));
    Ok(all.collect::<reqwest::Result<_>>()?)
}

/// What to say where Chatwoot's conversations may be read, and nobody said which are the bot's.
pub(crate) fn without_inboxes(config: &IngressConfig) -> Option<&'static str> {
    let chatwoot = &config.chatwoot;
    let is_half = chatwoot.chatwoot_read_token.is_some()
        && chatwoot.chatwoot_inbox_ids.is_empty()
        && config.mirror.chatwoot_mirror_inbox_id.is_none();
    is_half.then_some("CHATWOOT_INBOX_IDS is not set: Chatwoot's lost messages are not looked for")
}

/// The base URLs that are none, one line each.
pub(crate) fn wrong_urls(config: &IngressConfig) -> Vec<String> {
    let twilio = Some(&config.twilio.twilio_api_base_url);
    let urls = [
        ("TWILIO_API_BASE_URL", twilio),
        ("WAHA_BASE_URL", config.waha.waha_base_url.as_ref()),
        (
            "CHATWOOT_BASE_URL",
            config.chatwoot.chatwoot_base_url.as_ref(),
        ),
    ];
    let wrong = urls
        .into_iter()
        .filter_map(|(variable, url)| base_url(variable, url?).err());
    wrong.map(|error| error.to_string()).collect()
}

fn base_url(variable: &'static str, text: &str) -> Result<Url, ProvidersError> {
    let url = Url::parse(text).map_err(|_| ProvidersError::Url(variable))?;
    match url.scheme() {
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
            Err(ProvidersError::UrlWithCredentials(variable))
        }
        "http" | "https" => Ok(url),
        _ => Err(ProvidersError::Url(variable)),
    }
}

/// What a replica remembers of a list from one comparison to the next.
#[derive(Default)]
struct State {
    /// Until when the provider wants to be left alone.
    rests_until: Option<Instant>,
    tries: Tries,
    /// Where the last comparison broke off: it was longer than a pass may be.
    broke_off: Option<BrokenOff>,
}

/// A comparison that the next pass goes on with.
struct BrokenOff {
    window: Window,
    /// The conversations that are read.
    read: HashSet<String>,
}

/// Compares at the start and at an interval, one replica at a time.
pub(crate) struct Reconciler {
    pub(crate) providers: Providers,
    pub(crate) redis: Redis,
    pub(crate) limits: LimitsConfig,
    pub(crate) config: ReconcileConfig,
    pub(crate) metrics: IngressMetrics,
    /// What waits on disk has come, and Redis does not know of it yet.
    pub(crate) spool: Option<Spool>,
}

impl Reconciler {
    /// Runs until `stop`.
    pub(crate) async fn run(self, interval: Duration, stop: CancellationToken) {
        let holder = Uuid::new_v4().simple().to_string();
        let mut states = HashMap::new();
        // A comparison of another replica counts for this one as well, but for the first.
        let mut fresh = SignedDuration::ZERO;
        self.announce();
        loop {
            let turn = self.turn(&holder, fresh, &mut states);
            match stop.run_until_cancelled(turn).await {
                Some(Ok(true)) => fresh = SignedDuration::try_from(interval / 2).unwrap_or(fresh),
                Some(Ok(false)) => {}
                Some(Err(error)) => tracing::warn!(%error, "Redis cannot say what came"),
                None => {}
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(interval) => {}
            }
        }
        let left = self.redis.leave_comparison(&holder).await;
        if let Err(error) = left {
            tracing::debug!(%error, "the right to compare ends by itself");
        }
    }

    fn announce(&self) {
        for list in self.providers.lists() {
            count(&self.metrics, list.source(), &Tally::default());
            tracing::info!(list = list.name(), "lost messages are looked for");
        }
    }

    /// Compares every list; false where another replica does, or the disk must be empty first.
    async fn turn(
        &self,
        holder: &str,
        fresh: SignedDuration,
        states: &mut HashMap<String, State>,
    ) -> Result<bool, StreamsError> {
        let waits = self.spool.as_ref().is_some_and(|spool| !spool.is_empty());
        if waits || !self.redis.hold_comparison(holder, LEASE).await? {
            return Ok(false);
        }
        for mut list in self.providers.lists() {
            let state = states.entry(list.name().to_owned()).or_default();
            if state
                .rests_until
                .is_none_or(|until| until <= Instant::now())
            {
                let rest = self.compare(&mut list, holder, fresh, state);
                state.rests_until = rest.await?.map(|rest| Instant::now() + rest);
            }
        }
        self.redis.leave_comparison(holder).await?;
        Ok(true)
    }

    /// Compares one list with what came, from where the last comparison ended. The first only notes
    /// where to begin: what came before it was somebody else's, and no later one looks there. Gives how
    /// long the provider wants to be left alone.
    async fn compare(
        &self,
        list: &mut List<'_>,
        holder: &str,
        fresh: SignedDuration,
        state: &mut State,
    ) -> Result<Option<Duration>, StreamsError> {
        let now = Timestamp::now();
        let compared = self.redis.compared(list.name()).await?;
        let Some((begin, mark)) = compared.and_then(moments) else {
            // Lists know whole seconds.
            let begin = Timestamp::from_second(now.as_second()).unwrap_or(now);
            self.note_compared(list, begin, begin).await?;
            return Ok(None);
        };
        let mut window = Window::after(begin, mark, now, &self.config);
        if let Some(earlier) = state.broke_off.take().filter(|it| it.window.until > mark) {
            window.until = earlier.window.until;
            list.leave_out(earlier.read);
        }
        if window.until <= mark || window.until.duration_since(mark) < fresh {
            return Ok(None);
        }
        if window.since > mark {
            tracing::error!(list = list.name(), from = %mark, to = %window.since,
                "what came in this time is not looked for: nobody remembers what was answered");
        }
        let pass = Pass {
            redis: &self.redis,
            limits: &self.limits,
            max_age: self.config.max_age(),
            now,
            dry_run: false,
            most_tries: MOST_TRIES,
            lease: Some((holder, LEASE)),
        };
        let outcome = pass.run(list, window, &mut state.tries).await;
        self.note(list, &outcome);
        if outcome.failure.is_none() {
            state.tries.clear();
        }
        if let Some(until) = outcome.until.filter(|until| *until > mark) {
            self.note_compared(list, begin, until).await?;
        }
        if matches!(outcome.failure, Some(Failure::Endless)) && list.goes_on() {
            let read = list.take_read();
            state.broke_off = Some(BrokenOff { window, read });
        }
        Ok(outcome.failure.and_then(|failure| failure.pause()))
    }

    async fn note_compared(
        &self,
        list: &List<'_>,
        begin: Timestamp,
        until: Timestamp,
    ) -> Result<(), StreamsError> {
        let compared = Compared {
            begin: begin.as_millisecond(),
            until: until.as_millisecond(),
        };
        self.redis.note_compared(list.name(), compared).await
    }

    fn note(&self, list: &List<'_>, outcome: &Outcome) {
        let tally = &outcome.tally;
        count(&self.metrics, list.source(), tally);
        for _ in 0..tally.colleagues {
            self.metrics.colleague(list.source(), false);
        }
        let label = outcome.failure.as_ref().map_or("complete", Failure::label);
        self.metrics
            .reconcile_ran(list.source(), list.name(), label);
        if tally.rate_limited > 0 {
            tracing::warn!(
                list = list.name(),
                messages = tally.rate_limited,
                "lost messages were refused: their conversations are beyond INGRESS_RATE_LIMIT_PER_MINUTE"
            );
        }
        match &outcome.failure {
            Some(failure) => {
                tracing::warn!(list = list.name(), %failure, "lost messages cannot be looked for");
            }
            None => tracing::debug!(
                list = list.name(),
                listed = tally.listed,
                found = tally.found,
                "compared"
            ),
        }
    }
}

/// The beginning of all comparisons, and the end of the last.
fn moments(compared: Compared) -> Option<(Timestamp, Timestamp)> {
    let begin = Timestamp::from_millisecond(compared.begin).ok()?;
    Some((begin, Timestamp::from_millisecond(compared.until).ok()?))
}

fn count(metrics: &IngressMetrics, source: Source, tally: &Tally) {
    for (outcome, messages) in [
        ("known", tally.known),
        ("found", tally.found),
        ("too_old", tally.too_old),
        ("ignored", tally.ignored),
        ("rejected", tally.rejected),
        ("rate_limited", tally.rate_limited),
        ("incomplete", tally.incomplete),
        ("colleague", tally.colleagues),
    ] {
        metrics.reconciled(source, outcome, messages);
    }
}
