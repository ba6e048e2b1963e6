//! The person at the command line: who it is, and whether they mean it.

use std::io::{self, IsTerminal, Write};

use clap::Args;
use streams::Redis;

use crate::output::print;

/// Who acts.
#[derive(Debug, Clone, Args)]
pub struct Operator {
    /// Who does this, for `worker acts`.
    #[arg(long, env = "USER", default_value = "unknown", value_name = "NAME")]
    by: String,
}

impl Operator {
    /// Who it is, by their own word.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.by
    }

    /// Notes what was done. What cannot be noted is said; it is done all the same.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub async fn note(&self, redis: &Redis, what: &str) -> io::Result<()> {
        match redis.note_act(&self.by, what).await {
            Ok(()) => Ok(()),
            Err(error) => print(&format!("done, but not noted for `worker acts`: {error}")),
        }
    }
}

/// Asks a question on the terminal. Without one the answer is no.
///
/// # Errors
/// When the terminal cannot be read or written.
pub fn agreed(question: &str) -> io::Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    write!(io::stdout(), "{question} [y/N] ")?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(
        answer.trim(),
        "y" | "Y" | "yes" | "j" | "J" | "ja"
    ))
}
