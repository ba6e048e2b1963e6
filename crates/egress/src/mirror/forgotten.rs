//! The customer of a conversation was erased: the help desk is told, which keeps what it was shown.

use std::time::Instant;

use serde_json::json;
use shared_types::{MirrorStatus, MirrorStep};

use super::api::{Api, Failed};
use super::steps::OURS;

const NOTE: &str = "This customer was erased. Until they write again, nothing that is written here reaches \
    them. What was shown is still here: delete the contact as well.";

/// Leaves a note and closes the conversation. One that is not there needs no word.
pub(super) async fn tell(
    api: &Api,
    step: &MirrorStep,
    display: u64,
    deadline: Instant,
) -> Result<(), Failed> {
    match try_to_tell(api, step, display, deadline).await {
        Err(Failed::Gone) => Ok(()),
        told => told,
    }
}

async fn try_to_tell(
    api: &Api,
    step: &MirrorStep,
    display: u64,
    deadline: Instant,
) -> Result<(), Failed> {
    let source_id = format!("{OURS}{}", step.id);
    // Nothing is kept of the conversation that would say whether an earlier try left it.
    if api.find_message(display, 0, &source_id).await?.is_none() {
        let note = json!({
            "content": NOTE,
            "message_type": "outgoing",
            "private": true,
            "source_id": source_id,
            "content_attributes": {"external_created_at": step.at.as_second()},
        });
        api.post(display, &note, deadline).await?;
    }
    let status = json!({"status": MirrorStatus::Resolved.as_str()});
    api.set(display, "toggle_status", &status, deadline).await
}
