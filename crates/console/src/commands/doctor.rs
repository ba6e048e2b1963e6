//! `console doctor`: what is wrong, and what mends it.

use std::process::ExitCode;

use clap::Args;
use crm::{Crm, CrmError};
use runtime::{Finding, Findings, examine_redis};
use streams::Duty;

use super::CommandError;
use crate::config::ConsoleConfig;

/// `console doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    console: ConsoleConfig,
}

impl DoctorArgs {
    /// What is wrong with the settings as a whole; empty when nothing is.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        self.console.mistakes()
    }

    /// Tries Redis and the CRM, and says how it went. Exit code 1 when something has to be mended.
    ///
    /// # Errors
    /// When the output fails.
    pub async fn run(&self, mistakes: &[String]) -> Result<ExitCode, CommandError> {
        let mut findings = Findings::default();
        findings.add_settings(mistakes);
        for finding in examine_redis(&self.console.redis, &[Duty::TakeIn]).await {
            findings.add("redis", finding);
        }
        findings.add("crm", self.crm().await);
        let login = match &self.console.console_password_hash {
            Some(_) => "a password is asked for",
            None => "no password: only this machine is served",
        };
        findings.add("login", Ok(login.to_owned()));
        Ok(findings.tell()?)
    }

    async fn crm(&self) -> Finding {
        let tried: Result<(), CrmError> = async {
            let crm = Crm::new(&self.console.crm.crm_database_url)?;
            crm.migrate().await?;
            crm.check_writable().await
        }
        .await;
        let told = tried.map(|()| "it answers and takes writes".to_owned());
        told.map_err(|error| format!("{error} (CRM_DATABASE_URL)"))
    }
}
