use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use deadpool_redis::redis::{Client, cmd};
use tempfile::TempDir;

use crate::{Process, RedisServer, free_port};

/// A master, a replica and three Sentinels that watch them.
#[derive(Debug)]
pub struct SentinelSetup {
    master: RedisServer,
    replica: RedisServer,
    sentinels: Vec<(u16, Process)>,
    _folder: TempDir,
}

/// The name under which the Sentinels know the master.
const MASTER_NAME: &str = "mymaster";

impl SentinelSetup {
    /// Starts everything and waits until the Sentinels know the replica.
    ///
    /// # Panics
    /// When a part does not start.
    pub fn start() -> Self {
        let master = server();
        let replica = server();
        let port = master.port();
        replica.run::<String>(&["REPLICAOF", "127.0.0.1", &port.to_string()]);
        let folder = tempfile::tempdir().expect("a folder");
        let sentinels = (0..3).map(|n| start_sentinel(&folder, n, port)).collect();
        let setup = Self {
            master,
            replica,
            sentinels,
            _folder: folder,
        };
        setup.wait_for("the replica has what the master has", |setup| {
            setup
                .replica
                .run::<String>(&["INFO", "replication"])
                .contains("master_link_status:up")
        });
        setup.wait_for("the Sentinels know the replica", |setup| {
            setup.sentinels.iter().all(|(port, _)| {
                ask(*port, &["SENTINEL", "REPLICAS", MASTER_NAME])
                    .is_some_and(|text| text.contains("127.0.0.1"))
                    && ask(*port, &["SENTINEL", "CKQUORUM", MASTER_NAME])
                        .is_some_and(|text| text.contains("OK 3"))
            })
        });
        setup
    }

    /// `host:port` of each Sentinel, for `REDIS_SENTINELS`.
    pub fn addresses(&self) -> String {
        let addresses: Vec<_> = self
            .sentinels
            .iter()
            .map(|(port, _)| format!("127.0.0.1:{port}"))
            .collect();
        addresses.join(",")
    }

    /// The port of the master that the Sentinels agree on.
    pub fn master_port(&self) -> Option<u16> {
        let (port, _) = self.sentinels.first()?;
        let answer = ask(*port, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME])?;
        answer
            .split('"')
            .filter_map(|part| part.parse().ok())
            .next_back()
    }

    /// The server that listens on `port`.
    ///
    /// # Panics
    /// When none does.
    pub fn server(&self, port: u16) -> &RedisServer {
        [&self.master, &self.replica]
            .into_iter()
            .find(|server| server.port() == port)
            .expect("one of the two servers")
    }

    /// Kills the first master, once the replica has what it has, and waits for the take-over.
    ///
    /// # Panics
    /// When the failover does not happen.
    pub fn fail_over(&mut self) {
        let old = self.master.port();
        self.master.hold_writes();
        self.wait_for("the replica has everything", |setup| {
            setup.master.is_replicated()
        });
        self.master.kill();
        self.wait_for("the replica takes over", |setup| {
            setup.master_port().is_some_and(|port| port != old)
        });
    }

    /// Starts the first master again; the Sentinels make it a replica.
    pub fn bring_back(&mut self) {
        self.master.restart();
    }

    fn wait_for(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !holds(self) {
            assert!(Instant::now() < deadline, "not within a minute: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn server() -> RedisServer {
    let builder = RedisServer::builder().tcp().append_only("always");
    builder.setting("repl-diskless-sync-delay", "0").start()
}

fn start_sentinel(folder: &TempDir, number: u8, master: u16) -> (u16, Process) {
    let port = free_port();
    let file = folder.path().join(format!("sentinel-{number}.conf"));
    let settings = format!(
        "port {port}\ndir {}\nsentinel monitor {MASTER_NAME} 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds {MASTER_NAME} 4000\n\
         sentinel failover-timeout {MASTER_NAME} 5000\n",
        folder.path().display()
    );
    fs::write(&file, settings).expect("a file");
    let mut command = Command::new("redis-server");
    command
        .arg(&file)
        .arg("--sentinel")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    (port, Process::start("redis-sentinel", &mut command))
}

fn ask(port: u16, words: &[&str]) -> Option<String> {
    let mut connection = Client::open(("127.0.0.1", port))
        .ok()?
        .get_connection_with_timeout(Duration::from_secs(1))
        .ok()?;
    let (name, rest) = words.split_first()?;
    let value: deadpool_redis::redis::Value = cmd(name).arg(rest).query(&mut connection).ok()?;
    Some(format!("{value:?}").replace('\'', "\""))
}
