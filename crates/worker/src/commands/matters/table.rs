//! Rows on stdout: for a person, a program or a spreadsheet.

use std::io::{self, Write};

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Map, Value};
use shared_types::Masking;

use crate::crm::{Matter, Row};

/// Whom CSV is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Csv {
    /// A spreadsheet.
    Spreadsheet,
    /// A program.
    Raw,
}

impl Csv {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Spreadsheet => "spreadsheet",
            Self::Raw => "raw",
        }
    }
}

/// How rows are written.
pub(super) enum Table {
    Text,
    Json,
    Csv {
        kind: Csv,
        separator: char,
        header: Vec<&'static str>,
    },
}

impl Table {
    pub(super) fn new(matter: Matter, json: bool, csv: Option<Csv>, separator: char) -> Self {
        match csv {
            Some(kind) => {
                let mut header: Vec<_> = matter.columns().iter().map(|(name, _)| *name).collect();
                if matter == Matter::Lead {
                    header.push("fields");
                }
                Self::Csv {
                    kind,
                    separator,
                    header,
                }
            }
            None if json => Self::Json,
            None => Self::Text,
        }
    }

    pub(super) fn head(&self) -> io::Result<()> {
        let Self::Csv {
            kind,
            separator,
            header,
        } = self
        else {
            return Ok(());
        };
        // Spreadsheets take a file without the mark for one in the system's own encoding.
        let mark = if *kind == Csv::Spreadsheet {
            "\u{feff}"
        } else {
            ""
        };
        let cells = header.iter().map(|name| (*name).to_owned());
        write_raw(&format!("{mark}{}", line(*kind, *separator, cells)))
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
            } => write_raw(&line(
                *kind,
                *separator,
                row.iter().map(|(_, value)| plain(value)),
            )),
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

/// A value as the text of a cell; an object as `name=value` with semicolons between.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| format!("{name}={}", plain(value)));
            fields.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

/// A line of CSV (RFC 4180).
fn line(kind: Csv, separator: char, cells: impl Iterator<Item = String>) -> String {
    let cells = cells.map(|text| cell(kind, separator, text));
    cells.collect::<Vec<_>>().join(&separator.to_string()) + "\r\n"
}

/// A cell. Spreadsheets obey what begins like a formula; an apostrophe before it makes it text
/// (owasp.org, CSV Injection).
fn cell(kind: Csv, separator: char, text: String) -> String {
    let obeyed = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let text = if kind == Csv::Spreadsheet && text.trim_start_matches(' ').starts_with(obeyed) {
        format!("'{text}")
    } else {
        text
    };
    if text.contains([separator, '"', '\r', '\n']) || text.starts_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_formula_to_a_spreadsheet_and_nothing_changes_for_a_program() {
        for text in [
            "=HYPERLINK(\"http://x\",\"klik\")",
            "+31612345678",
            "-1",
            "@SUM(A1)",
            "\t=1",
            " =1",
        ] {
            let safe = cell(Csv::Spreadsheet, ',', text.into());
            let unquoted = safe.trim_start_matches('"');
            assert!(unquoted.starts_with('\''), "{safe}");
            let raw = cell(Csv::Raw, ',', text.into());
            assert!(!raw.contains('\''), "{raw}");
        }
        assert_eq!(cell(Csv::Spreadsheet, ',', "Sanne".into()), "Sanne");
    }

    #[test]
    fn cells_are_quoted_as_the_format_says() {
        let cells = ["a", "b,c", "d\"e", "f\r\ng", ""].map(str::to_owned);
        assert_eq!(
            line(Csv::Raw, ',', cells.into_iter()),
            "a,\"b,c\",\"d\"\"e\",\"f\r\ng\",\r\n"
        );
        let cells = ["b,c", "d;e"].map(str::to_owned);
        assert_eq!(line(Csv::Raw, ';', cells.into_iter()), "b,c;\"d;e\"\r\n");
    }
}
