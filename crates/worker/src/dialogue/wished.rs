//! What is wanted, as the fields of a lead that tell it. Pure.

use std::collections::BTreeMap;

use shared_types::SlotValue;

use super::state::State;

/// Values by name: `car_model`, `car_model.2`, `not.color`, `wish.seats`; `any` where it does not matter.
pub type Fields = BTreeMap<String, String>;

/// All that is wanted.
#[must_use]
pub fn fields(state: &State) -> Fields {
    let mut fields = Fields::new();
    for (slot, wish) in &state.wanted {
        fields.extend(numbered(slot, &wish.any_of));
        fields.extend(numbered(&format!("not.{slot}"), &wish.not));
        if wish.indifferent {
            fields.insert(slot.clone(), "any".to_owned());
        }
    }
    fields.extend(state.stock.fields());
    fields.extend(chosen(state));
    fields
}

/// The thing of the stock that was chosen.
pub fn chosen(state: &State) -> impl Iterator<Item = (String, String)> {
    let chosen = state.stock.chosen.iter();
    chosen.flat_map(|one| {
        let id = Some(("stock_id", one.id.clone()));
        let title = Some(("stock_title", one.title.clone()));
        let url = one.url.clone().map(|url| ("stock_url", url));
        let named = [id, title, url].into_iter().flatten();
        named.map(|(name, value)| (name.to_owned(), value))
    })
}

/// One field for each value: the first has the bare name.
pub fn numbered(name: &str, values: &[SlotValue]) -> impl Iterator<Item = (String, String)> {
    let fields = (1..).zip(values);
    fields.map(move |(place, value)| {
        let name = match place {
            1 => name.to_owned(),
            _ => format!("{name}.{place}"),
        };
        (name, value.to_string())
    })
}

/// A name of [`numbered`] without its number.
fn unnumbered(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((bare, place)) if place.parse::<usize>().is_ok() => bare,
        _ => name,
    }
}

/// What a message changed of what was wanted before.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// Fields that have another value now.
    pub changed: Fields,
    /// Names of those that are wanted no more.
    pub withdrawn: Vec<String>,
    /// Those of what changed that were known under another number, since another value of the same is withdrawn.
    pub moved: Fields,
}

impl Shift {
    /// Between two wishes. What only the later one has is told by other means.
    #[must_use]
    pub fn between(before: &Fields, after: &Fields) -> Self {
        let mut shift = Self::default();
        for (name, value) in before {
            match after.get(name) {
                None => shift.withdrawn.push(name.clone()),
                Some(now) if now != value => {
                    shift.changed.insert(name.clone(), now.clone());
                }
                Some(_) => {}
            }
        }
        let moved = shift.changed.iter().filter(|(name, value)| {
            let bare = unnumbered(name);
            let mut known = before.iter();
            known.any(|(other, was)| was == *value && unnumbered(other) == bare)
        });
        shift.moved = moved
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        shift
    }

    /// Does not withdraw the thing that was chosen.
    pub fn keep_chosen(&mut self) {
        self.withdrawn.retain(|name| !name.starts_with("stock_"));
    }

    /// Whether everything is as it was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use stock::Test;

    use super::*;
    use crate::dialogue::wish::Wish;

    #[test]
    fn what_is_given_up_is_withdrawn_by_its_name() {
        let text = |value: &str| SlotValue::Text(value.into());
        let mut state = State::default();
        let wish = |any_of: &[&str], not: &[&str]| Wish {
            any_of: any_of.iter().map(|one| text(one)).collect(),
            not: not.iter().map(|one| text(one)).collect(),
            ..Wish::default()
        };
        let models = wish(&["Golf", "Polo"], &[]);
        state.wanted.insert("car_model".into(), models);
        let colours = wish(&[], &["black", "brown"]);
        state.wanted.insert("color".into(), colours);
        state.stock.needs.insert("towbar".into(), Test::Has(true));
        let price = Test::AtMost(9_949);
        state.stock.needs.insert("price".into(), price);
        let before = fields(&state);
        assert_eq!(before["not.color.2"], "brown");
        state
            .wanted
            .insert("car_model".into(), wish(&["Polo"], &[]));
        state.wanted.insert("color".into(), wish(&[], &["brown"]));
        state.stock.needs.remove("towbar");
        let price = Test::AtMost(12_000);
        state.stock.needs.insert("price".into(), price);
        let shift = Shift::between(&before, &fields(&state));
        let withdrawn = ["car_model.2", "not.color.2", "wish.towbar"];
        assert_eq!(shift.withdrawn, withdrawn);
        let changed = [
            ("car_model", "Polo"),
            ("not.color", "brown"),
            ("wish.price", "<=12000"),
        ];
        let changed = changed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(shift.changed, Fields::from(changed));
        let moved: Vec<&String> = shift.moved.keys().collect();
        assert_eq!(moved, ["car_model", "not.color"]);
        assert!(Shift::between(&before, &before).is_empty());
    }
}
