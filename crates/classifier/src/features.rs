//! What a text has: its words, pairs of them, and parts of words, as numbers.

use std::hash::Hasher;
use std::iter;

use rustc_hash::FxHasher;

/// How long parts of words are, in letters; a blank stands at each end of a word.
const PARTS: [usize; 2] = [4, 5];

/// Bits of a feature that stay free for a class.
const SPARE: u32 = u16::BITS;

/// The bit that parts of words have, and words have not.
const PART: u64 = 1;

/// What features a text has.
#[derive(Debug, Default)]
pub(crate) struct Features {
    /// Words and pairs of them.
    pub(crate) words: Vec<u64>,
    /// Parts of words.
    pub(crate) parts: Vec<u64>,
}

impl Features {
    /// Those of words in their order. A feature stands there as often as the text has it.
    pub(crate) fn of<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        let mut features = Self::default();
        let mut before = None;
        for word in words {
            features.words.push(hash(iter::once(word)));
            if let Some(before) = before {
                features.words.push(hash([before, word].into_iter()));
            }
            before = Some(word);
            features.add_parts(word);
        }
        features
    }

    fn add_parts(&mut self, word: &str) {
        let padded = format!(" {word} ");
        let bounds = padded.char_indices().map(|(at, _)| at);
        let bounds: Vec<usize> = bounds.chain([padded.len()]).collect();
        for length in PARTS {
            let part = |ends: &[usize]| padded.get(*ends.first()?..*ends.last()?);
            let parts = bounds.windows(length + 1).filter_map(part);
            self.parts.extend(parts.map(of_part));
        }
    }
}

fn hash<'w>(words: impl Iterator<Item = &'w str>) -> u64 {
    let mut hasher = FxHasher::default();
    for word in words {
        hasher.write(word.as_bytes());
        hasher.write_u8(b' ');
    }
    (hasher.finish() >> SPARE) & !PART
}

/// A part is no word that is spelled like it.
fn of_part(part: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(part.as_bytes());
    (hasher.finish() >> SPARE) | PART
}

/// Whether a feature is a part of a word.
pub(crate) const fn is_part(feature: u64) -> bool {
    feature & PART != 0
}
