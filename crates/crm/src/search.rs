//! Whose name or address has a text in it: what a hundred thousand contacts are searched by.

use sqlx::AssertSqlSafe;

use crate::store::{Crm, CrmError};

/// Digits of a number with its country, at least.
const WHOLE_NUMBER: usize = 10;
/// When so many names and addresses have it, a list is walked from its newest row on, instead of looked up by ids.
const MANY: usize = 500;

/// Who was found.
pub(super) enum Whose {
    /// By their ids.
    Few(Vec<String>),
    /// Too many to name.
    Many(Text),
}

/// A text that is looked for.
pub(super) struct Text {
    /// As it stands within LIKE, with `!` before what LIKE obeys; and in small letters, as LIKE of SQLite folds
    /// those of ASCII alone.
    patterns: [String; 2],
    /// LIKE of SQLite takes small and capital letters for the same; PostgreSQL has a word of its own for that.
    like: &'static str,
    /// Whether it can be part of an address: those have no spaces, and letters only around digits.
    in_addresses: bool,
}

impl Text {
    fn new(text: &str, is_sqlite: bool) -> Self {
        let text = text.trim();
        let pattern = |text: &str| {
            let mut pattern = String::from("%");
            for letter in text.chars() {
                if matches!(letter, '!' | '%' | '_') {
                    pattern.push('!');
                }
                pattern.push(letter);
            }
            pattern + "%"
        };
        let of_address = |c: char| c.is_ascii_digit() || matches!(c, '@' | ':' | '+');
        Self {
            patterns: [pattern(text), pattern(&text.to_lowercase())],
            like: if is_sqlite { "LIKE" } else { "ILIKE" },
            in_addresses: !text.contains(char::is_whitespace) && text.contains(of_address),
        }
    }

    /// The statements for ids of contacts that have it, where `bound` stand for the patterns.
    fn selects(&self, bound: [&str; 2]) -> Vec<String> {
        let has = |column: &str| {
            let has = bound.map(|bound| format!("{column} {} {bound} ESCAPE '!'", self.like));
            format!("({})", has.join(" OR "))
        };
        let names = format!("SELECT id FROM contacts WHERE {}", has("name"));
        let addresses = format!(
            "SELECT contact_id AS id FROM contact_addresses WHERE {}",
            has("address")
        );
        match self.in_addresses {
            true => vec![names, addresses],
            false => vec![names],
        }
    }
}

/// What rows must fulfil, with the values that go along.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    all: Vec<String>,
    pub(super) values: Vec<String>,
}

impl Conditions {
    pub(super) fn add(&mut self, condition: &str) {
        self.all.push(condition.to_owned());
    }

    /// Takes a value along; gives what stands for it.
    pub(super) fn bind(&mut self, value: String) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// The contact of a row, whose id is in `column`, is one of those.
    pub(super) fn are_of(&mut self, whose: &Whose, column: &str) {
        match whose {
            Whose::Few(ids) if ids.is_empty() => self.add("false"),
            Whose::Few(ids) => {
                let ids: Vec<String> = ids.iter().map(|id| self.bind(id.clone())).collect();
                self.add(&format!("{column} IN ({})", ids.join(", ")));
            }
            Whose::Many(text) => {
                let [one, other] = text.patterns.clone().map(|pattern| self.bind(pattern));
                let selects = text.selects([&one, &other]);
                let of_row = |(select, id): (&String, &str)| {
                    format!("EXISTS ({select} AND {id} = {column})")
                };
                let either: Vec<String> = selects
                    .iter()
                    .zip(["contacts.id", "contact_id"])
                    .map(of_row)
                    .collect();
                self.add(&format!("({})", either.join(" OR ")));
            }
        }
    }

    pub(super) fn sql(&self) -> String {
        match self.all.as_slice() {
            [] => "true".to_owned(),
            all => all.join(" AND "),
        }
    }
}

impl Crm {
    /// Who has this in their name or an address. A whole number is looked up, without a look at all others.
    pub(super) async fn search(&self, text: &str) -> Result<Whose, CrmError> {
        let number = text.trim();
        if number.len() >= WHOLE_NUMBER && number.bytes().all(|byte| byte.is_ascii_digit()) {
            let select =
                "SELECT DISTINCT contact_id FROM contact_addresses WHERE address IN ($1, $2)";
            let known = sqlx::query_scalar(select)
                .bind(format!("tel:+{number}"))
                .bind(format!("whatsapp:+{number}"));
            let known: Vec<String> = known.fetch_all(&self.pool).await?;
            if !known.is_empty() {
                return Ok(Whose::Few(known));
            }
        }
        let text = Text::new(text, self.is_sqlite);
        let select = text.selects(["$1", "$2"]).join(" UNION ALL ");
        let select = AssertSqlSafe(format!("{select} LIMIT {MANY}"));
        let [one, other] = text.patterns.clone();
        let ids = sqlx::query_scalar(select).bind(one).bind(other);
        let mut ids: Vec<String> = ids.fetch_all(&self.pool).await?;
        if ids.len() == MANY {
            return Ok(Whose::Many(text));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(Whose::Few(ids))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_in_an_address_is_looked_for_there() {
        for (text, in_addresses) in [
            ("sanne", false),
            ("Klant 12", false),
            ("4711@lid", true),
            ("061234", true),
            ("tel:", true),
        ] {
            assert_eq!(Text::new(text, true).in_addresses, in_addresses, "{text}");
        }
        assert_eq!(
            Text::new(" 50%_!A ", true).patterns,
            ["%50!%!_!!A%", "%50!%!_!!a%"]
        );
    }
}
