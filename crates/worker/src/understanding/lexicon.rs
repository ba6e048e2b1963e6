//! All words that the domain knows, and what they mean to rules and languages.

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashMap;

use super::fold::cut_runs;
use super::symbols::Symbol;
use super::typos::{Target, Typos};
use crate::domain::Affix;

/// What is known about a word.
#[derive(Debug, Default, Clone)]
pub(super) struct Word {
    /// What rules call it.
    pub(super) symbols: Vec<Symbol>,
    /// One bit for each language that has it among its frequent words.
    pub(super) frequent_in: u32,
    /// One bit for each language that has it in a pattern.
    pub(super) pattern_of: u32,
    /// Part of a name in a catalogue.
    pub(super) name: bool,
}

/// Collects words; [`LexiconBuilder::finish`] makes them searchable.
#[derive(Debug, Default)]
pub(super) struct LexiconBuilder {
    words: FxHashMap<String, Word>,
    affixes: Vec<(String, Symbol)>,
}

const WORD_START: char = '\u{2}';
const WORD_END: char = '\u{3}';

impl LexiconBuilder {
    pub(super) fn word(&mut self, text: &str) -> &mut Word {
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
        let typos = Typos::new(self.words.keys().map(String::as_str));
        let (forms, affix_symbols): (Vec<String>, Vec<Symbol>) = self.affixes.into_iter().unzip();
        Lexicon {
            words: self.words,
            affixes: AhoCorasick::new(&forms).ok(),
            affix_symbols,
            typos,
        }
    }
}

/// All words that the domain knows.
#[derive(Debug)]
pub(super) struct Lexicon {
    words: FxHashMap<String, Word>,
    /// None when the patterns are too many to search, which takes gigabytes of them.
    affixes: Option<AhoCorasick>,
    affix_symbols: Vec<Symbol>,
    typos: Typos,
}

impl Lexicon {
    pub(super) fn get(&self, text: &str) -> Option<&Word> {
        self.words.get(text)
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
        self.words.contains_key(text) || self.for_each_affix(text, |_| {})
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
        self.typos
            .correct(&cut, |word| self.target(word))
            .map(str::to_owned)
    }

    fn target(&self, word: &str) -> Target {
        match self.words.get(word) {
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
