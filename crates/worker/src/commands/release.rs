//! `worker release`: gives conversations back to the bot.

use std::io;
use std::process::ExitCode;

use clap::Args;
use crm::desk::{DeskError, change_hands};
use crm::person::NobodyError;
use crm::who::{is_conversation_of, learn_from_graph};
use jiff::Timestamp;
use runtime::Operator;
use shared_types::{ControlKind, Masking, fields};
use streams::{DeploymentError, Redis, RedisConfig, StreamsError};

use super::PersonArgs;

/// `worker release`.
#[derive(Debug, Clone, Args)]
pub struct ReleaseArgs {
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    redis: RedisConfig,
    #[command(flatten)]
    operator: Operator,
}

/// Why a conversation was not released.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// Nobody can be called that.
    #[error(transparent)]
    Nobody(#[from] NobodyError),
    /// There is no deployment.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The event was not queued.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

impl ReleaseArgs {
    /// Queues an event for each conversation that a colleague has; it takes its place in the
    /// conversation's order. Exit code 1 when there is none.
    ///
    /// # Errors
    /// When Redis or the output fails.
    pub async fn run(&self) -> Result<ExitCode, ReleaseError> {
        let mut person = self.person.read()?;
        let redis = Redis::of_deployment(&self.redis).await?;
        learn_from_graph(&mut person, &redis.all_identities().await?);
        let (mut known, mut released) = (0, 0);
        for (conversation, key) in redis.conversations().await? {
            let state = redis.hash(&key).await?;
            if !is_conversation_of(&person, &conversation, &state) {
                continue;
            }
            known += 1;
            let until = state
                .get(fields::conversation::HUMAN_UNTIL)
                .and_then(|until| until.parse::<i64>().ok());
            if until.is_some_and(|until| until > Timestamp::now().as_millisecond())
                && let Ok(conversation) = conversation.parse()
            {
                let by = self.operator.name();
                change_hands(&redis, &conversation, ControlKind::Released, by).await?;
                let act = format!("gave back {conversation}");
                self.operator
                    .note(&redis, &Masking::On.show(&act).to_string())
                    .await?;
                released += 1;
            }
        }
        let said = match (known, released) {
            (0, _) => "No conversation with them is known; nothing was done.".to_owned(),
            (_, 0) => "No colleague has the conversation; nothing was done.".to_owned(),
            _ => format!(
                "Conversations given back: {released}. The bot answers once the worker has read this."
            ),
        };
        runtime::print(&said)?;
        Ok(if released > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
