//! `egress deliveries`: what became of the messages of a conversation.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value};
use streams::{DeploymentError, Redis, RedisConfig, StreamsError};

/// Which messages to show.
#[derive(Debug, Clone, Args)]
pub struct DeliveriesArgs {
    /// The conversation, such as `whatsapp:+31612345678`.
    #[arg(long)]
    conversation: String,

    /// At most this many, newest first.
    #[arg(long, default_value_t = 20)]
    limit: usize,

    #[command(flatten)]
    redis: RedisConfig,
}

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub enum DeliveriesError {
    /// There is no deployment to ask.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
}

/// Prints one JSON object a message, newest first: ids, state, times of each status, error. The
/// text itself is left out.
///
/// # Errors
/// When Redis or the output fails.
pub async fn show_deliveries(args: &DeliveriesArgs) -> Result<(), DeliveriesError> {
    let redis = Redis::of_deployment(&args.redis).await?;
    let partition = redis.partitions().partition_of(&args.conversation);
    let keys = redis.keys().of(partition);
    for id in redis
        .list(&keys.sends(&args.conversation), args.limit)
        .await?
    {
        let fields = redis.hash(&keys.send(&id)).await?;
        let mut shown = Map::from_iter([("id".to_owned(), Value::String(id))]);
        for (name, value) in fields {
            let (name, value) = match name.as_str() {
                "payload" | "token" => continue,
                "pid" => ("provider_id".to_owned(), value),
                "sent_at" | "intent_at" | "next_at" => (name, time(&value)),
                _ if name.starts_with("at:") => (name, time(&value)),
                _ => (name, value),
            };
            if !value.is_empty() {
                shown.insert(name, Value::String(value));
            }
        }
        runtime::print(&Value::Object(shown))?;
    }
    Ok(())
}

fn time(ms: &str) -> String {
    let at = ms
        .parse()
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| ms.to_owned(), |at| at.to_string())
}
