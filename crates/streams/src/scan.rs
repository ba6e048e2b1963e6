//! Reads through all keys, for the few commands that look for somebody and not for a name.

use std::collections::BTreeSet;
use std::time::Duration;

use redis::Value;

use crate::connector::Connection;
use crate::entry::text;
use crate::erase::kind_of;
use crate::{Queue, Redis, StreamsError};

/// Keys of one reply.
const PAGE: usize = 1000;

impl Redis {
    /// The names of all keys, of every node.
    ///
    /// # Errors
    /// When Redis cannot be reached, or forbids SCAN.
    pub async fn all_keys(&self) -> Result<BTreeSet<String>, StreamsError> {
        let mut keys = BTreeSet::new();
        for mut node in self.nodes().await? {
            let mut cursor = "0".to_owned();
            loop {
                let mut scan = redis::cmd("SCAN");
                scan.arg(&cursor).arg("COUNT").arg(PAGE);
                let (next, page): (String, Vec<Value>) = scan.query_async(&mut node).await?;
                keys.extend(page.into_iter().filter_map(text));
                cursor = next;
                if cursor == "0" {
                    break;
                }
            }
        }
        Ok(keys)
    }

    /// The conversations whose state is kept, each with the name of its key.
    ///
    /// # Errors
    /// When Redis cannot be reached, or forbids SCAN.
    pub async fn conversations(&self) -> Result<Vec<(String, String)>, StreamsError> {
        let keys = self.all_keys().await?.into_iter();
        let conversation = |key: String| match kind_of(&key) {
            ("conv", id) => Some((id.to_owned(), key.clone())),
            _ => None,
        };
        Ok(keys.filter_map(conversation).collect())
    }

    /// A connection to each node that holds partitions or persons.
    async fn nodes(&self) -> Result<Vec<Connection>, StreamsError> {
        let mut nodes = Vec::new();
        let mut known = BTreeSet::new();
        let partitions = self.partitions().all();
        let streams = partitions.map(|one| self.keys().of(one).stream(Queue::Inbound));
        for key in streams.chain([self.keys().person("")]) {
            let mut node = self.blocking_connection(Duration::ZERO, &key).await?;
            if !self.keys().spans_partitions() {
                let id: String = redis::cmd("CLUSTER")
                    .arg("MYID")
                    .query_async(&mut node)
                    .await?;
                if !known.insert(id) {
                    continue;
                }
            }
            nodes.push(node);
            if self.keys().spans_partitions() {
                break;
            }
        }
        Ok(nodes)
    }
}
