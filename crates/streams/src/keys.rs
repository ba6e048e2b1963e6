//! The name of every Redis key, in one place.

use crate::{Partition, Queue};

/// Builds key names. In a cluster every key of a partition carries its hash tag `{p17}`, so that
/// one script finds all of them in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    tagged: bool,
}

impl Keys {
    /// Names for a single node or Sentinel: `in:17`, `twilio:message:SM…`.
    pub const fn plain() -> Self {
        Self { tagged: false }
    }

    /// Names for a cluster: `{p17}:in`, `{p17}:twilio:message:SM…`.
    pub const fn tagged() -> Self {
        Self { tagged: true }
    }

    /// Whether one script may touch the keys of several partitions.
    pub const fn spans_partitions(self) -> bool {
        !self.tagged
    }

    /// The names within one partition.
    pub const fn of(self, partition: Partition) -> PartitionKeys {
        PartitionKeys {
            keys: self,
            partition,
        }
    }

    /// The fixed number of partitions.
    pub fn partition_count(self) -> String {
        "partitions".into()
    }

    /// What operators did by hand.
    pub fn acts(self) -> String {
        "acts".into()
    }

    /// Things for sale that were pushed and not taken over yet.
    pub fn stock_pushes(self) -> String {
        "stock:pushes".into()
    }

    /// Pushes that nobody could read.
    pub fn stock_unread(self) -> String {
        "stock:unread".into()
    }

    /// When something newest of each thing came that was pushed and taken over.
    pub fn stock_newest(self) -> String {
        "stock:newest".into()
    }

    /// The live consumers of a queue.
    pub fn members(self, queue: Queue) -> String {
        queue
            .pick("members", "members:out", "members:crm", "members:mir")
            .into()
    }

    /// The clock of a sender: when its next message may leave.
    pub fn sender_clock(self, sender: &str) -> String {
        format!("tat:{sender}")
    }

    /// Who compares with the providers' lists of messages.
    pub fn comparison_lease(self) -> String {
        "compare:lease".into()
    }

    /// Up to when a provider's list was compared.
    pub fn compared_until(self, list: &str) -> String {
        format!("compare:until:{list}")
    }

    /// The person with a name. All persons share a slot, so that one script can join two of them.
    pub fn who(self, name: &str) -> String {
        self.of_persons("who", name)
    }

    /// A person.
    pub fn person(self, id: &str) -> String {
        self.of_persons("person", id)
    }

    fn of_persons(self, kind: &str, id: &str) -> String {
        if self.tagged {
            format!("{{persons}}:{kind}:{id}")
        } else {
            format!("{kind}:{id}")
        }
    }
}

/// The names of one partition's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionKeys {
    keys: Keys,
    partition: Partition,
}

impl PartitionKeys {
    /// The partition.
    pub const fn partition(self) -> Partition {
        self.partition
    }

    /// One key for the whole partition: `in:17` or `{p17}:in`.
    fn whole(self, name: &str) -> String {
        if self.keys.tagged {
            format!("{{p{}}}:{name}", self.partition)
        } else {
            format!("{name}:{}", self.partition)
        }
    }

    /// One of many keys of the partition: `conv:<id>` or `{p17}:conv:<id>`.
    fn one(self, name: &str, id: &str) -> String {
        if self.keys.tagged {
            format!("{{p{}}}:{name}:{id}", self.partition)
        } else {
            format!("{name}:{id}")
        }
    }

    /// The work stream of a queue.
    pub fn stream(self, queue: Queue) -> String {
        self.whole(queue.pick("in", "out", "crm", "mir"))
    }

    /// The lease of a queue's consumer.
    pub fn lease(self, queue: Queue) -> String {
        self.whole(queue.pick("lease", "olease", "clease", "mlease"))
    }

    /// The fencing token and epoch of a queue's consumer.
    pub fn owner(self, queue: Queue) -> String {
        self.whole(queue.pick("own", "oown", "cown", "mown"))
    }

    /// How often processing of each entry was started.
    pub fn attempts(self, queue: Queue) -> String {
        self.whole(queue.pick("att", "oatt", "catt", "matt"))
    }

    /// The dead letters of a queue.
    pub fn dead_letters(self, queue: Queue) -> String {
        self.whole(queue.pick("dlq", "odlq", "cdlq", "mdlq"))
    }

    /// Verified webhooks that failed validation.
    pub fn rejected(self) -> String {
        self.whole("rejected")
    }

    /// The dedup key of an event: `twilio:message:SM…`. `event` is that whole name.
    pub fn dedup(self, event: &str) -> String {
        if self.keys.tagged {
            format!("{{p{}}}:{event}", self.partition)
        } else {
            event.into()
        }
    }

    /// The mark of signed content that was taken in: `seen:<mark>`.
    pub fn replay(self, mark: &str) -> String {
        self.one("seen", mark)
    }

    /// When a conversation's messages within the window of the rate limit came.
    pub fn recent(self, conversation: &str) -> String {
        self.one("recent", conversation)
    }

    /// The marker that an event's turn is committed.
    pub fn done(self, event: &str) -> String {
        self.one("done", event)
    }

    /// A conversation's state.
    pub fn conversation(self, conversation: &str) -> String {
        self.one("conv", conversation)
    }

    /// What is kept of a conversation's last turn.
    pub fn turn(self, conversation: &str) -> String {
        self.one("turn", conversation)
    }

    /// What is kept of a conversation's last turns, oldest first.
    pub fn turns(self, conversation: &str) -> String {
        self.one("turns", conversation)
    }

    /// What must outlive a conversation's state, such as an opt-out.
    pub fn contact(self, conversation: &str) -> String {
        self.one("contact", conversation)
    }

    /// Where a conversation is shown in a help desk.
    pub fn mirror(self, conversation: &str) -> String {
        self.one("mirror", conversation)
    }

    /// A conversation's history.
    pub fn history(self, conversation: &str) -> String {
        self.one("hist", conversation)
    }

    /// The delivery ledger's record of an outbound message.
    pub fn send(self, outbound_id: &str) -> String {
        self.one("sent", outbound_id)
    }

    /// The outbound ids of a conversation, newest first.
    pub fn sends(self, conversation: &str) -> String {
        self.one("sends", conversation)
    }

    /// The outbound id that a provider's message id belongs to.
    pub fn provider_message(self, source: &str, provider_id: &str) -> String {
        self.one(&format!("sid:{source}"), provider_id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn plain_names_are_those_that_deployments_have() {
        let keys = Keys::plain().of(Partition::from_number(17));
        assert_eq!(keys.dedup("twilio:message:SM1"), "twilio:message:SM1");
        assert_eq!(keys.stream(Queue::Inbound), "in:17");
        assert_eq!(keys.stream(Queue::Outbound), "out:17");
        assert_eq!(keys.lease(Queue::Inbound), "lease:17");
        assert_eq!(keys.owner(Queue::Inbound), "own:17");
        assert_eq!(keys.attempts(Queue::Inbound), "att:17");
        assert_eq!(keys.dead_letters(Queue::Inbound), "dlq:17");
        assert_eq!(keys.conversation("whatsapp:+316"), "conv:whatsapp:+316");
    }

    #[test]
    fn cluster_names_share_the_hash_tag_of_their_partition() {
        let keys = Keys::tagged().of(Partition::from_number(17));
        for name in [
            keys.dedup("twilio:message:SM1"),
            keys.stream(Queue::Outbound),
            keys.owner(Queue::Outbound),
            keys.done("twilio:SM1"),
            keys.history("c"),
            keys.send("ob_1"),
            keys.provider_message("waha", "true_1"),
            keys.rejected(),
        ] {
            assert!(name.starts_with("{p17}:"), "{name}");
        }
        assert_eq!(keys.dedup("twilio:message:SM1"), "{p17}:twilio:message:SM1");
    }

    #[test]
    fn the_queues_share_no_key() {
        let keys = Keys::plain().of(Partition::from_number(3));
        for name in [
            PartitionKeys::stream,
            PartitionKeys::lease,
            PartitionKeys::owner,
            PartitionKeys::attempts,
            PartitionKeys::dead_letters,
        ] {
            let names: BTreeSet<String> =
                Queue::ALL.iter().map(|queue| name(keys, *queue)).collect();
            assert_eq!(names.len(), Queue::ALL.len(), "{names:?}");
        }
    }
}
