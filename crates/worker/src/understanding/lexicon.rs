//! All words that the domain knows, and what they mean to rules and languages.

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashMap;

use super::fold::cut_runs;
use super::symbols::Symbol;
use super::texts::Texts;
use super::typos::{Target, Typos};
use crate::domain::Affix;

/// What is known about a word, while words are collected.
#[derive(Debug, Default, Clone)]
pub(super) struct Noted {
    /// What rules call it.
    pub(super) symbols: Vec<Symbol>,
    /// One bit for each language that has it among its frequent words.
    pub(super) frequent_in: u32,
    /// One bit for each language that has it in a pattern.
    pub(super) pattern_of: u32,
    /// Part of a name in a catalogue.
    pub(super) name: bool,
}

/// What is known about a word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<'l> {
    /// What rules call it.
    pub(super) symbols: &'l [Symbol],
    /// One bit for each language that has it among its frequent words.
    pub(super) frequent_in: u32,
    /// One bit for each language that has it in a pattern.
    pub(super) pattern_of: u32,
    /// Part of a name in a catalogue.
    pub(super) name: bool,
}

/// The same as it is kept; the symbols of all words are in one list.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// Where its symbols end; those of the word before end where its own begin.
    symbols_to: u32,
    frequent_in: u32,
    pattern_of: u32,
    name: bool,
}

/// Collects words; [`LexiconBuilder::finish`] makes them searchable.
#[derive(Debug, Default)]
pub(super) struct LexiconBuilder {
    words: FxHashMap<String, Noted>,
    affixes: Vec<(String, Symbol)>,
}

const WORD_START: char = '\u{2}';
const WORD_END: char = '\u{3}';

impl LexiconBuilder {
    pub(super) fn word(&mut self, text: &str) -> &mut Noted {
        self.words.entry(text.to_owned()).or_default()
    }

    /// A symbol for words that begin with, end with or contain a text.
    pub(super) fn affix(&mut self, text: &str, affix: Affix, symbol: Symbol) {
        let open_end = matches!(affix, Affix::Prefix | Affix::Infix);
        let open_start = matches!(affix, Affix::Suffix | Affix::Infix);
        let mut form = String::with_capacity(text.len() + 2);
        if !open_start {
            form.push(WORD_START);
        }
        form.push_str(text);
        if !open_end {
            form.push(WORD_END);
        }
        self.affixes.push((form, symbol));
        self.word(text);
    }

    pub(super) fn finish(self) -> Lexicon {
        let mut words: Vec<(String, Noted)> = self.words.into_iter().collect();
        words.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let mut symbols = Vec::new();
        let kept = words.iter().map(|(_, noted)| {
            symbols.extend(&noted.symbols);
            Kept {
                symbols_to: u32::try_from(symbols.len()).unwrap_or(u32::MAX),
                frequent_in: noted.frequent_in,
                pattern_of: noted.pattern_of,
                name: noted.name,
            }
        });
        let kept = kept.collect();
        let texts = Texts::new(words.iter().map(|(text, _)| text.as_str()));
        let (forms, affix_symbols): (Vec<String>, Vec<Symbol>) = self.affixes.into_iter().unzip();
        let mut lexicon = Lexicon {
            words: kept,
            symbols: symbols.into(),
            affixes: AhoCorasick::new(&forms).ok(),
            affix_symbols: affix_symbols.into(),
            typos: Typos::default(),
            texts,
        };
        lexicon.typos = Typos::new(&lexicon.texts, |word| lexicon.target(word));
        lexicon
    }
}

/// All words that the domain knows.
#[derive(Debug)]
pub(super) struct Lexicon {
    texts: Texts,
    /// By the numbers of their texts.
    words: Box<[Kept]>,
    symbols: Box<[Symbol]>,
    /// None when the patterns are too many to search, which takes gigabytes of them.
    affixes: Option<AhoCorasick>,
    affix_symbols: Box<[Symbol]>,
    typos: Typos,
}

impl Lexicon {
    pub(super) fn get(&self, text: &str) -> Option<Word<'_>> {
        self.word(self.texts.number(text)?)
    }

    fn word(&self, number: u32) -> Option<Word<'_>> {
        let number = number as usize;
        let kept = self.words.get(number)?;
        let before = number
            .checked_sub(1)
            .and_then(|before| self.words.get(before));
        let from = before.map_or(0, |before| before.symbols_to as usize);
        Some(Word {
            symbols: self.symbols.get(from..kept.symbols_to as usize)?,
            frequent_in: kept.frequent_in,
            pattern_of: kept.pattern_of,
            name: kept.name,
        })
    }

    /// Calls back with the symbol of every stem or ending that fits; true when there was any.
    pub(super) fn for_each_affix(&self, text: &str, mut visit: impl FnMut(Symbol)) -> bool {
        let Some(affixes) = &self.affixes else {
            return false;
        };
        let bounded = format!("{WORD_START}{text}{WORD_END}");
        let mut found = false;
        for hit in affixes.find_overlapping_iter(&bounded) {
            if let Some(symbol) = self.affix_symbols.get(hit.pattern().as_usize()) {
                visit(*symbol);
                found = true;
            }
        }
        found
    }

    pub(super) fn knows(&self, text: &str) -> bool {
        self.texts.number(text).is_some() || self.for_each_affix(text, |_| {})
    }

    /// What an unknown word was meant to be: letters drawn out are cut, then typos are undone.
    pub(super) fn meant(&self, text: &str) -> Option<String> {
        let cut = cut_runs(text, 2);
        if cut != text && self.knows(&cut) {
            return Some(cut);
        }
        let single = cut_runs(text, 1);
        let drawn_out = cut != text || ends_doubled(text);
        if drawn_out && self.knows(&single) {
            return Some(single);
        }
        let number = self
            .typos
            .correct(&self.texts, &cut, |word| self.target(word))?;
        Some(self.texts.get(number).to_owned())
    }

    fn target(&self, number: u32) -> Target {
        match self.word(number) {
            Some(word) if word.name => Target::Name,
            Some(word) if !word.symbols.is_empty() => Target::Spoken,
            _ => Target::Common,
        }
    }
}

/// `yoo`, `heyy`: the last letter twice.
fn ends_doubled(text: &str) -> bool {
    let mut letters = text.chars().rev();
    letters
        .next()
        .is_some_and(|last| letters.next() == Some(last))
}
