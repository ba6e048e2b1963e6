//! Who is meant: one person by any of the names that logs, the CRM, providers and people use. Pure.

use std::collections::BTreeSet;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

/// A person, by everything that they are known to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Telephone numbers as digits, other addresses in one spelling; see [`normal`].
    names: BTreeSet<String>,
    /// Where numbers that begin with a zero are from, such as `31`.
    country: String,
    /// Notices to colleagues that are about them.
    notices: BTreeSet<String>,
}

/// The text names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "that is no telephone number, address, conversation or contact: write 0612345678, \
     whatsapp:+31612345678, 31612345678@c.us, chatwoot:1:42 or the CRM's id"
)]
pub struct NobodyError;

/// The shortest telephone numbers have this many digits.
const SHORTEST: usize = 7;

impl Person {
    /// The person with these names. A number without a country is one of `country`.
    ///
    /// # Errors
    /// When one of the names cannot be anybody's.
    pub fn named(names: &[String], country: &str) -> Result<Self, NobodyError> {
        let mut person = Self {
            names: BTreeSet::new(),
            country: country.trim_start_matches(['+', '0']).to_owned(),
            notices: BTreeSet::new(),
        };
        for name in names {
            let name: String = name.nfkc().collect();
            let read = person.read(name.trim()).ok_or(NobodyError)?;
            person.names.extend(read);
        }
        Ok(person)
    }

    /// Learns another address or conversation of the same person.
    pub fn learn(&mut self, address: &str) -> bool {
        !address.is_empty() && self.names.insert(normal(address))
    }

    /// Learns that a notice to colleagues is about the person, whoever it goes to.
    pub fn learn_notice(&mut self, id: &str) {
        self.notices.insert(id.to_owned());
    }

    /// Whether the CRM's contact with this id is meant by it.
    pub fn is_contact(&self, id: &str) -> bool {
        self.names.contains(id)
    }

    fn read(&self, text: &str) -> Option<Vec<String>> {
        let bare = ["whatsapp:", "tel:", "whatsapp", "tel"]
            .iter()
            .find_map(|start| text.strip_prefix(start));
        let bare = bare.unwrap_or(text).trim();
        if let Some(number) = number(bare, &self.country) {
            return Some(vec![number]);
        }
        let is_contact = text.strip_prefix("c_").is_some_and(|hash| hash.len() == 24);
        let is_address = !text.contains(char::is_whitespace) && text.contains(['@', ':', '.']);
        (is_contact || is_address).then(|| vec![normal(text)])
    }
}

/// The digits of a telephone number with its country, when the text is nothing else. One that begins with a
/// zero is one of `country`, such as `31`.
#[must_use]
pub fn number(text: &str, country: &str) -> Option<String> {
    let text = text.trim();
    let digits = digits(&text.replace("(0)", ""))?;
    Some(
        match (
            text.starts_with('+'),
            digits.strip_prefix("00"),
            digits.strip_prefix('0'),
        ) {
            (true, ..) => digits,
            (false, Some(international), _) => international.to_owned(),
            (false, None, Some(national)) => format!("{country}{national}"),
            (false, None, None) => digits,
        },
    )
}

/// The digits of a telephone number, when the text is nothing else.
fn digits(text: &str) -> Option<String> {
    let is_part = |c: char| {
        c.is_ascii_digit() || c.is_whitespace() || "+-.()/\u{2011}\u{2010}\u{2013}".contains(c)
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= SHORTEST && text.chars().all(is_part)).then_some(digits)
}

/// One spelling for the addresses of one account: the digits of a number, else the address without
/// its channel, WAHA's session and the device.
pub fn normal(address: &str) -> String {
    let bare = match address.split_once(':') {
        Some(("whatsapp" | "tel", rest)) => rest,
        Some(("waha", rest)) => rest.split_once(':').map_or(rest, |(_, chat)| chat),
        _ => address,
    };
    if let Some(number) = bare.strip_prefix('+') {
        return number.to_owned();
    }
    let Some((user, host)) = bare.split_once('@') else {
        return bare.to_lowercase();
    };
    let user = user.split([':', '_']).next().unwrap_or_default();
    match host {
        "c.us" | "s.whatsapp.net" => user.to_owned(),
        _ => format!("{user}@{host}").to_lowercase(),
    }
}

impl streams::Person for Person {
    fn has(&self, address: &str) -> bool {
        !address.is_empty() && self.names.contains(&normal(address))
    }

    fn is_in(&self, payload: &str) -> bool {
        const PLACES: &[&str] = &[
            "/sender/id",
            "/sender/phone_number",
            "/sender/aliases",
            "/conversation/id",
            "/conversation_id",
            "/sender_phone",
            "/to",
            "/contact/addresses",
            "/lead/conversation",
        ];
        let Ok(payload) = serde_json::from_str::<Value>(payload) else {
            return false;
        };
        // `<notice>:<the colleague's number>`
        let answered = payload.pointer("/in_reply_to").and_then(Value::as_str);
        let notice = answered.and_then(|answered| answered.split(':').next());
        if notice.is_some_and(|id| self.notices.contains(id)) {
            return true;
        }
        let found = PLACES.iter().filter_map(|place| payload.pointer(place));
        let mut found = found.flat_map(|value| match value {
            Value::Array(many) => many.iter().collect(),
            one => vec![one],
        });
        found.any(|value| value.as_str().is_some_and(|address| self.has(address)))
    }

    fn is_named_in(&self, text: &str) -> bool {
        let written: String = text.nfkc().collect();
        let squeezed: String = written.chars().filter(|c| !" -.()/".contains(*c)).collect();
        let lower = written.to_lowercase();
        self.names.iter().any(|name| {
            if name.bytes().all(|byte| byte.is_ascii_digit()) {
                let national = name
                    .strip_prefix(&self.country)
                    .map(|rest| format!("0{rest}"));
                let forms = [Some(name.clone()), Some(format!("00{name}")), national];
                let forms: Vec<String> = forms.into_iter().flatten().collect();
                [&written, &squeezed].iter().any(|text| {
                    let mut runs = text.split(|c: char| !c.is_ascii_digit());
                    runs.any(|run| forms.iter().any(|form| form == run))
                })
            } else {
                stands_in(&lower, name)
            }
        })
    }
}

/// Whether a name stands in a text, and not as a part of another one.
fn stands_in(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text
            .get(at + name.len()..)
            .and_then(|after| after.chars().next());
        ![before, after]
            .into_iter()
            .flatten()
            .any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use streams::Person as _;

    use super::*;

    fn named(name: &str) -> Result<Person, NobodyError> {
        Person::named(&[name.to_owned()], "31")
    }

    #[test]
    fn a_number_is_digits_with_a_country_and_other_texts_are_not() {
        for (text, digits) in [
            ("0612345678", "31612345678"),
            (" +31 6 1234 ", "3161234"),
            ("+31 (0)6 1234 5678", "31612345678"),
            ("0049 151 2345678", "491512345678"),
            ("612345678", "612345678"),
        ] {
            assert_eq!(number(text, "31").as_deref(), Some(digits), "{text}");
        }
        for text in ["", "5678", "klant 0612345678", "c_0612345678", "Sanne"] {
            assert_eq!(number(text, "31"), None, "{text}");
        }
    }

    #[test]
    fn a_number_is_one_person_in_every_spelling() {
        for spelling in [
            "0612345678",
            "+31 6 1234 5678",
            "06-12345678",
            "+31 (0)6 12345678",
            "0031612345678",
            "31612345678",
            "whatsapp:+31612345678",
            "tel:+31612345678",
            "31612345678@c.us",
            "31612345678@s.whatsapp.net",
            "waha:default:31612345678@c.us",
            "31612345678:12@s.whatsapp.net",
            "０６１２３４５６７８",
            " 06\u{a0}1234\u{a0}5678 ",
        ] {
            let person = named(spelling).unwrap();
            for address in [
                "whatsapp:+31612345678",
                "31612345678@c.us",
                "waha:s:31612345678@c.us",
                "tel:+31612345678",
            ] {
                assert!(person.has(address), "{spelling} {address}");
            }
            assert!(!person.has("whatsapp:+31612345679"), "{spelling}");
        }
    }

    #[test]
    fn other_addresses_are_taken_as_they_are() {
        for (name, address) in [
            ("4711@lid", "waha:default:4711@lid"),
            ("whatsapp:NL.4566abc", "whatsapp:NL.4566abc"),
            ("chatwoot:1:42", "chatwoot:1:42"),
        ] {
            assert!(named(name).unwrap().has(address), "{name}");
        }
        assert!(!named("chatwoot:1:42").unwrap().has("chatwoot:1:421"));
        assert!(
            named("c_0123456789abcdef01234567")
                .unwrap()
                .is_contact("c_0123456789abcdef01234567")
        );
        for nobody in ["foo", "", "12", "Sanne de Boer", "c_1"] {
            assert_eq!(named(nobody), Err(NobodyError), "{nobody}");
        }
    }

    #[test]
    fn who_is_named_in_a_text_is_found_and_nobody_else() {
        let person = named("0612345678").unwrap();
        for text in [
            "waha:message:false_31612345678@c.us_3AEB",
            "From=whatsapp%3A%2B31612345678&Body=x",
            r#"{"body":"bel 06-1234 5678"}"#,
            "0031612345678",
        ] {
            assert!(person.is_named_in(text), "{text}");
        }
        for text in ["316123456789", "1316123456780", "0612345679", ""] {
            assert!(!person.is_named_in(text), "{text}");
        }
        let lid = named("4711@lid").unwrap();
        assert!(
            lid.is_named_in("done:waha:message:false_4711@lid_3A") && !lid.is_named_in("14711@lid")
        );
    }

    #[test]
    fn payloads_are_read_where_addresses_stand() {
        let person = named("0612345678").unwrap();
        for payload in [
            r#"{"sender":{"id":"4711@lid","phone_number":"+31612345678"}}"#,
            r#"{"sender":{"id":"4711@lid","aliases":["31612345678@c.us"]}}"#,
            r#"{"to":"whatsapp:+31612345678","text":"hoi"}"#,
            r#"{"contact":{"addresses":["tel:+31612345678"]}}"#,
        ] {
            assert!(person.is_in(payload), "{payload}");
        }
        assert!(
            !person
                .is_in(r#"{"sender":{"id":"whatsapp:+31687654321"},"content":"bel 0612345678"}"#)
        );
        assert!(!person.is_in("no json"));
    }

    #[test]
    fn a_notice_about_a_person_is_theirs_whoever_gets_it() {
        let mut person = named("0612345678").unwrap();
        person.learn_notice("notice_1");
        let to_colleague = |notice: &str| {
            format!(r#"{{"to":"whatsapp:+31687654321","in_reply_to":"{notice}:31687654321"}}"#)
        };
        assert!(person.is_in(&to_colleague("notice_1")));
        assert!(!person.is_in(&to_colleague("notice_12")));
    }
}
