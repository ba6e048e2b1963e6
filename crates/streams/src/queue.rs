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
    /// From worker and egress to egress: what a help desk is shown of other channels' conversations.
    Mirror,
}

impl Queue {
    /// All queues.
    pub const ALL: [Self; 4] = [Self::Inbound, Self::Outbound, Self::Crm, Self::Mirror];

    /// The name in metrics, logs and the command line.
    pub const fn as_str(self) -> &'static str {
        self.pick("inbound", "outbound", "crm", "mirror")
    }

    /// The consumer group that reads the queue's streams.
    pub(crate) const fn group(self) -> &'static str {
        self.pick("worker", "egress", "crm", "mirror")
    }

    pub(crate) const fn pick(
        self,
        inbound: &'static str,
        outbound: &'static str,
        crm: &'static str,
        mirror: &'static str,
    ) -> &'static str {
        match self {
            Self::Inbound => inbound,
            Self::Outbound => outbound,
            Self::Crm => crm,
            Self::Mirror => mirror,
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
