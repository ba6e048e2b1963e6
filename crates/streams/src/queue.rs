use std::fmt;

/// The two partitioned work queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// From ingress to the worker.
    Inbound,
    /// From the worker (and, for delivery reports, ingress) to egress.
    Outbound,
}

impl Queue {
    /// Both queues.
    pub const ALL: [Self; 2] = [Self::Inbound, Self::Outbound];

    /// The name in metrics, logs and the command line.
    pub const fn as_str(self) -> &'static str {
        self.pick("inbound", "outbound")
    }

    /// The consumer group that reads the queue's streams.
    pub(crate) const fn group(self) -> &'static str {
        self.pick("worker", "egress")
    }

    pub(crate) const fn pick(self, inbound: &'static str, outbound: &'static str) -> &'static str {
        match self {
            Self::Inbound => inbound,
            Self::Outbound => outbound,
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
