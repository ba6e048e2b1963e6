//! Texts made alike: what feeds write differently and mean alike becomes one.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters and digits alone, in lower case, without accents: `Škoda`, `C-HR` become `skoda`, `chr`.
#[must_use]
pub fn squash(text: &str) -> String {
    let mut squashed = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            if c.is_ascii_alphanumeric() {
                squashed.push(c.to_ascii_lowercase());
            }
        } else if matches!(c, 'ß' | 'ẞ') {
            squashed.push_str("ss");
        } else if matches!(c, 'ø' | 'Ø') {
            squashed.push('o');
        } else {
            let plain = std::iter::once(c).nfkd().filter(|c| !is_combining_mark(*c));
            squashed.extend(
                plain
                    .flat_map(char::to_lowercase)
                    .filter(|c| c.is_alphanumeric()),
            );
        }
    }
    squashed
}

/// A text in one line, without markup, control characters and decoration, at most `longest` characters;
/// none when nothing is left.
#[must_use]
pub(crate) fn plain(text: &str, longest: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len().min(longest * 2));
    let (mut tag, mut gap, mut length) = (false, false, 0);
    let unescaped = unescape(text);
    let mut chars = unescaped.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '<' if !tag
                && chars
                    .peek()
                    .is_some_and(|next| next.is_alphabetic() || "/!?".contains(*next)) =>
            {
                tag = true;
                gap = true;
                continue;
            }
            '>' if tag => {
                tag = false;
                continue;
            }
            _ if tag => continue,
            c if c.is_whitespace() || c.is_control() || c == '\\' => {
                gap = true;
                continue;
            }
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{ad}' => continue,
            _ => {}
        }
        if gap && !out.is_empty() {
            out.push(' ');
            length += 1;
        }
        gap = false;
        if length >= longest {
            break;
        }
        out.push(c);
        length += 1;
    }
    let text = out.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The references to characters that feeds carry a second time inside their texts.
fn unescape(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let mut text = text.to_owned();
    for (from, to) in [
        ("&nbsp;", " "),
        ("&euro;", "€"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ] {
        text = text.replace(from, to);
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_signs_fall_away() {
        for (text, squashed) in [
            ("Škoda", "skoda"),
            ("C-HR", "chr"),
            ("Citroën C3", "citroenc3"),
            ("WEIß", "weiss"),
        ] {
            assert_eq!(squash(text), squashed);
        }
    }

    #[test]
    fn markup_and_control_characters_fall_away() {
        let text =
            "<p>Nette auto!</p><script src=x>\u{202e}\n\n 1ste &amp; enige\\\\eigenaar, < 3 jaar";
        assert_eq!(
            plain(text, 200).as_deref(),
            Some("Nette auto! 1ste & enige eigenaar, < 3 jaar")
        );
        assert_eq!(plain("één twee", 5).as_deref(), Some("één t"));
        assert_eq!(plain(" <br/> ", 5), None);
    }
}
