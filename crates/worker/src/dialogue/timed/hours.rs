//! Questions about opening hours, as far as their moments tell. Pure.

use jiff::civil::Time;
use jiff::{ToSpan, Zoned};

use super::arranged;
use crate::dialogue::act::{Act, Ask, Asked, Dates, Does, Form, Thing, Times, When};
use crate::dialogue::state::State;
use crate::dialogue::topics;
use crate::domain::Domain;
use crate::understanding::HoursAnswer;

/// Whether a message is nothing but another day for the question before: "en maandag?".
pub(super) fn goes_on_with_hours(
    domain: &Domain,
    state: &State,
    (text, said): (&str, When),
    acts: &[Act],
) -> bool {
    let last = state.last_ask.as_ref().map(|last| &last.topic);
    // "Dann Samstag 14 Uhr" after the hours of Saturday says when.
    let exact = said.date.is_some() && matches!(said.time, Some(Times::At(_)));
    let arranges = arranged(domain, state).is_some();
    let open = state.ours.is_none() && !arranges && !exact;
    // "The Monday after? Half ten" of a visit proposes both.
    let open = open || text.contains('?') && !(arranges && exact);
    let says_more = |act: &Act| match &act.does {
        Does::Unclear { .. } | Does::Social(_) | Does::Request { .. } => false,
        Does::Ask(ask) => !matches!(ask.topic, Asked::Other | Asked::Hours),
        Does::Inform(inform) => !inform.is_empty(),
        _ => true,
    };
    last == Some(&Asked::Hours) && open && !acts.iter().any(says_more)
}

pub(super) fn ask_hours(said: When) -> Does {
    Does::Ask(Ask {
        topic: Asked::Hours,
        form: Form::YesNo,
        thing: Thing::Wanted,
        content: Vec::new(),
        when: Some(said),
    })
}

/// "On which days are you open" asks for all of them; whether it does.
pub(super) fn asks_week(act: &mut Act, now: &Zoned) -> bool {
    let Does::Ask(ask) = &mut act.does else {
        return false;
    };
    let asks = ask.topic == Asked::Hours;
    if asks {
        let last = now.date().saturating_add(6.days());
        let date = Some(Dates::Between(now.date(), last));
        ask.when = Some(When { date, time: None });
    }
    asks
}

/// "Are you on between Christmas and New Year": what is asked about hours is no question of its own.
pub(super) fn asks_hours(act: &mut Act, asked: Option<&HoursAnswer>) {
    if let Does::Ask(ask) = &mut act.does
        && ask.topic == Asked::Other
        && asked.is_some_and(|asked| {
            !matches!(asked, HoursAnswer::OpenNow(_) | HoursAnswer::ClosedNow(_))
        })
    {
        ask.topic = Asked::Hours;
    }
}

/// A question about hours that names no day may still ask about one: the next opening, today.
/// Without a day it goes on with `last_day`.
pub(super) fn asked_hours(
    act: &mut Act,
    asked: Option<&HoursAnswer>,
    last_day: Option<Dates>,
    now: &Zoned,
) {
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
        // "Until when are you open today" names the day, and bounds nothing.
        Some(HoursAnswer::HoursOn(on, _) | HoursAnswer::Closes(on, _))
            if !when.is_some_and(|when| when.date.is_some_and(is_asked_as_such)) =>
        {
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

/// "Are you open on Saturday? Then I'll come by": on the day that was asked about, where it is open.
pub(super) fn comes_when_open(domain: &Domain, acts: &mut [Act]) {
    let asked = acts.iter().find_map(|act| match &act.does {
        Does::Ask(Ask {
            topic: Asked::Hours,
            form: Form::YesNo,
            when:
                Some(When {
                    date: Some(Dates::On(day)),
                    ..
                }),
            ..
        }) => Some((act.words.end, *day)),
        _ => None,
    });
    let Some((end, day)) = asked else { return };
    let hours = &domain.business.hours;
    if !hours.is_known() || hours.on(day).is_empty() {
        return;
    }
    for act in acts.iter_mut().filter(|act| end <= act.words.start) {
        if let Does::Request {
            goal,
            when: when @ None,
            ..
        } = &mut act.does
            && topics::takes_appointment(domain, goal)
        {
            *when = Some(When {
                date: Some(Dates::On(day)),
                time: None,
            });
        }
    }
}

/// "1400", and nothing else.
pub(super) fn in_figures(text: &str) -> Option<Times> {
    const QUARTER: i8 = 15;
    let figures = text.trim().trim_end_matches(['.', '!', '?']);
    if figures.len() != 4 || !figures.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hour, minute) = (
        figures.get(..2)?.parse().ok()?,
        figures.get(2..)?.parse().ok()?,
    );
    let time = Time::new(hour, minute, 0, 0).ok()?;
    let believable = (8..20).contains(&hour) && minute % QUARTER == 0;
    believable.then_some(Times::At(time))
}

/// A day or a span of days; `/2026-12-05` is none.
const fn is_asked_as_such(dates: Dates) -> bool {
    !matches!(dates, Dates::Until(_))
}
