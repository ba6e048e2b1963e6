//! What a reply is made of. Pure data: each piece owns what it needs to be worded.

use jiff::civil::{Date, DateTime, Time};
use stock::Item;

use super::act::{Dates, Feeling, Times};
use super::offer::{Fit, Line, Listing};
use super::state::AppointmentStatus;
use super::wish::Changes;
use crate::domain::About;

/// What is done with a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Something is said.
    Say(Box<Said>),
    /// Nothing is said, and why that is right.
    Silent(Silence),
}

/// The only reasons for saying nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// The contact wants no messages.
    OptedOut,
    /// A colleague has the conversation.
    HumanTook,
    /// A machine answers every answer.
    Machine,
}

impl Silence {
    /// As metrics call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::HumanTook => "human",
            Self::Machine => "machine",
        }
    }
}

/// A reply that says something: there is always a first piece.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// What is said first.
    pub first: Piece,
    /// What follows, in order.
    pub rest: Vec<Piece>,
    /// The one question, at the end.
    pub ask: Option<Question>,
}

impl Said {
    /// The records of the things that it speaks of.
    #[must_use]
    pub fn records(&self) -> Vec<&Item> {
        let lines = self.pieces().flat_map(Piece::lines);
        let mut items: Vec<&Item> = lines.map(|line| &line.item).collect();
        items.dedup_by_key(|item| (&item.source, &item.id));
        items
    }

    /// All pieces, in order.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}

/// What a message is owed, and a reply pays.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// What to do in danger: the alarm's name.
    Safety(String),
    /// The same as long as the danger lasts.
    StaySafe(String),
    /// We are sorry about what the customer wrote.
    Apology(Option<String>),
    /// We took the customer wrong.
    Misread,
    /// A greeting before something else.
    Hello,
    /// A greeting by itself.
    Greeting,
    /// One sentence in a language that is not served: its code.
    Excuse(String),
    /// A number that should not be sent was not kept.
    Withheld,
    /// An answer that the owner wrote.
    Fact {
        /// The fact's name.
        name: String,
        /// It was given already today.
        again: bool,
    },
    /// When it is open.
    Hours(Hours),
    /// What things cost: names in `[prices]`.
    Prices(Vec<String>),
    /// What is in stock for the customer's wish.
    Stock(Box<Listing>),
    /// What was offered before stands, and fits as well as it did.
    Same(Fit),
    /// The customer takes one of those that were offered.
    Picked(Box<Line>),
    /// Something came in that the customer looked for.
    Arrived(Box<Line>),
    /// Whether things can be had; and how many hours old that is, where it is worth a word.
    Standing(Vec<Line>, Option<i64>),
    /// A thing that was offered is not in stock any more: its name.
    Gone(String),
    /// What the records of things say of an attribute.
    Record(String, Vec<Line>),
    /// Who answers here.
    Robot,
    /// What we know of the customer.
    AboutYou,
    /// Yes, that can be done.
    Possible,
    /// A question that a colleague has to answer.
    PassOn(Passed),
    /// A question that a colleague has already.
    PassedAgain,
    /// A bid: nothing is promised.
    Bid(Option<i64>),
    /// An agreement that only a colleague can make.
    Deal,
    /// The goal is taken up.
    TakeUp(String),
    /// What was told is noted.
    Noted {
        /// Of which thing.
        about: About,
        /// What changed.
        changes: Changes,
    },
    /// A free answer is noted: the topic and the answer.
    Answered(String, String),
    /// These days do not suit.
    NotThen(Option<Dates>),
    /// It can be told later.
    Skipped,
    /// It does not go on: the goal, or all.
    Dropped(Option<String>),
    /// An appointment is off: when it was.
    Cancelled(Option<Dates>, Option<Times>),
    /// An appointment that was made elsewhere is off; a colleague is told.
    CalledOff(Option<Dates>, Option<Times>),
    /// What is best done until a colleague answers: the attribute that was asked.
    Advice(String),
    /// Who writes.
    Named(String),
    /// A file came: its kind.
    Attachment {
        /// `image`, `audio`, `location` …
        kind: &'static str,
        /// It came with words, which are answered.
        with_words: bool,
    },
    /// An appointment, said whole.
    Appointment {
        /// The goal.
        purpose: String,
        /// The day.
        date: Option<Dates>,
        /// The time.
        time: Option<Times>,
        /// What happened to it.
        status: AppointmentStatus,
    },
    /// What happens next, now that all is known: the goal.
    Next(String),
    /// A colleague was told, and what happens when.
    Status(Status),
    /// A colleague will telephone; the number, where one was given.
    Ring(Option<String>),
    /// When a colleague shall get in touch.
    CallBack(Option<Dates>, Option<Times>),
    /// Messages ended, began again, or data will be erased.
    Consent(Confirmed),
    /// A kind word for what moves the customer.
    Kind(Feeling),
    /// We write and do not telephone.
    NoCalls,
    /// A courtesy.
    Courtesy(Courtesy),
    /// We are still here.
    Unheard,
    /// What was written goes to the colleague who has been told.
    Received,
    /// Nothing but a question.
    Ask(Question),
}

impl Piece {
    /// The things of the stock that it names, in its order.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        match self {
            Self::Stock(listing) => &listing.lines,
            Self::Standing(lines, _) | Self::Record(_, lines) => lines,
            Self::Picked(line) | Self::Arrived(line) => std::slice::from_ref(&**line),
            _ => &[],
        }
    }

    /// Whether it is what the message was about, beside which a remark needs no word of its own.
    #[must_use]
    pub const fn answers(&self) -> bool {
        matches!(
            self,
            Self::Fact { .. }
                | Self::Hours(_)
                | Self::Prices(_)
                | Self::Stock(_)
                | Self::Picked(_)
                | Self::Arrived(_)
                | Self::Standing(..)
                | Self::Gone(_)
                | Self::Record(..)
                | Self::Robot
                | Self::PassOn(_)
                | Self::PassedAgain
                | Self::TakeUp(_)
                | Self::Bid(_)
                | Self::Status(_)
        )
    }

    /// Whether it is what became of a plan of the customer's.
    #[must_use]
    pub const fn arranges(&self) -> bool {
        matches!(
            self,
            Self::Appointment { .. }
                | Self::Dropped(_)
                | Self::Cancelled(..)
                | Self::CalledOff(..)
                | Self::CallBack(..)
                | Self::Ring(_)
                | Self::Consent(_)
                | Self::Apology(_)
        )
    }
}

/// What is passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passed {
    /// An attribute of a thing.
    Attribute(String, About),
    /// Whether a thing is still there.
    Existence(About),
    /// Something that has no name here: the customer's words.
    Words(String),
}

impl Passed {
    /// The thing that it names.
    pub(super) const fn about(&self) -> Option<About> {
        match self {
            Self::Attribute(_, about) | Self::Existence(about) => Some(*about),
            Self::Words(_) => None,
        }
    }
}

/// An answer about opening hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hours {
    /// The whole week.
    Week,
    /// A day.
    On(Date),
    /// A day with an hour: whether it is open then.
    At(DateTime),
    /// Now.
    Now,
    /// The next opening.
    Next,
}

/// What a colleague was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// To take over.
    Told,
    /// To take over, again.
    ToldAgain,
    /// At once.
    Urgent,
    /// A supplier wrote.
    Supplier,
    /// The customer asks how far it is.
    Waiting,
    /// Nobody has taken it in time.
    Unanswered,
    /// The message came only now.
    Late,
}

/// A decision about messages that is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// Data will be erased.
    Erase,
}

/// A courtesy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Courtesy {
    /// You are welcome.
    Thanks,
    /// Goodbye.
    Bye,
    /// All right.
    Nicety,
    /// Go ahead and ask.
    Listening,
}

/// The one question of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A topic of a goal.
    Topic {
        /// The topic.
        topic: String,
        /// The goal.
        goal: String,
        /// Whether the goal is named: it is not what the message was about.
        named: bool,
    },
    /// Which of some goals is meant; none: what is it about at all?
    Meaning {
        /// Goals, the likeliest first.
        choices: Vec<String>,
        /// It was not understood before either: a person is offered.
        again: bool,
    },
    /// Which of two moments, since the wished one cannot be.
    Moments {
        /// Why not.
        why: Obstacle,
        /// The nearest that can be.
        moments: Vec<DateTime>,
        /// Whether an hour was wished.
        timed: bool,
    },
    /// Weekday and date do not fit.
    Conflict,
    /// Whether messages shall end.
    Stop,
    /// Whether a colleague shall get in touch.
    Colleague,
    /// Whether the customer wants to see what was offered.
    Offer {
        /// Several were.
        several: bool,
    },
    /// Which of those that were offered.
    WhichOffer,
    /// What can be done for the customer.
    Help,
}

/// Why a moment cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It is closed all day.
    Closed(Date),
    /// It is closed at that hour.
    ClosedAt(Date, Time),
    /// It is over.
    Past,
}
