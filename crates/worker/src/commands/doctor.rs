//! `worker doctor`: whether everything that the worker is told to use can be used.

use std::io;
use std::process::ExitCode;

use clap::Args;
use prometheus::Error as MetricsError;
use runtime::Chain;
use runtime::metrics::Metrics;
use streams::{Duty, Queue, Redis};

use crate::config::WorkerConfig;
use crate::crm::Crm;
use crate::llm::Model;
use crate::media::Transcriber;
use crate::metrics::WorkerMetrics;
use crate::notices::Channels;
use crate::service::{AN_EXAMPLE, FIRST_QUESTION};

/// `worker doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    worker: WorkerConfig,
}

/// Why nothing was examined.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// The metrics contradict each other.
    #[error("metrics: {0}")]
    Metrics(#[from] MetricsError),
    /// The output could not be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

/// What there is to say of something, or what is wrong with it.
type Finding = Result<String, String>;

impl DoctorArgs {
    /// What is wrong with the settings as a whole.
    pub fn mistakes(&self) -> Vec<String> {
        self.worker.mistakes()
    }

    /// Tries everything once and says what came of it, a line each, beside the mistakes that were found
    /// in the settings. Exit code 1 when something cannot be used.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub async fn run(&self, mistakes: &[String]) -> Result<ExitCode, DoctorError> {
        let findings = [
            ("settings", none_of(mistakes)),
            ("business", self.business()),
            ("Redis", self.redis().await),
            ("CRM", self.crm().await),
            ("model", self.model().await?),
            ("voice messages", self.transcription().await),
        ];
        let findings = findings.into_iter().chain(self.notices().await);
        let mut is_well = true;
        for (name, finding) in findings {
            is_well &= finding.is_ok();
            let line = match finding {
                Ok(finding) => format!("ok       {name}: {finding}"),
                Err(problem) => format!("problem  {name}: {problem}"),
            };
            runtime::print(&line)?;
        }
        Ok(if is_well {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// As whom customers are answered.
    fn business(&self) -> Finding {
        let domain = self
            .worker
            .domain
            .load()
            .map_err(|error| error.to_string())?;
        let name = &domain.business.name;
        match (domain.is_example(), self.worker.has_real_customers()) {
            (false, _) => Ok(name.clone()),
            (true, false) => Ok(format!(
                "{name}, an invented example; name yours with WORKER_DOMAIN_FILE"
            )),
            (true, true) => Err(format!("{name}: {AN_EXAMPLE}")),
        }
    }

    async fn redis(&self) -> Finding {
        let redis = Redis::new(&self.worker.redis).map_err(|error| error.to_string())?;
        let duties = [Duty::Consume(Queue::Inbound), Duty::Consume(Queue::Crm)];
        let report = match redis.server_report().await {
            Ok(report) => report,
            // A write is told why more often than a question.
            Err(error) => {
                let refused = redis.check_writable(duties[0]).await;
                return Err(refused.err().unwrap_or(error).to_string());
            }
        };
        let server = format!("{} {}", report.name, report.version);
        let mut problems = report.warnings();
        for check in [
            redis.check_writable(duties[0]).await,
            redis.check_permissions(&duties).await,
        ] {
            problems.extend(check.err().map(|error| error.to_string()));
            problems.dedup();
        }
        none_of(&problems)
            .map(|nothing| format!("{server}, {nothing}"))
            .map_err(|problems| format!("{server}: {problems}"))
    }

    async fn crm(&self) -> Finding {
        let crm = Crm::new(&self.worker.crm.crm_database_url).map_err(|error| error.to_string())?;
        let answers = crm.ping().await.map(|()| "it answers".to_owned());
        answers.map_err(|error| error.to_string())
    }

    async fn model(&self) -> Result<Finding, MetricsError> {
        let counters = WorkerMetrics::new(&mut Metrics::new("worker", env!("CARGO_PKG_VERSION"))?)?;
        let domain = match self.worker.domain.load() {
            Ok(domain) => domain,
            Err(error) => return Ok(Err(format!("no domain to ask it about: {error}"))),
        };
        Ok(match Model::new(&self.worker.model, counters) {
            Ok(None) => Ok("none; the rules answer".to_owned()),
            Ok(Some(model)) => {
                let answers = model.try_out(&domain, FIRST_QUESTION).await;
                answers.map(|asked_for| format!("it answers; asked for: {asked_for}"))
            }
            Err(error) => Err(Chain(&error).to_string()),
        })
    }

    /// Each channel to colleagues.
    async fn notices(&self) -> Vec<(&'static str, Finding)> {
        let config = &self.worker;
        let channels = match config.domain.load() {
            Ok(domain) => match Redis::new(&config.redis) {
                Ok(redis) => Channels::new(&config.notices, &domain, &redis)
                    .map_err(|wrong| wrong.join("; ")),
                Err(error) => Err(error.to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        let channels = match channels {
            Ok(channels) => channels,
            Err(wrong) => return vec![("notices", Err(wrong))],
        };
        let off = match Crm::new(&config.crm.crm_database_url) {
            Ok(crm) => crm.channels_off().await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let mut findings = Vec::new();
        for channel in channels.iter() {
            let why = off.iter().find(|(name, _)| name == channel.name);
            findings.push((
                channel.name,
                match why {
                    Some((_, why)) => Err(format!("switched off: {why}")),
                    None => channel.try_out().await,
                },
            ));
        }
        if findings.is_empty() {
            findings.push((
                "notices",
                Ok("none; colleagues look at `worker handovers`".to_owned()),
            ));
        }
        findings
    }

    async fn transcription(&self) -> Finding {
        match Transcriber::new(&self.worker.media) {
            Ok(None) => Ok("off".to_owned()),
            Ok(Some(transcriber)) => match transcriber.try_out(FIRST_QUESTION).await {
                Ok(()) => Ok("the endpoint takes recordings".to_owned()),
                Err(error) => Err(error.to_string()),
            },
            Err(error) => Err(Chain(&error).to_string()),
        }
    }
}

fn none_of(problems: &[String]) -> Finding {
    if problems.is_empty() {
        Ok("nothing is wrong".to_owned())
    } else {
        Err(problems.join("; "))
    }
}
