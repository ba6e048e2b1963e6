//! Files of backups: SQLite databases that appear whole or not at all, and that nobody else may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::{AnyConnection, Connection as _};

use super::schema::{self, Table};
use super::{CopyError, Counts, count};
use crate::CrmError;
use crate::migrations::MIGRATIONS;
use crate::store::Database;

/// What every SQLite database begins with (<https://sqlite.org/fileformat.html>).
const HEAD: &[u8] = b"SQLite format 3\0";

fn at<T>(file: &Path, done: io::Result<T>) -> Result<T, CopyError> {
    done.map_err(|error| CopyError::File {
        file: file.to_owned(),
        error,
    })
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn url(file: &Path, options: &str) -> String {
    format!("sqlite:{}?{options}", file.display())
}

/// A backup that is being written, beside the file that it becomes.
pub(super) struct MadeBackup {
    file: PathBuf,
    part: PathBuf,
}

impl MadeBackup {
    pub(super) fn begin(file: &Path) -> Result<Self, CopyError> {
        let part = beside(file, ".part");
        for end in ["", "-journal", "-wal", "-shm"] {
            let left = beside(&part, end);
            // What a backup left that was killed.
            if left.exists() {
                at(&left, fs::remove_file(&left))?;
            }
        }
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part);
        at(&part, made)?;
        let file = file.to_owned();
        Ok(Self { file, part })
    }

    /// Lets SQLite write its copy, which is of one moment.
    pub(super) async fn vacuum_into(&self, from: &mut AnyConnection) -> Result<(), CopyError> {
        let part = self.part.display().to_string().replace('\'', "''");
        let vacuum = format!("VACUUM INTO '{part}'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(vacuum))
            .execute(from)
            .await?;
        Ok(())
    }

    /// An empty CRM in the file.
    pub(super) async fn open(&self) -> Result<AnyConnection, CopyError> {
        let mut part = self.connect().await?;
        MIGRATIONS.run(&mut part).await.map_err(CrmError::from)?;
        Ok(part)
    }

    async fn connect(&self) -> Result<AnyConnection, CopyError> {
        Ok(AnyConnection::connect(&url(&self.part, "mode=rw")).await?)
    }

    pub(super) async fn counts(&self, tables: &[Table]) -> Result<Counts, CopyError> {
        let mut part = self.connect().await?;
        let counts = count(&mut part, tables).await?;
        part.close().await?;
        Ok(counts)
    }

    /// Gives the file its name once it is on the disk.
    pub(super) fn finish(self) -> Result<(), CopyError> {
        at(
            &self.part,
            File::open(&self.part).and_then(|part| part.sync_all()),
        )?;
        at(&self.file, fs::rename(&self.part, &self.file))?;
        let folder = self
            .file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        at(
            folder,
            File::open(folder).and_then(|folder| folder.sync_all()),
        )
    }
}

/// A backup that is read.
pub(super) struct Source {
    database: Database,
    /// A copy whose tables were brought up to date; it goes in the end.
    copy: Option<PathBuf>,
}

impl Source {
    pub(super) async fn open(file: &Path) -> Result<Self, CopyError> {
        let mut head = [0; HEAD.len()];
        let read = File::open(file).and_then(|mut file| file.read_exact(&mut head));
        match read {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                return at(file, Err(error));
            }
            Ok(()) if head == HEAD => {}
            _ => return Err(CopyError::NoBackup(file.to_owned())),
        }
        let source = Self {
            database: Database::at(&read_only(file)),
            copy: None,
        };
        let version = schema::version(&mut source.connect().await?).await?;
        match version.cmp(&schema::current()) {
            _ if version == 0 => Err(CopyError::NoBackup(file.to_owned())),
            std::cmp::Ordering::Greater => Err(CopyError::Newer),
            std::cmp::Ordering::Equal => Ok(source),
            std::cmp::Ordering::Less => Self::brought_up_to_date(file).await,
        }
    }

    /// An earlier build's backup is copied first: it stays as it is.
    async fn brought_up_to_date(file: &Path) -> Result<Self, CopyError> {
        let copy = std::env::temp_dir().join(format!(
            "crm-{}-{}.sqlite",
            std::process::id(),
            jiff::Timestamp::now().as_nanosecond()
        ));
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&copy);
        at(&copy, made)?;
        at(&copy, fs::copy(file, &copy).map(drop))?;
        let database = Database::at(&url(&copy, "mode=rw"));
        let source = Self {
            database,
            copy: Some(copy),
        };
        let wal = beside(file, "-wal");
        if let (true, Some(copy)) = (wal.exists(), &source.copy) {
            at(&wal, fs::copy(&wal, beside(copy, "-wal")).map(drop))?;
        }
        let mut connection = source.connect().await?;
        MIGRATIONS
            .run(&mut connection)
            .await
            .map_err(CrmError::from)?;
        Ok(source)
    }

    pub(super) const fn database(&self) -> &Database {
        &self.database
    }

    pub(super) async fn connect(&self) -> Result<AnyConnection, CopyError> {
        sqlx::any::install_default_drivers();
        Ok(AnyConnection::connect(self.database.address()).await?)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            for end in ["", "-wal", "-shm", "-journal"] {
                // What is not there need not go.
                drop(fs::remove_file(beside(copy, end)));
            }
        }
    }
}

/// The folder of a backup may be one that nobody may write to: then SQLite must not look for changes
/// beside the file. Where there are some they count.
fn read_only(file: &Path) -> String {
    if beside(file, "-wal").exists() {
        url(file, "mode=ro")
    } else {
        url(file, "mode=ro&immutable=true")
    }
}

/// A damaged database makes room, and stays for whoever wants to look into it.
pub(super) fn move_aside(url: &str) -> Result<(), CopyError> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let file = Path::new(path.split('?').next().unwrap_or(path));
    for end in ["", "-wal", "-shm"] {
        let from = beside(file, end);
        if from.exists() {
            at(
                &from,
                fs::rename(&from, beside(&beside(file, ".damaged"), end)),
            )?;
        }
    }
    Ok(())
}
