use serde_json::json;

use crate::answer::Answer;

/// What Twilio says with each error code that the simulator may answer or call back with.
const TEXTS: [(u32, &str); 34] = [
    (20_003, "Authenticate"),
    (20_404, "The requested resource was not found"),
    (20_429, "Too Many Requests"),
    (20_500, "An internal server error has occurred"),
    (21_211, "Invalid 'To' Phone Number"),
    (21_212, "Invalid From Number (caller ID)"),
    (
        21_408,
        "Permission to send a message has not been enabled for the region",
    ),
    (21_602, "Message body is required."),
    (21_603, "A 'From' phone number is required."),
    (21_604, "A 'To' phone number is required."),
    (
        21_608,
        "The number is unverified. Trial accounts cannot send messages to unverified numbers",
    ),
    (21_609, "The 'StatusCallback' URL is not a valid URL."),
    (21_610, "Attempt to send to unsubscribed recipient"),
    (
        21_611,
        "This 'From' number has exceeded the maximum number of queued messages",
    ),
    (
        21_612,
        "The 'To' phone number is not currently reachable using the 'From' phone number",
    ),
    (21_614, "'To' number is not a valid mobile number"),
    (
        21_617,
        "The concatenated message body exceeds the 1600 character limit.",
    ),
    (21_620, "Invalid media URL(s)"),
    (21_910, "'From' and 'To' must be of the same channel"),
    (30_001, "Queue overflow"),
    (30_003, "Unreachable destination handset"),
    (30_007, "Message filtered"),
    (30_008, "Unknown error"),
    (63_001, "Channel could not authenticate the request"),
    (63_003, "Channel could not find To address"),
    (
        63_007,
        "Twilio could not find a Channel with the specified From address",
    ),
    (63_013, "Channel policy violation"),
    (63_014, "The recipient has blocked messages from the sender"),
    (
        63_015,
        "Channel Sandbox can only send messages to phone numbers that have joined the Sandbox",
    ),
    (
        63_016,
        "Failed to send freeform message because you are outside the allowed window",
    ),
    (63_017, "Channel rate limit exceeded for the account"),
    (63_018, "Rate limit exceeded for Channel"),
    (63_024, "Invalid message recipient"),
    (63_038, "Account exceeded the daily messages limit"),
];

/// Twilio's words for an error code, general words for a code that is not in the table.
pub(crate) fn error_text(code: u32) -> &'static str {
    TEXTS
        .iter()
        .find(|(known, _)| *known == code)
        .map_or("Message failed", |(_, text)| text)
}

/// A refusal of the API: code, words and HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TwilioError {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) message: String,
}

impl TwilioError {
    /// A bad request in Twilio's usual words.
    pub(super) fn bad_request(code: u32) -> Self {
        Self::new(400, code, error_text(code))
    }

    pub(super) fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, 20_003, error_text(20_003))
    }

    pub(super) fn not_found(path: &str) -> Self {
        Self::new(
            404,
            20_404,
            format!("The requested resource {path} was not found"),
        )
    }

    pub(super) fn answer(&self) -> Answer {
        let body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status,
        });
        let answer = Answer::json(self.status, &body);
        if self.status == 401 {
            answer.header("www-authenticate", "Basic realm=\"Twilio API\"")
        } else {
            answer
        }
    }
}

/// Any error, as a fault orders it.
pub(crate) fn error(status: u16, code: Option<u32>, message: Option<String>) -> Answer {
    let code = code.unwrap_or(match status {
        401 => 20_003,
        404 => 20_404,
        429 => 20_429,
        _ => 20_500,
    });
    let message = message.unwrap_or_else(|| error_text(code).to_owned());
    TwilioError::new(status, code, message).answer()
}
