//! Text that others wrote, made harmless for a terminal.

use std::borrow::Cow;

/// Whether a terminal obeys a character instead of showing it: control characters, and marks that
/// turn the direction of what follows (Unicode Standard Annex 9).
const fn acts_on_a_terminal(character: char) -> bool {
    matches!(character,
        '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes such characters as `\u001b`, which JSON reads as the same character. Line breaks and tabs
/// stay.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts_on_a_terminal) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if acts_on_a_terminal(character) {
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    safe.into()
}

/// The same for the bytes of a log line, in which our own colours stay.
pub(crate) fn shown_line(line: &[u8]) -> Cow<'_, [u8]> {
    // Every such character but the escape of a colour begins with one of these in UTF-8.
    let suspicious = |byte: &u8| matches!(byte, 0xc2 | 0xd8 | 0xe2);
    if !line.iter().any(suspicious) {
        return line.into();
    }
    let Ok(text) = std::str::from_utf8(line) else {
        return line.into();
    };
    let mut safe = String::with_capacity(line.len() + 16);
    for character in text.chars() {
        if character.is_ascii() || !acts_on_a_terminal(character) {
            safe.push(character);
        } else {
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
    }
    Cow::Owned(safe.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(shown("hoi\n\tzo 👨‍👩‍👧"), "hoi\n\tzo 👨‍👩‍👧");
        assert_eq!(shown("\x1b[2J\u{9b}31m"), "\\u001b[2J\\u009b31m");
        assert_eq!(shown("a\u{202e}b\u{2066}c\r"), "a\\u202eb\\u2066c\\u000d");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({ "text": "a\u{202e}b\u{85}" });
        let text = value.to_string();
        let read: serde_json::Value = serde_json::from_str(&shown(&text)).unwrap();
        assert_eq!(read, value);
        assert!(shown(&text).is_ascii());
    }

    #[test]
    fn a_log_line_keeps_its_colours_and_loses_what_turns_it_round() {
        let line = "\x1b[32mINFO\x1b[0m één \u{202e}x\n".as_bytes();
        let expected = "\x1b[32mINFO\x1b[0m één \\u202ex\n";
        assert_eq!(shown_line(line), expected.as_bytes());
        assert_eq!(shown_line(b"\xe2\xff"), &b"\xe2\xff"[..]);
    }
}
