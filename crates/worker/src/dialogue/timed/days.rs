//! Days that do not suit, the one after the agreed one, and a bare hour beside a day. Pure.

use jiff::ToSpan;

use super::{arranged, dates, is_article, sentence};
use crate::dialogue::act::{Act, Answer, Asked, Dates, Does, When};
use crate::dialogue::state::State;
use crate::dialogue::topics;
use crate::domain::Domain;
use crate::understanding::{Days, Moment, Understanding};

/// The most words of a message whose number beside a day is an hour, wherever it stands.
const FEW_WORDS: usize = 3;

/// "Next Saturday" of an appointment on Saturday is the one after.
pub(super) fn follow_agreed(state: &State, said: &mut [Moment]) {
    let agreed = state.appointment().and_then(|one| one.date);
    for moment in said.iter_mut().filter(|moment| moment.next) {
        if let Some(Days::On(day)) = &mut moment.days
            && agreed == Some(Dates::On(*day))
        {
            *day = day.saturating_add(1.week());
        }
    }
}

/// "I can't come tomorrow" where no day is agreed: it suits not, and another is asked for.
pub(super) fn not_then(domain: &Domain, state: &State, acts: &mut Vec<Act>, said: &[Moment]) {
    let takes = |goal: &str| topics::takes_appointment(domain, goal);
    let arranges = state.goals.iter().any(|open| takes(&open.goal));
    let agreed = state.appointment().is_some_and(|one| one.date.is_some());
    let denied = said.iter().filter(|moment| moment.denied);
    let Some(day) = denied.filter_map(|moment| moment.days).next() else {
        return;
    };
    if !arranges || agreed || said.iter().any(|moment| moment.wanted) {
        return;
    }
    let drops = |act: &Act| match &act.does {
        Does::Cancel {
            when, visit, over, ..
        } => when.is_none() && !visit && !over,
        Does::Unclear { .. } | Does::Answer(Answer::Text(_) | Answer::No) => true,
        _ => false,
    };
    let vague = |act: &Act| match &act.does {
        Does::Ask(ask) => ask.topic == Asked::Other,
        Does::Social(_) => true,
        Does::Inform(inform) => inform.values.is_empty(),
        _ => drops(act),
    };
    if acts.iter().all(vague)
        && let Some(first) = acts.iter().position(drops)
    {
        // "Which day? I can't tomorrow" only asks back.
        let asks_back = |act: &Act| matches!(&act.does, Does::Ask(_));
        if let Some(act) = acts.get_mut(first) {
            act.does = Does::Answer(Answer::NotThen(When {
                date: Some(dates(day)),
                time: None,
            }));
        }
        acts.retain(|act| !drops(act) && !asks_back(act));
    }
}

/// "Saturday then, 10", "he can only do Saturday. 12?": a number that stands alone beside a day is the
/// hour, where an appointment is being made.
pub(super) fn hour_beside_day(
    domain: &Domain,
    state: &State,
    (text, reading): (&str, &Understanding),
    moments: &mut Vec<Moment>,
) {
    let dated = moments.iter().any(|moment| moment.days.is_some());
    let timed = moments.iter().any(|moment| moment.times.is_some());
    if !dated || timed || arranged(domain, state).is_none() {
        return;
    }
    let Ok([hour]) = <[Moment; 1]>::try_from(reading.moments.hours()) else {
        return;
    };
    let around = sentence(text, hour.bytes.start);
    let alone =
        |part: Option<&str>, ends: fn(&str) -> bool| part.is_some_and(|part| ends(part.trim()));
    let before = alone(text.get(around.start..hour.bytes.start), |part| {
        part.is_empty() || part.ends_with([',', ':', '-'])
    });
    let after = alone(text.get(hour.bytes.end..around.end), |part| {
        part.is_empty() || part.starts_with([',', '?', '!', '.'])
    });
    // "Tomorrow 9".
    let few = text.split_whitespace().count() <= FEW_WORDS && !is_article(&hour, text);
    if before && after || few {
        moments.push(hour);
    }
}
