//! Reads JSON field by field: what is odd is left out and named, and refuses nothing else. Pure.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

/// The names of the fields that could not be read.
#[derive(Debug, Default)]
pub(crate) struct Unread(RefCell<BTreeSet<&'static str>>);

impl Unread {
    pub(crate) fn note(&self, name: &'static str) {
        self.0.borrow_mut().insert(name);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0
            .borrow()
            .iter()
            .map(|&name| name.to_owned())
            .collect()
    }
}

/// A time in seconds or milliseconds since 1970, or written out.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    const FIRST_OF_MS: f64 = 100_000_000_000.0;
    if let Some(text) = value.as_str()
        && let Ok(at) = text.parse()
    {
        return Some(at);
    }
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    let ms = if number < FIRST_OF_MS {
        number * 1_000.0
    } else {
        number
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a time out of range is no time"
    )]
    Timestamp::from_millisecond(ms as i64).ok()
}

/// An object of a payload.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    value: &'a Value,
    unread: &'a Unread,
}

impl<'a> Fields<'a> {
    pub(crate) const fn of(value: &'a Value, unread: &'a Unread) -> Self {
        Self { value, unread }
    }

    /// The value as it is; none when it is missing or null.
    pub(crate) fn raw(self, name: &str) -> Option<&'a Value> {
        self.value.get(name).filter(|value| !value.is_null())
    }

    /// What `read` makes of a field; a field that is there and cannot be read is named.
    pub(crate) fn read<T>(
        self,
        name: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let found = self.raw(name)?;
        let value = read(found);
        if value.is_none() {
            self.unread.note(name);
        }
        value
    }

    pub(crate) fn text(self, name: &'static str) -> Option<&'a str> {
        self.read(name, Value::as_str)
    }

    /// Somebody's words: a text, also one that is written as a number.
    pub(crate) fn words(self, name: &'static str) -> Cow<'a, str> {
        let words = self.read(name, |value| match value {
            Value::String(text) => Some(Cow::from(text)),
            Value::Number(number) => Some(Cow::from(number.to_string())),
            _ => None,
        });
        words.unwrap_or_default()
    }

    /// A number, also one that is written as a text.
    pub(crate) fn number(self, name: &'static str) -> Option<f64> {
        self.read(name, |value| match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        })
        .filter(|number: &f64| number.is_finite())
    }

    /// A whole number from 0, also one that is written as a text.
    pub(crate) fn whole(self, name: &'static str) -> Option<u64> {
        self.read(name, |value| match value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64(),
        })
    }

    /// A flag, also one that is written as a text.
    pub(crate) fn flag(self, name: &'static str) -> bool {
        let flag = self.read(name, |value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_bool(),
        });
        flag == Some(true)
    }

    pub(crate) fn object(self, name: &'static str) -> Option<Self> {
        let value = self.read(name, |value| value.is_object().then_some(value))?;
        Some(Self { value, ..self })
    }

    /// The items of a list; none when it is missing.
    pub(crate) fn list(self, name: &'static str) -> &'a [Value] {
        self.read(name, Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The same for a value within this one.
    pub(crate) const fn within(self, value: &'a Value) -> Self {
        Self { value, ..self }
    }

    pub(crate) const fn value(self) -> &'a Value {
        self.value
    }

    /// Names a field that was there and said nothing usable.
    pub(crate) fn note(self, name: &'static str) {
        self.unread.note(name);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_odd_is_left_out_and_named() {
        let unread = Unread::default();
        let value = json!({
            "a": "text", "b": 5, "c": "52.1", "d": null, "e": {"f": true}, "g": [1], "h": "yes",
        });
        let fields = Fields::of(&value, &unread);
        assert_eq!(fields.text("a"), Some("text"));
        assert_eq!(
            (fields.number("b"), fields.number("c")),
            (Some(5.0), Some(52.1))
        );
        assert_eq!((fields.text("d"), fields.text("z")), (None, None));
        assert!(fields.object("e").unwrap().flag("f"));
        assert_eq!(fields.list("g").len(), 1);
        assert!(unread.is_empty());
        assert_eq!(fields.text("b"), None);
        assert!(!fields.flag("h"));
        assert!(fields.object("a").is_none());
        assert_eq!(unread.names(), ["a", "b", "h"]);
        assert_eq!(
            (fields.words("a"), fields.words("b")),
            ("text".into(), "5".into())
        );
    }

    #[test]
    fn a_time_is_one_however_it_is_written() {
        let at = "2026-11-29T09:38:20Z".parse().ok();
        for value in [
            json!(1_795_945_100),
            json!(1_795_945_100_000_i64),
            json!("1795945100"),
            json!("1795945100000"),
            json!("2026-11-29T09:38:20Z"),
        ] {
            assert_eq!(time(&value), at, "{value}");
        }
        assert_eq!(time(&json!("soon")), None);
    }
}
