//! `egress doctor`: whether everything that egress is told to send with can be used. Asks the providers only what
//! changes nothing.

mod chatwoot;
mod probe;
mod twilio;
mod waha;

use std::io;
use std::process::ExitCode;

use clap::Args;
use runtime::{Findings, examine_redis};
use streams::{Duty, Queue};

use crate::config::EgressConfig;
use probe::Probe;

/// `egress doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    egress: EgressConfig,
}

/// Why nothing was examined.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// The HTTP client cannot be built.
    #[error("http client: {0}")]
    Client(#[from] reqwest::Error),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

impl DoctorArgs {
    /// What is wrong with the settings as a whole.
    pub fn mistakes(&self) -> Vec<String> {
        self.egress.mistakes()
    }

    /// Tries everything once and says what came of it, a line each, beside the mistakes that were found
    /// in the settings. Exit code 1 when something cannot be used.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub async fn run(&self, mistakes: &[String]) -> Result<ExitCode, DoctorError> {
        let config = &self.egress;
        let mut findings = Findings::default();
        findings.add_settings(mistakes);
        let mut duties = vec![Duty::Consume(Queue::Outbound)];
        if config.mirror.chatwoot_mirror_inbox_id.is_some() {
            duties.push(Duty::Consume(Queue::Mirror));
        }
        for finding in examine_redis(&config.redis, &duties).await {
            findings.add("Redis", finding);
        }
        let probe = Probe::new(config.sending.request_timeout())?;
        twilio::examine(config, &probe, &mut findings).await;
        waha::examine(&config.waha, &probe, &mut findings).await;
        chatwoot::examine(config, &probe, &mut findings).await;
        Ok(findings.tell()?)
    }
}
