//! Takes what a comparison found in: oldest first, and whole where the provider gives the rest.

use std::collections::{HashMap, HashSet};

use shared_types::Source;
use streams::{Destination, Ingest, Ingested, NewEntry};

use super::compare::{Tally, Verdict, late, verdict};
use super::http::Unreadable;
use super::list::{List, Listed};
use super::pass::{Failure, Pass, log};
use crate::event::{Event, Reading, Rejection};
use crate::rejected;

/// In so many passes a message's file is asked for: some ten minutes, unless told otherwise.
pub(crate) const MOST_TRIES: u32 = 3;
/// So many calls for files may fail in one pass: a provider that is slow must not hold all else up.
const MOST_FAILED: u32 = 3;
/// What the log and the shelf of rejected webhooks name instead of a request.
const REQUEST_ID: &str = "reconcile";

/// In how many passes each event was left, because what the list leaves out could not be had.
pub(crate) type Tries = HashMap<String, u32>;

/// What is taken in of one list in one pass.
pub(super) struct Taking<'a> {
    pass: &'a Pass<'a>,
    tries: &'a mut Tries,
    /// Calls for files that failed in this pass.
    failed: u32,
    /// Why no more files are asked for in this pass.
    given_up: Option<Unreadable>,
    /// Conversations of which a message was left: what was written after it waits with it.
    held: HashSet<String>,
    /// Why one was left.
    pub(super) left: Option<Failure>,
}

impl<'a> Taking<'a> {
    pub(super) fn new(pass: &'a Pass<'a>, tries: &'a mut Tries) -> Self {
        Self {
            pass,
            tries,
            failed: 0,
            given_up: None,
            held: HashSet::new(),
            left: None,
        }
    }

    /// Takes messages in. One that must be left leaves its conversation's next ones, and no others.
    ///
    /// # Errors
    /// When nothing more can be taken in.
    pub(super) async fn take_in(
        &mut self,
        list: &List<'_>,
        tally: &mut Tally,
        lost: &[Listed],
    ) -> Result<(), Failure> {
        for listed in lost {
            let conversation = listed.conversation();
            if conversation.is_some_and(|it| self.held.contains(it)) {
                continue;
            }
            match self.take(list, tally, listed).await {
                Err(failure) if failure.is_of_one_message() => {
                    self.held.extend(conversation.map(str::to_owned));
                    // How long the provider wants to be left alone must be known.
                    if self.left.is_none() || failure.pause().is_some() {
                        self.left = Some(failure);
                    }
                }
                other => other?,
            }
        }
        Ok(())
    }

    async fn take(
        &mut self,
        list: &List<'_>,
        tally: &mut Tally,
        listed: &Listed,
    ) -> Result<(), Failure> {
        let (reading, is_whole) = self.completed(list, listed).await?;
        let Pass { now, max_age, .. } = self.pass;
        let too_late = verdict(false, listed.written_at, *now, *max_age) == Verdict::TooOld;
        let reading = late(reading, listed.written_at, too_late);
        let (entry, destination) = match &reading {
            Reading::Event(event) => (event.entry(None)?, Destination::Work(event.queue())),
            Reading::Rejected(rejection) => {
                let entry = rejected_entry(list.source(), rejection, listed);
                (entry, Destination::Rejected)
            }
            _ => {
                tally.ignored += 1;
                return Ok(());
            }
        };
        let count = match self.ingest(&entry, destination).await? {
            Ingested::Queued { .. } => match destination {
                Destination::Work(_) if listed.is_colleagues() => {
                    log(list.source(), listed, "somebody else wrote to a customer");
                    &mut tally.colleagues
                }
                Destination::Work(_) if listed.control().is_some() => {
                    log(list.source(), listed, "a lost change of hands was found");
                    &mut tally.found
                }
                Destination::Work(_) if too_late => {
                    log(list.source(), listed, "a lost message was found too late");
                    &mut tally.too_old
                }
                Destination::Work(_) => {
                    log(list.source(), listed, "a lost message was found");
                    tally.incomplete += u64::from(!is_whole);
                    &mut tally.found
                }
                Destination::Rejected => &mut tally.rejected,
            },
            // Its webhook came meanwhile.
            Ingested::Duplicate { .. } => &mut tally.known,
            Ingested::RateLimited { .. } => &mut tally.rate_limited,
            Ingested::Busy { .. } | Ingested::Unreplicated => return Err(Failure::Full),
        };
        *count += 1;
        Ok(())
    }

    /// The message with what the list left out, and whether that is all of it. What the provider does not
    /// have is left out at once; a provider that does not answer now is asked in later passes as well.
    async fn completed(
        &mut self,
        list: &List<'_>,
        listed: &Listed,
    ) -> Result<(Reading, bool), Failure> {
        let more = listed.more.as_deref().filter(|_| !self.pass.dry_run);
        let Some(more) = more else {
            return Ok((listed.reading.clone(), true));
        };
        let error = match self.ask(list, listed, more).await? {
            Ok(reading) => return Ok((reading, true)),
            Err(error) => error,
        };
        if error.passes() && !self.was_last_try(listed) {
            return Err(Failure::Incomplete(error));
        }
        if listed.control().is_some() {
            return Ok((Reading::Ignored("unreadable"), true));
        }
        tracing::warn!(source = list.source().as_str(), %error, "what came with a lost message is lost");
        Ok((listed.reading.clone(), false))
    }

    async fn ask(
        &mut self,
        list: &List<'_>,
        listed: &Listed,
        more: &str,
    ) -> Result<Result<Reading, Unreadable>, Failure> {
        if let Some(error) = &self.given_up {
            return Ok(Err(error.clone()));
        }
        self.pass.hold().await?;
        let answer = list.complete(listed, more).await;
        if let Err(error) = &answer
            && error.passes()
        {
            self.failed += 1;
            let enough = self.failed == MOST_FAILED || matches!(error, Unreadable::Limited(_));
            self.given_up = enough.then(|| error.clone());
        }
        Ok(answer)
    }

    fn was_last_try(&mut self, listed: &Listed) -> bool {
        let Reading::Event(Event::Message(message)) = &listed.reading else {
            // Who has a conversation must not be guessed.
            return listed.control().is_none();
        };
        let tries = self.tries.entry(message.event()).or_default();
        *tries += 1;
        *tries >= self.pass.most_tries
    }

    async fn ingest(
        &self,
        entry: &NewEntry,
        destination: Destination,
    ) -> Result<Ingested, Failure> {
        let Pass { redis, limits, .. } = self.pass;
        if self.pass.dry_run {
            let (id, backlog) = (String::new(), 0);
            return Ok(Ingested::Queued { id, backlog });
        }
        // What colleagues write is not limited.
        let is_limited = matches!(destination, Destination::Work(_)) && !entry.fences;
        let ingest = Ingest {
            rate: is_limited.then(|| limits.rate()),
            ..limits.ingest(destination, entry, redis.partitions())
        };
        Ok(redis.ingest(&ingest).await?)
    }
}

fn rejected_entry(source: Source, rejection: &Rejection, listed: &Listed) -> NewEntry {
    let body = serde_json::to_vec(&listed.webhook).unwrap_or_default();
    let sender = rejected::sender(source, &body);
    rejected::entry(source, rejection, REQUEST_ID, &body, sender)
}
