//! Numbers and dates as feeds write them.

use serde::Deserialize;

/// How a feed writes numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// `12.345,67`: Dutch, German.
    Comma,
    /// `12,345.67`: English.
    Point,
    /// `12345.67`: programs.
    Plain,
    /// Unknown: one sign before exactly three digits groups them, else it begins the fraction.
    #[default]
    Guess,
}

/// The first number in a text, and what stands behind it: `39.950,00 km`. Signs of a currency may stand
/// before it. None when there is none, or two that could be meant.
pub(crate) fn number(text: &str, locale: Locale) -> Option<(f64, &str)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let before = text.get(..start)?;
    let negative = before.trim_end().ends_with('-');
    if before.chars().filter(|c| c.is_alphabetic()).count() > 3 {
        return None;
    }
    let from = text.get(start..)?;
    let in_number =
        |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | '\u{a0}' | '\u{202f}' | ' ');
    let end = from.find(|c: char| !in_number(c)).unwrap_or(from.len());
    let end = from.get(..end)?.trim_end().len();
    let (digits, rest) = from.split_at(end);
    Some((
        value(digits, locale)? * if negative { -1.0 } else { 1.0 },
        rest,
    ))
}

fn value(text: &str, locale: Locale) -> Option<f64> {
    let text = text
        .trim_end_matches(['.', ',', ' '])
        .trim_end_matches(",-");
    let sign = match locale {
        Locale::Comma => Some(','),
        Locale::Point | Locale::Plain => Some('.'),
        Locale::Guess => guessed(text),
    };
    let (whole, fraction) = match sign.and_then(|sign| text.rsplit_once(sign)) {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let groups: Vec<&str> = whole.split(|c: char| !c.is_ascii_digit()).collect();
    // Two numbers with a space between are not one, unless the second is a group of three.
    let grouped = groups.iter().skip(1).all(|group| group.len() == 3);
    if !grouped || !fraction.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    format!("{}.{fraction}0", groups.concat()).parse().ok()
}

/// Which sign begins the fraction.
fn guessed(text: &str) -> Option<char> {
    let last = text.rfind(['.', ','])?;
    let sign = text.get(last..)?.chars().next()?;
    let behind = text.len() - last - 1;
    let several = text.matches(sign).count() > 1;
    let other = text.contains(if sign == '.' { ',' } else { '.' });
    if several || behind == 3 && !other {
        other_sign(sign)
    } else {
        Some(sign)
    }
}

const fn other_sign(sign: char) -> Option<char> {
    Some(if sign == '.' { ',' } else { '.' })
}

/// The year and month of a date in any of the usual forms: `2019-03-01`, `201903`, `20190301`, `03-2019`,
/// `01-03-2019`, `3/2019`, `2019`.
pub(crate) fn year_month(text: &str) -> Option<(i64, Option<u8>)> {
    let text = text.trim();
    let date = text.split(['T', ' ']).next()?;
    let parts: Vec<&str> = date
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect();
    let (year, month) = match parts.as_slice() {
        [one] if one.len() == 4 => (*one, None),
        [one] if one.len() == 6 || one.len() == 8 => (one.get(..4)?, one.get(4..6)),
        [year, month, ..] if year.len() == 4 => (*year, Some(*month)),
        [month, year] | [_, month, year] if year.len() == 4 => (*year, Some(*month)),
        _ => return None,
    };
    let year = year.parse().ok()?;
    let month = month
        .and_then(|month| month.parse().ok())
        .filter(|month| (1..=12).contains(month));
    (1900..=2100).contains(&year).then_some((year, month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_their_locale() {
        for (text, locale, value, rest) in [
            ("12.345", Locale::Comma, 12_345.0, ""),
            ("39.950,00", Locale::Comma, 39_950.0, ""),
            ("12.345", Locale::Plain, 12.345, ""),
            ("12,345.50", Locale::Point, 12_345.5, ""),
            ("€ 12.345,-", Locale::Guess, 12_345.0, "-"),
            ("EUR 9950", Locale::Guess, 9_950.0, ""),
            ("12345.00", Locale::Guess, 12_345.0, ""),
            ("1.234.567", Locale::Guess, 1_234_567.0, ""),
            ("45 000 km", Locale::Guess, 45_000.0, " km"),
            ("4,9 l/100 km", Locale::Guess, 4.9, " l/100 km"),
            ("10499 USD", Locale::Plain, 10_499.0, " USD"),
        ] {
            let (number, behind) = number(text, locale).unwrap();
            assert!((number - value).abs() < 1e-9, "{text}: {number}");
            assert_eq!(behind, rest, "{text}");
        }
        for text in ["", "op aanvraag", "n.v.t.", "12 34", "prijs 5"] {
            assert_eq!(number(text, Locale::Guess), None, "{text}");
        }
    }

    #[test]
    fn dates_give_year_and_month() {
        for (text, date) in [
            ("2019-03-01", Some((2019, Some(3)))),
            ("201903", Some((2019, Some(3)))),
            ("20190331", Some((2019, Some(3)))),
            ("03-2019", Some((2019, Some(3)))),
            ("31-03-2019", Some((2019, Some(3)))),
            ("2019-03-01T00:00:00", Some((2019, Some(3)))),
            ("2019", Some((2019, None))),
            ("0001-01-01T00:00:00", None),
            ("onbekend", None),
        ] {
            assert_eq!(year_month(text), date, "{text}");
        }
    }
}
