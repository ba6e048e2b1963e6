//! The customer's words as they are said back. Pure.

/// Without what only leads into them ("en", "goedemorgen", "ik wilde vragen"), and without signs that no sentence
/// of ours has. Of two words at least something stays.
pub(super) fn said_back(words: &str, lead_ins: &[String]) -> String {
    let plain: String = words.chars().filter(|c| is_plain(*c)).collect();
    let mut rest = trimmed(&plain);
    while let Some(behind) = lead_ins.iter().find_map(|lead| behind(rest, lead)) {
        rest = behind;
    }
    rest.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// More words than these are not said back to who has just written nothing else.
const SHORT: usize = 7;

/// Whether these words are long, and all that a text says but for a fifth, or cut.
pub(super) fn is_long_and_whole(words: &str, text: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    let whole = || letters(words) * 5 >= letters(text) * 4;
    words.split_whitespace().count() > SHORT && (words.ends_with('…') || whole())
}

/// Letters of any script, and signs below the arrows and pictures, but for what joins those.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || c < '\u{2190}' && c != '\u{200d}'
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_ascii_punctuation())
}

/// What stands behind a lead-in, where that is enough to be said back.
fn behind<'t>(text: &'t str, lead: &str) -> Option<&'t str> {
    let head = text.get(..lead.len())?;
    let rest = text.get(lead.len()..)?;
    let ends = rest.starts_with(|c: char| !c.is_alphanumeric() && c != '\'');
    let rest = trimmed(rest);
    let enough = rest.split_whitespace().nth(1).is_some();
    (ends && enough && head.to_lowercase() == lead).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead_ins() -> Vec<String> {
        ["en", "goedemorgen", "ik wilde vragen"]
            .map(String::from)
            .to_vec()
    }

    #[test]
    fn what_leads_into_a_question_is_not_said_back() {
        for (words, expected) in [
            ("en kan er nog wat vanaf", "kan er nog wat vanaf"),
            (
                "Goedemorgen, ik wilde vragen: hebben jullie wifi",
                "hebben jullie wifi",
            ),
            (
                "daar heeft de buurvrouw er al een van 😂",
                "daar heeft de buurvrouw er al een van",
            ),
            ("enige schade bekend", "enige schade bekend"),
            ("en gordels", "en gordels"),
            ("", ""),
        ] {
            assert_eq!(said_back(words, &lead_ins()), expected);
        }
    }

    #[test]
    fn who_asks_one_thing_knows_what_he_asked() {
        let long = "hoeveel tassen passen er achterin als de bank plat ligt";
        assert!(is_long_and_whole(
            long,
            "Hoi, hoeveel tassen passen er achterin als de bank plat ligt?"
        ));
        assert!(!is_long_and_whole(
            long,
            "Ik kom vrijdag om 3 uur kijken met mijn vrouw. Hoeveel tassen passen er achterin als de bank plat ligt?"
        ));
        assert!(!is_long_and_whole(
            "hebben jullie wifi",
            "Hebben jullie wifi?"
        ));
        assert!(is_long_and_whole(
            "ne tante von mir hat nen skoda fabia bei…",
            "ah ok. ne tante von mir hat nen skoda fabia bei euch, da ist die garantie abgelaufen"
        ));
    }
}
