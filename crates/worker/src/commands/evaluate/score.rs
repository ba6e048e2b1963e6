use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use shared_types::Slots;

use super::Labelled;
use crate::understanding::Understanding;

const BANDS: usize = 10;

/// How well labelled messages were understood. Shares are 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The number of messages.
    pub messages: usize,
    /// The share with the right intent.
    pub intent_accuracy: f64,
    /// The share with the right language.
    pub language_accuracy: f64,
    /// The share with the right intent and exactly the right slots.
    pub exact_match: f64,
    /// All slots together.
    pub slots: Counts,
    /// Each slot.
    pub by_slot: BTreeMap<String, Counts>,
    /// Each language.
    pub by_language: BTreeMap<String, LanguageScore>,
    /// Labelled intent, then understood intent, then how often.
    pub confusion: BTreeMap<String, BTreeMap<String, usize>>,
    /// Bands of confidence, from the lowest.
    pub reliability: Vec<Band>,
    /// Messages that were not understood exactly, the most confident first.
    pub misses: Vec<Miss>,
    /// How long it took.
    pub timing: Timing,
}

/// Right, superfluous and missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Found and labelled.
    pub right: usize,
    /// Found, but not so labelled.
    pub superfluous: usize,
    /// Labelled, but not so found.
    pub missing: usize,
}

/// How well one language was understood.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct LanguageScore {
    /// The number of messages.
    pub messages: usize,
    /// Those with the right intent.
    pub intent_right: usize,
    /// Those with intent and slots right.
    pub exact: usize,
    /// All slots together.
    pub slots: Counts,
}

/// Messages of like confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Band {
    /// The least confidence in it.
    pub from: f64,
    /// The number of messages.
    pub messages: usize,
    /// Those with the right intent.
    pub right: usize,
}

/// A message that was not understood exactly.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Miss {
    /// The message.
    pub text: String,
    /// The labelled intent.
    pub expected_intent: String,
    /// The understood intent.
    pub intent: String,
    /// How sure it was.
    pub confidence: f64,
    /// The labelled slots.
    pub expected_slots: Slots,
    /// The understood slots.
    pub slots: Slots,
}

/// Time for each message, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Timing {
    /// Half of the messages took less.
    pub p50: f64,
    /// 95 of 100 took less.
    pub p95: f64,
    /// 99 of 100 took less.
    pub p99: f64,
}

impl Counts {
    fn add(&mut self, expected: &Slots, found: &Slots) {
        let right = found
            .iter()
            .filter(|(name, value)| expected.get(*name) == Some(value))
            .count();
        self.right += right;
        self.superfluous += found.len() - right;
        self.missing += expected.len() - right;
    }

    /// The share of found values that are right.
    #[must_use]
    pub fn precision(&self) -> f64 {
        share(self.right, self.right + self.superfluous)
    }

    /// The share of labelled values that were found.
    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.right, self.right + self.missing)
    }

    /// The harmonic mean of both.
    #[must_use]
    pub fn f1(&self) -> f64 {
        share(
            2 * self.right,
            2 * self.right + self.superfluous + self.missing,
        )
    }
}

/// Of nothing, everything is right.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

#[derive(Debug, Default)]
pub(super) struct Collector {
    messages: usize,
    intent_right: usize,
    language_right: usize,
    exact: usize,
    slots: Counts,
    by_slot: BTreeMap<String, Counts>,
    by_language: BTreeMap<String, LanguageScore>,
    confusion: BTreeMap<String, BTreeMap<String, usize>>,
    bands: [(usize, usize); BANDS],
    misses: Vec<Miss>,
    times: Vec<Duration>,
}

impl Collector {
    pub(super) fn add(&mut self, expected: &Labelled, found: &Understanding, time: Duration) {
        let intent_right = expected.intent == found.intent;
        let exact = intent_right && expected.slots == found.slots;
        self.messages += 1;
        self.times.push(time);
        self.intent_right += usize::from(intent_right);
        self.language_right += usize::from(expected.lang == found.lang);
        self.exact += usize::from(exact);
        self.slots.add(&expected.slots, &found.slots);
        for name in expected.slots.keys().chain(
            found
                .slots
                .keys()
                .filter(|name| !expected.slots.contains_key(*name)),
        ) {
            let one = |slots: &Slots| -> Slots {
                slots
                    .iter()
                    .filter(|(other, _)| *other == name)
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect()
            };
            self.by_slot
                .entry(name.clone())
                .or_default()
                .add(&one(&expected.slots), &one(&found.slots));
        }
        let language = self.by_language.entry(expected.lang.clone()).or_default();
        language.messages += 1;
        language.intent_right += usize::from(intent_right);
        language.exact += usize::from(exact);
        language.slots.add(&expected.slots, &found.slots);
        let row = self.confusion.entry(expected.intent.clone()).or_default();
        *row.entry(found.intent.clone()).or_default() += 1;
        let place = ((found.confidence * BANDS as f64) as usize).min(BANDS - 1);
        if let Some((messages, right)) = self.bands.get_mut(place) {
            *messages += 1;
            *right += usize::from(intent_right);
        }
        if !exact {
            self.misses.push(Miss {
                text: expected.text.clone(),
                expected_intent: expected.intent.clone(),
                intent: found.intent.clone(),
                confidence: found.confidence,
                expected_slots: expected.slots.clone(),
                slots: found.slots.clone(),
            });
        }
    }

    /// None when nothing was added.
    pub(super) fn finish(mut self) -> Option<Score> {
        self.times.sort_unstable();
        let time = |percent: usize| {
            let at = (self.times.len() * percent / 100).min(self.times.len().checked_sub(1)?);
            self.times.get(at).map(|time| time.as_secs_f64() * 1e6)
        };
        let timing = Timing {
            p50: time(50)?,
            p95: time(95)?,
            p99: time(99)?,
        };
        let sure = |miss: &Miss| (miss.expected_intent == miss.intent, -miss.confidence);
        self.misses.sort_by(|a, b| {
            let (a, b) = (sure(a), sure(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let bands = self.bands.iter().enumerate();
        let bands = bands.map(|(place, (messages, right))| Band {
            from: place as f64 / BANDS as f64,
            messages: *messages,
            right: *right,
        });
        Some(Score {
            messages: self.messages,
            intent_accuracy: share(self.intent_right, self.messages),
            language_accuracy: share(self.language_right, self.messages),
            exact_match: share(self.exact, self.messages),
            slots: self.slots,
            by_slot: self.by_slot,
            by_language: self.by_language,
            confusion: self.confusion,
            reliability: bands.collect(),
            misses: self.misses,
            timing,
        })
    }
}
