//! What the command line offers besides serving.

mod access;
pub mod desk;
mod doctor;
pub mod unclear;

pub use access::{HashPasswordArgs, SessionsArgs, TokensArgs};
pub use doctor::DoctorArgs;

use std::io;

use clap::Args;
use crm::console::NewAct;
use crm::{Crm, CrmConfig, CrmError};
use jiff::Timestamp;
use runtime::Operator;
use streams::{DeploymentError, Redis, RedisConfig};

use crate::access::Who;
use crate::access::password::PasswordError;
use crate::config::country_code;
use crate::desk::{Desk, Problem};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It was not done.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The CRM failed.
    #[error(transparent)]
    Crm(#[from] CrmError),
    /// There is no deployment.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The password is not taken.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// What was given is not what is expected.
    #[error("{0}")]
    Given(String),
    /// The output could not be written, or the input not read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Where contacts and conversations are, and who acts.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    crm: CrmConfig,
    #[command(flatten)]
    redis: RedisConfig,
    #[command(flatten)]
    operator: Operator,
    /// The country that telephone numbers beginning with a zero are from.
    #[arg(
        long,
        env = "CONSOLE_COUNTRY",
        default_value = "31",
        value_parser = country_code,
        value_name = "CODE"
    )]
    console_country: String,
}

impl Place {
    async fn crm(&self) -> Result<Crm, CrmError> {
        let crm = Crm::new(&self.crm.crm_database_url)?;
        crm.migrate().await?;
        Ok(crm)
    }

    async fn desk(&self) -> Result<Desk, CommandError> {
        Ok(Desk {
            crm: self.crm().await?,
            redis: Redis::of_deployment(&self.redis).await?,
            country: self.console_country.clone(),
            templates: Vec::new(),
        })
    }

    /// Notes what was done, in the audit trail.
    async fn note(
        &self,
        crm: &Crm,
        act: &'static str,
        subject: Option<&str>,
    ) -> Result<(), CrmError> {
        let who = self.who();
        let act = NewAct {
            at: Timestamp::now(),
            by: &who.name,
            via: who.via,
            act,
            subject,
            note: None,
            contact: None,
        };
        crm.note_act(act).await
    }

    fn who(&self) -> Who {
        Who {
            name: self.operator.name().to_owned(),
            via: "command",
        }
    }
}
