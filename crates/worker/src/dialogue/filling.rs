//! What the gaps of a text are filled with. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;
use shared_types::SlotValue;

use super::wish::Wishes;
use super::{hours, times};
use crate::domain::{About, Amount, Catalogue, Domain, Filling, Replies, SlotKind, Template};

/// Values by slot, each with its alternatives.
pub(super) type Values = BTreeMap<String, Vec<SlotValue>>;

/// The values that are wanted.
#[must_use]
pub(super) fn values_of(wishes: &Wishes) -> Values {
    let named = wishes.iter().filter(|(_, wish)| !wish.any_of.is_empty());
    named
        .map(|(slot, wish)| (slot.clone(), wish.any_of.clone()))
        .collect()
}

/// What is known of a gap by the business and the moment.
pub(super) fn business(
    domain: &Domain,
    replies: &Replies,
    local: DateTime,
    gap: &str,
) -> Option<String> {
    let business = &domain.business;
    match gap {
        "business" => Some(business.name.clone()),
        "address" => business.address.clone(),
        "phone" => business.phone.clone(),
        "email" => business.email.clone(),
        "website" => business.website.clone(),
        "hours" => hours::week(business, replies, local.date()),
        "today" => hours::on(local.date(), business, replies),
        "when" => Some(times::when(domain, replies, local)),
        "clock" => Some(hours::clock(local.time())),
        _ => None,
    }
}

/// Values in the words of a language, alone and strung together.
pub(super) fn things(domain: &Domain, replies: &Replies, about: About, values: &Values) -> Filling {
    let mut filling = shown_values(domain, replies, values);
    let pieces = match about {
        About::Wanted => &replies.wish,
        About::Own => &replies.own,
    };
    let wish = strung(pieces, &filling, &BTreeSet::new());
    let catalogues = domain.slots.iter();
    let catalogues = catalogues.filter(|slot| matches!(slot.kind, SlotKind::Catalogue(_)));
    let names: BTreeSet<&str> = catalogues.map(|slot| slot.name.as_str()).collect();
    let details = strung(pieces, &filling, &names);
    for (gap, pieces) in [("wish", wish), ("details", details)] {
        if !pieces.is_empty() {
            filling.insert(gap.to_owned(), pieces.join(", "));
        }
    }
    filling
}

/// Values as a list of what is said of each.
pub(super) fn list(
    domain: &Domain,
    replies: &Replies,
    about: About,
    values: &Values,
) -> Vec<String> {
    let filling = shown_values(domain, replies, values);
    let pieces = match about {
        About::Wanted => &replies.wish,
        About::Own => &replies.own,
    };
    strung(pieces, &filling, &BTreeSet::new())
}

/// What the thing is called: "Volkswagen Golf".
#[must_use]
pub(super) fn thing_name(domain: &Domain, wishes: &Wishes) -> Option<String> {
    let values = values_of(wishes);
    domain.slots.iter().find_map(|slot| match &slot.kind {
        SlotKind::Catalogue(catalogue) => name(catalogue, &values, Between::Slash),
        _ => None,
    })
}

/// The first name, when it looks like one: profile names may be anything.
pub(super) fn first_name(profile: &str) -> Option<String> {
    let first = profile.split_whitespace().next()?;
    let looks_real = first
        .chars()
        .all(|c| c.is_alphabetic() || c == '-' || c == '\'' || c == '’')
        && (2..=20).contains(&first.chars().count())
        && first.chars().next().is_some_and(char::is_uppercase);
    looks_real.then(|| first.to_owned())
}

/// The values of the slots, and what is put together from them: a catalogue's two levels, and a year
/// that is both the earliest and the latest.
fn shown_values(domain: &Domain, replies: &Replies, values: &Values) -> Filling {
    let mut filling = Filling::new();
    for slot in &domain.slots {
        match &slot.kind {
            SlotKind::Catalogue(catalogue) => {
                let name = name(catalogue, values, Between::Word(&replies.format.or));
                filling.extend(name.map(|name| (slot.name.clone(), name)));
                for part in [&catalogue.upper, &catalogue.lower] {
                    let value = values.get(part).and_then(|values| values.first());
                    filling.extend(value.map(|value| (part.clone(), value.to_string())));
                }
            }
            SlotKind::Year(amount) => filling.extend(years(&slot.name, amount, values)),
            SlotKind::Amount(amount) => {
                // Of several bounds the widest holds.
                let bound = |name: &String, value: Option<&SlotValue>| {
                    Some((name.clone(), value_in(replies, name, value?)))
                };
                let of = |name: &String| values.get(name).into_iter().flatten();
                let min = amount.min.iter().map(|name| bound(name, of(name).min()));
                let max = amount.max.iter().map(|name| bound(name, of(name).max()));
                filling.extend(min.chain(max).flatten());
            }
            SlotKind::Choice { together: true, .. } => {
                filling.extend(shown(replies, &slot.name, values, &replies.format.and));
            }
            SlotKind::Choice { .. } | SlotKind::Plate { .. } => {
                filling.extend(shown(replies, &slot.name, values, &replies.format.or));
            }
        }
    }
    filling
}

/// "Toyota Yaris of Honda Jazz", "Volkswagen Golf of Polo"; models alone where it is not known which make goes with
/// which.
fn name(catalogue: &Catalogue, values: &Values, or: Between<'_>) -> Option<String> {
    let of = |slot: &String| values.get(slot).map(Vec::as_slice).unwrap_or_default();
    let (makes, models) = (of(&catalogue.upper), of(&catalogue.lower));
    let joined = |values: &[SlotValue]| {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        or.join(&values)
    };
    if makes.len() == models.len() && !makes.is_empty() {
        let pairs = makes.iter().zip(models);
        let pairs: Vec<String> = pairs
            .map(|(make, model)| format!("{make} {model}"))
            .collect();
        return Some(or.join(&pairs));
    }
    if makes.len() > 1 && !models.is_empty() {
        return Some(joined(models));
    }
    let parts = [joined(makes), joined(models)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// What stands between things of a list.
#[derive(Clone, Copy)]
enum Between<'a> {
    /// "Golf/Polo/Up".
    Slash,
    /// "Golf, Polo of Up", with the last word.
    Word(&'a str),
}

impl Between<'_> {
    fn join(self, all: &[String]) -> String {
        match (self, all) {
            (Self::Word(word), [first @ .., before, last]) => {
                let first = first.iter().map(|one| format!("{one}, "));
                format!("{}{before} {word} {last}", first.collect::<String>())
            }
            _ => all.join("/"),
        }
    }
}

fn years(slot: &str, amount: &Amount, values: &Values) -> Vec<(String, String)> {
    let value = |name: &Option<String>| values.get(name.as_ref()?)?.first();
    match (value(&amount.min), value(&amount.max)) {
        (Some(min), Some(max)) if min == max => vec![(slot.to_owned(), min.to_string())],
        (min, max) => [(&amount.min, min), (&amount.max, max)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.clone()?, value?.to_string())))
            .collect(),
    }
}

fn shown(replies: &Replies, name: &str, values: &Values, join: &str) -> Option<(String, String)> {
    let values = values.get(name)?.iter();
    let values: Vec<String> = values.map(|value| value_in(replies, name, value)).collect();
    (!values.is_empty()).then(|| (name.to_owned(), Between::Word(join).join(&values)))
}

/// A value as a language shows it: "€ 12.000", "automaat".
pub(super) fn value_in(replies: &Replies, name: &str, value: &SlotValue) -> String {
    let bare = match value {
        SlotValue::Integer(number) => grouped(*number, &replies.format.thousands),
        SlotValue::Text(text) => word(replies, text),
    };
    match replies.format.values.get(name) {
        Some((before, after)) => format!("{before}{bare}{after}"),
        None => bare,
    }
}

/// What a canonical value is called.
pub(super) fn word(replies: &Replies, value: &str) -> String {
    let known = replies.format.words.get(value);
    known.cloned().unwrap_or_else(|| value.to_owned())
}

pub(super) fn grouped(number: i64, separator: &str) -> String {
    let digits = number.abs().to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push_str(separator);
        }
        out.push(digit);
    }
    if number < 0 { format!("-{out}") } else { out }
}

/// The pieces that can be filled; each value is used by the first piece that mentions it.
fn strung(pieces: &[Template], filling: &Filling, without: &BTreeSet<&str>) -> Vec<String> {
    let mut used: BTreeSet<&str> = without.clone();
    let mut strung = Vec::new();
    for piece in pieces {
        let Some(text) = piece.fill(filling) else {
            continue;
        };
        let gaps = piece.gaps();
        if used.is_disjoint(&gaps) {
            used.extend(gaps);
            strung.push(text);
        }
    }
    strung
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(pairs: &[(&str, &[SlotValue])]) -> Values {
        pairs
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.to_vec()))
            .collect()
    }

    fn text(value: &str) -> SlotValue {
        SlotValue::Text(value.into())
    }

    #[test]
    fn what_is_known_is_strung_together_in_each_language() {
        let domain = Domain::embedded().unwrap();
        let known = known(&[
            ("car_make", &[text("Volkswagen")]),
            ("car_model", &[text("Golf"), text("Polo")]),
            ("price_max", &[SlotValue::Integer(15_000)]),
            ("transmission", &[text("automatic")]),
            ("year_min", &[SlotValue::Integer(2018)]),
        ]);
        let wish = |language: usize| {
            let replies = &domain.replies[language];
            things(&domain, replies, About::Wanted, &known)
        };
        assert_eq!(
            wish(0)["wish"],
            "Volkswagen Golf of Polo, automaat, vanaf 2018, tot € 15.000"
        );
        assert_eq!(wish(0)["details"], "automaat, vanaf 2018, tot € 15.000");
        assert_eq!(
            wish(1)["wish"],
            "Volkswagen Golf or Polo, automatic, from 2018, up to €15,000"
        );
        assert_eq!(
            wish(2)["wish"],
            "Volkswagen Golf oder Polo, Automatik, ab 2018, bis 15.000 €"
        );
    }

    #[test]
    fn several_names_and_bounds_are_said_as_people_do() {
        let domain = Domain::embedded().unwrap();
        let known = known(&[
            ("car_make", &[text("Volkswagen"), text("Škoda")]),
            (
                "car_model",
                &[text("Passat"), text("Octavia"), text("Superb")],
            ),
            (
                "price_max",
                &[SlotValue::Integer(15_000), SlotValue::Integer(16_000)],
            ),
        ]);
        let filled = things(&domain, &domain.replies[0], About::Wanted, &known);
        assert_eq!(filled["wish"], "Passat, Octavia of Superb, tot € 16.000");
    }

    #[test]
    fn one_year_and_one_price_range_are_said_as_one() {
        let domain = Domain::embedded().unwrap();
        let one = |number: i64| vec![SlotValue::Integer(number)];
        let known: Values = [
            ("year_min".to_owned(), one(2019)),
            ("year_max".to_owned(), one(2019)),
            ("price_min".to_owned(), one(8_000)),
            ("price_max".to_owned(), one(10_000)),
        ]
        .into();
        let filled = things(&domain, &domain.replies[0], About::Wanted, &known);
        assert_eq!(filled["wish"], "bouwjaar 2019, tussen € 8.000 en € 10.000");
        assert!(!filled.contains_key("car"));
    }

    #[test]
    fn only_a_name_that_looks_like_one_is_used() {
        for (profile, expected) in [
            ("Jan de Vries", Some("Jan")),
            ("Zoë", Some("Zoë")),
            ("🔥 boss 🔥", None),
            ("x", None),
            ("piet", None),
            ("H4cker", None),
        ] {
            assert_eq!(first_name(profile).as_deref(), expected, "{profile}");
        }
    }
}
