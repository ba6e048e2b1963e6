//! Addresses of mail and of pages: their parts name nothing.

use std::ops::Range;

/// Where addresses stand in a text, in bytes.
pub(super) fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let start = at;
        at += word.len();
        (word.trim_end(), start)
    });
    let found = words.filter(|(word, _)| is_address(word));
    found
        .map(|(word, start)| start..start + word.len())
        .collect()
}

fn is_address(word: &str) -> bool {
    let mail = word.split_once('@');
    let mail = mail.is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    mail || word.contains("://") || word.starts_with("www.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_and_other_words_are_not() {
        let text = "mail naar piet.wit@example.org of kijk op www.example.org, 50% @ 9 uur";
        let found: Vec<&str> = addresses(text)
            .into_iter()
            .filter_map(|range| text.get(range))
            .collect();
        assert_eq!(found, ["piet.wit@example.org", "www.example.org,"]);
    }
}
