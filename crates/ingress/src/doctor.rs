//! `ingress doctor`: finds out why a webhook is refused, or what is wrong with the configuration.

mod config;
mod inbox;
mod signature;
mod spool;
mod variants;

pub use config::{ConfigArgs, examine_config};
pub use signature::{SignatureArgs, examine_signature};

/// What the doctor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The findings, one a line.
    pub lines: Vec<String>,
    /// What to do now; the last line.
    pub advice: String,
    /// Whether nothing has to be done.
    pub healthy: bool,
}

impl std::fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        write!(
            f,
            "\n{}: {}",
            if self.healthy {
                "All is well"
            } else {
                "What to do"
            },
            self.advice
        )
    }
}
