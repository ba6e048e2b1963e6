use std::str::FromStr;

use crate::ChannelAddress;

/// A WhatsApp number of ours, as settings write it: `+31201234567` or `whatsapp:+31201234567`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnNumber(ChannelAddress);

impl OwnNumber {
    /// The number with its channel.
    pub const fn address(&self) -> &ChannelAddress {
        &self.0
    }
}

impl FromStr for OwnNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let address = if text.contains(':') {
            text.to_owned()
        } else {
            format!("whatsapp:{text}")
        };
        let address: ChannelAddress = address.parse().map_err(|error| format!("{error}"))?;
        let is_number = address.phone_number().is_some();
        is_number
            .then_some(Self(address))
            .ok_or_else(|| "must be a number such as +31201234567".into())
    }
}
