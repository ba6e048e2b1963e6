use crate::script::REPARTITION;
use crate::{PartitionCount, PartitionKeys, Queue, Redis, StreamsError};

/// Why the number of partitions stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum RepartitionError {
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// Each key of a cluster has its partition in its name, so that a script finds all of them in one slot.
    #[error("in a cluster every key belongs to its partition: another number needs an empty Redis")]
    Cluster,
    /// A worker or egress works, or died within the last seconds.
    #[error("a worker or egress runs: stop ingress, all workers and all egresses first")]
    Runs,
    /// What lies in a partition would be looked for in another. How much of what.
    #[error("not everything is done: {}", list(.0))]
    Waits(Vec<(String, u64)>),
    /// Somebody else changed it meanwhile.
    #[error("this Redis holds {0:?} partitions by now")]
    Changed(String),
    /// The script answered something else.
    #[error("unexpected answer")]
    Unexpected,
}

fn list(waiting: &[(String, u64)]) -> String {
    let shown = waiting
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"));
    shown.collect::<Vec<_>>().join(", ")
}

/// What lies in partitions: its name, and its key in one of them.
type Kind = (String, Box<dyn Fn(PartitionKeys) -> String + Send>);

fn kinds() -> Vec<Kind> {
    let waiting = Queue::ALL.map(|queue| -> Kind {
        let name = format!("{queue} waits");
        (name, Box::new(move |keys| keys.stream(queue)))
    });
    let letters = Queue::ALL.map(|queue| -> Kind {
        let name = format!("{queue} dead letters");
        (name, Box::new(move |keys| keys.dead_letters(queue)))
    });
    let rejected: Kind = (
        "rejected webhooks".into(),
        Box::new(PartitionKeys::rejected),
    );
    waiting
        .into_iter()
        .chain(letters)
        .chain([rejected])
        .collect()
}

impl Redis {
    /// Changes the number of partitions of a deployment that is stopped and has nothing to do, in one step or
    /// not at all. What is known of conversations and persons stays: outside of a cluster no name of it holds
    /// a partition. Without a number it is only looked at. Whether an ingress runs is not seen here.
    ///
    /// # Errors
    /// When somebody works, something waits, or Redis cannot be reached; then nothing is changed.
    pub async fn repartition(&self, to: Option<PartitionCount>) -> Result<(), RepartitionError> {
        if !self.keys().spans_partitions() {
            return Err(RepartitionError::Cluster);
        }
        let kinds = kinds();
        let all = || self.partitions().all().map(|one| self.keys().of(one));
        let leases: Vec<String> = all()
            .flat_map(|keys| Queue::ALL.map(|queue| keys.lease(queue)))
            .collect();
        let answer: Vec<String> = self
            .run(&REPARTITION, |invocation| {
                invocation.key(self.keys().partition_count()).key(&leases);
                for (_, name) in &kinds {
                    all().for_each(|keys| {
                        invocation.key(name(keys));
                    });
                }
                let to = to.map(|to| to.to_string()).unwrap_or_default();
                invocation.arg(self.partitions().get()).arg(to);
                invocation.arg(leases.len()).arg(self.partitions().get());
            })
            .await?;
        let mut words = answer.into_iter();
        match words.next().as_deref() {
            Some("OK") => Ok(()),
            Some("RUNS") => Err(RepartitionError::Runs),
            Some("CHANGED") => Err(RepartitionError::Changed(words.next().unwrap_or_default())),
            Some("WAITS") => {
                let names = kinds.into_iter().map(|(name, _)| name);
                let counts = words.map(|count| count.parse().unwrap_or_default());
                let waiting = names.zip(counts).filter(|(_, count)| *count > 0);
                Err(RepartitionError::Waits(waiting.collect()))
            }
            _ => Err(RepartitionError::Unexpected),
        }
    }
}
