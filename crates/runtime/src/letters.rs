//! The command line on dead letters and rejected webhooks, alike for every service.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use streams::{Letter, LetterId, Redis, RedisConfig, RedisConfigError, Shelf, StreamsError};

use crate::output::print;

/// What to do with entries that were set aside.
#[derive(Debug, Clone, Args)]
// The options of Redis stand before the action or after it.
#[command(mut_args(|arg| arg.global(true)))]
pub struct LettersArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    redis: RedisConfig,
}

#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Print them, oldest first: name, age of the event, attempts, reason, event.
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
    /// Put them back at the end of their queue. Safe to press twice.
    Replay(Choice),
    /// Remove them for good.
    Discard(Choice),
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
    /// The Redis settings are wrong.
    #[error(transparent)]
    Config(#[from] RedisConfigError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
    /// Rejected webhooks failed validation; they would fail again.
    #[error("rejected webhooks cannot be replayed: they would be rejected again")]
    NotReplayable,
}

/// Runs the command. Exit code 1 when a named entry is not there.
///
/// # Errors
/// When Redis or the output fails.
pub async fn run(args: &LettersArgs, shelf: Shelf) -> Result<ExitCode, LettersError> {
    let redis = Redis::new(&args.redis)?;
    match &args.action {
        Action::List {
            reason,
            limit,
            json,
        } => {
            let letters = redis.letters(shelf, reason.as_deref(), *limit).await?;
            for letter in &letters {
                print(&if *json {
                    as_json(letter).to_string()
                } else {
                    as_line(letter)
                })?;
            }
            let total = redis.letter_count(shelf).await?;
            if !*json {
                print(&format!("{} of {total} shown", letters.len()))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Action::Show { id } => match redis.letter(shelf, *id).await? {
            Some(letter) => {
                print(&format!("{:#}", as_json(&letter)))?;
                Ok(ExitCode::SUCCESS)
            }
            None => missing(*id),
        },
        Action::Replay(choice) => {
            let Shelf::Dead(queue) = shelf else {
                return Err(LettersError::NotReplayable);
            };
            each(&redis, shelf, choice, "replayed", async |id| {
                redis.replay(queue, id).await
            })
            .await
        }
        Action::Discard(choice) => {
            each(&redis, shelf, choice, "discarded", async |id| {
                redis.discard(shelf, id).await
            })
            .await
        }
    }
}

const EVERYTHING: usize = 1_000_000;

async fn each(
    redis: &Redis,
    shelf: Shelf,
    choice: &Choice,
    done: &str,
    act: impl AsyncFn(LetterId) -> Result<bool, StreamsError>,
) -> Result<ExitCode, LettersError> {
    let ids = if choice.ids.is_empty() {
        let letters = redis
            .letters(shelf, choice.reason.as_deref(), EVERYTHING)
            .await?;
        letters.into_iter().map(|letter| letter.id).collect()
    } else {
        choice.ids.clone()
    };
    let mut count = 0;
    let mut code = ExitCode::SUCCESS;
    for id in ids {
        if act(id).await? {
            count += 1;
        } else {
            code = missing(id)?;
        }
    }
    print(&format!("{count} {done}"))?;
    Ok(code)
}

fn missing(id: LetterId) -> Result<ExitCode, LettersError> {
    print(&format!("{id} is not there (any more)"))?;
    Ok(ExitCode::FAILURE)
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}

fn as_line(letter: &Letter) -> String {
    let event = letter.fields.get("event").map_or("", String::as_str);
    let (id, at) = (letter.id.to_string(), time(letter.first_ms));
    format!(
        "{id:<24} {at:<24} {:>3}x  {:<20} {event}",
        letter.attempts, letter.reason
    )
}

fn as_json(letter: &Letter) -> serde_json::Value {
    let payload = letter.fields.get("payload").map_or("null", String::as_str);
    let payload: serde_json::Value =
        serde_json::from_str(payload).unwrap_or_else(|_| payload.into());
    let field = |name: &str| letter.fields.get(name);
    serde_json::json!({
        "id": letter.id.to_string(),
        "reason": letter.reason,
        "error": letter.error,
        "attempts": letter.attempts,
        "first_at": time(letter.first_ms),
        "last_at": time(letter.last_ms),
        "kind": field("kind"),
        "event": field("event"),
        "conversation": field("conv"),
        "payload": payload,
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
            matches!(args.action, Action::List { limit: 3, .. }),
            "{args:?}"
        );
        assert_eq!(args.redis.redis_port, 6379);
        let before = ["worker", "dead-letters", "--limit", "3", "list"];
        assert!(Cli::try_parse_from(before).is_err());
    }
}
