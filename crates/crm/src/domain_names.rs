//! What the worker's domain has, for those who label: told by the worker when it starts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::store::{Crm, CrmError, text};

/// The names of a domain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DomainNames {
    /// The languages that are answered in, the usual one first.
    pub languages: Vec<String>,
    /// Below this confidence an intent is a guess.
    pub threshold: f64,
    /// What a customer may want, in the domain's order.
    pub intents: Vec<String>,
    /// What can be told.
    pub facts: Vec<FactNames>,
}

/// A fact of the domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactNames {
    /// Its name.
    pub name: String,
    /// Example questions, by language.
    pub ask: BTreeMap<String, Vec<String>>,
    /// The other lines of its table, TOML.
    pub rest: String,
}

/// The only row.
const ROW: &str = "domain";

impl Crm {
    /// Tells what the domain has.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tell_domain(&self, names: &DomainNames, now: Timestamp) -> Result<(), CrmError> {
        let names = serde_json::to_string(names).unwrap_or_default();
        let upsert = "INSERT INTO domain_names (id, names, at) VALUES ($1, $2, $3) \
                      ON CONFLICT (id) DO UPDATE SET names = excluded.names, at = excluded.at";
        sqlx::query(upsert)
            .bind(ROW)
            .bind(names)
            .bind(text(now))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What the domain has; none before a worker told it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn domain(&self) -> Result<Option<DomainNames>, CrmError> {
        let select = sqlx::query_scalar("SELECT names FROM domain_names WHERE id = $1").bind(ROW);
        let names: Option<String> = select.fetch_optional(&self.pool).await?;
        Ok(names.and_then(|names| serde_json::from_str(&names).ok()))
    }
}
