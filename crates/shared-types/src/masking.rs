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
const KEPT_AT_EACH_END: usize = 2;

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.masking == Masking::Off {
            return f.write_str(self.text);
        }
        let mut rest = self.text;
        while !rest.is_empty() {
            let is_digit = rest.starts_with(|c: char| c.is_ascii_digit());
            let end = rest
                .find(|c: char| c.is_ascii_digit() != is_digit)
                .unwrap_or(rest.len());
            let (run, tail) = rest.split_at(end);
            if is_digit && run.len() >= SHORTEST_MASKED_RUN {
                let (head, middle) = run.split_at(KEPT_AT_EACH_END);
                let (hidden, last) = middle.split_at(middle.len() - KEPT_AT_EACH_END);
                write!(f, "{head}{:*<width$}{last}", "", width = hidden.len())?;
            } else {
                f.write_str(run)?;
            }
            rest = tail;
        }
        Ok(())
    }
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
            Masking::Off.show("+31612345678").to_string(),
            "+31612345678"
        );
    }
}
