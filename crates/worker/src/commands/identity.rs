//! `worker identity`: who is who, and how that is corrected.

use std::io;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use crm::person::{NobodyError, Person};
use crm::who::is_theirs;
use crm::{Crm, CrmConfig, CrmError};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared_types::fields::contact;
use streams::{
    Claim, DeploymentError, Identity, Join, Person as _, Redis, RedisConfig, StreamsError,
};

use super::CountryArgs;
use crate::effects::OptOut;
use crate::identity::Identities;

/// `worker identity`.
#[derive(Debug, Clone, Args)]
pub struct IdentityArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    country: CountryArgs,
    #[command(flatten)]
    crm: CrmConfig,
    #[command(flatten)]
    redis: RedisConfig,
}

/// What is to be done. Somebody is named by a telephone number, an address or a conversation, in any
/// spelling.
#[derive(Debug, Clone, Subcommand)]
enum Action {
    /// Shows by which addresses a person is known, in which conversations, and what joined them.
    Show {
        /// The person.
        who: String,
    },
    /// Makes one person of two: memory, opt-out and CRM are shared from then on.
    Join {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// Makes a person of their own of who has an address; webhooks do not join them again.
    Split {
        /// The address that belongs to somebody else.
        address: String,
    },
}

/// Why the command failed. It may be run again.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Nobody can be called that.
    #[error(transparent)]
    Nobody(#[from] NobodyError),
    /// There is no deployment.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] StreamsError),
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

/// What to print, for success and for failure.
type Outcome = Result<String, String>;

impl IdentityArgs {
    /// Does it and says what was done. Exit code 1 when nobody has the address.
    ///
    /// # Errors
    /// When Redis or the CRM fails.
    pub async fn run(&self) -> Result<ExitCode, IdentityError> {
        let redis = Redis::of_deployment(&self.redis).await?;
        let crm = Crm::new(&self.crm.crm_database_url)?;
        crm.migrate().await?;
        let desk = Desk {
            identities: Identities {
                redis: redis.clone(),
                history_lines: 1,
            },
            redis,
            crm,
        };
        let done = match &self.action {
            Action::Show { who } => desk.show(who, &self.country.person(who)?).await?,
            Action::Join { one, other } => {
                let persons = [self.country.person(one)?, self.country.person(other)?];
                desk.join([one, other], &persons).await?
            }
            Action::Split { address } => {
                desk.split(address, &self.country.person(address)?).await?
            }
        };
        let (text, code) = match done {
            Ok(text) => (text, ExitCode::SUCCESS),
            Err(text) => (text, ExitCode::FAILURE),
        };
        runtime::print(&text)?;
        Ok(code)
    }
}

/// Where identities are looked up and corrected.
struct Desk {
    redis: Redis,
    identities: Identities,
    crm: Crm,
}

fn unknown(who: &str) -> Outcome {
    Err(format!("nobody is known by {who}"))
}

/// The addresses by which the CRM may know who has these names.
fn in_crm(identity: &Identity) -> Vec<String> {
    let spelled = |name: &str| match name.strip_prefix("tel:") {
        Some(number) => vec![
            name.to_owned(),
            format!("whatsapp:{number}"),
            format!("{}@c.us", number.trim_start_matches('+')),
        ],
        None => vec![name.to_owned()],
    };
    identity.addresses().flat_map(spelled).collect()
}

impl Desk {
    async fn find(&self, person: &Person) -> Result<Option<Identity>, IdentityError> {
        let mut all = self.redis.all_identities().await?.into_iter();
        Ok(all.find(|identity| is_theirs(person, identity)))
    }

    async fn show(&self, who: &str, person: &Person) -> Result<Outcome, IdentityError> {
        let Some(identity) = self.find(person).await? else {
            return Ok(unknown(who));
        };
        let log = identity.log.iter();
        let log = log.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let shown = json!({
            "person": identity.id,
            "addresses": identity.addresses().collect::<Vec<_>>(),
            "conversations": identity.conversations().collect::<Vec<_>>(),
            "split_away": identity.pinned,
            "in_crm": self.crm.addresses_beside(&in_crm(&identity)).await?,
            "changes": log.collect::<Vec<_>>(),
        });
        Ok(Ok(format!("{shown:#}")))
    }

    async fn join(&self, who: [&str; 2], persons: &[Person; 2]) -> Result<Outcome, IdentityError> {
        let mut names: Vec<String> = Vec::new();
        let mut known = Vec::new();
        for (who, person) in who.iter().zip(persons) {
            let Some(identity) = self.find(person).await? else {
                return Ok(unknown(who));
            };
            // Whatever was split may be joined again: all names of both are meant.
            names.extend(identity.names.keys().cloned());
            known.extend(in_crm(&identity));
        }
        let now = Timestamp::now();
        let audit = json!({"at": now, "change": "joined", "by": "operator", "names": who});
        let audit = audit.to_string();
        let joined = self.redis.join(Join {
            names: &names,
            conversation: None,
            claim: Claim::Operator,
            is_new: false,
            audit: &audit,
            now,
        });
        let joined = joined.await?;
        let identity = self.redis.identity(&joined.id).await?;
        self.identities.renew(&identity).await?;
        self.share_opt_out(&identity, now).await?;
        self.crm.join(&known, now).await?;
        let [one, other] = who;
        Ok(Ok(format!(
            "{one} and {other} are one person now, {}",
            joined.id
        )))
    }

    /// Who wants no messages in one conversation wants none in the others.
    async fn share_opt_out(&self, identity: &Identity, now: Timestamp) -> Result<(), StreamsError> {
        let mut opted_out = false;
        for conversation in identity.conversations() {
            let partition = self.redis.partitions().partition_of(conversation);
            let key = self.redis.keys().of(partition).contact(conversation);
            let fields = self.redis.hash(&key).await?;
            opted_out |= fields.contains_key(contact::OPTED_OUT);
        }
        if opted_out {
            self.identities
                .opt_out_of_all(identity, OptOut::Since(now))
                .await?;
        }
        Ok(())
    }

    async fn split(&self, address: &str, person: &Person) -> Result<Outcome, IdentityError> {
        let Some(identity) = self.find(person).await? else {
            return Ok(unknown(address));
        };
        let addresses = identity.addresses().map(str::to_owned);
        let mut names: Vec<String> = addresses.filter(|name| person.has(name)).collect();
        if names.is_empty() {
            let conversations = identity.conversations().filter(|name| person.has(name));
            names.extend(conversations.map(Identity::name_of_conversation));
        }
        let now = Timestamp::now();
        let audit = json!({"at": now, "change": "split", "by": "operator", "names": names});
        let Some(id) = self.redis.split(&names, &audit.to_string(), now).await? else {
            return Ok(Err(format!(
                "{address} is all that the person {} is known by",
                identity.id
            )));
        };
        let going = self.redis.identity(&id).await?;
        for one in [&going, &self.redis.identity(&identity.id).await?] {
            self.identities.renew(one).await?;
        }
        let conversations: Vec<String> = going.conversations().map(str::to_owned).collect();
        self.crm.split(&in_crm(&going), &conversations, now).await?;
        Ok(Ok(format!("{address} is a person of their own now, {id}")))
    }
}
