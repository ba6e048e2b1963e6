//! Everything that a pattern can ask for, as a number.

use rustc_hash::FxHashMap;

/// A word, a class, a slot or a number, as the rules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Symbol(u32);

impl Symbol {
    /// Any number.
    pub(super) const NUMBER: Self = Self(0);
    /// Something recognised for any slot.
    pub(super) const ANY_SLOT: Self = Self(1);
    /// A word before a question mark.
    pub(super) const ASKED: Self = Self(2);
    const FIRST_SLOT: u32 = 3;
    const MAX_SLOTS: u32 = 61;

    /// Whether this is something recognised for a slot.
    pub(super) fn is_slot(self) -> bool {
        let slots = Self::FIRST_SLOT..Self::FIRST_SLOT + Self::MAX_SLOTS;
        self == Self::ANY_SLOT || slots.contains(&self.0)
    }

    /// Its bit in a set of so many words of bits.
    pub(super) fn bit(self, words: usize) -> (usize, u64) {
        let place = self.0 as usize % (words * 64);
        (place / 64, 1 << (place % 64))
    }

    /// Something recognised for the slot at this place of the domain's list.
    pub(super) fn slot(place: usize) -> Self {
        Self(Self::FIRST_SLOT + u32::try_from(place).unwrap_or(0) % Self::MAX_SLOTS)
    }
}

/// Gives out symbols by name.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    named: FxHashMap<String, Symbol>,
}

impl Symbols {
    /// The symbol of a name; the same name gives the same symbol.
    pub(super) fn get(&mut self, name: &str) -> Symbol {
        let next = Symbol::FIRST_SLOT + Symbol::MAX_SLOTS + self.count();
        *self.named.entry(name.to_owned()).or_insert(Symbol(next))
    }

    /// A symbol that has no name.
    pub(super) fn anonymous(&mut self) -> Symbol {
        let name = format!("anonymous {}", self.named.len());
        self.get(&name)
    }

    fn count(&self) -> u32 {
        u32::try_from(self.named.len()).unwrap_or(u32::MAX / 2)
    }
}
