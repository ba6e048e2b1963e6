//! The words of a reply, from the domain's texts. Pure.
//!
//! Each piece has several wordings. Those that were sent before in this conversation are passed
//! over; when none is left, it is said that it was said.

mod choose;
mod moments;
mod phrases;
mod quote;
mod stock;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;

use super::filling;
use super::piece::{Piece, Question, Said};
use super::state::State;
use crate::domain::{Domain, Filling, Replies, Template};
use choose::Choice;

/// What the customer reads; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// A reply in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worded {
    /// What the customer reads.
    pub text: Text,
    /// Hashes of what it says, to say it differently the next time.
    pub said: Vec<u64>,
    /// Whether the question had room.
    pub asks: bool,
}

/// What a wording depends on beside the pieces.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// The name of the profile.
    pub name: Option<&'a str>,
    /// The customer's text.
    pub text: &'a str,
    /// The clock of the business.
    pub local: DateTime,
    /// The same for the same message, so that a turn done twice says the same.
    pub dice: u64,
}

/// A reply is not longer.
const MOST_SENTENCES: usize = 4;
const MOST_CHARS: usize = 600;

pub(super) struct Wording<'a> {
    pub(super) domain: &'a Domain,
    pub(super) replies: &'a Replies,
    pub(super) state: &'a State,
    pub(super) occasion: Occasion<'a>,
}

/// Puts a reply into words.
#[must_use]
pub fn word(
    domain: &Domain,
    replies: &Replies,
    state: &State,
    said: &Said,
    occasion: Occasion<'_>,
) -> Worded {
    let wording = Wording {
        domain,
        replies,
        state,
        occasion,
    };
    wording.compose(said)
}

/// A piece in words, with how readily it is left out: the lower, the sooner; never at the top.
struct Part {
    text: String,
    weight: u8,
    /// A list is one sentence, however long.
    list: bool,
}

const KEPT: u8 = 9;
const WELCOME: u8 = 2;

impl Wording<'_> {
    fn compose(&self, said: &Said) -> Worded {
        let mut parts: Vec<Part> = Vec::new();
        let mut passed_on = false;
        for piece in said.pieces() {
            // All questions that are passed on are one sentence, where the first stands.
            let passes = matches!(piece, Piece::PassOn(_));
            if passes && std::mem::replace(&mut passed_on, true) {
                continue;
            }
            let before: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
            let Some(choice) = self.piece(piece, said, &before) else {
                continue;
            };
            parts.push(Part {
                text: self.choose(&choice),
                weight: weight(piece),
                list: matches!(
                    piece,
                    Piece::Stock(_) | Piece::Standing(..) | Piece::Picked(_) | Piece::Arrived(_)
                ),
            });
        }
        let question = said
            .ask
            .as_ref()
            .map(|ask| self.choose(&self.question(ask)));
        let dropped = self.shorten(&mut parts, question.is_some());
        if let Some(said) = dropped.and_then(|weight| without(said, weight)) {
            // What it named, the others left out.
            return self.compose(&said);
        }
        let room = sentences(&parts) < MOST_SENTENCES || must_be_asked(said.ask.as_ref());
        let question = question.filter(|_| room);
        let asks = question.is_some() || matches!(said.first, Piece::Ask(_));
        let lists: Vec<bool> = parts.iter().map(|part| part.list).collect();
        let mut texts: Vec<String> = parts.into_iter().map(|part| part.text).collect();
        texts.extend(question);
        if texts.is_empty() {
            texts.push(self.received());
        }
        let mut text = joined(&texts, &lists);
        if self.state.said.contains(&choose::hash(&text)) {
            let received = self.received();
            text = format!("{received} {text}");
            texts.push(received);
        }
        let mut hashes: Vec<u64> = texts.iter().map(|text| choose::hash(text)).collect();
        hashes.push(choose::hash(&text));
        Worded {
            text: Text(text),
            said: hashes,
            asks,
        }
    }

    /// Leaves out what matters least until it fits; what is owed stays, in one sentence if need be.
    /// The weight of a welcome that had to go.
    fn shorten(&self, parts: &mut Vec<Part>, asks: bool) -> Option<u8> {
        let mut dropped = None;
        let room = MOST_SENTENCES - usize::from(asks);
        let too_long = |parts: &[Part]| {
            let said = parts.iter().filter(|part| !part.list);
            let chars: usize = said.map(|part| part.text.chars().count()).sum();
            sentences(parts) > room || chars > MOST_CHARS
        };
        while too_long(parts) && parts.len() > 1 {
            let lightest = parts.iter().enumerate().min_by_key(|(_, part)| part.weight);
            let lightest = lightest.filter(|(_, part)| part.weight < KEPT);
            let Some((place, _)) = lightest else { break };
            let weight = parts.remove(place).weight;
            dropped = Some(weight).filter(|weight| *weight == WELCOME).or(dropped);
        }
        while sentences(parts) > MOST_SENTENCES && parts.len() > 1 {
            let last = parts.pop();
            if let (Some(last), Some(before)) = (last, parts.last_mut()) {
                let joined = before.text.trim_end_matches('.').to_owned();
                before.text = format!("{joined}; {}", last.text);
            }
        }
        dropped
    }

    /// The last resort: what was written is there.
    fn received(&self) -> String {
        self.choose(&self.text_of("received", &[]))
    }

    /// The wordings of a piece's text, gaps filled.
    fn text_of(&self, name: &str, own: &[(&str, String)]) -> Choice {
        let variants = self.replies.pieces.get(name).map(Vec::as_slice);
        self.filled(variants.unwrap_or_default(), own)
    }

    fn said_back(&self, words: &str) -> String {
        quote::said_back(words, &self.replies.format.lead_ins)
    }

    /// What is known of these gaps, whatever the text is about.
    fn known(&self, gaps: &BTreeSet<&str>) -> Filling {
        let known = |gap: &str| match gap {
            "name" => self.occasion.name.and_then(filling::first_name),
            gap => filling::business(self.domain, self.replies, self.occasion.local, gap),
        };
        let known = gaps
            .iter()
            .map(|gap| Some(((*gap).to_owned(), known(gap)?)));
        known.flatten().collect()
    }

    fn filled(&self, variants: &[Template], own: &[(&str, String)]) -> Choice {
        let quote = || {
            let text = self.occasion.text.split_whitespace();
            let text = text.collect::<Vec<_>>().join(" ");
            self.said_back(&super::update::shortened(&text))
        };
        let gaps: BTreeSet<&str> = variants.iter().flat_map(Template::gaps).collect();
        let mut filling = self.known(&gaps);
        if gaps.contains("quote") {
            filling.insert("quote".into(), quote());
        }
        let given = own.iter();
        let given = given.map(|(gap, value)| ((*gap).to_owned(), value.clone()));
        filling.extend(given.collect::<BTreeMap<_, _>>());
        Choice::new(variants, &filling, own)
    }
}

/// The same without its first piece of a weight. None when there is no other.
fn without(said: &Said, dropped: u8) -> Option<Said> {
    let mut gone = false;
    let keeps =
        |piece: &&Piece| gone || weight(piece) != dropped || std::mem::replace(&mut gone, true);
    let mut pieces = said.pieces().filter(keeps).cloned();
    Some(Said {
        first: pieces.next()?,
        rest: pieces.collect(),
        ask: said.ask.clone(),
    })
}

/// How readily a piece is left out when there is too much to say.
const fn weight(piece: &Piece) -> u8 {
    match piece {
        Piece::Hello | Piece::Courtesy(_) | Piece::Unheard => 0,
        Piece::Possible | Piece::Answered(..) => 1,
        Piece::TakeUp(_) => WELCOME,
        Piece::Named(_) => 3,
        Piece::Next(_) => 4,
        _ => KEPT,
    }
}

const fn must_be_asked(question: Option<&Question>) -> bool {
    matches!(
        question,
        Some(Question::Moments { .. } | Question::Conflict | Question::Stop)
    )
}

/// The parts of a reply; a list stands on lines of its own.
fn joined(texts: &[String], lists: &[bool]) -> String {
    let mut joined = String::new();
    for (place, text) in texts.iter().enumerate() {
        let is_list = |place: usize| lists.get(place).is_some_and(|list| *list);
        if place > 0 {
            let apart = is_list(place) || is_list(place - 1);
            joined.push(if apart { '\n' } else { ' ' });
        }
        joined.push_str(text);
    }
    joined
}

fn sentences(parts: &[Part]) -> usize {
    let of = |part: &Part| {
        if part.list {
            1
        } else {
            count_sentences(&part.text)
        }
    };
    parts.iter().map(of).sum()
}

/// Ends of sentences: a mark with a space or nothing after it.
fn count_sentences(text: &str) -> usize {
    let mut chars = text.trim_end().chars().peekable();
    let mut count = 0;
    let mut last = ' ';
    while let Some(c) = chars.next() {
        let ends = matches!(c, '.' | '!' | '?') && chars.peek().is_none_or(|next| *next == ' ');
        // "1. Dezember": a number with a full stop ends no sentence.
        if ends && !(c == '.' && last.is_ascii_digit() && chars.peek().is_some()) {
            count += 1;
        }
        last = c;
    }
    count.max(1)
}
