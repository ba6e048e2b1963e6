//! Hand-overs: at most one of a conversation is open.

use sqlx::{Any, Transaction};

use super::changes::Change;
use super::notices::Fact;
use super::status::{Matter, Status};
use super::store::{Crm, CrmError, text};
use super::write::{CrmWrite, HandoverChange, HandoverWrite};
use crate::notice::Kind;

/// How often a change is tried that somebody else overtakes: a hand-over has only so many statuses.
const AT_ONCE: usize = 4;

/// What a customer's message makes of the hand-over: it opens one, or tells the open one what was
/// written last.
pub(super) async fn upsert(
    transaction: &mut Transaction<'_, Any>,
    contact: &str,
    write: &CrmWrite,
    handover: &HandoverWrite,
) -> sqlx::Result<()> {
    let at = text(write.at);
    let raise = raised(transaction, handover).await?;
    let update = "UPDATE handovers SET last_words = $1, summary = $2, updated_at = $3, \
                  reason = CASE WHEN $4 = 'urgent' THEN $5 ELSE reason END, \
                  priority = CASE WHEN $4 = 'urgent' THEN $4 ELSE priority END \
                  WHERE conversation_id = $6 AND status <> 'closed' AND updated_at <= $3";
    sqlx::query(update)
        .bind(&handover.last_words)
        .bind(&handover.summary)
        .bind(&at)
        .bind(handover.priority())
        .bind(&handover.reason)
        .bind(&handover.conversation)
        .execute(&mut **transaction)
        .await?;
    if let Some(id) = raise {
        tell(
            transaction,
            Kind::HandoverOpened,
            &id,
            contact,
            write,
            handover,
        )
        .await?;
    }
    if handover.opens {
        open(transaction, contact, write, handover).await?;
    }
    Ok(())
}

/// Opens one, unless one is open.
async fn open(
    transaction: &mut Transaction<'_, Any>,
    contact: &str,
    write: &CrmWrite,
    handover: &HandoverWrite,
) -> sqlx::Result<()> {
    let at = text(write.at);
    if is_there(transaction, &handover.conversation, &at).await? {
        return Ok(());
    }
    let id = handover.id(&write.message);
    let insert = "INSERT INTO handovers (id, contact_id, conversation_id, status, priority, reason, \
                  last_words, summary, promised_at, answer_by, created_by, created_at, updated_at, late_reply) \
                  VALUES ($1, $2, $3, 'waiting', $4, $5, $6, $7, $8, $9, $10, $11, $11, $12) \
                  ON CONFLICT DO NOTHING";
    let late_reply = handover.late_reply.as_ref();
    let late_reply = late_reply.and_then(|reply| serde_json::to_string(reply).ok());
    let inserted = sqlx::query(insert)
        .bind(&id)
        .bind(contact)
        .bind(&handover.conversation)
        .bind(handover.priority())
        .bind(&handover.reason)
        .bind(&handover.last_words)
        .bind(&handover.summary)
        .bind(handover.promised_at.map(text))
        .bind(text(handover.answer_by))
        .bind(&write.message)
        .bind(&at)
        .bind(late_reply)
        .execute(&mut **transaction)
        .await?
        .rows_affected();
    if inserted == 0 {
        return Ok(());
    }
    let change = Change {
        contact,
        subject: &id,
        at: write.at,
        by: "customer",
        from: None,
        to: Status::Waiting.as_str(),
        note: None,
    };
    change.note(transaction).await?;
    let kind = match handover.reason.as_str() {
        "erasure" => Kind::ErasureRequested,
        _ => Kind::HandoverOpened,
    };
    tell(transaction, kind, &id, contact, write, handover).await
}

/// Whether one is open, or was closed since: what comes late must not open it again.
async fn is_there(
    transaction: &mut Transaction<'_, Any>,
    conversation: &str,
    at: &str,
) -> sqlx::Result<bool> {
    let later = "SELECT COUNT(*) FROM handovers WHERE conversation_id = $1 \
                 AND (status <> 'closed' OR updated_at >= $2)";
    let later: i64 = sqlx::query_scalar(later)
        .bind(conversation)
        .bind(at)
        .fetch_one(&mut **transaction)
        .await?;
    Ok(later > 0)
}

/// The open hand-over that this message makes urgent.
async fn raised(
    transaction: &mut Transaction<'_, Any>,
    handover: &HandoverWrite,
) -> sqlx::Result<Option<String>> {
    if !handover.urgent {
        return Ok(None);
    }
    let select = "SELECT id FROM handovers WHERE conversation_id = $1 AND status <> 'closed' \
                  AND priority <> 'urgent'";
    sqlx::query_scalar(select)
        .bind(&handover.conversation)
        .fetch_optional(&mut **transaction)
        .await
}

async fn tell(
    transaction: &mut Transaction<'_, Any>,
    kind: Kind,
    id: &str,
    contact: &str,
    write: &CrmWrite,
    handover: &HandoverWrite,
) -> sqlx::Result<()> {
    let fact = Fact {
        kind,
        matter: Matter::Handover,
        id,
        contact,
        conversation: &handover.conversation,
        at: write.at,
    };
    fact.tell(transaction).await
}

impl Crm {
    /// What is to be told to customers whom nobody has answered in time: hand-over and message.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn late_replies(&self) -> Result<Vec<(String, String)>, CrmError> {
        let select = "SELECT id, late_reply FROM handovers WHERE status = 'waiting' \
                      AND unanswered_at IS NOT NULL AND late_reply IS NOT NULL LIMIT 50";
        Ok(sqlx::query_as(select).fetch_all(&self.pool).await?)
    }

    /// It was told, or cannot be.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn late_reply_is_done(&self, handover: &str) -> Result<(), CrmError> {
        let update = "UPDATE handovers SET late_reply = NULL WHERE id = $1";
        sqlx::query(update)
            .bind(handover)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes, answers or closes what is open of a conversation, because it changed hands elsewhere. A
    /// conversation that a colleague took by themselves becomes a hand-over of its own.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn hand_over(&self, change: &HandoverChange) -> Result<(), CrmError> {
        // Whoever is quicker by a command leaves another status, of which it is judged again.
        for _ in 0..AT_ONCE {
            let mut transaction = self.begin().await?;
            if changed(&mut transaction, change).await? {
                transaction.commit().await?;
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Whether the change is done, or nothing is to be done. Not when somebody else changed it meanwhile.
async fn changed(
    transaction: &mut Transaction<'_, Any>,
    change: &HandoverChange,
) -> sqlx::Result<bool> {
    let at = text(change.at);
    // Opened later: the change was not about it.
    let select = "SELECT id, contact_id, status FROM handovers \
                  WHERE conversation_id = $1 AND status <> 'closed' AND created_at <= $2";
    let open: Option<(String, String, String)> = sqlx::query_as(select)
        .bind(&change.conversation_id)
        .bind(&at)
        .fetch_optional(&mut **transaction)
        .await?;
    let Some((id, contact, from)) = open else {
        if change.to != Status::Closed {
            stepped_in(transaction, change).await?;
        }
        return Ok(true);
    };
    let waited = from == Status::Waiting.as_str();
    let is_new = match change.to {
        Status::Taken => waited,
        to => from != to.as_str(),
    };
    if !is_new {
        return Ok(true);
    }
    let update = "UPDATE handovers SET status = $1, owner = $2, updated_at = $3 \
                  WHERE id = $4 AND status = $5";
    let updated = sqlx::query(update)
        .bind(change.to.as_str())
        .bind(&change.by)
        .bind(&at)
        .bind(&id)
        .bind(&from)
        .execute(&mut **transaction)
        .await?;
    if updated.rows_affected() == 0 {
        return Ok(false);
    }
    noted(transaction, change, &contact, &id, Some(from.as_str())).await?;
    let kind = match change.to {
        Status::Closed => Some(Kind::HandoverClosed),
        // Who answers has taken it, and that is told once.
        _ if waited => Some(Kind::HandoverTaken),
        _ => None,
    };
    if let Some(kind) = kind {
        let fact = Fact {
            kind,
            matter: Matter::Handover,
            id: &id,
            contact: &contact,
            conversation: &change.conversation_id,
            at: change.at,
        };
        fact.tell(transaction).await?;
    }
    Ok(true)
}

/// A colleague took a conversation that nobody had handed over, or wrote in it.
async fn stepped_in(
    transaction: &mut Transaction<'_, Any>,
    change: &HandoverChange,
) -> sqlx::Result<()> {
    let contact = "SELECT contact_id FROM contact_addresses WHERE address = $1";
    let contact: Option<String> = sqlx::query_scalar(contact)
        .bind(&change.conversation_id)
        .fetch_optional(&mut **transaction)
        .await?;
    let Some(contact) = contact else {
        return Ok(());
    };
    if is_there(transaction, &change.conversation_id, &text(change.at)).await? {
        return Ok(());
    }
    let id = change.id();
    let insert = "INSERT INTO handovers (id, contact_id, conversation_id, status, priority, reason, \
                  last_words, summary, answer_by, owner, created_by, created_at, updated_at) \
                  VALUES ($1, $2, $3, $6, 'normal', 'stepped_in', '', '', $4, $5, $5, $4, $4) \
                  ON CONFLICT DO NOTHING";
    let inserted = sqlx::query(insert)
        .bind(&id)
        .bind(&contact)
        .bind(&change.conversation_id)
        .bind(text(change.at))
        .bind(&change.by)
        .bind(change.to.as_str())
        .execute(&mut **transaction)
        .await?
        .rows_affected();
    if inserted > 0 {
        noted(transaction, change, &contact, &id, None).await?;
    }
    Ok(())
}

async fn noted(
    transaction: &mut Transaction<'_, Any>,
    change: &HandoverChange,
    contact: &str,
    id: &str,
    from: Option<&str>,
) -> sqlx::Result<()> {
    let line = Change {
        contact,
        subject: id,
        at: change.at,
        by: &change.by,
        from,
        to: change.to.as_str(),
        note: None,
    };
    line.note(transaction).await
}
