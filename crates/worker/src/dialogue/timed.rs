//! Gives the moments of a message to the acts that they belong to. Pure.

use std::ops::Range;

use jiff::Zoned;

use super::act::{Act, Answer, Ask, Asked, Dates, Does, Form, Inform, Origin, Thing, Times, When};
use super::state::{OursAbout, State};
use super::topics;
use crate::domain::{Domain, TopicKind};
use crate::understanding::{self, Days, HoursAnswer, Moment, Understanding};

/// A span that is longer says when somebody wants to buy, not when to come.
const LONGEST_SPAN_DAYS: i32 = 14;
/// Letters around a moment that make it no question of its own: "en … dan?".
const AROUND: usize = 8;

/// The acts with the moments that were said in their words; what is left over is told.
pub fn timed(
    domain: &Domain,
    state: &State,
    reading: &Understanding,
    mut acts: Vec<Act>,
    now: &Zoned,
) -> Vec<Act> {
    let wanted = reading.moments.all(now).into_iter();
    let mut moments: Vec<Moment> = wanted.filter(|moment| moment.wanted).collect();
    let whole = when(&moments);
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
    for act in &mut acts {
        asked_hours(act, asked.as_ref(), now);
    }
    if let Some(said) = when(&moments).and(whole) {
        left_over(domain, state, &mut acts, said);
    }
    acts
}

/// The moments that stand in the words of an act that can have one.
fn take_inside(moments: &mut Vec<Moment>, words: &Range<usize>, does: &Does) -> Vec<Moment> {
    let takes = match does {
        Does::Ask(ask) => ask.when.is_none(),
        Does::Request { when, .. } | Does::Reschedule { when, .. } => when.is_none(),
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
        Does::Request { when, .. } | Does::Reschedule { when, .. } => *when = Some(said),
        _ => {}
    }
}

/// A question about hours that names no day may still ask about one: the next opening, today.
fn asked_hours(act: &mut Act, asked: Option<&HoursAnswer>, now: &Zoned) {
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

/// A moment that belongs to no act answers our question, moves or proposes an appointment.
fn left_over(domain: &Domain, state: &State, acts: &mut Vec<Act>, said: When) {
    let asked = state.ours.as_ref().is_some_and(|ours| match &ours.about {
        OursAbout::Moment => true,
        OursAbout::Topic(topic) => {
            let kind = domain.dialogue.topic(topic).map(|topic| topic.kind);
            matches!(kind, Some(TopicKind::Date | TopicKind::Time))
        }
        OursAbout::Meaning | OursAbout::Colleague | OursAbout::Stop => false,
    });
    let takes = |goal: &str| topics::takes_appointment(domain, goal);
    let requested = acts.iter().any(|act| match &act.does {
        Does::Request { goal, .. } => takes(goal),
        _ => false,
    });
    let pursued = state.goals.iter().any(|open| takes(&open.goal));
    if !asked && !requested && !pursued && state.appointment().is_none() || is_long(said) {
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
        })
    };
    acts.push(Act {
        does,
        confidence: 0.9,
        words: 0..0,
        clause: 0,
        origin: Origin::Rules,
    });
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
