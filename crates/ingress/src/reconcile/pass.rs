//! One comparison of one list: reads it, tells what is lost, and takes that in, oldest first.

use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use shared_types::{InboundMessage, Source};
use streams::{Destination, Ingested, NewEntry, Redis, StreamsError};

use super::compare::{Tally, Verdict, Window, late, verdict};
use super::http::Unreadable;
use super::list::{List, Listed};
use crate::config::LimitsConfig;
use crate::event::{Event, Reading, Rejection};
use crate::rejected;

/// More is not read: it is a loop, or more than anybody answers.
const MAX_PAGES: usize = 500;
const MAX_LISTED: u64 = 20_000;
/// What the log and the shelf of rejected webhooks name instead of a request.
const REQUEST_ID: &str = "reconcile";

/// What a comparison works with.
pub(crate) struct Pass<'a> {
    pub(crate) redis: &'a Redis,
    pub(crate) limits: &'a LimitsConfig,
    pub(crate) max_age: SignedDuration,
    pub(crate) now: Timestamp,
    /// Only looks.
    pub(crate) dry_run: bool,
    /// The holder of the right to compare, and for how long each page extends it.
    pub(crate) lease: Option<(&'a str, Duration)>,
}

/// Why a comparison did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the list cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
    #[error("the list has more than {MAX_PAGES} pages or {MAX_LISTED} messages")]
    Endless,
    #[error("Redis did not answer: {0}")]
    Redis(#[from] StreamsError),
    #[error("Redis takes nothing more: too much waits already, or too few replicas have it")]
    Full,
    #[error("another process compares now")]
    Displaced,
}

impl Failure {
    /// The label in metrics.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Unreadable(unreadable) => unreadable.label(),
            Self::Endless => "endless",
            Self::Redis(_) | Self::Full => "redis",
            Self::Displaced => "displaced",
        }
    }
}

/// What came of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    /// What was found before it is taken in all the same.
    pub(crate) failure: Option<Failure>,
}

impl Pass<'_> {
    pub(crate) async fn run(&self, list: &mut List<'_>, window: Window) -> Outcome {
        let mut outcome = Outcome::default();
        let mut lost = Vec::new();
        let read = self.read(list, window, &mut outcome.tally, &mut lost).await;
        outcome.failure = read.err();
        // Each page has its newest message first; within a second, the list's own order counts.
        lost.reverse();
        lost.sort_by_key(|listed| listed.written_at);
        for listed in &lost {
            if let Err(failure) = self.take_in(list, listed, &mut outcome.tally).await {
                outcome.failure.get_or_insert(failure);
                break;
            }
        }
        outcome
    }

    async fn read(
        &self,
        list: &mut List<'_>,
        window: Window,
        tally: &mut Tally,
        lost: &mut Vec<Listed>,
    ) -> Result<(), Failure> {
        for _ in 0..MAX_PAGES {
            if let Some((holder, time)) = self.lease
                && !self.redis.hold_comparison(holder, time).await?
            {
                return Err(Failure::Displaced);
            }
            let Some(page) = list.next_page(window).await? else {
                return Ok(());
            };
            let inside = page
                .into_iter()
                .filter(|listed| window.contains(listed.written_at));
            let judged = try_join_all(inside.map(|listed| self.judge(listed))).await?;
            tally.listed += judged.len() as u64;
            if tally.listed > MAX_LISTED {
                break;
            }
            for (verdict, listed) in judged {
                match verdict {
                    Some(Verdict::Known) => tally.known += 1,
                    Some(Verdict::Found) => lost.push(listed),
                    Some(Verdict::TooOld) => {
                        tally.too_old += 1;
                        log(list.source(), &listed, "a lost message was found too late");
                    }
                    None => tally.ignored += 1,
                }
            }
        }
        Err(Failure::Endless)
    }

    /// What a message is to us; none where its webhook would have been ignored.
    async fn judge(&self, listed: Listed) -> Result<(Option<Verdict>, Listed), StreamsError> {
        let taken_in = match &listed.reading {
            Reading::Event(Event::Message(message)) => self.was_taken_in(message).await?,
            // The shelf of rejected webhooks knows by itself what it has.
            Reading::Rejected(_) => false,
            _ => return Ok((None, listed)),
        };
        let verdict = verdict(taken_in, listed.written_at, self.now, self.max_age);
        Ok((Some(verdict), listed))
    }

    /// Whether a message was taken in, in whichever conversation its sender's addresses have: WAHA may list
    /// it under another one than its event named.
    async fn was_taken_in(&self, message: &InboundMessage) -> Result<bool, StreamsError> {
        let (conversation, event) = (message.conversation.id.as_str(), message.event());
        let session = conversation.strip_suffix(message.sender.id.as_str());
        let others = message.sender.aliases.iter();
        let others = others.filter_map(|alias| Some(format!("{}{alias}", session?)));
        for conversation in std::iter::once(conversation.to_owned()).chain(others) {
            if self.redis.was_taken_in(&conversation, &event).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn take_in(
        &self,
        list: &List<'_>,
        listed: &Listed,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let reading = late(self.completed(list, listed).await?, listed.written_at);
        let (entry, destination) = match &reading {
            Reading::Event(event) => match event.entry(None) {
                Ok(entry) => (entry, Destination::Work(event.queue())),
                Err(_) => return Ok(()),
            },
            Reading::Rejected(rejection) => {
                let entry = rejected_entry(list.source(), rejection, listed);
                (entry, Destination::Rejected)
            }
            _ => {
                tally.ignored += 1;
                return Ok(());
            }
        };
        let is_new = self.dry_run || self.is_new(&entry, destination).await?;
        match destination {
            _ if !is_new => tally.known += 1,
            Destination::Work(_) => {
                tally.found += 1;
                log(list.source(), listed, "a lost message was found");
            }
            Destination::Rejected => tally.rejected += 1,
        }
        Ok(())
    }

    /// The message with what the list left out. What the provider does not give is left out; a provider
    /// that does not answer is asked another time.
    async fn completed(&self, list: &List<'_>, listed: &Listed) -> Result<Reading, Unreadable> {
        let Some(more) = listed.more.as_deref().filter(|_| !self.dry_run) else {
            return Ok(listed.reading.clone());
        };
        match list.complete(listed, more).await {
            Err(error @ (Unreadable::Silent(_) | Unreadable::Limited(_))) => Err(error),
            Err(error) => {
                tracing::warn!(source = list.source().as_str(), %error, "what came with a lost message is lost");
                Ok(listed.reading.clone())
            }
            Ok(reading) => Ok(reading),
        }
    }

    /// Takes an entry in. Its webhook may have come meanwhile.
    async fn is_new(&self, entry: &NewEntry, destination: Destination) -> Result<bool, Failure> {
        let partitions = self.redis.partitions();
        let ingest = self.limits.ingest(destination, entry, partitions);
        match self.redis.ingest(&ingest).await? {
            Ingested::Queued { .. } => Ok(true),
            Ingested::Duplicate { .. } => Ok(false),
            Ingested::Busy { .. } | Ingested::RateLimited { .. } | Ingested::Unreplicated => {
                Err(Failure::Full)
            }
        }
    }
}

fn rejected_entry(source: Source, rejection: &Rejection, listed: &Listed) -> NewEntry {
    let body = serde_json::to_vec(&listed.webhook).unwrap_or_default();
    let sender = rejected::sender(source, &body);
    rejected::entry(source, rejection, REQUEST_ID, &body, sender)
}

fn log(source: Source, listed: &Listed, text: &'static str) {
    if let Reading::Event(Event::Message(message)) = &listed.reading {
        tracing::warn!(
            source = source.as_str(),
            message.id = message.id.as_str(),
            conversation = message.conversation.id.as_str(),
            written_at = %listed.written_at,
            "{text}"
        );
    }
}
