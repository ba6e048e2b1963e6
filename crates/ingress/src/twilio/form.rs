//! Reads a form-encoded body without losing a byte that was signed.

use std::borrow::Cow;

/// A decoded name and its value.
pub(crate) type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// The parameters of a request in wire order, decoded but neither trimmed nor normalised.
///
/// Values are bytes: what was signed is signed, whether or not it is UTF-8.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params<'a> {
    pairs: Vec<Pair<'a>>,
    malformed: bool,
}

/// Why a parameter cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamError {
    /// Given more than once with different values.
    Repeated,
    /// Not UTF-8.
    NotUtf8,
}

impl<'a> Params<'a> {
    /// More parameters than this are not read: Twilio sends a few dozen.
    pub const MAX: usize = 1_000;

    /// Decodes `application/x-www-form-urlencoded`. A `%` that no two hexadecimal digits follow
    /// stays as it is and marks the body as malformed. None when there are too many parameters.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let separators = body.iter().filter(|byte| **byte == b'&').count();
        let mut params = Self {
            pairs: Vec::with_capacity(separators.min(Self::MAX) + 1),
            malformed: false,
        };
        for pair in body
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            if params.pairs.len() == Self::MAX {
                return None;
            }
            let equals = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = match equals {
                Some(at) => (
                    pair.get(..at).unwrap_or_default(),
                    pair.get(at + 1..).unwrap_or_default(),
                ),
                None => (pair, &[][..]),
            };
            let name = params.decode(name);
            let value = params.decode(value);
            params.pairs.push((name, value));
        }
        Some(params)
    }

    /// The members of a JSON object as parameters: texts as they are, other scalars as JSON writes
    /// them.
    pub fn from_json(object: &serde_json::Map<String, serde_json::Value>) -> Params<'static> {
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            serde_json::Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        };
        let pair = |(name, value): (&String, &serde_json::Value)| {
            Some((
                Cow::Owned(name.clone().into_bytes()),
                Cow::Owned(text(value)?.into_bytes()),
            ))
        };
        Params {
            pairs: object.iter().filter_map(pair).collect(),
            malformed: false,
        }
    }

    /// Whether a percent sign was not followed by two hexadecimal digits.
    pub const fn is_malformed(&self) -> bool {
        self.malformed
    }

    /// The pairs in signing order: names in byte order, each with its distinct values in byte order
    /// (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>).
    pub fn in_signing_order(&self) -> Vec<(&[u8], &[u8])> {
        let mut sorted: Vec<_> = self
            .pairs
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
            .collect();
        sorted.sort_unstable();
        sorted.dedup();
        sorted
    }

    /// The names in wire order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.pairs.iter().map(|(name, _)| name.as_ref())
    }

    /// The value of a parameter; none when it is missing or empty.
    ///
    /// # Errors
    /// When it is given with different values, or is not UTF-8.
    pub fn get(&self, name: &str) -> Result<Option<&str>, ParamError> {
        let mut values = self
            .pairs
            .iter()
            .filter(|(key, _)| key.as_ref() == name.as_bytes());
        let Some((_, first)) = values.next() else {
            return Ok(None);
        };
        if values.any(|(_, other)| other != first) {
            return Err(ParamError::Repeated);
        }
        let text = std::str::from_utf8(first).map_err(|_| ParamError::NotUtf8)?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    fn decode(&mut self, raw: &'a [u8]) -> Cow<'a, [u8]> {
        let special = |bytes: &[u8]| bytes.iter().position(|byte| matches!(byte, b'%' | b'+'));
        let mut rest = raw;
        let Some(mut at) = special(rest) else {
            return Cow::Borrowed(raw);
        };
        let mut decoded = Vec::with_capacity(raw.len());
        loop {
            let (plain, coded) = rest.split_at(at);
            decoded.extend_from_slice(plain);
            let (byte, read) = self.decode_one(coded);
            decoded.push(byte);
            rest = coded.get(read..).unwrap_or_default();
            match special(rest) {
                Some(next) => at = next,
                None => break,
            }
        }
        decoded.extend_from_slice(rest);
        Cow::Owned(decoded)
    }

    /// What a plus or percent sign stands for, and how many bytes that takes up.
    fn decode_one(&mut self, coded: &[u8]) -> (u8, usize) {
        if coded.first() == Some(&b'+') {
            return (b' ', 1);
        }
        match coded.get(1..3).and_then(hex_byte) {
            Some(value) => (value, 3),
            None => {
                self.malformed = true;
                (b'%', 1)
            }
        }
    }
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let mut value = 0;
    for digit in digits {
        value = value * 16 + char::from(*digit).to_digit(16)?;
    }
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decoding_keeps_every_byte() {
        let params =
            Params::parse(b"From=whatsapp%3A%2B31&Body=a+b%26c%3D%C3%A9&Empty=&Bare&&").unwrap();
        assert_eq!(params.get("From"), Ok(Some("whatsapp:+31")));
        assert_eq!(params.get("Body"), Ok(Some("a b&c=é")));
        assert_eq!(params.get("Empty"), Ok(None));
        assert_eq!(params.get("Bare"), Ok(None));
        assert_eq!(params.in_signing_order().len(), 4);
        assert!(!params.is_malformed());
    }

    #[test]
    fn bad_percent_signs_stay_and_are_noticed() {
        let params = Params::parse(b"Body=100%25+%zz+%4").unwrap();
        assert_eq!(params.get("Body"), Ok(Some("100% %zz %4")));
        assert!(params.is_malformed());
    }

    #[test]
    fn repeated_parameters_count_once_when_equal_and_are_refused_when_not() {
        let params = Params::parse(b"a=1&a=1&b=1&b=2&c=%ff").unwrap();
        assert_eq!(params.get("a"), Ok(Some("1")));
        assert_eq!(params.get("b"), Err(ParamError::Repeated));
        assert_eq!(params.get("c"), Err(ParamError::NotUtf8));
        assert_eq!(params.in_signing_order().len(), 4);
    }

    #[test]
    fn a_flood_of_parameters_is_not_read() {
        assert!(Params::parse("a&".repeat(10_000).as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(params) = Params::parse(&body) {
                for (name, _) in params.in_signing_order() {
                    if let Ok(name) = std::str::from_utf8(name) {
                        prop_assert_ne!(params.get(name), Ok(Some("")));
                    }
                }
            }
        }

        #[test]
        fn what_is_encoded_is_what_is_read(text in any::<String>()) {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let body = format!("Body={encoded}");
            let params = Params::parse(body.as_bytes()).unwrap();
            prop_assert_eq!(params.get("Body").unwrap().unwrap_or_default(), text);
        }
    }
}
