use serde::Serialize;

use super::super::pattern::Pattern;
use super::super::section::Section;
use super::reader::Reader;

/// What a pattern of `[question]` tells about a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuestionCue {
    /// A question word, where a clause begins: who, what, when.
    Word,
    /// A verb and then its subject, where a clause begins: "heeft hij".
    VerbFirst,
    /// An indirect question, or a wish to be told: "I wondered if", "send me the".
    Indirect,
    /// A tag at the end: "toch", "isn't it".
    Tag,
    /// A predicate of possibility: "mogelijk", "in stock".
    Possible,
    /// It looks like a question and is none: "wat een auto", "call me".
    Against,
    /// Who tells is not sure of it: "2014, glaub ich?".
    Unsure,
    /// A deal to be confirmed: "afgesproken?".
    Check,
    /// A choice between two: "huur of koop".
    Choice,
    /// Joins clauses: and, but, because.
    Joiner,
    /// What may stand before the word that begins a clause: prepositions, "ok".
    Before,
    /// What begins a statement or a command: "ik", "stuur".
    Opener,
    /// A subject and its verb, where a clause begins: "ich hab".
    Stated,
    /// Verb and subject of a question that follows a statement without a comma: "reicht das".
    Inner,
}

/// What moves a customer, so that a kind word comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Feeling {
    /// Somebody has died.
    Loss,
    /// Something to be glad of: an exam passed, a birth.
    Joy,
    /// What the customer has pleases.
    Delight,
    /// Somebody is ill.
    Illness,
    /// The customer is sorry.
    Regret,
    /// Fear, worry, shame.
    Worry,
    /// A joke.
    Jest,
    /// The weather, how the day is.
    SmallTalk,
}

impl Feeling {
    /// The piece that answers it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Loss => "condolence",
            Self::Joy => "congratulation",
            Self::Delight => "pleased",
            Self::Illness => "get_well",
            Self::Regret => "no_harm",
            Self::Worry => "sympathy",
            Self::Jest => "jest",
            Self::SmallTalk => "small_talk",
        }
    }

    /// What is no time for questions of ours.
    #[must_use]
    pub const fn is_grave(self) -> bool {
        matches!(self, Self::Loss | Self::Illness | Self::Worry)
    }
}

/// What a pattern of `[acts]` tells about a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActCue {
    /// Looks for something, or wants to have it.
    Seek,
    /// Whether a thing is there: "heb je … nog staan".
    Existence,
    /// Opening hours.
    Hours,
    /// A day, as a question names it: "en zondag?".
    Day,
    /// Who we are, or what we know.
    Us,
    /// How far something is that was promised.
    Status,
    /// Bids an amount.
    Offer,
    /// The amount is less than what was asked.
    Less,
    /// Moves an appointment, where one stands.
    Move,
    /// Moves an appointment that it names.
    Reschedule,
    /// Later (or earlier) by so many minutes.
    Shift(i32),
    /// Drops something.
    Cancel,
    /// Asks that what is told be seen to: "doen jullie dat ook?".
    SeenTo,
    /// Whether what was told is bad.
    Serious,
    /// Has what was looked for: beside a cancellation all is over.
    Over,
    /// Drops nothing, whatever is said of it: "vergeet niet …".
    Keep,
    /// By telephone.
    ByPhone,
    /// Says who writes; the name follows.
    IAm,
    /// A company follows.
    Company,
    /// Sells to us.
    Supplier,
    /// We took the customer wrong.
    Misread,
    /// The customer waits.
    Unheard,
    /// The customer does not understand.
    Unclear,
    /// A greeting.
    Hello,
    /// Thanks.
    Thanks,
    /// Goodbye.
    Bye,
    /// A nicety, a laugh.
    Nicety,
    /// "The same time": the hour that was agreed.
    SameHour,
    /// "As soon as you open": the hour of opening.
    AtOpening,
    /// Until when something is good: "verloopt 18 december".
    Deadline,
    /// Says that nobody is in danger any more.
    Safe,
    /// What moves the customer, or a remark aside.
    Feels(Feeling),
    /// Announces a question: "vraagje".
    Prompt,
    /// Wants to be written to and not telephoned.
    NoCalls,
    /// Says when the customer can be reached.
    Reachable,
    /// Asks what somebody else may do: "mag mijn vader mee".
    Companion,
    /// Says that something is wanted: "wil", "nodig", "graag".
    Wants,
    /// Any will do.
    Any,
    /// Does not know yet.
    Unknown,
    /// A yes at the start of a clause.
    Yes,
    /// A no at the start of a clause.
    No,
    /// The n-th choice, from 1.
    Nth(usize),
    /// The last choice.
    Last,
    /// A preference.
    Rather,
    /// Replaces what was told before.
    Instead,
    /// A verdict on a thing that excludes it.
    Verdict,
    /// Of somebody else.
    Third,
    /// One like that of somebody else is wanted: "zo een".
    Such,
    /// Threatens with the law.
    Threat,
    /// Asks to be allowed or able: "kan ik".
    Modal,
    /// Speaks of one certain thing: "hij", "it", a name.
    OfThing,
    /// Means one certain thing that is for sale: "die Golf", "on your website".
    Definite,
    /// Adds to what was told: "erbij", "as well".
    Also,
    /// Says where an appointment moves to: "naar", "to".
    Toward,
    /// Asks when one may come: "wanneer kan ik langskomen".
    Come,
    /// Names an appointment: "mijn afspraak".
    Visit,
    /// Names a person of ours: the owner, a mechanic.
    Whom,
    /// Asks to collect something: "kan ik hem morgen ophalen".
    Fetch,
    /// Names something by its number: "bestelling 20331".
    Reference,
    /// Tells of an appointment that was made: "ik heb morgen om 9 uur een afspraak".
    Made,
    /// Asks whether an appointment stands, or when it was: "gaat het door morgen?"
    Recalls,
    /// Says that the customer will call or write: "ik bel morgen".
    Calls,
    /// The own thing is sold to somebody else: "de Golf is al verkocht".
    Gone,
    /// What is dropped is no appointment: a quote, a question.
    Aside,
}

const QUESTION: [(&str, QuestionCue); 14] = [
    ("words", QuestionCue::Word),
    ("verb_first", QuestionCue::VerbFirst),
    ("indirect", QuestionCue::Indirect),
    ("tags", QuestionCue::Tag),
    ("possible", QuestionCue::Possible),
    ("against", QuestionCue::Against),
    ("unsure", QuestionCue::Unsure),
    ("check", QuestionCue::Check),
    ("choice", QuestionCue::Choice),
    ("joiners", QuestionCue::Joiner),
    ("before", QuestionCue::Before),
    ("openers", QuestionCue::Opener),
    ("stated", QuestionCue::Stated),
    ("inner", QuestionCue::Inner),
];

const DAY: i32 = 24 * 60;

const ACTS: [(&str, ActCue); 84] = [
    ("seek", ActCue::Seek),
    ("existence", ActCue::Existence),
    ("hours", ActCue::Hours),
    ("days", ActCue::Day),
    ("us", ActCue::Us),
    ("status", ActCue::Status),
    ("offer", ActCue::Offer),
    ("less", ActCue::Less),
    ("move", ActCue::Move),
    ("reschedule", ActCue::Reschedule),
    ("minute_later", ActCue::Shift(1)),
    ("minute_earlier", ActCue::Shift(-1)),
    ("quarter_later", ActCue::Shift(15)),
    ("quarter_earlier", ActCue::Shift(-15)),
    ("half_hour_later", ActCue::Shift(30)),
    ("half_hour_earlier", ActCue::Shift(-30)),
    ("hour_later", ActCue::Shift(60)),
    ("hour_earlier", ActCue::Shift(-60)),
    ("day_later", ActCue::Shift(DAY)),
    ("day_earlier", ActCue::Shift(-DAY)),
    ("week_later", ActCue::Shift(7 * DAY)),
    ("week_earlier", ActCue::Shift(-7 * DAY)),
    ("cancel", ActCue::Cancel),
    ("keep", ActCue::Keep),
    ("over", ActCue::Over),
    ("seen_to", ActCue::SeenTo),
    ("serious", ActCue::Serious),
    ("by_phone", ActCue::ByPhone),
    ("i_am", ActCue::IAm),
    ("company", ActCue::Company),
    ("supplier", ActCue::Supplier),
    ("misread", ActCue::Misread),
    ("unheard", ActCue::Unheard),
    ("unclear", ActCue::Unclear),
    ("hello", ActCue::Hello),
    ("thanks", ActCue::Thanks),
    ("bye", ActCue::Bye),
    ("nicety", ActCue::Nicety),
    ("same_hour", ActCue::SameHour),
    ("at_opening", ActCue::AtOpening),
    ("deadline", ActCue::Deadline),
    ("safe", ActCue::Safe),
    ("loss", ActCue::Feels(Feeling::Loss)),
    ("joy", ActCue::Feels(Feeling::Joy)),
    ("delight", ActCue::Feels(Feeling::Delight)),
    ("illness", ActCue::Feels(Feeling::Illness)),
    ("regret", ActCue::Feels(Feeling::Regret)),
    ("worry", ActCue::Feels(Feeling::Worry)),
    ("jest", ActCue::Feels(Feeling::Jest)),
    ("small_talk", ActCue::Feels(Feeling::SmallTalk)),
    ("prompt", ActCue::Prompt),
    ("no_calls", ActCue::NoCalls),
    ("companion", ActCue::Companion),
    ("reachable", ActCue::Reachable),
    ("wants", ActCue::Wants),
    ("any", ActCue::Any),
    ("unknown", ActCue::Unknown),
    ("yes", ActCue::Yes),
    ("no", ActCue::No),
    ("first", ActCue::Nth(1)),
    ("second", ActCue::Nth(2)),
    ("third", ActCue::Nth(3)),
    ("last", ActCue::Last),
    ("rather", ActCue::Rather),
    ("instead", ActCue::Instead),
    ("verdict", ActCue::Verdict),
    ("of_others", ActCue::Third),
    ("such", ActCue::Such),
    ("threat", ActCue::Threat),
    ("modal", ActCue::Modal),
    ("of_thing", ActCue::OfThing),
    ("definite", ActCue::Definite),
    ("also", ActCue::Also),
    ("toward", ActCue::Toward),
    ("come", ActCue::Come),
    ("visit", ActCue::Visit),
    ("whom", ActCue::Whom),
    ("fetch", ActCue::Fetch),
    ("reference", ActCue::Reference),
    ("made", ActCue::Made),
    ("recalls", ActCue::Recalls),
    ("calls", ActCue::Calls),
    ("gone", ActCue::Gone),
    ("aside", ActCue::Aside),
];

impl Reader<'_, '_> {
    pub(super) fn read_question(&mut self, section: Section<'_>) {
        for (key, cue) in QUESTION {
            let found: Vec<Pattern> = self.patterns(&section, key);
            let found = found.into_iter().map(|pattern| (cue, pattern));
            self.into.question.extend(found);
        }
        for kind in section.texts("kinds") {
            let phrases = kind.value.split('|').map(|phrase| phrase.trim().to_owned());
            self.into.kinds_asked.push(phrases.collect());
        }
        for (key, into) in [
            ("common", &mut self.into.common),
            ("before_place", &mut self.into.before_place),
        ] {
            let words = section.texts(key);
            let words = words.iter().flat_map(|text| text.value.split_whitespace());
            into.extend(words.map(str::to_owned));
        }
        section.close();
    }

    pub(super) fn read_acts(&mut self, section: Section<'_>) {
        for (key, cue) in ACTS {
            let found: Vec<Pattern> = self.patterns(&section, key);
            let found = found.into_iter().map(|pattern| (cue, pattern));
            self.into.acts.extend(found);
        }
        section.close();
    }
}
