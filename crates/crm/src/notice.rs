//! What colleagues are told. Pure.

use serde_json::{Map, Value};

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A customer waits for a colleague.
    HandoverOpened,
    /// Nobody took a hand-over by the time by which the customer should have heard.
    HandoverUnanswered,
    /// A colleague has it.
    HandoverTaken,
    /// It has ended.
    HandoverClosed,
    /// Nothing is missing of a lead.
    LeadCompleted,
    /// A customer wants an appointment, or another moment for it.
    AppointmentWanted,
    /// A customer wants their data to be erased.
    ErasureRequested,
    /// Messages could not be handled.
    DeadLetterAdded,
    /// Messages to customers do not leave over a channel, or a channel of these notices was switched
    /// off.
    ChannelDown,
    /// A feed of what is for sale is not believed; what was kept stays.
    StockSuspect,
    /// Something in stock fits the wish of a lead that nothing fitted.
    StockMatch,
    /// Somebody tries a channel.
    Test,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::HandoverOpened,
        Self::HandoverUnanswered,
        Self::HandoverTaken,
        Self::HandoverClosed,
        Self::LeadCompleted,
        Self::AppointmentWanted,
        Self::ErasureRequested,
        Self::DeadLetterAdded,
        Self::ChannelDown,
        Self::StockSuspect,
        Self::StockMatch,
        Self::Test,
    ];

    /// As receivers know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HandoverOpened => "handover.opened",
            Self::HandoverUnanswered => "handover.unanswered",
            Self::HandoverTaken => "handover.taken",
            Self::HandoverClosed => "handover.closed",
            Self::LeadCompleted => "lead.completed",
            Self::AppointmentWanted => "appointment.wanted",
            Self::ErasureRequested => "erasure.requested",
            Self::DeadLetterAdded => "dead_letter.added",
            Self::ChannelDown => "channel.down",
            Self::StockSuspect => "stock.suspect",
            Self::StockMatch => "stock.match",
            Self::Test => "test",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it is about the machine, and not about a customer: it is sent at any hour.
    #[must_use]
    pub const fn is_operational(self) -> bool {
        matches!(
            self,
            Self::DeadLetterAdded | Self::ChannelDown | Self::StockSuspect | Self::Test
        )
    }
}

/// A notice as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The same for every try and every channel.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// When it happened: UTC, RFC 3339.
    pub at: String,
    /// What there is to know.
    pub data: Map<String, Value>,
}

impl Notice {
    /// The fields that a person reads, in order; what is empty is left out. Those of what was told
    /// together with it come after.
    #[must_use]
    pub fn lines(&self) -> Vec<(String, String)> {
        let mut lines = lines_of(&self.data);
        let also = self.data.get("also").and_then(Value::as_array);
        for other in also.into_iter().flatten().filter_map(Value::as_object) {
            lines.push((String::new(), String::new()));
            lines.extend(lines_of(other));
        }
        lines
    }

    /// A field as a text; empty when there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.data
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// What only machines need.
const HIDDEN: [&str; 3] = ["also", "updated_at", "language"];

fn lines_of(data: &Map<String, Value>) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for (name, value) in data
        .iter()
        .filter(|(name, _)| !HIDDEN.contains(&name.as_str()))
    {
        match value {
            Value::Null => {}
            Value::Object(fields) => {
                let fields = fields.iter();
                lines.extend(fields.map(|(field, value)| (field.clone(), plain(value))));
            }
            value => lines.push((name.clone(), plain(value))),
        }
    }
    lines.retain(|(_, text)| !text.is_empty());
    lines
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for kind in Kind::ALL {
            assert_eq!(Kind::read(kind.as_str()), Some(kind));
        }
    }
}
