//! What a message names: a car, a fuel, a plate.

use super::catalogue::Name;
use super::lattice::Span;
use super::plates::Plate;
use super::symbols::Symbol;
use crate::domain::Needs;

/// Something named in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    /// Place of the slot.
    pub(super) slot: usize,
    pub(super) named: Named,
    pub(super) span: Span,
    pub(super) needs: Needs,
    pub(super) negated: bool,
    pub(super) role: Role,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// Place of a value of a choice slot.
    Value(usize),
    /// Places of a make and, where it is named, a model.
    Name {
        make: usize,
        model: Option<usize>,
    },
    Text(String),
}

/// Whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing says.
    Open,
    /// The customer has it.
    Own,
    /// The customer wants it.
    Wanted,
}

impl Mention {
    pub(super) fn new(slot: usize, named: Named, span: Span) -> Self {
        Self {
            slot,
            named,
            span,
            needs: Needs::Nothing,
            negated: false,
            role: Role::Open,
        }
    }

    pub(super) fn name(slot: usize, name: Name) -> Self {
        let named = Named::Name {
            make: name.make,
            model: name.model,
        };
        Self {
            needs: name.needs,
            ..Self::new(slot, named, name.span)
        }
    }

    pub(super) fn plate(slot: usize, plate: Plate) -> Self {
        Self::new(slot, Named::Text(plate.text), plate.span)
    }

    pub(super) fn is_certain(&self) -> bool {
        self.needs == Needs::Nothing
    }

    pub(super) fn make(&self) -> Option<usize> {
        match self.named {
            Named::Name { make, .. } => Some(make),
            Named::Value(_) | Named::Text(_) => None,
        }
    }

    /// How rules see it.
    pub(super) fn edges(&self) -> [(Symbol, Span); 2] {
        [
            (Symbol::slot(self.slot), self.span),
            (Symbol::ANY_SLOT, self.span),
        ]
    }
}
