//! Many rows in one statement. They go along as one JSON array of arrays: a statement has the same text
//! for any number of rows, so that it is prepared once.

use serde::Serialize;
use sqlx::any::{Any, AnyArguments, AnyRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

/// What a statement has where its rows belong: a table `r` with one column, `value`. A field of the row
/// is `r.value ->> 0` on both databases.
const ROWS: &str = "{rows}";

fn text(connection: &AnyConnection, statement: &str) -> String {
    let rows = match connection.backend_name() {
        "SQLite" => "json_each($1) AS r",
        _ => "json_array_elements(CAST($1 AS json)) AS r(value)",
    };
    statement.replace(ROWS, rows)
}

fn json(rows: &impl Serialize) -> sqlx::Result<String> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// A statement of ours over these rows.
pub(super) fn over(
    connection: &AnyConnection,
    statement: &'static str,
    rows: &impl Serialize,
) -> sqlx::Result<Query<'static, Any, AnyArguments>> {
    let statement = sqlx::query(AssertSqlSafe(text(connection, statement)));
    Ok(statement.bind(json(rows)?))
}

/// A statement of ours over these rows that answers with rows.
pub(super) fn found<O>(
    connection: &AnyConnection,
    statement: &'static str,
    rows: &impl Serialize,
) -> sqlx::Result<QueryAs<'static, Any, O, AnyArguments>>
where
    O: for<'r> FromRow<'r, AnyRow>,
{
    let statement = sqlx::query_as(AssertSqlSafe(text(connection, statement)));
    Ok(statement.bind(json(rows)?))
}
