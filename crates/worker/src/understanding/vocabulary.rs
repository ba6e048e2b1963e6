//! The domain's vocabulary, compiled for reading messages.

use std::collections::BTreeMap;

use super::catalogue::CatalogueIndex;
use super::compiler::Compiler;
use super::fold::{fold, umlauts_spelled_out};
use super::language::LanguageGuesser;
use super::lexicon::Lexicon;
use super::marks::{Mark, OfferCue};
use super::moments::MomentReader;
use super::numbers::{NUMBER_BY_ITSELF, NumberReader};
use super::plates::PlateFinder;
use super::rules::{RuleList, RuleSet};
use super::symbols::Symbol;
use super::unserved::UnservedGuesser;
use crate::domain::{
    Answer, ConsentCue, Domain, MoodCue, Negation, Pattern, Question, SlotKind, SlotRule,
    Vocabulary,
};

/// The class of words that say nothing of themselves: please, well, hello.
const FILLER: &str = "filler";

/// Everything that is looked for in messages.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) lexicon: Lexicon,
    pub(super) guesser: LanguageGuesser,
    pub(super) unserved: UnservedGuesser,
    pub(super) numbers: NumberReader,
    /// Words that say a large number by themselves, with the place of their language: "ton".
    pub(super) large_numbers: Vec<(String, usize)>,
    pub(super) moments: MomentReader,
    /// Questions about opening hours, with the place of the language.
    pub(super) questions: RuleSet<(Option<usize>, Question)>,
    pub(super) abbreviations: Vec<String>,
    /// Endings that names may have in running text, the longest first.
    pub(super) name_endings: Vec<String>,
    pub(super) filler: Symbol,
    /// Place of the catalogue slot, and its index.
    pub(super) catalogue: Option<(usize, CatalogueIndex)>,
    /// Place of the plate slot, and its finder.
    pub(super) plates: Option<(usize, PlateFinder)>,
    pub(super) definitions: RuleSet<Symbol>,
    pub(super) values: RuleSet<Value>,
    /// With the place of the language, where it is of one.
    pub(super) surroundings: RuleSet<(Option<usize>, Surrounding)>,
    pub(super) signs: RuleSet<Sign>,
}

/// A value of a choice slot: the places of both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    pub(super) slot: usize,
    pub(super) value: usize,
    /// The word has this value in messages of one language only.
    pub(super) native_to: Option<usize>,
}

/// What surroundings tell about something recognised.
#[derive(Debug, Clone, Copy)]
pub(super) enum Surrounding {
    Slot(usize, SlotRule),
    /// An end of a range, whatever is counted.
    End(SlotRule),
    Negation(Negation),
}

/// What speaks for or against an intent.
#[derive(Debug, Clone, Copy)]
pub(super) struct CueSign {
    /// Place among all signs.
    pub(super) id: usize,
    /// Place of the intent.
    pub(super) intent: usize,
    pub(super) weight: f64,
    /// Place of the language; none for shared cues.
    pub(super) language: Option<usize>,
}

/// What a pattern says of the message as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    Cue(CueSign),
    Mood(MoodCue),
    Answer(Answer),
    Consent(ConsentCue),
    /// With the place of the language, where it is of one.
    Mark(Mark, Option<usize>),
}

impl Compiled {
    pub(super) fn new(domain: &Domain) -> Self {
        let mut compiler = Compiler::new(&domain.slots);
        let numbers = NumberReader::new(vocabularies(domain).map(|(_, vocabulary)| vocabulary));
        for (language, vocabulary) in vocabularies(domain) {
            add_words(&mut compiler, vocabulary, bit(language));
            compiler.language = bit(language);
            for (name, pattern) in &vocabulary.classes {
                compiler.define(name, pattern);
            }
        }
        let moments = MomentReader::new(domain);
        for word in numbers.vocabulary() {
            compiler.lexicon.word(word);
        }
        for (language, word) in moments.vocabulary() {
            compiler.lexicon.word(word).pattern_of |= bit(Some(language));
        }
        let questions = compile_questions(domain, &mut compiler);
        let values = compile_values(domain, &mut compiler);
        let surroundings = compile_surroundings(domain, &mut compiler);
        let signs = compile_signs(domain, &mut compiler);
        let catalogue = find_slot(domain, |kind| match kind {
            SlotKind::Catalogue(catalogue) => {
                Some(CatalogueIndex::new(catalogue, &mut compiler.lexicon))
            }
            _ => None,
        });
        let plates = find_slot(domain, |kind| match kind {
            SlotKind::Plate {
                formats,
                loose,
                after,
            } => Some(PlateFinder::new(formats, loose, after)),
            _ => None,
        });
        let filler = compiler.class(FILLER);
        let abbreviations =
            vocabularies(domain).flat_map(|(_, vocabulary)| &vocabulary.abbreviations);
        let abbreviations = abbreviations.map(|word| fold(word)).collect();
        let name_endings =
            vocabularies(domain).flat_map(|(_, vocabulary)| &vocabulary.name_endings);
        let mut name_endings: Vec<String> = name_endings.map(|ending| fold(ending)).collect();
        name_endings.sort_by_key(|ending| std::cmp::Reverse(ending.len()));
        let (lexicon, definitions) = compiler.finish();
        Self {
            lexicon,
            guesser: LanguageGuesser::new(&domain.languages),
            unserved: UnservedGuesser::new(&domain.knowledge.unserved),
            numbers,
            large_numbers: large_numbers(domain),
            moments,
            questions,
            abbreviations,
            name_endings,
            filler,
            catalogue,
            plates,
            definitions,
            values,
            surroundings,
            signs,
        }
    }
}

fn large_numbers(domain: &Domain) -> Vec<(String, usize)> {
    let languages = domain.languages.iter().enumerate();
    let words = languages.flat_map(|(place, language)| {
        let factors = language.vocabulary.numbers.factors.iter();
        let large = factors.filter(|(_, factor)| *factor >= NUMBER_BY_ITSELF);
        large.map(move |(word, _)| (fold(word), place))
    });
    words.collect()
}

/// Every vocabulary, with the place of its language.
fn vocabularies(domain: &Domain) -> impl Iterator<Item = (Option<usize>, &Vocabulary)> {
    let languages = domain.languages.iter().enumerate();
    let languages = languages.map(|(place, language)| (Some(place), &language.vocabulary));
    std::iter::once((None, &domain.shared)).chain(languages)
}

fn bit(language: Option<usize>) -> u32 {
    language
        .and_then(|place| 1_u32.checked_shl(u32::try_from(place).ok()?))
        .unwrap_or(0)
}

fn add_words(compiler: &mut Compiler<'_>, vocabulary: &Vocabulary, language: u32) {
    for word in &vocabulary.words {
        let spelled_out = umlauts_spelled_out(word).map(|word| fold(&word));
        for form in std::iter::once(fold(word)).chain(spelled_out) {
            let form: String = form.chars().filter(|c| *c != '\'').collect();
            compiler.lexicon.word(&form).frequent_in |= language;
        }
    }
}

fn find_slot<T>(
    domain: &Domain,
    mut read: impl FnMut(&SlotKind) -> Option<T>,
) -> Option<(usize, T)> {
    let mut slots = (0..).zip(&domain.slots);
    slots.find_map(|(place, slot)| Some((place, read(&slot.kind)?)))
}

fn compile_values(domain: &Domain, compiler: &mut Compiler<'_>) -> RuleSet<Value> {
    let mut rules = RuleList::default();
    for (language, vocabulary) in vocabularies(domain) {
        compiler.language = bit(language);
        for word in &vocabulary.values {
            let value = Value {
                slot: word.slot,
                value: word.value,
                native_to: language.filter(|_| word.native),
            };
            rules.push(&compiler.compile(&word.pattern), value);
        }
    }
    RuleSet::new(rules)
}

fn compile_surroundings(
    domain: &Domain,
    compiler: &mut Compiler<'_>,
) -> RuleSet<(Option<usize>, Surrounding)> {
    let mut rules = RuleList::default();
    for (language, vocabulary) in vocabularies(domain) {
        compiler.language = bit(language);
        for (slot, rule, pattern) in &vocabulary.slot_rules {
            let surrounding = Surrounding::Slot(*slot, *rule);
            rules.push(&compiler.compile(pattern), (language, surrounding));
        }
        for (end, pattern) in &vocabulary.numbers.ends {
            let surrounding = Surrounding::End(*end);
            rules.push(&compiler.compile(pattern), (language, surrounding));
        }
        for (kind, pattern) in &vocabulary.negation {
            let surrounding = Surrounding::Negation(*kind);
            rules.push(&compiler.compile(pattern), (language, surrounding));
        }
    }
    RuleSet::new(rules)
}

fn compile_questions(
    domain: &Domain,
    compiler: &mut Compiler<'_>,
) -> RuleSet<(Option<usize>, Question)> {
    let mut rules = RuleList::default();
    for (language, vocabulary) in vocabularies(domain) {
        compiler.language = bit(language);
        for (question, pattern) in &vocabulary.moments.questions {
            rules.push(&compiler.compile(pattern), (language, *question));
        }
    }
    RuleSet::new(rules)
}

/// What patterns say of the message as a whole, each with its pattern and its language's place. The place
/// of a cue in this list is its id.
pub(super) fn signs(domain: &Domain) -> Vec<(Option<usize>, &Pattern, Sign)> {
    let mut signs = Vec::new();
    for (language, vocabulary) in vocabularies(domain) {
        for cue in &vocabulary.cues {
            let sign = Sign::Cue(CueSign {
                id: signs.len(),
                intent: cue.intent,
                weight: cue.weight,
                language,
            });
            signs.push((language, &cue.pattern, sign));
        }
        let moods = vocabulary.moods.iter();
        let moods = moods.map(|(mood, pattern)| (pattern, Sign::Mood(*mood)));
        let answers = vocabulary.answers.iter();
        let answers = answers.map(|(answer, pattern)| (pattern, Sign::Answer(*answer)));
        let consent = vocabulary.consent.iter();
        let consent = consent.map(|(cue, pattern)| (pattern, Sign::Consent(*cue)));
        let question = vocabulary.question.iter();
        let question = question.map(|(cue, pattern)| (Mark::Question(*cue), pattern));
        let acts = vocabulary.acts.iter();
        let acts = acts.map(|(cue, pattern)| (Mark::Act(*cue), pattern));
        let marks = question.chain(acts).chain(known(domain, language));
        let marks = marks.map(|(mark, pattern)| (pattern, Sign::Mark(mark, language)));
        let others = moods.chain(answers).chain(consent).chain(marks);
        signs.extend(others.map(|(pattern, sign)| (language, pattern, sign)));
    }
    signs
}

fn compile_signs(domain: &Domain, compiler: &mut Compiler<'_>) -> RuleSet<Sign> {
    let mut rules = RuleList::default();
    for (language, pattern, sign) in signs(domain) {
        compiler.language = bit(language);
        rules.push(&compiler.compile(pattern), sign);
    }
    RuleSet::new(rules)
}

/// How a language asks for attributes, and tells of alarms.
fn known(domain: &Domain, language: Option<usize>) -> impl Iterator<Item = (Mark, &Pattern)> {
    let code = language.and_then(|place| domain.languages.get(place));
    let code = code.map_or("", |language| &language.code);
    let attributes = domain.knowledge.attributes.iter().enumerate();
    let attributes = attributes.flat_map(move |(place, attribute)| {
        let patterns = attribute.cues.get(code).into_iter().flatten();
        patterns.map(move |pattern| (Mark::Attribute(place), pattern))
    });
    let alarms = domain.knowledge.alarms.iter().enumerate();
    let alarms = alarms.flat_map(move |(place, alarm)| {
        let patterns = alarm.cues.get(code).into_iter().flatten();
        let patterns = patterns.map(move |pattern| (Mark::Alarm(place), pattern));
        let calm = alarm.unless.get(code).into_iter().flatten();
        patterns.chain(calm.map(move |pattern| (Mark::Harmless(place), pattern)))
    });
    attributes.chain(alarms).chain(offers(domain, code))
}

/// How a language speaks of what is in stock.
fn offers<'d>(domain: &'d Domain, code: &'d str) -> impl Iterator<Item = (Mark, &'d Pattern)> {
    let of = move |patterns: &'d BTreeMap<String, Vec<Pattern>>, cue: OfferCue| {
        let patterns = patterns.get(code).into_iter().flatten();
        patterns.map(move |pattern| (Mark::Offer(cue), pattern))
    };
    domain.knowledge.offers.iter().flat_map(move |offers| {
        let wishes = (0..).zip(&offers.attributes);
        let wishes = wishes.flat_map(move |(at, one)| {
            let words = one.wish_words.get(code).into_iter().flatten();
            let words = words.flat_map(move |(number, patterns)| {
                let mark = Mark::Offer(OfferCue::WishOf(at, *number));
                patterns.iter().map(move |pattern| (mark, pattern))
            });
            of(&one.wish, OfferCue::Wish(at)).chain(words)
        });
        let orders = (0..).zip(&offers.orders);
        let orders = orders.flat_map(move |(at, one)| {
            of(&one.cues, OfferCue::Order(at)).chain(of(&one.than, OfferCue::Than(at)))
        });
        let points = of(&offers.points, OfferCue::Point);
        let near = of(&offers.near, OfferCue::Near);
        wishes.chain(orders).chain(points).chain(near)
    })
}
