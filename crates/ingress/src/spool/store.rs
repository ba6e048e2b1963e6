//! The file: a table from sequence number to webhook.

use std::path::Path;

use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
};

const WEBHOOKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("webhooks");

/// What redb says, as text: nobody acts on its kinds.
type Result<T> = std::result::Result<T, String>;

fn text(error: impl std::error::Error) -> String {
    error.to_string()
}

#[derive(Debug)]
pub(super) struct Store {
    database: Database,
}

impl Store {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(text)?;
        let database = Database::create(folder.join("webhooks.redb")).map_err(text)?;
        let store = Self { database };
        store.append(&[])?;
        Ok(store)
    }

    pub(super) fn len(&self) -> Result<u64> {
        let read = self.database.begin_read().map_err(text)?;
        read.open_table(WEBHOOKS).map_err(text)?.len().map_err(text)
    }

    /// Adds webhooks at the end; they are on disk when this returns.
    pub(super) fn append(&self, webhooks: &[&[u8]]) -> Result<()> {
        let mut write = self.database.begin_write().map_err(text)?;
        write.set_durability(Durability::Immediate).map_err(text)?;
        {
            let mut table = write.open_table(WEBHOOKS).map_err(text)?;
            let last = table
                .last()
                .map_err(text)?
                .map_or(0, |(place, _)| place.value());
            for (place, webhook) in (last + 1..).zip(webhooks) {
                table.insert(place, *webhook).map_err(text)?;
            }
        }
        write.commit().map_err(text)
    }

    pub(super) fn oldest(&self, count: usize) -> Result<Vec<(u64, Vec<u8>)>> {
        let read = self.database.begin_read().map_err(text)?;
        let table = read.open_table(WEBHOOKS).map_err(text)?;
        let rows = table.iter().map_err(text)?.take(count);
        rows.map(|row| {
            row.map(|(place, bytes)| (place.value(), bytes.value().to_vec()))
                .map_err(text)
        })
        .collect()
    }

    pub(super) fn remove(&self, places: &[u64]) -> Result<()> {
        let write = self.database.begin_write().map_err(text)?;
        {
            let mut table = write.open_table(WEBHOOKS).map_err(text)?;
            for place in places {
                table.remove(place).map_err(text)?;
            }
        }
        write.commit().map_err(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_survive_a_restart_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.append(&[b"a", b"b"]).unwrap();
        store.append(&[b"c"]).unwrap();
        store.remove(&[1]).unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        store.append(&[b"d"]).unwrap();
        let all = store.oldest(10).unwrap();
        assert_eq!(
            all,
            [(2, b"b".to_vec()), (3, b"c".to_vec()), (4, b"d".to_vec())]
        );
        assert_eq!(
            (store.len().unwrap(), store.oldest(1).unwrap().len()),
            (3, 1)
        );
    }

    #[test]
    fn two_processes_cannot_share_a_spool() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Store::open(folder.path()).unwrap();
        assert!(Store::open(folder.path()).is_err());
    }
}
