//! How a language speaks of dates and times: the tables `[moments]`, `[dates]`, `[times]`, `[hours]`
//! of a vocabulary file. What a wording means is written as the key above it.

use super::pattern::{Atom, Pattern, for_each_atom, patterns};
use super::section::{Section, Text};

mod meaning;

pub use meaning::{Count, DateMeaning, DatePart, Hour, Relation, TimeMeaning, Unit};

/// How a language speaks of dates and times.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    /// Names of the days of the week, Monday is 0.
    pub weekdays: Vec<(String, u8)>,
    /// Names of the months, January is 1.
    pub months: Vec<(String, u8)>,
    /// Ordinals that no ending tells.
    pub ordinals: Vec<(String, u8)>,
    /// Endings of ordinals, after digits and after number words.
    pub ordinal_endings: Vec<String>,
    /// Ends of hours in figures: the "en" of "na 2en".
    pub hour_endings: Vec<String>,
    /// Hours that are no number words, such as `elven`.
    pub hours: Vec<(String, u8)>,
    /// Units of time.
    pub units: Vec<(String, Unit)>,
    /// Lists of single words, by what they tell.
    pub lists: Vec<(Telling, Vec<String>)>,
    /// Wordings for days and spans of days.
    pub dates: Vec<(DateMeaning, Pattern)>,
    /// Wordings around these.
    pub around_dates: Vec<(Relation, Pattern)>,
    /// Wordings for times of the day.
    pub times: Vec<(TimeMeaning, Pattern)>,
    /// Wordings around these.
    pub around_times: Vec<(Relation, Pattern)>,
    /// Questions about opening hours.
    pub questions: Vec<(Question, Pattern)>,
}

/// What a word tells about the moments beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// A short name that is also another word: believed beside a number, a time, or alone.
    Shy,
    /// As shy, and not believed beside a number either.
    VeryShy,
    /// Words after which a shy name is believed.
    BeforeShy,
    /// What follows a bare ordinal that is a date: "op de tweede om drie uur".
    AfterDay,
    /// Second halves of joined words: `zaterdagmiddag`.
    Tail,
    /// After these a full stop ends nothing.
    Abbreviation,
    /// Splits clauses.
    Joiner,
    /// The clause tells what has been.
    Past,
    /// The clause is about what is to be, whatever its past tense.
    Wish,
    /// The moment after it replaces the one before.
    Correction,
    /// The moment after it is not wanted.
    NotBefore,
    /// The moment before it is not wanted.
    NotAfter,
    /// The moment after it is none: months of build, validity.
    Never,
    /// Bare numbers in such a message are no hours.
    Money,
    /// Beside a number, it is an hour whatever the message is about.
    Hour,
    /// The message asks how long something takes: a bare "2 uur" is no time of the day.
    Duration,
    /// A greeting where it opens the message and something follows: "Morgen, ...".
    Greeting,
}

/// What is asked about opening hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Question {
    /// Whether it is open, or closed.
    Open,
    /// Whether it is open at this moment.
    Now,
    /// From when to when.
    Hours,
    /// From when to when, in so many words.
    Span,
    /// When it opens the next time.
    Opens,
    /// When it closes.
    Closes,
    /// The hours of all days.
    Week,
    /// What is no question about hours, although its words are.
    Unless,
}

/// What patterns of dates and times can hold.
const DATE_PARTS: [&str; 9] = [
    "weekday", "month", "day", "nth", "year", "dm", "n", "unit", "date",
];
const TIME_PARTS: [&str; 5] = ["hour", "minute", "minute_word", "hm", "clock"];

const LISTS: [(&str, Telling); 17] = [
    ("hour_words", Telling::Hour),
    ("durations", Telling::Duration),
    ("greetings", Telling::Greeting),
    ("shy", Telling::Shy),
    ("very_shy", Telling::VeryShy),
    ("before_shy", Telling::BeforeShy),
    ("after_day", Telling::AfterDay),
    ("tails", Telling::Tail),
    ("abbreviations", Telling::Abbreviation),
    ("joiners", Telling::Joiner),
    ("past", Telling::Past),
    ("wish", Telling::Wish),
    ("corrections", Telling::Correction),
    ("not_before", Telling::NotBefore),
    ("not_after", Telling::NotAfter),
    ("never", Telling::Never),
    ("money", Telling::Money),
];

const QUESTIONS: [(&str, Question); 8] = [
    ("span", Question::Span),
    ("open", Question::Open),
    ("now", Question::Now),
    ("hours", Question::Hours),
    ("opens", Question::Opens),
    ("closes", Question::Closes),
    ("week", Question::Week),
    ("unless", Question::Unless),
];

/// Adds the tables of one file; returns the classes and slots that questions name, with their lines.
pub(super) fn read(root: &Section<'_>, into: &mut Moments) {
    if let Some(section) = root.section("moments") {
        read_words(&section, into);
        section.close();
    }
    if let Some(section) = root.section("dates") {
        read_wordings(&section, &DATE_PARTS, &mut into.dates);
        if let Some(around) = section.section("around") {
            read_wordings(&around, &["date", "feast"], &mut into.around_dates);
        }
    }
    if let Some(section) = root.section("times") {
        read_wordings(&section, &TIME_PARTS, &mut into.times);
        if let Some(around) = section.section("around") {
            read_wordings(&around, &["clock", "hour"], &mut into.around_times);
        }
    }
}

/// The questions of `[hours]`; their patterns may name classes, so a callback reads them.
pub(super) fn read_questions(
    section: &Section<'_>,
    mut patterns: impl FnMut(&str) -> Vec<Pattern>,
) -> Vec<(Question, Pattern)> {
    let mut questions = Vec::new();
    for (key, question) in QUESTIONS {
        let found = patterns(key).into_iter();
        questions.extend(found.map(|pattern| (question, pattern)));
    }
    for key in section.keys() {
        if !QUESTIONS.iter().any(|(known, _)| *known == key.value) {
            section.problem(key.line, format!("`hours.{}` is no question", key.value));
        }
    }
    questions
}

fn read_words(section: &Section<'_>, into: &mut Moments) {
    into.weekdays.extend(numbered(section, "weekdays", 7, 0));
    into.months.extend(numbered(section, "months", 12, 1));
    for (key, list) in [("ordinals", &mut into.ordinals), ("hours", &mut into.hours)] {
        for (word, number) in section.numbers(key) {
            if (0.0..=31.0).contains(&number) {
                list.push((word.value.to_owned(), number as u8));
            } else {
                section.problem(word.line, "must be 0 to 31");
            }
        }
    }
    into.hour_endings.extend(words(section, "hour_endings"));
    into.ordinal_endings
        .extend(words(section, "ordinal_endings"));
    if let Some(units) = section.section("units") {
        for key in units.keys() {
            match key.value.parse() {
                Ok(unit) => {
                    let named = words(&units, key.value).into_iter();
                    into.units.extend(named.map(|word| (word, unit)));
                }
                Err(()) => units.problem(key.line, format!("`{}` is no unit of time", key.value)),
            }
        }
    }
    for (key, telling) in LISTS {
        let texts = section.texts(key);
        // Of lists of phrases each text is one; of lists of words each word.
        let phrases = texts.len() > 1;
        let found = texts.iter().flat_map(|text| match phrases {
            true => vec![text.value.to_owned()],
            false => text.value.split_whitespace().map(str::to_owned).collect(),
        });
        into.lists.push((telling, found.collect()));
    }
}

fn words(section: &Section<'_>, key: &str) -> Vec<String> {
    let texts = section.texts(key);
    let words = texts.iter().flat_map(|text| text.value.split_whitespace());
    words.map(str::to_owned).collect()
}

/// A list of names in their order, each with its other forms after `|`.
fn numbered(section: &Section<'_>, key: &str, length: usize, first: u8) -> Vec<(String, u8)> {
    let texts = section.texts(key);
    if !texts.is_empty() && texts.len() != length {
        let line = texts.first().map_or(section.line(), |text| text.line);
        section.problem(line, format!("`moments.{key}` must name all {length}"));
    }
    let forms = (first..).zip(&texts).flat_map(|(number, text)| {
        let forms = text.value.split('|');
        forms.map(move |form| (form.trim().to_owned(), number))
    });
    forms.collect()
}

fn read_wordings<M: std::str::FromStr + Clone>(
    section: &Section<'_>,
    parts: &[&str],
    into: &mut Vec<(M, Pattern)>,
) {
    for key in section.keys() {
        if key.value == "around" {
            continue;
        }
        let Ok(meaning) = key.value.parse::<M>() else {
            section.problem(key.line, format!("`{}` is no meaning", key.value));
            continue;
        };
        for (pattern, line) in patterns(section, key.value) {
            check(
                section,
                parts,
                &pattern,
                Text {
                    value: key.value,
                    line,
                },
            );
            into.push((meaning.clone(), pattern));
        }
    }
}

fn check(section: &Section<'_>, parts: &[&str], pattern: &Pattern, key: Text<'_>) {
    for_each_atom(&pattern.elements(), &mut |atom| {
        let problem = match atom {
            Atom::Slot(name) if parts.contains(&name.as_str()) => return,
            Atom::Slot(name) => format!("`{}` cannot hold `<{name}>`", key.value),
            Atom::Class(name) => format!("`{}` cannot hold `@{name}`", key.value),
            Atom::AnySlot | Atom::Number | Atom::Asked => {
                format!("`{}` can hold words and {parts:?} only", key.value)
            }
            Atom::Word { .. } | Atom::Phrase(_) => return,
        };
        section.problem(key.line, problem);
    });
}
