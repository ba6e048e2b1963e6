//! The errors that every webhook endpoint may answer, for the API description.

use utoipa::IntoResponses;

use crate::reply::ErrorBody;

#[derive(IntoResponses)]
#[expect(
    dead_code,
    reason = "the attributes are read, the variants never built"
)]
pub(crate) enum Refusals {
    /// It cannot be read; or it is genuine but not usable, and kept as rejected.
    #[response(status = 400)]
    Unusable(ErrorBody),
    /// The signature is missing, wrong or too old.
    #[response(status = 403)]
    NotGenuine(ErrorBody),
    /// The body did not arrive in time.
    #[response(status = 408)]
    SlowBody(ErrorBody),
    /// The body is larger than 64 KiB (Twilio) or 1 MiB (WAHA, Chatwoot).
    #[response(status = 413)]
    LargeBody(ErrorBody),
    /// The conversation, all together, or an unverified client have used their budget up; see
    /// Retry-After.
    #[response(status = 429)]
    RateLimited(ErrorBody),
    /// The headers are larger than 16 KiB.
    #[response(status = 431)]
    LargeHeaders(ErrorBody),
}
