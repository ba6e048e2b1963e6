//! Which fact of the business a question asks for: the one whose example questions are most like it.
//! Likeness is the cosine between what both have (words, pairs and parts of words, as the examples of
//! intents have them), each weighted by how few example questions have it.

use rustc_hash::FxHashMap;

use super::examples::features;
use super::lattice::Span;
use super::reading::Outline;
use super::tokens::Token;

/// Below this likeness it is better to say that one does not know. Of some sixty questions that are no
/// examples, a third of them about nothing that the dealer has a fact for, two of these came above it.
pub(super) const FLOOR: f64 = 0.34;
/// From here on the fact is meant even where an attribute of a thing is named.
pub(super) const CERTAIN: f64 = 0.55;

/// The example questions of all facts.
#[derive(Debug, Default)]
pub(super) struct Topics {
    /// Which examples have a feature.
    having: FxHashMap<u64, Vec<u32>>,
    /// Of each example, the place of its fact and the length of its vector.
    examples: Vec<(usize, f64)>,
}

impl Topics {
    /// Each example is given with the place of its fact.
    pub(super) fn new(questions: impl Iterator<Item = (usize, Outline)>) -> Self {
        let mut topics = Self::default();
        let mut all = Vec::new();
        for (fact, outline) in questions {
            let example = u32::try_from(topics.examples.len()).unwrap_or(u32::MAX);
            let features = features(&outline.tokens, &outline.certain);
            for feature in &features {
                topics.having.entry(*feature).or_default().push(example);
            }
            topics.examples.push((fact, 0.0));
            all.push(features);
        }
        for (place, features) in all.iter().enumerate() {
            let squares = features
                .iter()
                .map(|feature| topics.weight(*feature).powi(2));
            let length: f64 = squares.sum::<f64>().sqrt();
            if let Some(example) = topics.examples.get_mut(place) {
                example.1 = length;
            }
        }
        topics
    }

    /// How much a feature tells: nothing when every example has it.
    fn weight(&self, feature: u64) -> f64 {
        let all = self.examples.len() as f64 + 1.0;
        let having = self.having.get(&feature).map_or(0, Vec::len);
        (all / (having as f64 + 1.0)).ln()
    }

    /// The place of the likeliest fact, and how like one of its examples the question is.
    pub(super) fn rank(&self, tokens: &[Token], names: &[Span]) -> Option<(usize, f64)> {
        let mut products: FxHashMap<u32, f64> = FxHashMap::default();
        let mut squares = 0.0;
        for feature in features(tokens, names) {
            let weight = self.weight(feature);
            squares += weight.powi(2);
            for example in self.having.get(&feature).into_iter().flatten() {
                *products.entry(*example).or_default() += weight.powi(2);
            }
        }
        let length = squares.sqrt().max(f64::MIN_POSITIVE);
        let likeness = products.into_iter().filter_map(|(example, product)| {
            let (fact, other) = self.examples.get(example as usize)?;
            Some((*fact, product / (length * other.max(f64::MIN_POSITIVE))))
        });
        // Equal ones in the order of the file.
        likeness.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }
}
