//! The steps of the schema, which are part of the program. Listed by hand: what would read the folder when the
//! program is compiled builds sqlx and its drivers a second time.

use std::borrow::Cow;
use std::sync::LazyLock;

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

macro_rules! steps {
    ($($name:literal,)*) => {
        [$(($name, include_str!(concat!("../migrations/", $name, ".sql"))),)*]
    };
}

const STEPS: [(&str, &str); 12] = steps![
    "0001_contacts_and_leads",
    "0002_appointments_and_questions",
    "0003_when_messages_were_wanted",
    "0004_handovers",
    "0005_notices",
    "0006_late_replies",
    "0007_persons",
    "0008_stock",
    "0009_console",
    "0010_labels",
    "0011_sessions_and_passwords",
    "0012_what_pages_look_for",
];

/// Makes the tables, and changes those of earlier versions.
pub(crate) static MIGRATIONS: LazyLock<Migrator> =
    LazyLock::new(|| Migrator::with_migrations(STEPS.iter().filter_map(migration).collect()));

/// `0007_persons` is the seventh, about persons.
fn migration((name, statements): &(&'static str, &'static str)) -> Option<Migration> {
    let (number, about) = name.split_once('_')?;
    let about = Cow::Owned(about.replace('_', " "));
    let statements = SqlStr::from_static(statements);
    let kind = MigrationType::Simple;
    Some(Migration::new(
        number.parse().ok()?,
        about,
        kind,
        statements,
        false,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_step() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let files = std::fs::read_dir(folder).expect("the folder is there");
        let names = files.map(|file| file.expect("it is readable").path());
        let mut names: Vec<_> = names
            .map(|path| path.file_stem().expect("it has a name").to_owned())
            .collect();
        names.sort();
        assert_eq!(names, STEPS.map(|(name, _)| name));
        assert_eq!(MIGRATIONS.iter().count(), names.len());
    }
}
