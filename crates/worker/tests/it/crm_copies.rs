//! `worker crm`: backups, restores and the way to PostgreSQL, also when somebody is killed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crm::CrmWrite;
use futures_util::future::join_all;
use test_support::PostgresServer;

use crate::database::{Database, write};

fn of(number: usize) -> CrmWrite {
    let mut write = write(&format!("M{number}"), "2026-11-23T09:00:00Z");
    let phone = format!("+3161{number:07}");
    write.contact.addresses = vec![format!("whatsapp:{phone}"), format!("tel:{phone}")];
    write.lead.as_mut().unwrap().conversation = format!("whatsapp:{phone}");
    write
}

async fn contacts(database: &Database, numbers: std::ops::Range<usize>) {
    let writes: Vec<_> = numbers.map(of).collect();
    for noted in join_all(writes.iter().map(|write| database.crm.apply(write))).await {
        noted.unwrap();
    }
}

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

fn worker(words: &[&str], crm: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    command
        .arg("crm")
        .args(words)
        .env_clear()
        .env("CRM_DATABASE_URL", crm);
    command
}

fn done(words: &[&str], crm: &str) -> String {
    let output = worker(words, crm).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(words: &[&str], crm: &str) -> String {
    let output: Output = worker(words, crm).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The three files as a worker leaves them that is killed: what it wrote last is in the log alone.
fn as_killed(live: &Path, folder: &Path) -> PathBuf {
    let left = folder.join("left.sqlite");
    for end in ["", "-wal", "-shm"] {
        let name = |file: &Path| PathBuf::from(format!("{}{end}", file.display()));
        std::fs::copy(name(live), name(&left)).unwrap();
    }
    left
}

async fn count(url: &str) -> i64 {
    Database::open(url.to_owned()).await.count("contacts").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_worker_left_is_not_read_over_a_restored_backup() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("crm.sqlite");
    let database = Database::open(url(&live) + "?mode=rwc").await;
    contacts(&database, 0..5).await;
    let backup = folder.path().join("backup.sqlite");
    let file = backup.to_str().unwrap();
    let said = done(&["backup", file], &url(&live));
    assert!(
        said.contains("5 contacts") && said.contains("5 lead_fields"),
        "{said}"
    );
    assert!(refused(&["backup", file], &url(&live)).contains("--replace"));
    use std::os::unix::fs::PermissionsExt;
    let mode = backup.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "customers are in it");
    contacts(&database, 5..12).await;
    let left = as_killed(&live, folder.path());
    assert!(refused(&["restore", file], &url(&left)).contains("--yes"));
    done(&["restore", "--yes", file], &url(&left));
    assert_eq!(count(&url(&left)).await, 5);
    assert_eq!(count(&url(&live)).await, 12, "the other one is another one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_killed_changes_nothing_and_may_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.sqlite");
    let database = Database::open(url(&large) + "?mode=rwc").await;
    contacts(&database, 0..3_000).await;
    let backup = folder.path().join("backup.sqlite");
    done(&["backup", backup.to_str().unwrap()], &url(&large));
    let live = folder.path().join("crm.sqlite");
    contacts(&Database::open(url(&live) + "?mode=rwc").await, 0..12).await;
    let mut killed = 0;
    for pause in (0..).map(|step| Duration::from_millis(10 + step * 25)) {
        let words = ["restore", "--yes", backup.to_str().unwrap()];
        let mut restore = worker(&words, &url(&live))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(pause);
        restore.kill().unwrap();
        let ended = restore.wait().unwrap();
        match count(&url(&live)).await {
            12 if !ended.success() => killed += 1,
            3_000 => break,
            other => panic!("{other} contacts after {pause:?}: {ended}"),
        }
    }
    assert!(killed > 1, "it was killed in its middle");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_moves_to_postgresql_and_back_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lite = folder.path().join("crm.sqlite");
    let database = Database::open(url(&lite) + "?mode=rwc").await;
    contacts(&database, 0..1_500).await;
    let server = PostgresServer::start();
    let postgres = server.url();
    Database::open(postgres.clone()).await;
    let from = url(&lite);
    let words = ["migrate", "--from", &from, "--to", &postgres];
    for pause in (0..).map(|step| Duration::from_millis(10 + step * 25)) {
        let mut migrate = worker(&words, "").stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(pause);
        migrate.kill().unwrap();
        let ended = migrate.wait().unwrap();
        match count(&postgres).await {
            0 if !ended.success() => {}
            1_500 => break,
            other => panic!("{other} contacts after {pause:?}: {ended}"),
        }
    }
    let said = refused(&words, "");
    assert!(
        said.contains("holds") && said.contains("--replace"),
        "{said}"
    );
    let backup = folder.path().join("backup.sqlite");
    let backup = backup.to_str().unwrap();
    done(&["backup", backup], &postgres);
    let other = url(&folder.path().join("other.sqlite"));
    done(&["restore", backup], &other);
    done(&["restore", "--yes", backup], &postgres);
    let (here, there) = (Database::open(other).await, Database::open(postgres).await);
    for table in [
        "contacts",
        "contact_addresses",
        "leads",
        "lead_fields",
        "watermarks",
    ] {
        let original = database.count(table).await;
        assert_eq!(
            (here.count(table).await, there.count(table).await),
            (original, original),
            "{table}"
        );
    }
    let name = "SELECT string_agg(id || created_at || updated_at || coalesce(opted_out_at, '-'), ',' ORDER BY id) FROM contacts";
    let lite = name.replace("string_agg", "group_concat");
    assert_eq!(
        database.texts(lite).await,
        there.texts(name.to_owned()).await
    );
}

#[tokio::test]
async fn what_is_no_backup_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let crm = url(&folder.path().join("crm.sqlite"));
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "geen database, maar wel lang genoeg").unwrap();
    for (file, why) in [
        (text.to_str().unwrap(), "is no backup"),
        ("/nowhere/b.sqlite", "No such file"),
    ] {
        let said = refused(&["restore", "--yes", file], &crm);
        assert!(said.contains(why), "{said}");
    }
    let (typo, backup) = (
        folder.path().join("cmr.sqlite"),
        folder.path().join("b.sqlite"),
    );
    let said = refused(&["backup", backup.to_str().unwrap()], &url(&typo));
    assert!(said.contains("cannot be opened"), "{said}");
    assert!(
        !typo.exists() && !backup.exists(),
        "no CRM is made by a backup"
    );
    let damaged = folder.path().join("damaged.sqlite");
    std::fs::write(&damaged, vec![7; 8192]).unwrap();
    let good = folder.path().join("good.sqlite");
    contacts(&Database::open(url(&good) + "?mode=rwc").await, 0..3).await;
    let backup = folder.path().join("backup.sqlite");
    done(&["backup", backup.to_str().unwrap()], &url(&good));
    done(&["restore", backup.to_str().unwrap()], &url(&damaged));
    assert_eq!(count(&url(&damaged)).await, 3);
    assert!(folder.path().join("damaged.sqlite.damaged").exists());
}
