//! What became of a feed.

use std::collections::BTreeMap;
use std::fmt;

/// What was read of a feed, what was not, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The mapping by which it was read.
    pub mapping: String,
    /// Elements or rows that could have been a thing each.
    pub elements: usize,
    /// Those that are records now.
    pub read: usize,
    /// The others, counted by reason.
    pub skipped: BTreeMap<Reason, usize>,
    /// Where the first of those stand.
    pub places: Vec<(Place, Reason)>,
    /// Values that were there and could not be read, by field.
    pub unread: BTreeMap<String, Unread>,
}

/// Values of one field that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// How many.
    pub count: usize,
    /// Where the first stands.
    pub place: Place,
    /// Its text, cut.
    pub text: String,
}

/// Where something stands in a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of text, counted from 1.
    Line(u64),
    /// An element that could have been a thing, counted from 1.
    Element(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Element(element) => write!(f, "element {element}"),
        }
    }
}

/// Why an element is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    /// Nothing to tell it apart by.
    #[error("no id")]
    NoId,
    /// Nothing to call it by.
    #[error("no name: neither a title nor a make")]
    NoTitle,
    /// An earlier element has the same id; that one stays.
    #[error("the id of an earlier one")]
    Duplicate,
    /// It asks for its own removal.
    #[error("marked as deleted")]
    Deleted,
    /// It has other columns than the header.
    #[error("more columns than the header")]
    Columns,
    /// There are more than a stock may have.
    #[error("beyond the most that are kept")]
    TooMany,
}

/// The most places that are kept.
const PLACES: usize = 1000;
/// The longest text that is shown of a value that could not be read.
const SHOWN: usize = 40;

impl Report {
    pub(crate) fn skip(&mut self, place: Place, reason: Reason) {
        *self.skipped.entry(reason).or_default() += 1;
        if self.places.len() < PLACES {
            self.places.push((place, reason));
        }
    }

    pub(crate) fn unread(&mut self, place: Place, field: &str, text: &str) {
        let text: String = text
            .chars()
            .take(SHOWN)
            .filter(|c| !c.is_control())
            .collect();
        let first = Unread {
            count: 0,
            place,
            text,
        };
        self.unread.entry(field.to_owned()).or_insert(first).count += 1;
    }
}
