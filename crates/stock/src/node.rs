//! An element of a feed as a small tree: what XML, JSON and CSV have in common.

use crate::schema::Private;

/// A named text with parts. Attributes of XML are parts with `@` before their name; a row of CSV has one
/// part a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) parts: Vec<Node>,
}

impl Node {
    pub(crate) fn new(name: &str, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            text: text.into(),
            parts: Vec::new(),
        }
    }

    /// Removes what must never be read, at any depth.
    pub(crate) fn forget(&mut self, private: &[Private]) {
        self.parts
            .retain(|part| !private.iter().any(|one| part.is(one)));
        self.parts.iter_mut().for_each(|part| part.forget(private));
    }

    fn is(&self, private: &Private) -> bool {
        is_called(self, &private.name)
            && private
                .part
                .as_ref()
                .is_none_or(|(name, text)| self.has(name, text))
    }

    /// Whether a part, or an attribute, of this name has this text.
    fn has(&self, name: &str, text: &str) -> bool {
        let named = |part: &&Self| part.name.trim_start_matches('@').eq_ignore_ascii_case(name);
        self.parts
            .iter()
            .filter(named)
            .any(|part| part.text.trim().eq_ignore_ascii_case(text))
    }

    /// All nodes at a path, in order.
    pub(crate) fn at<'a>(&'a self, path: &[Step]) -> Vec<&'a Self> {
        let mut found = vec![self];
        for step in path {
            let inner = found.into_iter().flat_map(|node| node.parts.iter());
            found = inner.filter(|part| step.takes(part)).collect();
        }
        found
    }
}

/// One step of a path: `price[type=public]`; `*` is any name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    name: String,
    part: Option<(String, String)>,
}

impl Step {
    /// The steps of `prices/price[type=public]/value`.
    pub(crate) fn path(text: &str) -> Vec<Self> {
        let steps = text.split('/').map(|step| {
            let inner = step
                .split_once('[')
                .and_then(|(name, rest)| Some((name, rest.strip_suffix(']')?)));
            match inner.and_then(|(name, part)| Some((name, part.split_once('=')?))) {
                Some((name, (part, value))) => Self {
                    name: name.to_owned(),
                    part: Some((part.to_owned(), value.to_owned())),
                },
                None => Self {
                    name: step.to_owned(),
                    part: None,
                },
            }
        });
        steps.collect()
    }

    fn takes(&self, node: &Node) -> bool {
        (self.name == "*" || is_called(node, &self.name))
            && self
                .part
                .as_ref()
                .is_none_or(|(name, text)| node.has(name, text))
    }
}

fn is_called(node: &Node, name: &str) -> bool {
    node.name.eq_ignore_ascii_case(name)
}
