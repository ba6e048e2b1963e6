//! Every Redis command of Postduif, and nothing of what a message means.
//!
//! - [`Redis::ingest`] takes events in: rate limit, dedup and XADD in one script.
//! - [`Consumer`] owns a share of the partitions under fenced leases, reads their entries as the type
//!   that the queue carries, and hands them to a [`Handler`], one conversation in order, conversations
//!   side by side.
//! - [`Job`], an entry in progress, is settled once: committed, recorded, retried or set aside.
//! - [`Redis::letters`], [`Redis::replay`] and [`Redis::discard`] are for the operator.
//! - [`Redis::reserve_slot`] paces a sender over all processes.
//!
//! At least once, with effects once: every script that reads or writes a partition checks the
//! fencing token of its lease, and all effects of a turn are one script behind one gate.

mod acts;
mod backlog;
mod begin;
mod commit;
mod comparison;
mod config;
mod connector;
mod consumer;
mod dead_letters;
mod entry;
mod erase;
mod error;
mod fetch;
mod identities;
mod ingest;
mod inspect;
mod keys;
mod layout;
mod lease;
mod observer;
mod pace;
mod partition;
mod permissions;
mod queue;
mod record;
mod redis;
mod repartition;
mod scan;
mod script;
mod stock;
mod stream_id;
mod together;

pub use self::redis::Redis;
pub use acts::Act;
pub use backlog::{Backlog, PartitionBacklog};
pub use begin::{EarlyHash, EarlyReads, Fields, ReadValues, Reads};
pub use commit::{Commit, ContactNote, DeadLetterReason};
pub use comparison::Compared;
pub use config::{RedisConfig, RedisConfigError};
pub use consumer::{
    Consumer, ConsumerConfig, ConsumerConfigError, DrainReport, Gather, Handler, Interrupted, Job,
    RecordOutcome, Settled, Waiting,
};
pub use dead_letters::{Letter, LetterId, LetterIdError, Shelf};
pub use entry::{ENTRY_VERSION, Entry, EntryError, NewEntry};
pub use erase::{Found, Person, Place};
pub use error::StreamsError;
pub use identities::{Claim, Identity, Join, Joined};
pub use ingest::{Destination, Ingest, Ingested, RateLimit, Replay};
pub use inspect::{RedisMemory, ServerReport};
pub use keys::{Keys, PartitionKeys};
pub use layout::{DeploymentError, PartitionMismatch};
pub use lease::MemberId;
pub use observer::{NoObserver, Observer};
pub use pace::Slot;
pub use partition::{Partition, PartitionCount, PartitionCountError};
pub use permissions::Duty;
pub use queue::Queue;
pub use record::{Judged, Record};
pub use repartition::RepartitionError;
pub use stock::StockPush;
pub use stream_id::{StreamId, StreamIdError};
