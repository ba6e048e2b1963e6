//! Cleans what customers type. Pure.

use std::borrow::Cow;

/// The longest text accepted, in Unicode characters (Twilio's own limit for a message).
pub(crate) const MAX_CHARS: usize = 1_600;

/// Removes control characters and HTML, and trims the ends. Everything else stays as typed:
/// `a < b & c` is no HTML. Line breaks become `\n`.
pub(crate) fn clean(text: &str) -> String {
    let without_controls: Cow<'_, str> = if text.chars().any(is_unwanted) {
        Cow::Owned(
            text.replace("\r\n", "\n")
                .chars()
                .filter(|c| !is_unwanted(*c))
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    };
    let mut cleaned = without_controls.trim().to_owned();
    // What is left after one removal may form a tag again, as in `<scr<b>ipt>`.
    while cleaned.contains('<') {
        let next = strip_markup(&cleaned);
        if next == cleaned {
            break;
        }
        cleaned = next;
    }
    cleaned.trim().to_owned()
}

/// The first `max` characters of a cleaned one-line text, such as a profile name.
pub(crate) fn clean_line(text: &str, max: usize) -> Option<String> {
    let line: String = clean(text).replace('\n', " ").chars().take(max).collect();
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}

fn is_unwanted(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// Elements whose content is not text.
const DROPPED_WITH_CONTENT: [&str; 2] = ["script", "style"];

/// One pass over the text. A tag is `<`, optionally `/`, a letter, and everything up to `>`; a `<`
/// that nothing closes is what the customer typed.
fn strip_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, at_tag)) = rest.find('<').map(|open| rest.split_at(open)) {
        out.push_str(before);
        match markup_len(at_tag) {
            Some(length) => rest = at_tag.get(length..).unwrap_or_default(),
            None => {
                out.push('<');
                rest = at_tag.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

/// The length of the markup at the start of `text`, which begins with `<`.
fn markup_len(text: &str) -> Option<usize> {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment
            .find("-->")
            .map(|end| "<!--".len() + end + "-->".len());
    }
    let name = text
        .trim_start_matches('<')
        .trim_start_matches(['/', '!', '?']);
    if text.starts_with("<<") || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let tag = text.find('>')? + 1;
    let name: String = name
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    let name = name.to_ascii_lowercase();
    if text.starts_with("</") || !DROPPED_WITH_CONTENT.contains(&name.as_str()) {
        return Some(tag);
    }
    let content = text.get(tag..)?.to_ascii_lowercase();
    let closing = content.find(&format!("</{name}"));
    Some(closing.map_or(tag, |closing| tag + closing))
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
            "prijs <5000 & km >100",
            "x <-- y --> z",
            "1 < 2 > 0",
            "&lt;b&gt; en &amp;",
            "onder de <10k",
            "eerste\nregel",
            "👩‍👩‍👧 é ü",
            "<ik weet niet",
        ] {
            let expected = if text == "a<b en c>d" { "ad" } else { text };
            assert_eq!(clean(text), expected, "{text}");
        }
    }

    #[test]
    fn html_and_scripts_are_removed() {
        for (text, expected) in [
            ("<b>hoi</b>", "hoi"),
            ("hoi<script>alert('x')</script> daar", "hoi daar"),
            ("<SCRIPT src=x>evil()</SCRIPT >", ""),
            ("<style>p{}</style>tekst", "tekst"),
            ("<scr<b>ipt>alert(1)</script>", "ipt>alert(1)"),
            ("<<script>script>x</script>", "<"),
            ("voor<!-- stil -->na", "voorna"),
            ("<img src=x onerror=alert(1)>", ""),
            ("<<b>>x", "<>x"),
            ("<a href=\"https://x.nl\">link</a>", "link"),
        ] {
            assert_eq!(clean(text), expected, "{text}");
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
        fn cleaning_ends_and_leaves_no_tag(text in "[<>/a-zA-Z!\\- \u{0}\u{9b}é]{0,80}") {
            let cleaned = clean(&text);
            prop_assert_eq!(&clean(&cleaned), &cleaned);
            prop_assert!(!cleaned.chars().any(is_unwanted));
            prop_assert_eq!(strip_markup(&cleaned), cleaned);
        }

        #[test]
        fn text_without_angle_brackets_only_loses_controls(text in "[^<]{0,80}") {
            let kept: String = text.replace("\r\n", "\n").chars().filter(|c| !is_unwanted(*c)).collect();
            prop_assert_eq!(clean(&text), kept.trim());
        }
    }
}
