//! Finds the word that was meant, by symmetric deletion: a word and a typo of it have a common
//! form after leaving out one or two letters of each.

use rustc_hash::FxHashSet;

use super::texts::Texts;

const SHORTEST: usize = 4;
const LONGEST: usize = 24;
const TWO_TYPOS_FROM: usize = 8;
const TWO_TYPOS_OF_ANY_FROM: usize = 10;

/// What a word is that a typo may be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Part of a name in a catalogue.
    Name,
    /// A word that rules ask for.
    Spoken,
    /// Any other frequent word.
    Common,
}

/// Words that typos are corrected to, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Typos {
    /// The lower half of the hash of a shortened form, and the word it is of; sorted by the whole hash.
    hashes: Box<[u16]>,
    words: Box<[u32]>,
    /// Where the forms with the same upper half begin.
    directory: Box<[u32]>,
}

impl Typos {
    /// Builds the index. Words with other than ASCII letters, or too short, are left out.
    pub(super) fn new(texts: &Texts, target: impl Fn(u32) -> Target) -> Self {
        let mut deletions: Vec<(u32, u32)> = Vec::new();
        for number in (0..texts.len()).filter(|number| is_fit(texts.get(*number))) {
            let word = texts.get(number).as_bytes();
            for_each_deletion(word, slips(word.len(), target(number)), &mut |form| {
                deletions.push((hash(form), number));
            });
        }
        deletions.sort_unstable();
        deletions.dedup();
        let starts = (0..=0x1_0000_u64).map(|upper| {
            let at = deletions.partition_point(|(hash, _)| u64::from(*hash) < upper << 16);
            u32::try_from(at).unwrap_or(u32::MAX)
        });
        Self {
            directory: starts.collect(),
            hashes: deletions.iter().map(|(hash, _)| lower(*hash)).collect(),
            words: deletions.iter().map(|(_, word)| *word).collect(),
        }
    }

    /// The word that a text most likely is a typo of. `target` tells what a word is.
    pub(super) fn correct(
        &self,
        texts: &Texts,
        text: &str,
        target: impl Fn(u32) -> Target,
    ) -> Option<u32> {
        if !is_fit(text) {
            return None;
        }
        let mut seen = FxHashSet::default();
        let mut best: Option<(u32, &str, u32)> = None;
        for_each_deletion(text.as_bytes(), allowed(text.len()), &mut |form| {
            for number in self.with(hash(form)) {
                if !seen.insert(number) {
                    continue;
                }
                let word = texts.get(number);
                let target = target(number);
                if let Some(cost) = cost(text.as_bytes(), word.as_bytes(), target) {
                    let cost = cost * 2 + u32::from(target == Target::Common);
                    if best.is_none_or(|(lowest, other, _)| (cost, word) < (lowest, other)) {
                        best = Some((cost, word, number));
                    }
                }
            }
        });
        best.map(|(.., number)| number)
    }

    /// The words with a shortened form of this hash.
    fn with(&self, hash: u32) -> impl Iterator<Item = u32> {
        let upper = (hash >> 16) as usize;
        let bound = |at: usize| self.directory.get(at).map_or(0, |at| *at as usize);
        let bounds = bound(upper)..bound(upper + 1);
        let hashes = self.hashes.get(bounds.clone()).unwrap_or_default();
        let words = self.words.get(bounds).unwrap_or_default();
        let pairs = hashes.iter().zip(words);
        pairs.filter_map(move |(other, word)| (*other == lower(hash)).then_some(*word))
    }
}

/// The lower half of a hash.
fn lower(hash: u32) -> u16 {
    u16::try_from(hash & 0xffff).unwrap_or_default()
}

/// How many slips are believed of a word: see [`cost`]. Each is a letter that is left out of it.
fn slips(length: usize, target: Target) -> usize {
    let two_from = match target {
        Target::Name => TWO_TYPOS_FROM,
        Target::Spoken | Target::Common => TWO_TYPOS_OF_ANY_FROM,
    };
    if length >= two_from { 2 } else { 1 }
}

fn is_fit(word: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase())
}

fn allowed(length: usize) -> usize {
    if length >= TWO_TYPOS_FROM { 2 } else { 1 }
}

fn hash(form: &[u8]) -> u32 {
    form.iter().fold(0x811c_9dc5, |hash: u32, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

fn for_each_deletion(word: &[u8], depth: usize, visit: &mut impl FnMut(&[u8])) {
    visit(word);
    let mut buffer = [0_u8; LONGEST];
    for leave in 0..word.len() {
        let Some(shorter) = without(word, leave, &mut buffer) else {
            continue;
        };
        visit(shorter);
        if depth < 2 {
            continue;
        }
        let mut second = [0_u8; LONGEST];
        for also in leave..shorter.len() {
            if let Some(shortest) = without(shorter, also, &mut second) {
                visit(shortest);
            }
        }
    }
}

fn without<'b>(word: &[u8], leave: usize, buffer: &'b mut [u8; LONGEST]) -> Option<&'b [u8]> {
    let kept = word.iter().enumerate().filter(|(at, _)| *at != leave);
    let mut length = 0;
    for ((_, byte), place) in kept.zip(buffer.iter_mut()) {
        *place = *byte;
        length += 1;
    }
    buffer.get(..length)
}

/// What the typo costs, lower is likelier; none when it is no believable typo of the word. The
/// shorter the word, the fewer kinds of slips are believed: swapped or doubled letters always, a
/// missing letter next, then a neighbouring key; any two slips only in long words.
fn cost(text: &[u8], word: &[u8], target: Target) -> Option<u32> {
    let distance = distance(text, word);
    let length = word.len();
    let first_differs = text.first() != word.first();
    let last_differs = text.last() != word.last();
    let slip = match distance {
        0 => 0,
        1 if same_letters(text, word) || undoubled(text) == undoubled(word) => 1,
        1 if length < 5 || target == Target::Common => return None,
        1 if text.len() < length && !first_differs && !last_differs => 2,
        1 if text.len() == length && is_near_miss(text, word) => 2,
        1 if length >= 8 || text.len() > length && length >= 7 => 3,
        1 if target == Target::Name && length >= 6 && !first_differs => 3,
        2 if first_differs => return None,
        2 if slips(length, target) == 2 => 6,
        _ => return None,
    };
    Some(slip * 4 + u32::from(first_differs) * 2 + u32::from(last_differs))
}

/// The letters of two words are the same, in another order.
fn same_letters(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && sorted(a) == sorted(b)
}

/// The one letter that differs is beside the right one on the keyboard, or sounds like it.
fn is_near_miss(text: &[u8], word: &[u8]) -> bool {
    const NEAR: [&[u8]; 16] = [
        b"qwertyuiop",
        b"asdfghjkl",
        b"zxcvbnm",
        b"ck",
        b"sz",
        b"fv",
        b"iy",
        b"dt",
        b"yh",
        b"ty",
        b"gh",
        b"kq",
        b"uo",
        b"ao",
        b"ie",
        b"wa",
    ];
    let wrong = text.iter().zip(word).find(|(a, b)| a != b);
    let Some((a, b)) = wrong else {
        return false;
    };
    let beside = |row: &&[u8]| {
        row.windows(2)
            .any(|pair| pair == [*a, *b] || pair == [*b, *a])
    };
    NEAR.iter().any(beside)
}

fn sorted(word: &[u8]) -> [u8; LONGEST] {
    let mut letters = [0; LONGEST];
    for (place, byte) in letters.iter_mut().zip(word) {
        *place = *byte;
    }
    letters.sort_unstable();
    letters
}

fn undoubled(word: &[u8]) -> [u8; LONGEST] {
    let mut letters = [0; LONGEST];
    let mut last = 0;
    let once = word
        .iter()
        .filter(|byte| std::mem::replace(&mut last, **byte) != **byte);
    for (place, byte) in letters.iter_mut().zip(once) {
        *place = *byte;
    }
    letters
}

/// Insertions, deletions, substitutions and swaps of neighbours between two short words.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before_last = [0_usize; LONGEST + 1];
    let mut last: [usize; LONGEST + 1] = std::array::from_fn(|at| at);
    let at = |row: &[usize; LONGEST + 1], place: usize| row.get(place).copied().unwrap_or(LONGEST);
    let mut previous_a = 0;
    for (i, byte_a) in (1..).zip(a) {
        let mut row = [i; LONGEST + 1];
        let mut previous_b = 0;
        for (j, byte_b) in (1..).zip(b) {
            let substituted = at(&last, j - 1) + usize::from(byte_a != byte_b);
            let mut best = substituted.min(at(&last, j) + 1).min(at(&row, j - 1) + 1);
            if i > 1 && j > 1 && *byte_a == previous_b && previous_a == *byte_b {
                best = best.min(at(&before_last, j - 2) + 1);
            }
            if let Some(place) = row.get_mut(j) {
                *place = best;
            }
            previous_b = *byte_b;
        }
        previous_a = *byte_a;
        before_last = last;
        last = row;
    }
    at(&last, b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyday_typos_are_corrected() {
        let texts = Texts::new(
            [
                "volkswagen",
                "peugeot",
                "mercedes",
                "golf",
                "corsa",
                "qashqai",
                "afspraak",
            ]
            .into_iter(),
        );
        let typos = Typos::new(&texts, |_| Target::Spoken);
        for (typo, meant) in [
            ("volkwagen", Some("volkswagen")),
            ("volkswgaen", Some("volkswagen")),
            ("pegeot", Some("peugeot")),
            ("merceders", Some("mercedes")),
            ("glof", Some("golf")),
            ("gollf", Some("golf")),
            ("gold", None),
            ("qashqay", Some("qashqai")),
            ("afpsraak", Some("afspraak")),
            ("corsica", None),
            ("boot", None),
            ("horsa", None),
        ] {
            let found = typos.correct(&texts, typo, |_| Target::Spoken);
            assert_eq!(found.map(|number| texts.get(number)), meant, "{typo}");
        }
    }

    #[test]
    fn common_words_attract_only_slight_slips() {
        let texts = Texts::new(["station", "situatie"].into_iter());
        let typos = Typos::new(&texts, |_| Target::Spoken);
        for (typo, common, spoken) in [
            ("sation", None, Some("station")),
            ("sattion", Some("station"), Some("station")),
        ] {
            for (target, meant) in [(Target::Common, common), (Target::Spoken, spoken)] {
                let found = typos.correct(&texts, typo, |_| target);
                assert_eq!(found.map(|number| texts.get(number)), meant);
            }
        }
    }

    #[test]
    fn distance_counts_swaps_once() {
        for (a, b, expected) in [("golf", "glof", 1), ("abc", "abc", 0), ("abc", "axcd", 2)] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), expected);
        }
    }
}
