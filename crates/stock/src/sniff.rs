//! What kind of feed it is, from how it begins.

use std::io::{self, Read};

use encoding_rs::{Encoding, UTF_8};

use crate::feed::FeedError;
use crate::mapping::{Format, Mapping};
use crate::words::squash;

/// How much of a feed is looked at.
const HEAD: usize = 32 << 10;

/// The beginning of a feed.
pub(crate) fn head(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    input.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// What a feed looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A page for people; there may be objects in its scripts.
    Html,
    /// Elements, with the outermost one.
    Xml(String),
    Json,
    /// Anything else, with its first line.
    Rows(String),
}

pub(crate) fn kind(head: &[u8]) -> Result<Kind, FeedError> {
    let encoding = Encoding::for_bom(head).map_or(UTF_8, |(encoding, _)| encoding);
    let (text, ..) = encoding.decode(head);
    let text = text.trim_start();
    if text.is_empty() {
        return Err(FeedError::Empty);
    }
    if text.starts_with(['{', '[']) {
        return Ok(Kind::Json);
    }
    if !text.starts_with('<') {
        return Ok(Kind::Rows(
            text.lines().next().unwrap_or_default().to_owned(),
        ));
    }
    let lower = text.to_ascii_lowercase();
    let root = root(text);
    if lower.starts_with("<!doctype html") || root.eq_ignore_ascii_case("html") {
        return Ok(Kind::Html);
    }
    Ok(Kind::Xml(root.to_owned()))
}

/// The name of the outermost element.
fn root(text: &str) -> &str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        if after.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            let end = after
                .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
                .unwrap_or(after.len());
            let name = after.get(..end).unwrap_or_default();
            return name.rsplit(':').next().unwrap_or(name);
        }
        rest = match after.strip_prefix("!--") {
            Some(comment) => comment.split_once("-->").map_or("", |(_, rest)| rest),
            None => after,
        };
    }
    ""
}

/// The first mapping that fits.
pub(crate) fn choose<'a>(mappings: &'a [Mapping], kind: &Kind) -> Result<&'a Mapping, FeedError> {
    let fits = |mapping: &&Mapping| match (&mapping.format, kind) {
        (Format::Json { .. }, Kind::Json | Kind::Html) => true,
        (Format::Xml { roots, .. }, Kind::Xml(root)) => {
            roots.iter().any(|one| one.eq_ignore_ascii_case(root))
        }
        (
            Format::Csv {
                delimiter,
                header,
                columns,
                at_least,
            },
            Kind::Rows(line),
        ) => {
            let found: Vec<String> = line.split(char::from(*delimiter)).map(squash).collect();
            let named = !columns.is_empty() && columns.iter().all(|column| found.contains(column));
            if *header {
                named
            } else {
                *at_least > 0 && found.len() >= *at_least
            }
        }
        _ => false,
    };
    mappings.iter().find(fits).ok_or_else(|| match kind {
        Kind::Html => FeedError::WebPage,
        Kind::Xml(root) => {
            FeedError::Unknown(format!("its outermost element is <{}>", shown(root)))
        }
        Kind::Json => FeedError::Unknown("it is JSON".into()),
        Kind::Rows(line) => FeedError::Unknown(format!("its first line is \"{}\"", shown(line))),
    })
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// The mapping's encoding, or what an XML declaration says, or UTF-8.
pub(crate) fn encoding(mapping: &Mapping, head: &[u8]) -> &'static Encoding {
    let declared = || {
        let text = String::from_utf8_lossy(head.get(..200).unwrap_or(head)).into_owned();
        let rest = text
            .strip_prefix("<?xml")?
            .split_once("?>")?
            .0
            .split_once("encoding")?
            .1
            .to_owned();
        let label = rest
            .trim_start_matches([' ', '='])
            .trim_start_matches(['"', '\'']);
        let end = label.find(['"', '\'']).unwrap_or(label.len());
        Encoding::for_label(label.get(..end)?.as_bytes())
    };
    let own = mapping
        .encoding
        .as_ref()
        .and_then(|label| Encoding::for_label(label.as_bytes()));
    own.or_else(declared).unwrap_or(UTF_8)
}
