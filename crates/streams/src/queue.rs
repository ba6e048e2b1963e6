use std::fmt;

use serde::{Deserialize, Serialize};

/// The partitioned work queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Queue {
    /// From ingress to the worker.
    Inbound,
    /// From the worker (and, for delivery reports, ingress) to egress.
    Outbound,
    /// From the worker to itself: CRM writes that could not be made at once.
    Crm,
}

impl Queue {
    /// All queues.
    pub const ALL: [Self; 3] = [Self::Inbound, Self::Outbound, Self::Crm];

    /// The name in metrics, logs and the command line.
    pub const fn as_str(self) -> &'static str {
        self.pick("inbound", "outbound", "crm")
    }

    /// The consumer group that reads the queue's streams.
    pub(crate) const fn group(self) -> &'static str {
        self.pick("worker", "egress", "crm")
    }

    pub(crate) const fn pick(
        self,
        inbound: &'static str,
        outbound: &'static str,
        crm: &'static str,
    ) -> &'static str {
        match self {
            Self::Inbound => inbound,
            Self::Outbound => outbound,
            Self::Crm => crm,
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
