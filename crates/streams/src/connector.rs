//! Opens connections in whatever shape Redis comes: one node, Sentinel, or a cluster.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool::managed;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, Pipeline, RedisError, RedisFuture,
    RedisResult, TlsCertificates, TlsMode, Value,
};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use crate::config::{Login, Shape};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// One connection; clones share its socket.
#[derive(Clone)]
pub(crate) enum Connection {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Node(node) => node.req_packed_command(cmd),
            Self::Cluster(cluster) => cluster.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Node(node) => node.req_packed_commands(pipeline, offset, count),
            Self::Cluster(cluster) => cluster.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Node(node) => node.get_db(),
            Self::Cluster(cluster) => cluster.get_db(),
        }
    }
}

/// Opens connections and is the pool's manager.
pub(crate) struct Connector {
    target: Target,
    timeout: Duration,
}

enum Target {
    Single {
        pooled: deadpool_redis::Manager,
        client: Client,
    },
    Sentinel(Box<Mutex<SentinelClient>>),
    Cluster {
        client: ClusterClient,
        nodes: Vec<ConnectionInfo>,
    },
}

/// The client's own default of 500 ms would end every blocking read and strand what it had taken.
fn settings(response_timeout: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(response_timeout))
        .set_pipeline_buffer_size(1024)
}

impl Connector {
    pub(crate) fn new(
        shape: Shape,
        certificates: Option<TlsCertificates>,
        timeout: Duration,
    ) -> RedisResult<Self> {
        let target = match shape {
            Shape::Single(info) => {
                let info = with_certificates(info, certificates)?;
                Target::Single {
                    pooled: deadpool_redis::Manager::new_with_config(
                        info.clone(),
                        settings(timeout),
                    )?,
                    client: Client::open(info)?,
                }
            }
            Shape::Sentinel {
                sentinels,
                master,
                login,
                sentinel_login,
            } => {
                let builder =
                    SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)?;
                let mut builder = with_logins(builder, &login, &sentinel_login);
                if let Some(certificates) = certificates {
                    builder = builder.set_client_to_redis_certificates(certificates);
                }
                Target::Sentinel(Box::new(Mutex::new(builder.build()?)))
            }
            Shape::Cluster { nodes } => {
                let mut builder = ClusterClient::builder(nodes.clone())
                    .connection_timeout(CONNECT_TIMEOUT)
                    .response_timeout(timeout)
                    .overall_response_timeout(Some(timeout * 2))
                    .retries(3);
                if let Some(certificates) = certificates.clone() {
                    builder = builder.certs(certificates);
                }
                let nodes = nodes.into_iter();
                let nodes = nodes.map(|node| with_certificates(node, certificates.clone()));
                Target::Cluster {
                    client: builder.build()?,
                    nodes: nodes.collect::<RedisResult<_>>()?,
                }
            }
        };
        Ok(Self { target, timeout })
    }

    pub(crate) const fn is_cluster(&self) -> bool {
        matches!(self.target, Target::Cluster { .. })
    }

    /// A connection of its own for blocking reads of up to `block`. `key` picks the node that
    /// holds it in a cluster.
    pub(crate) async fn dedicated(&self, block: Duration, key: &str) -> RedisResult<Connection> {
        let config = settings(block + self.timeout);
        let node = match &self.target {
            Target::Single { client, .. } => {
                client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?
            }
            Target::Sentinel(sentinel) => {
                sentinel
                    .lock()
                    .await
                    .get_async_connection_with_config(&config)
                    .await?
            }
            Target::Cluster { nodes, .. } => owner_of(nodes, key, &config).await?,
        };
        Ok(Connection::Node(node))
    }

    async fn open(&self) -> RedisResult<Connection> {
        match &self.target {
            Target::Single { pooled, .. } => {
                managed::Manager::create(pooled).await.map(Connection::Node)
            }
            Target::Sentinel(sentinel) => {
                let config = settings(self.timeout);
                let node = sentinel
                    .lock()
                    .await
                    .get_async_connection_with_config(&config)
                    .await?;
                Ok(Connection::Node(node))
            }
            Target::Cluster { client, .. } => {
                client.get_async_connection().await.map(Connection::Cluster)
            }
        }
    }
}

/// The address with the certificates that its TLS is done with.
fn with_certificates(
    info: ConnectionInfo,
    certificates: Option<TlsCertificates>,
) -> RedisResult<ConnectionInfo> {
    match certificates {
        Some(certificates) => {
            let client = Client::build_with_tls(info, certificates)?;
            Ok(client.get_connection_info().clone())
        }
        None => Ok(info),
    }
}

fn with_logins(
    mut builder: SentinelClientBuilder,
    login: &Login,
    sentinel_login: &Login,
) -> SentinelClientBuilder {
    if let Some(username) = &sentinel_login.username {
        builder = builder.set_client_to_sentinel_username(username);
    }
    if let Some(password) = &sentinel_login.password {
        builder = builder.set_client_to_sentinel_password(password.expose_secret());
    }
    if let Some(username) = &login.username {
        builder = builder.set_client_to_redis_username(username);
    }
    if let Some(password) = &login.password {
        builder = builder.set_client_to_redis_password(password.expose_secret());
    }
    if login.tls {
        builder.set_client_to_redis_tls_mode(TlsMode::Secure)
    } else {
        builder
    }
}

/// A plain connection to the node that owns `key`'s slot. A cluster connection would share its
/// socket to that node with every other command, and a blocking read would hold them all up.
async fn owner_of(
    nodes: &[ConnectionInfo],
    key: &str,
    config: &AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    let mut why: Option<RedisError> = None;
    for node in nodes {
        match owner_from(node, key, config).await {
            Ok(connection) => return Ok(connection),
            // What a node says tells more than that another cannot be reached.
            Err(error) if why.is_none() || error.code().is_some() => why = Some(error),
            Err(_) => {}
        }
    }
    Err(why.unwrap_or_else(|| std::io::Error::other("no cluster node is named").into()))
}

/// Asks `node` for the key and follows the redirection that names its owner.
async fn owner_from(
    node: &ConnectionInfo,
    key: &str,
    config: &AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    let mut connection = connect(node.clone(), config).await?;
    let probe: RedisResult<Value> = redis::cmd("EXISTS")
        .arg(key)
        .query_async(&mut connection)
        .await;
    let Err(error) = probe else {
        return Ok(connection);
    };
    let Some(address) = error
        .redirect_node()
        .and_then(|(address, _)| parse_redirect(node, address))
    else {
        return Err(error);
    };
    connect(address, config).await
}

fn parse_redirect(node: &ConnectionInfo, address: &str) -> Option<ConnectionInfo> {
    use redis::ConnectionAddr;
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let named = if host.is_empty() {
        None
    } else {
        Some(host.to_owned())
    };
    let mut addr = node.addr().clone();
    match &mut addr {
        ConnectionAddr::Tcp(host, old)
        | ConnectionAddr::TcpTls {
            host, port: old, ..
        } => {
            *old = port;
            if let Some(named) = named {
                *host = named;
            }
        }
        _ => return None,
    }
    Some(node.clone().set_addr(addr))
}

async fn connect(
    node: ConnectionInfo,
    config: &AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    Client::open(node)?
        .get_multiplexed_async_connection_with_config(config)
        .await
}

/// A connection in the pool, which whoever sees it fail can mark.
pub(crate) struct Pooled {
    connection: Connection,
    dead: AtomicBool,
}

impl Pooled {
    pub(crate) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    pub(crate) fn mark_dead(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }
}

impl managed::Manager for Connector {
    type Type = Pooled;
    type Error = RedisError;

    async fn create(&self) -> Result<Pooled, RedisError> {
        Ok(Pooled {
            connection: self.open().await?,
            dead: AtomicBool::new(false),
        })
    }

    /// No PING: it would double the round trips, and a demoted master answers it.
    async fn recycle(
        &self,
        pooled: &mut Pooled,
        _: &managed::Metrics,
    ) -> managed::RecycleResult<RedisError> {
        if pooled.dead.load(Ordering::Relaxed) {
            return Err(managed::RecycleError::message("the connection failed"));
        }
        Ok(())
    }
}
