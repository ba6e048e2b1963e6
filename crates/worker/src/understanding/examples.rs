//! How much a message is like messages of which it is known what the customer wanted: a naive Bayes
//! classifier over words, pairs of words and parts of words. It helps where no cue fits, and doubts
//! cues that fit by accident.

use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};

use super::lattice::Span;
use super::reading::Outline;
use super::tokens::{Kind, Token};
use crate::domain::Likeness;

/// What is added to every count: how little it means that something was never seen.
const SMOOTHING: f64 = 0.1;
/// How long parts of words are, in bytes.
const PARTS: [usize; 2] = [4, 5];
/// From so many on, those of a single example are left out.
const MANY_FEATURES: usize = 20_000;
/// Counts below this have their logarithm in a table.
const SMALL_COUNTS: u16 = 256;

/// What examples have, and how likely it is for each intent.
#[derive(Debug, Default)]
pub(super) struct Examples {
    /// Sorted; the place of one is that of its row in `counts`, which has a count for each intent.
    features: Vec<u64>,
    /// Where the features begin that have the same upper bits.
    directory: Vec<u32>,
    /// How many examples of an intent have a feature: a quarter of what the probabilities would take.
    counts: Vec<u16>,
    /// By intent, the logarithm of what its counts are shares of.
    shares_of: Vec<f64>,
    /// Logarithms of small counts, which nearly all are.
    logarithms: Vec<f64>,
    intents: usize,
}

impl Examples {
    /// Counts what examples have; each is given with its intent.
    pub(super) fn new(intents: usize, examples: impl Iterator<Item = (usize, Outline)>) -> Self {
        let mut rows: FxHashMap<u64, u32> = FxHashMap::default();
        // Small numbers: there are many features and few examples of each.
        let mut counts: Vec<u16> = Vec::new();
        let mut totals = vec![0.0; intents];
        for (intent, outline) in examples {
            for feature in features(&outline.tokens, &outline.certain) {
                let next = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                let row = place(*rows.entry(feature).or_insert(next), intents);
                counts.resize(counts.len().max(row + intents), 0);
                if let Some(count) = counts.get_mut(row + intent) {
                    *count = count.saturating_add(1);
                }
                if let Some(total) = totals.get_mut(intent) {
                    *total += 1.0;
                }
            }
        }
        let (features, counts) = common(&rows, &counts, intents);
        let different = f64::from(u32::try_from(features.len()).unwrap_or(u32::MAX));
        let share_of = |total: &f64| (total + SMOOTHING * different).ln();
        Self {
            directory: directory(&features),
            features,
            counts,
            shares_of: totals.iter().map(share_of).collect(),
            logarithms: (0..SMALL_COUNTS).map(logarithm).collect(),
            intents,
        }
    }

    /// How far a message speaks in words that examples have, 0 to 1. Parts of words alone would find
    /// a likeness in any nonsense.
    fn familiarity(&self, tokens: &[Token], names: &[Span]) -> f64 {
        let words = words(tokens, names);
        // Begin and end are in every message.
        let inner = words.len().saturating_sub(2);
        let words = words.iter().skip(1).take(inner);
        let known = words.filter(|word| self.row(**word).is_some());
        let share = known.count() as f64 / inner.max(1) as f64;
        (2.0 * share).min(1.0)
    }

    /// The place of a feature that examples have.
    fn row(&self, feature: u64) -> Option<usize> {
        let bucket = bucket(feature);
        let bound = |bucket: usize| self.directory.get(bucket).map_or(0, |at| *at as usize);
        let (from, to) = (bound(bucket), bound(bucket + 1));
        let within = self.features.get(from..to)?.binary_search(&feature);
        within.ok().map(|place| from + place)
    }

    /// The logarithm of how many of an intent's messages have a feature, by intent.
    fn seen(&self, row: usize) -> impl Iterator<Item = f64> {
        let counts = self.counts.get(row * self.intents..).unwrap_or_default();
        counts.iter().map(|count| {
            let known = self.logarithms.get(usize::from(*count)).copied();
            known.unwrap_or_else(|| logarithm(*count))
        })
    }

    /// What the examples add to the score of each intent.
    pub(super) fn opinion(
        &self,
        likeness: &Likeness,
        tokens: &[Token],
        names: &[Span],
    ) -> Vec<f64> {
        let mut sums = vec![0.0; self.intents];
        let mut known = 0.0_f64;
        for feature in features(tokens, names) {
            let Some(row) = self.row(feature) else {
                continue;
            };
            known += 1.0;
            for (sum, seen) in sums.iter_mut().zip(self.seen(row)) {
                *sum += seen;
            }
        }
        if known == 0.0 {
            return sums;
        }
        for (sum, share_of) in sums.iter_mut().zip(&self.shares_of) {
            *sum -= known * share_of;
        }
        let familiar = self.familiarity(tokens, names);
        let best = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // What a message has is not independent: many features tell less than their sum.
        let spread = likeness.spread * known.sqrt();
        let shares = sums.iter().map(|sum| ((sum - best) / spread).exp());
        let all: f64 = shares.clone().sum();
        let most = 1.0 / all;
        shares
            .map(|share| share / all)
            .map(|share| likeness.weight * share - likeness.doubt * (most - share))
            .map(|opinion| opinion * familiar)
            .collect()
    }
}

/// Of many features only those of several examples: the rest says little and is most of the memory.
fn common(rows: &FxHashMap<u64, u32>, counts: &[u16], intents: usize) -> (Vec<u64>, Vec<u16>) {
    let of_row = |row: u32| counts.iter().skip(place(row, intents)).take(intents);
    let few = rows.len() < MANY_FEATURES;
    let is_common = |row: &u32| few || of_row(*row).map(|count| u32::from(*count)).sum::<u32>() > 1;
    let kept = rows.iter().filter(|(_, row)| is_common(row));
    let mut kept: Vec<(u64, u32)> = kept.map(|(feature, row)| (*feature, *row)).collect();
    kept.sort_unstable();
    let kept_counts = kept.iter().flat_map(|(_, row)| of_row(*row)).copied();
    let kept_counts = kept_counts.collect();
    (
        kept.iter().map(|(feature, _)| *feature).collect(),
        kept_counts,
    )
}

/// Hashes are spread evenly: so few features have the same upper bits that they lie side by side.
const BUCKET_BITS: u32 = 12;

fn bucket(feature: u64) -> usize {
    usize::try_from(feature >> (u64::BITS - BUCKET_BITS)).unwrap_or_default()
}

/// Where each bucket of sorted features begins, and the last ends.
fn directory(features: &[u64]) -> Vec<u32> {
    let starts = (0..=1_usize << BUCKET_BITS).map(|number| {
        let at = features.partition_point(|feature| bucket(*feature) < number);
        u32::try_from(at).unwrap_or(u32::MAX)
    });
    starts.collect()
}

fn logarithm(count: u16) -> f64 {
    (f64::from(count) + SMOOTHING).ln()
}

/// Where a feature's row begins.
fn place(row: u32, intents: usize) -> usize {
    row as usize * intents
}

/// What a message has, each once: words, pairs of words side by side and with one between, parts.
pub(super) fn features(tokens: &[Token], names: &[Span]) -> Vec<u64> {
    let words = words(tokens, names);
    let mut features = Vec::with_capacity(words.len() * 12);
    features.extend(&words);
    for (distance, kind) in [(1, 5), (2, 6)] {
        let pairs = words.iter().zip(words.iter().skip(distance));
        features.extend(pairs.map(|(first, second)| hash(&second.to_le_bytes(), first ^ kind)));
    }
    for token in tokens.iter().filter(|token| token.kind == Kind::Word) {
        let bounded = format!("<{}>", token.text);
        for length in PARTS {
            let parts = bounded.as_bytes().windows(length);
            features.extend(parts.map(|part| hash(part, 4)));
        }
    }
    features.sort_unstable();
    features.dedup();
    features
}

/// The words of a message, with its begin and end; all numbers are one word, and so are all names.
fn words(tokens: &[Token], names: &[Span]) -> Vec<u64> {
    let mut words = vec![hash(b"^", 0)];
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let name = names.iter().find(|name| name.start == at);
        words.push(match (name, token.kind) {
            (Some(_), _) => hash(b"", 1),
            (None, Kind::Number) => hash(b"#", 2),
            (None, Kind::Word | Kind::Sign) => hash(token.text.as_bytes(), 2),
        });
        at = name.map_or(at + 1, |name| name.end.max(at + 1));
        if token.asked {
            words.push(hash(b"?", 3));
        }
    }
    words.push(hash(b"$", 0));
    words
}

fn hash(bytes: &[u8], kind: u64) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(kind);
    hasher.write(bytes);
    hasher.finish()
}
