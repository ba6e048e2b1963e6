//! How to reach Redis: one clap struct that every service flattens into its own.

mod rules;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo,
};
use secrecy::{ExposeSecret, SecretString};

use crate::PartitionCount;

/// Where Redis is. A single node unless Sentinels or cluster nodes are named.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Redis")]
pub struct RedisConfig {
    /// URL of a single Redis node; wins over host and port. TLS with `rediss://`.
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<SecretString>,

    /// Host of a single Redis node.
    #[arg(long, env = "REDIS_HOST", default_value = "127.0.0.1")]
    pub redis_host: String,

    /// Port of a single Redis node.
    #[arg(long, env = "REDIS_PORT", default_value_t = 6379)]
    pub redis_port: u16,

    /// User name at the Sentinels, where it differs from Redis'.
    #[arg(long, env = "REDIS_SENTINEL_USERNAME")]
    pub redis_sentinel_username: Option<String>,

    /// Password of the Sentinels.
    #[arg(long, env = "REDIS_SENTINEL_PASSWORD", hide_env_values = true)]
    pub redis_sentinel_password: Option<SecretString>,

    /// User name, with REDIS_HOST, Sentinel or a cluster.
    #[arg(long, env = "REDIS_USERNAME")]
    pub redis_username: Option<String>,

    /// Password, with REDIS_HOST, Sentinel or a cluster.
    #[arg(long, env = "REDIS_PASSWORD", hide_env_values = true)]
    pub redis_password: Option<SecretString>,

    /// Sentinels as `host:port,host:port`; the master is asked from them.
    #[arg(
        long,
        env = "REDIS_SENTINELS",
        value_delimiter = ',',
        value_name = "HOST:PORT"
    )]
    pub redis_sentinels: Vec<String>,

    /// Name of the master that the Sentinels watch.
    #[arg(long, env = "REDIS_SENTINEL_MASTER", default_value = "mymaster")]
    pub redis_sentinel_master: String,

    /// Some nodes of a Redis Cluster as `host:port,host:port`; the others are found.
    #[arg(
        long,
        env = "REDIS_CLUSTER_NODES",
        value_delimiter = ',',
        value_name = "HOST:PORT"
    )]
    pub redis_cluster_nodes: Vec<String>,

    /// Use TLS, with REDIS_HOST, Sentinel masters or cluster nodes.
    #[arg(long, env = "REDIS_TLS")]
    pub redis_tls: bool,

    /// Certificates of the authorities that Redis' own is trusted by, PEM; instead of the machine's.
    #[arg(long, env = "REDIS_TLS_CA_FILE", value_name = "FILE")]
    pub redis_tls_ca_file: Option<PathBuf>,

    /// Certificate that Redis knows this service by, PEM.
    #[arg(
        long,
        env = "REDIS_TLS_CERT_FILE",
        value_name = "FILE",
        requires = "redis_tls_key_file"
    )]
    pub redis_tls_cert_file: Option<PathBuf>,

    /// Its key, PEM.
    #[arg(
        long,
        env = "REDIS_TLS_KEY_FILE",
        value_name = "FILE",
        requires = "redis_tls_cert_file"
    )]
    pub redis_tls_key_file: Option<PathBuf>,

    /// How many partitions the streams have. Fixed at the first start of a deployment.
    #[arg(long, env = "REDIS_PARTITIONS", default_value = "64", value_name = "N")]
    pub redis_partitions: PartitionCount,

    /// How long to wait for an answer of Redis.
    #[arg(long, env = "REDIS_TIMEOUT_MS", default_value_t = 2000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(50..=60_000))]
    pub redis_timeout_ms: u64,
}

/// The Redis settings contradict each other or cannot be parsed. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedisConfigError {
    /// Not a URL that the client understands.
    #[error("REDIS_URL is not a Redis URL (redis://host:port, rediss://host:port or unix:///path)")]
    Url,
    /// `host:port` is missing a part.
    #[error("{variable} must be a list of host:port, separated by commas")]
    HostPort {
        /// The variable to mend.
        variable: &'static str,
    },
    /// Two settings of which one would be ignored.
    #[error("{0} and {1} exclude each other: {2}")]
    Contradiction(&'static str, &'static str, &'static str),
    /// A version of the protocol whose answers are not understood here.
    #[error("REDIS_URL: protocol=resp3 is not supported; leave it out")]
    Protocol,
    /// A file with certificates or a key cannot be used.
    #[error("{variable}: {why}")]
    File {
        /// The variable to mend.
        variable: &'static str,
        /// What is wrong.
        why: String,
    },
}

/// The shape of Redis, checked, with everything that a connection needs.
#[derive(Clone)]
pub(crate) enum Shape {
    Single(ConnectionInfo),
    Sentinel {
        sentinels: Vec<ConnectionAddr>,
        master: String,
        login: Login,
        /// For the Sentinels themselves.
        sentinel_login: Login,
    },
    Cluster {
        nodes: Vec<ConnectionInfo>,
    },
}

#[derive(Clone, Default)]
pub(crate) struct Login {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<SecretString>,
    pub(crate) tls: bool,
}

impl RedisConfig {
    /// How long to wait for an answer of Redis.
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.redis_timeout_ms)
    }

    /// Checks the settings against each other.
    ///
    /// # Errors
    /// Names the variable that is wrong, never its value.
    pub fn check(&self) -> Result<(), RedisConfigError> {
        self.shape()?;
        self.certificates().map(drop)
    }

    pub(crate) fn shape(&self) -> Result<Shape, RedisConfigError> {
        if let Some(contradiction) = self.contradiction() {
            return Err(contradiction);
        }
        match (
            self.redis_sentinels.is_empty(),
            self.redis_cluster_nodes.is_empty(),
        ) {
            (false, _) => Ok(Shape::Sentinel {
                sentinels: addresses(&self.redis_sentinels, "REDIS_SENTINELS", false)?,
                master: self.redis_sentinel_master.clone(),
                login: self.login(),
                sentinel_login: Login {
                    username: self.redis_sentinel_username.clone(),
                    password: self.redis_sentinel_password.clone(),
                    tls: false,
                },
            }),
            (true, false) => {
                let nodes = addresses(
                    &self.redis_cluster_nodes,
                    "REDIS_CLUSTER_NODES",
                    self.redis_tls,
                )?;
                let nodes = nodes.into_iter().map(|address| self.with_login(address));
                Ok(Shape::Cluster {
                    nodes: nodes.collect::<Result<_, _>>()?,
                })
            }
            (true, true) => self.single().map(Shape::Single),
        }
    }

    fn single(&self) -> Result<ConnectionInfo, RedisConfigError> {
        match &self.redis_url {
            Some(url) => {
                let info = url.expose_secret().into_connection_info();
                let info = info.map_err(|_| RedisConfigError::Url)?;
                if info.redis_settings().protocol() == ProtocolVersion::RESP3 {
                    return Err(RedisConfigError::Protocol);
                }
                Ok(info)
            }
            None => self.with_login(address(
                self.redis_host.clone(),
                self.redis_port,
                self.redis_tls,
            )),
        }
    }

    fn login(&self) -> Login {
        Login {
            username: self.redis_username.clone(),
            password: self.redis_password.clone(),
            tls: self.redis_tls,
        }
    }

    fn with_login(&self, address: ConnectionAddr) -> Result<ConnectionInfo, RedisConfigError> {
        let mut redis = RedisConnectionInfo::default();
        if let Some(username) = &self.redis_username {
            redis = redis.set_username(username);
        }
        if let Some(password) = &self.redis_password {
            redis = redis.set_password(password.expose_secret());
        }
        let info = address
            .into_connection_info()
            .map_err(|_| RedisConfigError::Url)?;
        Ok(info.set_redis_settings(redis))
    }
}

fn address(host: String, port: u16, tls: bool) -> ConnectionAddr {
    if tls {
        ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        }
    } else {
        ConnectionAddr::Tcp(host, port)
    }
}

fn addresses(
    list: &[String],
    variable: &'static str,
    tls: bool,
) -> Result<Vec<ConnectionAddr>, RedisConfigError> {
    let parse = |entry: &String| {
        let (host, port) = entry.trim().rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(address(host.to_owned(), port.parse().ok()?, tls)).filter(|_| !host.is_empty())
    };
    let parsed = list.iter().map(parse).collect::<Option<Vec<_>>>();
    parsed.ok_or(RedisConfigError::HostPort { variable })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        redis: RedisConfig,
    }

    fn parse(args: &[&str]) -> RedisConfig {
        Cli::parse_from(["test"].iter().chain(args)).redis
    }

    #[test]
    fn the_url_wins_over_host_and_port() {
        let config = parse(&["--redis-url", "redis://a:1", "--redis-host", "b"]);
        let Shape::Single(info) = config.shape().unwrap() else {
            panic!("not single")
        };
        assert_eq!(info.addr().to_string(), "a:1");
    }

    #[test]
    fn sentinel_and_cluster_are_chosen_by_their_lists() {
        let sentinel = parse(&["--redis-sentinels", "a:26379,b:26379"]);
        assert!(
            matches!(sentinel.shape(), Ok(Shape::Sentinel { sentinels, .. }) if sentinels.len() == 2)
        );
        let cluster = parse(&["--redis-cluster-nodes", "a:7000,[::1]:7001"]);
        assert!(matches!(cluster.shape(), Ok(Shape::Cluster { nodes }) if nodes.len() == 2));
    }

    /// `family` is a parameter of clients in other languages; people keep it when they move.
    #[test]
    fn parameters_of_other_clients_do_no_harm() {
        let url = parse(&["--redis-url", "redis://127.0.0.1:17000/0?family=0"]);
        assert_eq!(url.check(), Ok(()));
        assert!(crate::Redis::new(&url).is_ok());
    }

    #[test]
    fn mistakes_name_the_variable_and_never_the_value() {
        let secret = parse(&["--redis-url", "http://user:hunter2@a"]);
        let error = secret.check().unwrap_err().to_string();
        assert!(
            error.contains("REDIS_URL") && !error.contains("hunter2"),
            "{error}"
        );
        assert!(!format!("{secret:?}").contains("hunter2"));
        let both = parse(&["--redis-sentinels", "a:1", "--redis-cluster-nodes", "b:2"]);
        let said = both.check().unwrap_err().to_string();
        assert!(
            said.contains("REDIS_SENTINELS and REDIS_CLUSTER_NODES"),
            "{said}"
        );
        let bare = parse(&["--redis-sentinels", "a"]);
        assert!(
            bare.check()
                .unwrap_err()
                .to_string()
                .contains("REDIS_SENTINELS")
        );
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        for (args, named) in [
            (
                &["--redis-url", "redis://a", "--redis-tls"][..],
                "REDIS_TLS and a REDIS_URL",
            ),
            (
                &["--redis-url", "redis://a", "--redis-password", "hunter2"],
                "REDIS_PASSWORD",
            ),
            (
                &["--redis-url", "redis://a", "--redis-sentinels", "b:1"],
                "REDIS_SENTINELS and REDIS_URL",
            ),
            (
                &["--redis-url", "redis://a", "--redis-cluster-nodes", "b:1"],
                "REDIS_CLUSTER_NODES and REDIS_URL",
            ),
            (
                &["--redis-sentinel-password", "hunter2"],
                "REDIS_SENTINEL_PASSWORD",
            ),
            (&["--redis-tls-ca-file", "/nowhere"], "REDIS_TLS_CA_FILE"),
            (
                &["--redis-url", "redis://a/?protocol=resp3"],
                "protocol=resp3",
            ),
        ] {
            let said = parse(args).check().unwrap_err().to_string();
            assert!(said.contains(named) && !said.contains("hunter2"), "{said}");
        }
        let tls = ["--redis-url", "rediss://a", "--redis-tls"];
        assert_eq!(parse(&tls).check(), Ok(()));
        let missing = ["--redis-tls", "--redis-tls-ca-file", "/nowhere"];
        let said = parse(&missing).check().unwrap_err().to_string();
        assert!(said.contains("REDIS_TLS_CA_FILE"), "{said}");
    }
}
