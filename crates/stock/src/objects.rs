//! Feeds as JSON, in a document of their own or in the scripts of a web page.

use std::fmt;
use std::io::{BufReader, Read};

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use crate::bounded::Meter;
use crate::feed::{FeedError, Sink};
use crate::node::Node;
use crate::report::Place;

/// The longest web page that is read, in bytes, and how much of it at once.
const PAGE: usize = 32 << 20;
const PIECE: u64 = 64 << 10;

/// What is looked for in a document.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'a> {
    /// Objects of these types are one thing each; any object in an array when there are none.
    pub(crate) types: &'a [String],
    /// Keys whose objects are looked into.
    pub(crate) containers: &'a [String],
    pub(crate) depth: usize,
}

/// Gives every object that is sought in a document, while it streams.
pub(crate) fn read(
    input: impl Read,
    meter: &Meter,
    sought: Sought<'_>,
    sink: &mut impl Sink,
) -> Result<(), FeedError> {
    let mut elements = 0;
    let mut reader = serde_json::Deserializer::from_reader(BufReader::new(input));
    let search = Search {
        sought,
        level: 0,
        elements: &mut elements,
        meter,
        sink,
    };
    let read = search.deserialize(&mut reader).and_then(|()| reader.end());
    read.map_err(|error| told(error, Place::Element(elements + 1)))
}

/// Gives every object that is sought in the scripts of a web page. Scripts that are no JSON are passed over,
/// unless all of them are.
pub(crate) fn read_page(
    mut input: impl Read,
    sought: Sought<'_>,
    meter: &Meter,
    sink: &mut impl Sink,
) -> Result<(), FeedError> {
    let page = whole(&mut input, meter)?;
    let mut elements = 0;
    let (mut scripts, mut wrong) = (0, None);
    for script in scripts_of(&page) {
        scripts += 1;
        let mut reader = serde_json::Deserializer::from_str(script.trim());
        let search = Search {
            sought,
            level: 0,
            elements: &mut elements,
            meter,
            sink,
        };
        if let Err(error) = search.deserialize(&mut reader) {
            wrong.get_or_insert(error);
        }
    }
    match wrong {
        Some(error) if elements == 0 => Err(told(error, Place::Element(1))),
        None if scripts == 0 => Err(FeedError::WebPage),
        _ => Ok(()),
    }
}

/// A page as one text; no page is read that is longer than [`PAGE`].
fn whole(input: &mut impl Read, meter: &Meter) -> Result<String, FeedError> {
    let mut page = Vec::new();
    loop {
        meter.begin();
        let piece = input.take(PIECE).read_to_end(&mut page);
        match piece.map_err(|error| FeedError::of(error, Place::Element(1)))? {
            0 => return Ok(String::from_utf8_lossy(&page).into_owned()),
            _ if page.len() > PAGE => return Err(FeedError::TooLong(PAGE as u64)),
            _ => {}
        }
    }
}

/// The texts of the scripts with the type of JSON-LD.
fn scripts_of(page: &str) -> impl Iterator<Item = &str> {
    // As long as the page itself: what is found in one is cut from the other.
    let lower = page.to_ascii_lowercase();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + lower.get(at..)?.find("<script")?;
            let open = start + lower.get(start..)?.find('>')? + 1;
            let close = open + lower.get(open..)?.find("</script")?;
            at = close;
            if lower.get(start..open)?.contains("application/ld+json") {
                return page.get(open..close);
            }
        }
    })
}

fn told(error: serde_json::Error, place: Place) -> FeedError {
    if error.is_io() {
        return FeedError::of(error.into(), place);
    }
    if error.is_eof() {
        return FeedError::EndsEarly(place);
    }
    FeedError::Broken {
        place,
        message: error.to_string(),
    }
}

/// Goes through a document in search of objects.
struct Search<'a, S> {
    sought: Sought<'a>,
    level: usize,
    elements: &'a mut usize,
    meter: &'a Meter,
    sink: &'a mut S,
}

impl<S: Sink> Search<'_, S> {
    fn inner(&mut self) -> Search<'_, S> {
        Search {
            sought: self.sought,
            level: self.level + 1,
            elements: self.elements,
            meter: self.meter,
            sink: self.sink,
        }
    }

    fn found(&mut self, node: Node) {
        *self.elements += 1;
        self.sink.element(Place::Element(*self.elements), node);
        self.meter.begin();
    }

    /// What an offer offers is one thing, with the offer as a part of it.
    fn unwrapped(&self, mut node: Node) -> Option<Node> {
        if self.is_sought(&node) {
            return Some(node);
        }
        let at = node
            .parts
            .iter()
            .position(|part| part.name == "itemOffered" && self.is_sought(part))?;
        let mut item = node.parts.swap_remove(at);
        node.name = "offers".into();
        item.parts.push(node);
        Some(item)
    }

    fn is_sought(&self, node: &Node) -> bool {
        let types = self.sought.types;
        types.is_empty() && self.level > 0
            || node.parts.iter().any(|part| {
                let last = part.text.rsplit(['/', '#', ':']).next().unwrap_or_default();
                part.name == "@type" && types.iter().any(|one| one == last)
            })
    }
}

impl<'de, S: Sink> DeserializeSeed<'de> for Search<'_, S> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Search<'_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        too_deep(self.level, self.sought.depth)?;
        while list.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        too_deep(self.level, self.sought.depth)?;
        let mut node = Node::default();
        while let Some(key) = object.next_key::<String>()? {
            let key = plain_key(&key);
            if self
                .sought
                .containers
                .iter()
                .any(|container| container == key)
            {
                object.next_value_seed(self.inner())?;
            } else {
                let below = Below {
                    name: key,
                    level: self.level + 1,
                    depth: self.sought.depth,
                    node: &mut node,
                };
                object.next_value_seed(below)?;
            }
        }
        if let Some(node) = self.unwrapped(node) {
            self.found(node);
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// `schema:name` and `https://schema.org/name` are `name`.
fn plain_key(key: &str) -> &str {
    match key.strip_prefix("schema:") {
        Some(name) => name,
        None if key.starts_with("http") => key.rsplit('/').next().unwrap_or(key),
        None => key,
    }
}

fn too_deep<E: Error>(level: usize, depth: usize) -> Result<(), E> {
    if level > depth {
        Err(E::custom(format_args!("deeper than {depth} levels")))
    } else {
        Ok(())
    }
}

/// Puts a value below a node: an object as a part, a list as several, anything else as a text.
struct Below<'a> {
    name: &'a str,
    level: usize,
    depth: usize,
    node: &'a mut Node,
}

impl Below<'_> {
    fn text(self, text: impl Into<String>) {
        self.node.parts.push(Node::new(self.name, text));
    }
}

impl<'de> DeserializeSeed<'de> for Below<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Below<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        too_deep(self.level, self.depth)?;
        loop {
            let below = Below {
                name: self.name,
                level: self.level + 1,
                depth: self.depth,
                node: self.node,
            };
            if list.next_element_seed(below)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        too_deep(self.level, self.depth)?;
        let mut node = Node::new(self.name, "");
        while let Some(key) = object.next_key::<String>()? {
            if key == "@value" {
                // A value with its type beside it.
                let mut inner = Node::default();
                object.next_value_seed(Below {
                    name: "",
                    level: self.level + 1,
                    depth: self.depth,
                    node: &mut inner,
                })?;
                node.text = inner.parts.into_iter().map(|part| part.text).collect();
                continue;
            }
            object.next_value_seed(Below {
                name: plain_key(&key),
                level: self.level + 1,
                depth: self.depth,
                node: &mut node,
            })?;
        }
        self.node.parts.push(node);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.text(value.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.text(value.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.text(value.to_string());
        Ok(())
    }

    /// With two digits: three behind a point could be thousands to who reads texts.
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.text(format!("{value:.2}"));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.text(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
