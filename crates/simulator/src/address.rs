//! One customer has a different address with every provider. These are the conversions.

/// The customer behind an address: `+31612345678` of `whatsapp:+31612345678`, of
/// `31612345678@c.us` and of `31612345678`. What holds no phone number (a LID, a group, a
/// business-scoped id) stays as it is, without the `whatsapp:` prefix.
///
/// A blank in front counts as `+`, because that is what an unescaped `+` in a query becomes.
pub fn customer(address: &str) -> String {
    let trimmed = address.trim();
    let local = trimmed
        .strip_prefix("whatsapp:")
        .map_or(trimmed, str::trim_start);
    let number = local
        .strip_suffix("@c.us")
        .or_else(|| local.strip_suffix("@s.whatsapp.net"))
        .unwrap_or(local);
    if number.len() >= 7 && is_digits(number) {
        format!("+{number}")
    } else {
        local.to_owned()
    }
}

/// The address as Twilio writes it: `whatsapp:` in front of what has no channel prefix yet.
pub fn whatsapp(address: &str) -> String {
    if address.contains(':') {
        address.to_owned()
    } else {
        format!("whatsapp:{address}")
    }
}

/// The chat id as WAHA writes it: `31612345678@c.us` of a number, anything with an `@` unchanged.
pub fn chat_id(address: &str) -> String {
    if address.contains('@') {
        return address.to_owned();
    }
    let local = address.strip_prefix("whatsapp:").unwrap_or(address);
    format!("{}@c.us", local.trim_start_matches('+'))
}

/// The digits of a phone number, `None` for an address without one.
pub fn digits(address: &str) -> Option<String> {
    customer(address)
        .strip_prefix('+')
        .filter(|digits| is_digits(digits))
        .map(str::to_owned)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customer_has_one_name_whatever_the_channel() {
        for address in [
            "+31612345678",
            "whatsapp:+31612345678",
            " 31612345678",
            "whatsapp: 31612345678",
            "31612345678@c.us",
            "31612345678@s.whatsapp.net",
            "31612345678",
        ] {
            assert_eq!(customer(address), "+31612345678", "{address}");
        }
    }

    #[test]
    fn addresses_without_a_phone_number_stay_as_they_are() {
        for address in ["4711@lid", "120363@g.us", "NL.4566abc"] {
            assert_eq!(customer(address), address);
            assert_eq!(digits(address), None);
        }
        assert_eq!(customer("whatsapp:NL.4566abc"), "NL.4566abc");
    }

    #[test]
    fn every_provider_gets_its_own_spelling() {
        assert_eq!(whatsapp("+31612345678"), "whatsapp:+31612345678");
        assert_eq!(whatsapp("whatsapp:+316"), "whatsapp:+316");
        assert_eq!(chat_id("+31612345678"), "31612345678@c.us");
        assert_eq!(chat_id("4711@lid"), "4711@lid");
    }
}
