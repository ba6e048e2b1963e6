//! What is said for what is owed, in which order, and what is asked at the end. Pure.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};

use super::act::{Dates, Feeling};
use super::offer::{Fit, Seen};
use super::piece::{Courtesy, Passed, Piece, Question, Reply, Said, Status};
use super::state::{Ours, OursAbout, State};
use super::topics;
use super::update::{Dues, Heard};
use crate::domain::{Domain, TopicKind};

/// Makes the reply of what is owed; notes in the state what is asked.
#[must_use]
pub fn reply(domain: &Domain, state: &mut State, dues: &Dues, heard: &Heard<'_>) -> Reply {
    if let Some(silence) = dues.silence {
        return Reply::Silent(silence);
    }
    let mut pieces = dues.pieces.clone();
    pieces.sort_by_key(place);
    taken_up(&mut pieces, domain);
    courtesies(&mut pieces, dues, state, heard);
    let question = question(domain, state, dues, &pieces);
    if pieces.iter().any(|piece| matches!(piece, Piece::TakeUp(_))) {
        // Beside a welcome, days to choose from need no "that is possible".
        let open = |date: &Option<Dates>| date.is_some_and(|date| !date.is_narrow());
        pieces.retain(|piece| !matches!(piece, Piece::Appointment { date, .. } if open(date)));
    }
    if matches!(question, Some(Question::Moments { .. })) {
        // Who cannot come then is not told "of course" first.
        pieces.retain(|piece| !matches!(piece, Piece::TakeUp(_) | Piece::Possible));
    }
    if let Some(question) = &question {
        state.ours = Some(ours(question, heard)).or(state.ours.take());
        count(state, question, heard.now);
    }
    let mut pieces = pieces.into_iter();
    let said = match (pieces.next(), question) {
        (Some(first), ask) => Said {
            first,
            rest: pieces.collect(),
            ask,
        },
        (None, question) => Said {
            first: Piece::Ask(question.unwrap_or(Question::Help)),
            rest: Vec::new(),
            ask: None,
        },
    };
    Reply::Say(Box::new(said))
}

/// The order of pieces in a reply.
fn place(piece: &Piece) -> u8 {
    match piece {
        Piece::Stock(listing) if listing.seen != Seen::No => 10,
        Piece::Stock(_) => 5,
        Piece::Safety(_) | Piece::StaySafe(_) => 0,
        Piece::Kind(Feeling::Loss) => 1,
        Piece::Apology(_) | Piece::Misread => 1,
        Piece::Hello | Piece::Greeting | Piece::Named(_) => 2,
        Piece::Kind(_) => 3,
        Piece::Excuse(_) | Piece::Unheard | Piece::Withheld => 3,
        Piece::Consent(_) => 4,
        Piece::Robot
        | Piece::AboutYou
        | Piece::Fact { .. }
        | Piece::Hours(_)
        | Piece::Prices(_)
        | Piece::Picked(_)
        | Piece::Arrived(_)
        | Piece::Standing(..)
        | Piece::Gone(_)
        | Piece::Record(..)
        | Piece::Possible => 5,
        Piece::Advice(_) | Piece::PassOn(_) => 6,
        Piece::PassedAgain | Piece::Bid(_) | Piece::Deal => 7,
        Piece::CallBack(..) => 10,
        Piece::Dropped(_) | Piece::Cancelled(..) | Piece::CalledOff(..) | Piece::TakeUp(_) => 8,
        Piece::Noted { .. } | Piece::Skipped | Piece::NotThen(_) => 9,
        Piece::Appointment { .. } | Piece::Attachment { .. } | Piece::Received => 10,
        Piece::NoCalls | Piece::Answered(..) => 10,
        Piece::Status(_) | Piece::Ring(_) => 11,
        Piece::Next(_) => 12,
        Piece::Courtesy(_) | Piece::Ask(_) => 13,
    }
}

/// Who is answered needs no welcome to ask, and a question whether it is there takes up the search.
fn taken_up(pieces: &mut Vec<Piece>, domain: &Domain) {
    let answers = pieces.iter().any(|piece| place(piece) <= ANSWERS);
    // Whom we owe an apology is sold nothing.
    let looks_for = |piece: &Piece| {
        matches!(
            piece,
            Piece::PassOn(Passed::Existence(_)) | Piece::Apology(_) | Piece::Stock(_)
        )
    };
    let looks = pieces.iter().any(looks_for);
    pieces.retain(|piece| match piece {
        Piece::TakeUp(goal) => {
            let asks = domain
                .dialogue
                .goal(goal)
                .is_some_and(|goal| !goal.asks.is_empty());
            !looks && (asks || !answers)
        }
        _ => true,
    });
}

/// The last place of what answers a question.
const ANSWERS: u8 = 7;

/// A courtesy is said where nothing else is, a greeting before the rest once a day.
fn courtesies(pieces: &mut Vec<Piece>, dues: &Dues, state: &mut State, heard: &Heard<'_>) {
    let polite = |piece: &Piece| {
        let light = |feeling: &Feeling| matches!(feeling, Feeling::Jest | Feeling::SmallTalk);
        matches!(piece, Piece::Hello | Piece::Courtesy(_))
            || matches!(piece, Piece::Kind(feeling) if light(feeling))
    };
    let others = pieces.iter().any(|piece| !polite(piece)) || dues.question.is_some();
    let today = heard.local.date();
    let greeted = state.greeted == Some(today);
    if pieces.contains(&Piece::Hello) {
        state.greeted = Some(today);
    }
    if others {
        pieces.retain(|piece| !polite(piece) || *piece == Piece::Hello);
        pieces.retain(|piece| !greeted || *piece != Piece::Hello);
        let grave = |piece: &Piece| {
            matches!(
                piece,
                Piece::Safety(_)
                    | Piece::StaySafe(_)
                    | Piece::Apology(_)
                    | Piece::Kind(Feeling::Loss)
            )
        };
        if pieces.iter().any(grave) {
            pieces.retain(|piece| *piece != Piece::Hello);
        }
    } else if let Some(hello) = pieces.iter_mut().find(|piece| **piece == Piece::Hello) {
        *hello = Piece::Greeting;
        pieces.truncate(1);
    } else {
        pieces.truncate(1);
    }
}

fn question(domain: &Domain, state: &State, dues: &Dues, pieces: &[Piece]) -> Option<Question> {
    let has = |wanted: fn(&Piece) -> bool| pieces.iter().any(wanted);
    let grave = has(|piece| {
        matches!(
            piece,
            Piece::Safety(_)
                | Piece::StaySafe(_)
                | Piece::Ring(_)
                | Piece::Status(Status::Told | Status::Urgent | Status::Supplier)
        ) || matches!(
            piece,
            Piece::Consent(_)
                | Piece::Dropped(_)
                | Piece::Cancelled(..)
                | Piece::CalledOff(..)
                | Piece::Greeting
        ) || matches!(piece, Piece::Kind(feeling) if feeling.is_grave())
    });
    if grave {
        // Who cannot come then hears it all the same, but for who is in danger.
        let safe = !has(|piece| matches!(piece, Piece::Safety(_) | Piece::StaySafe(_)));
        let moments = |question: &Question| matches!(question, Question::Moments { .. }) && safe;
        return dues.question.clone().filter(moments);
    }
    // A colleague who is asked something gets in touch anyway.
    let passes = has(|piece| matches!(piece, Piece::PassOn(_) | Piece::NoCalls));
    let needless = passes && dues.question == Some(Question::Colleague);
    if dues.question.is_some() && !needless {
        return dues.question.clone();
    }
    let passed = |piece: &&Piece| matches!(piece, Piece::PassOn(_));
    let closes = has(|piece| {
        matches!(
            piece,
            Piece::Apology(_)
                | Piece::Status(_)
                | Piece::Courtesy(_)
                | Piece::Bid(_)
                | Piece::Deal
                | Piece::Excuse(_)
                | Piece::PassedAgain
        )
    });
    if closes || pieces.iter().filter(passed).count() > 1 {
        return waiting(domain, state, dues, pieces);
    }
    if let Some(asked) = pieces
        .iter()
        .find_map(|piece| offer(domain, state, dues, piece))
    {
        return asked;
    }
    if pieces == [Piece::Unheard] || pieces == [Piece::Misread] {
        return waiting(domain, state, dues, pieces).or(Some(Question::Help));
    }
    if let Some(Piece::Attachment {
        with_words: false, ..
    }) = pieces.first()
    {
        return None;
    }
    let takes_up = has(|piece| matches!(piece, Piece::TakeUp(_) | Piece::Appointment { .. }));
    // A colleague will ask what is missing, unless the customer begins something new.
    if state.told.is_some() && !takes_up {
        return None;
    }
    let taken_up =
        |piece: &Piece| matches!(piece, Piece::TakeUp(_) | Piece::Noted { .. } | Piece::Hello);
    let begins = has(|piece| matches!(piece, Piece::TakeUp(_)));
    let open = state.definite && begins && pieces.iter().all(taken_up);
    let opens = |piece: &Piece| matches!(piece, Piece::Kind(Feeling::Joy) | Piece::Hello);
    let open = open || state.goals.is_empty() && pieces.iter().all(opens);
    let named = |piece: &Piece| matches!(piece, Piece::Noted { .. } | Piece::Hello);
    let open = open || dues.only_named && pieces.iter().all(named);
    form(domain, state, dues).or(open.then_some(Question::Help))
}

/// What is asked after something was offered, where it was.
fn offer(domain: &Domain, state: &State, dues: &Dues, piece: &Piece) -> Option<Option<Question>> {
    let asked = match piece {
        Piece::Stock(listing) if listing.fit == Fit::None => {
            // Nobody is asked when to come for what is not there.
            let when = |question: &Question| match question {
                Question::Topic(name) => {
                    let topic = domain.dialogue.topic(name);
                    topic.is_some_and(|one| matches!(one.kind, TopicKind::Date | TopicKind::Time))
                }
                _ => false,
            };
            form(domain, state, dues)
                .filter(|question| state.appointment().is_some() || !when(question))
        }
        Piece::Stock(listing) => {
            let more = listing.total > listing.lines.len();
            let narrower = form(domain, state, dues).filter(|_| more);
            let several = listing.lines.len() > 1;
            narrower.or_else(|| may_offer(state).then_some(Question::Offer { several }))
        }
        Piece::Picked(_) => {
            // Who picks one comes for it, or is asked whether to; what else it should be like is settled.
            let comes = |goal: &str| topics::takes_appointment(domain, goal);
            let pursued = state.goal().is_some_and(comes);
            let pursued = pursued.then(|| form(domain, state, dues)).flatten();
            let offer = Question::Offer { several: false };
            pursued.or_else(|| may_offer(state).then_some(offer))
        }
        // Who asks something of a thing is not asked in return.
        Piece::Standing(..) | Piece::Record(..) => None,
        _ => return None,
    };
    Some(asked.filter(|_| state.told.is_none()))
}

fn may_offer(state: &State) -> bool {
    topics::may_ask(state, OFFER) && state.appointment().is_none()
}

/// How our question is counted that follows what was offered.
const OFFER: &str = "offer";

/// Our open question again, when the customer only waits, or agrees without an answer.
fn waiting(domain: &Domain, state: &State, dues: &Dues, pieces: &[Piece]) -> Option<Question> {
    let answers = is_about(dues, state.goal()?);
    let agrees = pieces.iter().all(|piece| match piece {
        Piece::Courtesy(Courtesy::Nicety) => answers,
        piece => matches!(piece, Piece::Unheard | Piece::Misread),
    });
    let Some(OursAbout::Topic(topic)) = state.ours.as_ref().map(|ours| &ours.about) else {
        return None;
    };
    let goal = state.goal()?;
    let missing = topics::missing(domain, state, goal)?;
    (agrees && missing == topic).then(|| Question::Topic(topic.clone()))
}

/// Whether a message moves a goal on.
fn is_about(dues: &Dues, goal: &str) -> bool {
    dues.touched.iter().any(|touched| touched == goal)
}

/// The next topic: of the goal that the message moves on, then of another. Who asks something, or
/// remarks on something, is not asked in return.
fn form(domain: &Domain, state: &State, dues: &Dues) -> Option<Question> {
    let current = state.goal().filter(|goal| is_about(dues, goal))?;
    let topic = topics::missing(domain, state, current)?;
    Some(Question::Topic(topic.to_owned()))
}

fn ours(question: &Question, heard: &Heard<'_>) -> Ours {
    let (about, choices, moments) = match question {
        Question::Topic(topic) => (OursAbout::Topic(topic.clone()), vec![], vec![]),
        Question::Meaning { choices, .. } => (OursAbout::Meaning, choices.clone(), vec![]),
        Question::Moments { moments, timed, .. } => {
            // A day that was offered without its hour is taken without one.
            let offered = |at: &DateTime| match timed {
                true => *at,
                false => at.date().to_datetime(Time::midnight()),
            };
            let moments = moments.iter().map(offered).collect();
            (OursAbout::Moment, vec![], moments)
        }
        Question::Stop => (OursAbout::Stop, vec![], vec![]),
        Question::Colleague => (OursAbout::Colleague, vec![], vec![]),
        Question::Offer { .. } | Question::WhichOffer => (OursAbout::Offer, vec![], vec![]),
        Question::Conflict | Question::Help => (OursAbout::Meaning, vec![], vec![]),
    };
    Ours {
        about,
        choices,
        moments,
        at: heard.now,
        turns: 0,
    }
}

/// Notes that a topic is asked.
fn count(state: &mut State, question: &Question, now: Timestamp) {
    let topic = match question {
        Question::Topic(topic) => Some(topic.as_str()),
        Question::Offer { .. } => Some(OFFER),
        _ => None,
    };
    if let Some(topic) = topic {
        let put = state.questions.entry(topic.to_owned()).or_default();
        (put.times, put.at) = (put.times + 1, now);
    }
}
