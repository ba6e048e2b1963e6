//! Days that do not suit, the one after the agreed one, and a bare hour beside a day. Pure.

use jiff::ToSpan;

use super::{arranged, dates, is_article, sentence, told};
use crate::dialogue::act::{Act, Answer, Asked, Dates, Does, Form, Social, When};
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
    follow_spoken_of(state, agreed, said);
}

/// "The Monday after": counted from the day before it in the message, the one that was asked about, or
/// the agreed one.
fn follow_spoken_of(state: &State, agreed: Option<Dates>, said: &mut [Moment]) {
    let asked = state.last_ask.as_ref().and_then(|last| last.days);
    let mut last = asked.or(agreed);
    for moment in said {
        if let (true, Some(Days::On(day)), Some(Dates::On(from))) =
            (moment.after, &mut moment.days, last)
        {
            *day = from.nth_weekday(1, day.weekday()).unwrap_or(*day);
        }
        last = moment.days.map(dates).or(last);
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

/// What a message says of the day of the appointment.
pub(super) struct AgreedDay {
    named: bool,
    denied: bool,
    /// Another day suits not.
    pub(super) other_denied: bool,
}

pub(super) fn agreed_day(state: &State, said: &[Moment]) -> AgreedDay {
    let standing = state.appointment().and_then(|one| one.date);
    let is_it = |moment: &&Moment| standing.is_some() && moment.days.map(dates) == standing;
    let mut named = said.iter().filter(is_it);
    let other = |moment: &Moment| moment.denied && moment.days.is_some() && !is_it(&moment);
    AgreedDay {
        named: named.clone().next().is_some(),
        denied: named.any(|moment| moment.denied),
        other_denied: said.iter().any(other),
    }
}

/// What looks like a cancel may move the appointment, and a day that suits not moves it or calls it off.
pub(super) fn replan(
    (domain, state): (&Domain, &State),
    (text, agreed): (&str, &AgreedDay),
    moments: &[Moment],
    acts: &mut Vec<Act>,
) {
    moved_instead((domain, state), (text, agreed.named), moments, acts);
    day_off(state, agreed.denied, moments, acts);
}

/// "Leave it then. I'll come Monday at 10", "Wednesday is no good, could it be Monday at the same time":
/// who names another day and hour moves the appointment and calls nothing off.
fn moved_instead(
    (domain, state): (&Domain, &State),
    (text, standing_is_named): (&str, bool),
    moments: &[Moment],
    acts: &mut [Act],
) {
    let Some(known) = state.appointment() else {
        return;
    };
    let same_hour = |act: &Act| act.does == Does::Social(Social::SameHour);
    let again = acts.iter().any(same_hour);
    let timed = again || moments.iter().any(|moment| moment.exact);
    let other_day = |moment: &&Moment| {
        matches!(moment.days, Some(Days::On(_))) && moment.days.map(dates) != known.date
    };
    let of_other =
        |act: &Act| matches!(&act.does, Does::Request { goal, .. } if *goal != known.purpose);
    let Some(day) = moments
        .iter()
        .find(other_day)
        .filter(|_| !acts.iter().any(of_other))
    else {
        return;
    };
    let asks_for_it = |act: &Act| {
        let proposes = matches!(&act.does, Does::Ask(ask) if ask.form != Form::Which);
        proposes && act.words.start <= day.bytes.start && day.bytes.end <= act.words.end
    };
    if !timed && !acts.iter().any(asks_for_it) {
        return;
    }
    for act in acts {
        let Does::Cancel {
            goal, over, visit, ..
        } = &act.does
        else {
            continue;
        };
        let apart = day.bytes.start >= act.words.end;
        // "Cancel Friday, Saturday at 11 please."
        let for_it = standing_is_named && timed && !apart && !*over;
        // "Cancel it, but a friend of mine comes on Friday at the same time."
        if (*over || *visit) && !again && !for_it {
            continue;
        }
        let of_it = goal
            .as_ref()
            .is_none_or(|goal| *goal == known.purpose || !topics::is_named(domain, goal, text));
        if of_it && (apart || standing_is_named) {
            act.does = Does::Reschedule {
                when: None,
                shift_minutes: None,
                standing: false,
            };
        }
    }
}

/// "Thursday is no good": another day is asked for. Who will let us know which has none until then.
fn day_off(state: &State, denied: bool, moments: &[Moment], acts: &mut Vec<Act>) {
    let standing = state.appointment().and_then(|one| one.date);
    let other = |moment: &Moment| moment.days.is_some() && moment.days.map(dates) != standing;
    let drops = |act: &Act| matches!(act.does, Does::Cancel { .. });
    if standing.is_none() || moments.iter().any(other) || acts.iter().any(drops) {
        return;
    }
    let moves = |act: &Act| matches!(act.does, Does::Reschedule { .. });
    if !denied && !acts.iter().any(moves) {
        return;
    }
    let later = |act: &Act| act.does == Does::Social(Social::Calls);
    let does = match acts.iter().any(later) {
        true => Does::Cancel {
            goal: None,
            when: None,
            visit: true,
            over: false,
        },
        false if acts.iter().any(moves) => return,
        false => Does::Reschedule {
            when: None,
            shift_minutes: None,
            standing: false,
        },
    };
    let unread = |act: &Act| matches!(act.does, Does::Unclear { .. } | Does::Answer(_));
    acts.retain(|act| !moves(act) && !unread(act) && !matches!(act.does, Does::Handoff { .. }));
    acts.insert(0, told(does, ""));
}

/// "I was going to come tomorrow at 10, but we had the baby, so it's off": one appointment, and none is made.
pub(super) fn called_off_at_once(state: &State, acts: &mut Vec<Act>) {
    let asked = acts
        .iter()
        .position(|act| matches!(act.does, Does::Request { when: Some(_), .. }));
    let Some(at) = asked.filter(|_| state.appointment().is_none()) else {
        return;
    };
    let Some(Act {
        does: Does::Request { goal, when, .. },
        words,
        ..
    }) = acts.get(at).cloned()
    else {
        return;
    };
    let off = acts.iter_mut().find_map(|act| match &mut act.does {
        Does::Cancel {
            goal: of,
            when: moment @ None,
            visit: true,
            ..
        } if words.end <= act.words.start => Some((of, moment)),
        _ => None,
    });
    if let Some((of, moment)) = off {
        (*of, *moment) = (Some(goal), when);
        acts.remove(at);
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
    if follows_day(text, moments, &hour) && ends_soon(text.get(hour.bytes.end..around.end)) {
        moments.push(hour);
        return;
    }
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

/// "Tomorrow 9 please": right behind the day.
fn follows_day(text: &str, moments: &[Moment], hour: &Moment) -> bool {
    let mut days = moments.iter().filter(|moment| moment.days.is_some());
    days.any(|day| {
        let between = text.get(day.bytes.end..hour.bytes.start);
        between.is_some_and(|between| between.trim().is_empty())
    })
}

/// Whether no more than a word or two of the clause follows, so that the number counts nothing.
fn ends_soon(rest: Option<&str>) -> bool {
    const SHORT: usize = 10;
    let clause = rest.and_then(|rest| rest.split([',', '?', '!', '.']).next());
    clause.is_some_and(|clause| clause.trim().len() <= SHORT)
}
