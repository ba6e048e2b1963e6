//! Rows on stdout: for a person, a program or a spreadsheet.

use std::io::{self, Write};

use crm::csv::{self, Csv, plain};
use crm::{Matter, Row};
use jiff::Timestamp;
use serde_json::{Map, Value};
use shared_types::Masking;

/// How rows are written.
pub(super) enum Table {
    Text,
    Json,
    Csv {
        kind: Csv,
        separator: char,
        matter: Matter,
    },
}

impl Table {
    pub(super) fn new(matter: Matter, json: bool, csv: Option<Csv>, separator: char) -> Self {
        match csv {
            Some(kind) => Self::Csv {
                kind,
                separator,
                matter,
            },
            None if json => Self::Json,
            None => Self::Text,
        }
    }

    pub(super) fn head(&self) -> io::Result<()> {
        match self {
            Self::Csv {
                kind,
                separator,
                matter,
            } => write_raw(&csv::head(*kind, *separator, *matter)),
            _ => Ok(()),
        }
    }

    pub(super) fn row(&self, row: &Row) -> io::Result<()> {
        match self {
            Self::Text => runtime::print(&sentence(row, Timestamp::now())),
            Self::Json => {
                let whole: Map<String, Value> = row
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()))
                    .collect();
                runtime::print(&Value::Object(whole))
            }
            Self::Csv {
                kind, separator, ..
            } => write_raw(&csv::row(*kind, *separator, row)),
        }
    }

    pub(super) fn foot(&self, count: usize) -> io::Result<()> {
        match self {
            Self::Text => runtime::print(&format!("{count} shown")),
            _ => Ok(()),
        }
    }
}

/// A closed pipe, as after `| head`, is no error.
fn write_raw(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// A line for a person: id, status, age, what it is about, whose it is; numbers masked.
fn sentence(row: &Row, now: Timestamp) -> String {
    let get = |name: &str| {
        let value = row.iter().find(|(column, _)| *column == name);
        value.map_or_else(String::new, |(_, value)| plain(value))
    };
    let about = [
        "priority", "reason", "intent", "purpose", "thing", "date", "time", "fields",
    ];
    let about = about
        .map(get)
        .into_iter()
        .filter(|text| !text.is_empty() && text != "normal");
    let about = about.collect::<Vec<_>>().join(" ");
    let owner = match get("owner") {
        owner if owner.is_empty() => "nobody".to_owned(),
        owner => owner,
    };
    let age = get("created_at").parse().ok();
    let age = age.map_or_else(String::new, |created: Timestamp| {
        runtime::age(now.as_millisecond() - created.as_millisecond())
    });
    let conversation = get("conversation");
    let words: String = get("last_words").chars().take(80).collect();
    format!(
        "{:<26} {:<9} {age:>7}  {about}  {}  {}  {owner}  {}",
        get("id"),
        get("status"),
        get("name"),
        Masking::On.show(&conversation),
        Masking::On.show(&words.replace(['\n', '\r'], " ")),
    )
}
