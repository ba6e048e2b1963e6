//! Feeds as XML.

use std::io::{BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::bounded::Meter;
use crate::feed::{FeedError, Sink};
use crate::node::Node;
use crate::report::Place;

/// Gives every element of one of the names in `items` with all that is in it. Prefixes of namespaces fall
/// away; entities of a DTD are not expanded.
pub(crate) fn read(
    input: impl Read,
    meter: &Meter,
    items: &[String],
    depth: usize,
    sink: &mut impl Sink,
) -> Result<(), FeedError> {
    let mut reader = Reader::from_reader(BufReader::new(input));
    let mut buffer = Vec::new();
    let mut walk = Walk {
        items,
        depth,
        open: Vec::new(),
        outside: 0,
        elements: 0,
    };
    loop {
        buffer.clear();
        if walk.open.is_empty() {
            meter.begin();
        }
        let event = reader.read_event_into(&mut buffer);
        let place = Place::Element(walk.elements + usize::from(walk.open.is_empty()));
        match event.map_err(|error| told(error, place))? {
            Event::Start(start) => walk.start(&start, place)?,
            Event::Empty(start) => {
                walk.start(&start, place)?;
                walk.end(sink);
            }
            Event::End(_) => walk.end(sink),
            Event::Text(text) => walk.text(&String::from_utf8_lossy(&text)),
            Event::CData(text) => walk.text(&String::from_utf8_lossy(&text)),
            Event::GeneralRef(reference) => walk.text(&character(&reference)),
            Event::Eof if walk.open.is_empty() && walk.outside == 0 => return Ok(()),
            Event::Eof => return Err(FeedError::EndsEarly(place)),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// The elements that are open.
struct Walk<'a> {
    items: &'a [String],
    depth: usize,
    /// From an item inwards.
    open: Vec<Node>,
    /// Around it.
    outside: usize,
    elements: usize,
}

impl Walk<'_> {
    fn start(&mut self, start: &BytesStart<'_>, place: Place) -> Result<(), FeedError> {
        let name = String::from_utf8_lossy(start.local_name().into_inner()).into_owned();
        if self.open.is_empty()
            && !self
                .items
                .iter()
                .any(|item| item.eq_ignore_ascii_case(&name))
        {
            self.outside += 1;
        } else {
            self.elements += usize::from(self.open.is_empty());
            let mut node = Node::new(&name, "");
            for attribute in start.attributes().flatten() {
                let key =
                    String::from_utf8_lossy(attribute.key.local_name().into_inner()).into_owned();
                let raw = String::from_utf8_lossy(&attribute.value).into_owned();
                let value = quick_xml::escape::unescape(&raw)
                    .map_or(raw.clone(), std::borrow::Cow::into_owned);
                node.parts.push(Node::new(&format!("@{key}"), value));
            }
            self.open.push(node);
        }
        if self.outside + self.open.len() > self.depth {
            return Err(FeedError::TooDeep(place, self.depth));
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut impl Sink) {
        let Some(node) = self.open.pop() else {
            self.outside = self.outside.saturating_sub(1);
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.parts.push(node),
            None => sink.element(Place::Element(self.elements), node),
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(node) = self.open.last_mut() {
            node.text.push_str(text);
        }
    }
}

/// The character that a reference stands for; one of a DTD stands for nothing.
fn character(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    let name = String::from_utf8_lossy(reference).into_owned();
    quick_xml::escape::resolve_predefined_entity(&name)
        .unwrap_or(" ")
        .to_owned()
}

fn told(error: quick_xml::Error, place: Place) -> FeedError {
    match error {
        quick_xml::Error::Io(error) => match std::sync::Arc::try_unwrap(error) {
            Ok(error) => FeedError::of(error, place),
            Err(error) => {
                FeedError::of(std::io::Error::new(error.kind(), error.to_string()), place)
            }
        },
        quick_xml::Error::Syntax(quick_xml::errors::SyntaxError::UnclosedTag) => {
            FeedError::EndsEarly(place)
        }
        other => FeedError::Broken {
            place,
            message: other.to_string(),
        },
    }
}
