//! Folding of characters: what people type differently and mean alike becomes one.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Appends a character in lower case, without accents, in its plainest form; `ß` becomes `ss`.
/// Marks, joiners and skin tones vanish.
pub(crate) fn fold_char(c: char, out: &mut impl FnMut(char)) {
    if c.is_ascii() {
        return out(c.to_ascii_lowercase());
    }
    match c {
        '‘' | '’' | '`' | '´' | '′' | 'ʼ' => return out('\''),
        '–' | '—' | '−' | '‐' | '‑' => return out('-'),
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => return,
        '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => return,
        'ß' | 'ẞ' => return ['s', 's'].into_iter().for_each(out),
        'æ' | 'Æ' => return ['a', 'e'].into_iter().for_each(out),
        'œ' | 'Œ' => return ['o', 'e'].into_iter().for_each(out),
        'ø' | 'Ø' => return out('o'),
        'ł' | 'Ł' => return out('l'),
        'đ' | 'Đ' => return out('d'),
        'ı' => return out('i'),
        '…' => return out('.'),
        _ => {}
    }
    for plain in std::iter::once(c).nfkd().filter(|c| !is_combining_mark(*c)) {
        plain
            .to_lowercase()
            .filter(|c| !is_combining_mark(*c))
            .for_each(&mut *out);
    }
}

/// A whole text, folded.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    text.chars()
        .for_each(|c| fold_char(c, &mut |c| folded.push(c)));
    folded
}

/// The text with `ä`, `ö`, `ü` as `ae`, `oe`, `ue`; none when it has none of them.
pub(super) fn umlauts_spelled_out(text: &str) -> Option<String> {
    let spelled: String = text
        .chars()
        .fold(String::with_capacity(text.len() + 2), |mut out, c| {
            match c {
                'ä' | 'Ä' => out.push_str("ae"),
                'ö' | 'Ö' => out.push_str("oe"),
                'ü' | 'Ü' => out.push_str("ue"),
                _ => out.push(c),
            }
            out
        });
    (spelled != text).then_some(spelled)
}

/// The text with every run of the same letter cut to `longest`.
pub(super) fn cut_runs(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut last, mut run) = ('\0', 0);
    for c in text.chars() {
        run = if c == last { run + 1 } else { 1 };
        last = c;
        if run <= longest {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_width_fold_away() {
        for (text, folded) in [
            ("Škoda CITROËN", "skoda citroen"),
            ("weiß Straße", "weiss strasse"),
            ("Ｇｏｌｆ", "golf"),
            ("ﬁat", "fiat"),
            ("m’n", "m'n"),
            ("👍🏽", "👍"),
            ("e\u{301}e\u{301}n", "een"),
        ] {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn umlauts_have_a_second_spelling() {
        assert_eq!(
            umlauts_spelled_out("Öffnung für").as_deref(),
            Some("oeffnung fuer")
        );
        assert_eq!(umlauts_spelled_out("open"), None);
    }

    #[test]
    fn long_runs_are_cut() {
        assert_eq!(cut_runs("heeeeel", 2), "heel");
        assert_eq!(cut_runs("suuuper", 1), "super");
    }
}
