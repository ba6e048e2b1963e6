//! Cleans what customers type. Pure.

use crate::event::Rejection;

/// The longest text that people can write in WhatsApp, in Unicode characters.
pub(crate) const MAX_CHARS: usize = 65_536;

/// Removes control characters and trims the ends. Everything else stays as typed, angle brackets
/// too: a message is text, and is escaped where a page is made of it. Line breaks become `\n`.
pub(crate) fn clean(text: &str) -> String {
    if !text.chars().any(is_unwanted) {
        return text.trim().to_owned();
    }
    let kept: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| !is_unwanted(*c))
        .collect();
    kept.trim().to_owned()
}

/// A message's text, cleaned.
///
/// # Errors
/// When it has more than `most` characters.
pub(crate) fn message_text(text: &str, most: usize) -> Result<String, Rejection> {
    let content = clean(text);
    let length = content.chars().count();
    if length > most {
        let text = format!("the text has {length} characters; {most} are allowed");
        return Err(Rejection::new("message_too_long", text));
    }
    Ok(content)
}

/// The first `max` characters of a cleaned one-line text, such as a profile name.
pub(crate) fn clean_line(text: &str, max: usize) -> Option<String> {
    let line: String = clean(text).replace('\n', " ").chars().take(max).collect();
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}

fn is_unwanted(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_type_survives() {
        for text in [
            "a < b & c",
            "a<b en c>d",
            "I <3 my Golf",
            "Jan de Vries <jan@voorbeeld.example>",
            "<https://voorbeeld.example/golf>",
            "<b></b>",
            "<script>alert('x')</script>",
            "<!-- stil -->",
            "&lt;b&gt; en &amp;",
            "eerste\nregel",
            "👩‍👩‍👧 é ü",
            "<ik weet niet",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn control_characters_are_removed_and_line_breaks_unified() {
        assert_eq!(clean("a\0b\u{7}c\r\nd\u{9b}e"), "abc\nde");
        assert_eq!(clean("  \u{0}  "), "");
        assert_eq!(clean_line("Jan\njansen ", 6).as_deref(), Some("Jan ja"));
        assert_eq!(clean_line("\u{1}", 6), None);
    }

    proptest! {
        #[test]
        fn text_loses_controls_and_nothing_else(text in "[<>/a-zA-Z!\\- \u{0}\u{9b}é]{0,80}") {
            let kept: String = text.replace("\r\n", "\n").chars().filter(|c| !is_unwanted(*c)).collect();
            prop_assert_eq!(clean(&text), kept.trim());
        }
    }
}
