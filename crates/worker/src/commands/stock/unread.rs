//! `worker stock unread`: pushes that nobody could read, which wait in Redis for an operator.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use runtime::{Operator, agreed, print};
use streams::{Redis, RedisConfig};

use crate::domain::Domain;
use crate::stock::pushed;

/// `worker stock unread`.
#[derive(Debug, Clone, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub(super) struct UnreadArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    redis: RedisConfig,
    #[command(flatten)]
    operator: Operator,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Print them, oldest first: number, size, and why they cannot be read.
    List,
    /// Print one as it came. It may hold what the trade pays.
    Show {
        /// Its number in the list.
        number: usize,
    },
    /// Put them back, to be read behind what waits: after the mapping was mended. One that is older than what is
    /// known of the same thing overwrites it: look at `show` first.
    Replay(Choice),
    /// Remove them for good. With --all it asks, unless --yes is given.
    Discard {
        #[command(flatten)]
        choice: Choice,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
struct Choice {
    /// Numbers in the list.
    numbers: Vec<usize>,
    /// All.
    #[arg(long)]
    all: bool,
}

impl UnreadArgs {
    /// Does what is asked. Exit code 1 when a number is not in the list.
    ///
    /// # Errors
    /// When Redis or the output fails, or a question is not answered with yes.
    pub(super) async fn run(&self, domain: &Domain) -> anyhow::Result<ExitCode> {
        let redis = Redis::of_deployment(&self.redis).await?;
        let unread = redis.stock_unread().await?;
        match &self.action {
            Action::List => {
                for (number, push) in (1..).zip(&unread) {
                    print(&line(number, push, domain))?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Action::Show { number } => {
                let Some(push) = number.checked_sub(1).and_then(|at| unread.get(at)) else {
                    print(&format!("there is no number {number}"))?;
                    return Ok(ExitCode::FAILURE);
                };
                print(&String::from_utf8_lossy(push))?;
                Ok(ExitCode::SUCCESS)
            }
            Action::Replay(choice) => {
                let chosen = choice.of(&unread);
                for push in &chosen {
                    // First put back, then removed: read twice it is the same.
                    if !redis.push_stock(push).await? {
                        bail!("too many pushes wait to be read");
                    }
                    redis.forget_stock_unread(push).await?;
                }
                self.done(&redis, "replayed", chosen.len(), choice).await
            }
            Action::Discard { choice, yes } => {
                let chosen = choice.of(&unread);
                let sure = *yes || !choice.all || chosen.is_empty();
                if !sure && !agreed(&format!("Remove {} pushes for good?", chosen.len()))? {
                    bail!("nothing is removed; add --yes to remove them for good");
                }
                for push in &chosen {
                    redis.forget_stock_unread(push).await?;
                }
                self.done(&redis, "discarded", chosen.len(), choice).await
            }
        }
    }

    async fn done(
        &self,
        redis: &Redis,
        done: &str,
        count: usize,
        choice: &Choice,
    ) -> anyhow::Result<ExitCode> {
        if count > 0 {
            let act = format!("{done} {count} unread pushes of stock");
            self.operator.note(redis, &act).await?;
        }
        print(&format!("{count} {done}"))?;
        Ok(if choice.all || count == choice.numbers.len() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Choice {
    /// Those that are chosen; a number that the list does not have is none.
    fn of<'u>(&self, unread: &'u [Vec<u8>]) -> Vec<&'u [u8]> {
        if self.all {
            return unread.iter().map(Vec::as_slice).collect();
        }
        let places = self
            .numbers
            .iter()
            .filter_map(|number| number.checked_sub(1));
        places
            .filter_map(|at| unread.get(at))
            .map(Vec::as_slice)
            .collect()
    }
}

fn line(number: usize, push: &[u8], domain: &Domain) -> String {
    let why = match pushed(domain, push) {
        Ok(_) => "can be read now: replay it".to_owned(),
        Err(why) => why,
    };
    format!("{number:>4} {:>7} bytes  {why}", push.len())
}
