//! The domain file: what the business is about, as data.
//!
//! A domain is one TOML file that names further ones beside it (vocabulary by language, a
//! catalogue). It is loaded and checked as a whole at start: see [`Domain::load`]. Tables that this
//! loader does not know at the top of the main file belong to other parts of the worker.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

mod attributes;
mod business;
mod catalogue;
mod dialogue;
mod examples;
mod facts;
mod feast;
mod hours;
mod intents;
mod knowledge;
mod languages;
mod loader;
mod moments;
mod offers;
mod pattern;
mod problem;
mod questions;
mod register;
mod replies;
mod section;
mod settings;
mod slots;
mod source;
mod stock;
mod template;
mod unserved;
mod vocabulary;
mod wordings;

pub use attributes::{Alarm, Attribute};
pub use business::Business;
pub use catalogue::{Form, Make, Model, Needs};
pub use dialogue::{Dialogue, Goal, Topic, TopicKind};
pub use examples::Example;
pub use facts::{Fact, Prices};
pub use feast::Feast;
pub use hours::{Hours, Opening};
pub use intents::{About, Intent, IntentAct};
pub use knowledge::Knowledge;
pub use languages::Language;
pub use moments::{
    Count, DateMeaning, DatePart, Hour, Moments, Question, Relation, Telling, TimeMeaning,
    Unit as TimeUnit,
};
pub use offers::{AttributeTexts, Bound, OfferAttribute, OfferText, OfferTexts, Offers};
pub use pattern::Pattern;
pub(crate) use pattern::{Affix, Atom, Element, Reach};
pub use problem::{DomainError, Problem};
pub use questions::FactQuestion;
pub use register::Register;
pub use replies::{Format as ReplyFormat, GoalTexts, PIECES, Replies, Variants};
pub use settings::{Confidence, Likeness, Settings};
pub use slots::{Amount, Catalogue, Slot, SlotKind};
pub use template::{Filling, Template};
pub use unserved::Unserved;
pub use vocabulary::{
    ActCue, Answer, ConsentCue, Cue, Feeling, MoodCue, Negation, Numbers, QuestionCue, SlotRule,
    Unit, ValueWord, Vocabulary,
};

pub use source::STARTER;
use source::Source;
pub use stock::DomainStock;

/// Everything that the worker knows about the business that it speaks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    /// How the understanding weighs and decides.
    pub settings: Settings,
    /// What customers can want, in order of precedence.
    pub intents: Vec<Intent>,
    /// What messages can tell.
    pub slots: Vec<Slot>,
    /// The languages; a text that gives no hint is in the first.
    pub languages: Vec<Language>,
    /// Words that belong to no language.
    pub shared: Vocabulary,
    /// Messages of which it is known what the customer wanted.
    pub examples: Vec<Example>,
    /// Questions of which it is known which fact answers them, beside those of the facts themselves.
    pub questions: Vec<FactQuestion>,
    /// Who the worker speaks for.
    pub business: Business,
    /// How a conversation is led.
    pub dialogue: Dialogue,
    /// What can be told without asking a person.
    pub knowledge: Knowledge,
    /// What is said, by language; the first is the default.
    pub replies: Vec<Replies>,
    /// How what is for sale is read and called; none where the domain sells nothing by feed.
    pub stock: Option<DomainStock>,
    /// How a public register of plates is asked; none where the domain has no plates.
    pub register: Option<Register>,
}

/// Texts of a domain that has none: there is no such domain, since the loader refuses it.
static NO_REPLIES: LazyLock<Replies> = LazyLock::new(Replies::default);

/// The businesses of `deploy/domains`.
const EXAMPLES: [&str; 2] = ["Autobedrijf De Duif", "Kapsalon Krul"];

impl Domain {
    /// What is said in a language, or else in the first.
    #[must_use]
    pub fn replies_in(&self, lang: &str) -> &Replies {
        let found = self.replies.iter().find(|one| one.language == lang);
        found.or(self.replies.first()).unwrap_or(&NO_REPLIES)
    }

    /// Drops the words, patterns and examples. They are most of a domain, and needed only until an
    /// [`Understander`](crate::understanding::Understander) and the like are made of them.
    pub(crate) fn forget_words(&mut self) {
        self.examples = Vec::new();
        self.questions = Vec::new();
        self.shared = Vocabulary::default();
        for language in &mut self.languages {
            language.vocabulary = Vocabulary::default();
        }
        let knowledge = &mut self.knowledge;
        let attributes = knowledge.attributes.iter_mut();
        let attributes = attributes.map(|attribute| &mut attribute.cues);
        let alarms = knowledge.alarms.iter_mut().map(|alarm| &mut alarm.cues);
        attributes.chain(alarms).for_each(BTreeMap::clear);
        knowledge.facts.iter_mut().for_each(|fact| fact.ask.clear());
        let offers = knowledge.offers.iter_mut();
        offers.for_each(Offers::forget_words);
    }

    /// Whether customers are answered as one of the invented businesses that come with the worker.
    #[must_use]
    pub fn is_example(&self) -> bool {
        let business = &self.business;
        let places = [&business.email, &business.website].into_iter().flatten();
        let mut places = places.map(|place| place.trim_end_matches('/'));
        EXAMPLES.contains(&business.name.as_str())
            || places.any(|place| place.ends_with(".example"))
    }

    /// Whether a slot holds a text of a fixed format.
    pub(crate) fn is_plate(&self, slot: &str) -> bool {
        let mut slots = self.slots.iter();
        slots.any(|known| known.name == slot && matches!(known.kind, SlotKind::Plate { .. }))
    }

    /// The domain in the binary: a Dutch car dealer.
    ///
    /// # Errors
    /// Never with an unchanged binary; a test loads it.
    pub fn embedded() -> Result<Self, DomainError> {
        loader::load(&Source::Embedded, source::DEFAULT)
    }

    /// Loads a domain file and the files that it names, which lie relative to it.
    ///
    /// # Errors
    /// Everything that is wrong, with file and line.
    pub fn load(path: &Path) -> Result<Self, DomainError> {
        let folder = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        loader::load(&Source::Folder(folder), &name)
    }
}
