use super::moments::Moments;
use super::pattern::Pattern;

mod acts;
mod consent;
mod numbers;
mod reader;

pub use acts::{ActCue, Feeling, QuestionCue};
pub use consent::ConsentCue;
pub use numbers::{Numbers, Unit};
pub(super) use reader::{Names, Reader, Reference, patterns_of};

/// What one language (or all of them) has words for. Merged from one or more files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vocabulary {
    /// Frequent words, by which the language is known.
    pub words: Vec<String>,
    /// Ends of words that are typical of the language.
    pub endings: Vec<String>,
    /// Endings that names may have in running text: plurals, diminutives.
    pub name_endings: Vec<String>,
    /// Words after which a full stop ends no sentence.
    pub abbreviations: Vec<String>,
    /// Words after which a message is not finished: "en", "voor".
    pub joiners: Vec<String>,
    /// Whole messages after which more is to be expected: a hello, "nog een ding".
    pub beginnings: Vec<String>,
    /// Named groups of words and phrases.
    pub classes: Vec<(String, Pattern)>,
    /// What speaks for or against an intent.
    pub cues: Vec<Cue>,
    /// Words for the values of choice slots.
    pub values: Vec<ValueWord>,
    /// What the surroundings tell about a slot.
    pub slot_rules: Vec<(usize, SlotRule, Pattern)>,
    /// How numbers are said.
    pub numbers: Numbers,
    /// What begins and ends a negation.
    pub negation: Vec<(Negation, Pattern)>,
    /// Words that show a mood.
    pub moods: Vec<(MoodCue, Pattern)>,
    /// Bare answers.
    pub answers: Vec<(Answer, Pattern)>,
    /// Commands about messages and data.
    pub consent: Vec<(ConsentCue, Pattern)>,
    /// How dates and times are said, and opening hours asked for.
    pub moments: Moments,
    /// How each kind of answer is asked for: a person, a place, a time. In the same order in every
    /// language.
    pub kinds_asked: Vec<Vec<String>>,
    /// Words of any question, which tell nothing of what it asks.
    pub common: Vec<String>,
    /// Words after which an unknown one names a place.
    pub before_place: Vec<String>,
    /// What speaks for a question.
    pub question: Vec<(QuestionCue, Pattern)>,
    /// What clauses do.
    pub acts: Vec<(ActCue, Pattern)>,
}

/// A pattern that speaks for (or, with a negative weight, against) an intent.
#[derive(Debug, Clone, PartialEq)]
pub struct Cue {
    /// Place of the intent.
    pub intent: usize,
    /// From the domain's table of strengths.
    pub weight: f64,
    /// What is looked for.
    pub pattern: Pattern,
}

/// A word or phrase for one value of a choice slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueWord {
    /// Place of the slot.
    pub slot: usize,
    /// Place of the value in the slot.
    pub value: usize,
    /// It is so called in messages of this language only: an `auto` is automatic in English.
    pub native: bool,
    /// How it is said.
    pub pattern: Pattern,
}

/// What the surroundings tell about a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlotRule {
    /// What is recognised inside is not meant.
    Unless,
    /// Anywhere in the message: ambiguous names may be believed.
    Context,
    /// The customer has the one named.
    Own,
    /// The customer wants the one named.
    Wanted,
    /// The number is one of this slot.
    Mention,
    /// The number is none of this slot.
    Never,
    /// A number below a hundred is said in thousands: "rond de 13".
    Thousands,
    /// The number is a lower end.
    Min,
    /// The number is an upper end.
    Max,
    /// Two numbers are the ends.
    Range,
    /// The number is how many years old it may be at most.
    Age,
}

/// What begins and ends a negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Negation {
    /// Negates what follows.
    Before,
    /// Negates the slot named in the pattern.
    Around,
    /// Ends the reach.
    Stop,
    /// Carries it on to the next.
    Join,
    /// Carries it on to the next value of the same slot.
    JoinAlike,
    /// Denies a list that follows, over its commas: "alles behalve".
    Lists,
    /// Denies that it goes without what is near by: "niet zonder". A negation in it denies nothing.
    Needed,
}

/// What a cue tells about the mood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MoodCue {
    /// Pleased.
    Positive,
    /// Displeased.
    Negative,
    /// Angry; also displeased.
    Angry,
    /// Speaks of lawyers, courts or the like.
    LegalThreat,
}

/// A message that is only a yes or a no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Yes.
    Affirmation,
    /// No.
    Denial,
}
