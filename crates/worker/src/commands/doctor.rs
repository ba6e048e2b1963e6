//! `worker doctor`: whether everything that the worker is told to use can be used.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use crm::Crm;
use prometheus::Error as MetricsError;
use runtime::metrics::Metrics;
use runtime::{Chain, Finding, Findings, examine_redis};
use streams::{Duty, Queue, Redis};

use crate::config::WorkerConfig;
use crate::domain::Domain;
use crate::llm::Model;
use crate::media::Transcriber;
use crate::metrics::WorkerMetrics;
use crate::notices::Channels;
use crate::service::{AN_EXAMPLE, FIRST_QUESTION};
use crate::stock::{Keeper, Shelf};

/// `worker doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    worker: WorkerConfig,
}

/// The business, or why there is none.
type Loaded = Result<Arc<Domain>, String>;

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
        let mut findings = Findings::default();
        findings.add_settings(mistakes);
        // A large file, and all that reads it reads the same.
        let domain = self.worker.domain.load().map(Arc::new);
        let domain = domain.map_err(|error| error.to_string());
        findings.add("business", self.business(&domain));
        let duties = [Duty::Consume(Queue::Inbound), Duty::Consume(Queue::Crm)];
        for finding in examine_redis(&self.worker.redis, &duties).await {
            findings.add("Redis", finding);
        }
        findings.add("CRM", self.crm().await);
        findings.add("model", self.model(&domain).await?);
        findings.add("voice messages", self.transcription().await);
        for (name, finding) in Box::pin(self.stock(&domain)).await? {
            findings.add(name, finding);
        }
        for (name, finding) in self.notices(&domain).await {
            findings.add(name, finding);
        }
        Ok(findings.tell()?)
    }

    /// As whom customers are answered.
    fn business(&self, domain: &Loaded) -> Finding {
        let domain = domain
            .as_ref()
            .map_err(|error| format!("{error} (WORKER_DOMAIN_FILE)"))?;
        let name = &domain.business.name;
        match (domain.is_example(), self.worker.has_real_customers()) {
            (false, _) => Ok(name.clone()),
            (true, false) => Ok(format!(
                "{name}, an invented example; name yours with WORKER_DOMAIN_FILE"
            )),
            (true, true) => Err(format!("{name}: {AN_EXAMPLE}")),
        }
    }

    async fn crm(&self) -> Finding {
        let examined = crm::examine(&self.worker.crm.crm_database_url).await;
        examined
            .map(str::to_owned)
            .map_err(|error| format!("{error} (CRM_DATABASE_URL)"))
    }

    async fn model(&self, domain: &Loaded) -> Result<Finding, MetricsError> {
        let counters = WorkerMetrics::new(&mut Metrics::new("worker", env!("CARGO_PKG_VERSION"))?)?;
        let Ok(domain) = domain else {
            return Ok(Err("there is no domain to ask it about".into()));
        };
        Ok(match Model::new(&self.worker.model, counters) {
            Ok(None) => Ok("none; the rules answer".to_owned()),
            Ok(Some(model)) => {
                let answers = model.try_out(domain, FIRST_QUESTION).await;
                answers
                    .map(|asked_for| format!("it answers; asked for: {asked_for}"))
                    .map_err(|error| naming(error, "LLM_BASE_URL"))
            }
            Err(error) => Err(Chain(&error).to_string()),
        })
    }

    /// Each feed of what is for sale.
    async fn stock(&self, domain: &Loaded) -> Result<Vec<(String, Finding)>, MetricsError> {
        let config = &self.worker;
        if config.stock.stock.is_empty() {
            return Ok(vec![("stock".into(), Ok("none".into()))]);
        }
        let counters = WorkerMetrics::new(&mut Metrics::new("worker", env!("CARGO_PKG_VERSION"))?)?;
        let (Ok(domain), Ok(crm), Ok(redis)) = (
            domain,
            Crm::new(&config.crm.crm_database_url),
            Redis::new(&config.redis),
        ) else {
            return Ok(vec![(
                "stock".into(),
                Err("what it needs is missing".into()),
            )]);
        };
        let (shelf, holder) = (Shelf::default(), "doctor".to_owned());
        let keeper = Keeper::new(
            crm,
            redis,
            domain.clone(),
            &config.stock,
            shelf,
            counters,
            holder,
        );
        Ok(match keeper {
            Ok(None) => Vec::new(),
            Ok(Some(keeper)) => {
                let tried = keeper.try_out(FIRST_QUESTION).await.into_iter();
                let named = tried.map(|(name, read)| {
                    let read = read.map_err(|error| format!("{error} (WORKER_STOCK)"));
                    (format!("stock of {name}"), read)
                });
                named.collect()
            }
            Err(error) => vec![("stock".into(), Err(error))],
        })
    }

    /// Each channel to colleagues.
    async fn notices(&self, domain: &Loaded) -> Vec<(&'static str, Finding)> {
        let config = &self.worker;
        let channels = match (domain, Redis::new(&config.redis)) {
            (Ok(domain), Ok(redis)) => {
                Channels::new(&config.notices, domain, &redis).map_err(|wrong| wrong.join("; "))
            }
            (Err(_), _) => Err("there is no domain to tell of".into()),
            (_, Err(error)) => Err(error.to_string()),
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
                Err(error) => Err(naming(error.to_string(), "TRANSCRIBE_BASE_URL")),
            },
            Err(error) => Err(Chain(&error).to_string()),
        }
    }
}

/// Where to look, unless that is said.
fn naming(error: String, setting: &str) -> String {
    if error.contains("LLM_") || error.contains("TRANSCRIBE_") {
        return error;
    }
    format!("{error} ({setting})")
}
