use std::fmt::{self, Write};

/// Whether phone numbers appear whole in logs. On unless the operator sets `LOG_PII=true`.
///
/// The log masks whatever it writes, so nobody who logs an id needs to know what it holds: WAHA's hold
/// the customer's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Masking {
    /// What is as long as a phone number, in one run or in groups, keeps only its first and last two digits.
    #[default]
    On,
    /// Texts are shown as they are.
    Off,
}

impl Masking {
    /// Shows `text` for a log line: `whatsapp:+31612345678` becomes `whatsapp:+31*******78`.
    pub fn show(self, text: &str) -> Shown<'_> {
        Shown {
            masking: self,
            text,
        }
    }
}

/// A text on its way into a log line; see [`Masking::show`].
pub struct Shown<'a> {
    masking: Masking,
    text: &'a str,
}

/// With its country's code no number is shorter; dates, prices and error codes are.
const SHORTEST_NUMBER: usize = 7;
/// The shortest number as it is dialled at home, from its zero on.
const SHORTEST_AT_HOME: usize = 9;
/// Characters between two groups of a number, as in `(0) 6`.
const LONGEST_GAP: usize = 2;
/// Fifteen digits (ITU-T E.164), after the two zeros that are dialled for abroad.
const LONGEST_NUMBER: usize = 17;
/// No number is that long with what is written next to it; hashes and providers' random ids are.
const SHORTEST_HASH: usize = 20;
/// In a hash letters and digits alternate. A number in a long word is one run.
const RUNS_OF_A_HASH: usize = 2;
const KEPT_AT_EACH_END: usize = 2;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nearly every text has no number: one look at its bytes, and it is written as it is.
        if self.masking == Masking::Off || !may_have_number(self.text) {
            return f.write_str(self.text);
        }
        let mut rest = self.text;
        let mut after_word = false;
        while let Some(first) = rest.chars().next() {
            let spaced = if after_word { 0 } else { spaced_number(rest) };
            let is_word = first.is_alphanumeric();
            let end = match (spaced, is_word) {
                (0, true) => rest
                    .find(|c: char| !c.is_alphanumeric())
                    .unwrap_or(rest.len()),
                (0, false) => first.len_utf8(),
                (end, _) => end,
            };
            let (part, behind) = rest.split_at(end);
            if spaced > 0 {
                hide(part, f)?;
            } else if is_word && !is_hash(part) && !is_stream_time(part, behind) {
                hide_runs(part, f)?;
            } else {
                f.write_str(part)?;
            }
            after_word = is_word || spaced > 0;
            rest = behind;
        }
        Ok(())
    }
}

/// Whether digits enough for a number follow each other, with or without what is written between them.
fn may_have_number(text: &str) -> bool {
    let mut digits = 0;
    text.bytes().any(|byte| {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'+' | b' ' | b'-' | b'.' | b'/' | b'(' | b')' => {}
            _ if byte.is_ascii() => digits = 0,
            _ => return true,
        }
        digits >= SHORTEST_NUMBER
    })
}

/// The length in bytes of a number in groups that begins here, or 0: `+31 (0)6 1234-5678`,
/// `06 12 34 56 78`. Without a plus, dots and slashes make it a date.
fn spaced_number(text: &str) -> usize {
    let abroad = text.starts_with('+');
    let shortest = match text.chars().next() {
        Some('+') => SHORTEST_NUMBER,
        Some('0') => SHORTEST_AT_HOME,
        _ => return 0,
    };
    let (mut digits, mut gap, mut end) = (0, 0, 0);
    for (at, c) in text.char_indices().skip(usize::from(abroad)) {
        if c.is_numeric() {
            (digits, gap, end) = (digits + 1, 0, at + c.len_utf8());
        } else if gap < LONGEST_GAP && (is_gap(c) || (abroad && "./()".contains(c))) {
            gap += 1;
        } else {
            break;
        }
    }
    if digits >= shortest { end } else { 0 }
}

/// Spaces of every kind, hyphens, and the dashes of typesetters.
fn is_gap(c: char) -> bool {
    c == '-' || (c.is_whitespace() && !c.is_control()) || ('\u{2010}'..='\u{2015}').contains(&c)
}

/// Hides the digits of a number but for its first and last two.
fn hide(number: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let digits = number.chars().filter(|c| c.is_numeric()).count();
    let mut seen = 0;
    for c in number.chars() {
        let is_digit = c.is_numeric();
        let hidden = (KEPT_AT_EACH_END..digits - KEPT_AT_EACH_END).contains(&seen);
        f.write_char(if is_digit && hidden { '*' } else { c })?;
        seen += usize::from(is_digit);
    }
    Ok(())
}

/// Writes a word with its runs of digits hidden that are long enough for a number.
fn hide_runs(word: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (run, is_number) in runs(word) {
        if is_number && run.chars().count() >= SHORTEST_NUMBER {
            hide(run, f)?;
        } else {
            f.write_str(run)?;
        }
    }
    Ok(())
}

/// Whether a long word is a hash or an id: its digits alternate with letters, or are too many.
fn is_hash(word: &str) -> bool {
    let digits = || {
        runs(word)
            .filter(|(_, is_number)| *is_number)
            .map(|(run, _)| run.chars().count())
    };
    word.chars().count() >= SHORTEST_HASH
        && (digits().count() >= RUNS_OF_A_HASH || digits().any(|length| length > LONGEST_NUMBER))
}

/// Whether a word is the first half of a stream entry's id, as `1795898237202` of `1795898237202-0`:
/// milliseconds since 1970. No country has numbers of 13 digits that begin with a 1.
fn is_stream_time(word: &str, behind: &str) -> bool {
    let of_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let sequence = behind.strip_prefix('-').map(|text| {
        let end = text
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(text.len());
        text.split_at(end).0
    });
    word.len() == 13
        && word.starts_with('1')
        && of_digits(word)
        && sequence.is_some_and(|sequence| sequence.len() < SHORTEST_NUMBER && of_digits(sequence))
}

/// The stretches of a word that are digits of any script, or are none.
fn runs(word: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let is = rest.chars().next()?.is_numeric();
        let end = rest.find(|c: char| c.is_numeric() != is);
        let (run, tail) = rest.split_at(end.unwrap_or(rest.len()));
        rest = tail;
        Some((run, is))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_of_digits_keep_only_their_ends() {
        let on = |text| Masking::On.show(text).to_string();
        assert_eq!(on("whatsapp:+31612345678"), "whatsapp:+31*******78");
        assert_eq!(on("31612345678@c.us"), "31*******78@c.us");
        assert_eq!(on("1234567"), "12***67");
        assert_eq!(
            on("63016: outside of the window"),
            "63016: outside of the window"
        );
        assert_eq!(
            on("entry 1795898237202-0 of 3"),
            "entry 1795898237202-0 of 3"
        );
        assert_eq!(
            on("5511987654321-1612345678@g.us"),
            "55*********21-16******78@g.us"
        );
        assert_eq!(
            on("To=whatsapp%3A%2B31612345678"),
            "To=whatsapp%3A%2B31*******78"
        );
        assert_eq!(on("golf uit 2019"), "golf uit 2019");
        assert_eq!(
            on("false_31612345678@c.us_3EB0AA1234567890AB99"),
            "false_31*******78@c.us_3EB0AA1234567890AB99"
        );
        assert_eq!(
            on("twilio:message:SM0123456789abcdef0123456789abcdef"),
            "twilio:message:SM0123456789abcdef0123456789abcdef"
        );
        assert_eq!(
            Masking::Off.show("+31612345678").to_string(),
            "+31612345678"
        );
    }

    #[test]
    fn a_number_is_hidden_however_it_is_written() {
        for (text, shown) in [
            ("call +31 6 1234 5678.", "call +31 * **** **78."),
            ("+31 (0)6-12.34.56.78", "+31 (*)*-**.**.**.78"),
            ("+1 (555) 010-0199", "+1 (5**) ***-**99"),
            ("06 12 34 56 78 is no mobile", "06 ** ** ** 78 is no mobile"),
            ("06-1234 5678", "06-**** **78"),
            ("06\u{a0}1234\u{2011}5678", "06\u{a0}****\u{2011}**78"),
            ("０６１２３４５６７８", "０６******７８"),
            ("٠٦١٢٣٤٥٦٧٨", "٠٦******٧٨"),
            (
                "customer31612345678writestous",
                "customer31*******78writestous",
            ),
            (
                "customer0031612345678writestous",
                "customer00*********78writestous",
            ),
        ] {
            assert_eq!(Masking::On.show(text).to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_number_stays() {
        for text in [
            "2026-11-29T03:10:00+02:00 1.5 s, 12 of 200",
            "between 03.12.2026 and 04.12.2026",
            "0 of 12, 3 x 400, v0.12.4",
            "127.0.0.1:6379 and 10.43.131.181",
            "é 3EB0AA1234567890AB99",
            "SM0000000000000000000000012345671",
        ] {
            assert_eq!(Masking::On.show(text).to_string(), text);
        }
    }
}
