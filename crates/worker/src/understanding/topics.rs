//! Which fact of the business a question asks for: the one whose example questions have its words.
//!
//! A word weighs the more the fewer facts have it (an idf over facts), so that "what do I" says
//! nothing. A word that no example has is taken for those that it is spelled like: inflections,
//! compounds, typos. A fact scores by how much of the question it explains and by the cosine with
//! its best example; without a word of its own it is not meant. A word that is nobody's and tells
//! something ("a lift for campers") says that something else is asked, unless the rest is very like.

use rustc_hash::{FxHashMap, FxHashSet};

use super::fold::fold;
use super::kinds::{Kinds, KindsAsked};
use super::lexicon::Lexicon;
use super::reading::Outline;
use super::tokens::{Kind, Token};
use super::vocabulary::Compiled;
use crate::domain::{Domain, Vocabulary};

/// Below this likeness it is better to say that one does not know.
pub(super) const FLOOR: f64 = 0.5;
/// From here on the fact is meant even where an attribute of a thing is named.
pub(super) const CERTAIN: f64 = 0.6;

/// From here on a question is as good as an example.
pub(super) const ALIKE: f64 = 0.75;

/// What the best word of a fact must weigh, unless the question is all but one of its examples.
const OWN_WORD: f64 = 0.45;
const SAME: f64 = 0.8;
/// How likely a fact must be that a word speaks against which no fact knows.
const BESIDE_FOREIGN: f64 = 0.68;
/// How many of its own words outweigh one such word.
const OWN_TO_FOREIGN: usize = 2;
/// The fewest letters of such a word.
const TELLING: usize = 3;
/// What share of an example must stand in the question: "how long does it take" is not yet "how long
/// does a test drive take".
const COVERED: f64 = 0.5;
/// What is left of the weight of a frequent word of a language.
const FREQUENT: f64 = 0.6;
/// What words weigh that no example has.
const UNKNOWN: f64 = 0.9;
const UNKNOWN_FREQUENT: f64 = 0.12;
/// Words that weigh less decide nothing.
const LEAST: f64 = 0.03;
/// How much alike two spellings must be, what a common beginning or end counts, and how long it is.
const SPELLED_ALIKE: f64 = 0.62;
/// The same for short words, which are like many.
const SHORT_ALIKE: f64 = 0.75;
const SAME_END: f64 = 0.75;
const LONG: usize = 5;
const SHORTEST: usize = 4;
/// How many letters an inflection adds.
const ENDING: usize = 3;
/// How many letters parts of words have.
const PART: usize = 3;

/// A place in one of the lists below.
type Id = u32;

/// The example questions of all facts.
#[derive(Debug, Default)]
pub(super) struct Topics {
    ids: FxHashMap<String, Id>,
    words: Vec<Known>,
    /// Which words have a part.
    with_part: FxHashMap<[u8; PART], Vec<Id>>,
    /// Of each example, the place of its fact and the length of its vector.
    examples: Vec<(usize, f64)>,
    /// Which kinds of answer each fact gives.
    kinds: Vec<KindsAsked>,
    /// Words that tell nothing of what is asked.
    common: FxHashSet<String>,
    /// Words after which one that nobody knows is a place.
    before_place: FxHashSet<String>,
}

/// An example question.
pub(super) struct Question {
    /// The place of its fact.
    pub(super) fact: usize,
    /// The bit of its language.
    pub(super) language: u32,
    pub(super) outline: Outline,
}

/// The example questions of all facts.
pub(super) fn questions(domain: &Domain, compiled: &Compiled) -> impl Iterator<Item = Question> {
    let facts = domain.knowledge.facts.iter().enumerate();
    let asked = facts.flat_map(|(fact, known)| {
        let texts = known.ask.iter();
        let texts = texts.flat_map(|(code, texts)| texts.iter().map(move |text| (code, text)));
        texts.map(move |(code, text)| (fact, code, text))
    });
    let place = |code: &str| domain.languages.iter().position(|one| one.code == *code);
    asked.map(move |(fact, code, text)| Question {
        fact,
        language: place(code).map_or(0, |place| 1 << place),
        outline: Outline::new(compiled, text),
    })
}

/// A word of the examples.
#[derive(Debug, Default)]
struct Known {
    text: String,
    /// One bit for each language whose examples have it.
    languages: u32,
    weight: f64,
    facts: Vec<usize>,
    examples: Vec<Id>,
    /// It is an example by itself.
    alone: bool,
}

impl Topics {
    /// Learns the examples.
    pub(super) fn new(
        questions: impl Iterator<Item = Question>,
        kinds: &Kinds,
        lexicon: &Lexicon,
        domain: &Domain,
    ) -> Self {
        let words = |of: fn(&Vocabulary) -> &[String]| {
            let languages = domain.languages.iter();
            let words = languages.flat_map(move |language| of(&language.vocabulary));
            words.map(|word| fold(word))
        };
        let named = domain.business.name.split_whitespace().map(fold);
        let mut topics = Self {
            common: words(|of| &of.common).chain(named).collect(),
            before_place: words(|of| &of.before_place).collect(),
            ..Self::default()
        };
        for question in questions {
            let asked = kinds.asked(&question.outline.tokens, question.language);
            topics.give(question.fact, asked);
            let example = id(topics.examples.len());
            topics.examples.push((question.fact, 0.0));
            let words: Vec<&str> = content(&question.outline.tokens, |_| false).collect();
            let alone = words.len() == 1;
            for word in words {
                topics.note(word, &question, example, alone);
            }
        }
        topics.weigh(lexicon);
        topics
    }

    fn give(&mut self, fact: usize, kinds: KindsAsked) {
        if self.kinds.len() <= fact {
            self.kinds.resize(fact + 1, 0);
        }
        if let Some(known) = self.kinds.get_mut(fact) {
            *known |= kinds;
        }
    }

    /// Whether a fact gives one of these kinds of answer.
    pub(super) fn gives(&self, fact: usize, kinds: KindsAsked) -> bool {
        self.kinds.get(fact).is_some_and(|known| known & kinds != 0)
    }

    /// Whether a word tells nothing of what is asked.
    pub(super) fn is_common(&self, word: &str) -> bool {
        self.common.contains(word)
    }

    /// Whether an example of a fact has a word.
    pub(super) fn is_of(&self, word: &str, fact: usize) -> bool {
        let known = self.known(self.ids.get(word).copied());
        known.is_some_and(|known| known.facts.contains(&fact))
    }

    /// Notes that an example of a fact has a word, or is nothing but that.
    fn note(&mut self, text: &str, question: &Question, example: Id, alone: bool) {
        let next = id(self.words.len());
        let place = *self.ids.entry(text.to_owned()).or_insert(next);
        if place == next {
            for part in parts(text) {
                self.with_part.entry(part).or_default().push(place);
            }
            self.words.push(Known {
                text: text.to_owned(),
                ..Known::default()
            });
        }
        if let Some(known) = self.words.get_mut(place as usize) {
            known.examples.push(example);
            known.alone |= alone;
            known.languages |= question.language;
            if known.facts.last() != Some(&question.fact) {
                known.facts.push(question.fact);
            }
        }
    }

    fn weigh(&mut self, lexicon: &Lexicon) {
        let facts: FxHashSet<usize> = self.examples.iter().map(|(fact, _)| *fact).collect();
        let all = facts.len() as f64 + 1.0;
        let most = (all / 1.5).ln().max(f64::MIN_POSITIVE);
        for word in &mut self.words {
            let having = word.facts.len() as f64 + 0.5;
            let rare = ((all / having).ln() / most).max(0.0);
            let frequent = is_frequent(lexicon, &word.text);
            word.weight = if frequent { rare * FREQUENT } else { rare };
        }
        for word in &self.words {
            for example in &word.examples {
                if let Some((_, length)) = self.examples.get_mut(*example as usize) {
                    *length += word.weight.powi(2);
                }
            }
        }
        for (_, length) in &mut self.examples {
            *length = length.sqrt();
        }
    }

    /// The place of the likeliest fact, and how likely it is meant, 0 to 1. `spoken` has the bits of
    /// the languages that the question may be in; `is_aside` tells which tokens say nothing about what
    /// is asked: names, greetings. `named` are words of names and values, which are of no fact.
    pub(super) fn rank(
        &self,
        tokens: &[Token],
        lexicon: &Lexicon,
        spoken: u32,
        is_aside: impl Fn(usize) -> bool,
        is_moment: impl Fn(usize) -> bool,
        named: &[&str],
    ) -> Option<(usize, f64)> {
        // A day or an hour is no word of any fact, and the more of them the less is about one.
        let moments = (0..tokens.len()).filter(|at| is_moment(*at)).count() as f64;
        let mut all = moments * UNKNOWN;
        let mut squares = moments * UNKNOWN.powi(2);
        let mut explained: FxHashMap<usize, (f64, f64)> = FxHashMap::default();
        let mut products: FxHashMap<Id, f64> = FxHashMap::default();
        let mut telling_of: Vec<Vec<usize>> = Vec::new();
        for word in content(tokens, |at| is_aside(at) || is_moment(at)) {
            let frequent = is_frequent(lexicon, word);
            let forms = self.forms(word, lexicon, spoken);
            if !frequent && !named.contains(&word) && self.tells(word, tokens) {
                let of = forms
                    .iter()
                    .flat_map(|(known, _)| known.facts.iter().copied());
                telling_of.push(of.collect());
            }
            let weight = forms.iter().map(|(_, weight)| *weight);
            let weight = match self.ids.contains_key(word) {
                true => weight.fold(0.0, f64::max),
                false if frequent => UNKNOWN_FREQUENT,
                false => weight.fold(UNKNOWN, f64::max),
            };
            if weight < LEAST {
                continue;
            }
            all += weight;
            squares += weight.powi(2);
            // A word that every talk has is no fact's own, unless an example is nothing but that.
            let letter = word.chars().nth(1).is_none();
            let telling = !frequent && !letter || forms.iter().any(|(known, _)| known.alone);
            let (facts, examples) = self.best(&forms);
            for (fact, weight) in facts {
                let (sum, own) = explained.entry(fact).or_default();
                *sum += weight;
                if telling {
                    *own = own.max(weight);
                }
            }
            for (example, weight) in examples {
                *products.entry(example).or_default() += weight.powi(2);
            }
        }
        let mut like: FxHashMap<usize, (f64, f64)> = FxHashMap::default();
        for (example, product) in products {
            let Some((fact, length)) = self.examples.get(example as usize) else {
                continue;
            };
            let lengths = (squares.sqrt() * length).max(f64::MIN_POSITIVE);
            let (cosine, covered) = like.entry(*fact).or_default();
            *cosine = cosine.max(product / lengths);
            *covered = covered.max(product / length.powi(2).max(f64::MIN_POSITIVE));
        }
        let likeness = explained.into_iter().filter_map(|(fact, (sum, own))| {
            let (cosine, covered) = like.get(&fact).copied().unwrap_or_default();
            let meant = own >= OWN_WORD && covered >= COVERED || cosine >= SAME;
            meant.then_some((fact, f64::midpoint(sum / all, cosine)))
        });
        // Equal ones in the order of the file.
        let best = likeness.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        best.filter(|(fact, likeness)| {
            let own = telling_of.iter().filter(|of| of.contains(fact)).count();
            let foreign = telling_of.len() - own;
            own >= OWN_TO_FOREIGN * foreign || *likeness >= BESIDE_FOREIGN
        })
    }

    /// Whether a word that no fact knows says that something else is asked.
    fn tells(&self, word: &str, tokens: &[Token]) -> bool {
        let mut pairs = tokens.windows(2);
        let is_place = pairs.any(|pair| {
            matches!(pair, [before, named] if named.text == word
                && self.before_place.contains(&before.text) && !self.ids.contains_key(word))
        });
        word.chars().count() >= TELLING && !self.is_common(word) && !is_place
    }

    /// The words of the examples that a word may be, with what each weighs then.
    fn forms(&self, word: &str, lexicon: &Lexicon, spoken: u32) -> Vec<(&Known, f64)> {
        if let Some(known) = self.known(self.ids.get(word).copied()) {
            return vec![(known, known.weight)];
        }
        if word.len() < SHORTEST || is_frequent(lexicon, word) {
            return Vec::new();
        }
        let mut common: FxHashMap<Id, usize> = FxHashMap::default();
        for place in parts(word).filter_map(|part| self.with_part.get(&part)) {
            for id in place {
                *common.entry(*id).or_default() += 1;
            }
        }
        let near = common.into_iter().filter_map(|(id, common)| {
            // Words of two languages are spelled alike by chance.
            let known = self.known(Some(id));
            let known = known.filter(|known| known.languages & spoken != 0)?;
            let likeness = likeness(word, &known.text, common);
            let enough = match word.len().min(known.text.len()) {
                ..=LONG => SHORT_ALIKE,
                _ => SPELLED_ALIKE,
            };
            (known.text.len() >= SHORTEST && likeness >= enough)
                .then_some((known, known.weight * likeness))
        });
        near.collect()
    }

    fn known(&self, id: Option<Id>) -> Option<&Known> {
        self.words.get(id? as usize)
    }

    /// The best that one of the forms weighs, in each fact and each example.
    fn best(&self, forms: &[(&Known, f64)]) -> (FxHashMap<usize, f64>, FxHashMap<Id, f64>) {
        let mut facts: FxHashMap<usize, f64> = FxHashMap::default();
        let mut examples: FxHashMap<Id, f64> = FxHashMap::default();
        for (known, weight) in forms {
            for fact in &known.facts {
                let best = facts.entry(*fact).or_default();
                *best = best.max(*weight);
            }
            for example in &known.examples {
                let best = examples.entry(*example).or_default();
                *best = best.max(*weight);
            }
        }
        (facts, examples)
    }
}

fn id(place: usize) -> Id {
    Id::try_from(place).unwrap_or(Id::MAX)
}

fn is_frequent(lexicon: &Lexicon, word: &str) -> bool {
    let word = lexicon.get(word);
    word.is_some_and(|word| word.frequent_in != 0)
}

/// The words of a question that may tell what it is about, each once.
fn content(tokens: &[Token], is_aside: impl Fn(usize) -> bool) -> impl Iterator<Item = &str> {
    let mut seen: FxHashSet<&str> = FxHashSet::default();
    let words = tokens.iter().enumerate();
    let words = words.filter(move |(at, token)| token.kind == Kind::Word && !is_aside(*at));
    let words: Vec<&str> = words.map(|(_, token)| token.text.as_str()).collect();
    words.into_iter().filter(move |word| seen.insert(word))
}

/// The parts of a word between its bounds.
fn parts(word: &str) -> impl Iterator<Item = [u8; PART]> {
    let bounded = [b"<", word.as_bytes(), b">"].concat();
    let parts = bounded.windows(PART);
    let parts: Vec<[u8; PART]> = parts.filter_map(|part| part.try_into().ok()).collect();
    parts.into_iter()
}

/// How alike two spellings are that have so many parts in common: Dice's coefficient, or that one
/// ends as the other, as compounds do, or that they begin alike, as inflections do.
fn likeness(one: &str, other: &str, common: usize) -> f64 {
    let (short, long) = match one.len() <= other.len() {
        true => (one, other),
        false => (other, one),
    };
    let same = short.bytes().zip(long.bytes());
    let same = same.take_while(|(a, b)| a == b).count();
    // "Reservierung" is what "reservieren" is, "Reserverad" is another thing.
    let inflected = long.len() <= same + ENDING || short.len() <= same + 1;
    let begins = same >= LONG && same * 10 >= short.len() * 7 && inflected;
    let ends = short.len() >= LONG && long.len() >= short.len() + PART && long.ends_with(short);
    let dice = 2.0 * common as f64 / (one.len() + other.len()) as f64;
    if begins || ends {
        dice.max(SAME_END)
    } else {
        dice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compound_is_another_thing_than_what_it_begins_with() {
        let common = |one: &str, other: &str| {
            let others: Vec<_> = parts(other).collect();
            parts(one).filter(|part| others.contains(part)).count()
        };
        let alike = |one, other| likeness(one, other, common(one, other)) >= SPELLED_ALIKE;
        assert!(alike("reservierung", "reservieren"));
        assert!(alike("telefoonnr", "telefoonnummer"));
        assert!(!alike("reservewiel", "reserveren"));
    }
}
