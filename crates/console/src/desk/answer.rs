//! Writing to a customer, and who has the conversation.

use std::collections::BTreeMap;

use crm::desk::{self, Answer};
use shared_types::{ControlKind, ConversationId, Source};
use uuid::Uuid;

use super::conversation::{Standing, Window};
use super::{Desk, Problem, Who};
use crate::templates::{self, MessageTemplate, TemplateError};

/// What a customer is answered.
#[derive(Debug, Clone, Copy)]
pub enum Words<'a> {
    /// Free text.
    Text(&'a str),
    /// A template that WhatsApp has approved.
    Template {
        /// Its name, or its SID.
        name: &'a str,
        /// Its language, where several have the name.
        language: Option<&'a str>,
        /// What its variables are.
        values: &'a BTreeMap<String, String>,
    },
}

impl Desk {
    /// Sends a customer what a colleague wrote, or chose. The conversation is the colleague's from then on.
    ///
    /// # Errors
    /// When nobody knows the customer, they cannot be written to so, or Redis cannot be reached.
    pub async fn answer(
        &self,
        who: &Who,
        conversation: &ConversationId,
        words: Words<'_>,
        token: Uuid,
    ) -> Result<(), Problem> {
        let standing = self.known(conversation).await?;
        if standing.opted_out.is_some() {
            return Err(Problem::OptedOut);
        }
        let (template, text) = match words {
            Words::Text(_) if matches!(standing.window, Window::Closed) => {
                return Err(Problem::WindowClosed);
            }
            Words::Text(text) => (None, text.to_owned()),
            Words::Template { .. } if conversation.source() != Some(Source::Twilio) => {
                return Err(TemplateError::NotTwilio.into());
            }
            Words::Template {
                name,
                language,
                values,
            } => {
                let (template, text) = self.template(name, language)?.fill(values)?;
                (Some(template), text)
            }
        };
        let answer = Answer {
            conversation,
            text: &text,
            template: template.as_ref(),
            by: &who.name,
            token,
        };
        if desk::answer(&self.redis, answer).await? {
            let act = match template {
                Some(_) => "conversation.template",
                None => "conversation.answer",
            };
            self.note_of(who, act, conversation).await;
        }
        Ok(())
    }

    fn template(&self, name: &str, language: Option<&str>) -> Result<&MessageTemplate, Problem> {
        let found = templates::find(&self.templates, name, language)?;
        found.ok_or(Problem::Unknown("template"))
    }

    /// Takes a conversation over that nobody handed over.
    ///
    /// # Errors
    /// When nobody knows the customer, or Redis cannot be reached.
    pub async fn take_over(&self, who: &Who, conversation: &ConversationId) -> Result<(), Problem> {
        self.known(conversation).await?;
        let kind = ControlKind::HumanTookOver;
        desk::change_hands(&self.redis, conversation, kind, &who.name).await?;
        self.note_of(who, "conversation.take", conversation).await;
        Ok(())
    }

    /// Gives a conversation back to the bot.
    ///
    /// # Errors
    /// When nobody knows the customer, the conversation is Chatwoot's own, or Redis cannot be reached.
    pub async fn give_back(&self, who: &Who, conversation: &ConversationId) -> Result<(), Problem> {
        self.known(conversation).await?;
        if conversation.source() == Some(Source::Chatwoot) {
            return Err(Problem::GivenBackInChatwoot);
        }
        let kind = ControlKind::Released;
        desk::change_hands(&self.redis, conversation, kind, &who.name).await?;
        self.note_of(who, "conversation.give_back", conversation)
            .await;
        Ok(())
    }

    /// How things stand with a customer whom Redis or the CRM knows. Who was erased would come back with
    /// anything that is done to their conversation.
    async fn known(&self, conversation: &ConversationId) -> Result<Standing, Problem> {
        let standing = self.standing(conversation).await?;
        // Redis forgets who has not written for long, the CRM does not.
        if !standing.is_known && self.crm.contact_of(conversation.as_str()).await?.is_none() {
            return Err(Problem::Unknown("conversation"));
        }
        Ok(standing)
    }
}
