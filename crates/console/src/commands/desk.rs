//! `console waiting`, `show`, `take`, `answer`, `templates`, `give-back`, `close`, `leads`, `appointments`, `acts`: the
//! verbs of the pages.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use crm::{Filter, Matter, Row, Status, What};
use serde_json::{Value, json};
use shared_types::{ConversationId, Masking};
use uuid::Uuid;

use super::{CommandError, Place};
use crate::desk::{Conversation, Hands, MessageTemplate, Speaker, Window, Words, cell, object};
use crate::templates::TemplateArgs;

/// What colleagues do and see.
#[derive(Debug, Clone, Subcommand)]
pub enum DeskArgs {
    /// Print who waits for a colleague, or has one.
    Waiting(List),
    /// Print a conversation: what was said, who has it, who the person is.
    Show(One),
    /// It is mine: the bot is silent in the conversation from now on.
    Take(Deed),
    /// Send the customer an answer. The conversation is yours then.
    Answer(Answer),
    /// Print the templates that may be sent when WhatsApp takes no free text.
    Templates(Templates),
    /// Give a conversation back to the bot.
    GiveBack(Back),
    /// Close a hand-over: the bot answers again.
    Close(Deed),
    /// Print leads that are open, the newest first.
    Leads(List),
    /// Print appointments that are not called off, the newest first.
    Appointments(List),
    /// Print who did what, the newest first.
    Acts(List),
}

/// How a list is printed.
#[derive(Debug, Clone, Args)]
pub struct List {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// A conversation.
#[derive(Debug, Clone, Args)]
pub struct One {
    /// The conversation, such as `whatsapp:+31612345678`.
    conversation: String,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// A conversation that is given back.
#[derive(Debug, Clone, Args)]
pub struct Back {
    /// The conversation, such as `whatsapp:+31612345678`.
    conversation: String,
    #[command(flatten)]
    place: Place,
}

/// A hand-over, and why.
#[derive(Debug, Clone, Args)]
pub struct Deed {
    /// Its id, as `console waiting` prints it.
    id: String,
    /// Why, for those who look later.
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// An answer.
#[derive(Debug, Clone, Args)]
pub struct Answer {
    /// The conversation, such as `whatsapp:+31612345678`.
    conversation: String,
    /// The words, as the customer gets them.
    #[arg(required_unless_present = "template", conflicts_with = "template")]
    text: Option<String>,
    /// The name or SID of a template, which WhatsApp takes also after 24 hours.
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Its language, where several have the name.
    #[arg(long, requires = "template")]
    language: Option<String>,
    /// A variable of it and its value, such as 1=Sanne; each variable once.
    #[arg(long = "set", requires = "template", value_parser = variable, value_name = "NAME=VALUE")]
    values: Vec<(String, String)>,
    #[command(flatten)]
    templates: TemplateArgs,
    #[command(flatten)]
    place: Place,
}

/// The templates that are set up.
#[derive(Debug, Clone, Args)]
pub struct Templates {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    templates: TemplateArgs,
}

fn variable(text: &str) -> Result<(String, String), &'static str> {
    let pair = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

impl DeskArgs {
    /// Does what is asked.
    ///
    /// # Errors
    /// When it cannot be done; the error says why.
    pub async fn run(&self) -> Result<ExitCode, CommandError> {
        match self {
            Self::Waiting(list) => waiting(list).await?,
            Self::Show(one) => Box::pin(show(one)).await?,
            Self::Take(deed) => change(deed, Status::Taken).await?,
            Self::Answer(answer) => send(answer).await?,
            Self::Templates(list) => templates(list)?,
            Self::GiveBack(back) => {
                let desk = back.place.desk().await?;
                let id = conversation(&back.conversation)?;
                desk.give_back(&back.place.who(), &id).await?;
                runtime::print(&"given back; the bot answers once the worker has read this")?;
            }
            Self::Close(deed) => change(deed, Status::Closed).await?,
            Self::Leads(list) => matters(list, Matter::Lead).await?,
            Self::Appointments(list) => matters(list, Matter::Appointment).await?,
            Self::Acts(list) => acts(list).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn conversation(name: &str) -> Result<ConversationId, CommandError> {
    name.parse()
        .map_err(|_| CommandError::Given(format!("{name} is no conversation")))
}

async fn waiting(list: &List) -> Result<(), CommandError> {
    let desk = list.place.desk().await?;
    for one in desk.waiting().await? {
        let told = one.told.iter().map(
            |told| json!({"channel": told.channel, "status": told.status, "sent_at": told.sent_at}),
        );
        if list.json {
            let mut whole = object(one.row.clone());
            whole["told"] = Value::Array(told.collect());
            runtime::print(&whole)?;
        } else {
            line(&one.row)?;
        }
    }
    Ok(())
}

async fn matters(list: &List, matter: Matter) -> Result<(), CommandError> {
    let crm = list.place.crm().await?;
    let page = crm.browse(matter, Filter::only(What::Open), None, u16::MAX);
    for row in page.await?.rows {
        if list.json {
            runtime::print(&object(row))?;
        } else {
            line(&row)?;
        }
    }
    Ok(())
}

/// A row for a person; numbers are masked, as in other lists.
fn line(row: &Row) -> Result<(), CommandError> {
    let get = |name: &str| cell(row, name);
    let about = ["reason", "intent", "purpose", "thing", "date", "time"];
    let about = about.map(get).into_iter().filter(|text| !text.is_empty());
    let about = about.collect::<Vec<_>>().join(" ");
    let owner = Some(get("owner")).filter(|owner| !owner.is_empty());
    runtime::print(&format!(
        "{:<26} {:<9} {}  {about}  {}  {}  {}",
        get("id"),
        get("status"),
        get("created_at"),
        get("name"),
        Masking::On.show(get("conversation")),
        owner.unwrap_or("nobody"),
    ))?;
    Ok(())
}

async fn change(deed: &Deed, to: Status) -> Result<(), CommandError> {
    let desk = deed.place.desk().await?;
    let matter = (Matter::Handover, deed.id.as_str());
    desk.change(&deed.place.who(), matter, to, deed.note.as_deref())
        .await?;
    runtime::print(&format!("{} is {}", deed.id, to.as_str()))?;
    Ok(())
}

async fn send(answer: &Answer) -> Result<(), CommandError> {
    let mut desk = answer.place.desk().await?;
    let values = answer.values.iter().cloned().collect();
    let words = match (&answer.text, &answer.template) {
        (_, Some(name)) => {
            desk.templates = answer.templates.read().map_err(CommandError::Given)?;
            let language = answer.language.as_deref();
            Words::Template {
                name,
                language,
                values: &values,
            }
        }
        (text, None) => Words::Text(text.as_deref().unwrap_or_default()),
    };
    let id = conversation(&answer.conversation)?;
    desk.answer(&answer.place.who(), &id, words, Uuid::new_v4())
        .await?;
    runtime::print(&"the answer is on its way")?;
    Ok(())
}

fn templates(list: &Templates) -> Result<(), CommandError> {
    for template in list.templates.read().map_err(CommandError::Given)? {
        if list.json {
            runtime::print(&template_json(&template))?;
            continue;
        }
        let MessageTemplate {
            name,
            language,
            sid,
            text,
            ..
        } = &template;
        runtime::print(&format!("{name}  {language}  {sid}  {text}"))?;
    }
    Ok(())
}

/// A template as programs get it.
pub(crate) fn template_json(template: &MessageTemplate) -> Value {
    let variables = template.variables().into_iter();
    let variables: Vec<Value> = variables
        .map(|(name, what)| json!({"name": name, "what": what}))
        .collect();
    json!({
        "name": template.name, "language": template.language, "sid": template.sid,
        "text": template.text, "variables": variables,
    })
}

async fn show(one: &One) -> Result<(), CommandError> {
    let desk = one.place.desk().await?;
    let found = desk.conversation(&conversation(&one.conversation)?).await?;
    if one.json {
        runtime::print(&conversation_json(found))?;
        return Ok(());
    }
    match &found.contact {
        Some(contact) => {
            let name = contact.name.as_deref().unwrap_or("somebody");
            let addresses = contact.addresses.join(" ");
            runtime::print(&format!("{name} ({})  {addresses}", contact.id))?;
        }
        None => runtime::print(&"the CRM knows no contact")?,
    }
    for line in &found.lines {
        let change = line.change.as_ref().map(|change| change.join(" "));
        let text = change.unwrap_or_default() + &line.text;
        runtime::print(&format!("{:.0}  {:<9} {text}", line.at, speaker(line.by)))?;
    }
    match found.hands {
        Hands::Bot => runtime::print(&"the bot answers")?,
        Hands::Colleague { until } => {
            runtime::print(&format!("a colleague has it until {until:.0}"))?;
        }
    }
    Ok(())
}

const fn speaker(by: Speaker) -> &'static str {
    match by {
        Speaker::Customer => "customer",
        Speaker::Bot => "bot",
        Speaker::Colleague => "colleague",
        Speaker::Note => "note",
    }
}

/// A conversation as programs get it.
pub(crate) fn conversation_json(found: Conversation) -> Value {
    let lines = found.lines.iter().map(|line| {
        json!({
            "by": speaker(line.by), "text": line.text, "at": line.at, "status": line.status,
            "error": line.error,
            "xray": line.xray.as_ref().map(|xray| {
                let hops = xray.hops.iter().map(|hop| {
                    json!({"what": hop.what, "place": hop.place, "at": hop.at, "took_us": hop.took_us})
                });
                let held = xray.held.as_ref().map(|(reason, error)| {
                    json!({"reason": reason, "error": error})
                });
                json!({"hops": hops.collect::<Vec<_>>(), "turn": xray.turn, "held": held})
            }),
            "change": line.change.as_ref().map(|[subject, from, to, by]| {
                json!({"subject": subject, "from": from, "to": to, "by": by})
            }),
        })
    });
    let lines: Vec<Value> = lines.collect();
    let human_until = match found.hands {
        Hands::Bot => None,
        Hands::Colleague { until } => Some(until),
    };
    let (writable, window_until) = match found.window {
        Window::Always => (true, None),
        Window::Open { until } => (true, Some(until)),
        Window::Closed => (false, None),
    };
    let all = |rows: Vec<Row>| rows.into_iter().map(object).collect::<Vec<_>>();
    json!({
        "id": found.id.as_str(),
        "contact": found.contact.map(|contact| json!({
            "id": contact.id, "name": contact.name, "language": contact.language,
            "addresses": contact.addresses,
        })),
        "lines": lines,
        "human_until": human_until,
        "opted_out_at": found.opted_out,
        "writable": writable && found.opted_out.is_none(),
        "window_until": window_until,
        "handover": found.handover.map(object),
        "leads": all(found.leads),
        "appointments": all(found.appointments),
    })
}

async fn acts(list: &List) -> Result<(), CommandError> {
    let crm = list.place.crm().await?;
    for act in crm.acts(200).await? {
        if list.json {
            runtime::print(&serde_json::to_value(&act).unwrap_or_default())?;
            continue;
        }
        let (subject, note) = (
            act.subject.unwrap_or_default(),
            act.note.unwrap_or_default(),
        );
        runtime::print(&format!(
            "{}  {:<16} {:<8} {:<24} {subject}  {note}",
            act.at, act.by, act.via, act.act
        ))?;
    }
    Ok(())
}
