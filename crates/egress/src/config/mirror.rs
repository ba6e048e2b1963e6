//! Where conversations of other channels are shown.

use clap::{Args, value_parser};
use jiff::SignedDuration;
use secrecy::SecretString;

/// Showing conversations of Twilio and WAHA in an API inbox of Chatwoot. Off without an inbox.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Mirror")]
pub struct MirrorConfig {
    /// The number of the inbox, as in `/app/accounts/1/inbox/5`. No agent bot may have it.
    #[arg(long, env = "CHATWOOT_MIRROR_INBOX_ID", value_name = "NUMBER", value_parser = runtime::within::<u64>(1..=runtime::MOST_ID))]
    pub chatwoot_mirror_inbox_id: Option<u64>,

    /// The access token of a person's account who sees the inbox: bots may not make contacts.
    #[arg(long, env = "CHATWOOT_MIRROR_USER_TOKEN", hide_env_values = true)]
    pub chatwoot_mirror_user_token: Option<SecretString>,

    /// Who a handed-over conversation is assigned to, by number.
    #[arg(long, env = "CHATWOOT_MIRROR_ASSIGNEE_ID", value_name = "NUMBER", value_parser = runtime::within::<u64>(1..=runtime::MOST_ID))]
    pub chatwoot_mirror_assignee_id: Option<u64>,

    /// Which team a handed-over conversation is assigned to, by number.
    #[arg(long, env = "CHATWOOT_MIRROR_TEAM_ID", value_name = "NUMBER", value_parser = runtime::within::<u64>(1..=runtime::MOST_ID))]
    pub chatwoot_mirror_team_id: Option<u64>,

    /// The label that a handed-over conversation gets.
    #[arg(long, env = "CHATWOOT_MIRROR_LABEL", value_name = "NAME")]
    pub chatwoot_mirror_label: Option<String>,

    /// What is older is not shown any more, so that the queue ends while Chatwoot stays away.
    #[arg(
        long,
        env = "CHATWOOT_MIRROR_KEEP_HOURS",
        default_value_t = 72,
        value_parser = value_parser!(u16).range(1..=8_760),
        value_name = "HOURS"
    )]
    pub chatwoot_mirror_keep_hours: u16,
}

impl MirrorConfig {
    /// How old a step may be.
    pub fn keep(&self) -> SignedDuration {
        SignedDuration::from_hours(self.chatwoot_mirror_keep_hours.into())
    }
}
