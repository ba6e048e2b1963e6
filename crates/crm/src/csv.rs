//! Lists as CSV: for a program, or for a spreadsheet. Pure.

use clap::ValueEnum;
use serde_json::Value;

use crate::{Matter, Row};

/// Whom CSV is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Csv {
    /// A spreadsheet.
    Spreadsheet,
    /// A program.
    Raw,
}

impl Csv {
    /// As the command line has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spreadsheet => "spreadsheet",
            Self::Raw => "raw",
        }
    }
}

/// The line that names the columns of a list.
#[must_use]
pub fn head(kind: Csv, separator: char, matter: Matter) -> String {
    let columns = matter.columns().iter().map(|(name, _)| *name);
    let fields = (matter == Matter::Lead).then_some("fields");
    let names = columns.chain(fields).map(str::to_owned);
    // Spreadsheets take a file without the mark for one in the system's own encoding.
    let mark = match kind {
        Csv::Spreadsheet => "\u{feff}",
        Csv::Raw => "",
    };
    format!("{mark}{}", line(kind, separator, names))
}

/// The line of a row.
#[must_use]
pub fn row(kind: Csv, separator: char, row: &Row) -> String {
    line(kind, separator, row.iter().map(|(_, value)| plain(value)))
}

/// A value as the text of a cell; an object as `name=value` with semicolons between.
#[must_use]
pub fn plain(value: &Value) -> String {
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
