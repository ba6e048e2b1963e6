//! Links in a model's words: only those of the business may stand there. Pure.

use unicode_normalization::UnicodeNormalization;

use crate::domain::Business;

/// Whether every link and mail address is the business' own, to the letter: a host that only looks
/// like it, or goes on behind it, is another one.
pub(super) fn are_ours(business: &Business, text: &str) -> bool {
    let text: String = text.nfkc().collect::<String>().replace(['。', '․'], ".");
    let ends = |c: char| c.is_whitespace() || "()[]{}<>\"'„“”‚‘’|*_~`".contains(c);
    text.split(ends)
        .map(|word| word.trim_matches(|c: char| ".,;:!?".contains(c)))
        .all(|word| is_ours(business, word))
}

fn is_ours(business: &Business, word: &str) -> bool {
    let lower = word.to_lowercase();
    if lower.contains('@') && !lower.contains("://") {
        let email = business.email.as_ref().map(|email| email.to_lowercase());
        let is_address = lower
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && has_top_level(host));
        return !is_address
            || email.is_some_and(|email| lower.trim_start_matches("mailto:") == email);
    }
    let Some(host) = host_of(word) else {
        return true;
    };
    let own = business.website.as_deref().and_then(host_of);
    let email = business
        .email
        .as_deref()
        .and_then(|email| email.split_once('@'));
    let own = own
        .into_iter()
        .chain(email.map(|(_, host)| host.to_lowercase()));
    let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
    own.into_iter().any(|own| bare(&own) == bare(&host))
}

/// The host that a word links to: behind a scheme, or by itself where it has a top level. A full stop
/// right before a capital letter ends a sentence.
fn host_of(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    if let Some((_, rest)) = lower.split_once("://") {
        // Who logs in before the host does not move it.
        let authority = rest.split(['/', '?', '#', '\\']).next()?;
        let host = authority.rsplit('@').next()?;
        return Some(host.split(':').next()?.to_owned());
    }
    let host = word.split(['/', '?', '#', ':', '\\']).next()?;
    let sentence = host
        .rsplit_once('.')
        .is_some_and(|(_, top)| top.starts_with(char::is_uppercase));
    let path = host.len() < word.len();
    (has_top_level(host) && (path || !sentence)).then(|| host.to_lowercase())
}

/// "name.top": two labels at least, the last of letters.
fn has_top_level(host: &str) -> bool {
    let Some((name, top)) = host.rsplit_once('.') else {
        return false;
    };
    let label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    // "z.s.m": initials are no host.
    let long = name.split('.').any(|label| label.chars().count() > 1);
    long && name.split('.').all(label)
        && top.chars().count() >= 2
        && top.chars().all(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Domain;

    #[test]
    fn only_the_hosts_of_the_business_may_stand_in_a_reply() {
        let business = Domain::embedded().unwrap().business;
        for ours in [
            "Kijk op https://deduif.example voor meer.",
            "Kijk op deduif.example/aanbod, of mail info@deduif.example.",
            "www.deduif.example",
            "Tot morgen.Fijn dat u komt, z.s.m. bel ik om 9.30 uur.",
            "Om 09:00 en/of 10:00 uur, max. € 12.500,-",
        ] {
            assert!(are_ours(&business, ours), "{ours}");
        }
        for foreign in [
            "https://evil.example/pay",
            "evil.example",
            "bit.ly/abc",
            "bit.ly",
            "https://deduif.example.evil.example",
            "evil.example/deduif.example",
            "https://deduif.example@evil.example/",
            "deduif-example.com",
            "dеduif.example",
            "ｅｖｉｌ．example",
            "evil。example",
            "hxxp://evil.example",
            "info@evil.example",
            "info@deduif.example.evil.example",
        ] {
            assert!(!are_ours(&business, foreign), "{foreign}");
        }
    }
}
