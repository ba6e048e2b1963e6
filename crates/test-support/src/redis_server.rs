use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use deadpool_redis::redis::{Client, Connection, FromRedisValue, Value, cmd};
use tempfile::TempDir;

use crate::{Process, free_port};

/// A redis-server of its own: own process, own folder, gone when dropped.
#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    folder: TempDir,
    builder: RedisBuilder,
}

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub struct RedisBuilder {
    port: Option<u16>,
    settings: Vec<String>,
}

/// A long append-only file takes its time on a loaded machine.
const START_PATIENCE: Duration = Duration::from_secs(120);

impl RedisBuilder {
    /// Listens on TCP as well as on its unix socket.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.port = Some(free_port());
        self
    }

    /// Writes every command to the append-only file; `fsync` is `always` or `everysec`.
    #[must_use]
    pub fn append_only(self, fsync: &str) -> Self {
        self.setting("appendonly", "yes")
            .setting("appendfsync", fsync)
    }

    /// Any other setting of redis.conf.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings
            .extend([format!("--{name}"), value.to_owned()]);
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    /// When redis-server is not installed or does not answer.
    pub fn start(self) -> RedisServer {
        let folder = tempfile::Builder::new()
            .prefix("redis-")
            .tempdir()
            .expect("a folder");
        let process = self.spawn(folder.path());
        let mut server = RedisServer {
            process,
            folder,
            builder: self,
        };
        server.wait_until_up();
        server
    }

    fn spawn(&self, folder: &Path) -> Process {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.unwrap_or(0).to_string()]);
        command.arg("--unixsocket").arg(folder.join("redis.sock"));
        command.arg("--dir").arg(folder).args(["--save", ""]);
        let log = File::create(log_of(folder)).expect("a log file");
        let errors = log.try_clone().expect("a log file");
        command.args(&self.settings).stdout(log).stderr(errors);
        Process::start("redis-server", &mut command)
    }
}

impl RedisServer {
    /// A server with nothing special: unix socket only, nothing on disk.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A server with settings.
    pub fn builder() -> RedisBuilder {
        RedisBuilder::default()
    }

    /// The URL: TCP where the server listens on it, else the unix socket.
    pub fn url(&self) -> String {
        match self.builder.port {
            Some(port) => format!("redis://127.0.0.1:{port}"),
            None => format!("unix://{}", self.socket().display()),
        }
    }

    /// The TCP port.
    ///
    /// # Panics
    /// When the server was started without one.
    pub fn port(&self) -> u16 {
        self.builder
            .port
            .expect("the server listens on its unix socket only")
    }

    /// A connection for looking into the server from a test.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn connection(&self) -> Connection {
        let url = format!("unix://{}", self.socket().display());
        Client::open(url)
            .expect("a url")
            .get_connection()
            .expect("redis-server answers")
    }

    /// Runs one command.
    ///
    /// # Panics
    /// When the server refuses it or answers in another shape.
    pub fn run<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let (name, rest) = words.split_first().expect("a command");
        let answer = cmd(name).arg(rest).query(&mut self.connection());
        answer.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Every key with all that it holds, a key a line.
    pub fn dump(&self) -> String {
        let keys: Vec<String> = self.run(&["KEYS", "*"]);
        let line = |key: &String| {
            let read: &[&str] = match self.run::<String>(&["TYPE", key]).as_str() {
                "hash" => &["HGETALL", key],
                "list" => &["LRANGE", key, "0", "-1"],
                "set" => &["SMEMBERS", key],
                "zset" => &["ZRANGE", key, "0", "-1"],
                "stream" => &["XRANGE", key, "-", "+"],
                _ => &["GET", key],
            };
            format!("{key} {:?}\n", self.run::<Value>(read))
        };
        keys.iter().map(line).collect()
    }

    /// Whether this master's replicas have everything that it has.
    pub fn is_replicated(&self) -> bool {
        let info: String = self.run(&["INFO", "replication"]);
        let value = |name: &str| {
            let mut parts = info.split([',', '\r', '\n', ':']);
            parts.find_map(|part| part.strip_prefix(name)?.parse::<u64>().ok())
        };
        let own = info
            .lines()
            .find_map(|line| line.strip_prefix("master_repl_offset:"));
        let own = own.and_then(|offset| offset.trim().parse::<u64>().ok());
        own.is_some() && value("offset=") == own
    }

    /// Lets no write through until the server ends, so that its replicas can catch up for good.
    pub fn hold_writes(&self) {
        self.run::<()>(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    }

    /// Ends the server at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again over the same folder.
    pub fn restart(&mut self) {
        self.process = self.builder.spawn(self.folder.path());
        self.wait_until_up();
    }

    /// The process, for signals.
    pub fn process(&self) -> &Process {
        &self.process
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    fn log(&self) -> String {
        fs::read_to_string(log_of(self.folder.path())).unwrap_or_default()
    }

    fn wait_until_up(&mut self) {
        let deadline = Instant::now() + START_PATIENCE;
        while !self.answers() {
            let running = self.process.is_running();
            assert!(running, "redis-server ended at its start: {}", self.log());
            let patient = Instant::now() < deadline;
            assert!(patient, "redis-server did not start: {}", self.log());
            sleep(Duration::from_millis(5));
        }
    }

    fn answers(&self) -> bool {
        let reachable = UnixStream::connect(self.socket()).is_ok()
            && self
                .builder
                .port
                .is_none_or(|port| TcpStream::connect(("127.0.0.1", port)).is_ok());
        let url = format!("unix://{}", self.socket().display());
        let ping = || cmd("PING").query::<String>(&mut Client::open(url)?.get_connection()?);
        reachable && ping().is_ok()
    }
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join("redis.log")
}
