//! Whether the user of this connection may do everything that a service needs. Redis judges each
//! command of a script on its own; what is missing is found before work is taken, not in its middle.

use std::collections::BTreeSet;

use crate::script::PERMISSIONS;
use crate::{Partition, PartitionKeys, Queue, Redis, StreamsError};

/// What a service does with Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Takes webhooks in.
    TakeIn,
    /// Consumes a queue.
    Consume(Queue),
}

/// A kind of key by one of its names, and the commands that are run on it.
struct Need {
    key: String,
    /// The kind as an operator would write it in a rule: `hist:*`.
    kind: String,
    commands: &'static str,
}

/// The middle of a key that nobody has.
const NOBODY: &str = "permissions";

impl PartitionKeys {
    /// A key that may be written under the duty, and that nobody has.
    pub(crate) fn nobodys(self, duty: Duty) -> String {
        match duty {
            Duty::TakeIn => self.dedup(&format!("twilio:message:{NOBODY}")),
            Duty::Consume(_) => self.done(NOBODY),
        }
    }
}

impl Redis {
    /// Asks Redis for every command on every kind of key that the duties need.
    ///
    /// # Errors
    /// [`StreamsError::Forbidden`] names what is missing; another one when Redis cannot be reached.
    pub async fn check_permissions(&self, duties: &[Duty]) -> Result<(), StreamsError> {
        let mut missing = BTreeSet::new();
        // Each node of a cluster has a list of users of its own.
        let asked = if self.keys().spans_partitions() {
            1
        } else {
            usize::MAX
        };
        for partition in self.partitions().all().take(asked) {
            let needs = duties
                .iter()
                .flat_map(|duty| self.partition_needs(*duty, partition));
            self.ask(&needs.collect::<Vec<_>>(), &mut missing).await?;
        }
        for need in duties.iter().flat_map(|duty| self.shared_needs(*duty)) {
            self.ask(&[need], &mut missing).await?;
        }
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.into_iter().collect::<Vec<_>>().join(", ");
        Err(StreamsError::Forbidden { missing })
    }

    async fn ask(
        &self,
        needs: &[Need],
        missing: &mut BTreeSet<String>,
    ) -> Result<(), StreamsError> {
        let denied: Vec<(usize, String)> = self
            .run(&PERMISSIONS, |invocation| {
                for need in needs {
                    invocation.key(&need.key).arg(need.commands);
                }
            })
            .await?;
        for (kind, command) in denied {
            let kind = needs
                .get(kind.saturating_sub(1))
                .map_or("?", |need| &need.kind);
            missing.insert(format!("{command} on {kind}"));
        }
        Ok(())
    }

    /// Keys that no partition has, each perhaps in a slot of its own.
    fn shared_needs(&self, duty: Duty) -> Vec<Need> {
        let keys = self.keys();
        let need = |key: String, commands| Need {
            kind: key.replace(NOBODY, "*"),
            key,
            commands,
        };
        let mut needs = vec![need(keys.partition_count(), "GET SET TIME")];
        match duty {
            Duty::TakeIn => needs.extend([
                need(keys.who(NOBODY), "MGET"),
                need(keys.person(NOBODY), "HGETALL"),
                need(keys.comparison_lease(), "GET SET"),
                need(keys.compared_until(NOBODY), "MGET SET"),
            ]),
            Duty::Consume(queue) => {
                needs.push(need(
                    keys.members(queue),
                    "ZADD ZRANGE ZREM ZREMRANGEBYSCORE",
                ));
                match queue {
                    Queue::Outbound => {
                        needs.push(need(keys.sender_clock(NOBODY), "GET SET PEXPIRE"));
                    }
                    Queue::Inbound => needs.extend([
                        need(keys.who(NOBODY), "GET MGET SET"),
                        need(
                            keys.person(NOBODY),
                            "EXISTS HLEN HGET HGETALL HEXISTS HSET HDEL",
                        ),
                    ]),
                    Queue::Crm | Queue::Mirror => {}
                }
            }
        }
        needs
    }

    fn partition_needs(&self, duty: Duty, partition: Partition) -> Vec<Need> {
        let keys = self.keys().of(partition);
        let number = partition.to_string();
        let whole = |key: String, commands| Need {
            kind: key.replace(&number, "*"),
            key,
            commands,
        };
        let one = |key: String, commands| Need {
            kind: key
                .replace(NOBODY, "*")
                .replace(&format!("{{p{number}}}"), "{p*}"),
            key,
            commands,
        };
        let queue = match duty {
            Duty::TakeIn => {
                let state = keys.conversation(NOBODY);
                return vec![
                    whole(keys.stream(Queue::Inbound), "XLEN XADD XTRIM XRANGE"),
                    whole(keys.stream(Queue::Outbound), "XLEN XADD XTRIM XRANGE"),
                    whole(keys.rejected(), "XLEN XADD XTRIM"),
                    one(keys.nobodys(duty), "GET MGET SET"),
                    one(keys.done(NOBODY), "MGET"),
                    one(keys.replay(NOBODY), "GET SET"),
                    one(keys.recent(NOBODY), "GET SET"),
                    one(state, "HLEN HGET HGETALL HSET TTL EXPIRE"),
                    one(keys.send(NOBODY), "HGETALL"),
                    one(keys.mirror(NOBODY), "HGETALL"),
                    one(keys.sends(NOBODY), "LRANGE"),
                    one(keys.provider_message("waha", NOBODY), "MGET"),
                ];
            }
            Duty::Consume(queue) => queue,
        };
        let mut needs = vec![
            whole(
                keys.stream(queue),
                "XREAD XREADGROUP XRANGE XLEN XPENDING XACK XDEL XADD XGROUP",
            ),
            whole(keys.lease(queue), "EXISTS PTTL SET PEXPIRE"),
            whole(keys.owner(queue), "HGET HSET HINCRBY HDEL"),
            whole(keys.attempts(queue), "HEXISTS HMGET HSET HDEL"),
            whole(keys.dead_letters(queue), "XLEN XADD XRANGE XDEL"),
            one(keys.done(NOBODY), "EXISTS SET LRANGE"),
            one(
                keys.history(NOBODY),
                "TYPE TTL LLEN LRANGE RPUSH LTRIM EXPIRE",
            ),
        ];
        match queue {
            Queue::Inbound => needs.extend([
                one(
                    keys.conversation(NOBODY),
                    "HGET HGETALL HMGET HLEN HSET HDEL TTL EXPIRE",
                ),
                one(keys.turn(NOBODY), "SET"),
                one(keys.turns(NOBODY), "LLEN RPUSH LTRIM EXPIRE"),
                one(keys.contact(NOBODY), "HGET HGETALL HMGET HLEN HSET HDEL"),
                one(keys.mirror(NOBODY), "HGETALL"),
                whole(keys.stream(Queue::Outbound), "XLEN XADD"),
                whole(keys.stream(Queue::Crm), "XLEN XADD"),
                whole(keys.stream(Queue::Mirror), "XLEN XADD"),
            ]),
            Queue::Outbound => needs.extend([
                one(keys.contact(NOBODY), "HMGET"),
                one(keys.conversation(NOBODY), "HMGET"),
                one(keys.send(NOBODY), "HGET HMGET HGETALL HLEN HSET EXPIRE"),
                one(keys.sends(NOBODY), "LLEN LRANGE LREM LPUSH LTRIM EXPIRE"),
                one(keys.provider_message("twilio", NOBODY), "GET MGET SET"),
            ]),
            Queue::Crm => {}
            Queue::Mirror => needs.push(one(keys.mirror(NOBODY), "HMGET HLEN HSET EXPIRE")),
        }
        if queue == Queue::Outbound && !self.keys().spans_partitions() {
            // A report may be about a message of another partition.
            needs.push(one(
                keys.dedup(&format!("twilio:status:{NOBODY}")),
                "GET SET",
            ));
        }
        needs
    }
}
