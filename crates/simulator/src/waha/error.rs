use serde_json::json;

use super::state::SessionStatus;
use crate::answer::Answer;

/// An error in the shape of WAHA's web framework: `statusCode`, `message` and, where it has a name,
/// `error`.
pub(crate) fn error(status: u16, message: Option<String>) -> Answer {
    let name = match status {
        400 => Some("Bad Request"),
        404 => Some("Not Found"),
        422 => Some("Unprocessable Entity"),
        429 => Some("Too Many Requests"),
        _ => None,
    };
    let usual = match status {
        401 => "Unauthorized",
        500 => "Internal server error",
        _ => name.unwrap_or("Error"),
    };
    let message = message.unwrap_or_else(|| usual.to_owned());
    let body = match name {
        Some(name) => json!({ "statusCode": status, "message": message, "error": name }),
        None => json!({ "statusCode": status, "message": message }),
    };
    Answer::json(status, &body)
}

/// The body has not the fields that it should have.
pub(super) fn invalid(problems: &[String]) -> Answer {
    Answer::json(
        422,
        &json!({ "statusCode": 422, "message": problems, "error": "Unprocessable Entity" }),
    )
}

/// The session exists, but cannot send.
pub(super) fn not_working(session: &str, status: SessionStatus) -> Answer {
    Answer::json(
        422,
        &json!({
            "error": "Session status is not as expected. Try again later or restart the session",
            "session": session,
            "status": status,
            "expected": ["WORKING"],
        }),
    )
}
