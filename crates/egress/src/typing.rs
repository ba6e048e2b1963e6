//! How long the bot seems to type before a message of WAHA's goes out. Pure.

use std::time::Duration;

/// How long the bot seems to type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Typing {
    /// Whether to show it at all.
    pub(crate) on: bool,
    /// Characters a second.
    pub(crate) speed: f64,
    /// The longest time.
    pub(crate) longest: Duration,
}

impl Typing {
    /// The time for a text: a beginning, its length, and a share of chance (`dice`, 0 to 1), so that
    /// no two replies take alike.
    pub(crate) fn time(self, text: &str, dice: f64) -> Duration {
        if !self.on {
            return Duration::ZERO;
        }
        #[expect(clippy::cast_precision_loss, reason = "texts are short")]
        let typed = text.chars().count() as f64 / self.speed;
        let seconds = (0.5 + typed) * (0.75 + 0.5 * dice.clamp(0.0, 1.0));
        Duration::from_secs_f64(seconds).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_takes_longer_for_longer_texts_up_to_a_limit() {
        let typing = Typing {
            on: true,
            speed: 20.0,
            longest: Duration::from_secs(6),
        };
        let short = typing.time("ja", 0.5);
        let long = typing.time(&"a".repeat(60), 0.5);
        assert!(short < long && long < Duration::from_secs(4));
        assert_eq!(typing.time(&"a".repeat(4000), 0.5), Duration::from_secs(6));
        assert!(typing.time("hallo daar", 0.0) < typing.time("hallo daar", 1.0));
        assert!(
            Typing {
                on: false,
                ..typing
            }
            .time("ja", 0.5)
            .is_zero()
        );
    }
}
