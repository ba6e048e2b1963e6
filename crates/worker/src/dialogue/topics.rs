//! What is known and missing of a goal. Pure.

use super::act::Dates;
use super::state::{AppointmentStatus, OursAbout, Pursued, State};
use crate::domain::{About, Domain, Topic, TopicKind};

/// A topic is not asked more often, whatever it is asked for.
const MOST_ASKED: u32 = 2;
/// The shortest word of a goal's label that names it.
const LABEL_WORD: usize = 6;

/// Which thing a goal is about.
pub(crate) fn side(domain: &Domain, goal: &str) -> About {
    let intent = domain.intents.iter().find(|intent| intent.name == goal);
    intent.map_or(About::Wanted, |intent| intent.about)
}

/// The first goal about a thing.
pub(super) fn first_goal(domain: &Domain, about: About) -> Option<&str> {
    let goals = domain.dialogue.goals.iter().filter(|goal| goal.lead);
    goals
        .map(|goal| goal.intent.as_str())
        .find(|goal| side(domain, goal) == about)
}

/// Whether a goal ends in an appointment.
pub(super) fn takes_appointment(domain: &Domain, goal: &str) -> bool {
    let Some(goal) = domain.dialogue.goal(goal) else {
        return false;
    };
    let mut asks = goal
        .asks
        .iter()
        .filter_map(|name| domain.dialogue.topic(name));
    asks.any(|topic| topic.kind == TopicKind::Date)
}

/// Whether who names a moment for a goal comes for it.
pub(super) fn is_visited(domain: &Domain, goal: &str) -> bool {
    let visits = domain.dialogue.goal(goal).is_some_and(|goal| goal.visits);
    visits || takes_appointment(domain, goal)
}

/// Whether a text has a word of what a goal is called.
pub(super) fn is_named(domain: &Domain, goal: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    let texts = domain.replies.iter();
    let mut texts = texts.filter_map(|replies| replies.goals.get(goal));
    texts.any(|texts| {
        let label = texts.label.split_whitespace();
        let mut label = label.filter(|word| word.chars().count() >= LABEL_WORD);
        label.any(|word| text.contains(&word.to_lowercase()))
            || texts.names.iter().any(|name| begins_a_word(&text, name))
    })
}

fn begins_a_word(text: &str, name: &str) -> bool {
    let inside = |at: usize| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        before.is_some_and(char::is_alphanumeric)
    };
    text.match_indices(name).any(|(at, _)| !inside(at))
}

/// The first topic of a goal that is missing and may still be asked.
pub(super) fn missing<'d>(domain: &'d Domain, state: &State, goal: &str) -> Option<&'d str> {
    let open = state.goals.iter().find(|open| open.goal == goal)?;
    let asks = domain.dialogue.goal(goal)?.asks.iter();
    let mut topics = asks.filter_map(|name| domain.dialogue.topic(name));
    topics
        .find(|topic| !is_settled(domain, state, open, topic))
        .map(|topic| topic.name.as_str())
}

/// Whether nothing is missing of a goal for the first time. What was asked in vain is missing still.
pub(super) fn becomes_ready(domain: &Domain, state: &mut State, name: &str) -> bool {
    let Some(goal) = domain
        .dialogue
        .goal(name)
        .filter(|goal| !goal.asks.is_empty())
    else {
        return false;
    };
    let Some(open) = state.goals.iter().find(|open| open.goal == name) else {
        return false;
    };
    let mut topics = goal
        .asks
        .iter()
        .filter_map(|name| domain.dialogue.topic(name));
    let all = topics.all(|topic| is_answered(domain, state, open, topic));
    if !all || offered(state, name) {
        return false;
    }
    let open = state.goals.iter_mut().find(|open| open.goal == name);
    open.is_some_and(|open| !std::mem::replace(&mut open.ready, true))
}

/// Whether moments were offered for a goal and none is taken yet.
fn offered(state: &State, goal: &str) -> bool {
    let appointment = state.appointment().filter(|one| one.purpose == goal);
    appointment.is_some_and(|one| one.status == AppointmentStatus::Offered)
}

fn is_settled(domain: &Domain, state: &State, open: &Pursued, topic: &Topic) -> bool {
    // Which of the offered moments suits is asked already.
    let about = state.ours.as_ref().map(|ours| &ours.about);
    let of_offer = matches!(topic.kind, TopicKind::Date | TopicKind::Time)
        && about == Some(&OursAbout::Moment)
        && offered(state, &open.goal);
    // Who did not say the day has no answer to the hour.
    let dayless = topic.kind == TopicKind::Time && !knows_day(state, &open.goal);
    // Who comes for one thing comes for the other, too.
    let comes = matches!(topic.kind, TopicKind::Date | TopicKind::Time)
        && comes_for_another(state, &open.goal);
    comes
        || !may_ask(state, &topic.name)
        || of_offer
        || dayless
        || is_answered(domain, state, open, topic)
}

/// Whether a topic was not asked too often yet.
pub(super) fn may_ask(state: &State, topic: &str) -> bool {
    let put = state.questions.get(topic);
    put.is_none_or(|put| put.times < MOST_ASKED)
}

fn comes_for_another(state: &State, goal: &str) -> bool {
    let appointment = state.appointment().filter(|one| one.purpose != goal);
    appointment.is_some_and(|one| one.date.is_some_and(Dates::is_narrow))
}

fn knows_day(state: &State, goal: &str) -> bool {
    let appointment = state.appointment().filter(|one| one.purpose == goal);
    appointment.is_some_and(|one| one.date.is_some())
}

/// Whether it is known, need not be, or goes without saying of a certain thing.
fn is_answered(domain: &Domain, state: &State, open: &Pursued, topic: &Topic) -> bool {
    let of_thing = topic.kind == TopicKind::Values && side(domain, &open.goal) == About::Wanted;
    // The appointment is for a certain one.
    let comes_for = || {
        let mut appointments = state.appointments.iter();
        appointments.any(|one| one.purpose == open.goal && one.thing.is_some())
    };
    of_thing && (state.definite || comes_for())
        || is_needless(state, side(domain, &open.goal), topic)
        || open.skipped.contains(&topic.name)
        || is_known(domain, state, &open.goal, topic)
}

/// Whether something known makes a question needless. Of alternatives all must.
fn is_needless(state: &State, about: About, topic: &Topic) -> bool {
    let wishes = state.wishes(about);
    let of_slot = |slot: &String| wishes.get(slot).filter(|wish| !wish.any_of.is_empty());
    topic.unless.iter().any(|(slot, _)| {
        let excluded = |value: &str| {
            let mut unless = topic.unless.iter();
            unless.any(|(of, one)| of == slot && one == value)
        };
        of_slot(slot)
            .is_some_and(|wish| wish.any_of.iter().all(|value| excluded(&value.to_string())))
    })
}

/// Whether what a topic asks for is known.
pub(super) fn is_known(domain: &Domain, state: &State, goal: &str, topic: &Topic) -> bool {
    let appointment = state.appointment().filter(|one| one.purpose == goal);
    let appointment = appointment.filter(|one| one.status != AppointmentStatus::Offered);
    let told = || {
        let wishes = state.wishes(side(domain, goal));
        let mut values = topic.values.iter().filter_map(|slot| wishes.get(slot));
        values.any(|wish| wish.indifferent || !wish.any_of.is_empty())
    };
    match topic.kind {
        TopicKind::Values => told(),
        TopicKind::Date => appointment.is_some_and(|one| one.date.is_some_and(Dates::is_narrow)),
        TopicKind::Time => appointment.is_some_and(|one| {
            one.time.is_some() || !matches!(one.date, Some(Dates::On(_)) | None)
        }),
        TopicKind::Text => state.answers.contains_key(&topic.name) || told(),
    }
}
