//! Reads a whole feed, element by element.

use std::collections::HashSet;
use std::io::{Cursor, Read};
use std::sync::Arc;

use jiff::Timestamp;

use crate::bounded::{Bounded, Overrun, overrun};
use crate::item::{Interner, Item};
use crate::limits::Limits;
use crate::mapping::{Format, Mapping};
use crate::names::Names;
use crate::node::Node;
use crate::objects::Sought;
use crate::record::Recorder;
use crate::report::{Place, Reason, Report};
use crate::schema::Schema;
use crate::sniff::Kind;
use crate::{elements, objects, rows, sniff};

/// What the domain says of feeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Feeds {
    /// The attributes and words of the stock.
    pub schema: Arc<Schema>,
    /// The catalogues that names are looked up in.
    pub names: Vec<Names>,
    /// The kinds of feeds that are known, tried in this order.
    pub mappings: Vec<Mapping>,
}

/// What was read of a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The records, in the order of the feed.
    pub items: Vec<Item>,
    /// What else became of it.
    pub report: Report,
}

/// Why a feed is not believed as a whole. Nothing of it is used then.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// It has nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is a page for people, with no objects in its scripts.
    #[error("it is a web page, not a feed")]
    WebPage,
    /// No mapping fits.
    #[error("no mapping fits it: {0}")]
    Unknown(String),
    /// It breaks off.
    #[error("it ends early, in {0}")]
    EndsEarly(Place),
    /// It is not written as its format asks for.
    #[error("{place}: {message}")]
    Broken {
        /// Where.
        place: Place,
        /// What is wrong.
        message: String,
    },
    /// One element goes on and on: a quote or an end tag may be missing.
    #[error("{0} is longer than {1} bytes; is a quote or an end missing?")]
    ElementTooLong(Place, u64),
    /// It is longer than a feed may be.
    #[error("it is longer than {0} bytes")]
    TooLong(u64),
    /// Its elements are too deep inside each other.
    #[error("{0} is deeper than {1} levels")]
    TooDeep(Place, usize),
    /// It could not be read further.
    #[error("it could not be read: {0}")]
    Io(#[source] std::io::Error),
}

impl FeedError {
    /// What an error of the reader below means here.
    pub(crate) fn of(error: std::io::Error, place: Place) -> Self {
        match overrun(&error) {
            Some(Overrun::Element(most)) => Self::ElementTooLong(place, most),
            Some(Overrun::Feed(most)) => Self::TooLong(most),
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => Self::EndsEarly(place),
            None => Self::Io(error),
        }
    }
}

/// What takes the elements of a feed.
pub(crate) trait Sink {
    /// An element that could be a thing.
    fn element(&mut self, place: Place, node: Node);
    /// An element that cannot be one.
    fn skip(&mut self, place: Place, reason: Reason);
}

/// How a feed is to be read.
#[derive(Debug, Clone)]
pub struct Reading<'a> {
    /// What the feed is called.
    pub source: &'a str,
    /// The mapping; the first that fits when not set.
    pub mapping: Option<&'a Mapping>,
    /// When it was fetched.
    pub now: Timestamp,
    /// What is read at most.
    pub limits: Limits,
}

impl Feeds {
    /// The mapping of a name.
    #[must_use]
    pub fn mapping(&self, name: &str) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.name == name)
    }

    /// Reads a feed to its end. Elements that cannot be read are told in the report, and stop nothing.
    ///
    /// # Errors
    /// When the feed as a whole is not to be believed.
    pub fn import(&self, input: impl Read, how: &Reading<'_>) -> Result<Import, FeedError> {
        Ok(self.read(input, how, Records::new)?.finish())
    }

    /// Reads what was pushed: single things that are so now, or gone.
    ///
    /// # Errors
    /// When it is no feed of a known kind.
    pub fn pushed(&self, input: impl Read, how: &Reading<'_>) -> Result<Vec<Pushed>, FeedError> {
        Ok(self
            .read(input, how, |recorder| Pushes {
                recorder,
                pushed: Vec::new(),
            })?
            .pushed)
    }

    /// Gives a sink all that is in a feed.
    fn read<'a, S: Sink>(
        &'a self,
        mut input: impl Read,
        how: &'a Reading<'a>,
        sink: impl FnOnce(Recorder<'a>) -> S,
    ) -> Result<S, FeedError> {
        let head = sniff::head(&mut input).map_err(|error| FeedError::of(error, Place::Line(1)))?;
        let kind = sniff::kind(&head)?;
        let mapping = match how.mapping {
            Some(mapping) => mapping,
            None => sniff::choose(&self.mappings, &kind)?,
        };
        let mut sink = sink(Recorder {
            schema: &self.schema,
            names: &self.names,
            mapping,
            source: how.source.into(),
            now: how.now,
            limits: &how.limits,
            interner: Interner::default(),
        });
        let encoding = sniff::encoding(mapping, &head);
        let whole = Cursor::new(head).chain(input);
        let (bounded, meter) = Bounded::new(whole, encoding, how.limits.bytes, how.limits.element);
        let depth = how.limits.depth;
        match &mapping.format {
            Format::Csv {
                delimiter, header, ..
            } => rows::read(bounded, &meter, *delimiter, *header, &mut sink)?,
            Format::Xml { items, .. } => elements::read(bounded, &meter, items, depth, &mut sink)?,
            Format::Json { types, containers } => {
                let sought = Sought {
                    types,
                    containers,
                    depth,
                };
                if kind == Kind::Html {
                    objects::read_page(bounded, sought, &meter, &mut sink)?;
                } else {
                    objects::read(bounded, &meter, sought, &mut sink)?;
                }
            }
        }
        Ok(sink)
    }
}

/// Something that was pushed.
#[derive(Debug, Clone, PartialEq)]
pub enum Pushed {
    /// It is so now.
    Put(Box<Item>),
    /// The thing with this id is gone.
    Remove(String),
    /// It cannot be read.
    Unread(Reason),
}

/// Makes records of elements as they come.
struct Records<'a> {
    recorder: Recorder<'a>,
    seen: HashSet<Box<str>>,
    items: Vec<Item>,
    report: Report,
}

impl<'a> Records<'a> {
    fn new(recorder: Recorder<'a>) -> Self {
        let report = Report {
            mapping: recorder.mapping.name.clone(),
            ..Report::default()
        };
        Self {
            recorder,
            seen: HashSet::new(),
            items: Vec::new(),
            report,
        }
    }

    fn finish(mut self) -> Import {
        self.report.read = self.items.len();
        self.items.shrink_to_fit();
        Import {
            items: self.items,
            report: self.report,
        }
    }

    fn record(&mut self, place: Place, node: &Node) -> Result<Item, Reason> {
        if self.recorder.removes(node) {
            return Err(Reason::Deleted);
        }
        if self.items.len() >= self.recorder.limits.items {
            return Err(Reason::TooMany);
        }
        let mut unread = Vec::new();
        let item = self.recorder.record(node, &mut unread)?;
        if !self.seen.insert(item.id.clone()) {
            return Err(Reason::Duplicate);
        }
        for one in unread {
            self.report.unread(place, &one.field, &one.text);
        }
        Ok(item)
    }
}

impl Sink for Records<'_> {
    fn element(&mut self, place: Place, mut node: Node) {
        self.report.elements += 1;
        node.forget(&self.recorder.schema.private);
        match self.record(place, &node) {
            Ok(item) => self.items.push(item),
            Err(reason) => self.report.skip(place, reason),
        }
    }

    fn skip(&mut self, place: Place, reason: Reason) {
        self.report.elements += 1;
        self.report.skip(place, reason);
    }
}

/// Makes pushes of elements as they come.
struct Pushes<'a> {
    recorder: Recorder<'a>,
    pushed: Vec<Pushed>,
}

impl Sink for Pushes<'_> {
    fn element(&mut self, _: Place, mut node: Node) {
        node.forget(&self.recorder.schema.private);
        let pushed = if self.recorder.removes(&node) {
            self.recorder
                .id(&node)
                .map_or(Pushed::Unread(Reason::NoId), Pushed::Remove)
        } else {
            let record = self.recorder.record(&node, &mut Vec::new());
            record.map_or_else(Pushed::Unread, |item| Pushed::Put(Box::new(item)))
        };
        self.pushed.push(pushed);
    }

    fn skip(&mut self, _: Place, reason: Reason) {
        self.pushed.push(Pushed::Unread(reason));
    }
}
