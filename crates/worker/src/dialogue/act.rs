//! What a customer does with a message: a list of acts, clause by clause. Pure data.
//!
//! The reader of messages makes them, the dialogue answers them. A value inside a question is not
//! told; what is said of one's own thing is not said of the wanted one.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use shared_types::SlotValue;

pub use super::when::{Dates, Times, When};
pub use crate::domain::Feeling;

/// One thing that a message does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Act {
    /// What is done.
    #[serde(flatten)]
    pub does: Does,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// The words that do it, in bytes of the message.
    pub words: Range<usize>,
    /// Which clause of the message they stand in, from 0.
    pub clause: usize,
    /// Who read it.
    pub origin: Origin,
}

/// Who read an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The domain's patterns and examples.
    Rules,
    /// A language model; its quote was found in the message.
    Model,
}

/// The kinds of acts, with what each needs to be answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Does {
    /// Asks for something.
    Ask(Ask),
    /// Tells a value.
    Inform(Inform),
    /// Replaces, excludes or withdraws what was told.
    Correct(Correct),
    /// Wants something done: opens or touches a goal.
    Request {
        /// The goal: an intent of the domain.
        goal: String,
        /// Whose or which thing it is about.
        thing: Thing,
        /// The moment that is wished for.
        when: Option<When>,
        /// Worded as "is that possible?": the reply begins with the yes or no.
        asks_whether: bool,
        /// It is about one certain thing ("die Golf op jullie site"), not about any that fits.
        definite: bool,
    },
    /// Answers what we asked or offered.
    Answer(Answer),
    /// Bids a price or a condition. Never a budget.
    Offer {
        /// Whole euros; negative when it is "less than asked".
        amount: Option<i64>,
        /// What it is for.
        thing: Thing,
    },
    /// Moves an appointment.
    Reschedule {
        /// To when; none when only "another time" is said.
        when: Option<When>,
        /// Later (positive) or earlier (negative) by so many minutes.
        shift_minutes: Option<i32>,
        /// The moment that is said is the one that stands: "mijn afspraak van vrijdag verzetten".
        standing: bool,
    },
    /// Drops a goal, an appointment, or everything.
    Cancel {
        /// The goal; none is all, or the appointment where there is one.
        goal: Option<String>,
        /// The moment of the appointment.
        when: Option<When>,
        /// It names an appointment: "mijn afspraak".
        visit: bool,
        /// Nothing is looked for any more: "ik heb er een gevonden".
        over: bool,
    },
    /// Is dissatisfied.
    Complain {
        /// Threatens with law or court.
        legal: bool,
        /// Is angry.
        angry: bool,
    },
    /// Tells of danger.
    Alarm {
        /// The alarm's name in the domain.
        name: String,
    },
    /// Wants a person.
    Handoff {
        /// Wants to be telephoned.
        by_phone: bool,
        /// Says whom: the owner, a mechanic.
        whom: bool,
        /// When a colleague shall get in touch.
        when: Option<When>,
    },
    /// Wants to be written to and not telephoned.
    NoCalls,
    /// Says who writes.
    Identify {
        /// A person's name.
        name: Option<String>,
        /// A company's name; a supplier is no customer.
        company: Option<String>,
        /// A mail address.
        email: Option<String>,
        /// A telephone number, as written.
        phone: Option<String>,
        /// Sells to the business instead of buying from it.
        supplier: bool,
    },
    /// Decides about messages and data.
    Consent(Consent),
    /// The talk went wrong.
    Repair(Repair),
    /// A courtesy.
    Social(Social),
    /// Cannot be read; intents that come near, surest first.
    Unclear {
        /// Two candidates within a small distance of each other, or one below its threshold.
        candidates: Vec<String>,
    },
}

impl Does {
    /// The kind of act, as metrics and rehearsals call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Inform(_) => "inform",
            Self::Correct(_) => "correct",
            Self::Request { .. } => "request",
            Self::Answer(_) => "answer",
            Self::Offer { .. } => "offer",
            Self::Reschedule { .. } => "reschedule",
            Self::Cancel { .. } => "cancel",
            Self::Complain { .. } => "complain",
            Self::Alarm { .. } => "alarm",
            Self::Handoff { .. } => "handoff",
            Self::NoCalls => "no_calls",
            Self::Identify { .. } => "identify",
            Self::Consent(_) => "consent",
            Self::Repair(_) => "repair",
            Self::Social(_) => "social",
            Self::Unclear { .. } => "unclear",
        }
    }

    /// What it is about, as the domain calls it: a fact, an attribute, a goal, an alarm.
    #[must_use]
    pub fn about(&self) -> Option<&str> {
        match self {
            Self::Ask(ask) => Some(ask.topic.name()),
            Self::Request { goal, .. } => Some(goal),
            Self::Alarm { name } => Some(name),
            Self::Cancel { goal, .. } => goal.as_deref(),
            _ => None,
        }
    }

    /// Whether it tells or corrects what is wanted, or wants something done.
    #[must_use]
    pub const fn wishes(&self) -> bool {
        matches!(
            self,
            Self::Inform(_) | Self::Correct(_) | Self::Request { .. }
        )
    }

    /// How much it weighs beside others: the first of these gives a message its intent.
    #[must_use]
    pub const fn weight(&self) -> u8 {
        match self {
            Self::Alarm { .. } => 5,
            Self::Consent(_) => 4,
            Self::Handoff { .. } => 3,
            Self::Complain { .. } => 2,
            Self::Request { .. } => 1,
            _ => 0,
        }
    }
}

impl Origin {
    /// As metrics call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Model => "model",
        }
    }
}

impl Does {
    /// The thing that it speaks of, where it says which.
    #[must_use]
    pub fn speaks_of(&self) -> Option<Thing> {
        match self {
            Self::Inform(inform) if inform.thing == Thing::Own || !inform.values.is_empty() => {
                Some(inform.thing)
            }
            Self::Request { thing, .. } => Some(*thing),
            Self::Ask(ask) if ask.thing == Thing::Own => Some(ask.thing),
            _ => None,
        }
    }
}

/// A question of the customer's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ask {
    /// What is asked for.
    pub topic: Asked,
    /// How.
    pub form: Form,
    /// Which thing it is about.
    pub thing: Thing,
    /// Values named in it: content, not told.
    pub content: Vec<(String, SlotValue)>,
    /// A moment named in it.
    pub when: Option<When>,
}

/// What a question asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum Asked {
    /// A fact of the business, by its name in the domain.
    Fact(String),
    /// An attribute of a thing, by its name in the domain.
    Attribute(String),
    /// Opening hours.
    Hours,
    /// When one may come.
    Visit,
    /// Whether a thing is there.
    Existence,
    /// How far something promised or ordered is.
    Status,
    /// Who we are, or what we know of the customer.
    Us,
    /// What the domain has no name for: passed on in the customer's words.
    Other,
}

impl Asked {
    /// A short name for colleagues and counts.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Fact(name) | Self::Attribute(name) => name,
            Self::Hours => "hours",
            Self::Visit => "visit",
            Self::Existence => "existence",
            Self::Status => "status",
            Self::Us => "us",
            Self::Other => "other",
        }
    }
}

/// How a question is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Is it so?
    YesNo,
    /// Who, what, when, how much?
    Which,
    /// This or that?
    Choice,
    /// "So it is X for N, agreed?"
    Check,
}

/// Which thing an act is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// What the customer wants.
    Wanted,
    /// What the customer has.
    Own,
    /// Somebody else's: fills nothing.
    Third,
}

/// Values that are told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inform {
    /// Of which thing.
    pub thing: Thing,
    /// Slots with their alternatives: "Yaris of Jazz" are two values of one.
    pub values: Vec<Told>,
    /// A moment that is told and belongs to no other act.
    pub when: Option<When>,
    /// A photo, voice message, document, place or card came with it: its kind.
    pub attachment: Option<String>,
    /// Something of the thing that no slot has, in the customer's words: "moet wel een trekhaak hebben".
    pub remark: Option<String>,
}

impl Inform {
    /// Whether nothing is left to be told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
            && self.when.is_none()
            && self.attachment.is_none()
            && self.remark.is_none()
    }
}

/// What is told of one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The slot.
    pub slot: String,
    /// Its alternatives; empty when any will do.
    pub any_of: Vec<SlotValue>,
    /// Came with another value, as a make with its model: the slot that brought it.
    pub came_with: Option<String>,
    /// A preference rather than a must.
    pub rather: bool,
    /// Comes on top of what was told.
    pub also: bool,
}

/// Who reads a message knows no clock: an age stands as a negative year until the time is known.
#[must_use]
pub const fn age_as_year(age: i64) -> i64 {
    -age
}

/// A correction of one slot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Correct {
    /// Of which thing.
    pub thing: Thing,
    /// What does not hold any more; empty when only the new value is said.
    pub not: Vec<(String, SlotValue)>,
    /// What holds instead; empty when something is withdrawn or excluded.
    pub instead: Vec<Told>,
    /// Slots that do not matter any more.
    pub indifferent: Vec<String>,
}

/// An answer to our question, our offer or our choices.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "value")]
pub enum Answer {
    /// Yes, agreed.
    Yes,
    /// No.
    No,
    /// Any will do.
    Any,
    /// The customer does not know, or will say later.
    Unknown,
    /// The n-th of the choices, from 1.
    Choice(usize),
    /// Values of the topic's kind.
    Values(Vec<Told>),
    /// A moment.
    Moment(When),
    /// A moment that does not suit.
    NotThen(When),
    /// The number of something that the customer has with us, as it was written: "bestelling 20331".
    Reference(String),
    /// Free text, for topics that take it.
    Text(String),
}

/// Messages and data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Consent {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// What is stored shall go.
    Erase,
    /// Sounds like a stop, but is not said as one: ask.
    Doubtful,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Repair {
    /// We took the customer wrong.
    Misread,
    /// The customer waits: "hallo??".
    Unheard,
    /// The customer does not understand us.
    Unclear,
}

/// A courtesy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Social {
    /// A greeting.
    Hello,
    /// Thanks.
    Thanks,
    /// Goodbye.
    Bye,
    /// A nicety, a laugh, a thumb.
    Nicety,
    /// The hour that was agreed before.
    SameHour,
    /// The hour of opening.
    AtOpening,
    /// Says until when something is good, or when it is fetched again, so that its day is none to come.
    Deadline,
    /// Tells of an appointment that was made.
    Made,
    /// Asks whether an appointment stands, or when it was.
    Recalls,
    /// Says when the customer will call, so that it is no time to come.
    Calls,
    /// What the customer has is sold to somebody else.
    Gone,
    /// Nobody is in danger any more.
    Safe,
    /// What moves the customer, or a remark aside.
    Feels {
        /// What it is.
        of: Feeling,
    },
    /// Announces a question.
    Prompt,
}

/// What the reader has to know of the talk to read a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context<'a> {
    /// What a short answer attaches to: our last question.
    pub ours: Option<Ours<'a>>,
    /// The goal that is pursued, or that an answer was about.
    pub goal: Option<&'a str>,
    /// Whether it is pursued.
    pub is_pursued: bool,
    /// All goals that are pursued.
    pub goals: &'a [String],
    /// Slot values known of what the customer wants: a name already known keeps its side.
    pub wanted: &'a [(String, SlotValue)],
    /// The same of what the customer has.
    pub own: &'a [(String, SlotValue)],
    /// Whether the customer spoke last of what he has, and nothing open asks for values.
    pub spoke_of_own: bool,
    /// The language of the talk so far.
    pub lang: Option<&'a str>,
    /// Whether an appointment stands that can be moved or cancelled.
    pub has_appointment: bool,
    /// Whether the customer told of a danger that may last.
    pub in_alarm: bool,
    /// Whether a colleague was told of a complaint, and the customer pursues nothing else.
    pub complains: bool,
    /// Whether the contact has opted out: only a start command counts.
    pub opted_out: bool,
    /// Whether there is a stock, whose records answer questions.
    pub stock: bool,
    /// Whether something of it was offered that a question may be about.
    pub offered: bool,
}

/// Our open question.
#[derive(Debug, Clone, PartialEq)]
pub struct Ours<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// Choices that were offered, in their order; empty when there were none.
    pub choices: &'a [String],
    /// Whether it was an offer or a yes-or-no question.
    pub yes_no: bool,
}
