use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::delivery::DeliveryPlan;
use crate::provider::Endpoint;

/// What goes wrong. Whether the provider took the call all the same is exact for each of them, see
/// [`Fault::accepts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// A refusal in the provider's own form.
    Error {
        /// HTTP status.
        #[serde(default = "defaults::bad_request")]
        status: u16,
        /// Error code of the provider, where it has codes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u32>,
        /// Text of the error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// 429 in the provider's own form.
    RateLimited {
        /// `Retry-After` in seconds; no such header when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_secs: Option<u64>,
    },
    /// A 5xx (or any other status) of the server or of the proxy before it.
    ServerError {
        /// HTTP status.
        #[serde(default = "defaults::server_error")]
        status: u16,
        /// Form of the body.
        #[serde(default)]
        body: ErrorBody,
        /// Whether the call was taken before it went wrong.
        #[serde(default)]
        accept: bool,
    },
    /// The right status and no body.
    EmptyBody {
        /// Whether the call was taken.
        #[serde(default = "defaults::yes")]
        accept: bool,
    },
    /// Taken; the answer's JSON has other types than documented.
    WrongTypes {},
    /// Taken; the right body under another status.
    WrongStatus {
        /// HTTP status.
        #[serde(default = "defaults::ok")]
        status: u16,
    },
    /// Sent elsewhere. Who follows reaches the same endpoint, without faults.
    Redirect {
        /// HTTP status, 301 to 308.
        #[serde(default = "defaults::temporary_redirect")]
        status: u16,
        /// Where to; the same path with `?redirected=true` when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<String>,
    },
    /// A body of this size, streamed.
    HugeBody {
        /// Bytes of the body.
        bytes: u64,
        /// Whether the call was taken.
        #[serde(default = "defaults::yes")]
        accept: bool,
    },
    /// Taken at once, answered later.
    Delay {
        /// Milliseconds before the answer.
        ms: u64,
    },
    /// No answer ever; the connection stays open.
    Timeout {
        /// Whether the call was taken.
        #[serde(default = "defaults::yes")]
        accept: bool,
    },
    /// The connection is reset instead of an answer.
    Reset {
        /// Whether the call was taken.
        #[serde(default = "defaults::yes")]
        accept: bool,
    },
    /// The answer starts, then nothing more comes.
    Stall {
        /// Bytes of the body that come.
        #[serde(default = "defaults::a_few_bytes")]
        after_bytes: usize,
        /// Whether the call was taken.
        #[serde(default = "defaults::yes")]
        accept: bool,
    },
    /// The answer starts, then the connection is reset.
    ResetMidBody {
        /// Bytes of the body that come.
        #[serde(default = "defaults::a_few_bytes")]
        after_bytes: usize,
        /// Whether the call was taken.
        #[serde(default = "defaults::yes")]
        accept: bool,
    },
    /// WAHA cannot find the message that a reply quotes, and sends nothing; a message without a quote
    /// is sent.
    QuoteNotFound {},
    /// A list of messages that does not know the newest ones yet.
    Stale {
        /// Messages younger than this many milliseconds are missing.
        lag_ms: u64,
    },
    /// An event of Chatwoot's API inbox comes twice.
    EventTwice {},
    /// An event of Chatwoot's API inbox is lost: nobody repeats it.
    EventLost {},
    /// Chatwoot's server is of early 2025: it drops attributes of messages that it does not know, and no
    /// event says who did something, or what changed.
    OldServer {},
    /// Another course of delivery than the usual one.
    Delivery(DeliveryPlan),
}

/// Form of an error's body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// As the provider documents its errors.
    #[default]
    Json,
    /// A page of a proxy.
    Html,
    /// Nothing.
    Empty,
}

impl Fault {
    /// Whether the provider takes a call that meets this fault.
    pub fn accepts(&self) -> bool {
        match self {
            Self::Error { .. }
            | Self::RateLimited { .. }
            | Self::Redirect { .. }
            | Self::QuoteNotFound {} => false,
            Self::WrongTypes {}
            | Self::WrongStatus { .. }
            | Self::Delay { .. }
            | Self::Stale { .. }
            | Self::EventTwice {}
            | Self::EventLost {}
            | Self::OldServer {}
            | Self::Delivery(_) => true,
            Self::ServerError { accept, .. }
            | Self::EmptyBody { accept }
            | Self::HugeBody { accept, .. }
            | Self::Timeout { accept }
            | Self::Reset { accept }
            | Self::Stall { accept, .. }
            | Self::ResetMidBody { accept, .. } => *accept,
        }
    }

    /// The word for it in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Error { .. } => "error",
            Self::RateLimited { .. } => "rate_limited",
            Self::ServerError { .. } => "server_error",
            Self::EmptyBody { .. } => "empty_body",
            Self::WrongTypes {} => "wrong_types",
            Self::WrongStatus { .. } => "wrong_status",
            Self::Redirect { .. } => "redirect",
            Self::HugeBody { .. } => "huge_body",
            Self::Delay { .. } => "delay",
            Self::Timeout { .. } => "timeout",
            Self::Reset { .. } => "reset",
            Self::Stall { .. } => "stall",
            Self::ResetMidBody { .. } => "reset_mid_body",
            Self::QuoteNotFound {} => "quote_not_found",
            Self::Stale { .. } => "stale",
            Self::EventTwice {} => "event_twice",
            Self::EventLost {} => "event_lost",
            Self::OldServer {} => "old_server",
            Self::Delivery(_) => "delivery",
        }
    }

    /// The moment up to which a stale list knows the messages; `None` when it knows all.
    pub(crate) fn known_until(&self, now: Timestamp) -> Option<Timestamp> {
        let Self::Stale { lag_ms } = self else {
            return None;
        };
        let lag = SignedDuration::from_millis(i64::try_from(*lag_ms).unwrap_or(i64::MAX));
        Some(now.checked_sub(lag).unwrap_or(Timestamp::MIN))
    }

    /// What a refused call is counted under: the error code, else the status, else the kind.
    pub(super) fn refusal(&self) -> String {
        match self {
            Self::Error {
                code: Some(code), ..
            } => code.to_string(),
            Self::Error { status, .. }
            | Self::ServerError { status, .. }
            | Self::Redirect { status, .. } => status.to_string(),
            Self::RateLimited { .. } => "429".to_owned(),
            Self::QuoteNotFound {} => "500".to_owned(),
            Self::EmptyBody { .. }
            | Self::WrongTypes {}
            | Self::WrongStatus { .. }
            | Self::HugeBody { .. }
            | Self::Delay { .. }
            | Self::Timeout { .. }
            | Self::Reset { .. }
            | Self::Stall { .. }
            | Self::ResetMidBody { .. }
            | Self::Stale { .. }
            | Self::EventTwice {}
            | Self::EventLost {}
            | Self::OldServer {}
            | Self::Delivery(_) => self.kind().to_owned(),
        }
    }

    /// Whether it can happen to such a call at all.
    pub(super) fn fits(&self, endpoint: Endpoint) -> bool {
        match self {
            Self::Delivery(_) => endpoint == Endpoint::Delivery,
            Self::Stale { .. } => endpoint == Endpoint::List,
            Self::EventTwice {} | Self::EventLost {} => endpoint == Endpoint::Event,
            Self::OldServer {} => endpoint == Endpoint::Server,
            _ => ![Endpoint::Delivery, Endpoint::Event, Endpoint::Server].contains(&endpoint),
        }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        let status = match self {
            Self::Error { status, .. }
            | Self::ServerError { status, .. }
            | Self::WrongStatus { status }
            | Self::Redirect { status, .. } => *status,
            _ => 200,
        };
        if !(200..=599).contains(&status) {
            return Err("status must lie between 200 and 599".to_owned());
        }
        match self {
            Self::Delivery(plan) => plan.validate(),
            _ => Ok(()),
        }
    }
}

/// Values of fields that are left out.
mod defaults {
    pub(super) fn yes() -> bool {
        true
    }

    pub(super) fn ok() -> u16 {
        200
    }

    pub(super) fn temporary_redirect() -> u16 {
        307
    }

    pub(super) fn bad_request() -> u16 {
        400
    }

    pub(super) fn server_error() -> u16 {
        500
    }

    pub(super) fn a_few_bytes() -> usize {
        20
    }
}
