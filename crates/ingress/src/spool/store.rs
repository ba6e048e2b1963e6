//! The file: a table from sequence number to webhook.
//!
//! After an error of the disk the database refuses all further work, so it is closed then and must
//! be opened again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
    TableError,
};

const WEBHOOKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("webhooks");
/// Holds nothing but for a moment: whether the disk takes a webhook.
const PROBE: TableDefinition<'_, (), &[u8]> = TableDefinition::new("probe");
/// As much as the largest body.
const PROBE_BYTES: usize = 1024 * 1024;
/// As much as tells whether the disk takes anything.
const CHECK_BYTES: usize = 4096;

/// What redb says, as text: nobody acts on its kinds.
type Result<T> = std::result::Result<T, String>;

fn text(error: impl std::error::Error) -> String {
    error.to_string()
}

#[derive(Debug)]
pub(super) struct Store {
    file: PathBuf,
    /// None after an error.
    database: RwLock<Option<Database>>,
    /// False from an error until a probe shows that the disk takes webhooks again.
    writable: AtomicBool,
    /// Webhooks on disk that were not drained yet.
    waiting: AtomicU64,
    /// Up to here they were drained, whether or not they could be removed.
    drained_to: AtomicU64,
    /// Drained, but still on disk.
    litter: AtomicU64,
}

impl Store {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(text)?;
        let store = Self {
            file: folder.join("webhooks.redb"),
            database: RwLock::new(None),
            writable: AtomicBool::new(false),
            waiting: AtomicU64::new(0),
            drained_to: AtomicU64::new(0),
            litter: AtomicU64::new(0),
        };
        store.reopen()?;
        store.probe()?;
        Ok(store)
    }

    /// Opens the file again if it was closed; it may be that it can only be read.
    pub(super) fn reopen(&self) -> Result<()> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if database.is_some() {
            return Ok(());
        }
        let opened = Database::create(&self.file).map_err(text)?;
        let drained_to = self.drained_to.load(Ordering::Acquire);
        let (mut litter, mut all) = (0, 0);
        match opened.begin_read().map_err(text)?.open_table(WEBHOOKS) {
            Ok(table) => {
                litter = table.range(..=drained_to).map_err(text)?.count() as u64;
                all = table.len().map_err(text)?;
            }
            // A new file.
            Err(TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(text(error)),
        }
        self.litter.store(litter, Ordering::Release);
        self.waiting.store(all - litter, Ordering::Release);
        *database = Some(opened);
        Ok(())
    }

    /// Whether the disk takes webhooks, as far as is known.
    pub(super) fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Acquire)
    }

    /// Webhooks that were not drained yet.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Acquire)
    }

    /// Whether webhooks lie on disk that were drained already.
    pub(super) fn has_litter(&self) -> bool {
        self.litter.load(Ordering::Acquire) > 0
    }

    /// Works on the open database, and closes it when that fails.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T>) -> Result<T> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let open = database
            .as_ref()
            .ok_or("closed after an error of the disk")?;
        let done = work(open);
        drop(database);
        if done.is_err() {
            self.writable.store(false, Ordering::Release);
            *self
                .database
                .write()
                .unwrap_or_else(PoisonError::into_inner) = None;
        }
        done
    }

    /// Adds webhooks at the end; they are on disk when this returns.
    pub(super) fn append(&self, webhooks: &[&[u8]]) -> Result<()> {
        if !self.is_writable() {
            return Err("the disk failed, and was not found to work again yet".to_owned());
        }
        self.with(|database| {
            let mut write = database.begin_write().map_err(text)?;
            write.set_durability(Durability::Immediate).map_err(text)?;
            {
                let mut table = write.open_table(WEBHOOKS).map_err(text)?;
                let last = table.last().map_err(text)?;
                let last = last.map_or(0, |(place, _)| place.value());
                // A place is never given twice: what was drained is known by it.
                let last = last.max(self.drained_to.load(Ordering::Acquire));
                for (place, webhook) in (last + 1..).zip(webhooks) {
                    table.insert(place, *webhook).map_err(text)?;
                }
            }
            write.commit().map_err(text)?;
            let added = webhooks.len() as u64;
            self.waiting.fetch_add(added, Ordering::AcqRel);
            Ok(())
        })
    }

    /// The oldest webhooks that were not drained yet, with their places.
    pub(super) fn oldest(&self, count: usize) -> Result<Vec<(u64, Vec<u8>)>> {
        self.with(|database| {
            let read = database.begin_read().map_err(text)?;
            let table = read.open_table(WEBHOOKS).map_err(text)?;
            let after = self.drained_to.load(Ordering::Acquire) + 1;
            let rows = table.range(after..).map_err(text)?.take(count);
            rows.map(|row| {
                row.map(|(place, bytes)| (place.value(), bytes.value().to_vec()))
                    .map_err(text)
            })
            .collect()
        })
    }

    /// Notes that the oldest `count` webhooks, up to this place, were drained. They never come up
    /// again, also when the disk does not let them be removed.
    pub(super) fn drained(&self, to: u64, count: u64) {
        self.drained_to.store(to, Ordering::Release);
        self.litter.fetch_add(count, Ordering::AcqRel);
        self.waiting.fetch_sub(count, Ordering::AcqRel);
    }

    /// Removes what was drained.
    pub(super) fn clean(&self) -> Result<()> {
        let drained_to = self.drained_to.load(Ordering::Acquire);
        self.with(|database| {
            let write = database.begin_write().map_err(text)?;
            {
                let mut table = write.open_table(WEBHOOKS).map_err(text)?;
                table.retain_in(..=drained_to, |_, _| false).map_err(text)?;
            }
            write.commit().map_err(text)?;
            self.litter.store(0, Ordering::Release);
            Ok(())
        })
    }

    /// Finds out whether the disk takes a webhook. Makes the tables too.
    pub(super) fn probe(&self) -> Result<()> {
        self.probe_with(PROBE_BYTES)
    }

    /// Finds out whether the disk still takes anything while nothing has to be written.
    pub(super) fn check(&self) -> Result<()> {
        self.probe_with(CHECK_BYTES)
    }

    /// Where it lies.
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
    }

    fn probe_with(&self, bytes: usize) -> Result<()> {
        let probe = vec![0x5a; bytes];
        self.with(|database| {
            for fill in [true, false] {
                let mut write = database.begin_write().map_err(text)?;
                write.set_durability(Durability::Immediate).map_err(text)?;
                {
                    write.open_table(WEBHOOKS).map_err(text)?;
                    let mut table = write.open_table(PROBE).map_err(text)?;
                    if fill {
                        table.insert((), probe.as_slice()).map_err(text)?;
                    } else {
                        table.remove(()).map_err(text)?;
                    }
                }
                write.commit().map_err(text)?;
            }
            self.writable.store(true, Ordering::Release);
            Ok(())
        })
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
        store.drained(1, 1);
        store.clean().unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        store.append(&[b"d"]).unwrap();
        let all = store.oldest(10).unwrap();
        assert_eq!(
            all,
            [(2, b"b".to_vec()), (3, b"c".to_vec()), (4, b"d".to_vec())]
        );
        assert_eq!((store.waiting(), store.oldest(1).unwrap().len()), (3, 1));
    }

    #[test]
    fn what_was_drained_never_comes_up_again_whatever_the_disk_does() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.append(&[b"a", b"b"]).unwrap();
        store.drained(2, 2);
        // The disk fails before they are removed.
        assert!(store.with(|_| Err::<(), _>("no space".to_owned())).is_err());
        assert!(!store.is_writable() && store.clean().is_err());
        store.reopen().unwrap();
        assert!(store.append(&[b"x"]).is_err(), "not before a probe");
        store.probe().unwrap();
        assert_eq!((store.waiting(), store.has_litter()), (0, true));
        store.append(&[b"c"]).unwrap();
        store.clean().unwrap();
        assert_eq!(store.oldest(10).unwrap(), [(3, b"c".to_vec())]);
        store.drained(3, 1);
        store.clean().unwrap();
        store.append(&[b"d"]).unwrap();
        assert_eq!(store.oldest(10).unwrap(), [(4, b"d".to_vec())]);
    }

    #[test]
    fn two_processes_cannot_share_a_spool() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Store::open(folder.path()).unwrap();
        assert!(Store::open(folder.path()).is_err());
    }
}
