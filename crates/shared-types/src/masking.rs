use std::fmt;

/// Whether phone numbers appear whole in logs. On unless the operator sets `LOG_PII=true`.
///
/// The log masks whatever it writes, so nobody who logs an id needs to know what it holds: WAHA's hold
/// the customer's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Masking {
    /// Every run of digits that is as long as a phone number keeps only its first and last two.
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
/// No number is that long with what is written next to it; hashes and providers' random ids are.
const SHORTEST_HASH: usize = 20;
const KEPT_AT_EACH_END: usize = 2;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nearly every text has no number: one look at its bytes, and it is written as it is.
        if self.masking == Masking::Off || !has_number(self.text) {
            return f.write_str(self.text);
        }
        let mut rest = self.text.len();
        for (word, is_word) in runs(self.text, char::is_alphanumeric) {
            rest -= word.len();
            let behind = self.text.get(self.text.len() - rest..).unwrap_or_default();
            if !is_word || word.len() >= SHORTEST_HASH || is_stream_time(word, behind) {
                f.write_str(word)?;
                continue;
            }
            for (run, is_number) in runs(word, |c| c.is_ascii_digit()) {
                if is_number && run.len() >= SHORTEST_NUMBER {
                    let (head, middle) = run.split_at(KEPT_AT_EACH_END);
                    let (hidden, last) = middle.split_at(middle.len() - KEPT_AT_EACH_END);
                    write!(f, "{head}{:*<width$}{last}", "", width = hidden.len())?;
                } else {
                    f.write_str(run)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether there are digits enough for a number anywhere.
fn has_number(text: &str) -> bool {
    let mut run = 0;
    text.bytes().any(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run >= SHORTEST_NUMBER
    })
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

/// The stretches of a text whose characters all are of a kind, or all are not.
fn runs(text: &str, of_kind: impl Fn(char) -> bool) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is = of_kind(rest.chars().next()?);
        let end = rest.find(|c| of_kind(c) != is).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
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
}
