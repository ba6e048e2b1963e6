//! What the domain says of its stock: which attributes there are, and how feeds' words for them are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::mistake::{Mistake, parse_toml};
use crate::names::Names;
use crate::words::squash;

/// The attributes of the stock, and the words of feeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// By name.
    pub attributes: BTreeMap<Arc<str>, Attribute>,
    /// Elements of feeds that are never read, such as trade prices: `name`, or `name[part=text]`.
    pub private: Vec<Private>,
    /// Words for what is available, reserved and sold, squashed.
    pub(crate) status: FxHashMap<String, Arc<str>>,
    /// A thing that is further from the wish than this is no alternative.
    pub furthest: f32,
    /// How much the price counts, and what of it counts as one whole miss.
    pub price: Weight,
}

/// One attribute of the stock.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// What its values are.
    pub kind: Kind,
    /// How much it counts.
    pub weight: Weight,
    /// Words in options by which a flag is true, squashed.
    pub options: Vec<String>,
    /// Groups of values of which one may stand in for another, squashed.
    pub(crate) alike: Vec<BTreeSet<String>>,
    /// The attribute that its values fix: the make of a model.
    pub under: Option<Arc<str>>,
}

/// What the values of an attribute are.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// One of a few canonical words; squashed words of feeds lead to them.
    Word(FxHashMap<String, Arc<str>>),
    /// A name of the domain's catalogue; names that are not in it stay as they are written.
    Name,
    /// A whole number.
    Number {
        /// What it is counted in: `km`.
        unit: Option<String>,
        /// Units of feeds, squashed, and how much of `unit` one of them is.
        units: FxHashMap<String, f64>,
        /// What is believed; anything else is unknown.
        bounds: (i64, i64),
    },
    /// A calendar year.
    Year {
        /// What is believed.
        bounds: (i64, i64),
    },
    /// A month, kept as `YYYY-MM`.
    Month,
    /// It has it or not.
    Flag,
    /// Any text.
    Text,
}

/// How much a condition counts when things are compared that do not fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight {
    /// What one whole miss adds to the distance.
    pub points: f32,
    /// For numbers: how far beside counts as one whole miss.
    pub slack: f32,
}

/// An element of a feed that is never read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private {
    pub(crate) name: String,
    /// Only when a part of it has this text.
    pub(crate) part: Option<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    private: Vec<String>,
    #[serde(default = "furthest")]
    furthest: f32,
    #[serde(default)]
    status: BTreeMap<String, Vec<String>>,
    price: Option<PriceFile>,
    attributes: BTreeMap<String, AttributeFile>,
}

const fn furthest() -> f32 {
    7.0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    weight: f32,
    slack: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttributeFile {
    kind: KindName,
    #[serde(default = "usual_weight")]
    weight: f32,
    slack: Option<f32>,
    unit: Option<String>,
    #[serde(default)]
    units: BTreeMap<String, f64>,
    bounds: Option<(i64, i64)>,
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    options: Vec<String>,
    #[serde(default)]
    alike: Vec<Vec<String>>,
}

const fn usual_weight() -> f32 {
    3.0
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum KindName {
    Word,
    Name,
    Number,
    Year,
    Month,
    Flag,
    Text,
}

impl Schema {
    /// Reads what a domain says of its stock. `names` are the catalogues of the domain, of which models
    /// fix makes.
    ///
    /// # Errors
    /// What is wrong with it, with the line where that is known.
    pub fn parse(text: &str, names: &[Names]) -> Result<Self, Mistake> {
        let file: File = parse_toml(text)?;
        let mut attributes = BTreeMap::new();
        for (name, one) in file.attributes {
            if RESERVED.contains(&name.as_str()) {
                return Err(Mistake::new(
                    text,
                    &name,
                    format!("`{name}` is a field of every record"),
                ));
            }
            let lower = names.iter().find(|catalogue| *catalogue.lower == *name);
            let known = lower.is_some() || names.iter().any(|catalogue| *catalogue.upper == *name);
            if one.kind == KindName::Name && !known {
                let message = format!("no catalogue of the domain gives `{name}`");
                return Err(Mistake::new(text, &name, message));
            }
            let under = lower.map(|catalogue| Arc::clone(&catalogue.upper));
            attributes.insert(
                Arc::from(name.as_str()),
                attribute(text, &name, one, under)?,
            );
        }
        let status = words(text, "status", &file.status)?;
        if let Some(other) = file
            .status
            .keys()
            .find(|name| crate::Status::parse(name).is_none())
        {
            let message = format!("the status is available, reserved or sold, not `{other}`");
            return Err(Mistake::new(text, other, message));
        }
        let price = file
            .price
            .map_or((6.0, 2000.0), |price| (price.weight, price.slack));
        Ok(Self {
            attributes,
            private: file
                .private
                .iter()
                .map(|element| Private::parse(element))
                .collect(),
            status,
            furthest: file.furthest,
            price: Weight {
                points: price.0,
                slack: price.1,
            },
        })
    }
}

/// What every record has, whatever the domain.
pub(crate) const RESERVED: &[&str] = &[
    "id",
    "title",
    "price",
    "status",
    "url",
    "images",
    "options",
    "text",
    "updated_at",
];

fn attribute(
    text: &str,
    name: &str,
    file: AttributeFile,
    under: Option<Arc<str>>,
) -> Result<Attribute, Mistake> {
    let squashed = |texts: Vec<String>| texts.iter().map(|text| squash(text)).collect();
    let kind = match file.kind {
        KindName::Word if file.words.is_empty() => {
            return Err(Mistake::new(text, name, format!("`{name}` has no words")));
        }
        KindName::Word => Kind::Word(words(text, name, &file.words)?),
        KindName::Name => Kind::Name,
        KindName::Number => {
            let units = file
                .units
                .iter()
                .map(|(unit, factor)| (squash(unit), *factor));
            Kind::Number {
                units: units.collect(),
                bounds: file.bounds.unwrap_or((1, i64::from(i32::MAX))),
                unit: file.unit,
            }
        }
        KindName::Year => Kind::Year {
            bounds: file.bounds.unwrap_or((1900, 2100)),
        },
        KindName::Month => Kind::Month,
        KindName::Flag => Kind::Flag,
        KindName::Text => Kind::Text,
    };
    let weight = Weight {
        points: file.weight,
        slack: file.slack.unwrap_or(1.0).max(1.0),
    };
    let alike = file
        .alike
        .into_iter()
        .map(|group| group.iter().map(|word| squash(word)).collect());
    Ok(Attribute {
        kind,
        weight,
        options: squashed(file.options),
        alike: alike.collect(),
        under,
    })
}

/// Squashed words of feeds with the canonical words that they stand for; these stand for themselves.
fn words(
    text: &str,
    name: &str,
    file: &BTreeMap<String, Vec<String>>,
) -> Result<FxHashMap<String, Arc<str>>, Mistake> {
    let mut words: FxHashMap<String, Arc<str>> = FxHashMap::default();
    for (canonical, forms) in file {
        let canonical: Arc<str> = Arc::from(canonical.as_str());
        for form in forms.iter().map(String::as_str).chain([&*canonical]) {
            let before = words.insert(squash(form), Arc::clone(&canonical));
            if let Some(other) = before.filter(|other| *other != canonical) {
                let message =
                    format!("in `{name}`, `{form}` stands for both `{other}` and `{canonical}`");
                return Err(Mistake::new(text, form, message));
            }
        }
    }
    Ok(words)
}

impl Private {
    fn parse(text: &str) -> Self {
        let inner = text
            .split_once('[')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(']')?)));
        match inner.and_then(|(name, part)| Some((name, part.split_once('=')?))) {
            Some((name, (part, value))) => Self {
                name: name.to_owned(),
                part: Some((part.to_owned(), value.to_owned())),
            },
            None => Self {
                name: text.to_owned(),
                part: None,
            },
        }
    }
}
