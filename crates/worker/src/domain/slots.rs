use super::catalogue::{self, Make};
use super::intents::{self, Intent};
use super::section::{Section, Text};

/// Something a message can tell: a make, a colour, a budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// As patterns call it (`<price>`), and the name of its value unless the kind has other names.
    pub name: String,
    /// How it is recognised.
    pub kind: SlotKind,
    /// Places of the intents whose messages never give it.
    pub not_for: Vec<usize>,
}

/// The ways of recognising a slot.
#[derive(Debug, Clone, PartialEq)]
pub enum SlotKind {
    /// Two levels of names, where the lower one fixes the upper: makes and models.
    Catalogue(Catalogue),
    /// One of a few names.
    Choice {
        /// The canonical values.
        values: Vec<String>,
        /// Several are wanted together, and are no alternatives.
        together: bool,
    },
    /// A number with a unit, such as money or a distance.
    Amount(Amount),
    /// A calendar year.
    Year(Amount),
    /// A text of fixed formats, such as a licence plate.
    Plate {
        /// `L` is a letter, `9` a digit, `?` makes the one before it optional, the rest stands for itself.
        formats: Vec<String>,
        /// Formats that look like other things: believed after one of the words `after`.
        loose: Vec<String>,
        /// "Kennzeichen", "plate".
        after: Vec<String>,
    },
}

/// Makes and models.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// The slot that the make goes into.
    pub upper: String,
    /// The slot that the model goes into.
    pub lower: String,
    /// All of them.
    pub makes: Vec<Make>,
}

/// Where numbers go, and which are believable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// The slot for "at least".
    pub min: Option<String>,
    /// The slot for "at most".
    pub max: Option<String>,
    /// Numbers outside are none of these.
    pub bounds: (i64, i64),
    /// Numbers inside count even when nothing says what they are.
    pub bare: Option<(i64, i64)>,
    /// What is wished is a multiple of this; an odometer reads anything.
    pub round: Option<i64>,
}

/// Reads the `[[slots]]`. `open` gives the text of a further file.
pub(super) fn read(
    root: &Section<'_>,
    intents: &[Intent],
    mut makes: impl FnMut(Text<'_>) -> Vec<Make>,
) -> Vec<Slot> {
    root.sections("slots")
        .into_iter()
        .filter_map(|section| read_one(section, intents, &mut makes))
        .collect()
}

fn read_one(
    section: Section<'_>,
    intents: &[Intent],
    makes: &mut impl FnMut(Text<'_>) -> Vec<Make>,
) -> Option<Slot> {
    let name = section.required_text("name");
    let kind = section.required_text("kind");
    let not_for = section
        .texts("not_for")
        .into_iter()
        .filter_map(|text| intents::find(intents, &section, text))
        .collect();
    let kind = kind.and_then(|kind| read_kind(&section, kind, makes));
    let slot = Slot {
        name: name?.value.to_owned(),
        kind: kind?,
        not_for,
    };
    section.close();
    Some(slot)
}

fn read_kind(
    section: &Section<'_>,
    kind: Text<'_>,
    makes: &mut impl FnMut(Text<'_>) -> Vec<Make>,
) -> Option<SlotKind> {
    match kind.value {
        "catalogue" => {
            let (upper, lower) = (
                section.required_text("upper"),
                section.required_text("lower"),
            );
            let makes = makes(section.required_text("file")?);
            Some(SlotKind::Catalogue(Catalogue {
                upper: upper?.value.to_owned(),
                lower: lower?.value.to_owned(),
                makes,
            }))
        }
        "choice" => Some(SlotKind::Choice {
            values: owned(section.texts("values")),
            together: section.boolean("together"),
        }),
        "amount" => Some(SlotKind::Amount(read_amount(section)?)),
        "year" => Some(SlotKind::Year(read_amount(section)?)),
        "plate" => Some(SlotKind::Plate {
            formats: owned(section.texts("formats")),
            loose: owned(section.texts("loose_formats")),
            after: owned(section.texts("loose_after")),
        }),
        other => {
            let message = format!(
                "`{other}` is no kind of slot; there are catalogue, choice, amount, year, plate"
            );
            section.problem(kind.line, message);
            None
        }
    }
}

fn read_amount(section: &Section<'_>) -> Option<Amount> {
    let own = |text: Text<'_>| text.value.to_owned();
    let (min, max) = (section.text("min").map(own), section.text("max").map(own));
    if min.is_none() && max.is_none() {
        section.problem(
            section.line(),
            "a slot of numbers needs `min`, `max` or both",
        );
    }
    let bare = section.bounds("bare");
    let round = section.number("round").map(|round| round as i64);
    if round.is_some_and(|round| round < 1) {
        section.problem(section.line(), "`round` must be 1 or more");
    }
    let bounds = section.bounds("bounds");
    if bounds.is_none() {
        section.problem(section.line(), "a slot of numbers needs `bounds`");
    }
    Some(Amount {
        min,
        max,
        bounds: bounds?,
        bare,
        round,
    })
}

fn owned(texts: Vec<Text<'_>>) -> Vec<String> {
    texts
        .into_iter()
        .map(|text| text.value.to_owned())
        .collect()
}

/// The place of the slot with this name; an unknown name is a problem.
pub(super) fn find(slots: &[Slot], section: &Section<'_>, text: Text<'_>) -> Option<usize> {
    let found = slots.iter().position(|slot| slot.name == text.value);
    if found.is_none() {
        section.problem(text.line, format!("there is no slot `{}`", text.value));
    }
    found
}

pub(super) use catalogue::read as read_makes;
