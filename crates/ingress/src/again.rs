//! Whether a colleague's message that the help desk shows as failed has to be sent again: what egress noted of
//! it decides, so a change of the message for any other reason sends nothing twice.

use shared_types::fields::send;
use shared_types::{ColleagueMessage, DeliveryStatus, Mirrored, Wanted};
use streams::{Redis, StreamsError};

/// How often a provider may have said that one message did not arrive.
const RESENDS: u32 = 50;

/// The message with the number of its resend; none when it is sent, or on its way.
pub(crate) async fn again(
    redis: &Redis,
    message: ColleagueMessage,
) -> Result<Option<ColleagueMessage>, StreamsError> {
    let conversation = message.conversation_id.as_str();
    let partition = redis.partitions().partition_of(conversation);
    let keys = redis.keys().of(partition);
    let id = message.outbound_id();
    for resend in 0..RESENDS {
        let known = redis.hash(&keys.send(id.resend(resend).as_str())).await?;
        let field = |name| known.get(name).map_or("", String::as_str);
        if field(send::PROVIDER_ID).is_empty() {
            // What egress refused by a rule of ours it did not note; what it noted and did not end goes on.
            let is_over = known.is_empty() || field(send::STATE) == send::FAILED;
            return Ok(is_over.then(|| marked(message, resend)));
        }
        let status = field(send::STATUS).parse().ok();
        let failed = [DeliveryStatus::Failed, DeliveryStatus::Undelivered];
        if !status.is_some_and(|status| failed.contains(&status)) {
            return Ok(None);
        }
    }
    Ok(None)
}

fn marked(message: ColleagueMessage, resend: u32) -> ColleagueMessage {
    let wanted = Wanted::Again { resend };
    ColleagueMessage {
        mirrored: message
            .mirrored
            .map(|mirrored| Mirrored { wanted, ..mirrored }),
        ..message
    }
}
