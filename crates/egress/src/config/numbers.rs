//! Our numbers and how fast each may send.

use std::str::FromStr;

use shared_types::{ChannelAddress, OwnNumber};

/// Twilio's sandbox sender, and its pace of one message in three seconds (<https://www.twilio.com/docs/whatsapp/sandbox>).
pub(crate) const SANDBOX: &str = "whatsapp:+14155238886";
pub(super) const SANDBOX_PER_SECOND: f64 = 1.0 / 3.0;

/// The rate of one sender.
#[derive(Debug, Clone, PartialEq)]
pub struct SenderPace {
    sender: ChannelAddress,
    per_second: f64,
}

impl FromStr for SenderPace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (sender, rate) = text
            .split_once('=')
            .ok_or("must look like +31201234567=20")?;
        let per_second: f64 = rate
            .trim()
            .parse()
            .map_err(|_| "the rate must be a number")?;
        if !(0.0..=10_000.0).contains(&per_second) {
            return Err("the rate must be a number from 0 to 10000".into());
        }
        Ok(Self {
            sender: sender.parse::<OwnNumber>()?.address().clone(),
            per_second,
        })
    }
}

/// The rates of all Twilio senders.
#[derive(Debug, Clone)]
pub struct Paces {
    pub(super) default: f64,
    pub(super) own: Vec<SenderPace>,
    /// The sandbox has a pace of its own where Twilio itself is behind it.
    pub(super) real_twilio: bool,
}

impl Paces {
    /// Messages a second of a sender; none when there is no limit.
    pub fn of(&self, sender: &str) -> Option<f64> {
        let own = self.own.iter().find(|own| own.sender.as_str() == sender);
        let sandbox = self.real_twilio && sender == SANDBOX && self.default > 0.0;
        let rate = match own {
            Some(own) => own.per_second,
            None if sandbox => SANDBOX_PER_SECOND,
            None => self.default,
        };
        Some(rate).filter(|rate| *rate > 0.0)
    }
}
