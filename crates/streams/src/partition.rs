//! Which partition a conversation belongs to.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use xxhash_rust::xxh3::xxh3_64;

/// How many partitions a deployment has. Fixed at its first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionCount(NonZeroU16);

impl PartitionCount {
    /// The most partitions that can be configured. One worker can own them all.
    pub const MAX: u16 = 1024;

    /// The number of partitions.
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The partition of a conversation: `xxh3_64(conversation id) mod N`.
    pub fn partition_of(self, conversation: &str) -> Partition {
        let slot = xxh3_64(conversation.as_bytes()) % u64::from(self.get());
        Partition(u16::try_from(slot).unwrap_or_default())
    }

    /// All partitions in ascending order.
    pub fn all(self) -> impl DoubleEndedIterator<Item = Partition> + Clone {
        (0..self.get()).map(Partition)
    }
}

/// The number of partitions is not between 1 and [`PartitionCount::MAX`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the number of partitions must be between 1 and 1024")]
pub struct PartitionCountError;

impl TryFrom<u16> for PartitionCount {
    type Error = PartitionCountError;

    fn try_from(count: u16) -> Result<Self, Self::Error> {
        let count = NonZeroU16::new(count).filter(|count| count.get() <= Self::MAX);
        count.map(Self).ok_or(PartitionCountError)
    }
}

impl FromStr for PartitionCount {
    type Err = PartitionCountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let count: u16 = text.parse().map_err(|_| PartitionCountError)?;
        count.try_into()
    }
}

impl fmt::Display for PartitionCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One of the fixed partitions, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(u16);

impl Partition {
    /// The number of the partition.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The partition with this number. Whether the deployment has it is the caller's knowledge.
    pub const fn from_number(number: u16) -> Self {
        Self(number)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of the hash would send a conversation to another partition after an upgrade,
    /// while its earlier messages still wait in the old one.
    #[test]
    fn the_partition_of_a_conversation_never_changes() {
        let count = PartitionCount::try_from(64).unwrap();
        let partition = |conversation| count.partition_of(conversation).number();
        assert_eq!(partition("whatsapp:+31612345678"), 40);
        assert_eq!(partition("waha:default:31612345678@c.us"), 19);
        assert_eq!(partition("chatwoot:1:42"), 5);
    }

    #[test]
    fn conversations_spread_over_all_partitions() {
        let count = PartitionCount::try_from(64).unwrap();
        let mut seen = vec![0; 64];
        for n in 0..6_400 {
            let partition = count.partition_of(&format!("whatsapp:+3161234{n:04}"));
            seen[usize::from(partition.number())] += 1;
        }
        assert!(seen.iter().all(|&n| (50..200).contains(&n)), "{seen:?}");
    }

    #[test]
    fn counts_outside_the_range_are_refused() {
        assert!("0".parse::<PartitionCount>().is_err());
        assert!("1025".parse::<PartitionCount>().is_err());
        assert!("64".parse::<PartitionCount>().is_ok());
    }
}
