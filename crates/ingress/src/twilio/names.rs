//! Names of parameters that cannot be mistaken. Pure.
//!
//! Twilio signs names and values one after the other, without anything between: `Body` with the
//! value `hiX1` and `Body` with `hi` beside `X` with `1` have the same signature (Twilio, "Webhooks
//! security"). So a name must look like one, and must not be a known name with the beginning of its
//! value.

use super::Params;

/// What Twilio sends with a WhatsApp message or a status callback, by its documentation and by what
/// was seen. A trailing `#` stands for a number.
const KNOWN: &[&str] = &[
    "AccountSid",
    "AddOns",
    "Address",
    "ApiVersion",
    "Body",
    "ButtonPayload",
    "ButtonText",
    "ButtonType",
    "ChannelInstallSid",
    "ChannelMetadata",
    "ChannelPrefix",
    "ChannelStatusCode",
    "ChannelStatusMessage",
    "ChannelToAddress",
    "ErrorCode",
    "ErrorMessage",
    "EventType",
    "ExternalUserId",
    "FlowData",
    "Forwarded",
    "FrequentlyForwarded",
    "From",
    "FromCity",
    "FromCountry",
    "FromState",
    "FromZip",
    "InteractiveData",
    "Label",
    "Latitude",
    "ListDescription",
    "ListId",
    "ListTitle",
    "Longitude",
    "MediaContentType#",
    "MediaSid#",
    "MediaUrl#",
    "MessageSid",
    "MessageStatus",
    "MessageType",
    "MessagingServiceSid",
    "NumMedia",
    "NumSegments",
    "OptOutType",
    "OriginalRepliedMessageSender",
    "OriginalRepliedMessageSid",
    "ProfileName",
    "RawDlrDoneDate",
    "ReferralBody",
    "ReferralCtwaClid",
    "ReferralHeadline",
    "ReferralMediaContentType",
    "ReferralMediaId",
    "ReferralMediaUrl",
    "ReferralNumMedia",
    "ReferralSourceId",
    "ReferralSourceType",
    "ReferralSourceUrl",
    "SmsMessageSid",
    "SmsSid",
    "SmsStatus",
    "StructuredMessage",
    "To",
    "ToCity",
    "ToCountry",
    "ToState",
    "ToZip",
    "WaId",
];

/// Whether some name could be a part of another name or value.
pub(crate) fn are_ambiguous(params: &Params<'_>) -> bool {
    params
        .names()
        .any(|name| !is_plain(name) || hides_a_known_name(name))
}

fn is_plain(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !name.is_empty() && name.iter().all(plain)
}

/// Whether a known name is followed by more, while the whole is no known name.
fn hides_a_known_name(name: &[u8]) -> bool {
    let rest = |known: &&str| match known.strip_suffix('#') {
        Some(stem) => name.strip_prefix(stem.as_bytes()).map(without_digits),
        None => name.strip_prefix(known.as_bytes()),
    };
    // Asked for each name of each webhook: most known names differ in their first letter already.
    let similar = KNOWN
        .iter()
        .filter(|known| known.as_bytes().first() == name.first());
    let mut rests = similar.filter_map(rest).peekable();
    rests.peek().is_some() && rests.all(|rest| !rest.is_empty())
}

fn without_digits(text: &[u8]) -> &[u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.get(digits..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ambiguous(body: &str) -> bool {
        are_ambiguous(&Params::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn known_names_and_unknown_plain_ones_are_fine() {
        for body in [
            "Body=x&From=y&FromCity=z&To=a&ToZip=b&NumMedia=2&MediaUrl0=u&MediaUrl10=u",
            "MediaContentType3=image%2Fpng&SmsSid=1&MessageSid=1&Novelty=1&_x=1&0=1",
            "",
        ] {
            assert!(!ambiguous(body), "{body}");
        }
    }

    #[test]
    fn names_that_swallow_a_value_are_noticed() {
        for body in [
            "BodyIk=x",
            "Bodyhi=",
            "FromCityAmsterdam=1",
            "MediaUrl0https=x",
            "Fromwhatsapp=%2B31",
            "Body%20hi=x",
            "na-me=x",
            "%C3%A9=x",
            "=x",
        ] {
            assert!(ambiguous(body), "{body}");
        }
    }
}
