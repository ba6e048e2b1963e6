//! What a model needs not know is taken out of texts: phone numbers and mail addresses. Pure.

/// A run with this many digits is a phone number or an account, not a price or a mileage.
const PHONE_DIGITS: usize = 8;

/// The text with phone numbers, account numbers and mail addresses replaced.
pub(super) fn redact(text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(mail_hidden).collect();
    hide_numbers(&words.join(" "))
}

fn mail_hidden(word: &str) -> String {
    let is_mail = word
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if is_mail {
        "[mail]".into()
    } else {
        word.to_owned()
    }
}

/// Replaces runs of digits that may have separators between them.
fn hide_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().chain(['\u{0}']) {
        let continues = c.is_ascii_digit() || (!run.is_empty() && " -()./".contains(c));
        if continues || (run.is_empty() && c == '+') {
            run.push(c);
            continue;
        }
        let kept = run.trim_end_matches([' ', '-', '(', ')', '.', '/', '+']);
        let digits = kept.chars().filter(char::is_ascii_digit).count();
        if digits >= PHONE_DIGITS && !looks_like_amounts(kept) {
            out.push_str("[number]");
            out.push_str(run.get(kept.len()..).unwrap_or_default());
        } else {
            out.push_str(&run);
        }
        run.clear();
        if c != '\u{0}' {
            out.push(c);
        }
    }
    out
}

/// Years, prices and kilometres side by side: `2018 15.000 80.000`.
fn looks_like_amounts(run: &str) -> bool {
    !run.starts_with(['0', '+'])
        && run
            .split([' ', '-'])
            .all(|part| part.chars().filter(char::is_ascii_digit).count() < 7)
        && run.split([' ', '-']).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_of_people_are_hidden() {
        for (text, expected) in [
            ("bel me op 06 12345678 aub", "bel me op [number] aub"),
            ("bel +31 6 1234 5678.", "bel [number]."),
            ("mail naar jan@voorbeeld.nl graag", "mail naar [mail] graag"),
            ("NL91ABNA0417164300", "NL91ABNA[number]"),
        ] {
            assert_eq!(redact(text), expected, "{text}");
        }
    }

    #[test]
    fn prices_years_and_plates_stay() {
        for text in [
            "max 15.000 euro, bouwjaar 2018, 80.000 km",
            "golf 2018 tot 15.000",
            "kenteken 12-KDB-4",
            "tussen 8000 en 10000",
            "2016-2018",
        ] {
            assert_eq!(redact(text), text);
        }
    }
}
