use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::{Process, free_port};

/// A PostgreSQL server of its own: own process, own folder, gone when dropped.
#[derive(Debug)]
pub struct PostgresServer {
    process: Process,
    folder: TempDir,
    port: u16,
}

impl PostgresServer {
    /// Makes a cluster and starts its server. It may take a moment until it takes connections.
    ///
    /// # Panics
    /// When PostgreSQL is not installed.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("postgres-").tempdir();
        let folder = folder.expect("a folder");
        give_away(folder.path());
        let data = folder.path().join("data");
        let mut initdb = program("initdb");
        initdb.arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]);
        let made = initdb.stdout(Stdio::null()).status();
        assert!(
            made.is_ok_and(|status| status.success()),
            "initdb made no cluster"
        );
        let port = free_port();
        Self {
            process: spawn(&data, port),
            folder,
            port,
        }
    }

    /// The database's URL.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends the server at once, as a power cut would.
    pub fn kill(&mut self) {
        self.process.signal("QUIT");
        self.process.wait();
    }

    /// Starts it again with the same data and port.
    pub fn restart(&mut self) {
        self.process = spawn(&self.folder.path().join("data"), self.port);
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.process.is_running() {
            self.kill();
        }
    }
}

fn spawn(data: &Path, port: u16) -> Process {
    let mut postgres = program("postgres");
    postgres
        .arg("-D")
        .arg(data)
        .args(["-p", &port.to_string(), "-c", "fsync=off"])
        .args(["-c", "listen_addresses=127.0.0.1"])
        .args(["-c", "unix_socket_directories="])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Process::start("postgres", &mut postgres)
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package has made.
fn program(name: &str) -> Command {
    let path = installed(name);
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
        .arg(path);
    command
}

fn give_away(folder: &Path) {
    if is_root() {
        let given = Command::new("chown").arg("postgres:").arg(folder).status();
        assert!(
            given.is_ok_and(|status| status.success()),
            "there is no user postgres"
        );
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id is there");
    id.stdout == b"0\n"
}

/// Debian keeps the server's programs out of the path, in a folder for each version.
fn installed(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut found: Vec<PathBuf> = versions
        .flatten()
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}
