//! `worker stock unread`: pushes that nobody could read, which wait in Redis for an operator.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use runtime::{Operator, agreed, print};
use streams::{Redis, RedisConfig, StockPush};

use crate::domain::Domain;
use crate::stock::{id_of, pushed};

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
    /// Print them, oldest first: id, when it came, size, and why it cannot be read.
    List,
    /// Print one as it came. It may hold what the trade pays.
    Show {
        /// Its id in the list.
        id: String,
    },
    /// Put them back, to be read behind what waits: after the mapping was mended. One that came before what is
    /// known of the same thing is refused.
    Replay {
        #[command(flatten)]
        choice: Choice,
        /// Also what is older than what is known, what came nobody knows when, and what cannot be read still.
        #[arg(long)]
        force: bool,
    },
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
    /// Ids in the list.
    ids: Vec<String>,
    /// All.
    #[arg(long)]
    all: bool,
}

impl UnreadArgs {
    /// Does what is asked. Exit code 1 when an id is not in the list, or a replay is refused.
    ///
    /// # Errors
    /// When Redis or the output fails, or a question is not answered with yes.
    pub(super) async fn run(&self, domain: &Domain) -> anyhow::Result<ExitCode> {
        let redis = Redis::of_deployment(&self.redis).await?;
        let unread = redis.stock_unread().await?;
        match &self.action {
            Action::List => {
                for push in &unread {
                    print(&line(push, domain))?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Action::Show { id } => {
                let Some(push) = unread.iter().find(|push| push.id() == *id) else {
                    print(&format!("there is no {id}"))?;
                    return Ok(ExitCode::FAILURE);
                };
                print(&String::from_utf8_lossy(&push.text))?;
                Ok(ExitCode::SUCCESS)
            }
            Action::Replay { choice, force } => {
                let mut replayed = 0;
                let chosen = choice.of(&unread);
                for push in &chosen {
                    if let Some(why) = refusal(&redis, domain, push).await?.filter(|_| !force) {
                        print(&format!("{} is not replayed: {why}", push.id()))?;
                        continue;
                    }
                    if !redis.replay_stock_unread(push, *force).await? {
                        bail!("too many pushes wait to be read");
                    }
                    replayed += 1;
                }
                let whole = replayed == chosen.len() && choice.is_met_by(&chosen);
                self.done(&redis, "replayed", replayed, whole).await
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
                let whole = choice.is_met_by(&chosen);
                self.done(&redis, "discarded", chosen.len(), whole).await
            }
        }
    }

    async fn done(
        &self,
        redis: &Redis,
        done: &str,
        count: usize,
        whole: bool,
    ) -> anyhow::Result<ExitCode> {
        if count > 0 {
            let act = format!("{done} {count} unread pushes of stock");
            self.operator.note(redis, &act).await?;
        }
        print(&format!("{count} {done}"))?;
        Ok(if whole {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Choice {
    /// Those that are chosen; an id that the list does not have is none.
    fn of<'u>(&self, unread: &'u [StockPush]) -> Vec<&'u StockPush> {
        let is_chosen = |push: &&StockPush| self.all || self.ids.contains(&push.id());
        unread.iter().filter(is_chosen).collect()
    }

    /// Whether those are all that were asked for.
    fn is_met_by(&self, chosen: &[&StockPush]) -> bool {
        let chosen: Vec<String> = chosen.iter().map(|push| push.id()).collect();
        self.ids.iter().all(|id| chosen.contains(id))
    }
}

/// Why a push had better not be replayed.
async fn refusal(
    redis: &Redis,
    domain: &Domain,
    push: &StockPush,
) -> anyhow::Result<Option<String>> {
    let read = match pushed(domain, &push.text) {
        Ok(read) => read,
        Err(why) => return Ok(Some(format!("it cannot be read still: {why}"))),
    };
    let Some(at) = push.at else {
        let why = "it is not known when it came; --force takes it for the newest";
        return Ok(Some(why.into()));
    };
    let ids: Vec<String> = read.iter().map(id_of).collect();
    let newest = redis.stock_newest(&ids).await?;
    let newer = ids.iter().zip(newest);
    let newer = newer.filter(|(_, newest)| newest.is_some_and(|newest| newest > at));
    Ok(newer
        .map(|(id, _)| id)
        .next()
        .map(|id| format!("something newer of {id} was taken over; --force overwrites that")))
}

fn line(push: &StockPush, domain: &Domain) -> String {
    let why = match pushed(domain, &push.text) {
        Ok(_) => "can be read now: replay it".to_owned(),
        Err(why) => why,
    };
    let at = push
        .at
        .map_or_else(|| "-".to_owned(), |at| format!("{at:.0}"));
    let (id, size) = (push.id(), push.text.len());
    format!("{id} {at:<20} {size:>7} bytes  {why}")
}
