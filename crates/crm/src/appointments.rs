//! Appointments: one of a contact, conversation and purpose.

use sqlx::{Any, Transaction};

use super::changes::Change;
use super::notices::Fact;
use super::status::{Matter, Status};
use super::store::text;
use super::write::{AppointmentWrite, CrmWrite};
use crate::notice::Kind;

/// Notes an appointment as the customer wants it now.
pub(super) async fn upsert(
    transaction: &mut Transaction<'_, Any>,
    contact: &str,
    write: &CrmWrite,
    appointment: &AppointmentWrite,
) -> sqlx::Result<()> {
    // A contact that was joined with another one keeps its appointments under their ids.
    let known = "SELECT id FROM appointments \
                 WHERE contact_id = $1 AND conversation_id = $2 AND purpose = $3 \
                 ORDER BY updated_at DESC, id LIMIT 1";
    let known: Option<String> = sqlx::query_scalar(known)
        .bind(contact)
        .bind(&appointment.conversation)
        .bind(&appointment.purpose)
        .fetch_optional(&mut **transaction)
        .await?;
    let id = known.unwrap_or_else(|| appointment.id(contact));
    let (at, select) = (
        text(write.at),
        "SELECT status, date, time FROM appointments WHERE id = $1",
    );
    let before: Option<(String, Option<String>, Option<String>)> = sqlx::query_as(select)
        .bind(&id)
        .fetch_optional(&mut **transaction)
        .await?;
    let same_moment = before
        .as_ref()
        .is_some_and(|(_, date, time)| (date, time) == (&appointment.date, &appointment.time));
    let from = before.map(|(status, ..)| status);
    let status = status_after(from.as_deref(), &appointment.status, same_moment);
    let insert = "INSERT INTO appointments (id, contact_id, conversation_id, purpose, thing, date, time, \
                  status, created_by, message_id, created_at, updated_at) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $10) ON CONFLICT (id) DO UPDATE SET \
                  thing = excluded.thing, date = excluded.date, time = excluded.time, \
                  status = excluded.status, message_id = excluded.message_id, \
                  updated_at = excluded.updated_at \
                  WHERE appointments.updated_at <= excluded.updated_at";
    let written = sqlx::query(insert)
        .bind(&id)
        .bind(contact)
        .bind(&appointment.conversation)
        .bind(&appointment.purpose)
        .bind(&appointment.thing)
        .bind(&appointment.date)
        .bind(&appointment.time)
        .bind(status)
        .bind(&write.message)
        .bind(&at)
        .execute(&mut **transaction)
        .await?
        .rows_affected();
    if written == 0 || (from.as_deref() == Some(status) && same_moment) {
        return Ok(());
    }
    let change = Change {
        contact,
        subject: &id,
        at: write.at,
        by: "customer",
        from: from.as_deref(),
        to: status,
        note: None,
    };
    change.note(transaction).await?;
    let is_wish = [Status::Wanted, Status::Moved]
        .iter()
        .any(|wish| wish.as_str() == status);
    if !is_wish || appointment.date.is_none() {
        return Ok(());
    }
    let fact = Fact {
        kind: Kind::AppointmentWanted,
        matter: Matter::Appointment,
        id: &id,
        contact,
        conversation: &appointment.conversation,
        at: write.at,
    };
    fact.tell(transaction).await
}

/// What an appointment becomes. A colleague's word stands while the moment is the same; at another
/// one it is moved.
fn status_after<'a>(from: Option<&str>, told: &'a str, same_moment: bool) -> &'a str {
    let confirmed = from == Some(Status::Confirmed.as_str());
    match told {
        "wanted" | "offered" | "moved" if confirmed && same_moment => Status::Confirmed.as_str(),
        "wanted" if confirmed => Status::Moved.as_str(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_colleague_confirmed_stands_until_the_customer_says_otherwise() {
        assert_eq!(status_after(Some("confirmed"), "wanted", true), "confirmed");
        assert_eq!(status_after(Some("confirmed"), "wanted", false), "moved");
        assert_eq!(
            status_after(Some("confirmed"), "cancelled", true),
            "cancelled"
        );
        assert_eq!(status_after(Some("wanted"), "wanted", false), "wanted");
        assert_eq!(status_after(None, "wanted", false), "wanted");
    }
}
