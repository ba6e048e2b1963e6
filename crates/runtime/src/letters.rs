//! The command line on dead letters and rejected webhooks, alike for every service.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use shared_types::Masking;
use streams::{DeploymentError, Letter, LetterId, Queue, Redis, RedisConfig, Shelf, StreamsError};

use crate::operator::{Operator, agreed};
use crate::output::{age, print};

/// What to do with messages that were set aside.
#[derive(Debug, Clone, Args)]
// The options of Redis stand before the action or after it.
#[command(mut_args(|arg| arg.global(true)))]
pub struct LettersArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    redis: RedisConfig,
    #[command(flatten)]
    operator: Operator,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    #[command(flatten)]
    Any(AnyAction),
    /// Put them back at the end of their queue. Safe to press twice.
    Replay(Choice),
}

/// What to do with rejected webhooks. They would be rejected again, so there is no replay.
#[derive(Debug, Clone, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub struct RejectedArgs {
    #[command(subcommand)]
    action: AnyAction,
    #[command(flatten)]
    redis: RedisConfig,
    #[command(flatten)]
    operator: Operator,
}

#[derive(Debug, Clone, Subcommand)]
enum AnyAction {
    /// Print them, oldest first: name, age, attempts, reason, conversation (masked), error.
    List {
        /// Only those with this reason.
        #[arg(long)]
        reason: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Print one, whole. It may hold customer text.
    Show {
        /// Its name, such as `17/1700000000000-0`.
        id: LetterId,
    },
    /// Remove them for good. With --all or --reason it asks, unless --yes is given.
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
    /// Names, such as `17/1700000000000-0`.
    ids: Vec<LetterId>,
    /// All with this reason.
    #[arg(long)]
    reason: Option<String>,
    /// All.
    #[arg(long)]
    all: bool,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum LettersError {
    /// There is no deployment to act on.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
    /// Nobody agreed.
    #[error("nothing is removed: {0} entries would be; add --yes to remove them for good")]
    NotAgreed(usize),
}

/// Runs the command on the dead letters of a queue. Exit code 1 when a named entry is not there.
///
/// # Errors
/// When Redis or the output fails, or a question is not answered with yes.
pub async fn run(args: &LettersArgs, queue: Queue) -> Result<ExitCode, LettersError> {
    let desk = Desk::new(&args.redis, &args.operator, Shelf::Dead(queue)).await?;
    match &args.action {
        Action::Any(action) => desk.run(action).await,
        Action::Replay(choice) => {
            let ids = desk.chosen(choice).await?;
            let replay = async |id| desk.redis.replay(queue, id).await;
            desk.each(ids, "replayed", replay).await
        }
    }
}

/// Runs the command on the rejected webhooks. Exit code 1 when a named entry is not there.
///
/// # Errors
/// When Redis or the output fails, or a question is not answered with yes.
pub async fn run_rejected(args: &RejectedArgs) -> Result<ExitCode, LettersError> {
    let desk = Desk::new(&args.redis, &args.operator, Shelf::Rejected).await?;
    desk.run(&args.action).await
}

/// A shelf, and the person who works on it.
struct Desk<'a> {
    redis: Redis,
    operator: &'a Operator,
    shelf: Shelf,
}

const EVERYTHING: usize = 1_000_000;
/// Of more at once the acts keep the number alone: they hold the latest thousand of everything.
const NOTED_EACH: usize = 20;

impl<'a> Desk<'a> {
    async fn new(
        redis: &RedisConfig,
        operator: &'a Operator,
        shelf: Shelf,
    ) -> Result<Self, LettersError> {
        Ok(Self {
            redis: Redis::of_deployment(redis).await?,
            operator,
            shelf,
        })
    }

    async fn run(&self, action: &AnyAction) -> Result<ExitCode, LettersError> {
        match action {
            AnyAction::List {
                reason,
                limit,
                json,
            } => self.list(reason.as_deref(), *limit, *json).await,
            AnyAction::Show { id } => match self.redis.letter(self.shelf, *id).await? {
                Some(letter) => {
                    print(&format!("{:#}", whole(&letter)))?;
                    Ok(ExitCode::SUCCESS)
                }
                None => missing(*id),
            },
            AnyAction::Discard { choice, yes } => {
                let ids = self.chosen(choice).await?;
                let sure = *yes || !choice.ids.is_empty() || ids.is_empty();
                if !sure && !agreed(&format!("Remove {} entries for good?", ids.len()))? {
                    return Err(LettersError::NotAgreed(ids.len()));
                }
                let discard = async |id| self.redis.discard(self.shelf, id).await;
                self.each(ids, "discarded", discard).await
            }
        }
    }

    async fn list(
        &self,
        reason: Option<&str>,
        limit: usize,
        json: bool,
    ) -> Result<ExitCode, LettersError> {
        let letters = self.letters(reason, limit).await?;
        let now_ms = Timestamp::now().as_millisecond();
        for letter in &letters {
            print(&if json {
                summary(letter).to_string()
            } else {
                line(letter, now_ms)
            })?;
        }
        if !json {
            let total = self.redis.letter_count(self.shelf).await?;
            print(&format!("{} of {total} shown", letters.len()))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn letters(
        &self,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Letter>, StreamsError> {
        if let (Shelf::Rejected, Some(_)) = (self.shelf, reason) {
            // Their reason is in the payload, which Redis cannot look into.
            let mut letters = self.redis.letters(self.shelf, None, EVERYTHING).await?;
            letters.retain(|letter| Some(why(letter).0.as_str()) == reason);
            letters.truncate(limit);
            return Ok(letters);
        }
        self.redis.letters(self.shelf, reason, limit).await
    }

    async fn chosen(&self, choice: &Choice) -> Result<Vec<LetterId>, LettersError> {
        if !choice.ids.is_empty() {
            return Ok(choice.ids.clone());
        }
        let letters = self.letters(choice.reason.as_deref(), EVERYTHING).await?;
        Ok(letters.into_iter().map(|letter| letter.id).collect())
    }

    async fn each(
        &self,
        ids: Vec<LetterId>,
        done: &str,
        act: impl AsyncFn(LetterId) -> Result<bool, StreamsError>,
    ) -> Result<ExitCode, LettersError> {
        let mut count = 0;
        let mut code = ExitCode::SUCCESS;
        let shelf = match self.shelf {
            Shelf::Dead(queue) => queue.as_str(),
            Shelf::Rejected => "rejected",
        };
        let many = ids.len() > NOTED_EACH;
        let mut failed = None;
        for id in ids {
            match act(id).await {
                Ok(true) => {
                    count += 1;
                    if !many {
                        self.note(&format!("{done} {shelf} {id}")).await?;
                    }
                }
                Ok(false) => code = missing(id)?,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        if many && count > 0 {
            self.note(&format!("{done} {count} entries of {shelf}"))
                .await?;
        }
        print(&format!("{count} {done}"))?;
        failed.map_or(Ok(code), |error| Err(error.into()))
    }

    async fn note(&self, what: &str) -> Result<(), LettersError> {
        Ok(self.operator.note(&self.redis, what).await?)
    }
}

fn missing(id: LetterId) -> Result<ExitCode, LettersError> {
    print(&format!("{id} is not there (any more)"))?;
    Ok(ExitCode::FAILURE)
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}

/// What a letter carries, as JSON; a text when it is none.
#[must_use]
pub fn payload(letter: &Letter) -> serde_json::Value {
    let text = letter.fields.get("payload").map_or("null", String::as_str);
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// Reason and error. A rejected webhook holds its own.
#[must_use]
pub fn why(letter: &Letter) -> (String, String) {
    if !letter.reason.is_empty() {
        return (letter.reason.clone(), letter.error.clone());
    }
    let rejection = &payload(letter)["rejection"];
    let text = |name: &str| rejection[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

fn masked(letter: &Letter, name: &str) -> String {
    let text = letter.fields.get(name).map_or("", String::as_str);
    Masking::On.show(text).to_string()
}

fn line(letter: &Letter, now_ms: i64) -> String {
    let (reason, error) = why(letter);
    let (id, age) = (letter.id.to_string(), age(now_ms - letter.first_ms));
    let tried = format!("{}x", letter.attempts);
    format!(
        "{id:<24} {age:>4} {tried:>4}  {reason:<20}  {}  {}",
        masked(letter, "conv"),
        Masking::On.show(&error)
    )
}

/// What a list tells of a letter: nothing that a customer wrote, and no whole number.
fn summary(letter: &Letter) -> serde_json::Value {
    let (reason, error) = why(letter);
    serde_json::json!({
        "id": letter.id.to_string(),
        "reason": reason,
        "error": Masking::On.show(&error).to_string(),
        "attempts": letter.attempts,
        "first_at": time(letter.first_ms),
        "last_at": time(letter.last_ms),
        "kind": letter.fields.get("kind"),
        "event": masked(letter, "event"),
        "conversation": masked(letter, "conv"),
    })
}

fn whole(letter: &Letter) -> serde_json::Value {
    let (reason, error) = why(letter);
    let field = |name: &str| letter.fields.get(name);
    serde_json::json!({
        "id": letter.id.to_string(),
        "reason": reason,
        "error": error,
        "attempts": letter.attempts,
        "first_at": time(letter.first_ms),
        "last_at": time(letter.last_ms),
        "kind": field("kind"),
        "event": field("event"),
        "conversation": field("conv"),
        "payload": payload(letter),
    })
}
#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(subcommand)]
        command: Command,
    }

    #[derive(Debug, Subcommand)]
    enum Command {
        DeadLetters(Box<LettersArgs>),
    }

    fn parsed(words: &[&str]) -> LettersArgs {
        let words = ["worker", "dead-letters"].iter().chain(words);
        let Command::DeadLetters(args) = Cli::try_parse_from(words).unwrap().command;
        *args
    }

    #[test]
    fn the_options_of_redis_stand_before_the_action_or_after_it() {
        for words in [
            &[
                "--redis-host",
                "redis.example",
                "--redis-port",
                "6390",
                "list",
            ][..],
            &[
                "list",
                "--redis-host",
                "redis.example",
                "--redis-port",
                "6390",
            ],
            &[
                "discard",
                "--redis-port",
                "6390",
                "--all",
                "--redis-host",
                "redis.example",
            ],
            &[
                "--redis-port",
                "6390",
                "show",
                "17/1700000000000-0",
                "--redis-host",
                "redis.example",
            ],
        ] {
            let redis = parsed(words).redis;
            let address = (redis.redis_host.as_str(), redis.redis_port);
            assert_eq!(address, ("redis.example", 6390), "{words:?}");
        }
    }

    #[test]
    fn the_options_of_an_action_stay_its_own() {
        let args = parsed(&["list", "--limit", "3"]);
        assert!(
            matches!(args.action, Action::Any(AnyAction::List { limit: 3, .. })),
            "{args:?}"
        );
        assert_eq!(args.redis.redis_port, 6379);
        let before = ["worker", "dead-letters", "--limit", "3", "list"];
        assert!(Cli::try_parse_from(before).is_err());
    }
}
