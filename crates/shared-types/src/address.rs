use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing but the channel prefix, or nothing at all.
    #[error("the address is empty")]
    Empty,
    /// Longer than [`ChannelAddress::MAX_LEN`] bytes.
    #[error("the address is longer than 256 bytes")]
    TooLong,
    /// White space or a control character.
    #[error("the address contains white space or control characters")]
    Forbidden,
    /// Starts like a phone number but is not one in E.164 form.
    #[error("the phone number is not in E.164 form (+ and 2 to 15 digits, no leading zero)")]
    NotE164,
}

/// A phone number in E.164 form: `+` and 2 to 15 digits, the first not zero.
///
/// `Debug` shows the number masked; `Display` shows it whole.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// The number with its leading `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PhoneNumber {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('+').ok_or(AddressError::NotE164)?;
        let well_formed = (2..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(AddressError::NotE164)
        }
    }
}

/// An opaque address on a channel: `whatsapp:+31612345678`, `31612345678@c.us`, `4711@lid`.
///
/// It is the key of a conversation. It need not hold a phone number: a WhatsApp user may be known
/// by a business-scoped id or a LID only. `Debug` shows it masked; `Display` shows it whole.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelAddress(String);

impl ChannelAddress {
    /// The longest address accepted, in bytes.
    pub const MAX_LEN: usize = 256;

    /// The address as the provider wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The phone number inside the address, where there is one: the number as it is dialled, not
    /// the WhatsApp id, which is another text in some countries.
    pub fn phone_number(&self) -> Option<PhoneNumber> {
        let local = self.local_part();
        let digits = local
            .strip_prefix('+')
            .or_else(|| local.strip_suffix("@c.us"))?;
        crate::phone_number_of(digits)
    }

    /// The name of who has the address, the same for all spellings of one number: `tel:+525512345679`
    /// for `whatsapp:+5215512345679` and `5215512345679@c.us`.
    pub fn name(&self) -> String {
        match self.phone_number() {
            Some(number) => format!("tel:{number}"),
            None => self.to_string(),
        }
    }

    /// The address without its channel prefix: `+31612345678` of `whatsapp:+31612345678`.
    pub fn local_part(&self) -> &str {
        local_part(&self.0)
    }
}

fn local_part(address: &str) -> &str {
    address.split_once(':').map_or(address, |(_, local)| local)
}

impl FromStr for ChannelAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let local = local_part(text);
        if local.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(AddressError::TooLong);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(AddressError::Forbidden);
        }
        if local.starts_with('+') {
            local.parse::<PhoneNumber>()?;
        }
        Ok(Self(text.to_owned()))
    }
}

/// Conversions that serde, `Display` and a masked `Debug` need, alike for both address types.
macro_rules! address_conversions {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = AddressError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(address: $name) -> Self {
                address.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "{}({})",
                    stringify!($name),
                    crate::Masking::On.show(&self.0)
                )
            }
        }
    };
}

address_conversions!(PhoneNumber);
address_conversions!(ChannelAddress);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e164_is_enforced_only_where_the_address_is_a_phone_number() {
        for good in [
            "whatsapp:+31612345678",
            "whatsapp:NL.4566abc",
            "31612345678@c.us",
            "9@lid",
        ] {
            assert!(good.parse::<ChannelAddress>().is_ok(), "{good}");
        }
        for (bad, why) in [
            ("whatsapp:+0612345678", AddressError::NotE164),
            ("whatsapp:+316123456789012345", AddressError::NotE164),
            ("whatsapp:+31 612345678", AddressError::Forbidden),
            ("whatsapp:+31612a45678", AddressError::NotE164),
            ("whatsapp:", AddressError::Empty),
            ("", AddressError::Empty),
        ] {
            assert_eq!(bad.parse::<ChannelAddress>(), Err(why), "{bad}");
        }
    }

    #[test]
    fn phone_number_is_found_where_there_is_one() {
        let phone = |text: &str| {
            let address: ChannelAddress = text.parse().unwrap();
            address.phone_number().map(String::from)
        };
        assert_eq!(
            phone("whatsapp:+31612345678").as_deref(),
            Some("+31612345678")
        );
        assert_eq!(phone("31612345678@c.us").as_deref(), Some("+31612345678"));
        assert_eq!(phone("4711@lid"), None);
        assert_eq!(phone("whatsapp:NL.4566abc"), None);
    }

    #[test]
    fn debug_output_hides_the_number() {
        let address: ChannelAddress = "whatsapp:+31612345678".parse().unwrap();
        assert_eq!(
            format!("{address:?}"),
            "ChannelAddress(whatsapp:+31*******78)"
        );
    }
}
