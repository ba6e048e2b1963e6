//! One comparison of one list: reads it, tells what is lost, and has that taken in.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared_types::{ControlEvent, InboundMessage, Source};
use streams::{Redis, StreamsError};

use super::compare::{Tally, Verdict, Window, verdict};
use super::hands;
use super::http::Unreadable;
use super::list::{List, Listed};
use super::taking::{Taking, Tries};
use crate::author::{Author, author};
use crate::config::LimitsConfig;
use crate::event::{Event, Reading, Written, colleague_event};

/// So many pages are read in one pass. A list of conversations goes on in the next; any other that is
/// longer is a loop.
const MAX_PAGES: usize = 500;
/// So many found messages are held at once: some 15 MB.
const MOST_HELD: usize = 5_000;

/// What a message of ours in a list is read as.
const OURS: &str = "own_message";

/// What a comparison works with.
pub(crate) struct Pass<'a> {
    pub(crate) redis: &'a Redis,
    pub(crate) limits: &'a LimitsConfig,
    pub(crate) max_age: SignedDuration,
    pub(crate) now: Timestamp,
    /// Only looks.
    pub(crate) dry_run: bool,
    /// In how many passes a message is asked for what the list leaves out, before it is taken in without.
    pub(crate) most_tries: u32,
    /// The holder of the right to compare, and for how long each page extends it.
    pub(crate) lease: Option<(&'a str, Duration)>,
}

/// Why a comparison did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the list cannot be read: {0}")]
    Unreadable(#[from] Unreadable),
    #[error("what the list leaves out of a message cannot be read: {0}")]
    Incomplete(Unreadable),
    #[error("a message cannot be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
    #[error("the list has more than {MAX_PAGES} pages")]
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
            Self::Unreadable(unreadable) | Self::Incomplete(unreadable) => unreadable.label(),
            Self::Unwritable(_) => "unexpected",
            Self::Endless => "endless",
            Self::Redis(_) | Self::Full => "redis",
            Self::Displaced => "displaced",
        }
    }

    /// Whether it is one message's, and the others can be taken in all the same.
    pub(super) const fn is_of_one_message(&self) -> bool {
        matches!(self, Self::Incomplete(_) | Self::Unwritable(_))
    }

    /// How long the provider wants to be left alone.
    pub(crate) const fn pause(&self) -> Option<Duration> {
        match self {
            Self::Unreadable(Unreadable::Limited(pause))
            | Self::Incomplete(Unreadable::Limited(pause)) => Some(*pause),
            _ => None,
        }
    }
}

/// What came of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    /// What was found before it is taken in all the same.
    pub(crate) failure: Option<Failure>,
    /// Up to when everything is compared, where that is anything.
    pub(crate) until: Option<Timestamp>,
}

/// Found messages that wait to be handed over, the newest first: the oldest of them, when there are too many.
#[derive(Default)]
struct Found {
    held: VecDeque<Listed>,
    /// The oldest that was let go. It is found again.
    beyond: Option<Timestamp>,
}

impl Found {
    fn add(&mut self, listed: Listed) {
        self.held.push_back(listed);
        if self.held.len() > MOST_HELD
            && let Some(newest) = self.held.pop_front()
        {
            self.beyond = Some(newest.written_at);
        }
    }

    /// What is held, oldest first; within a second, the list's own order counts.
    fn take(&mut self) -> Vec<Listed> {
        let mut oldest_first: Vec<_> = self.held.drain(..).rev().collect();
        oldest_first.sort_by_key(|listed| listed.written_at);
        oldest_first
    }
}

impl Pass<'_> {
    /// Compares all of the window, however much is found in it.
    pub(crate) async fn run(
        &self,
        list: &mut List<'_>,
        window: Window,
        tries: &mut Tries,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut rest = window;
        loop {
            let beyond = self.run_once(list, rest, tries, &mut outcome).await;
            if outcome.failure.is_some() {
                return outcome;
            }
            outcome.until = Some(beyond.unwrap_or(window.until));
            match beyond {
                Some(since) if since > rest.since => rest = Window { since, ..rest },
                Some(_) => outcome.failure = Some(Failure::Endless),
                None => return outcome,
            }
            list.rewind();
        }
    }

    /// Reads the list once, and has what it finds taken in; gives since when there was more than can be held.
    async fn run_once(
        &self,
        list: &mut List<'_>,
        window: Window,
        tries: &mut Tries,
        outcome: &mut Outcome,
    ) -> Option<Timestamp> {
        let (mut found, mut taking) = (Found::default(), Taking::new(self, tries));
        let tally = &mut outcome.tally;
        let mut read = self
            .read(list, window, tally, &mut found, &mut taking)
            .await;
        // The next pass reads the conversation from its beginning that this one broke off in.
        let goes_on = matches!(read, Err(Failure::Endless)) && list.goes_on();
        if !goes_on {
            let rest = taking.take_in(list, tally, &found.take()).await;
            read = read.and(rest);
        }
        outcome.failure = match read {
            // Whose message was left is read again: nothing is gone on with.
            Err(Failure::Endless) if taking.left.is_some() => taking.left,
            read => read.err().or(taking.left),
        };
        found.beyond
    }

    /// Extends the right to compare, where one is needed.
    pub(super) async fn hold(&self) -> Result<(), Failure> {
        match self.lease {
            Some((holder, time)) if !self.redis.hold_comparison(holder, time).await? => {
                Err(Failure::Displaced)
            }
            _ => Ok(()),
        }
    }

    async fn read(
        &self,
        list: &mut List<'_>,
        window: Window,
        tally: &mut Tally,
        found: &mut Found,
        taking: &mut Taking<'_>,
    ) -> Result<(), Failure> {
        for _ in 0..MAX_PAGES {
            self.hold().await?;
            let Some(page) = list.next_page(window).await? else {
                return Ok(());
            };
            let inside = page.listed.into_iter();
            let inside = inside.filter(|listed| window.contains(listed.written_at));
            let judged = try_join_all(inside.map(|listed| self.judge(listed))).await?;
            tally.listed += judged.len() as u64;
            for (verdict, listed) in judged {
                match verdict {
                    Some(Verdict::Known) => tally.known += 1,
                    Some(Verdict::Found | Verdict::TooOld) => found.add(listed),
                    None => tally.ignored += 1,
                }
            }
            if page.ends {
                taking.take_in(list, tally, &found.take()).await?;
            }
        }
        Err(Failure::Endless)
    }

    /// What a message is to us; none where its webhook would have been ignored.
    async fn judge(&self, mut listed: Listed) -> Result<(Option<Verdict>, Listed), StreamsError> {
        if let Reading::Written(written) = listed.reading {
            listed.reading = self.attributed(*written).await?;
        }
        let taken_in = match &listed.reading {
            Reading::Event(Event::Message(message)) => self.was_taken_in(message).await?,
            Reading::Event(Event::Colleague { message, .. }) => {
                let conversation = &message.conversation_id;
                let event = colleague_event(message.source, conversation, message.id.as_str());
                self.redis
                    .was_taken_in(conversation.as_str(), &event)
                    .await?
            }
            Reading::Event(Event::Control { event, .. }) => self.was_told(event, &listed).await?,
            Reading::Ignored(OURS) => true,
            // The shelf of rejected webhooks knows by itself what it has.
            Reading::Rejected(_) => false,
            _ => return Ok((None, listed)),
        };
        let verdict = verdict(taken_in, listed.written_at, self.now, self.max_age);
        Ok((Some(verdict), listed))
    }

    /// Whether it is known who has a conversation of the help desk.
    async fn was_told(&self, event: &ControlEvent, listed: &Listed) -> Result<bool, StreamsError> {
        let conversation = event.conversation_id.as_str();
        let partition = self.redis.partitions().partition_of(conversation);
        let key = self.redis.keys().of(partition).mirror(conversation);
        let shown = self.redis.hash(&key).await?;
        let display = listed.webhook.get("id").and_then(Value::as_u64);
        Ok(hands::is_known(event.kind, display, &shown))
    }

    /// What was sent from our side, by who did it.
    async fn attributed(&self, written: Written) -> Result<Reading, StreamsError> {
        Ok(match author(self.redis, &written).await? {
            Author::Us(_) => Reading::Ignored(OURS),
            Author::Colleague {
                conversation,
                on_the_wire,
            } => Reading::Event(written.by_colleague(conversation, on_the_wire)),
        })
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
}

pub(super) fn log(source: Source, listed: &Listed, text: &'static str) {
    let named = match &listed.reading {
        Reading::Event(Event::Message(message)) => Some((&message.id, &message.conversation.id)),
        Reading::Event(Event::Colleague { message, .. }) => {
            Some((&message.id, &message.conversation_id))
        }
        _ => None,
    };
    if let Some(event) = listed.control() {
        tracing::warn!(
            source = source.as_str(),
            conversation = event.conversation_id.as_str(),
            change = ?event.kind,
            since = %listed.written_at,
            "{text}"
        );
    }
    if let Some((id, conversation)) = named {
        tracing::warn!(
            source = source.as_str(),
            message.id = id.as_str(),
            conversation = conversation.as_str(),
            written_at = %listed.written_at,
            "{text}"
        );
    }
}
