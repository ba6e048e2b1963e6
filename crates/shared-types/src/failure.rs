use serde::{Deserialize, Serialize};

/// What a failed send calls for. Decided where the error is born; everything later only matches.
///
/// The letters are those of the error table in `egress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// P: this message will never go; do not try again.
    Permanent,
    /// C: our account or configuration is wrong; stop this sender and tell the operator.
    Configuration,
    /// T: try again later.
    Transient,
    /// W: the channel wants something else sent, such as a template.
    Window,
}

impl FailureClass {
    /// The name in metric labels and dead letters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Configuration => "configuration",
            Self::Transient => "transient",
            Self::Window => "window",
        }
    }
}
