//! Moments that stand in the words of no act. Pure.

use jiff::Zoned;

use super::{asked_for_moment, told};
use crate::dialogue::act::{Act, Answer, Asked, Dates, Does, Inform, Social, Thing, Times, When};
use crate::dialogue::state::State;
use crate::dialogue::topics;
use crate::domain::Domain;
use crate::understanding::{Moment, Understanding};

/// A span that is longer says when somebody wants to buy, not when to come.
const LONGEST_SPAN_DAYS: i32 = 14;

/// "Any morning except Wednesday": the day that does not suit goes with the rest, as it was written.
pub(super) fn excluded_day(
    reading: &Understanding,
    text: &str,
    said: Option<When>,
    now: &Zoned,
) -> Option<Act> {
    let denied = |moment: &Moment| !moment.wanted && moment.days.is_some();
    let excludes = reading.moments.all(now).iter().any(denied);
    let open = |said: &When| matches!(said.date, None | Some(Dates::Between(..)));
    said.filter(|said| excludes && open(said))?;
    let inform = Inform {
        thing: Thing::Wanted,
        values: Vec::new(),
        when: None,
        attachment: None,
        remark: Some(text.to_owned()),
    };
    Some(told(Does::Inform(inform), text))
}

/// What is said beside a moment that is proposed gives it its day, and is no other one: "ik moet morgen
/// tot zes werken, kan het zaterdag om tien". Whether some act has a moment.
pub(super) fn complete(acts: &mut [Act], rest: When) -> bool {
    let recalls = |act: &Act| act.does == Does::Social(Social::Recalls);
    if acts.iter().any(recalls) {
        // "Are we still on for tomorrow" proposes nothing.
        return true;
    }
    let shifted = acts.iter_mut().find_map(|act| match &mut act.does {
        Does::Reschedule {
            when,
            shift_minutes: Some(_),
            ..
        } => Some(when),
        _ => None,
    });
    if let Some(when) = shifted {
        // "I'm in hospital on Wednesday, may it be a day later?", "the one after. 11 o'clock".
        let hour = rest.date.is_none().then_some(rest);
        *when = when.or(hour);
        return true;
    }
    let mut proposed = acts.iter_mut().filter_map(|act| match &mut act.does {
        Does::Inform(Inform { when, .. })
        | Does::Reschedule { when, .. }
        | Does::Request { when, .. } => when.as_mut(),
        _ => None,
    });
    let Some(when) = proposed.next() else {
        return false;
    };
    if when.date.is_none() {
        when.date = rest.date;
    } else if rest.date.is_none() {
        let exact = rest.time.filter(|time| matches!(time, Times::At(_)));
        when.time = exact.or(when.time).or(rest.time);
    }
    true
}

/// A moment that belongs to no act answers our question, moves or proposes an appointment.
pub(super) fn left_over(
    domain: &Domain,
    state: &State,
    acts: &mut Vec<Act>,
    mut said: When,
    (alone, apart): (bool, bool),
) {
    // "If nobody calls by Friday I'll see a lawyer."
    let complains = |act: &Act| matches!(act.does, Does::Complain { .. });
    if !apart && matches!(said.date, Some(Dates::Until(_))) && acts.iter().any(complains) {
        return keep_day(acts, said);
    }
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
    // "Is there one that we can see this afternoon?", "3 o'clock".
    let last = state.last_ask.as_ref().filter(|last| last.turns == 0);
    let day = last.and_then(|last| last.days);
    let hour = alone && matches!(said.time, Some(Times::At(_))) && state.appointment().is_none();
    said.date = (said.date).or(day.filter(|day| hour && matches!(day, Dates::On(_))));
    let asked = asked_for_moment(domain, state);
    // "Can I wait? I must be in Bocholt at 12" leaves a complete appointment as it is.
    let complete = state.appointment().is_some_and(|one| {
        matches!(one.date, Some(Dates::On(_))) && matches!(one.time, Some(Times::At(_)))
    });
    let asks_else = |act: &Act| matches!(&act.does, Does::Ask(ask) if ask.when.is_none());
    if complete && !asked && !apart && said.date.is_none() && acts.iter().any(asks_else) {
        return;
    }
    let takes = |goal: &str| topics::takes_appointment(domain, goal);
    let requested = acts.iter().any(|act| match &act.does {
        Does::Request { goal, .. } => takes(goal),
        _ => false,
    });
    let in_mind = state.in_mind.as_deref();
    let pursued = state.goals.iter().any(|open| takes(&open.goal))
        || in_mind.is_some_and(|goal| topics::is_visited(domain, goal));
    let asks = acts.iter().any(|act| matches!(act.does, Does::Ask(_)));
    // "Ik kom maandag 10 uur langs": who says day and hour means to come.
    let visits = |act: &Act| matches!(&act.does, Does::Unclear { candidates } if candidates.iter().any(|goal| takes(goal)));
    let comes = !asks
        && matches!(said.date, Some(Dates::On(_)))
        && (matches!(said.time, Some(Times::At(_))) || acts.iter().any(visits));
    // "When can I bring it in? Tomorrow afternoon works": what was asked is settled.
    let visit = |act: &Act| matches!(&act.does, Does::Ask(ask) if ask.topic == Asked::Visit && ask.when.is_none());
    let comes = comes || !is_long(said) && acts.iter().any(visit);
    acts.retain(|act| !(comes && visit(act)));
    let again = is_made_anew(state, acts);
    let arranges = asked || requested || pursued || state.appointment().is_some() || comes || again;
    let free = state.appointment().is_none() && !asked;
    if state.told.is_some() && free && is_of_call(state, acts, pursued, alone) {
        // "Na vijven graag", to a colleague who will get in touch.
        acts.retain(|act| !is_unread(act));
        let when = Some(said);
        let does = Does::Handoff {
            by_phone: false,
            whom: false,
            when,
        };
        acts.push(told(does, ""));
        return;
    }
    if !arranges || is_long(said) {
        return keep_day(acts, said);
    }
    let moves = acts
        .iter()
        .any(|act| matches!(act.does, Does::Cancel { .. }));
    if moves {
        return;
    }
    settle(acts, said, asked);
}

/// The moment in place of what was read of its words without it.
fn settle(acts: &mut Vec<Act>, said: When, asked: bool) {
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

/// "My flight is on 4 January, how do I get to you?": who names an hour next means that day.
fn keep_day(acts: &mut [Act], said: When) {
    let ask = acts.iter_mut().find_map(|act| match &mut act.does {
        Does::Ask(ask) if matches!(ask.topic, Asked::Fact(_)) => Some(ask),
        _ => None,
    });
    if let (Some(ask), Some(Dates::On(_))) = (ask, said.date) {
        ask.when = ask.when.or(Some(When { time: None, ..said }));
    }
}

/// "Friday works after all, same time" of what was called off.
fn is_made_anew(state: &State, acts: &[Act]) -> bool {
    let same_hour = |act: &Act| act.does == Does::Social(Social::SameHour);
    !state.appointments.is_empty() && acts.iter().any(same_hour)
}

fn is_unread(act: &Act) -> bool {
    matches!(act.does, Does::Unclear { .. })
}

/// Whether a moment is when a colleague who was told may get in touch.
fn is_of_call(state: &State, acts: &[Act], pursued: bool, alone: bool) -> bool {
    let waits = |act: &Act| {
        matches!(&act.does, Does::Ask(ask) if ask.topic == Asked::Status)
            || matches!(act.does, Does::Handoff { when: None, .. })
    };
    let awaited = state.told.as_ref().is_some_and(|told| told.call.is_some());
    let light = |act: &Act| is_unread(act) || matches!(act.does, Does::Social(_));
    (alone || awaited && acts.iter().any(is_unread)) && acts.iter().all(light)
        || !pursued && acts.iter().any(waits)
}

pub(super) fn is_long(said: When) -> bool {
    match said.date {
        Some(Dates::Between(from, to)) => from
            .until(to)
            .is_ok_and(|span| span.get_days() > LONGEST_SPAN_DAYS),
        _ => false,
    }
}
