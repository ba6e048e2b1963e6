//! What an operator asks about Redis: reachable, safe against loss, how full.

use std::time::Duration;

use futures_util::future::try_join_all;
use redis::{InfoDict, Value};

use crate::entry::text;
use crate::{Duty, Redis, StreamsError};

/// What a server says of itself, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReport {
    /// `Redis` or `Valkey`.
    pub name: &'static str,
    /// The version, such as `7.0.15`.
    pub version: String,
    /// Whether every write goes to the append-only file.
    pub append_only: bool,
    /// How often that file is forced to disk: `always`, `everysec` or `no`; none when the server
    /// does not tell.
    pub fsync: Option<String>,
    /// What is done when memory is full; only `noeviction` keeps what waits.
    pub eviction_policy: Option<String>,
}

impl ServerReport {
    /// What endangers messages, each as a sentence that says what to change.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut numbers = self
            .version
            .split('.')
            .map(|part| part.parse().unwrap_or(0));
        let release = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if release < (6, 2) {
            warnings.push(format!(
                "{} {} lacks commands that are needed. Use 6.2 or later",
                self.name, self.version
            ));
        }
        if !self.append_only {
            warnings.push(
                "Redis keeps no append-only file: a crash loses what it acknowledged. \
                 Set `appendonly yes`"
                    .to_owned(),
            );
        }
        if let Some(policy) = self
            .eviction_policy
            .as_deref()
            .filter(|policy| *policy != "noeviction")
        {
            warnings.push(format!(
                "Redis evicts keys when memory is full (maxmemory-policy {policy}): waiting \
                 messages may vanish. Set `maxmemory-policy noeviction`"
            ));
        }
        warnings
    }
}

/// How full Redis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RedisMemory {
    /// Bytes that it uses.
    pub used: u64,
    /// Bytes that it may use; 0 without a limit.
    pub limit: u64,
}

impl RedisMemory {
    fn read(info: &InfoDict) -> Option<Self> {
        Some(Self {
            used: info.get("used_memory")?,
            limit: info.get("maxmemory").unwrap_or_default(),
        })
    }

    /// How much is left, where there is a limit.
    const fn left(self) -> u64 {
        match self.limit {
            0 => u64::MAX,
            limit => limit.saturating_sub(self.used),
        }
    }
}

impl Redis {
    /// Whether Redis would take new work, asked by a write that changes nothing: a server without
    /// memory, replicas or disk answers PING all the same.
    ///
    /// # Errors
    /// When it does not; the error says why.
    pub async fn check_writable(&self, duty: Duty) -> Result<(), StreamsError> {
        let asked = if self.keys().spans_partitions() {
            1
        } else {
            usize::MAX
        };
        let writes = self
            .partitions()
            .all()
            .take(asked)
            .map(|partition| async move {
                let keys = self.keys().of(partition);
                let key = keys.nobodys(duty);
                let mut command = redis::cmd("SET");
                command.arg(&key).arg("").arg("XX");
                let written = self
                    .with_connection("check", |mut connection| async move {
                        command.query_async::<()>(&mut connection).await
                    })
                    .await;
                match written {
                    // A cluster's client asks around until its time is over. The nodes know why.
                    Err(error) if !self.keys().spans_partitions() => {
                        let node = self.blocking_connection(Duration::ZERO, &key).await;
                        Err(node.err().unwrap_or(error))
                    }
                    written => written,
                }
            });
        try_join_all(writes).await.map(drop)
    }

    /// Asks the server for what matters to safety. In a cluster any one node answers.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn server_report(&self) -> Result<ServerReport, StreamsError> {
        let info = |section: &'static str| {
            self.with_connection("info", move |mut connection| async move {
                let reply: Value = redis::cmd("INFO")
                    .arg(section)
                    .query_async(&mut connection)
                    .await?;
                Ok(InfoDict::new(&text(first_node(reply)).unwrap_or_default()))
            })
        };
        let server = info("server").await?;
        let persistence = info("persistence").await?;
        let memory = info("memory").await?;
        // Valkey gives the version of Redis that it branched from, beside its own.
        let valkey: Option<String> = server.get("valkey_version");
        Ok(ServerReport {
            name: if valkey.is_some() { "Valkey" } else { "Redis" },
            version: valkey
                .or_else(|| server.get("redis_version"))
                .unwrap_or_default(),
            append_only: persistence.get::<u8>("aof_enabled") == Some(1),
            fsync: self.setting("appendfsync").await,
            eviction_policy: memory.get("maxmemory_policy"),
        })
    }

    /// How full the server is, where it tells; in a cluster the node with the least left.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn memory(&self) -> Result<Option<RedisMemory>, StreamsError> {
        let nodes = self
            .with_connection("info", |mut connection| async move {
                let reply: Value = redis::cmd("INFO")
                    .arg("memory")
                    .query_async(&mut connection)
                    .await?;
                Ok(each_node(reply))
            })
            .await?;
        let infos = nodes.into_iter().filter_map(text);
        let memories = infos.filter_map(|info| RedisMemory::read(&InfoDict::new(&info)));
        Ok(memories.min_by_key(|memory| memory.left()))
    }

    /// Some hosted servers forbid CONFIG; what they hide is not known, and no error.
    async fn setting(&self, name: &'static str) -> Option<String> {
        let reply: Value = self
            .with_connection("config", move |mut connection| async move {
                redis::cmd("CONFIG")
                    .arg("GET")
                    .arg(name)
                    .query_async(&mut connection)
                    .await
            })
            .await
            .ok()?;
        match first_value(reply)? {
            Value::Array(pair) => pair.into_iter().nth(1).and_then(text),
            Value::Map(pairs) => pairs.into_iter().next().and_then(|(_, value)| text(value)),
            _ => None,
        }
    }

    /// What is kept of a conversation's last turn.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn last_turn(&self, conversation: &str) -> Result<Option<String>, StreamsError> {
        let partition = self.partitions().partition_of(conversation);
        let key = self.keys().of(partition).turn(conversation);
        let values = self.values(&[key]).await?;
        Ok(values.into_iter().next().flatten())
    }
}

fn each_node(reply: Value) -> Vec<Value> {
    match reply {
        Value::Map(nodes) => nodes.into_iter().map(|(_, value)| value).collect(),
        other => vec![other],
    }
}

/// A cluster answers commands without a key with a map from node to reply.
fn first_node(reply: Value) -> Value {
    each_node(reply).into_iter().next().unwrap_or(Value::Nil)
}

fn first_value(reply: Value) -> Option<Value> {
    match reply {
        Value::Map(pairs) => match pairs.first() {
            Some((_, Value::Array(_) | Value::Map(_))) => {
                pairs.into_iter().next().map(|(_, value)| value)
            }
            _ => Some(Value::Map(pairs)),
        },
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_may_lose_messages_is_warned_about() {
        let safe = ServerReport {
            name: "Redis",
            version: "7.0.15".into(),
            append_only: true,
            fsync: Some("everysec".into()),
            eviction_policy: Some("noeviction".into()),
        };
        assert!(safe.warnings().is_empty());
        let evicting = ServerReport {
            eviction_policy: Some("allkeys-lru".into()),
            ..safe.clone()
        };
        assert!(evicting.warnings()[0].contains("maxmemory-policy noeviction"));
        let old = ServerReport {
            version: "6.0.16".into(),
            ..safe.clone()
        };
        assert!(old.warnings()[0].contains("6.2 or later"));
        let volatile = ServerReport {
            append_only: false,
            ..safe
        };
        assert!(volatile.warnings()[0].contains("appendonly yes"));
    }
}
