use std::fmt;
use std::str::FromStr;

/// The id of a stream entry: `milliseconds-sequence`, ordered as Redis orders it.
///
/// It tells place and arrival time. It is no idempotency key: after a failover Redis may issue the
/// same id twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StreamId {
    ms: u64,
    sequence: u64,
}

impl StreamId {
    /// Before every entry: `0-0`.
    pub const ZERO: Self = Self { ms: 0, sequence: 0 };

    /// The last id before this one.
    pub(crate) const fn before(self) -> Self {
        match (self.ms, self.sequence) {
            (0, 0) => Self::ZERO,
            (ms, 0) => Self {
                ms: ms - 1,
                sequence: u64::MAX,
            },
            (ms, sequence) => Self {
                ms,
                sequence: sequence - 1,
            },
        }
    }

    /// When Redis took the entry in, in milliseconds since 1970.
    pub fn added_at_ms(self) -> i64 {
        i64::try_from(self.ms).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.sequence)
    }
}

/// The text is no stream id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stream id looks like 1700000000000-0")]
pub struct StreamIdError;

impl FromStr for StreamId {
    type Err = StreamIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (ms, sequence) = text.split_once('-').ok_or(StreamIdError)?;
        let ms = ms.parse().map_err(|_| StreamIdError)?;
        Ok(Self {
            ms,
            sequence: sequence.parse().map_err(|_| StreamIdError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_order_by_number_and_not_by_text() {
        let id = |text: &str| text.parse::<StreamId>().unwrap();
        assert!(id("9-0") < id("10-0") && id("10-9") < id("10-10"));
        assert_eq!(id("1700000000000-3").to_string(), "1700000000000-3");
        for bad in ["", "1", "a-1", "1-", "-1"] {
            assert!(bad.parse::<StreamId>().is_err(), "{bad}");
        }
    }
}
