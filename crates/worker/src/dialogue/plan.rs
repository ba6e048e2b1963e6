//! What to say next. Pure.

use jiff::Timestamp;
use shared_types::{Attachment, Slots};

use crate::domain::{About, Answer, Domain};
use crate::memory::Memory;
use crate::understanding::Mood;

/// A turn as the plan sees it. The memory has already learned from the message.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// What the router decided.
    pub intent: &'a str,
    /// How sure it is.
    pub confidence: f64,
    /// What the message itself told.
    pub told: &'a Slots,
    /// Set when the message is nothing but a yes or a no.
    pub answer: Option<Answer>,
    /// How the customer seems to feel.
    pub mood: Mood,
    /// The message's text.
    pub text: &'a str,
    /// The message's files.
    pub attachments: &'a [Attachment],
    /// Whether the message shares a place.
    pub has_location: bool,
    /// What is remembered.
    pub memory: &'a Memory,
    /// The day that the message names, in words.
    pub named_day: Option<&'a str>,
    /// The time of the message.
    pub now: Timestamp,
}

/// What the reply will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is said; see [`Saying`].
    pub saying: Saying,
    /// The topic that is asked at the end.
    pub ask: Option<String>,
    /// Why a colleague takes over, when one does.
    pub escalation: Option<Escalation>,
    /// Whether the message was not understood.
    pub misunderstood: bool,
    /// A free answer to the open question: the topic.
    pub answers: Option<String>,
    /// What the message told in passing: a topic and its answer.
    pub told: Option<(String, String)>,
}

/// The texts that a reply is chosen from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// A text for an occasion, by name.
    Occasion(&'static str),
    /// The first words on an intent; facets may replace them.
    Opening(String),
    /// Something new was told about an intent.
    More(String),
    /// Nothing is left to ask about an intent.
    Done(String),
}

impl Saying {
    /// Whether it goes on with what the customer wants.
    pub const fn is_about_intent(&self) -> bool {
        !matches!(self, Self::Occasion(_))
    }
}

/// Why a colleague takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escalation {
    /// The customer asked for one, or complains.
    Asked,
    /// The customer is angry.
    Angry,
    /// The customer speaks of a lawyer or a court.
    LegalThreat,
    /// The bot did not understand for the last time.
    NotUnderstood,
    /// A message could not be handled.
    Failed,
}

impl Escalation {
    /// A short name for colleagues, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Angry => "angry",
            Self::LegalThreat => "legal_threat",
            Self::NotUnderstood => "not_understood",
            Self::Failed => "turn_failed",
        }
    }
}

impl Plan {
    fn say(saying: Saying) -> Self {
        Self {
            saying,
            ask: None,
            escalation: None,
            misunderstood: false,
            answers: None,
            told: None,
        }
    }

    fn occasion(name: &'static str) -> Self {
        Self::say(Saying::Occasion(name))
    }
}

/// The confidence that it takes to leave a question open that any text answers: a message is more
/// likely its answer than another subject.
pub(crate) const SURE_OF_ANOTHER_SUBJECT: f64 = 0.8;

/// Decides what to say.
pub fn plan(domain: &Domain, now: &Situation<'_>) -> Plan {
    if let Some(escalation) = escalation(domain, now) {
        return hand_over(domain, now, escalation);
    }
    if now.text.is_empty() && (now.has_location || !now.attachments.is_empty()) {
        return Plan::occasion(media_occasion(now));
    }
    let dialogue = &domain.dialogue;
    if let Some(topic) = free_answer(domain, now) {
        let intent = now.memory.intent.clone().unwrap_or_default();
        return Plan {
            answers: Some(topic.clone()),
            ..pursue(domain, now, &intent, Some(&topic))
        };
    }
    if now.intent == dialogue.greeting_intent {
        return Plan::occasion("greeting");
    }
    if now.intent == dialogue.thanks_intent {
        return Plan::occasion("thanks");
    }
    let sure = now.confidence >= domain.settings.confidence_threshold;
    let tells_something = !now.told.is_empty();
    match dialogue.goal(now.intent) {
        Some(goal) if sure || tells_something => pursue(domain, now, &goal.intent, None),
        _ => match &now.memory.intent {
            Some(intent) if tells_something || now.answer.is_some() => {
                pursue(domain, now, &intent.clone(), None)
            }
            _ if sure
                && now.intent == domain.settings.fallback_intent
                && now.text.chars().count() > 3 =>
            {
                Plan::occasion("off_topic")
            }
            _ => not_understood(domain, now),
        },
    }
}

fn escalation(domain: &Domain, now: &Situation<'_>) -> Option<Escalation> {
    if now.mood.legal_threat {
        return Some(Escalation::LegalThreat);
    }
    if now.mood.angry {
        return Some(Escalation::Angry);
    }
    let asks = domain
        .dialogue
        .handoff_intents
        .iter()
        .any(|intent| intent == now.intent);
    // Of what is about messages and data only the wish to be erased gets here: a colleague's work.
    let asks = asks || now.intent == domain.dialogue.opt_out_intent;
    asks.then_some(Escalation::Asked)
}

fn hand_over(domain: &Domain, now: &Situation<'_>, escalation: Escalation) -> Plan {
    hand_over_plan(domain, now.now, escalation)
}

/// A colleague takes over; what is said depends on whether somebody is there.
pub fn hand_over_plan(domain: &Domain, now: Timestamp, escalation: Escalation) -> Plan {
    let local = now.to_zoned(domain.business.time_zone.clone());
    let hours = &domain.business.hours;
    let open = !hours.is_known() || hours.is_open(local.datetime());
    let occasion = if open {
        "handoff_open"
    } else {
        "handoff_closed"
    };
    Plan {
        escalation: Some(escalation),
        ..Plan::occasion(occasion)
    }
}

fn not_understood(domain: &Domain, now: &Situation<'_>) -> Plan {
    if now.memory.misunderstandings + 1 >= domain.dialogue.misunderstandings {
        let plan = hand_over(domain, now, Escalation::NotUnderstood);
        return Plan {
            misunderstood: true,
            ..plan
        };
    }
    Plan {
        misunderstood: true,
        ..Plan::occasion("unclear")
    }
}

fn media_occasion(now: &Situation<'_>) -> &'static str {
    if now.has_location {
        return "location";
    }
    let kind = now
        .attachments
        .first()
        .and_then(|file| file.content_type.as_deref())
        .unwrap_or_default();
    match kind.split('/').next().unwrap_or_default() {
        "image" => "image",
        "audio" => "audio",
        "video" => "video",
        "text" if kind.contains("vcard") => "contact_card",
        "application" if kind.contains("whatsapp-contact") => "contact_card",
        "application" if kind.contains("x-whatsapp") => "unknown_media",
        "application" | "text" => "document",
        _ => "unknown_media",
    }
}

/// The topic that a message answers in its own words. A message that wants something else does not.
fn free_answer(domain: &Domain, now: &Situation<'_>) -> Option<String> {
    let topic = domain
        .dialogue
        .topic(now.memory.open_question.as_deref()?)?;
    if !topic.values.is_empty() || now.answer == Some(Answer::Denial) {
        return None;
    }
    let wants_else = now.confidence >= SURE_OF_ANOTHER_SUBJECT
        && domain.dialogue.goal(now.intent).is_some()
        && now.memory.intent.as_deref() != Some(now.intent);
    let small_talk = [
        &domain.dialogue.greeting_intent,
        &domain.dialogue.thanks_intent,
    ]
    .into_iter()
    .any(|intent| intent == now.intent)
        && now.confidence >= domain.settings.confidence_threshold
        && now.answer.is_none()
        && now.text.chars().count() < 12;
    (!wants_else && !small_talk).then(|| topic.name.clone())
}

/// Goes on with an intent: says what fits and asks for the first thing that is missing.
fn pursue(domain: &Domain, now: &Situation<'_>, intent: &str, just_answered: Option<&str>) -> Plan {
    let about = about(domain, intent);
    let known = now.memory.known(about);
    let asks = domain
        .dialogue
        .goal(intent)
        .map(|goal| goal.asks.as_slice())
        .unwrap_or_default();
    let is_missing = |name: &&String| {
        let filled = domain
            .dialogue
            .topic(name)
            .is_some_and(|topic| topic.values.iter().any(|value| known.contains_key(value)));
        let answered =
            now.memory.answers.contains_key(*name) || just_answered == Some(name.as_str());
        !filled && !answered && !now.memory.asked.contains(name)
    };
    let ask = asks.iter().find(is_missing).cloned();
    // Who asks about the business again gets another answer, not the end of a form.
    let first = !now.memory.opened || asks.is_empty();
    let intent = intent.to_owned();
    let saying = match (&ask, first) {
        (_, true) => Saying::Opening(intent),
        (Some(_), false) => Saying::More(intent),
        (None, false) => Saying::Done(intent),
    };
    let topic = ask.as_deref().and_then(|name| domain.dialogue.topic(name));
    let instead =
        topic.and_then(|topic| Some((topic, topic.when_day_named.clone()?, now.named_day?)));
    match instead {
        Some((topic, other, day)) => Plan {
            ask: Some(other),
            told: Some((topic.name.clone(), day.to_owned())),
            ..Plan::say(saying)
        },
        None => Plan {
            ask,
            ..Plan::say(saying)
        },
    }
}

/// Which thing an intent is about.
fn about(domain: &Domain, intent: &str) -> About {
    let found = domain.intents.iter().find(|known| known.name == intent);
    found.map_or(About::Wanted, |intent| intent.about)
}
