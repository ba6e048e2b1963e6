//! What a customer wants of each slot. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared_types::{SlotValue, Slots};

use super::act;

/// Wishes by slot.
pub type Wishes = BTreeMap<String, Wish>;

/// What is wanted of a slot: one of some values, none of others, or anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Wish {
    /// Any of these will do.
    pub any_of: Vec<SlotValue>,
    /// None of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<SlotValue>,
    /// It does not matter.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub indifferent: bool,
    /// The slot that brought it, as a model brings its make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub came_with: Option<String>,
}

/// A wish as it stands in memories; older builds kept a bare value.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Bare(SlotValue),
    Wish {
        #[serde(default)]
        any_of: Vec<SlotValue>,
        #[serde(default)]
        not: Vec<SlotValue>,
        #[serde(default)]
        indifferent: bool,
        #[serde(default)]
        came_with: Option<String>,
    },
}

impl From<Stored> for Wish {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Bare(value) => Self {
                any_of: vec![value],
                ..Self::default()
            },
            Stored::Wish {
                any_of,
                not,
                indifferent,
                came_with,
            } => Self {
                any_of,
                not,
                indifferent,
                came_with,
            },
        }
    }
}

/// The first value of each wish.
#[must_use]
pub fn first_values(wishes: &Wishes) -> Slots {
    let first = |(slot, wish): (&String, &Wish)| Some((slot.clone(), wish.any_of.first()?.clone()));
    wishes.iter().filter_map(first).collect()
}

/// What a message changed of a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Values that hold now.
    pub set: BTreeMap<String, Vec<SlotValue>>,
    /// Values that are excluded now.
    pub not: Vec<(String, SlotValue)>,
    /// Slots that do not matter any more.
    pub indifferent: Vec<String>,
    /// Wishes that no slot has, in the customer's words.
    pub words: Vec<String>,
    /// Values that were known before.
    pub repeated: BTreeMap<String, Vec<SlotValue>>,
}

impl Changes {
    /// Whether nothing is new.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
            && self.not.is_empty()
            && self.indifferent.is_empty()
            && self.words.is_empty()
    }

    /// Adds later changes.
    pub fn extend(&mut self, later: Self) {
        for (slot, value) in &later.not {
            if let Some(values) = self.set.get_mut(slot) {
                values.retain(|set| set != value);
            }
        }
        self.set
            .retain(|slot, values| !values.is_empty() && !later.indifferent.contains(slot));
        self.set.extend(later.set);
        for excluded in later.not {
            if !self.not.contains(&excluded) {
                self.not.push(excluded);
            }
        }
        self.indifferent.extend(later.indifferent);
        self.words.extend(later.words);
        self.repeated.extend(later.repeated);
    }
}

/// Adds what is told. A new upper name (a make) drops the lower one (the model) of another.
pub(super) fn tell(
    wishes: &mut Wishes,
    told: &[act::Told],
    catalogues: &[(String, String)],
) -> Changes {
    let mut changes = Changes::default();
    let chosen = chosen_model(wishes, told, catalogues);
    let told: Vec<act::Told> = told.iter().cloned().chain(chosen).collect();
    for told in &told {
        changes.extend(tell_one(wishes, told));
    }
    for (upper, lower) in catalogues {
        let is_told = |slot: &String| told.iter().any(|told| told.slot == *slot);
        let another = changes.set.contains_key(upper) || changes.indifferent.contains(upper);
        if another && !is_told(lower) && wishes.remove(lower).is_some() {
            changes.set.remove(lower);
        }
    }
    changes
}

/// "Then the Hyundai", of a Corsa and an i20 that were compared: the model of that make.
fn chosen_model(
    wishes: &Wishes,
    told: &[act::Told],
    catalogues: &[(String, String)],
) -> Option<act::Told> {
    catalogues.iter().find_map(|(upper, lower)| {
        let make = told.iter().find(|told| told.slot == *upper)?;
        let [make] = make.any_of.as_slice() else {
            return None;
        };
        let (makes, models) = (wishes.get(upper)?, wishes.get(lower)?);
        let paired = makes.any_of.len() == models.any_of.len() && models.any_of.len() > 1;
        let named = told.iter().any(|told| told.slot == *lower);
        let place = makes.any_of.iter().position(|known| known == make)?;
        let model = models.any_of.get(place).filter(|_| paired && !named)?;
        Some(act::Told {
            slot: lower.clone(),
            any_of: vec![model.clone()],
            came_with: None,
            rather: false,
            also: false,
        })
    })
}

fn tell_one(wishes: &mut Wishes, told: &act::Told) -> Changes {
    let mut changes = Changes::default();
    let wish = wishes.entry(told.slot.clone()).or_default();
    if told.any_of.is_empty() {
        if !wish.indifferent {
            changes.indifferent.push(told.slot.clone());
        }
        // "Kleur maakt niet uit, als het maar geen bruin is."
        *wish = Wish {
            indifferent: true,
            not: std::mem::take(&mut wish.not),
            ..Wish::default()
        };
        return changes;
    }
    let mut values = told.any_of.clone();
    // "16 mag ook" raises the budget; "een Jazz mag ook" is one more.
    if told.also
        && values
            .iter()
            .all(|value| matches!(value, SlotValue::Text(_)))
    {
        let known = wish.any_of.iter().filter(|known| !values.contains(known));
        values = known.cloned().chain(values.clone()).collect();
    }
    if wish.any_of == values {
        changes
            .repeated
            .insert(told.slot.clone(), told.any_of.clone());
        return changes;
    }
    wish.not.retain(|not| !values.contains(not));
    wish.any_of = values;
    wish.indifferent = false;
    wish.came_with.clone_from(&told.came_with);
    changes.set.insert(told.slot.clone(), wish.any_of.clone());
    changes
}

/// Excludes values, replaces them, or withdraws what does not matter any more.
pub(super) fn correct(
    wishes: &mut Wishes,
    correct: &act::Correct,
    catalogues: &[(String, String)],
) -> Changes {
    let mut changes = Changes::default();
    let mut left = BTreeMap::new();
    for (slot, value) in &correct.not {
        left.extend(exclude(wishes, slot, value));
        changes.not.push((slot.clone(), value.clone()));
    }
    for slot in &correct.indifferent {
        let told = act::Told {
            slot: slot.clone(),
            any_of: Vec::new(),
            came_with: None,
            rather: false,
            also: false,
        };
        changes.extend(tell(wishes, &[told], catalogues));
    }
    changes.extend(tell(wishes, &correct.instead, catalogues));
    // "niet 7, 9": the new value says it all.
    let set = &changes.set;
    changes.not.retain(|(slot, _)| !set.contains_key(slot));
    // "Not the Golf" of two says that it is the other.
    changes.set.extend(left);
    changes
}

/// Excludes a value, and takes away what came with it: the make of the model that is too big. What is
/// left of several, with what it came with.
fn exclude(wishes: &mut Wishes, slot: &str, value: &SlotValue) -> BTreeMap<String, Vec<SlotValue>> {
    let wish = wishes.entry(slot.to_owned()).or_default();
    let place = wish.any_of.iter().position(|known| known == value);
    let values = wish.any_of.len();
    wish.any_of.retain(|known| known != value);
    if !wish.not.contains(value) {
        wish.not.push(value.clone());
    }
    let none_left = wish.any_of.is_empty();
    let brought_by = wish.came_with.clone();
    let Some(place) = place else {
        return BTreeMap::new();
    };
    // "No Renault" wants no Captur either, which had brought the make.
    if let Some(bringer) = brought_by.and_then(|slot| wishes.get_mut(&slot)) {
        if none_left {
            bringer.any_of.clear();
        } else if bringer.any_of.len() == values {
            bringer.any_of.remove(place);
        }
    }
    wishes.retain(|_, other| {
        if other.came_with.as_deref() != Some(slot) {
            return true;
        }
        if other.any_of.len() == values {
            other.any_of.remove(place);
        }
        !none_left
    });
    if none_left {
        return BTreeMap::new();
    }
    let brought =
        |name: &String, wish: &Wish| name == slot || wish.came_with.as_deref() == Some(slot);
    let left = wishes.iter().filter(|(name, wish)| brought(name, wish));
    left.map(|(name, wish)| (name.clone(), wish.any_of.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> SlotValue {
        SlotValue::Text(value.into())
    }

    fn told(slot: &str, values: &[&str], came_with: Option<&str>) -> act::Told {
        act::Told {
            slot: slot.into(),
            any_of: values.iter().map(|value| text(value)).collect(),
            came_with: came_with.map(str::to_owned),
            rather: false,
            also: false,
        }
    }

    fn catalogues() -> Vec<(String, String)> {
        vec![("make".into(), "model".into())]
    }

    #[test]
    fn alternatives_are_kept_and_a_withdrawal_takes_what_came_with_it() {
        let mut wishes = Wishes::new();
        let yaris_or_jazz = [
            told("make", &["Toyota", "Honda"], Some("model")),
            told("model", &["Yaris", "Jazz"], None),
        ];
        tell(&mut wishes, &yaris_or_jazz, &catalogues());
        assert_eq!(wishes["model"].any_of.len(), 2);
        let no_yaris = act::Correct {
            thing: act::Thing::Wanted,
            not: vec![("model".into(), text("Yaris"))],
            instead: vec![],
            indifferent: vec![],
        };
        let changes = correct(&mut wishes, &no_yaris, &catalogues());
        assert_eq!(wishes["model"].any_of, [text("Jazz")]);
        assert_eq!(wishes["make"].any_of, [text("Honda")]);
        assert_eq!(changes.not.len(), 1);
        assert_eq!(changes.set["model"], [text("Jazz")], "what is left is said");
        let no_jazz = act::Correct {
            not: vec![("model".into(), text("Jazz"))],
            ..no_yaris
        };
        correct(&mut wishes, &no_jazz, &catalogues());
        assert!(!wishes.contains_key("make"), "it came with the model");
        assert_eq!(wishes["model"].not.len(), 2);
    }

    #[test]
    fn another_make_drops_the_model_and_indifference_drops_the_value() {
        let mut wishes = Wishes::new();
        let golf = [
            told("make", &["Volkswagen"], Some("model")),
            told("model", &["Golf"], None),
            told("colour", &["white"], None),
        ];
        tell(&mut wishes, &golf, &catalogues());
        tell(&mut wishes, &[told("make", &["Audi"], None)], &catalogues());
        assert!(!wishes.contains_key("model"));
        let changes = tell(&mut wishes, &[told("colour", &[], None)], &catalogues());
        assert!(wishes["colour"].indifferent && wishes["colour"].any_of.is_empty());
        assert_eq!(changes.indifferent, ["colour"]);
        let again = tell(&mut wishes, &[told("make", &["Audi"], None)], &catalogues());
        assert!(again.is_empty() && again.repeated.len() == 1);
    }
}
