use std::process::Command;
use std::time::{Duration, Instant};

use crate::RedisServer;

/// A Redis Cluster: three masters with a replica each.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

const MASTERS: usize = 3;

impl RedisCluster {
    /// Starts six nodes and waits until all of them see a whole cluster.
    ///
    /// # Panics
    /// When a node does not start or the cluster does not form.
    pub fn start() -> Self {
        let node = |_| {
            RedisServer::builder()
                .tcp()
                .append_only("always")
                .setting("cluster-enabled", "yes")
                .setting("cluster-node-timeout", "2000")
                .setting("repl-diskless-sync-delay", "0")
                .start()
        };
        let cluster = Self {
            nodes: (0..MASTERS * 2).map(node).collect(),
        };
        let mut command = Command::new("redis-cli");
        command
            .args(["--cluster", "create"])
            .args(cluster.addresses());
        let formed = command
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output();
        let formed = formed.expect("redis-cli is installed");
        assert!(
            formed.status.success(),
            "{}",
            String::from_utf8_lossy(&formed.stdout)
        );
        cluster.wait_for("a whole cluster", |cluster| {
            cluster.nodes.iter().all(|node| {
                let nodes: String = node.run(&["CLUSTER", "NODES"]);
                healthy(node) && nodes.matches("slave").count() == MASTERS && synced(node)
            })
        });
        cluster
    }

    /// `host:port` of every node.
    pub fn addresses(&self) -> Vec<String> {
        self.nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()))
            .collect()
    }

    /// The node with this index, as started; the first three are the first masters.
    ///
    /// # Panics
    /// When there is none.
    pub fn node(&self, index: usize) -> &RedisServer {
        &self.nodes[index]
    }

    /// Kills a master, once its replica has what it has, and waits until that one has taken over
    /// everywhere.
    ///
    /// # Panics
    /// When that does not happen.
    pub fn fail_over(&mut self, index: usize) {
        self.nodes[index].hold_writes();
        self.wait_for("the replica has everything", |cluster| {
            cluster.nodes[index].is_replicated()
        });
        self.nodes[index].kill();
        self.wait_for("the replica takes over", |cluster| {
            let mut alive = cluster
                .nodes
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index);
            alive.all(|(_, node)| {
                let nodes: String = node.run(&["CLUSTER", "NODES"]);
                let masters = nodes
                    .lines()
                    .filter(|line| line.contains("master") && !line.contains("fail"));
                healthy(node) && masters.count() == MASTERS
            })
        });
    }

    /// Starts a killed node again.
    ///
    /// # Panics
    /// When it does not start.
    pub fn bring_back(&mut self, index: usize) {
        self.nodes[index].restart();
    }

    fn wait_for(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !holds(self) {
            assert!(Instant::now() < deadline, "not within a minute: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn healthy(node: &RedisServer) -> bool {
    let info: String = node.run(&["CLUSTER", "INFO"]);
    info.contains("cluster_state:ok")
}

/// A replica that never had its master's data cannot take over.
fn synced(node: &RedisServer) -> bool {
    let info: String = node.run(&["INFO", "replication"]);
    info.contains("role:master") || info.contains("master_link_status:up")
}
