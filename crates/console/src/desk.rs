//! What operators can do and see, whichever way they come: pages, API and commands are made of this.

mod answer;
mod conversation;
mod letters;
mod overview;
mod unclear;
mod xray;

use std::collections::BTreeMap;

use crm::console::NewAct;
use crm::desk::{self, DeskError};
use crm::erasure::{self, EraseError, Erased};
use crm::person::{NobodyError, Person, number};
use crm::{
    ByHand, Changed, Contact, Crm, CrmError, Filter, Matter, Place, Row, Status, Told, What,
};
use jiff::Timestamp;
use runtime::Chain;
use serde_json::Value;
use shared_types::ConversationId;
use streams::{Redis, StreamsError};

pub use crate::access::Who;
pub use crate::templates::{MessageTemplate, TemplateError};
pub use answer::Words;
pub use conversation::{Conversation, Hands, Line, Speaker, Window};
pub use letters::{Chosen, Group, LETTERS, LetterDetails, LettersError, shelf_name, shelf_named};
pub use overview::{Holder, Overview, QueueState};
pub use unclear::likely;
pub use xray::{Hop, Xray};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The conversation was not changed.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The person was not erased.
    #[error(transparent)]
    Erase(#[from] EraseError),
    /// Nobody can be called that.
    #[error(transparent)]
    Nobody(#[from] NobodyError),
    /// The dead letters are others than those that were shown.
    #[error(transparent)]
    Letters(#[from] LettersError),
    /// There is none.
    #[error("there is no such {0} (any more)")]
    Unknown(&'static str),
    /// Somebody else was first.
    #[error("it is {status} since {at}, by {by}")]
    Late {
        /// What it is now.
        status: &'static str,
        /// Who changed it.
        by: String,
        /// When.
        at: String,
    },
    /// The customer cannot be written to at this time.
    #[error(
        "the customer wrote more than 24 hours ago: WhatsApp takes no free text until they write again"
    )]
    WindowClosed,
    /// The customer wants no messages.
    #[error("the customer wants no messages")]
    OptedOut,
    /// The template is not sent so.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The conversation is Chatwoot's own, and so is who has it.
    #[error(
        "a conversation of Chatwoot is given back there, by its status: set it to pending, or resolve it"
    )]
    GivenBackInChatwoot,
    /// What was asked or given is not understood.
    #[error("{0}")]
    Given(String),
    /// Something of an erased person is written again and again.
    #[error("something of this person is still being written: erase once more")]
    StillWritten,
}

/// Somebody who waits for a colleague.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The hand-over.
    pub row: Row,
    /// Who was told of it.
    pub told: Vec<Told>,
}

/// Rows of one page of a list.
pub const ROWS: u16 = 50;
/// Rows of an export.
const EXPORT_PAGE: u16 = 500;
/// Parts of the list of who waits that are read: more than anybody looks through.
const WAITING_PARTS: usize = 10;

/// What operators work with.
#[derive(Clone)]
pub struct Desk {
    /// Contacts and what they want.
    pub crm: Crm,
    /// Conversations and queues.
    pub redis: Redis,
    /// The country that numbers beginning with a zero are from.
    pub country: String,
    /// What may be sent where free text is not taken.
    pub templates: Vec<MessageTemplate>,
}

/// A cell of a row as a text; empty when there is none.
#[must_use]
pub fn cell<'a>(row: &'a Row, name: &str) -> &'a str {
    let found = row.iter().find(|(column, _)| *column == name);
    found
        .and_then(|(_, value)| value.as_str())
        .unwrap_or_default()
}

/// What is known of a lead: names and values.
#[must_use]
pub fn fields(row: &Row) -> Vec<(&str, &str)> {
    let found = row.iter().find(|(column, _)| *column == "fields");
    let object = found.and_then(|(_, value)| value.as_object());
    let pairs = object.into_iter().flatten();
    pairs
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect()
}

impl Desk {
    /// Who waits for a colleague or has one, the longest waiting first.
    ///
    /// # Errors
    /// When the CRM cannot be reached.
    pub async fn waiting(&self) -> Result<Vec<Waiting>, Problem> {
        // What cannot wait may be the newest: all are read before they are put in order.
        let (mut rows, mut after) = (Vec::new(), None);
        for _ in 0..WAITING_PARTS {
            let page = self.crm.list(Matter::Handover, What::Open, after).await?;
            rows.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let ids: Vec<&str> = rows.iter().map(|row| cell(row, "id")).collect();
        let mut told: BTreeMap<String, Vec<Told>> = self.crm.told_of(&ids).await?;
        let waiting = rows.into_iter().map(|row| Waiting {
            told: told.remove(cell(&row, "id")).unwrap_or_default(),
            row,
        });
        let mut waiting: Vec<_> = waiting.collect();
        // Who waits comes before who has somebody; what cannot wait before all.
        waiting.sort_by_key(|one| {
            let (status, priority) = (cell(&one.row, "status"), cell(&one.row, "priority"));
            (status != "waiting", priority != "urgent")
        });
        Ok(waiting)
    }

    /// People with this in their name or an address, each with their conversations. A telephone number is
    /// found in every spelling.
    ///
    /// # Errors
    /// When the CRM cannot be reached.
    pub async fn people(
        &self,
        search: &str,
        limit: u16,
    ) -> Result<Vec<(Contact, Vec<ConversationId>)>, Problem> {
        let mut people = Vec::new();
        let number = number(search, &self.country);
        let search = number.as_deref().unwrap_or(search);
        let contacts = self.crm.find(search, limit).await?;
        let ids: Vec<&str> = contacts.iter().map(|contact| contact.id.as_str()).collect();
        let mut conversations = self.crm.conversations_of(&ids).await?;
        for contact in contacts {
            let mut names = conversations.remove(&contact.id).unwrap_or_default();
            names.extend(contact.addresses.iter().cloned());
            let ids = names.iter().filter_map(|name| name.parse().ok());
            let mut ids: Vec<ConversationId> = ids
                .filter(|id: &ConversationId| id.source().is_some())
                .collect();
            ids.sort();
            ids.dedup();
            people.push((contact, ids));
        }
        Ok(people)
    }

    /// A page of a list, the newest first.
    ///
    /// # Errors
    /// When the CRM cannot be reached.
    pub async fn list(
        &self,
        matter: Matter,
        filter: Filter<'_>,
        before: Option<Place>,
    ) -> Result<(Vec<Row>, Option<Place>), Problem> {
        self.browse(matter, filter, before, ROWS).await
    }

    /// A part of an export, behind the last one.
    ///
    /// # Errors
    /// When the CRM cannot be reached.
    pub async fn export(
        &self,
        matter: Matter,
        filter: Filter<'_>,
        before: Option<Place>,
    ) -> Result<(Vec<Row>, Option<Place>), Problem> {
        self.browse(matter, filter, before, EXPORT_PAGE).await
    }

    async fn browse(
        &self,
        matter: Matter,
        filter: Filter<'_>,
        before: Option<Place>,
        limit: u16,
    ) -> Result<(Vec<Row>, Option<Place>), Problem> {
        let number = filter.search.and_then(|text| number(text, &self.country));
        let filter = Filter {
            search: number.as_deref().or(filter.search),
            ..filter
        };
        let page = self.crm.browse(matter, filter, before, limit).await?;
        Ok((page.rows, page.next))
    }

    /// Changes a hand-over, a lead or an appointment. A hand-over that is taken makes the bot silent, one that
    /// is closed lets it answer again.
    ///
    /// # Errors
    /// When somebody was first, there is none, or the CRM or Redis cannot be reached.
    pub async fn change(
        &self,
        who: &Who,
        (matter, id): (Matter, &str),
        to: Status,
        note: Option<&str>,
    ) -> Result<(), Problem> {
        let by_hand = ByHand {
            matter,
            id,
            to,
            by: &who.name,
            note,
            at: Timestamp::now(),
        };
        let changed = self.crm.change(by_hand).await?;
        desk::follow(&self.redis, &by_hand, &changed).await?;
        match changed {
            Changed::Done { conversation } => {
                let act = act_of(matter, to);
                self.note_done(who, act, Some(id), note, Some(&conversation))
                    .await;
                Ok(())
            }
            Changed::Late { status, by, at, .. } => Err(Problem::Late {
                status: status.as_str(),
                by,
                at,
            }),
            Changed::Unknown => Err(Problem::Unknown(matter.as_str())),
        }
    }

    /// Removes everything of the person who has a conversation, or only counts it when `dry`.
    ///
    /// # Errors
    /// When Redis or the CRM fails.
    pub async fn erase(
        &self,
        who: &Who,
        conversation: &ConversationId,
        dry: bool,
    ) -> Result<Erased, Problem> {
        let name = conversation.to_string();
        let person = Person::named(&[name], &self.country)?;
        let erased = Box::pin(erasure::erase(person, &self.crm, &self.redis, dry)).await?;
        if !dry && erased.was_known() {
            self.note_done(who, "person.erase", None, None, None).await;
            self.redis.note_act(&who.name, &erased.act()).await?;
        }
        Ok(erased)
    }

    /// Tries what did not arrive again at once, of one notice or of all; turns channels on again.
    ///
    /// # Errors
    /// When the CRM cannot be reached.
    pub async fn retry_notices(&self, who: &Who, notice: Option<&str>) -> Result<u64, Problem> {
        let count = self.crm.retry(notice, Timestamp::now()).await?;
        self.note_done(who, "notice.retry", notice, None, None)
            .await;
        Ok(count)
    }

    /// Sends a test notice over every channel that is set up.
    ///
    /// # Errors
    /// When the CRM cannot be reached.
    pub async fn test_notice(&self, who: &Who) -> Result<(), Problem> {
        self.crm.tell_test(&who.name, Timestamp::now()).await?;
        self.note_done(who, "notice.test", None, None, None).await;
        Ok(())
    }

    pub(crate) async fn note_of(
        &self,
        who: &Who,
        act: &'static str,
        conversation: &ConversationId,
    ) {
        self.note_done(who, act, None, None, Some(conversation.as_str()))
            .await;
    }

    /// Notes what is done already. That it cannot be noted is no error of the act: who is told of one tries
    /// again, and does it twice.
    pub(crate) async fn note_done(
        &self,
        who: &Who,
        act: &'static str,
        subject: Option<&str>,
        note: Option<&str>,
        conversation: Option<&str>,
    ) {
        if let Err(error) = self.note(who, act, subject, note, conversation).await {
            let error = Chain(&error);
            tracing::error!(%error, act, operator = who.name, "an act is not in the audit trail");
        }
    }

    /// Notes that somebody did something, in the audit trail.
    pub(crate) async fn note(
        &self,
        who: &Who,
        act: &'static str,
        subject: Option<&str>,
        note: Option<&str>,
        conversation: Option<&str>,
    ) -> Result<(), Problem> {
        let contact = match conversation {
            Some(conversation) => self.crm.contact_of(conversation).await?,
            None => None,
        };
        let contact = contact.as_ref().map(|contact| contact.id.as_str());
        let act = NewAct {
            at: Timestamp::now(),
            by: &who.name,
            via: who.via,
            act,
            subject: subject.or(contact),
            note,
            contact,
        };
        tracing::info!(act = act.act, via = act.via, "an operator acted");
        Ok(self.crm.note_act(act).await?)
    }
}

fn act_of(matter: Matter, to: Status) -> &'static str {
    match (matter, to) {
        (Matter::Handover, Status::Taken) => "handover.take",
        (Matter::Handover, Status::Answered) => "handover.answered",
        (Matter::Handover, _) => "handover.close",
        (Matter::Lead, Status::Taken) => "lead.take",
        (Matter::Lead, Status::Won) => "lead.won",
        (Matter::Lead, _) => "lead.dropped",
        (Matter::Appointment, Status::Confirmed) => "appointment.confirm",
        (Matter::Appointment, _) => "appointment.cancel",
    }
}

/// A row as a JSON object.
#[must_use]
pub fn object(row: Row) -> Value {
    let pairs = row.into_iter();
    Value::Object(
        pairs
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
