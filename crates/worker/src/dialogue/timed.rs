//! Gives the moments of a message to the acts that they belong to. Pure.

use std::ops::Range;

use jiff::Zoned;

use super::act::{
    Act, Answer, Ask, Asked, Dates, Does, Form, Inform, Origin, Social, Thing, Times, When,
};
use super::state::{OursAbout, State};
use super::topics;
use crate::domain::{Domain, TopicKind};
use crate::understanding::{self, Days, HoursAnswer, Moment, Understanding};

/// A span that is longer says when somebody wants to buy, not when to come.
const LONGEST_SPAN_DAYS: i32 = 14;
/// Letters around a moment that make it no question of its own: "en … dan?".
const AROUND: usize = 8;
/// The most words of a message whose number is an hour without any word that says so.
const FEW_WORDS: usize = 6;
/// The same where the number may be an article.
const ARTICLE_WORDS: usize = 2;
/// The same where it proposes a moment: "kan dat …", "… would that work?".
const AROUND_PROPOSAL: usize = 32;

/// The acts with the moments that were said in their words; what is left over is told.
pub fn timed(
    domain: &Domain,
    state: &State,
    (text, reading): (&str, &Understanding),
    mut acts: Vec<Act>,
    now: &Zoned,
) -> Vec<Act> {
    let wanted = reading.moments.all(now).into_iter();
    let mut moments: Vec<Moment> = wanted.filter(|moment| moment.wanted).collect();
    drop_standing_day(state, &mut moments);
    if moments.is_empty() && asks_for_hour(domain, state, &acts) {
        moments.extend(bare_hour(text, reading));
    }
    let whole = when(&moments);
    let letters: usize = moments.iter().map(|moment| moment.bytes.len()).sum();
    let alone = text.trim().len().saturating_sub(letters) <= AROUND;
    if let Some(said) = whole.filter(|_| alone)
        && goes_on_with_hours(domain, state, text, &acts)
    {
        return vec![told(ask_hours(said), text)];
    }
    for act in &mut acts {
        let inside: Vec<Moment> = take_inside(&mut moments, &act.words, &act.does);
        if let Some(said) = when(&inside) {
            give(act, said, &inside);
        }
    }
    let hours = &domain.business.hours;
    let asked = reading
        .hours_asked
        .answer(&reading.moments.at(now), hours, now);
    let last_day = state.last_ask.as_ref().and_then(|last| last.days);
    let last_day = last_day.or_else(|| state.appointment().and_then(|one| one.date));
    for act in &mut acts {
        asked_hours(
            act,
            asked.as_ref(),
            last_day.filter(|_| whole.is_none()),
            now,
        );
    }
    let requested = acts.iter().find_map(|act| match &act.does {
        Does::Request { goal, .. } if topics::takes_appointment(domain, goal) => Some(goal.clone()),
        _ => None,
    });
    if let Some(pursued) = arranged(domain, state).or(requested.as_deref()) {
        let names = |goal: &str| topics::is_named(domain, goal, text);
        let own = asked.is_some();
        acts.iter_mut().for_each(|act| propose(act, own, letters));
        if !acts.iter().any(tells_of_wanted) {
            let redirect = |act: &mut Act| turn_to(act, pursued, names);
            acts.iter_mut().for_each(redirect);
        }
    }
    acts.extend(excluded_day(reading, text, whole, now));
    if let Some(said) = when(&moments).and(whole) {
        left_over(domain, state, &mut acts, said, alone);
    }
    acts
}

/// "Any morning except Wednesday": the day that does not suit goes with the rest, as it was written.
fn excluded_day(
    reading: &Understanding,
    text: &str,
    said: Option<When>,
    now: &Zoned,
) -> Option<Act> {
    let denied = |moment: &Moment| !moment.wanted && moment.days.is_some();
    let excludes = reading.moments.all(now).iter().any(denied);
    said.filter(|said| excludes && said.date.is_none())?;
    let inform = Inform {
        thing: Thing::Wanted,
        values: Vec::new(),
        when: None,
        attachment: None,
        remark: Some(text.to_owned()),
    };
    Some(told(Does::Inform(inform), text))
}

/// Beside another day, that of the appointment is the one that does not suit: "Samstag ist Vereinsfest,
/// ginge auch Freitag?"
fn drop_standing_day(state: &State, moments: &mut Vec<Moment>) {
    let standing = state.appointment().and_then(|one| one.date);
    let is_standing = |moment: &Moment| standing.is_some() && moment.days.map(dates) == standing;
    let other = |moment: &Moment| moment.days.is_some() && !is_standing(moment);
    if moments.iter().any(other) {
        moments.retain(|moment| !is_standing(moment));
    }
}

/// Whether a message is nothing but another day for the question before: "en maandag?".
fn goes_on_with_hours(domain: &Domain, state: &State, text: &str, acts: &[Act]) -> bool {
    let last = state.last_ask.as_ref().map(|last| &last.topic);
    let open = state.ours.is_none() && arranged(domain, state).is_none() || text.contains('?');
    let says_more = |act: &Act| match &act.does {
        Does::Unclear { .. } | Does::Social(_) | Does::Request { .. } => false,
        Does::Ask(ask) => !matches!(ask.topic, Asked::Other | Asked::Hours),
        Does::Inform(inform) => !inform.is_empty(),
        _ => true,
    };
    last == Some(&Asked::Hours) && open && !acts.iter().any(says_more)
}

fn ask_hours(said: When) -> Does {
    Does::Ask(Ask {
        topic: Asked::Hours,
        form: Form::YesNo,
        thing: Thing::Wanted,
        content: Vec::new(),
        when: Some(said),
    })
}

fn told(does: Does, text: &str) -> Act {
    Act {
        does,
        confidence: 0.9,
        words: 0..text.len(),
        clause: 0,
        origin: Origin::Rules,
    }
}

/// The goal that an appointment stands or is being made for.
fn arranged<'a>(domain: &Domain, state: &'a State) -> Option<&'a str> {
    let standing = state.appointment().map(|one| one.purpose.as_str());
    let goals = state.goals.iter().rev().map(|open| open.goal.as_str());
    let in_mind = state.in_mind.as_deref();
    let takes = |goal: &&str| topics::takes_appointment(domain, goal);
    let mut pursued = goals.filter(takes);
    pursued.next().or(standing).or(in_mind.filter(takes))
}

/// While an appointment is being made, "kan dat maandag?" proposes a day and asks for no hours.
fn propose(act: &mut Act, asks_hours: bool, letters: usize) {
    let Does::Ask(ask) = &act.does else { return };
    let short = act.words.len().saturating_sub(letters) <= AROUND_PROPOSAL;
    let vague = matches!(ask.topic, Asked::Hours | Asked::Other);
    if let Some(said) = ask.when.filter(|_| vague && short && !asks_hours) {
        act.does = Does::Inform(Inform {
            thing: Thing::Wanted,
            values: Vec::new(),
            when: Some(said),
            attachment: None,
            remark: None,
        });
    }
}

fn tells_of_wanted(act: &Act) -> bool {
    matches!(&act.does, Does::Inform(inform)
        if inform.thing == Thing::Wanted && !inform.values.is_empty())
}

/// A visit at some time is one for what is being arranged, unless it names what else it is for.
fn turn_to(act: &mut Act, pursued: &str, is_named: impl Fn(&str) -> bool) {
    if let Does::Request {
        goal,
        when: Some(_),
        ..
    } = &mut act.does
        && goal != pursued
        && !is_named(goal)
    {
        pursued.clone_into(goal);
    }
}

/// The moments that stand in the words of an act that can have one.
fn take_inside(moments: &mut Vec<Moment>, words: &Range<usize>, does: &Does) -> Vec<Moment> {
    let takes = match does {
        Does::Ask(ask) => ask.when.is_none(),
        Does::Request { when, .. }
        | Does::Reschedule { when, .. }
        | Does::Cancel { when, .. }
        | Does::Handoff { when, .. } => when.is_none(),
        _ => false,
    };
    if !takes {
        return Vec::new();
    }
    let inside =
        |moment: &Moment| words.start <= moment.bytes.start && moment.bytes.end <= words.end;
    let (inside, outside) = moments.drain(..).partition(inside);
    *moments = outside;
    inside
}

fn give(act: &mut Act, said: When, inside: &[Moment]) {
    let letters: usize = inside.iter().map(|moment| moment.bytes.len()).sum();
    let alone = act.words.len().saturating_sub(letters) <= AROUND;
    match &mut act.does {
        Does::Ask(ask) => {
            // "en zondag?" asks for the hours of it.
            if ask.topic == Asked::Other && alone {
                ask.topic = Asked::Hours;
            }
            ask.when = Some(said);
        }
        Does::Request { when, .. }
        | Does::Reschedule { when, .. }
        | Does::Cancel { when, .. }
        | Does::Handoff { when, .. } => *when = Some(said),
        _ => {}
    }
}

/// A question about hours that names no day may still ask about one: the next opening, today.
/// Without a day it goes on with `last_day`.
fn asked_hours(act: &mut Act, asked: Option<&HoursAnswer>, last_day: Option<Dates>, now: &Zoned) {
    let Does::Ask(Ask {
        topic: Asked::Hours,
        form,
        when,
        ..
    }) = &mut act.does
    else {
        return;
    };
    let day = |day| {
        Some(When {
            date: Some(day),
            time: None,
        })
    };
    match asked {
        Some(HoursAnswer::OpenNow(_) | HoursAnswer::ClosedNow(_)) => {
            (*form, *when) = (Form::YesNo, None);
        }
        Some(HoursAnswer::HoursOn(..) | HoursAnswer::Closes(..))
            if when.is_none() && last_day.is_some() =>
        {
            *when = last_day.and_then(day);
        }
        Some(HoursAnswer::Opens(_)) => *when = day(Dates::From(now.date())),
        Some(HoursAnswer::HoursOn(on, _) | HoursAnswer::Closes(on, _)) if when.is_none() => {
            *when = day(Dates::On(*on));
        }
        Some(HoursAnswer::OpenOn { day: on, time, .. }) if when.is_none() => {
            *when = Some(When {
                date: Some(Dates::On(*on)),
                time: time.map(Times::At),
            });
        }
        _ => {}
    }
}

/// Whether we asked for a day or a time, or offered some.
fn asked_for_moment(domain: &Domain, state: &State) -> bool {
    state.ours.as_ref().is_some_and(|ours| match &ours.about {
        OursAbout::Moment => true,
        OursAbout::Topic(topic) => {
            let kind = domain.dialogue.topic(topic).map(|topic| topic.kind);
            matches!(kind, Some(TopicKind::Date | TopicKind::Time))
        }
        OursAbout::Meaning | OursAbout::Colleague | OursAbout::Stop => false,
    })
}

/// Whether a number alone is an hour: we asked for one, or an appointment is moved.
fn asks_for_hour(domain: &Domain, state: &State, acts: &[Act]) -> bool {
    let moves = |act: &Act| {
        matches!(
            act.does,
            Does::Reschedule {
                shift_minutes: None,
                ..
            }
        )
    };
    let day_known = state.appointment().is_some_and(|one| one.date.is_some());
    asked_for_moment(domain, state) || day_known && acts.iter().any(moves)
}

/// "11", "doe maar 3", "ok 9 it is": the one number of a short message.
fn bare_hour(text: &str, reading: &Understanding) -> Option<Moment> {
    let [hour] = <[Moment; 1]>::try_from(reading.moments.hours()).ok()?;
    let words = text.split_whitespace().count();
    // "Ein" and "one" are articles as a rule.
    let written = text.get(hour.bytes.clone())?;
    let is_article = hour.times.is_some_and(is_one) && !written.contains('1');
    let most = if is_article { ARTICLE_WORDS } else { FEW_WORDS };
    (words <= most).then_some(hour)
}

fn is_one(times: understanding::Times) -> bool {
    matches!(times, understanding::Times::At(time) if time.hour() % 12 == 1)
}

/// A moment that belongs to no act answers our question, moves or proposes an appointment.
fn left_over(domain: &Domain, state: &State, acts: &mut Vec<Act>, mut said: When, alone: bool) {
    let bye = |act: &Act| matches!(act.does, Does::Social(Social::Bye));
    if let (Some(Dates::Until(day)), true) = (said.date, acts.iter().any(bye)) {
        // "Tot zaterdag" names the day.
        said.date = Some(Dates::On(day));
    }
    // "Tot morgen!" to who comes tomorrow says goodbye, and arranges nothing.
    let stands = |day| {
        let mut known = state.appointments.iter().map(|one| one.date);
        known.any(|known| known == Some(day))
    };
    if acts.iter().any(bye) && said.time.is_none() && said.date.is_some_and(stands) {
        return;
    }
    let asked = asked_for_moment(domain, state);
    let takes = |goal: &str| topics::takes_appointment(domain, goal);
    let requested = acts.iter().any(|act| match &act.does {
        Does::Request { goal, .. } => takes(goal),
        _ => false,
    });
    let pursued = state.goals.iter().any(|open| takes(&open.goal));
    let asks = acts.iter().any(|act| matches!(act.does, Does::Ask(_)));
    // "Ik kom maandag 10 uur langs": who says day and hour means to come.
    let comes =
        !asks && matches!(said.date, Some(Dates::On(_))) && matches!(said.time, Some(Times::At(_)));
    let arranges = asked || requested || pursued || state.appointment().is_some() || comes;
    let unread = |act: &Act| matches!(act.does, Does::Unclear { .. });
    let none_made = state.appointment().is_none() && !asked;
    let waits = |act: &Act| {
        matches!(&act.does, Does::Ask(ask) if ask.topic == Asked::Status)
            || matches!(act.does, Does::Handoff { when: None, .. })
    };
    let of_call = alone && acts.iter().all(unread) || !pursued && acts.iter().any(waits);
    if state.told.is_some() && none_made && of_call {
        // "Na vijven graag", to a colleague who will get in touch.
        acts.retain(|act| !unread(act));
        acts.push(told(
            Does::Handoff {
                by_phone: false,
                whom: false,
                when: Some(said),
            },
            "",
        ));
        return;
    }
    if !arranges || is_long(said) {
        return;
    }
    let moves = acts
        .iter()
        .any(|act| matches!(act.does, Does::Cancel { .. }));
    if moves {
        return;
    }
    // What was read of the moment's words without the moment is nothing.
    acts.retain(|act| {
        !matches!(
            act.does,
            Does::Unclear { .. } | Does::Answer(Answer::Text(_) | Answer::Unknown)
        )
    });
    let does = if asked {
        Does::Answer(Answer::Moment(said))
    } else {
        Does::Inform(Inform {
            thing: Thing::Wanted,
            values: Vec::new(),
            when: Some(said),
            attachment: None,
            remark: None,
        })
    };
    acts.push(told(does, ""));
}

fn is_long(said: When) -> bool {
    match said.date {
        Some(Dates::Between(from, to)) => from
            .until(to)
            .is_ok_and(|span| span.get_days() > LONGEST_SPAN_DAYS),
        _ => false,
    }
}

/// The day and the time of some moments; an hour goes before a part of the day.
fn when(moments: &[Moment]) -> Option<When> {
    let date = moments.iter().find_map(|moment| moment.days).map(dates);
    let timed = || moments.iter().filter(|moment| moment.times.is_some());
    let time = timed()
        .find(|moment| moment.exact)
        .or_else(|| timed().next());
    let time = time.and_then(|moment| moment.times).map(times);
    (date.is_some() || time.is_some()).then_some(When { date, time })
}

const fn dates(days: Days) -> Dates {
    match days {
        Days::On(day) => Dates::On(day),
        Days::Between(from, to) => Dates::Between(from, to),
        Days::From(day) => Dates::From(day),
        Days::Until(day) => Dates::Until(day),
        Days::Conflict => Dates::Conflict,
    }
}

const fn times(times: understanding::Times) -> Times {
    match times {
        understanding::Times::At(time) => Times::At(time),
        understanding::Times::Between(from, to) => Times::Between(from, to),
        understanding::Times::From(time) => Times::From(time),
        understanding::Times::Until(time) => Times::Until(time),
    }
}
