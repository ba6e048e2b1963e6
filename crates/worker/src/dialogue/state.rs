//! What is remembered of a conversation between turns. Stored as JSON in the conversation's hash,
//! field `memory`; what older builds wrote is read.

mod before;
mod echo;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Not;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared_types::Slots;

use super::act::{Asked, Dates, Thing, Times};
use super::offer::StockTalk;
use super::wish::{Wishes, first_values};
use crate::domain::About;
pub use before::Before;
pub use echo::Echo;

/// What is known of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The customer's language.
    pub lang: Option<String>,
    /// What is known of the thing that the customer wants.
    pub wanted: Wishes,
    /// What is known of the thing that the customer has.
    pub own: Wishes,
    /// Whether the customer spoke last of what he has.
    #[serde(skip_serializing_if = "Not::not")]
    pub spoke_of_own: bool,
    /// Free answers, by topic.
    pub answers: BTreeMap<String, String>,
    /// Our open question: what a short answer attaches to.
    pub ours: Option<Ours>,
    /// How often we asked for each topic lately.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub questions: BTreeMap<String, Put>,
    /// The customer's questions, the newest last.
    pub theirs: Vec<Theirs>,
    /// What the customer wants done, the last touched last.
    pub goals: Vec<Pursued>,
    /// Appointments, the newest last.
    pub appointments: Vec<Appointment>,
    /// When each fact was given last.
    pub facts: BTreeMap<String, Timestamp>,
    /// Whether a colleague was told to take over.
    pub told: Option<Told>,
    /// The danger that the customer told of.
    pub alarm: Option<Alarm>,
    /// A colleague has the conversation until then.
    pub human_until: Option<Timestamp>,
    /// Why.
    pub human_reason: Option<String>,
    /// The last change of hands that a help desk told of, by its own clock: its events overtake each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hands_at: Option<Timestamp>,
    /// The goal that an answer was about, although the customer pursues none: what follows is read
    /// in its light.
    pub in_mind: Option<String>,
    /// The wanted thing is a certain one that is for sale, so that nothing of it is asked.
    pub definite: bool,
    /// What was said of that one to tell which it is, by slot: of another one it does not hold.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub described: BTreeSet<String>,
    /// How certain things were described that the customer turned away from, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aside: BTreeMap<String, Wishes>,
    /// Goals that the customer has called by a name of theirs: a test drive, not just a visit.
    pub named: BTreeSet<String>,
    /// What the customer asked last.
    pub last_ask: Option<LastAsk>,
    /// What was wished of the stock, and offered.
    #[serde(skip_serializing_if = "StockTalk::is_empty")]
    pub stock: StockTalk,
    /// Hashes of the sentences sent last.
    pub said: Vec<u64>,
    /// Messages in a row that were not understood.
    pub unclear: u32,
    /// Who writes, beyond the profile.
    pub contact: BTreeMap<String, String>,
    /// What held before the last message, to undo it.
    pub before: Option<Box<Before>>,
    /// Whether a machine may be writing.
    pub echo: Echo,
    /// The day of the last greeting.
    pub greeted: Option<Date>,
    /// Languages whose one sentence was said.
    pub excused: Vec<String>,
    /// What came with messages and waits for a lead to be noted with.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub carried: BTreeMap<String, String>,
    /// Tokens that the language model used for this contact on this day.
    pub tokens: TokenCount,
    /// What an older build pursued; read once, never written.
    #[serde(skip_serializing)]
    intent: Option<String>,
    /// What an older build had asked; read once, never written.
    #[serde(skip_serializing)]
    open_question: Option<String>,
}

/// A question of ours that waits for an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ours {
    /// What is asked.
    pub about: OursAbout,
    /// Choices that were offered, in their order.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Moments that were offered.
    #[serde(default)]
    pub moments: Vec<DateTime>,
    /// When it was asked.
    pub at: Timestamp,
    /// Turns since then.
    #[serde(default)]
    pub turns: u32,
}

/// A question of ours that was put.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// How often.
    pub times: u32,
    /// When it was put last.
    pub at: Timestamp,
}

/// What a question of ours is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OursAbout {
    /// A topic of the domain.
    Topic(String),
    /// Which of the offered moments.
    Moment,
    /// What the customer means: goals as choices.
    Meaning,
    /// Whether a colleague shall get in touch.
    Colleague,
    /// Whether messages shall end.
    Stop,
    /// Whether the customer wants to see what was offered.
    Offer,
}

/// A question of the customer's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Theirs {
    /// In the customer's words.
    pub words: String,
    /// What it asks for.
    pub topic: Asked,
    /// Which thing it is about.
    pub thing: Thing,
    /// What that was called then.
    #[serde(default)]
    pub named: Option<String>,
    /// Whether a colleague has to answer it.
    pub passed_on: bool,
    /// When it was asked first.
    pub at: Timestamp,
    /// How often.
    pub times: u32,
}

/// A question that a short one may go on with: "en maandag?".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastAsk {
    /// What it asked for.
    pub topic: Asked,
    /// The days in it.
    #[serde(default)]
    pub days: Option<Dates>,
    /// Turns since then.
    #[serde(default)]
    pub turns: u32,
}

/// A goal of the customer's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pursued {
    /// An intent of the domain.
    pub goal: String,
    /// Everything that it needs was known once.
    pub ready: bool,
    /// Topics that the customer does not want to answer.
    pub skipped: Vec<String>,
    /// When it was touched last.
    pub at: Timestamp,
}

/// An appointment that the customer wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Appointment {
    /// The goal that it is for.
    pub purpose: String,
    /// The thing that it is about, in words.
    #[serde(default)]
    pub thing: Option<String>,
    /// The day.
    #[serde(default)]
    pub date: Option<Dates>,
    /// The time.
    #[serde(default)]
    pub time: Option<Times>,
    /// How far it is.
    pub status: AppointmentStatus,
    /// Day and time before the customer wanted another one.
    #[serde(default)]
    pub was: Option<(Option<Dates>, Option<Times>)>,
}

/// How far an appointment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppointmentStatus {
    /// The customer wants it; day or time may be missing.
    Wanted,
    /// The wished moment cannot be; others were offered.
    Offered,
    /// A colleague has confirmed it.
    Confirmed,
    /// The customer moved it.
    Moved,
    /// The customer called it off.
    Cancelled,
}

impl AppointmentStatus {
    /// As the CRM and the terminal show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Offered => "offered",
            Self::Confirmed => "confirmed",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A danger that lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// As the domain calls it.
    pub name: String,
    /// When it was told last.
    pub at: Timestamp,
    /// The customer has said that nobody is in danger any more.
    #[serde(default)]
    pub safe: bool,
    /// How often what to do was said again.
    #[serde(default)]
    pub repeated: u32,
}

/// A colleague was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Whether it cannot wait.
    #[serde(default)]
    pub urgent: bool,
    /// When the customer asked last to be called.
    #[serde(default)]
    pub call: Option<Timestamp>,
}

/// Tokens used on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenCount {
    /// The day in UTC, `2026-11-22`.
    pub day: String,
    /// How many.
    pub used: u64,
}

/// Why a colleague is told of who complains.
pub(super) const COMPLAINTS: [&str; 3] = ["complaint", "angry", "legal_threat"];

const OURS_TURNS: u32 = 2;
const DAY: SignedDuration = SignedDuration::from_hours(24);
const GOALS_KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);
const MAX_THEIRS: usize = 20;
const SAID_KEPT: usize = 80;

impl State {
    /// What is known of a thing.
    #[must_use]
    pub fn wishes(&self, about: About) -> &Wishes {
        match about {
            About::Wanted => &self.wanted,
            About::Own => &self.own,
        }
    }

    pub(super) fn wishes_mut(&mut self, about: About) -> &mut Wishes {
        match about {
            About::Wanted => &mut self.wanted,
            About::Own => &mut self.own,
        }
    }

    /// The first value of each wish.
    #[must_use]
    pub fn known(&self, about: About) -> Slots {
        first_values(self.wishes(about))
    }

    /// Whether a colleague has the conversation.
    #[must_use]
    pub fn is_with_human(&self, now: Timestamp) -> bool {
        self.human_until.is_some_and(|until| until > now)
    }

    /// A colleague has the conversation.
    pub fn taken(&mut self, until: Timestamp, reason: &str) {
        self.human_until = Some(until);
        self.human_reason = Some(reason.to_owned());
    }

    /// The bot takes the conversation back.
    pub fn release(&mut self) {
        self.human_until = None;
        self.human_reason = None;
        self.told = None;
        self.unclear = 0;
    }

    /// A colleague is told; whether that is new.
    pub fn tell(&mut self, reason: &str, urgent: bool, now: Timestamp) -> bool {
        let known = self.told.as_ref();
        let is_new = known.is_none_or(|told| urgent && !told.urgent);
        if is_new {
            self.told = Some(Told {
                reason: reason.to_owned(),
                at: now,
                urgent,
                call: None,
            });
        }
        is_new
    }

    /// Whether a colleague was told of a complaint, and the customer pursues nothing else.
    #[must_use]
    pub fn complains(&self) -> bool {
        let complaint = |told: &Told| COMPLAINTS.contains(&told.reason.as_str());
        self.goals.is_empty() && self.told.as_ref().is_some_and(complaint)
    }

    /// Something was asked without the dialogue.
    pub fn asked(&mut self, about: OursAbout, now: Timestamp) {
        self.ours = Some(Ours {
            about,
            choices: Vec::new(),
            moments: Vec::new(),
            at: now,
            turns: 0,
        });
    }

    /// What was sent, to say it differently the next time.
    pub fn note_said(&mut self, said: &[u64]) {
        self.said.extend(said);
        let many = self.said.len().saturating_sub(SAID_KEPT);
        self.said.drain(..many);
    }

    /// The goal that was touched last.
    #[must_use]
    pub fn goal(&self) -> Option<&str> {
        self.goals.last().map(|goal| goal.goal.as_str())
    }

    /// Whether everything was known once that this goal needs.
    #[must_use]
    pub fn is_ready(&self, name: &str) -> bool {
        self.goals
            .iter()
            .any(|goal| goal.goal == name && goal.ready)
    }

    /// The goal that is pursued, or that an answer was about.
    #[must_use]
    pub fn in_light_of(&self) -> Option<&str> {
        self.goal().or(self.in_mind.as_deref())
    }

    /// The goal with this name, now the last touched; opened when it is new. Whether it is new.
    pub(super) fn touch(&mut self, name: &str, now: Timestamp) -> bool {
        let place = self.goals.iter().position(|goal| goal.goal == name);
        let goal = place.map(|place| self.goals.remove(place));
        let is_new = goal.is_none();
        self.goals.push(Pursued {
            at: now,
            ..goal.unwrap_or_else(|| Pursued {
                goal: name.to_owned(),
                ..Pursued::default()
            })
        });
        is_new
    }

    /// The appointment that stands or is being made.
    #[must_use]
    pub fn appointment(&self) -> Option<&Appointment> {
        let open = |one: &&Appointment| one.status != AppointmentStatus::Cancelled;
        self.appointments.iter().rev().find(open)
    }

    pub(super) fn appointment_mut(&mut self) -> Option<&mut Appointment> {
        let open = |one: &&mut Appointment| one.status != AppointmentStatus::Cancelled;
        self.appointments.iter_mut().rev().find(open)
    }

    /// What an appointment stands for, or else the newest goal.
    pub(super) fn pursued(&self) -> Option<&str> {
        let standing = self.appointment().map(|one| one.purpose.as_str());
        standing.or_else(|| self.goal())
    }

    /// Begins a turn: what is too old is forgotten, and what holds is kept for an undo.
    pub(super) fn age(&mut self, now: Timestamp) {
        self.adopt(now);
        let fresh = |at: Timestamp, kept: SignedDuration| now.duration_since(at) < kept;
        if let Some(ours) = &mut self.ours {
            ours.turns += 1;
        }
        self.ours
            .take_if(|ours| ours.turns > OURS_TURNS || !fresh(ours.at, DAY));
        if let Some(last) = &mut self.last_ask {
            last.turns += 1;
        }
        self.last_ask.take_if(|last| last.turns > OURS_TURNS);
        self.facts.retain(|_, at| fresh(*at, DAY));
        self.questions.retain(|_, put| fresh(put.at, GOALS_KEPT));
        self.goals.retain(|goal| fresh(goal.at, GOALS_KEPT));
        self.theirs.retain(|asked| fresh(asked.at, GOALS_KEPT));
        let many = self.theirs.len().saturating_sub(MAX_THEIRS);
        self.theirs.drain(..many);
        self.stock
            .offered
            .retain(|_| self.stock.at.is_some_and(|at| fresh(at, GOALS_KEPT)));
    }

    /// What an older build remembered, in today's terms.
    fn adopt(&mut self, now: Timestamp) {
        if let Some(goal) = self.intent.take() {
            self.touch(&goal, now);
        }
        if let Some(topic) = self.open_question.take() {
            self.asked(OursAbout::Topic(topic), now);
        }
    }

    pub(super) fn snapshot(&self) -> Before {
        Before {
            wanted: self.wanted.clone(),
            needs: Some(self.stock.needs.clone()),
            own: self.own.clone(),
            answers: self.answers.clone(),
            goals: self.goals.clone(),
            appointments: self.appointments.clone(),
        }
    }

    /// Gives back what held before the last message.
    pub(super) fn undo(&mut self) {
        if let Some(before) = self.before.take() {
            self.wanted = before.wanted;
            if let Some(needs) = before.needs {
                self.stock.needs = needs;
            }
            self.own = before.own;
            self.answers = before.answers;
            self.goals = before.goals;
            self.appointments = before.appointments;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_build_knew_before_takes_no_wish_away() {
        let mut state = State::default();
        let towbar = ("towbar".to_owned(), stock::Test::Has(true));
        state.stock.needs.extend([towbar.clone()]);
        state.before = serde_json::from_str(r#"{"wanted":{}}"#).unwrap();
        state.undo();
        assert_eq!(state.stock.needs.into_iter().collect::<Vec<_>>(), [towbar]);
    }

    #[test]
    fn memory_of_an_older_build_is_read() {
        let old = r#"{"lang":"nl","mood":"sunny","intent":"car_inquiry","wanted":{"car_make":"Fiat","price_max":8000},
            "answers":{"day":"zaterdag"},"opened":true,"asked":["car"],"open_question":"budget",
            "misunderstandings":1,"variants":{"greeting":1},"human_until":null}"#;
        let now: Timestamp = "2026-11-28T19:00:00Z".parse().unwrap();
        let mut state: State = serde_json::from_str(old).unwrap();
        state.age(now);
        assert_eq!(state.known(About::Wanted).len(), 2);
        assert_eq!(state.goal(), Some("car_inquiry"));
        let ours = state.ours.clone().unwrap();
        assert_eq!(ours.about, OursAbout::Topic("budget".into()));
        let again: State = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        assert_eq!(again, state);
    }

    #[test]
    fn goals_come_and_go() {
        let now: Timestamp = "2026-11-28T19:00:00Z".parse().unwrap();
        let mut state = State::default();
        assert!(state.touch("trade_in", now));
        assert!(state.touch("test_drive", now));
        assert!(!state.touch("trade_in", now));
        assert_eq!(state.goal(), Some("trade_in"));
        state.age(now + GOALS_KEPT);
        assert_eq!(state.goal(), None);
    }
}
