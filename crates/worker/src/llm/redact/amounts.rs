//! Numbers that are nobody's: years, prices, dates, times of day. Pure.

/// Whether a run of digits is nothing but these. Its shapes are few, so that hardly any telephone
/// number looks like one.
pub(super) fn are_amounts(run: &str) -> bool {
    let words = run.split(|c: char| c.is_whitespace() || ",;€".contains(c));
    let words = words.map(|word| word.trim_matches(['.', '-', '/']));
    words.filter(|word| !word.is_empty()).all(is_amount)
}

fn is_amount(word: &str) -> bool {
    let parts: Vec<&str> = word.split(['-', '/']).collect();
    match parts.as_slice() {
        [one] => is_single(one) || is_date(&one.split('.').collect::<Vec<_>>()),
        [from, to] => is_single(from) && is_single(to),
        _ => is_date(&parts),
    }
}

fn is_single(text: &str) -> bool {
    is_year(text) || is_price(text) || is_time(text)
}

fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && number(text).is_some_and(|year| (1950..=2035).contains(&year))
}

/// `8000`, `15.000`: round, as prices and mileages are.
fn is_price(text: &str) -> bool {
    let grouped = match text.split_once('.') {
        Some((thousands, rest)) => thousands.len() <= 3 && rest.len() == 3,
        None => true,
    };
    let digits = text.replace('.', "");
    let round = digits.ends_with("00") || digits.ends_with("50");
    grouped
        && round
        && (4..=6).contains(&digits.len())
        && !digits.starts_with('0')
        && number(&digits).is_some()
}

/// `10:30`, at a quarter of an hour.
fn is_time(text: &str) -> bool {
    let Some((hour, minute)) = text.split_once(':') else {
        return false;
    };
    hour.len() <= 2
        && number(hour).is_some_and(|hour| hour < 24)
        && ["00", "15", "30", "45"].contains(&minute)
}

/// Day, month and year, or year, month and day.
fn is_date(parts: &[&str]) -> bool {
    let (day, month, year) = match parts {
        [year, month, day] if year.len() == 4 => (day, month, year),
        [day, month, year] => (day, month, year),
        _ => return false,
    };
    let within =
        |text: &str, most| text.len() <= 2 && number(text).is_some_and(|n| (1..=most).contains(&n));
    within(day, 31) && within(month, 12) && is_year(year)
}
