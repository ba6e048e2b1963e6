//! `console hash-password`, `console tokens`, `console sessions`.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{CommandError, Place};
use crate::access::password::{PasswordError, hash};
use crate::access::secret;

/// `console hash-password`.
#[derive(Debug, Clone, Args)]
pub struct HashPasswordArgs {}

impl HashPasswordArgs {
    /// Reads a line and prints its hash.
    ///
    /// # Errors
    /// When the password is too short, or the line cannot be read.
    pub fn run(&self) -> Result<(), CommandError> {
        let input = io::stdin();
        if input.is_terminal() {
            runtime::print(&"The password, then Enter (it is shown):")?;
        }
        let mut line = String::new();
        input.lock().read_line(&mut line)?;
        let hash = hash(line.trim_end_matches(['\r', '\n'])).map_err(|error| match error {
            PasswordError::Length => CommandError::Given(error.to_string()),
            error @ PasswordError::Hash(_) => error.into(),
        })?;
        runtime::print(&hash)?;
        Ok(())
    }
}

/// `console tokens`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub struct TokensArgs {
    #[command(subcommand)]
    action: TokensAction,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Subcommand)]
enum TokensAction {
    /// Print the programs that may use the API.
    List,
    /// Let a program use the API, and print its token: nobody can see it again.
    Add {
        /// What the program is called.
        name: String,
    },
    /// Take the right from a program.
    Remove {
        /// What the program is called.
        name: String,
    },
}

impl TokensArgs {
    /// Does what is asked. Exit code 1 when there is no such program, or one already.
    ///
    /// # Errors
    /// When the CRM or the output fails.
    pub async fn run(&self) -> Result<ExitCode, CommandError> {
        let crm = self.place.crm().await?;
        let (said, is_done, act) = match &self.action {
            TokensAction::List => {
                let mut lines = Vec::new();
                for token in crm.tokens().await? {
                    let used = token.used_at.as_deref().unwrap_or("never");
                    lines.push(format!(
                        "{:<24} since {}  used {used}",
                        token.name, token.created_at
                    ));
                }
                (lines.join("\n"), true, None)
            }
            TokensAction::Add { name } => {
                let token = format!("pd_{}", secret());
                match crm.add_token(&token, name, Timestamp::now()).await? {
                    true => (token, true, Some(("token.add", name))),
                    false => (format!("there is a program {name} already"), false, None),
                }
            }
            TokensAction::Remove { name } => match crm.remove_token(name).await? {
                true => {
                    let said = format!("{name} may not use the API any more");
                    (said, true, Some(("token.remove", name)))
                }
                false => (format!("there is no program {name}"), false, None),
            },
        };
        if !said.is_empty() {
            runtime::print(&said)?;
        }
        // After the token is printed: it cannot be seen again.
        if let Some((act, name)) = act {
            self.place.note(&crm, act, Some(name.as_str())).await?;
        }
        Ok(code(is_done))
    }
}

/// `console sessions`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub struct SessionsArgs {
    #[command(subcommand)]
    action: SessionsAction,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Subcommand)]
enum SessionsAction {
    /// Print who is logged in.
    List,
    /// Log somebody out, or everybody.
    End {
        /// As `list` prints it.
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// Everybody.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

impl SessionsArgs {
    /// Does what is asked. Exit code 1 when nobody was logged out.
    ///
    /// # Errors
    /// When the CRM or the output fails.
    pub async fn run(&self) -> Result<ExitCode, CommandError> {
        let crm = self.place.crm().await?;
        match &self.action {
            SessionsAction::List => {
                for session in crm.sessions(Timestamp::now()).await? {
                    let (id, operator) = (session.id, session.operator);
                    let (since, seen) = (session.created_at, session.seen_at);
                    runtime::print(&format!("{id}  {operator:<20} since {since}  seen {seen}"))?;
                }
                Ok(ExitCode::SUCCESS)
            }
            SessionsAction::End { id, all } => {
                let id = id.as_deref().filter(|_| !all);
                let ended = crm.end_sessions(id).await?;
                runtime::print(&format!("{ended} ended"))?;
                if ended > 0 {
                    let subject = all.then_some("all");
                    self.place.note(&crm, "session.end", subject).await?;
                }
                Ok(code(ended > 0))
            }
        }
    }
}

fn code(is_done: bool) -> ExitCode {
    if is_done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
