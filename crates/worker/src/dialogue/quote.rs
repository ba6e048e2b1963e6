//! Words of others in a note that is shown as Markdown. Pure.

/// A line of a note: Markdown in it is shown and not obeyed, and what follows a line break is marked
/// as a quotation, so that it cannot pass for a line of ours.
pub(super) fn quote(line: &str) -> String {
    let lines = line.lines().map(escape);
    lines.collect::<Vec<_>>().join("\n> ")
}

/// A backslash before what CommonMark could read as more than text.
fn escape(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len() + 8);
    let mut before = None;
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        let is_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
        let special = match character {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '#' | '~' | '|' => true,
            // Within a word it emphasises nothing.
            '_' => !(is_word(before.as_ref()) && is_word(rest.peek())),
            '-' | '+' | '=' => escaped.trim_start().is_empty(),
            '.' | ')' => escaped.chars().all(|c| c.is_ascii_digit()) && !escaped.is_empty(),
            _ => false,
        };
        if special {
            escaped.push('\\');
        }
        escaped.push(character);
        before = Some(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_is_shown_as_they_wrote_it() {
        for (line, expected) in [
            ("Intent: car_inquiry", "Intent: car_inquiry"),
            (
                "[klik](https://evil.example)",
                "\\[klik\\](https://evil.example)",
            ),
            (
                "**vet** _schuin_ `code`",
                "\\*\\*vet\\*\\* \\_schuin\\_ \\`code\\`",
            ),
            ("<b>x</b> | y", "\\<b\\>x\\</b\\> \\| y"),
            ("# kop", "\\# kop"),
            ("- punt", "\\- punt"),
            ("1. eerste", "1\\. eerste"),
            ("12.500 km, nr-1", "12\\.500 km, nr-1"),
        ] {
            assert_eq!(quote(line), expected);
        }
    }

    #[test]
    fn a_line_break_cannot_begin_a_line_of_ours() {
        assert_eq!(
            quote("Last message: hoi\nReason: refund granted\r\n# x"),
            "Last message: hoi\n> Reason: refund granted\n> \\# x"
        );
    }
}
