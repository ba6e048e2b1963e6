//! Tells short texts apart by examples of each class: a naive Bayes classifier whose weights are of one length.
//!
//! A feature (see `features.rs`) weighs for a class the logarithm of how much likelier it is in the class than
//! outside, and in a text the more the fewer examples have it. The weights of a class are divided by their length,
//! as J. Rennie et al. do ("Tackling the Poor Assumptions of Naive Bayes Text Classifiers", 2003): classes
//! with many examples win nothing by that.

mod features;

use features::{Features, is_part};

/// What is added to the counts of a class, spread over the features as all examples have them.
const SMOOTHING: f64 = 0.5;

/// What examples taught.
#[derive(Debug, Default)]
pub struct Classifier {
    /// Sorted; the place of a feature is that of its rarity and of the begin of its weights.
    features: Vec<u64>,
    rarity: Vec<f32>,
    begins: Vec<u32>,
    /// The classes whose examples have a feature, with what it weighs beyond `absent`.
    weights: Vec<(u16, f32)>,
    /// By class, what a feature weighs that none of its examples has; none for a class without examples.
    absent: Vec<Option<f32>>,
}

/// What an example has, with its class. A feature takes the upper bits, the class the lower ones: there are
/// more than a million, which are to be sorted.
#[derive(Debug)]
pub struct Example(Vec<u64>);

const CLASS_BITS: u32 = u16::BITS;

impl Example {
    /// An example of a class, counted from 0, by its words.
    #[must_use]
    pub fn new<'w>(class: u16, words: impl Iterator<Item = &'w str>) -> Self {
        let features = Features::of(words);
        let features = features.words.iter().chain(&features.parts);
        let mut marked: Vec<u64> = features
            .map(|feature| feature << CLASS_BITS | u64::from(class))
            .collect();
        marked.sort_unstable();
        marked.dedup();
        Self(marked)
    }
}

/// Room for the features of all examples: memory that is not written to costs nothing, and a list that grows is copied.
const ROOM: usize = 1 << 21;

impl Classifier {
    /// Learns from examples.
    pub fn learn(examples: impl Iterator<Item = Example>) -> Self {
        let mut seen: Vec<u64> = Vec::with_capacity(ROOM);
        let mut sizes: Vec<f64> = Vec::new();
        for Example(features) in examples {
            let class = features.first().map_or(0, |first| class_of(*first));
            sizes.resize(sizes.len().max(usize::from(class) + 1), 0.0);
            if let Some(size) = sizes.get_mut(usize::from(class)) {
                *size += 1.0;
            }
            seen.extend(features);
        }
        seen.sort_unstable();
        Self::weigh(&seen, &sizes)
    }

    /// `seen` has every feature of every example, sorted.
    fn weigh(seen: &[u64], sizes: &[f64]) -> Self {
        let all: f64 = sizes.iter().sum();
        let absent = |size: &f64| odds(SMOOTHING / all, 1.0 + SMOOTHING / all, *size, all);
        let absent: Vec<f64> = sizes.iter().map(absent).collect();
        let mut classifier = Self::default();
        // Of each class, the sum of the squares of its weights beyond those that are absent.
        let mut squares = vec![0.0; sizes.len()];
        let feature_of = |marked: u64| marked >> CLASS_BITS;
        for of_feature in seen.chunk_by(|a, b| feature_of(*a) == feature_of(*b)) {
            let Some(feature) = of_feature.first().map(|first| feature_of(*first)) else {
                continue;
            };
            // What one example has alone says of its words what they say.
            if is_part(feature) && of_feature.len() == 1 {
                continue;
            }
            let total = of_feature.len() as f64;
            classifier.features.push(feature);
            classifier
                .rarity
                .push((((1.0 + all) / (1.0 + total)).ln() + 1.0) as f32);
            classifier.begins.push(place(classifier.weights.len()));
            for of_class in of_feature.chunk_by(|a, b| a == b) {
                let class = of_class.first().map_or(0, |first| class_of(*first));
                let at = usize::from(class);
                let (Some(size), Some(absent)) = (sizes.get(at), absent.get(at)) else {
                    continue;
                };
                let (inside, spread) = (of_class.len() as f64, SMOOTHING * total / all);
                let weight = odds(inside + spread, total - inside + spread, *size, all);
                if let Some(sum) = squares.get_mut(at) {
                    *sum += weight.powi(2) - absent.powi(2);
                }
                classifier.weights.push((class, (weight - absent) as f32));
            }
        }
        classifier.begins.push(place(classifier.weights.len()));
        let features = classifier.features.len() as f64;
        let lengths = squares.iter().zip(&absent);
        let lengths = lengths.map(|(squares, absent)| (squares + features * absent.powi(2)).sqrt());
        classifier.weights.shrink_to_fit();
        let lengths: Vec<f64> = lengths
            .map(|length| length.max(f64::MIN_POSITIVE))
            .collect();
        for (class, weight) in &mut classifier.weights {
            *weight /= lengths
                .get(usize::from(*class))
                .map_or(1.0, |length| *length as f32);
        }
        let absent = absent.iter().zip(&lengths).zip(sizes);
        let absent = absent
            .map(|((absent, length), size)| (*size > 0.0).then_some((absent / length) as f32));
        classifier.absent = absent.collect();
        classifier
    }

    /// How much a text is like the examples of each class; only differences mean something. A class without
    /// examples is infinitely far.
    #[must_use]
    pub fn scores<'w>(&self, words: impl Iterator<Item = &'w str>) -> Vec<f32> {
        let features = Features::of(words);
        let mut scores = vec![0.0; self.absent.len()];
        let mut sum = 0.0;
        for kind in [features.words, features.parts] {
            let shares = self.shares(kind);
            for (row, share) in shares {
                sum += share;
                for (class, weight) in self.row(row) {
                    if let Some(score) = scores.get_mut(usize::from(*class)) {
                        *score += share * weight;
                    }
                }
            }
        }
        for (score, absent) in scores.iter_mut().zip(&self.absent) {
            *score = absent.map_or(f32::NEG_INFINITY, |absent| *score + sum * absent);
        }
        scores
    }

    /// The rows of the features that are known, with their shares: their squares add up to a half.
    fn shares(&self, mut features: Vec<u64>) -> Vec<(usize, f32)> {
        features.sort_unstable();
        let known = features.chunk_by(|a, b| a == b).filter_map(|same| {
            let row = self.features.binary_search(same.first()?).ok()?;
            let often = 1.0 + (same.len() as f32).ln();
            Some((row, often * self.rarity.get(row)?))
        });
        let mut known: Vec<(usize, f32)> = known.collect();
        let squares: f32 = known.iter().map(|(_, share)| share.powi(2)).sum();
        let length = (2.0 * squares).sqrt().max(f32::MIN_POSITIVE);
        known.iter_mut().for_each(|(_, share)| *share /= length);
        known
    }

    fn row(&self, row: usize) -> &[(u16, f32)] {
        let bound = |row: usize| self.begins.get(row).map_or(0, |begin| *begin as usize);
        self.weights
            .get(bound(row)..bound(row + 1))
            .unwrap_or_default()
    }
}

/// The class of a feature of an example.
const fn class_of(marked: u64) -> u16 {
    (marked & u16::MAX as u64) as u16
}

/// The logarithm of how much likelier something is inside a class of a size than among all others.
fn odds(inside: f64, outside: f64, size: f64, all: f64) -> f64 {
    let inside = inside / (size + SMOOTHING);
    let outside = outside / (all - size + SMOOTHING);
    (inside / outside).ln()
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned() -> Classifier {
        let examples = [
            (0, "where can I park"),
            (0, "is there a car park"),
            (0, "parking space for a van"),
            (1, "which bus stops there"),
            (1, "where does the bus stop"),
            (1, "how far is the station"),
            (3, "is it still there"),
            (3, "how much is the van"),
        ];
        let examples = examples.iter();
        Classifier::learn(examples.map(|(class, text)| Example::new(*class, text.split(' '))))
    }

    fn best(text: &str) -> usize {
        let scores = learned().scores(text.split(' '));
        let scores = scores.iter().enumerate();
        scores.max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0
    }

    #[test]
    fn a_text_is_told_by_the_words_that_few_classes_have() {
        assert_eq!(best("can we easily park there tomorrow"), 0);
        assert_eq!(best("how far is it to the station"), 1);
        assert_eq!(best("how much is it"), 3);
    }

    #[test]
    fn parts_of_words_tell_too() {
        assert_eq!(best("parked"), 0);
        assert_eq!(best("busstop"), 1);
    }

    #[test]
    fn what_nobody_said_speaks_for_none() {
        let scores = learned().scores("xyzzy".split(' '));
        assert_eq!(scores, [0.0, 0.0, f32::NEG_INFINITY, 0.0]);
        assert!(Classifier::default().scores("park".split(' ')).is_empty());
    }
}
