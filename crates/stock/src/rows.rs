//! Feeds as CSV.

use std::io::Read;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use crate::bounded::Meter;
use crate::feed::{FeedError, Sink};
use crate::node::Node;
use crate::report::{Place, Reason};

/// Gives every row as an element with a part a column, named by the header or counted from 0.
pub(crate) fn read(
    input: impl Read,
    meter: &Meter,
    delimiter: u8,
    header: bool,
    sink: &mut impl Sink,
) -> Result<(), FeedError> {
    let mut builder = ReaderBuilder::new();
    let mut reader = builder
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(input);
    let mut row = ByteRecord::new();
    let mut names: Option<Vec<String>> = None;
    loop {
        meter.begin();
        let line = Place::Line(reader.position().line());
        let read = reader.read_byte_record(&mut row);
        if !read.map_err(|error| told(error, line))? {
            return Ok(());
        }
        let line = Place::Line(row.position().map_or(0, csv::Position::line));
        if header && names.is_none() {
            names = Some(
                row.iter()
                    .map(|name| text(name).trim().to_owned())
                    .collect(),
            );
            continue;
        }
        match &names {
            Some(names) if row.len() > names.len() => sink.skip(line, Reason::Columns),
            names => sink.element(line, element(&row, names.as_deref())),
        }
    }
}

fn element(row: &ByteRecord, names: Option<&[String]>) -> Node {
    let mut node = Node::new("row", "");
    for (at, value) in row
        .iter()
        .enumerate()
        .filter(|(_, value)| !value.is_empty())
    {
        let name = match names {
            Some(names) => names.get(at).cloned().unwrap_or_default(),
            None => at.to_string(),
        };
        node.parts.push(Node {
            name,
            text: text(value),
            parts: Vec::new(),
        });
    }
    node
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn told(error: csv::Error, line: Place) -> FeedError {
    let message = error.to_string();
    match error.into_kind() {
        ErrorKind::Io(error) => FeedError::of(error, line),
        _ => FeedError::Broken {
            place: line,
            message,
        },
    }
}
