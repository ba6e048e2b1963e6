//! What the domain says of what is for sale: `[stock]`.

use std::borrow::Cow;
use std::sync::Arc;

use stock::{Feeds, Mapping, Mistake, Names, Schema};

use super::section::{Section, Text};
use super::slots::{Catalogue, Slot, SlotKind};

/// How what is for sale is read and called.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainStock {
    /// The attributes, the catalogues and the kinds of feeds.
    pub feeds: Feeds,
    /// A feed that comes with the domain, as an example.
    pub example: Option<Arc<str>>,
}

/// Reads `[stock]`. `open` gives the text of a further file.
pub(super) fn read(
    root: &Section<'_>,
    slots: &[Slot],
    open: &dyn Fn(Text<'_>) -> Option<Cow<'static, str>>,
) -> Option<DomainStock> {
    let section = root.section("stock")?;
    let attributes = section.required_text("attributes");
    let mappings = section.texts("mappings");
    let feed = section.text("feed");
    section.close();
    let told = |file: Text<'_>, mistake: Mistake| {
        root.file()
            .problem_in(file.value, mistake.line, mistake.message);
    };
    let names = all_names(slots);
    let attributes = attributes?;
    let text = open(attributes)?;
    let schema = Schema::parse(&text, &names)
        .map_err(|mistake| told(attributes, mistake))
        .ok()?;
    let mut all = Vec::new();
    for file in mappings {
        let Some(text) = open(file) else { continue };
        match Mapping::parse(&text, &schema) {
            Ok(mapping) => all.push(mapping),
            Err(mistake) => told(file, mistake),
        }
    }
    all.push(Mapping::own(&schema));
    Some(DomainStock {
        feeds: Feeds {
            schema: Arc::new(schema),
            names,
            mappings: all,
        },
        example: feed.and_then(open).map(Arc::from),
    })
}

/// The catalogues of all slots.
pub(super) fn all_names(slots: &[Slot]) -> Vec<Names> {
    slots.iter().filter_map(catalogue).map(names).collect()
}

const fn catalogue(slot: &Slot) -> Option<&Catalogue> {
    match &slot.kind {
        SlotKind::Catalogue(catalogue) => Some(catalogue),
        SlotKind::Choice { .. }
        | SlotKind::Amount(_)
        | SlotKind::Year(_)
        | SlotKind::Plate { .. } => None,
    }
}

/// The names of a catalogue. What takes a hint to be believed in a message is believed in a feed, where
/// a name stands in a place of its own.
fn names(catalogue: &Catalogue) -> Names {
    let mut names = Names::new(&catalogue.upper, &catalogue.lower);
    for make in &catalogue.makes {
        names.add_make(&make.name, &make.name);
        for form in &make.forms {
            names.add_make(&make.name, &form.text);
        }
        for model in &make.models {
            names.add_model(&make.name, &model.name, &model.name);
        }
        for model in &make.models {
            for form in &model.forms {
                names.add_model(&make.name, &model.name, &form.text);
            }
        }
    }
    names
}
