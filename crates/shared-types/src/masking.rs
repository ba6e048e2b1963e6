use std::fmt;

/// Whether phone numbers appear whole in logs. On unless the operator sets `LOG_PII=true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Masking {
    /// Every run of five or more digits keeps only its first and last two.
    #[default]
    On,
    /// Addresses are shown as they are.
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

/// Shorter runs of digits are dates, prices and years, not phone numbers.
const SHORTEST_MASKED_RUN: usize = 5;
/// No number is that long with what is written next to it; hashes and providers' random ids are.
const SHORTEST_HASH: usize = 20;
const KEPT_AT_EACH_END: usize = 2;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.masking == Masking::Off {
            return f.write_str(self.text);
        }
        for (word, is_word) in runs(self.text, |c| c.is_alphanumeric()) {
            if !is_word || word.len() >= SHORTEST_HASH {
                f.write_str(word)?;
                continue;
            }
            for (run, is_number) in runs(word, |c| c.is_ascii_digit()) {
                if is_number && run.len() >= SHORTEST_MASKED_RUN {
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
        assert_eq!(on("12345"), "12*45");
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
