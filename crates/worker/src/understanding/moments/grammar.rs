//! The wordings of one language, and how they are found in a message.

use jiff::civil::Time;
use rustc_hash::FxHashMap;

use super::needs::{Kinds, are_met, needs};
use super::scan::Scan;
use super::words::{Word, Words, forms};
use crate::domain::{
    Atom, DateMeaning, Element, Moments, Pattern, Reach, Relation, TimeMeaning, TimeUnit as Unit,
};
use crate::understanding::numbers::NumberReader;
use crate::understanding::tokens::tokenize;

/// What a wording says of days, before it is known when it is said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DateSaid {
    Plain(DateMeaning, Vec<Part>),
    Around(Relation, Vec<DateSaid>),
}

impl DateSaid {
    /// Whether a number behind it is an hour: "morgen früh 9".
    pub(super) fn leads_to_an_hour(&self) -> bool {
        matches!(
            self,
            Self::Plain(DateMeaning::Day(..) | DateMeaning::Weekday(Some(_)), _)
        )
    }

    /// Whether it is the first such day, or the one after.
    pub(super) fn is_next(&self) -> bool {
        self.is_all(&DateMeaning::NextWeekday)
    }

    /// Whether it is the first such day after another one.
    pub(super) fn is_after(&self) -> bool {
        self.is_all(&DateMeaning::WeekdayAfter)
    }

    fn is_all(&self, meaning: &DateMeaning) -> bool {
        match self {
            Self::Plain(said, _) => said == meaning,
            Self::Around(Relation::At, dates) => dates.iter().all(|date| date.is_all(meaning)),
            Self::Around(..) => false,
        }
    }
}

/// What a wording says of the time of the day.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TimeSaid {
    /// Minutes after midnight, and whether the half of the day is certain.
    Clock {
        minutes: i32,
        certain: bool,
    },
    At(Time),
    Part(Time, Time),
    Half(bool),
    Around(Relation, Vec<TimeSaid>),
    Nothing,
}

/// What a wording holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Weekday(u8),
    Month(u8),
    Day {
        day: u8,
        ordinal: bool,
    },
    Year(i16),
    /// Written with hyphens, it may be from one hour to another.
    Numeric {
        day: u8,
        month: u8,
        year: Option<i16>,
        hyphen: bool,
    },
    Hour {
        hour: u8,
        minute: u8,
        certain: bool,
    },
    Number(f64),
    Unit(Unit),
    Date(DateSaid),
    Clock(TimeSaid),
}

/// What a wording can mean.
pub(super) trait Meaning: Clone {
    /// Of two wordings that fit the same words, one that says more is taken.
    fn says_more(&self) -> bool {
        false
    }
}

impl Meaning for DateMeaning {}
impl Meaning for TimeMeaning {}
impl Meaning for Relation {
    fn says_more(&self) -> bool {
        *self != Self::At
    }
}

/// The wordings of a language.
#[derive(Debug)]
pub(super) struct Grammar {
    pub(super) words: Words,
    /// The number words of this language alone.
    pub(super) numbers: NumberReader,
    pub(super) dates: Rules<DateMeaning>,
    pub(super) around_dates: Rules<Relation>,
    pub(super) times: Rules<TimeMeaning>,
    pub(super) around_times: Rules<Relation>,
}

#[derive(Debug)]
pub(super) struct Rules<M> {
    rules: Vec<Rule<M>>,
    /// Rules by the word that they begin with; those that begin otherwise are under 0.
    by_first: FxHashMap<u32, Vec<usize>>,
}

#[derive(Debug)]
pub(super) struct Rule<M> {
    pub(super) steps: Vec<Step>,
    pub(super) meaning: M,
    needs: Vec<Kinds>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    OneOf(Vec<Choice>),
    Optional(Vec<Choice>),
    Gap,
    /// A clause begins here.
    Start,
    /// A clause ends here.
    End,
}

#[derive(Debug, Clone)]
pub(super) enum Choice {
    Word(u32),
    Exact(u32),
    Phrase(Vec<Step>),
    Capture(Capture),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capture {
    Weekday,
    Month,
    Day,
    Ordinal,
    Year,
    Numeric,
    Number,
    Unit,
    Hour,
    Minute,
    /// In words: "10 to 12" is from one hour to another.
    MinuteWord,
    HourAndMinute,
    Date,
    Feast,
    Clock,
}

impl Grammar {
    pub(super) fn new(moments: &Moments, numbers: NumberReader) -> Self {
        let mut words = Words::new(moments);
        Self {
            numbers,
            dates: Rules::new(&mut words, &moments.dates),
            around_dates: Rules::new(&mut words, &moments.around_dates),
            times: Rules::new(&mut words, &moments.times),
            around_times: Rules::new(&mut words, &moments.around_times),
            words,
        }
    }

    pub(super) fn scan<'g>(&'g self, message: &'g [Word]) -> Scan<'g> {
        Scan::new(self, message)
    }
}

impl<M: Meaning> Rules<M> {
    fn new(words: &mut Words, wordings: &[(M, Pattern)]) -> Self {
        let mut rules = Vec::with_capacity(wordings.len());
        let mut by_first: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        for (meaning, pattern) in wordings {
            let steps = compile(words, &pattern.elements());
            for first in first_words(&steps) {
                by_first.entry(first).or_default().push(rules.len());
            }
            rules.push(Rule {
                needs: needs(&steps),
                steps,
                meaning: meaning.clone(),
            });
        }
        Self { rules, by_first }
    }

    /// The rules that can begin with a word; those that begin with a part only where one `begins`. `present`
    /// are the kinds of words from there on.
    pub(super) fn starting_with(
        &self,
        word: &Word,
        begins: bool,
        present: Kinds,
    ) -> impl Iterator<Item = &Rule<M>> {
        let parts = self.by_first.get(&0).filter(|_| begins);
        let named = [word.id, word.exact].map(|id| self.by_first.get(&id).filter(|_| id != 0));
        let places = named.into_iter().chain([parts]).flatten().flatten();
        let rules = places.filter_map(|place| self.rules.get(*place));
        rules.filter(move |rule| are_met(&rule.needs, present))
    }
}

/// The words that a rule can begin with; 0 for what is no word.
fn first_words(steps: &[Step]) -> Vec<u32> {
    let mut first = Vec::new();
    for step in steps {
        let (choices, optional) = match step {
            Step::OneOf(choices) => (choices, false),
            Step::Optional(choices) => (choices, true),
            Step::Start => continue,
            Step::Gap | Step::End => return vec![0],
        };
        for choice in choices {
            match choice {
                Choice::Word(id) | Choice::Exact(id) => first.push(*id),
                Choice::Phrase(steps) => first.extend(first_words(steps)),
                Choice::Capture(_) => first.push(0),
            }
        }
        if !optional {
            break;
        }
    }
    first.sort_unstable();
    first.dedup();
    first
}

fn compile(words: &mut Words, elements: &[Element]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(elements.len());
    for element in elements {
        match element {
            Element::OneOf { atoms, optional } => {
                let choices: Vec<Choice> =
                    atoms.iter().flat_map(|atom| choices(words, atom)).collect();
                match (choices.as_slice(), optional) {
                    ([Choice::Phrase(phrase)], false) => steps.extend(phrase.iter().cloned()),
                    (_, false) => steps.push(Step::OneOf(choices)),
                    (_, true) => steps.push(Step::Optional(choices)),
                }
            }
            Element::Gap(Reach::Near | Reach::Sentence | Reach::Message) => steps.push(Step::Gap),
            Element::Start => steps.push(Step::Start),
            Element::End => steps.push(Step::End),
            Element::NoneOf(_) => {}
        }
    }
    steps
}

fn choices(words: &mut Words, atom: &Atom) -> Vec<Choice> {
    match atom {
        Atom::Word { text, .. } => {
            if let Some(exact) = text.strip_prefix('=').filter(|rest| !rest.is_empty()) {
                return vec![Choice::Exact(words.intern(&format!("={exact}")))];
            }
            let mut all: Vec<Choice> = Vec::new();
            for form in forms(text) {
                let tokens = tokenize(&form, |_| false);
                let mut ids: Vec<Step> = Vec::new();
                for token in &tokens {
                    ids.push(Step::OneOf(vec![Choice::Word(words.intern(&token.text))]));
                }
                match ids.as_slice() {
                    [] => all.push(Choice::Word(words.intern(&form))),
                    [Step::OneOf(one)] => all.extend(one.iter().cloned()),
                    _ => all.push(Choice::Phrase(ids)),
                }
            }
            all
        }
        Atom::Phrase(elements) => vec![Choice::Phrase(compile(words, elements))],
        Atom::Slot(name) => capture(name).map(Choice::Capture).into_iter().collect(),
        Atom::Class(_) | Atom::AnySlot | Atom::Number | Atom::Asked => Vec::new(),
    }
}

fn capture(name: &str) -> Option<Capture> {
    Some(match name {
        "weekday" => Capture::Weekday,
        "month" => Capture::Month,
        "day" => Capture::Day,
        "nth" => Capture::Ordinal,
        "year" => Capture::Year,
        "dm" => Capture::Numeric,
        "n" => Capture::Number,
        "unit" => Capture::Unit,
        "hour" => Capture::Hour,
        "minute" => Capture::Minute,
        "minute_word" => Capture::MinuteWord,
        "hm" => Capture::HourAndMinute,
        "date" => Capture::Date,
        "feast" => Capture::Feast,
        "clock" => Capture::Clock,
        _ => return None,
    })
}
