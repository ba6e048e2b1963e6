//! What a message says, by rules: its language, what the customer wants, how sure that is, and the
//! slots it fills.
//!
//! A message becomes tokens, tokens become symbols on a lattice, and the domain's patterns are
//! matched on it in turns: what is named, what the surroundings tell about it, what the customer
//! wants. Everything specific to a business or a language is in [`crate::domain`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use shared_types::Slots;

use crate::dialogue::act::{Act, Consent, Context};
use crate::domain::{
    Answer, Attribute, Domain, Fact, Intent, IntentAct, MoodCue, Offers, Settings, Slot, Topic,
};

mod acts;
mod amounts;
mod catalogue;
mod clauses;
mod compiler;
mod consent;
mod examples;
mod fold;
mod hours;
mod intents;
mod kinds;
mod language;
mod lattice;
mod learned;
mod lexicon;
mod marks;
mod mentions;
mod moments;
mod mood;
mod named;
mod numbers;
mod outcome;
mod plates;
mod question;
mod reading;
mod rules;
mod said;
mod slots;
mod sought;
mod surroundings;
mod symbols;
mod texts;
mod tokens;
mod topics;
mod typos;
mod unserved;
mod vocabulary;

pub(crate) use fold::fold_char;
pub use hours::{HoursAnswer, HoursAsked};
pub use language::WordCount;
pub use moments::{Days, Moment, Moments, Times, When};
pub use mood::Mood;
pub use outcome::{Evidence, Understanding};
pub use sought::{Pointed, Sought};

use acts::Talk;
use consent::ConsentFinder;
use examples::Examples;
use intents::{CueMatch, Decider, Decision, TokenSet};
use kinds::Kinds;
use lattice::Span;
use learned::Learned;
use marks::{Mark, Marks};
use reading::{Outline, Reading};
use rules::Match;
use symbols::Symbol;
use tokens::Boundary;
use topics::{Topics, questions};
use vocabulary::{Compiled, CueSign, Sign};

/// Understands messages. Built once; cheap to share and to use from many threads.
#[derive(Debug)]
pub struct Understander {
    compiled: Compiled,
    settings: Settings,
    intents: Vec<Intent>,
    slots: Vec<Slot>,
    languages: Vec<Spoken>,
    examples: Examples,
    /// Place of the intent that only a command gives.
    opt_out: Option<usize>,
    /// Whether any pattern speaks for each intent.
    cued: Vec<bool>,
    /// What a clause of each intent does.
    does: Vec<IntentAct>,
    /// What is asked of customers.
    topics_asked: Vec<Topic>,
    /// The example questions of the facts, and the facts' names.
    topics: Topics,
    learned: Learned,
    facts: Vec<String>,
    /// Whether each of them tells a price.
    fact_prices: Vec<bool>,
    kinds: Kinds,
    attributes: Vec<Attribute>,
    /// What the patterns of the stock stand for.
    offers: Option<Offers>,
    /// Names of the alarms.
    alarms: Vec<String>,
}

#[derive(Debug)]
struct Spoken {
    code: String,
    answer_in: Option<usize>,
}

/// What the patterns said of a message as a whole.
#[derive(Debug, Default)]
struct Signs {
    cues: Vec<CueMatch>,
    moods: Vec<MoodCue>,
    answer: Option<Answer>,
    consent: ConsentFinder,
    marks: Marks,
}

impl Understander {
    /// Compiles a domain. Takes some tens of milliseconds.
    #[must_use]
    pub fn new(domain: &Domain) -> Self {
        let languages = domain.languages.iter().map(|language| Spoken {
            code: language.code.clone(),
            answer_in: language.answer_in,
        });
        let compiled = Compiled::new(domain);
        // First, so that the rest is made in the memory that it needed for learning.
        let learned = Learned::new(domain, &compiled.abbreviations);
        let examples = domain
            .examples
            .iter()
            .map(|example| (example.intent, Outline::new(&compiled, &example.text)));
        let facts = &domain.knowledge.facts;
        let kinds = Kinds::new(domain);
        let attributes = domain.knowledge.attributes.iter();
        let attributes = attributes.map(|attribute| Attribute {
            cues: BTreeMap::new(),
            ..attribute.clone()
        });
        let cued = (0..domain.intents.len()).map(|intent| has_cues(domain, intent));
        let does = domain.intents.iter().map(|intent| does(domain, intent));
        Self {
            topics: Topics::new(
                questions(domain, &compiled),
                &kinds,
                &compiled.lexicon,
                domain,
            ),
            learned,
            kinds,
            facts: facts.iter().map(|fact| fact.name.clone()).collect(),
            fact_prices: facts.iter().map(Fact::tells_price).collect(),
            cued: cued.collect(),
            does: does.collect(),
            topics_asked: domain.dialogue.topics.clone(),
            attributes: attributes.collect(),
            offers: domain.knowledge.offers.clone().map(Offers::without_words),
            alarms: domain
                .knowledge
                .alarms
                .iter()
                .map(|alarm| alarm.name.clone())
                .collect(),
            examples: Examples::new(domain.intents.len(), examples),
            compiled,
            settings: domain.settings.clone(),
            opt_out: domain
                .intents
                .iter()
                .position(|intent| intent.name == domain.dialogue.opt_out_intent),
            intents: domain.intents.clone(),
            slots: domain.slots.clone(),
            languages: languages.collect(),
        }
    }

    /// What speaks for or against the intents of a message, that of the first intent first. `domain` is
    /// the one that this was made of; its patterns are not kept here.
    #[must_use]
    pub fn explain(&self, domain: &Domain, text: &str) -> Vec<Evidence> {
        let written = vocabulary::signs(domain);
        let reading = self.read(text, None);
        let mut cues = self.signs(&reading, None).cues;
        cues.sort_by(|a, b| a.intent.cmp(&b.intent).then(b.weight.total_cmp(&a.weight)));
        let evidence = |intent: usize, weight: f64, pattern: Option<&str>| {
            Some(Evidence {
                intent: self.intents.get(intent)?.name.clone(),
                weight,
                pattern: pattern.map(str::to_owned),
            })
        };
        let cues = cues.iter().filter_map(|cue| {
            let (_, pattern, _) = written.get(cue.id)?;
            evidence(cue.intent, cue.weight, Some(&pattern.written))
        });
        let whole = Span::new(0, reading.tokens.len());
        let opinion = self.opinion(&reading, whole);
        let examples = opinion.iter().copied().enumerate();
        cues.chain(examples.filter_map(|(intent, weight)| evidence(intent, weight, None)))
            .collect()
    }

    /// What examples add to the score of each intent, in a stretch of a message.
    fn opinion<'r>(&self, reading: &'r Reading, part: Span) -> Cow<'r, [f64]> {
        let Some(likeness) = &self.settings.likeness else {
            return Cow::default();
        };
        let of = |part: Span| {
            let (tokens, names) = reading.part(part);
            self.examples.opinion(likeness, tokens, &names)
        };
        // Most messages are one clause: what is asked of the whole is asked of that again.
        if part == Span::new(0, reading.tokens.len()) {
            Cow::from(reading.opinion.get_or_init(|| of(part)))
        } else {
            Cow::from(of(part))
        }
    }

    /// Reads a message, its amounts included.
    fn read(&self, text: &str, talk: Option<usize>) -> Reading {
        let mut reading = Reading::new(&self.compiled, text, talk);
        let amounts = amounts::resolve(
            &self.slots,
            &reading.quantities,
            &reading.surroundings,
            |_| false,
        );
        let meant = amounts.iter().filter(|amount| !amount.ignored);
        reading.lattice.extend(meant.flat_map(|amount| {
            let symbols = [Symbol::slot(amount.slot), Symbol::ANY_SLOT];
            symbols.map(|symbol| (symbol, amount.span))
        }));
        reading
    }

    /// Understands one message, of any length and content.
    #[must_use]
    pub fn understand(&self, text: &str) -> Understanding {
        let reading = self.read(text, None);
        let mut signs = self.signs(&reading, None);
        let consent = std::mem::take(&mut signs.consent).decide(text, &reading);
        let consent = consent.map(|(consent, _)| consent);
        self.understood(text, &reading, &mut signs, consent)
    }

    /// What a message does, clause by clause, in the light of the talk.
    #[must_use]
    pub fn acts(&self, text: &str, context: &Context<'_>) -> Vec<Act> {
        self.take(text, context).1
    }

    /// What a message says as a whole and what it does, read once.
    #[must_use]
    pub fn take(&self, text: &str, context: &Context<'_>) -> (Understanding, Vec<Act>) {
        let spoken = context
            .lang
            .and_then(|code| self.languages.iter().position(|other| other.code == code));
        let reading = self.read(text, spoken);
        let mut signs = self.signs(&reading, spoken);
        if !context.stock {
            signs.marks.retain(|mark| !self.is_of_stock(mark));
        }
        let consent = std::mem::take(&mut signs.consent).decide(text, &reading);
        let command = consent.map(|(consent, _)| consent);
        let understood = self.understood(text, &reading, &mut signs, command);
        let talk = Talk {
            understander: self,
            text,
            reading: &reading,
            signs: &signs,
            context,
        };
        let acts = talk.acts(consent);
        let understood = Understanding {
            sought: talk.sought(),
            ..understood.beside(&acts)
        };
        (understood, acts)
    }

    /// Whether only a stock answers what a pattern found.
    fn is_of_stock(&self, mark: Mark) -> bool {
        match mark {
            Mark::Attribute(at) => self.attributes.get(at).is_some_and(|one| one.of_stock),
            mark => matches!(mark, Mark::Offer(_)),
        }
    }

    fn understood(
        &self,
        text: &str,
        reading: &Reading,
        signs: &mut Signs,
        consent: Option<Consent>,
    ) -> Understanding {
        let spoken = self.languages.get(reading.guess.best);
        let unserved = self.unserved(text, reading);
        let fallback = || {
            let mut languages = self.languages.iter();
            languages.find_map(|language| language.answer_in)
        };
        let answer_in = spoken
            .and_then(|language| language.answer_in)
            .or_else(|| unserved.as_ref().and_then(|_| fallback()));
        let decision = match self.commanded(consent) {
            Some(decision) => decision,
            None => self.decide(reading, &mut signs.cues, answer_in.is_some()),
        };
        let intent = self.intents.get(decision.intent);
        let answered = answer_in
            .and_then(|place| self.languages.get(place))
            .or(spoken);
        Understanding {
            lang: answered.map_or_else(String::new, |language| language.code.clone()),
            intent: intent.map_or_else(String::new, |intent| intent.name.clone()),
            confidence: decision.confidence,
            words_in: self.words_in(reading),
            slots: intent.map_or_else(Slots::new, |intent| {
                // Names and numbers are the same in every language.
                let intent = Intent {
                    has_slots: intent.has_slots || unserved.is_some(),
                    ..intent.clone()
                };
                slots::assemble(&self.slots, decision.intent, &intent, reading)
            }),
            unserved,
            negated: slots::negated(&self.slots, reading),
            mood: Mood::new(&signs.moods),
            answer: signs.answer,
            consent,
            hours_asked: self.hours_asked(reading),
            moments: reading.moments.clone(),
            sought: Sought::default(),
        }
    }

    /// What a clause of an intent does.
    fn act_of(&self, intent: usize) -> IntentAct {
        self.does.get(intent).copied().unwrap_or(IntentAct::Nothing)
    }

    /// What the cues and the examples say; they never end messages.
    fn decide(&self, reading: &Reading, cues: &mut [CueMatch], foreign: bool) -> Decision {
        let decider = Decider {
            settings: &self.settings,
            intents: &self.intents,
            closed: self.opt_out,
        };
        let whole = Span::new(0, reading.tokens.len());
        decider.decide(reading, whole, cues, &self.opinion(reading, whole), foreign)
    }

    /// The intent that a command has.
    fn commanded(&self, consent: Option<Consent>) -> Option<Decision> {
        const CERTAIN: f64 = 0.99;
        const DOUBTFUL: f64 = 0.5;
        let confidence = match consent? {
            Consent::Stop | Consent::Erase => CERTAIN,
            Consent::Doubtful => DOUBTFUL,
            Consent::Start => return None,
        };
        self.opt_out.map(|intent| Decision {
            intent,
            confidence,
            second: None,
        })
    }

    /// The language of a message that nobody here writes.
    fn unserved(&self, text: &str, reading: &Reading) -> Option<String> {
        let served = self.languages.iter().take(u32::BITS as usize).enumerate();
        let served = served.filter(|(_, language)| language.answer_in.is_none());
        let served = served.fold(0, |bits, (place, _)| bits | 1 << place);
        let lexicon = &self.compiled.lexicon;
        let unserved = &self.compiled.unserved;
        let code = unserved.guess(text, &reading.tokens, lexicon, served);
        code.map(str::to_owned)
    }

    fn words_in(&self, reading: &Reading) -> Vec<(String, WordCount)> {
        let counts = self.languages.iter().zip(&reading.guess.words);
        let served = counts.filter(|(language, _)| language.answer_in.is_none());
        served
            .map(|(language, count)| (language.code.clone(), *count))
            .collect()
    }

    fn hours_asked(&self, reading: &Reading) -> HoursAsked {
        let mut asked = HoursAsked::default();
        let rules = &self.compiled.questions;
        rules.for_each_match(
            &reading.lattice,
            Boundary::Clause,
            |(language, question), _| {
                if language.is_none_or(|language| reading.guess.allows(language)) {
                    asked.add(*question);
                }
            },
        );
        asked
    }

    /// What the patterns say; `also` is a language that short texts may be in, whatever they look like.
    fn signs(&self, reading: &Reading, also: Option<usize>) -> Signs {
        let mut signs = Signs::default();
        let rules = &self.compiled.signs;
        rules.for_each_match(
            &reading.lattice,
            Boundary::Sentence,
            |sign, found| match sign {
                Sign::Cue(cue) => {
                    signs
                        .cues
                        .extend(self.cue_match(cue, found, reading, &signs.cues))
                }
                Sign::Mood(mood) => {
                    signs.moods.push(*mood);
                    signs.marks.add(Mark::Mood(*mood), found.extent());
                }
                Sign::Mark(mark, language) => {
                    let spoken =
                        |language| reading.guess.is_spoken(language) || also == Some(language);
                    if language.is_none_or(spoken) {
                        signs.marks.add(*mark, found.extent());
                    }
                }
                Sign::Answer(answer) => signs.answer = Some(*answer),
                Sign::Consent(cue) => signs.consent.add(*cue, found),
            },
        );
        signs
    }

    /// A cue counts once, and less in a message of another language.
    fn cue_match(
        &self,
        cue: &CueSign,
        found: &Match<'_>,
        reading: &Reading,
        before: &[CueMatch],
    ) -> Option<CueMatch> {
        if before.last().is_some_and(|last| last.id == cue.id) {
            return None;
        }
        let native = cue
            .language
            .is_none_or(|language| reading.guess.allows(language));
        let factor = if native {
            1.0
        } else {
            self.settings.other_language
        };
        let mut tokens = TokenSet::default();
        found.spans.iter().for_each(|span| tokens.add(*span));
        Some(CueMatch {
            id: cue.id,
            intent: cue.intent,
            weight: cue.weight * factor,
            first: found.extent().start,
            tokens,
        })
    }
}

/// What a clause of an intent does.
fn does(domain: &Domain, intent: &Intent) -> IntentAct {
    let dialogue = &domain.dialogue;
    if let Some(act) = intent.act {
        act
    } else if intent.name == dialogue.greeting_intent {
        IntentAct::Hello
    } else if intent.name == dialogue.thanks_intent {
        IntentAct::Thanks
    } else if dialogue.goal(&intent.name).is_some() {
        IntentAct::Request
    } else {
        IntentAct::Nothing
    }
}

/// Whether the vocabulary of any language has a pattern that speaks for an intent.
fn has_cues(domain: &Domain, intent: usize) -> bool {
    let languages = domain.languages.iter().map(|language| &language.vocabulary);
    let mut cues = languages
        .chain([&domain.shared])
        .flat_map(|words| &words.cues);
    cues.any(|cue| cue.intent == intent && cue.weight > 0.0)
}
