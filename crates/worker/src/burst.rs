//! When several messages in a row are one thing that a customer says, and are answered by one turn.
//! Pure: it depends on the messages and their age alone, so whoever owns the conversation after a
//! crash decides alike.

use std::collections::HashSet;
use std::time::Duration;

use shared_types::{Inbound, InboundMessage, Sender, Source};
use streams::{Gather, Waiting};

use crate::domain::Domain;

/// A message that comes this soon after another one is part of a burst.
const BURST: Duration = Duration::from_secs(4);
/// How long a burst goes on after a message that says something whole.
const AFTER_WHOLE: Duration = Duration::from_millis(1_500);
/// How long more is waited for after a message that looks unfinished.
const AFTER_UNFINISHED: Duration = Duration::from_secs(3);
/// No message waits longer for others to come.
const LONGEST: Duration = Duration::from_secs(8);

/// Decides which messages are gathered into one turn.
#[derive(Debug, Clone)]
pub(crate) struct Bursts {
    /// Whose messages each get a turn of their own.
    apart: Vec<Source>,
    /// Words after which a message is not finished.
    joiners: HashSet<String>,
    /// Whole messages that only begin something.
    beginnings: HashSet<String>,
}

impl Bursts {
    pub(crate) fn new(domain: &Domain, apart: &[Source]) -> Self {
        let vocabularies = || domain.languages.iter().map(|language| &language.vocabulary);
        let known = |texts: &Vec<String>| texts.iter().map(|text| plain(text)).collect::<Vec<_>>();
        Self {
            apart: apart.to_vec(),
            joiners: vocabularies().flat_map(|one| known(&one.joiners)).collect(),
            beginnings: vocabularies()
                .flat_map(|one| known(&one.beginnings))
                .collect(),
        }
    }

    /// How many of the waiting entries are one turn, or how long to wait for more.
    pub(crate) fn gather(&self, waiting: &[Waiting<'_, Inbound>]) -> Gather {
        let run: Vec<_> = waiting
            .iter()
            .map_while(|one| self.mergeable(one))
            .collect();
        let (Some((first, _)), Some((last, message))) = (run.first(), run.last()) else {
            return Gather::Take(1);
        };
        let same_sender = |(_, other): &&(&Waiting<'_, Inbound>, &InboundMessage)| {
            other.sender.id == message.sender.id && other.endpoint == message.endpoint
        };
        let alike = run.iter().rev().take_while(same_sender).count();
        if alike < run.len() {
            return Gather::Take(run.len() - alike);
        }
        if run.len() < waiting.len() {
            return Gather::Take(run.len());
        }
        let due = if self.is_unfinished(message) {
            AFTER_UNFINISHED
        } else if is_soon_after(&run) || last.entry.gap.is_some_and(|gap| gap < BURST) {
            AFTER_WHOLE
        } else {
            Duration::ZERO
        };
        let left = due.saturating_sub(last.age);
        match left.min(LONGEST.saturating_sub(first.age)) {
            Duration::ZERO => Gather::Take(run.len()),
            left => Gather::Wait(left),
        }
    }

    fn mergeable<'a>(
        &self,
        one: &'a Waiting<'a, Inbound>,
    ) -> Option<(&'a Waiting<'a, Inbound>, &'a InboundMessage)> {
        match one.payload {
            Inbound::Message(message) if self.may_be_merged(message) => Some((one, message)),
            Inbound::Message(_)
            | Inbound::Control(_)
            | Inbound::Colleague(_)
            | Inbound::Arrival(_) => None,
        }
    }

    /// A correction of an earlier message and a command that the provider has understood stand alone.
    fn may_be_merged(&self, message: &InboundMessage) -> bool {
        !self.apart.contains(&message.source)
            && message.edits.is_none()
            && message.provider_word.is_none()
    }

    /// Whether more of the same is to be expected.
    fn is_unfinished(&self, message: &InboundMessage) -> bool {
        let text = message.content.trim();
        if text.is_empty() {
            return message.button.is_none() && !is_spoken(message);
        }
        if text.ends_with(['?', '!']) {
            return false;
        }
        let plain = plain(text);
        text.ends_with([',', ':', ';', '-', '…'])
            || text.ends_with("..")
            || self.beginnings.contains(&plain)
            || plain
                .rsplit(' ')
                .next()
                .is_some_and(|word| self.joiners.contains(word))
    }
}

fn is_soon_after(run: &[(&Waiting<'_, Inbound>, &InboundMessage)]) -> bool {
    match run {
        [.., (before, _), (last, _)] => before.age.saturating_sub(last.age) < BURST,
        _ => false,
    }
}

/// A voice message is a whole; a picture often comes before the words about it.
fn is_spoken(message: &InboundMessage) -> bool {
    let kinds = message.attachments.iter().map(|file| &file.content_type);
    kinds
        .flatten()
        .any(|kind| kind.starts_with("audio/") || kind.starts_with("video/"))
}

/// Lower case, without punctuation, one space between words.
fn plain(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").to_lowercase()
}

/// The messages of a burst as one, each text a line. It has the id of the first one, which no other
/// turn answers.
pub(crate) fn merged(first: &InboundMessage, later: &[&InboundMessage]) -> InboundMessage {
    let mut whole = first.clone();
    for message in later {
        if !message.content.is_empty() {
            if !whole.content.is_empty() {
                whole.content.push('\n');
            }
            whole.content.push_str(&message.content);
        }
        whole
            .attachments
            .extend(message.attachments.iter().cloned());
        whole.location = message.location.clone().or(whole.location);
        whole.button = message.button.clone().or(whole.button);
        whole.reply_to = message.reply_to.clone().or(whole.reply_to);
        whole.referral = whole.referral.or_else(|| message.referral.clone());
        whole.sender = with_addresses_of(whole.sender, message.sender.clone());
        whole.received_at = message.received_at.or(whole.received_at);
    }
    whole
}

/// Who wrote last, with every address that the messages before prove.
fn with_addresses_of(before: Sender, mut last: Sender) -> Sender {
    for address in std::iter::once(before.id).chain(before.aliases) {
        if address != last.id && !last.aliases.contains(&address) {
            last.aliases.push(address);
        }
    }
    if last.phone_number.is_none() {
        last.phone_number = before.phone_number;
        last.phone_number_is_claimed = before.phone_number_is_claimed;
    }
    last
}

#[cfg(test)]
mod tests;
