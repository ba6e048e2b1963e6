//! When does the customer mean? Finds wordings of dates and times, and tells which one is meant.
//!
//! The wordings are data of the domain. They are found once, when the message is read; what they
//! mean depends on when it was said and is computed by [`Moments::at`].

use std::ops::Range;

use jiff::Zoned;
use jiff::civil::Date;

mod calendar;
mod capture;
mod choice;
mod clock;
mod grammar;
mod needs;
mod scan;
mod spans;
mod words;

pub use calendar::Days;
pub use clock::Times;

use super::lattice::Span;
use super::numbers::NumberReader;
use super::tokens::Token;
use crate::domain::{Domain, Relation};
use calendar::Meant;
use choice::Standing;
use clock::Hint;
use grammar::{DateSaid, Grammar, TimeSaid};
use scan::Scan;
use words::Word;

/// The wordings of dates and times in every language of a domain.
#[derive(Debug)]
pub(super) struct MomentReader {
    /// One a language of the domain, in its order; none where it has no such wordings.
    grammars: Vec<Option<Grammar>>,
}

/// How many words may stand between an hour and the part of the day that it is in.
const CLOSE_BEHIND: usize = 4;

/// The dates and times of one message, before it is known when it was said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    found: Vec<Found>,
    /// Numbers that nothing calls hours.
    hours: Vec<(TimeSaid, Range<usize>)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Found {
    said: Said,
    tokens: Span,
    bytes: Range<usize>,
    standing: Standing,
}

#[derive(Debug, Clone, PartialEq)]
enum Said {
    Date(DateSaid),
    Time(TimeSaid),
}

impl Said {
    /// Whether a number right behind it is an hour.
    fn leads_to_an_hour(&self) -> bool {
        match self {
            Self::Date(said) => said.leads_to_an_hour(),
            Self::Time(said) => matches!(said, TimeSaid::Part(..)),
        }
    }

    /// "tot 11", "bis 12".
    fn may_be_a_price(&self) -> bool {
        let Self::Time(TimeSaid::Around(Relation::Until, clocks)) = self else {
            return false;
        };
        matches!(clocks.as_slice(), [TimeSaid::Clock { minutes, .. }] if minutes % 60 == 0)
    }
}

/// A date or time of a message, or both where one wording gives both.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The days.
    pub days: Option<Days>,
    /// The time of the day.
    pub times: Option<Times>,
    /// Whether an hour was named, and not only a part of the day.
    pub exact: bool,
    /// Whether it is wanted: neither denied, nor replaced, nor told as past.
    pub wanted: bool,
    /// Whether it is denied: "morgen kan ik niet".
    pub denied: bool,
    /// Whether it is the first such day, or the one after where that is agreed: "nächsten Samstag".
    pub next: bool,
    /// Whether it is the first such day after one that was spoken of: "de maandag erna".
    pub after: bool,
    /// Whether it is counted in minutes from now: "in 10 minutes".
    pub counted: bool,
    /// Where it stands in the message, in bytes.
    pub bytes: Range<usize>,
}

/// When the customer means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct When {
    /// The days.
    pub days: Option<Days>,
    /// The time of the day.
    pub times: Option<Times>,
    /// Whether an hour was named.
    pub exact: bool,
}

impl MomentReader {
    pub(super) fn new(domain: &Domain) -> Self {
        let grammars = domain.languages.iter().map(|language| {
            let moments = &language.vocabulary.moments;
            let any = !moments.dates.is_empty() || !moments.times.is_empty();
            any.then(|| {
                let vocabularies = [&language.vocabulary, &domain.shared];
                Grammar::new(moments, NumberReader::new(vocabularies.into_iter()))
            })
        });
        Self {
            grammars: grammars.collect(),
        }
    }

    /// All words that dates and times are told by, with the place of their language: typos of them
    /// are forgiven, and they tell the language.
    pub(super) fn vocabulary(&self) -> impl Iterator<Item = (usize, &str)> {
        let grammars = self.grammars.iter().enumerate();
        let grammars = grammars.filter_map(|(place, grammar)| Some((place, grammar.as_ref()?)));
        grammars.flat_map(|(place, grammar)| grammar.words.all().map(move |word| (place, word)))
    }

    /// Whether a word tells a date or time in some language, joined ones too.
    pub(super) fn knows(&self, text: &str) -> bool {
        self.grammars
            .iter()
            .flatten()
            .any(|grammar| grammar.words.knows(text))
    }

    /// The dates and times of a message, by the wordings of its likeliest language that has any.
    /// `likely` are the places of the languages, the likeliest first, with how sure each is.
    pub(super) fn read(&self, text: &str, tokens: &[Token], likely: &[(usize, bool)]) -> Moments {
        let mut best = (0, Moments::default());
        for (place, spoken) in likely {
            let Some(grammar) = self.grammars.get(*place).and_then(Option::as_ref) else {
                continue;
            };
            if !spoken && best.0 > 0 {
                break;
            }
            let (covered, is_certain, moments) = read(grammar, text, tokens);
            // "Do" is a German Thursday, and no day in "Hello. Do you sell cars?"
            if covered > best.0 && (*spoken || is_certain) {
                best = (covered, moments);
            } else if best.0 == 0 && best.1.hours.is_empty() {
                best.1.hours = moments.hours;
            }
        }
        best.1
    }
}

/// Something said in some of the words: from one up to another.
type Stretch<T> = (T, usize, usize);

/// The wordings of a message, and apart from them the numbers that may be hours.
fn stretches(scan: &Scan<'_>, words: usize) -> (Vec<Stretch<Said>>, Vec<Stretch<TimeSaid>>) {
    let mut stretches: Vec<Stretch<Said>> = Vec::new();
    let mut bare = Vec::new();
    let mut at = 0;
    while at < words {
        let follows = stretches.last().filter(|(_, _, end)| *end == at);
        let leads = follows.is_some_and(|(said, ..)| said.leads_to_an_hour());
        let (said, end) = match (scan.date(at), scan.time(at)) {
            (Some(date), Some(time)) if time.end > date.end => (Said::Time(time.said), time.end),
            (Some(date), _) => (Said::Date(date.said), date.end),
            (None, Some(time)) => (Said::Time(time.said), time.end),
            (None, None) => match scan.last_hour(at).filter(|_| leads) {
                Some(hour) => (Said::Time(hour.said), hour.end),
                None => {
                    bare.extend(scan.clock(at).map(|clock| (clock.said, at, clock.end)));
                    at += 1;
                    continue;
                }
            },
        };
        stretches.push((said, at, end));
        at = end.max(at + 1);
    }
    (stretches, bare)
}

/// The moments of a message, how many words they are said in, together with those that only look like
/// moments, and whether there is more than words that may be anything.
fn read(grammar: &Grammar, text: &str, tokens: &[Token]) -> (usize, bool, Moments) {
    let words = grammar.words.read(text, tokens, &grammar.numbers);
    let scan = grammar.scan(&words);
    let (stretches, bare) = stretches(&scan, words.len());
    let covered = stretches.iter().map(|(_, from, to)| to - from).sum();
    let is_certain = stretches.iter().any(|(_, from, to)| {
        let mut inside = words.iter().take(*to).skip(*from);
        let shy = |word: &Word| grammar.words.is_shy(word);
        // "Do 1": a number makes no day of a word that is another one in many languages.
        !inside.clone().any(shy) || inside.any(|word| !shy(word) && !word.is_number)
    });
    let standings = choice::standings(grammar, &words, &stretches, text);
    let span = |from: usize, to: usize| {
        let token = |word: Option<&Word>| word.map_or(0, |word| word.token);
        Span::new(token(words.get(from)), token(words.get(to - 1)) + 1)
    };
    let found = stretches
        .into_iter()
        .zip(standings)
        .filter_map(|((said, from, to), standing)| {
            let span = span(from, to);
            let first = tokens.get(span.start)?;
            let last = tokens.get(span.end.checked_sub(1)?)?;
            Some(Found {
                said,
                tokens: span,
                bytes: first.start..last.end,
                standing,
            })
        });
    let found = found.filter(|found| found.standing != Standing::None);
    let found = found.collect();
    let hours = bare.into_iter().filter_map(|(said, from, to)| {
        let span = span(from, to);
        let first = tokens.get(span.start)?;
        let last = tokens.get(span.end.checked_sub(1)?)?;
        Some((said, first.start..last.end))
    });
    let hours = hours.collect();
    (covered, is_certain, Moments { found, hours })
}

impl Moments {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Forgets those whose words belong to something else.
    pub(super) fn drop_within(&mut self, span: Span) {
        self.found.retain(|found| !found.tokens.overlaps(span));
    }

    /// Forgets the hour right behind a name that begins the message, when nothing else tells when: "Golf
    /// tot 11" is a price, and "hold the Golf until 12" an hour.
    pub(super) fn drop_prices(&mut self, mut names: impl Iterator<Item = Span>) {
        if let [only] = self.found.as_slice()
            && only.said.may_be_a_price()
            // Neither "uur" nor minutes.
            && only.tokens.end == only.tokens.start + 2
            && names.any(|name| name.start < 2 && name.end == only.tokens.start)
        {
            self.found.clear();
        }
    }

    /// The same of numbers that may be hours: "mijn Mazda 2".
    pub(super) fn drop_hours_within(&mut self, bytes: &Range<usize>) {
        self.hours
            .retain(|(_, hour)| hour.end <= bytes.start || bytes.end <= hour.start);
    }

    /// The stretches of tokens that are dates and times.
    pub(super) fn spans(&self) -> impl Iterator<Item = Span> {
        self.found.iter().map(|found| found.tokens)
    }

    /// All of them as they were meant when the message was written, in the business' local time.
    #[must_use]
    pub fn all(&self, now: &Zoned) -> Vec<Moment> {
        let hints: Vec<Option<Hint>> = self.hints(now);
        let moments = self.found.iter().zip(hints).map(|(found, hint)| {
            let mut moment = Moment {
                days: None,
                times: None,
                exact: false,
                wanted: found.standing == Standing::Wanted,
                denied: found.standing == Standing::Denied,
                next: matches!(&found.said, Said::Date(said) if said.is_next()),
                after: matches!(&found.said, Said::Date(said) if said.is_after()),
                counted: false,
                bytes: found.bytes.clone(),
            };
            match &found.said {
                Said::Date(said) => fill(&mut moment, calendar::resolve(said, now)),
                Said::Time(said) => {
                    moment.times = clock::resolve(said, hint);
                    moment.exact = clock::is_exact(said);
                }
            }
            moment
        });
        moments
            .filter(|moment| moment.days.is_some() || moment.times.is_some())
            .collect()
    }

    /// Numbers that may be hours, where a time is asked for: "9", "doe maar half".
    #[must_use]
    pub fn hours(&self) -> Vec<Moment> {
        let hours = self.hours.iter().map(|(said, bytes)| Moment {
            days: None,
            times: clock::resolve(said, None),
            exact: true,
            wanted: true,
            denied: false,
            next: false,
            after: false,
            counted: false,
            bytes: bytes.clone(),
        });
        hours.filter(|moment| moment.times.is_some()).collect()
    }

    /// The one date and time that the customer means.
    #[must_use]
    pub fn at(&self, now: &Zoned) -> When {
        let moments = self.all(now);
        let wanted = || moments.iter().filter(|moment| moment.wanted);
        let times = wanted().filter(|moment| moment.times.is_some());
        let exact = times.clone().find(|moment| moment.exact);
        let time = exact.or_else(|| times.clone().next());
        When {
            days: wanted().find_map(|moment| moment.days),
            times: time.and_then(|moment| moment.times),
            exact: exact.is_some(),
        }
    }

    /// What tells of each wording in which half of the day its hour is: the part of the day that
    /// stands nearest, before it or close behind. "9 then, for in the afternoon I must …" is at nine.
    fn hints(&self, now: &Zoned) -> Vec<Option<Hint>> {
        let hint = |found: &Found| match &found.said {
            Said::Time(TimeSaid::Half(evening)) => Some(Hint::Half(*evening)),
            Said::Time(TimeSaid::Part(from, to)) => Some(Hint::Part(*from, *to)),
            Said::Date(said) => match calendar::resolve(said, now) {
                Meant::PartOfDay(_, (from, to)) => Some(Hint::Part(from, to)),
                _ => None,
            },
            Said::Time(_) => None,
        };
        let given: Vec<(usize, Hint)> = (0..)
            .zip(&self.found)
            .filter_map(|(place, found)| Some((place, hint(found)?)))
            .collect();
        let end = |place: usize| self.found.get(place).map_or(0, |found| found.tokens.end);
        let start = |place: usize| self.found.get(place).map_or(0, |found| found.tokens.start);
        (0..self.found.len())
            .map(|place| {
                let near = |(other, _): &&(usize, Hint)| start(*other) <= end(place) + CLOSE_BEHIND;
                let nearest = given.iter().filter(near);
                let nearest = nearest.min_by_key(|(other, _)| other.abs_diff(place));
                nearest.map(|(_, hint)| *hint)
            })
            .collect()
    }
}

fn fill(moment: &mut Moment, meant: Meant) {
    match meant {
        Meant::Nothing => {}
        Meant::Days(days) => moment.days = Some(days),
        Meant::Moment(at) => {
            moment.days = Some(Days::On(at.date()));
            moment.times = Some(Times::At(at.time()));
            moment.exact = true;
            moment.counted = true;
        }
        Meant::PartOfDay(day, (from, to)) => {
            moment.days = Some(Days::On(day));
            moment.times = Some(Times::Between(from, to));
        }
        Meant::Hours(day, from, to) => {
            moment.days = Some(Days::On(day));
            moment.times = clock::resolve(&hours(from, to), None);
            moment.exact = true;
        }
    }
}

fn hours(from: u8, to: Option<u8>) -> TimeSaid {
    let clock = |hour: u8| TimeSaid::Clock {
        minutes: i32::from(hour) * 60,
        certain: hour > 12,
    };
    match to {
        Some(to) => TimeSaid::Around(Relation::Between, vec![clock(from), clock(to)]),
        None => clock(from),
    }
}

impl When {
    /// The date in words of ISO 8601: a day, `first/last`, `first/`, `/last`, or `conflict`.
    #[must_use]
    pub fn date_text(&self) -> Option<String> {
        let days = self.days?;
        Some(match days {
            Days::On(day) => day.to_string(),
            Days::Between(from, to) => format!("{from}/{to}"),
            Days::From(day) => format!("{day}/"),
            Days::Until(day) => format!("/{day}"),
            Days::Conflict => "conflict".to_owned(),
        })
    }

    /// The time, as [`When::date_text`]: `14:30`, `10:00/12:00`, `17:00/`, `/12:00`.
    #[must_use]
    pub fn time_text(&self) -> Option<String> {
        let text = |time: jiff::civil::Time| format!("{:02}:{:02}", time.hour(), time.minute());
        Some(match self.times? {
            Times::At(time) => text(time),
            Times::Between(from, to) => format!("{}/{}", text(from), text(to)),
            Times::From(time) => format!("{}/", text(time)),
            Times::Until(time) => format!("/{}", text(time)),
        })
    }

    /// The first day that is meant; none for a conflict.
    #[must_use]
    pub fn first_day(&self) -> Option<Date> {
        self.days?.ends().map(|(first, _)| first)
    }
}
