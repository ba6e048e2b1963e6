//! What the gaps of a text are filled with. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shared_types::{SlotValue, Slots};

use super::hours;
use crate::domain::{About, Domain, Filling, Replies, SlotKind, Template};

/// Everything that is known, in the words of a language.
pub fn fill(
    domain: &Domain,
    replies: &Replies,
    (about, known): (About, &Slots),
    name: Option<&str>,
    text: &str,
    now: Timestamp,
) -> Filling {
    let mut filling = Filling::new();
    let mut put = |gap: &str, value: Option<String>| {
        if let Some(value) = value {
            filling.insert(gap.to_owned(), value);
        }
    };
    let business = &domain.business;
    put("name", name.and_then(first_name));
    put("business", Some(business.name.clone()));
    put("address", business.address.clone());
    put("phone", business.phone.clone());
    put("email", business.email.clone());
    put("website", business.website.clone());
    let today = now.to_zoned(business.time_zone.clone()).date();
    put("hours", hours::week(business, replies, today));
    put("today", hours::on(today, business, replies));
    if let Some((day, date)) = hours::named_day(text, business, replies, now) {
        put("day", Some(day));
        put("day_hours", hours::on(date, business, replies));
    }
    filling.extend(values(domain, replies, known));
    let pieces = match about {
        About::Wanted => &replies.wish,
        About::Own => &replies.own,
    };
    let wish = strung(pieces, &filling, &BTreeSet::new());
    let things: BTreeSet<&str> = domain
        .slots
        .iter()
        .filter(|slot| matches!(slot.kind, SlotKind::Catalogue(_)))
        .map(|slot| slot.name.as_str())
        .collect();
    let details = strung(pieces, &filling, &things);
    for (gap, pieces) in [("wish", wish), ("details", details)] {
        if !pieces.is_empty() {
            filling.insert(gap.to_owned(), pieces.join(", "));
        }
    }
    filling
}

/// The first name, when it looks like one: profile names may be anything.
fn first_name(profile: &str) -> Option<String> {
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
fn values(domain: &Domain, replies: &Replies, known: &Slots) -> Filling {
    let mut filling = Filling::new();
    for slot in &domain.slots {
        match &slot.kind {
            SlotKind::Catalogue(catalogue) => {
                let parts = [&catalogue.upper, &catalogue.lower];
                let parts: Vec<_> = parts
                    .into_iter()
                    .filter_map(|name| known.get(name))
                    .collect();
                let joined = parts
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" ");
                if !joined.is_empty() {
                    filling.insert(slot.name.clone(), joined);
                }
                for name in [&catalogue.upper, &catalogue.lower] {
                    filling.extend(
                        known
                            .get(name)
                            .map(|value| (name.clone(), value.to_string())),
                    );
                }
            }
            SlotKind::Year(amount) => {
                let value = |name: &Option<String>| known.get(name.as_ref()?);
                match (value(&amount.min), value(&amount.max)) {
                    (Some(min), Some(max)) if min == max => {
                        filling.insert(slot.name.clone(), min.to_string());
                    }
                    (min, max) => {
                        let named = [(&amount.min, min), (&amount.max, max)];
                        filling.extend(
                            named.into_iter().filter_map(|(name, value)| {
                                Some((name.clone()?, value?.to_string()))
                            }),
                        );
                    }
                }
            }
            SlotKind::Amount(amount) => {
                let names = amount.min.iter().chain(&amount.max);
                filling.extend(names.filter_map(|name| {
                    Some((name.clone(), shown(replies, name, known.get(name)?)))
                }));
            }
            SlotKind::Choice { .. } | SlotKind::Plate { .. } => {
                let value = known.get(&slot.name);
                filling.extend(
                    value.map(|value| (slot.name.clone(), shown(replies, &slot.name, value))),
                );
            }
        }
    }
    filling
}

fn shown(replies: &Replies, name: &str, value: &SlotValue) -> String {
    let bare = match value {
        SlotValue::Integer(number) => grouped(*number, &replies.thousands),
        SlotValue::Text(text) => replies
            .words
            .get(text)
            .cloned()
            .unwrap_or_else(|| text.clone()),
    };
    match replies.formats.get(name) {
        Some((before, after)) => format!("{before}{bare}{after}"),
        None => bare,
    }
}

fn grouped(number: i64, separator: &str) -> String {
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
        let gaps = piece.gaps();
        if gaps.iter().any(|gap| used.contains(gap)) {
            continue;
        }
        if let Some(text) = piece.fill(filling) {
            used.extend(gaps);
            strung.push(text);
        }
    }
    strung
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(pairs: &[(&str, SlotValue)]) -> Slots {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect()
    }

    fn text(value: &str) -> SlotValue {
        SlotValue::Text(value.into())
    }

    #[test]
    fn what_is_known_is_strung_together_in_each_language() {
        let domain = Domain::embedded().unwrap();
        let known = known(&[
            ("car_make", text("Volkswagen")),
            ("car_model", text("Golf")),
            ("price_max", SlotValue::Integer(15_000)),
            ("transmission", text("automatic")),
            ("year_min", SlotValue::Integer(2018)),
        ]);
        let wish = |language: usize| {
            let replies = &domain.replies[language];
            fill(
                &domain,
                replies,
                (About::Wanted, &known),
                None,
                "",
                Timestamp::UNIX_EPOCH,
            )
        };
        assert_eq!(
            wish(0)["wish"],
            "Volkswagen Golf, automaat, vanaf 2018, tot € 15.000"
        );
        assert_eq!(wish(0)["details"], "automaat, vanaf 2018, tot € 15.000");
        assert_eq!(
            wish(1)["wish"],
            "Volkswagen Golf, automatic, from 2018, up to €15,000"
        );
        assert_eq!(
            wish(2)["wish"],
            "Volkswagen Golf, Automatik, ab 2018, bis 15.000 €"
        );
    }

    #[test]
    fn one_year_and_one_price_range_are_said_as_one() {
        let domain = Domain::embedded().unwrap();
        let known = known(&[
            ("year_min", SlotValue::Integer(2019)),
            ("year_max", SlotValue::Integer(2019)),
            ("price_min", SlotValue::Integer(8_000)),
            ("price_max", SlotValue::Integer(10_000)),
        ]);
        let filled = fill(
            &domain,
            &domain.replies[0],
            (About::Wanted, &known),
            None,
            "",
            Timestamp::UNIX_EPOCH,
        );
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

    #[test]
    fn hours_of_a_named_day_are_known() {
        let domain = Domain::embedded().unwrap();
        // A Tuesday.
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let filled = |text| {
            fill(
                &domain,
                &domain.replies[0],
                (About::Wanted, &Slots::new()),
                None,
                text,
                now,
            )
        };
        let sunday = filled("Zijn jullie zondag open?");
        assert_eq!(
            (sunday["day"].as_str(), sunday["day_hours"].as_str()),
            ("zondag", "gesloten")
        );
        assert_eq!(filled("en morgen?")["day"], "woensdag");
        assert_eq!(filled("hoi")["today"], "09:00–18:00");
        assert_eq!(
            filled("hoi")["hours"],
            "maandag–vrijdag 09:00–18:00, zaterdag 09:00–17:00, zondag gesloten"
        );
    }
}
