//! One step on its way into the help desk.

use std::time::Instant;

use serde_json::{Value, json};
use shared_types::{MirrorStatus, MirrorStep, MirrorWhat, TickStatus, Ticked};
use streams::{Job, Record, Settled};

use super::api::{Api, Failed, NewContact, Trouble};
use super::known::Known;
use super::{forgotten, text};

/// Why a step is not done.
pub(super) enum Stop {
    /// It is settled already, or its owner has changed.
    Settled(Settled),
    /// It has to be tried again.
    Wait(Trouble),
    /// Chatwoot will never take it.
    Refused(String),
}

impl From<Settled> for Stop {
    fn from(settled: Settled) -> Self {
        Self::Settled(settled)
    }
}

impl From<Failed> for Stop {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Wait(trouble) => Self::Wait(trouble),
            // Whoever deleted it may make it anew.
            Failed::Gone => Self::Wait(Trouble {
                class: "gone",
                ..Trouble::of_server("404: the inbox or the account is not there")
            }),
            Failed::Refused(why) => Self::Refused(why),
        }
    }
}

/// What stands before the name of each of our messages.
pub(super) const OURS: &str = "pd:";

/// A step with what is known of its conversation.
pub(super) struct Steps<'a> {
    api: &'a Api,
    step: &'a MirrorStep,
    known: Known,
    /// Whether an earlier try may have posted it.
    in_doubt: bool,
    /// Whether it is there, and only what follows it is missing.
    is_posted: bool,
    deadline: Instant,
}

impl<'a> Steps<'a> {
    pub(super) fn new(api: &'a Api, step: &'a MirrorStep, known: Known, in_doubt: bool) -> Self {
        Self {
            api,
            step,
            known,
            in_doubt,
            is_posted: false,
            deadline: Instant::now(),
        }
    }

    /// Does the step, or what is left of it. Gives the record with which it ends.
    pub(super) async fn take(&mut self, job: &mut Job<MirrorStep>) -> Result<Record, Stop> {
        self.deadline = job.safe_until();
        match &self.step.what {
            MirrorWhat::Customer { text, .. } => {
                let display = self.conversation(job).await?;
                self.say(job, display, "incoming", false, text::incoming(text), None)
                    .await?;
                // The customer's message opens a conversation that was resolved, and the bot has it.
                if self.known.status == MirrorStatus::Resolved.as_str() {
                    self.give_back(display).await?;
                }
            }
            MirrorWhat::Bot { text } => {
                let display = self.conversation(job).await?;
                self.say(job, display, "outgoing", false, text::outgoing(text), None)
                    .await?;
            }
            MirrorWhat::Colleague { text } => {
                let display = self.conversation(job).await?;
                let echo = Some("external_echo");
                self.say(job, display, "outgoing", false, text::outgoing(text), echo)
                    .await?;
            }
            MirrorWhat::HandedOver { note, urgent } => {
                let display = self.conversation(job).await?;
                self.say(job, display, "outgoing", true, text::outgoing(note), None)
                    .await?;
                self.hand_over(display, *urgent).await?;
            }
            MirrorWhat::Answered { agent } => self.answered(*agent).await?,
            MirrorWhat::Hands { to, told } => self.hands(*to, *told).await?,
            MirrorWhat::Forgotten { display } => {
                forgotten::tell(self.api, self.step, *display, self.deadline).await?;
                return Ok(Record::default());
            }
            MirrorWhat::Tick { of, status, error } => {
                self.tick(of, *status, error.as_deref()).await?;
                return Ok(Record::default());
            }
        }
        Ok(self
            .known
            .record(job.keys().mirror(&job.entry.conversation)))
    }

    /// The conversation in the help desk; it is made when there is none.
    async fn conversation(&mut self, job: &Job<MirrorStep>) -> Result<u64, Stop> {
        if let Some(display) = self.known.display {
            return Ok(display);
        }
        let source_id = self.step.conversation_id.as_str();
        let contact = match self.known.contact {
            Some(contact) => contact,
            None => self.contact(source_id).await?,
        };
        self.known.contact = Some(contact);
        let (display, status) = match self.api.converse(contact, source_id, self.deadline).await {
            // The contact was deleted, or belongs to an inbox that was.
            Err(Failed::Gone) => {
                self.known = Known::default();
                self.note(job).await?;
                return Err(Failed::Gone.into());
            }
            made => made?,
        };
        self.known = Known {
            contact: Some(contact),
            display: Some(display),
            seen: 0,
            status,
            is_taken: false,
        };
        self.note(job).await?;
        Ok(display)
    }

    async fn note(&self, job: &Job<MirrorStep>) -> Result<(), Stop> {
        let key = job.keys().mirror(&job.entry.conversation);
        job.record(&self.known.record(key)).await?;
        Ok(())
    }

    async fn contact(&self, source_id: &str) -> Result<u64, Stop> {
        let (given, number) = match &self.step.what {
            MirrorWhat::Customer {
                name, phone_number, ..
            } => (name.as_deref(), phone_number.as_deref()),
            _ => (None, None),
        };
        let address = source_id.rsplit(':').next().unwrap_or(source_id);
        let name = text::name(given, address);
        let contact = NewContact {
            source_id,
            name: &name,
            phone_number: number,
        };
        let why = match self.api.make_contact(&contact, self.deadline).await {
            Err(Failed::Refused(why)) => why,
            made => return Ok(made?),
        };
        // Somebody with that number is there already.
        for wanted in [Some(source_id), number].into_iter().flatten() {
            if let Some(found) = self.api.find_contact(wanted).await? {
                let link = self.api.link_contact(found, source_id, self.deadline);
                link.await?;
                return Ok(found);
            }
        }
        Err(Stop::Refused(why))
    }

    /// Posts a message unless it is there already.
    async fn say(
        &mut self,
        job: &Job<MirrorStep>,
        display: u64,
        kind: &str,
        is_private: bool,
        content: String,
        mark: Option<&str>,
    ) -> Result<(), Stop> {
        if self.is_posted {
            return Ok(());
        }
        let source_id = format!("{OURS}{}", self.step.id);
        if self.in_doubt {
            let found = self.api.find_message(display, self.known.seen, &source_id);
            match found.await {
                Ok(Some(id)) => {
                    self.known.seen = id;
                    self.is_posted = true;
                    return Ok(());
                }
                Ok(None) => {}
                Err(failed) => return Err(self.lost(job, failed).await),
            }
        }
        let mut attributes = json!({"external_created_at": self.step.at.as_second()});
        if let Some(mark) = mark {
            attributes[mark] = json!(true);
        }
        let message = json!({
            "content": content,
            "message_type": kind,
            "private": is_private,
            "source_id": source_id,
            // At top level the time would be lost beside attributes.
            "content_attributes": attributes,
        });
        match self.api.post(display, &message, self.deadline).await {
            Ok(id) => {
                self.known.seen = id;
                self.is_posted = true;
                Ok(())
            }
            Err(failed) => {
                self.in_doubt |= matches!(failed, Failed::Wait(_));
                Err(self.lost(job, failed).await)
            }
        }
    }

    /// A conversation that is gone is made anew by the next try.
    async fn lost(&mut self, job: &Job<MirrorStep>, failed: Failed) -> Stop {
        if failed != Failed::Gone {
            return failed.into();
        }
        self.known.display = None;
        self.in_doubt = false;
        match self.note(job).await {
            Ok(()) => Stop::Wait(Trouble {
                class: "gone",
                of_conversation: true,
                ..Trouble::of_server("404: the conversation is not there; another one is made")
            }),
            Err(stop) => stop,
        }
    }

    async fn set_status(&mut self, display: u64, status: MirrorStatus) -> Result<(), Stop> {
        // Without a word it would toggle.
        let body = json!({"status": status.as_str()});
        let set = self.api.set(display, "toggle_status", &body, self.deadline);
        set.await?;
        status.as_str().clone_into(&mut self.known.status);
        Ok(())
    }

    /// Everything that makes colleagues see it: a pending conversation is hidden from most lists.
    async fn hand_over(&mut self, display: u64, urgent: bool) -> Result<(), Stop> {
        let set = async |what: &str, body: Value| -> Result<(), Stop> {
            Ok(self.api.set(display, what, &body, self.deadline).await?)
        };
        let priority = if urgent { "urgent" } else { "high" };
        set("toggle_priority", json!({ "priority": priority })).await?;
        if let Some(team) = self.api.team {
            set("assignments", json!({ "team_id": team })).await?;
        }
        if let Some(assignee) = self.api.assignee {
            set("assignments", json!({ "assignee_id": assignee })).await?;
        }
        if let Some(label) = &self.api.label {
            self.api.add_label(display, label, self.deadline).await?;
        }
        self.known.is_taken = false;
        self.set_status(display, MirrorStatus::Open).await
    }

    /// The bot has it again, and nobody else.
    async fn give_back(&mut self, display: u64) -> Result<(), Stop> {
        let nobody = json!({ "assignee_id": null });
        let set = self.api.set(display, "assignments", &nobody, self.deadline);
        set.await?;
        self.known.is_taken = false;
        self.set_status(display, MirrorStatus::Pending).await
    }

    /// A colleague answered. Chatwoot leaves the conversation pending and with nobody; what the colleague
    /// did with it meanwhile stands.
    async fn answered(&mut self, agent: Option<u64>) -> Result<(), Stop> {
        let Some(display) = self.known.display else {
            return Ok(());
        };
        let now = match self.api.conversation(display).await {
            Err(Failed::Gone) => return Ok(()),
            now => now?,
        };
        self.known.is_taken = true;
        if now.get("status").and_then(Value::as_str) != Some(MirrorStatus::Pending.as_str()) {
            return Ok(());
        }
        self.set_status(display, MirrorStatus::Open).await?;
        let has_assignee = now
            .pointer("/meta/assignee")
            .is_some_and(|one| !one.is_null());
        if let Some(agent) = agent.filter(|_| !has_assignee) {
            let body = json!({ "assignee_id": agent });
            let set = self.api.set(display, "assignments", &body, self.deadline);
            set.await?;
        }
        Ok(())
    }

    async fn hands(&mut self, to: MirrorStatus, told: bool) -> Result<(), Stop> {
        let Some(display) = self.known.display else {
            return Ok(());
        };
        self.known.is_taken = to == MirrorStatus::Open;
        if told {
            to.as_str().clone_into(&mut self.known.status);
            return Ok(());
        }
        match to {
            MirrorStatus::Pending => self.give_back(display).await,
            MirrorStatus::Open | MirrorStatus::Resolved => self.set_status(display, to).await,
        }
    }

    async fn tick(&self, of: &Ticked, status: TickStatus, error: Option<&str>) -> Result<(), Stop> {
        let (display, message) = match of {
            Ticked::Theirs(message) => (message.conversation, message.message),
            Ticked::Ours(id) => {
                let Some(display) = self.known.display else {
                    return Ok(());
                };
                let source_id = format!("{OURS}{id}");
                match self.api.find_message(display, 0, &source_id).await {
                    Ok(Some(message)) => (display, message),
                    Ok(None) | Err(Failed::Gone) => return Ok(()),
                    Err(failed) => return Err(failed.into()),
                }
            }
        };
        let body = json!({"status": status.as_str(), "external_error": error});
        match self.api.tick(display, message, &body, self.deadline).await {
            // Deleted, or it is further already: then there is nothing to say.
            Err(Failed::Gone | Failed::Refused(_)) => Ok(()),
            told => Ok(told?),
        }
    }
}
