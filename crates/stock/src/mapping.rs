//! A mapping: how a feed is written, and where in it the fields of a record stand.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::mistake::{Mistake, parse_toml};
use crate::node::Step;
use crate::numbers::Locale;
use crate::schema::{RESERVED, Schema};
use crate::words::squash;

/// How one kind of feed is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// By which it is chosen.
    pub name: String,
    /// How the feed is written.
    pub format: Format,
    /// The label of its encoding; UTF-8, or what the feed itself says, when not set.
    pub encoding: Option<String>,
    pub(crate) numbers: Locale,
    /// What is sought for each field, in this order.
    pub(crate) fields: BTreeMap<String, Vec<Rule>>,
}

/// How a feed is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Rows of columns.
    Csv {
        /// Between columns.
        delimiter: u8,
        /// Whether the first row names the columns; else they are counted from 0.
        header: bool,
        /// By which the mapping is recognised: columns that the header has, squashed.
        columns: Vec<String>,
        /// By which one without a header is recognised: how many columns it has at least.
        at_least: usize,
    },
    /// Elements.
    Xml {
        /// By which the mapping is recognised: the outermost element.
        roots: Vec<String>,
        /// The elements that are one thing each.
        items: Vec<String>,
    },
    /// Objects, also inside the scripts of a web page.
    Json {
        /// Objects of these types (`@type`) are one thing each.
        types: Vec<String>,
        /// Keys whose objects are looked into for such objects.
        containers: Vec<String>,
    },
}

/// One place where a field may stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rule {
    pub(crate) from: Vec<Vec<Step>>,
    /// All of `from` together are the text.
    pub(crate) join: bool,
    /// A text holds several, with this between.
    pub(crate) split: Option<String>,
    /// Squashed words of this feed.
    pub(crate) words: FxHashMap<String, String>,
    pub(crate) unit: Option<String>,
    pub(crate) unit_from: Option<Vec<Step>>,
    pub(crate) numbers: Option<Locale>,
    /// Only a name of the catalogue counts.
    pub(crate) known: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    format: FormatName,
    delimiter: Option<String>,
    encoding: Option<String>,
    #[serde(default = "yes")]
    header: bool,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    at_least: usize,
    #[serde(default)]
    roots: Vec<String>,
    #[serde(default)]
    items: Vec<String>,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    containers: Vec<String>,
    #[serde(default)]
    numbers: Locale,
    fields: BTreeMap<String, OneOrMany<RuleFile>>,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum FormatName {
    Csv,
    Xml,
    Json,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Place {
    Column(usize),
    Path(String),
}

impl Place {
    fn steps(&self) -> Vec<Step> {
        match self {
            Self::Column(at) => Step::path(&at.to_string()),
            Self::Path(path) => Step::path(path),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RuleFile {
    Place(Place),
    Rule(RuleTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    from: OneOrMany<Place>,
    #[serde(default)]
    join: bool,
    split: Option<String>,
    #[serde(default)]
    words: BTreeMap<String, String>,
    unit: Option<String>,
    unit_from: Option<Place>,
    numbers: Option<Locale>,
    #[serde(default)]
    known: bool,
}

impl From<RuleFile> for Rule {
    fn from(file: RuleFile) -> Self {
        match file {
            RuleFile::Place(place) => Self {
                from: vec![place.steps()],
                ..Self::default()
            },
            RuleFile::Rule(rule) => Self {
                from: rule.from.into_vec().iter().map(Place::steps).collect(),
                join: rule.join,
                split: rule.split,
                words: rule
                    .words
                    .into_iter()
                    .map(|(word, to)| (squash(&word), to))
                    .collect(),
                unit: rule.unit,
                unit_from: rule.unit_from.map(|place| place.steps()),
                numbers: rule.numbers,
                known: rule.known,
            },
        }
    }
}

/// A field that is no part of the record: what a pushed element asks for.
pub(crate) const ACTION: &str = "action";

impl Mapping {
    /// Reads a mapping file for the attributes of a domain.
    ///
    /// # Errors
    /// What is wrong with it, with the line where that is known.
    pub fn parse(text: &str, schema: &Schema) -> Result<Self, Mistake> {
        let file: File = parse_toml(text)?;
        for field in file.fields.keys() {
            let known = RESERVED.contains(&field.as_str())
                || field == ACTION
                || schema.attributes.contains_key(&**field);
            if !known {
                let message =
                    format!("`{field}` is no field of a record and no attribute of the domain");
                return Err(Mistake::new(text, field, message));
            }
        }
        if !file.fields.contains_key("id") {
            return Err(Mistake {
                line: 1,
                message: "no field `id`: without it nothing is told apart".into(),
            });
        }
        if let Some(label) = &file.encoding
            && encoding_rs::Encoding::for_label(label.as_bytes()).is_none()
        {
            return Err(Mistake::new(
                text,
                "encoding",
                format!("`{label}` is no known encoding"),
            ));
        }
        let fields = file.fields.into_iter().map(|(field, rules)| {
            (
                field,
                rules.into_vec().into_iter().map(Rule::from).collect(),
            )
        });
        let fields = fields.collect();
        let format = match file.format {
            FormatName::Csv => Format::Csv {
                delimiter: delimiter(text, file.delimiter.as_deref())?,
                header: file.header,
                columns: file.columns.iter().map(|column| squash(column)).collect(),
                at_least: file.at_least,
            },
            FormatName::Xml if file.items.is_empty() => {
                return Err(Mistake {
                    line: 1,
                    message: "`items` must name the elements that are one thing each".into(),
                });
            }
            FormatName::Xml => Format::Xml {
                roots: file.roots,
                items: file.items,
            },
            FormatName::Json => Format::Json {
                types: file.types,
                containers: file.containers,
            },
        };
        Ok(Self {
            name: file.name,
            format,
            encoding: file.encoding,
            numbers: file.numbers,
            fields,
        })
    }

    /// The mapping of a CSV file whose header has the fields' own names: `id`, `title`, `price` and the
    /// attributes of the domain. Several pictures or options stand in one column with `|` between.
    #[must_use]
    pub fn own(schema: &Schema) -> Self {
        let attributes = schema.attributes.keys().map(|name| &**name);
        let names: BTreeSet<&str> = RESERVED.iter().copied().chain(attributes).collect();
        let rule = |name: &str| Rule {
            from: vec![Step::path(name)],
            split: matches!(name, "images" | "options").then(|| "|".to_owned()),
            ..Rule::default()
        };
        Self {
            name: "own".into(),
            format: Format::Csv {
                delimiter: b',',
                header: true,
                columns: vec!["id".into(), "title".into()],
                at_least: 0,
            },
            encoding: None,
            numbers: Locale::Plain,
            fields: names
                .into_iter()
                .map(|name| (name.to_owned(), vec![rule(name)]))
                .collect(),
        }
    }
}

fn delimiter(text: &str, delimiter: Option<&str>) -> Result<u8, Mistake> {
    match delimiter.map(str::as_bytes) {
        None => Ok(b','),
        Some([byte]) => Ok(*byte),
        Some(_) => Err(Mistake::new(
            text,
            "delimiter",
            "`delimiter` must be one sign".into(),
        )),
    }
}
