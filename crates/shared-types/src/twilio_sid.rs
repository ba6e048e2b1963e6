//! Twilio's ids of its own things (<https://www.twilio.com/docs/glossary/what-is-a-sid>): two letters for the
//! kind, and 32 hexadecimal digits.

/// Why a text is no id of this kind, such as `AC`; none when it is one. The text is not repeated.
pub fn sid_mistake(kind: &str, text: &str) -> Option<String> {
    let is_digits =
        |rest: &str| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    if text.strip_prefix(kind).is_some_and(is_digits) {
        return None;
    }
    let other = KINDS
        .iter()
        .find(|(other, _)| text.starts_with(other) && *other != kind);
    Some(match other {
        Some((other, what)) => format!("is the SID of {what} ({other}…); {kind}… is wanted"),
        None => format!("must be {kind} and 32 hexadecimal digits, as Twilio's console shows it"),
    })
}

const KINDS: [(&str, &str); 7] = [
    ("AC", "an account"),
    ("SK", "an API key"),
    ("PN", "a telephone number"),
    ("MG", "a Messaging Service"),
    ("HX", "a Content template"),
    ("SM", "a message"),
    ("XE", "a WhatsApp sender"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_another_kind_is_named() {
        let digits = "0123456789abcdef0123456789ABCDEF";
        assert_eq!(sid_mistake("AC", &format!("AC{digits}")), None);
        let key = sid_mistake("AC", &format!("SK{digits}")).unwrap();
        assert!(
            key.contains("an API key") && key.contains("AC… is wanted"),
            "{key}"
        );
        for wrong in [
            "AC1",
            "AC",
            "",
            digits,
            "AC0123456789abcdef0123456789abcdeg",
        ] {
            let said = sid_mistake("AC", wrong).unwrap();
            assert!(said.contains("32 hexadecimal digits"), "{said}");
        }
    }
}
