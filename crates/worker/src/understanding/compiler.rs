//! Turns the domain's patterns into rules, and collects their words.

use super::fold::{fold, umlauts_spelled_out};
use super::lexicon::{Lexicon, LexiconBuilder};
use super::rules::{RuleList, RuleSet, Step};
use super::symbols::{Symbol, Symbols};
use super::tokens::tokenize;
use crate::domain::{Affix, Atom, Element, Pattern, Slot};

/// Compiles patterns one by one; [`Compiler::finish`] gives the lexicon and the definitions.
pub(super) struct Compiler<'d> {
    slots: &'d [Slot],
    pub(super) symbols: Symbols,
    pub(super) lexicon: LexiconBuilder,
    /// The language whose patterns are compiled now; one bit, none for shared ones.
    pub(super) language: u32,
    /// Phrases that stand for one symbol.
    definitions: RuleList<Symbol>,
}

impl<'d> Compiler<'d> {
    pub(super) fn new(slots: &'d [Slot]) -> Self {
        Self {
            slots,
            symbols: Symbols::default(),
            lexicon: LexiconBuilder::default(),
            language: 0,
            definitions: RuleList::default(),
        }
    }

    pub(super) fn finish(self) -> (Lexicon, RuleSet<Symbol>) {
        (self.lexicon.finish(), RuleSet::new(self.definitions))
    }

    /// Makes a pattern a member of a class. A single word becomes one directly.
    pub(super) fn define(&mut self, class: &str, pattern: &Pattern) {
        let symbol = self.class(class);
        let elements = pattern.elements();
        if let [
            Element::OneOf {
                atoms,
                optional: false,
            },
        ] = elements.as_slice()
        {
            for atom in atoms {
                if let Atom::Word { text, affix } = atom
                    && let [word] = words(text).as_slice()
                {
                    self.add_word(word, *affix, symbol);
                    continue;
                }
                let steps = self.atom(atom);
                self.definitions.push(&steps, symbol);
            }
            return;
        }
        let steps = self.steps(&elements);
        self.definitions.push(&steps, symbol);
    }

    pub(super) fn class(&mut self, name: &str) -> Symbol {
        self.symbols.get(&format!("@{name}"))
    }

    pub(super) fn compile(&mut self, pattern: &Pattern) -> Vec<Step> {
        self.steps(&pattern.elements())
    }

    fn steps(&mut self, elements: &[Element]) -> Vec<Step> {
        let mut steps = Vec::with_capacity(elements.len());
        for element in elements {
            match element {
                Element::Start => steps.push(Step::Start),
                Element::End => steps.push(Step::End),
                Element::Gap(reach) => steps.push(Step::Gap(*reach)),
                Element::NoneOf(atoms) => steps.push(Step::NoneOf(self.alternatives(atoms))),
                Element::OneOf {
                    atoms,
                    optional: false,
                } if atoms.len() == 1 => {
                    steps.extend(atoms.iter().flat_map(|atom| self.atom(atom)));
                }
                Element::OneOf { atoms, optional } => steps.push(Step::OneOf {
                    symbols: self.alternatives(atoms),
                    optional: *optional,
                }),
            }
        }
        steps
    }

    fn alternatives(&mut self, atoms: &[Atom]) -> Vec<Symbol> {
        atoms.iter().map(|atom| self.one_symbol(atom)).collect()
    }

    /// The symbol of an atom; a word that splits into several becomes a phrase with a symbol.
    fn one_symbol(&mut self, atom: &Atom) -> Symbol {
        let steps = self.atom(atom);
        if let [Step::OneOf { symbols, .. }] = steps.as_slice()
            && let [symbol] = symbols.as_slice()
        {
            return *symbol;
        }
        let symbol = self.symbols.anonymous();
        self.definitions.push(&steps, symbol);
        symbol
    }

    fn atom(&mut self, atom: &Atom) -> Vec<Step> {
        let symbol = match atom {
            Atom::Number => Symbol::NUMBER,
            Atom::AnySlot => Symbol::ANY_SLOT,
            Atom::Asked => Symbol::ASKED,
            Atom::Class(name) => self.class(name),
            Atom::Slot(name) => {
                let place = self.slots.iter().position(|slot| slot.name == *name);
                Symbol::slot(place.unwrap_or_default())
            }
            Atom::Word { text, affix } => return self.word(text, *affix),
            Atom::Phrase(phrase) => return self.steps(phrase),
        };
        vec![one(symbol)]
    }

    fn word(&mut self, text: &str, affix: Affix) -> Vec<Step> {
        let words = words(text);
        let last = words.len().saturating_sub(1);
        let mut steps = Vec::with_capacity(words.len());
        for (place, word) in words.iter().enumerate() {
            let open_start = place == 0 && matches!(affix, Affix::Suffix | Affix::Infix);
            let open_end = place == last && matches!(affix, Affix::Prefix | Affix::Infix);
            let affix = match (open_start, open_end) {
                (false, false) => Affix::Whole,
                (false, true) => Affix::Prefix,
                (true, false) => Affix::Suffix,
                (true, true) => Affix::Infix,
            };
            let symbol = self.symbols.get(&format!("{affix:?} {}", fold(word)));
            self.add_word(word, affix, symbol);
            steps.push(one(symbol));
        }
        steps
    }

    fn add_word(&mut self, word: &str, affix: Affix, symbol: Symbol) {
        let spelled_out = umlauts_spelled_out(word).map(|word| fold(&word));
        for form in std::iter::once(fold(word)).chain(spelled_out) {
            if affix != Affix::Whole {
                self.lexicon.affix(&form, affix, symbol);
            }
            let entry = self.lexicon.word(&form);
            entry.pattern_of |= self.language;
            if affix == Affix::Whole && !entry.symbols.contains(&symbol) {
                entry.symbols.push(symbol);
            }
        }
    }
}

fn one(symbol: Symbol) -> Step {
    Step::OneOf {
        symbols: vec![symbol],
        optional: false,
    }
}

/// The words that a text of a pattern splits into, umlauts kept. A sign alone is one.
fn words(text: &str) -> Vec<String> {
    let tokens = tokenize(text, |_| false);
    if tokens.is_empty() {
        return vec![text.to_owned()];
    }
    let raw = |token: &super::tokens::Token| {
        let word = text.get(token.start..token.end).unwrap_or_default();
        word.chars()
            .filter(|c| !matches!(c, '\'' | '’' | '.' | '/') || word.len() == 1)
            .collect()
    };
    tokens
        .iter()
        .map(|token| match token.kind {
            super::tokens::Kind::Word => raw(token),
            _ => token.text.clone(),
        })
        .collect()
}
