//! Reads JSON field by field: what is odd is left out and named, and refuses nothing else. Pure.

use std::cell::RefCell;
use std::collections::BTreeSet;

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

    pub(crate) fn flag(self, name: &'static str) -> bool {
        self.read(name, Value::as_bool) == Some(true)
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
    }
}
