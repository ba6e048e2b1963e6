//! What the domain says of a public register of plates: `[register]`.

use stock::Names;

use super::section::Section;
use super::slots::{Slot, SlotKind};

/// How a register is asked, and what of its answers is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Register {
    /// The slot whose texts are looked up.
    pub plate: String,
    /// How many letters and digits a plate of this register has.
    pub length: usize,
    /// The parameter of the question.
    pub asks: String,
    /// Slot values, and the fields of an answer that give them; the upper of a catalogue comes first.
    pub fields: Vec<(String, String)>,
    /// The catalogues that what is told is looked up in.
    pub names: Vec<Names>,
}

/// Reads `[register]`.
pub(super) fn read(root: &Section<'_>, slots: &[Slot]) -> Option<Register> {
    let section = root.section("register")?;
    let plate = section.required_text("plate");
    let is_plate = |name: &str| {
        let mut slots = slots.iter();
        slots.any(|slot| slot.name == name && matches!(slot.kind, SlotKind::Plate { .. }))
    };
    if let Some(plate) = plate.filter(|plate| !is_plate(plate.value)) {
        let message = format!("`{}` is no slot of kind plate", plate.value);
        section.problem(plate.line, message);
    }
    let length = section.required_number("length");
    let asks = section.required_text("asks");
    let names = super::stock::all_names(slots);
    let mut fields = Vec::new();
    if let Some(table) = section.section("fields") {
        for key in table.keys() {
            let upper = names.iter().any(|names| *names.upper == *key.value);
            if !upper && !names.iter().any(|names| *names.lower == *key.value) {
                table.problem(key.line, format!("no catalogue gives `{}`", key.value));
            }
            if let Some(field) = table.text(key.value) {
                fields.push((!upper, key.value.to_owned(), field.value.to_owned()));
            }
        }
        fields.sort();
    }
    section.close();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number of characters"
    )]
    let length = length? as usize;
    Some(Register {
        plate: plate?.value.to_owned(),
        length,
        asks: asks?.value.to_owned(),
        fields: fields
            .into_iter()
            .map(|(_, slot, field)| (slot, field))
            .collect(),
        names,
    })
}
