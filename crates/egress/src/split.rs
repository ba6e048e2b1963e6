//! Cuts a text to the channel's limit. Pure.

use unicode_segmentation::UnicodeSegmentation;

/// How a channel counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The most that one message may have.
    pub most: usize,
    /// In which unit.
    pub unit: Unit,
}

/// A unit of length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// UTF-16 code units, as Twilio counts: an emoji is two or more.
    Utf16,
    /// Unicode characters.
    Chars,
}

impl Limit {
    /// The length of a text in the channel's unit.
    pub fn length(self, text: &str) -> usize {
        match self.unit {
            Unit::Utf16 => text.encode_utf16().count(),
            Unit::Chars => text.chars().count(),
        }
    }
}

/// Cuts `text` into parts within the limit: at paragraphs where possible, else at sentences, else at
/// words. Never inside a URL, a number or a grapheme, unless that alone exceeds the limit. White
/// space around the cuts is dropped.
pub fn split(text: &str, limit: Limit) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while limit.length(rest) > limit.most {
        let end = cut(rest, limit);
        let (part, tail) = rest.split_at(end);
        parts.push(part.trim_end().to_owned());
        rest = tail.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest.to_owned());
    }
    parts
}

/// Where to end the first part: the last break of the best kind that fits.
fn cut(text: &str, limit: Limit) -> usize {
    let fits = fitting_prefix(text, limit);
    // A break may lie right behind what fits.
    let behind: usize = text
        .get(fits..)
        .unwrap_or_default()
        .chars()
        .take(2)
        .map(char::len_utf8)
        .sum();
    let seen = text.get(..fits + behind).unwrap_or(text);
    let last = |ends: Vec<usize>, at_least: usize| {
        ends.into_iter()
            .rev()
            .find(|end| *end >= at_least && *end > 0 && *end <= fits)
    };
    // A part much shorter than the limit would make many messages of one.
    let worthwhile = fits / 3;
    last(paragraph_ends(seen), worthwhile)
        .or_else(|| last(sentence_ends(seen), worthwhile))
        .or_else(|| last(word_ends(seen), 0))
        .unwrap_or(fits)
}

/// The longest prefix of whole graphemes within the limit; at least one grapheme.
fn fitting_prefix(text: &str, limit: Limit) -> usize {
    let mut length = 0;
    let mut end = 0;
    for (start, grapheme) in text.grapheme_indices(true) {
        length += limit.length(grapheme);
        if length > limit.most && end > 0 {
            break;
        }
        end = start + grapheme.len();
    }
    end
}

fn paragraph_ends(prefix: &str) -> Vec<usize> {
    prefix.match_indices("\n\n").map(|(at, _)| at).collect()
}

/// After `.`, `!`, `?` or `…` that white space follows, and at line breaks. A point inside a number
/// or a URL is followed by no white space.
fn sentence_ends(prefix: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut previous = ' ';
    for (at, c) in prefix.char_indices() {
        let ends_sentence = c == '\n' || (c.is_whitespace() && ".!?…".contains(previous));
        if ends_sentence {
            ends.push(at);
        }
        previous = c;
    }
    ends
}

/// At white space that does not stand between two digits, as in `12 500`.
fn word_ends(prefix: &str) -> Vec<usize> {
    let chars: Vec<(usize, char)> = prefix.char_indices().collect();
    let digit = |index: Option<usize>| {
        index
            .and_then(|index| chars.get(index))
            .is_some_and(|(_, c)| c.is_ascii_digit())
    };
    let ends = chars.iter().enumerate().filter(|(index, (_, c))| {
        c.is_whitespace() && !(digit(index.checked_sub(1)) && digit(Some(index + 1)))
    });
    ends.map(|(_, (at, _))| *at).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn chars(most: usize) -> Limit {
        Limit {
            most,
            unit: Unit::Chars,
        }
    }

    #[test]
    fn short_texts_stay_whole() {
        assert_eq!(split("  hallo ", chars(10)), ["hallo"]);
        assert!(split("   ", chars(10)).is_empty());
    }

    #[test]
    fn paragraphs_are_preferred_to_sentences_and_sentences_to_words() {
        let text = "Eerste zin. Tweede zin.\n\nNieuwe alinea met woorden.";
        assert_eq!(
            split(text, chars(30)),
            ["Eerste zin. Tweede zin.", "Nieuwe alinea met woorden."]
        );
        assert_eq!(
            split("Een zin. Nog een zin die lang is", chars(20)),
            ["Een zin.", "Nog een zin die lang", "is"]
        );
        assert_eq!(split("aaa bbb ccc", chars(7)), ["aaa bbb", "ccc"]);
    }

    #[test]
    fn urls_and_numbers_stay_whole() {
        let url = "https://example.nl/auto/golf?prijs=12.500&x=1";
        assert_eq!(
            split(&format!("zie {url} voor meer"), chars(48)),
            ["zie", url, "voor meer"]
        );
        assert_eq!(
            split("prijs nu 12 500 euro", chars(13)),
            ["prijs nu", "12 500 euro"]
        );
        assert_eq!(
            split("kost 12.500 euro", chars(9)),
            ["kost", "12.500", "euro"]
        );
    }

    #[test]
    fn an_emoji_counts_double_for_twilio_and_is_never_cut() {
        let twilio = Limit {
            most: 1600,
            unit: Unit::Utf16,
        };
        assert_eq!(twilio.length("🚗"), 2);
        let parts = split(&"🚗".repeat(801), twilio);
        assert_eq!(
            parts.iter().map(|p| p.chars().count()).collect::<Vec<_>>(),
            [800, 1]
        );
        let family = "👩‍👩‍👧‍👦";
        let parts = split(&family.repeat(200), twilio);
        assert!(
            parts
                .iter()
                .all(|part| part.graphemes(true).all(|g| g == family))
        );
    }

    proptest! {
        #[test]
        fn parts_fit_and_lose_only_white_space(text in "[a-z0-9 .!?\n👍é]{0,400}", most in 5_usize..60) {
            let limit = Limit { most, unit: Unit::Utf16 };
            let parts = split(&text, limit);
            prop_assert!(parts.iter().all(|part| limit.length(part) <= most && !part.trim().is_empty()));
            let squeeze = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(squeeze(&parts.concat()), squeeze(&text));
        }
    }
}
