//! Gives the moments of a message to the acts that they belong to. Pure.

mod ages;
mod days;
mod hours;
mod rest;
mod several;

use std::ops::Range;

use jiff::Zoned;

use ages::date_ages;
use days::{agreed_day, called_off_at_once, follow_agreed, hour_beside_day, not_then, replan};
use hours::{
    ask_hours, asked_hours, asks_hours, asks_week, comes_when_open, goes_on_with_hours, in_figures,
};
use rest::{complete, excluded_day, is_long, left_over};
use several::{keep_meant, offered_day, sentence};

use super::act::{Act, Answer, Asked, Dates, Does, Form, Inform, Origin, Thing, Times, When};
use super::state::{OursAbout, State};
use super::topics;
use crate::domain::{About, Domain, TopicKind};
use crate::understanding::{self, Days, Moment, Understanding};

/// Letters around a moment that make it no question of its own: "en … dan?".
const AROUND: usize = 8;
/// The most words of a message whose number is an hour without any word that says so.
const FEW_WORDS: usize = 6;
/// The same where the number may be an article.
const ARTICLE_WORDS: usize = 2;
/// The same where it proposes a moment: "kan dat …", "… would that work?".
const AROUND_PROPOSAL: usize = 48;
/// The same where a question word begins it: "how about …".
const AROUND_WORD: usize = 20;

/// The acts with the moments that were said in their words; what is left over is told.
pub fn timed(
    domain: &Domain,
    state: &State,
    (text, reading): (&str, &Understanding),
    mut acts: Vec<Act>,
    now: &Zoned,
) -> Vec<Act> {
    let mut said = reading.moments.all(now);
    follow_agreed(state, &mut said);
    date_ages(&mut acts, now);
    not_then(domain, state, &mut acts, &said);
    let letters: usize = said.iter().map(|moment| moment.bytes.len()).sum();
    let wanted = said.into_iter();
    let agreed = agreed_day(state, wanted.as_slice());
    let mut moments: Vec<Moment> = wanted.filter(|moment| moment.wanted).collect();
    keep_meant(state, (text, &acts), &mut moments);
    if moments.is_empty() {
        moments.extend(offered_day(state, (text, &acts)));
    }
    if moments.is_empty() && asks_for_hour(domain, state, &acts) {
        moments.extend(bare_hour(state, (text, &acts), reading));
    }
    if let Some(time) = in_figures(text).filter(|_| moments.is_empty() && asks_time(domain, state))
    {
        let when = When {
            date: None,
            time: Some(time),
        };
        return vec![told(Does::Answer(Answer::Moment(when)), text)];
    }
    hour_beside_day(domain, state, (text, reading), &mut moments);
    replan((domain, state), (text, &agreed), &moments, &mut acts);
    let whole = when(&moments);
    let rest = text.trim().len().saturating_sub(letters);
    let alone = rest <= AROUND;
    let open = |act: &Act| {
        let asks_nothing = matches!(&act.does, Does::Ask(ask) if ask.topic == Asked::Other);
        asks_nothing || matches!(act.does, Does::Unclear { .. })
    };
    let bare = alone || rest <= AROUND_WORD && acts.iter().all(open);
    if let Some(said) = whole.filter(|_| bare)
        && goes_on_with_hours(domain, state, (text, said), &acts)
    {
        return vec![told(ask_hours(said), text)];
    }
    for act in &mut acts {
        let inside: Vec<Moment> = take_inside(&mut moments, &act.words, &act.does);
        if let Some(said) = when(&inside).filter(|said| !is_term(act, said, now)) {
            give(act, said, &inside);
        }
        move_to_bare_hour(act, text, reading);
    }
    called_off_at_once(state, &mut acts);
    let own = ask_for_hours((domain, state), reading, &mut acts, whole, now);
    comes_when_open(domain, &mut acts);
    come_then(domain, &mut acts);
    let requested = requested(domain, &acts, agreed.other_denied);
    let pursued = arranged(domain, state).or(requested.as_deref());
    // Whom a colleague has spoken to says what was agreed.
    let named = state.definite || pursued.is_some() || state.told.is_some();
    acts.iter_mut()
        .filter(|act| {
            let looks = !state.goals.is_empty() && is_bare(act, letters);
            pursued.is_some() || (named || looks) && is_exact(act)
        })
        .for_each(|act| propose(act, own, letters));
    if let Some(pursued) = pursued {
        let names = |goal: &str| topics::is_named(domain, goal, text);
        if !acts.iter().any(tells_of_wanted) {
            let redirect = |act: &mut Act| turn_to(act, pursued, names);
            acts.iter_mut().for_each(redirect);
        }
    }
    acts.extend(excluded_day(reading, text, whole, now));
    if let Some((rest, whole)) = when(&moments).zip(whole)
        && !complete(&mut acts, rest)
    {
        let apart = moments.iter().any(|moment| is_apart(text, moment));
        let counted = moments.iter().all(|moment| moment.counted);
        // "Hi Tobi, there in 10 minutes" of who arranges nothing is for somebody else.
        if !counted || knows_visitor(state) {
            left_over(domain, state, &mut acts, whole, (alone, apart));
        }
    }
    acts
}

/// "The third child comes in March", "I have a contract till September": no time to come.
fn is_term(act: &Act, said: &When, now: &Zoned) -> bool {
    let said = match said.date {
        Some(Dates::Until(day)) => When {
            date: Some(Dates::Between(now.date(), day)),
            ..*said
        },
        _ => *said,
    };
    is_long(said) && matches!(act.does, Does::Request { .. })
}

/// "I want to drive it first. Thursday at 4, or are you closed by then?": the hours that are asked about are
/// when the customer would come.
fn come_then(domain: &Domain, acts: &mut [Act]) {
    let asked = acts.iter().find_map(|act| match &act.does {
        Does::Ask(ask) if ask.topic == Asked::Hours => ask.when.filter(|when| when.is_exact()),
        _ => None,
    });
    let mut requests = acts.iter_mut().filter_map(|act| match &mut act.does {
        // The hours that are asked for the own thing may be those to collect it in.
        Does::Request { goal, when, .. }
            if topics::is_visited(domain, goal) && topics::side(domain, goal) == About::Wanted =>
        {
            Some(when)
        }
        _ => None,
    });
    if let (Some(when), None) = (requests.next(), requests.next()) {
        *when = when.or(asked);
    }
}

/// Reads questions about opening hours; whether there are any.
fn ask_for_hours(
    (domain, state): (&Domain, &State),
    reading: &Understanding,
    acts: &mut [Act],
    whole: Option<When>,
    now: &Zoned,
) -> bool {
    let hours = &domain.business.hours;
    let asked = reading
        .hours_asked
        .answer(&reading.moments.at(now), hours, now);
    let last_day = state.last_ask.as_ref().and_then(|last| last.days);
    let last_day = last_day.or_else(|| state.appointment().and_then(|one| one.date));
    for act in acts {
        if reading.hours_asked.is_week() && asks_week(act, now) {
            continue;
        }
        asks_hours(act, asked.as_ref());
        asked_hours(
            act,
            asked.as_ref(),
            last_day.filter(|_| whole.is_none()),
            now,
        );
    }
    asked.is_some()
}

/// The goal that is asked for and that an appointment is made for; beside a day that suits not also one
/// that is only visited: "I can't collect it today, is Monday fine?"
fn requested(domain: &Domain, acts: &[Act], day_denied: bool) -> Option<String> {
    acts.iter().find_map(|act| match &act.does {
        Does::Request { goal, .. }
            if topics::takes_appointment(domain, goal)
                || day_denied && topics::is_visited(domain, goal) =>
        {
            Some(goal.clone())
        }
        _ => None,
    })
}

/// "Could we make it 3 instead": the hour of who moves or makes an appointment needs no word that says so.
fn move_to_bare_hour(act: &mut Act, text: &str, reading: &Understanding) {
    let words = act.words.clone();
    let when = match &mut act.does {
        Does::Reschedule {
            when,
            shift_minutes: None,
            ..
        } if when.is_none_or(|when| when.time.is_none()) => when,
        // "Could I bring it in this Friday, say 4?"
        Does::Request { when, .. }
            if when.is_some_and(|when| when.date.is_some() && when.time.is_none()) =>
        {
            when
        }
        _ => return,
    };
    let inside = |hour: &Moment| words.start <= hour.bytes.start && hour.bytes.end <= words.end;
    let mut hours = reading.moments.hours().into_iter().filter(inside);
    if let (Some(hour), None) = (hours.next(), hours.next())
        && !is_article(&hour, text)
    {
        let date = when.and_then(|when| when.date);
        let time = hour.times.map(times);
        *when = Some(When { date, time });
    }
}

/// "Half past two then. Can my mother come along?": its sentence says nothing else.
fn is_apart(text: &str, moment: &Moment) -> bool {
    let around = text.get(sentence(text, moment.bytes.start));
    around.is_some_and(|around| around.trim().len() <= moment.bytes.len() + AROUND)
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
    // Who called one off may make it anew.
    let off = state.appointments.last().map(|one| one.purpose.as_str());
    pursued
        .next()
        .or(standing)
        .or(in_mind.filter(|goal| topics::is_visited(domain, goal)))
        .or(off)
}

/// Whether a question is nothing but its moment: "Next Wednesday 11am?"
fn is_bare(act: &Act, letters: usize) -> bool {
    act.words.len() <= letters + AROUND
}

/// Whether a question has a day and an hour: "morgen nach der Arbeit so halb sechs?"
fn is_exact(act: &Act) -> bool {
    let Does::Ask(ask) = &act.does else {
        return false;
    };
    ask.when.is_some_and(When::is_exact)
}

/// While an appointment is being made, "kan dat maandag?" proposes a day and asks for no hours.
fn propose(act: &mut Act, asks_hours: bool, letters: usize) {
    let Does::Ask(ask) = &act.does else { return };
    // "How about Monday" proposes, "what do I bring tomorrow" does not.
    let rest = act.words.len().saturating_sub(letters);
    let short = rest <= AROUND_PROPOSAL;
    let open = ask.form != Form::Which || rest <= AROUND_WORD;
    let vague = matches!(ask.topic, Asked::Hours | Asked::Other) && open;
    // "I'm on a contract till June" proposes nothing.
    let until = |when: &When| matches!(when.date, Some(Dates::Until(_)));
    let proposed = ask.when.filter(|when| !until(when));
    if let Some(said) = proposed.filter(|_| vague && short && !asks_hours) {
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

/// Whether we asked for a day or a time, or offered some.
fn asked_for_moment(domain: &Domain, state: &State) -> bool {
    state.ours.as_ref().is_some_and(|ours| match &ours.about {
        OursAbout::Moment => true,
        OursAbout::Topic(topic) => {
            let kind = domain.dialogue.topic(topic).map(|topic| topic.kind);
            matches!(kind, Some(TopicKind::Date | TopicKind::Time))
        }
        OursAbout::Meaning | OursAbout::Colleague | OursAbout::Stop | OursAbout::Offer => false,
    })
}

/// Whether an appointment or a goal is known.
fn knows_visitor(state: &State) -> bool {
    !state.appointments.is_empty() || !state.goals.is_empty() || state.told.is_some()
}

/// Whether we asked what time would suit.
fn asks_time(domain: &Domain, state: &State) -> bool {
    let topic = state.ours.as_ref().and_then(|ours| match &ours.about {
        OursAbout::Topic(topic) => domain.dialogue.topic(topic),
        _ => None,
    });
    topic.is_some_and(|topic| topic.kind == TopicKind::Time)
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
    // "9 is grand" of an appointment.
    let agrees = |act: &Act| {
        matches!(
            act.does,
            Does::Unclear { .. } | Does::Social(_) | Does::Answer(Answer::Yes)
        )
    };
    let settles = acts.iter().any(moves) || acts.iter().all(agrees);
    asked_for_moment(domain, state) || day_known && settles
}

/// "11", "doe maar 3", "ok 9 it is", "11, not 10": the one number of a short sentence beside the hour
/// that stands.
fn bare_hour(
    state: &State,
    (text, acts): (&str, &[Act]),
    reading: &Understanding,
) -> Option<Moment> {
    let mut hours = reading.moments.hours();
    let standing = state.appointment().and_then(|one| one.time);
    if hours.len() > 1 {
        hours.retain(|hour| hour.times.map(times) != standing);
    }
    let [hour] = <[Moment; 1]>::try_from(hours).ok()?;
    let sentence = text.get(sentence(text, hour.bytes.start)).unwrap_or(text);
    let words = sentence.split_whitespace().count();
    let most = if is_article(&hour, text) {
        ARTICLE_WORDS
    } else {
        FEW_WORDS
    };
    let short = words <= most || !is_article(&hour, text) && begins_short(acts, &hour);
    short.then_some(hour)
}

/// "Can 9 and may I wait there": a few words with the hour, before a clause about something else.
fn begins_short(acts: &[Act], hour: &Moment) -> bool {
    const LETTERS: usize = 10;
    let mut starts = acts.iter().map(|act| act.words.start);
    let soon = |start: usize| hour.bytes.end <= start && start <= LETTERS + hour.bytes.len();
    starts.clone().all(|start| hour.bytes.end <= start) && starts.any(soon)
}

/// "Ein" and "one" are articles as a rule.
fn is_article(hour: &Moment, text: &str) -> bool {
    let written = text.get(hour.bytes.clone()).unwrap_or_default();
    hour.times.is_some_and(is_one) && !written.contains('1')
}

fn is_one(times: understanding::Times) -> bool {
    matches!(times, understanding::Times::At(time) if time.hour() % 12 == 1)
}

/// The day and the time of some moments; an hour goes before a part of the day, and one to come at before
/// one until which something lasts: "swimming till 12, so half past".
fn when(moments: &[Moment]) -> Option<When> {
    let date = moments.iter().find_map(|moment| moment.days).map(dates);
    let timed = || moments.iter().filter(|moment| moment.times.is_some());
    let at = |moment: &&Moment| matches!(moment.times, Some(understanding::Times::At(_)));
    let time = timed()
        .find(|moment| moment.exact && at(moment))
        .or_else(|| timed().find(|moment| moment.exact))
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
