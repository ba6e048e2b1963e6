//! Numbers that customers send by mistake and that nobody may keep. Pure.

use std::borrow::Cow;

/// How long an account number is by its country, by the IBAN registry (ISO 13616).
const IBAN_LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 \
    DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 \
    JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 \
    PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";

/// A text without account numbers (IBAN, ISO 13616: of their country's length, checked modulo 97) and Dutch citizen numbers
/// (BSN: nine digits, checked modulo 11), and whether there were any.
#[must_use]
pub fn withhold(text: &str) -> (Cow<'_, str>, bool) {
    let mut kept = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some((before, number, after)) = next_number(rest) {
        kept.push_str(before);
        if is_iban(number) || is_citizen_number(number) {
            kept.push('…');
            found = true;
        } else {
            kept.push_str(number);
        }
        rest = after;
    }
    if !found {
        return (Cow::Borrowed(text), false);
    }
    kept.push_str(rest);
    (Cow::Owned(kept), true)
}

/// The next word that has digits, with the groups that belong to it: "NL91 ABNA 0417 1643 00".
fn next_number(text: &str) -> Option<(&str, &str, &str)> {
    let words = words(text);
    for (place, &(from, to)) in words.iter().enumerate() {
        let word = text.get(from..to)?;
        if !word.bytes().any(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let groups = words.iter().skip(place).take(9).map(|(_, end)| *end);
        let mut longest = to;
        for end in groups {
            let candidate = text.get(from..end)?;
            if is_iban(candidate) || is_citizen_number(candidate) {
                longest = end;
            }
        }
        return Some((
            text.get(..from)?,
            text.get(from..longest)?,
            text.get(longest..)?,
        ));
    }
    None
}

/// Where words of letters and digits stand; dots and dashes inside belong to them.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let inside = c.is_alphanumeric() || (matches!(c, '.' | '-') && start.is_some());
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = text.get(from..at).unwrap_or_default();
                words.push((from, from + word.trim_end_matches(['.', '-']).len()));
                start = None;
            }
            _ => {}
        }
    }
    words
}

fn bare(text: &str) -> String {
    let bare = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-'));
    bare.collect()
}

fn is_iban(text: &str) -> bool {
    let bare = bare(text).to_ascii_uppercase();
    let (Some(head), Some(tail)) = (bare.get(..4), bare.get(4..)) else {
        return false;
    };
    let mut lengths = IBAN_LENGTHS.split_whitespace();
    let is_long = |known: &str| {
        let (country, length) = known.split_at(2);
        head.starts_with(country) && length.parse() == Ok(bare.len())
    };
    let check = head
        .get(2..)
        .is_some_and(|two| two.bytes().all(|b| b.is_ascii_digit()));
    if !check || !lengths.any(is_long) {
        return false;
    }
    let mut rotated = tail.chars().chain(head.chars());
    let rest = rotated.try_fold(0_u32, |rest, c| {
        let value = c.to_digit(36)?;
        let factor = if value > 9 { 100 } else { 10 };
        Some((rest * factor + value) % 97)
    });
    rest == Some(1)
}

/// "2015 98000" is a year and a mileage, "11500 2017" a price and a year.
fn is_year_and_number(text: &str) -> bool {
    let is_year = |group: &str| {
        let year = group.parse::<u16>();
        year.is_ok_and(|year| (1950..2100).contains(&year))
    };
    let mut groups = text.split_whitespace();
    match (groups.next(), groups.next()) {
        (Some(one), Some(other)) => {
            is_year(one) && other.len() == 5 || is_year(other) && one.len() == 5
        }
        _ => false,
    }
}

fn is_citizen_number(text: &str) -> bool {
    let bare = bare(text);
    if is_year_and_number(text)
        || bare.len() != 9
        || !bare.bytes().all(|byte| byte.is_ascii_digit())
    {
        return false;
    }
    let digits = bare.chars().filter_map(|c| c.to_digit(10)).map(i64::from);
    let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
    let sum: i64 = digits
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    sum % 11 == 0 && bare.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_and_citizen_numbers_are_withheld() {
        for (text, kept) in [
            (
                "iban NL91ABNA0417164300 en bsn 123456782",
                "iban … en bsn …",
            ),
            ("op NL91 ABNA 0417 1643 00 graag", "op … graag"),
            ("DE89 3704 0044 0532 0130 00", "…"),
            ("bsn: 1112.22.333.", "bsn: …."),
        ] {
            let (said, found) = withhold(text);
            assert_eq!((said.as_ref(), found), (kept, true), "{text}");
        }
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "kenteken 87-NLK-3, 143.000 km, bel 06 12345678 of +31612345678",
            "budget 12.000 tot 14.500 euro, bouwjaar 2019",
            "NL91ABNA0417164301",
            // Right modulo 97 by chance, and of no country.
            "kenteken is RV-271-G. waterpomp denkt de berger",
            "123456789",
            "de fiat is uit 2015 98000 gelopen",
            "golf 11500 2017 120000",
            "",
            "é€ 5",
        ] {
            assert_eq!(withhold(text), (Cow::Borrowed(text), false), "{text}");
        }
    }
}
