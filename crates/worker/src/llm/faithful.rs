//! Whether a model's words say nothing that the composed reply does not: no figure, day, time or name
//! of its own. Pure.

use std::collections::BTreeSet;

use jiff::Zoned;
use unicode_normalization::UnicodeNormalization;

use crate::domain::Replies;
use crate::understanding::{Moment, Understander};

/// What a reply may be made of.
pub(super) struct Given<'a> {
    /// Reads names, days and times.
    pub rules: &'a Understander,
    /// The language's texts.
    pub replies: &'a Replies,
    /// The composed reply.
    pub draft: &'a str,
    /// What else was said or is known: the message, the facts.
    pub known: &'a str,
    /// What the records say of the things that the reply speaks of; none where it speaks of none.
    pub records: Option<String>,
    /// On the clock of the business.
    pub now: &'a Zoned,
}

/// Whether everything that can be checked in `worded` was given.
pub(super) fn is_faithful(given: &Given<'_>, worded: &str) -> bool {
    let worded: String = worded.nfkc().collect();
    let moments = |text: &str| given.rules.understand(text).moments.all(given.now);
    let said = moments(&worded);
    let may_say = moments(given.draft);
    if !said.iter().all(|moment| is_among(moment, &may_say)) {
        return false;
    }
    let records = given.records.as_deref().unwrap_or_default();
    let given_text = format!("{} {} {records}", given.draft, given.known);
    let figures_given = figures(&given_text);
    let rest = without(&worded, &said);
    figures(&rest).is_subset(&figures_given)
        && names_are_given(given, &worded, &given_text)
        && things_are_given(given, &worded)
        && (capitalises_nouns(given.replies) || capitals_are_given(&worded, &given_text))
}

/// Day and time alike must have been said, in one moment or in two.
fn is_among(moment: &Moment, given: &[Moment]) -> bool {
    let day = moment
        .days
        .is_none_or(|days| given.iter().any(|other| other.days == Some(days)));
    let time = moment
        .times
        .is_none_or(|times| given.iter().any(|other| other.times == Some(times)));
    day && time
}

/// The text without the stretches of its moments, which were compared by what they mean.
fn without(text: &str, moments: &[Moment]) -> String {
    let inside = |at: usize| moments.iter().any(|moment| moment.bytes.contains(&at));
    let kept = text.char_indices();
    kept.map(|(at, c)| if inside(at) { ' ' } else { c })
        .collect()
}

/// Runs of digits; what groups thousands or parts hours is no part of them.
fn figures(text: &str) -> BTreeSet<String> {
    let folded: Vec<char> = text.nfkc().collect();
    let is_digit = |at: usize| folded.get(at).is_some_and(char::is_ascii_digit);
    let mut figures = BTreeSet::new();
    let mut figure = String::new();
    for (at, c) in folded.iter().enumerate() {
        let thousands = *c == ' ' && (1..=3).all(|ahead| is_digit(at + ahead));
        let joins = ".,:".contains(*c) && is_digit(at + 1) || thousands;
        if c.is_ascii_digit() {
            figure.push(*c);
        } else if !joins && !figure.is_empty() {
            figures.insert(std::mem::take(&mut figure));
        }
    }
    if !figure.is_empty() {
        figures.insert(figure);
    }
    figures
}

/// Names of the catalogue: makes and models.
fn names_are_given(given: &Given<'_>, worded: &str, known: &str) -> bool {
    let known = given.rules.names(known);
    let mut said = given.rules.names(worded).into_iter();
    said.all(|name| known.contains(&name))
}

/// Of things in stock no attribute, price and page is said that neither the draft nor their records have,
/// whatever the customer or a seller wrote.
fn things_are_given(given: &Given<'_>, worded: &str) -> bool {
    let Some(records) = &given.records else {
        return true;
    };
    let known = format!("{} {records}", given.draft);
    let features = given.rules.features(&known);
    let said = given.rules.features(worded);
    let is_link = |word: &&str| word.contains("://");
    let mut links = worded.split_whitespace().filter(is_link);
    let moments = given.rules.understand(worded).moments.all(given.now);
    said.is_subset(&features)
        && figures(&without(worded, &moments)).is_subset(&figures(&known))
        && amounts(worded).is_subset(&amounts(&known))
        && links.all(|link| known.contains(link.trim_end_matches(['.', ',', '!', '?', ')'])))
}

/// The figures beside a sign or word of the currency: the number of a line is no price.
fn amounts(text: &str) -> BTreeSet<String> {
    let spaced = text.to_lowercase().replace('€', " € ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let figure = |at: usize| {
        let word = words.get(at)?;
        let begins = word.starts_with(|c: char| c.is_ascii_digit());
        figures(word).into_iter().next().filter(|_| begins)
    };
    let signs = words.iter().enumerate().filter(|(_, word)| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '€');
        ["€", "eur", "euro", "euros"].contains(&bare)
    });
    let beside = signs.filter_map(|(at, _)| figure(at + 1).or_else(|| figure(at.checked_sub(1)?)));
    beside.collect()
}

/// A language whose nouns all have a capital: in "eine Probefahrt" it tells no name.
fn capitalises_nouns(replies: &Replies) -> bool {
    let mut labels = replies.goals.values();
    labels.any(|texts| texts.label.split_whitespace().skip(1).any(begins_upper))
}

fn begins_upper(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}

/// Words with a capital inside a sentence are names, and must have been said before.
fn capitals_are_given(worded: &str, known: &str) -> bool {
    let known = known.to_lowercase();
    let mut begins = true;
    worded.split_whitespace().all(|word| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let first = std::mem::replace(&mut begins, word.ends_with(['.', '!', '?', ':']));
        first
            || bare.chars().count() < 2
            || !begins_upper(bare)
            || known.contains(&bare.to_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Domain;

    #[test]
    fn nothing_is_added_to_what_was_given() {
        let domain = Domain::embedded().unwrap();
        let rules = Understander::new(&domain);
        let now: Zoned = "2026-12-02T11:05[Europe/Amsterdam]".parse().unwrap();
        let faithful = |language: usize, draft: &str, worded: &str| {
            let given = Given {
                rules: &rules,
                replies: &domain.replies[language],
                draft,
                records: None,
                known: "Autobedrijf De Duif 030 123 45 67 Stationsweg 12, 3511 EE Utrecht Heeft hij een trekhaak?",
                now: &now,
            };
            is_faithful(&given, worded)
        };
        let draft = "Leuk, een proefrit in de Kia Ceed! Genoteerd: een proefrit op vrijdag 4 december \
            om 14:00 uur. De leenauto kost € 1.350.";
        for good in [
            "Leuk! Vrijdag 4 december om 14:00 uur staat de Kia Ceed voor u klaar bij De Duif.",
            "Top, vrijdag om 14 uur dan; een leenauto kost € 1350.",
            "Dat is genoteerd. Tot dan!",
        ] {
            assert!(faithful(0, draft, good), "{good}");
        }
        for bad in [
            "Vrijdag 4 december om 15:00 uur staat hij klaar.",
            "Donderdag om 14:00 uur is prima.",
            "Hij kost € 12.950.",
            "De Kia Sportage staat klaar.",
            "Vraag maar naar onze Wesley, die helpt u.",
            "Bel 030 765 43 21.",
            "De leenauto kost ５０ euro.",
        ] {
            assert!(!faithful(0, draft, bad), "{bad}");
        }
        let german = "Notiert: eine Probefahrt am Freitag, 4. Dezember um 14:00 Uhr.";
        assert!(faithful(
            2,
            german,
            "Gern, die Probefahrt ist am Freitag um 14 Uhr."
        ));
        assert!(!faithful(
            2,
            german,
            "Gern, die Probefahrt ist am Samstag um 14 Uhr."
        ));
    }

    #[test]
    fn of_things_in_stock_nothing_is_said_that_their_records_do_not_say() {
        let domain = Domain::embedded().unwrap();
        let rules = Understander::new(&domain);
        let now: Zoned = "2026-12-02T11:05[Europe/Amsterdam]".parse().unwrap();
        let draft = "Deze hebben we voor u:\n1. Volkswagen Golf 1.0 TSI Life, 2020, 48.200 km, € 18.950 \
            – https://deduif.example/occasions/golf-d001\nWilt u hem komen bekijken?";
        // The seller's text, which tells the model what to say, is no part of this.
        let records =
            "Volkswagen Golf 1.0 TSI Life 18950 petrol manual blue 2020 48200 1300 navigation";
        let faithful = |worded: &str| {
            let given = Given {
                rules: &rules,
                replies: &domain.replies[0],
                draft,
                known: "Autobedrijf De Duif Heeft u een Golf met trekhaak, automaat, rond de 500 euro?",
                records: Some(records.into()),
                now: &now,
            };
            is_faithful(&given, worded)
        };
        for good in [
            "Zeker! 1. Volkswagen Golf 1.0 TSI Life uit 2020, 48.200 km, € 18.950: \
                https://deduif.example/occasions/golf-d001 Wilt u hem komen bekijken?",
            "Ja, een blauwe Golf op benzine, handgeschakeld en met navigatie. Komt u kijken?",
        ] {
            assert!(faithful(good), "{good}");
        }
        for bad in [
            "De Golf kost vandaag € 1, dat is bindend.",
            "Hij kost € 500, precies wat u zoekt.",
            "Ja, de Golf heeft een trekhaak.",
            "Deze Golf is een automaat.",
            "We hebben ook een mooie Polo voor u.",
            "Kijk op https://deduif.example/occasions/golf-d002 voor foto's.",
            "Een elektrische Golf voor € 18.950!",
        ] {
            assert!(!faithful(bad), "{bad}");
        }
    }
}
