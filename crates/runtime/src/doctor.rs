//! What a service's `doctor` says: a line for each thing that it tried.

use std::io;
use std::process::ExitCode;

use streams::{Duty, Redis, RedisConfig, StreamsError};

use crate::output::print;

/// What there is to say of something, or what is wrong with it and what mends it.
pub type Finding = Result<String, String>;

/// What was found, in the order in which it is told.
#[derive(Debug, Default)]
pub struct Findings(Vec<(String, Finding)>);

impl Findings {
    /// Adds one.
    pub fn add(&mut self, name: impl Into<String>, finding: Finding) {
        self.0.push((name.into(), finding));
    }

    /// Adds each mistake in the settings as a line of its own.
    pub fn add_settings(&mut self, mistakes: &[String]) {
        for mistake in mistakes {
            self.add("settings", Err(mistake.clone()));
        }
        if mistakes.is_empty() {
            self.add("settings", Ok("nothing is wrong".into()));
        }
    }

    /// Prints a line each. Exit code 1 when something has to be mended.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn tell(&self) -> io::Result<ExitCode> {
        for (name, finding) in &self.0 {
            print(&match finding {
                Ok(finding) => format!("ok       {name}: {finding}"),
                Err(problem) => format!("problem  {name}: {problem}"),
            })?;
        }
        let is_well = self.0.iter().all(|(_, finding)| finding.is_ok());
        Ok(if is_well {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Whether Redis is what a service with these duties needs. Each thing that is wrong has a line.
pub async fn examine_redis(config: &RedisConfig, duties: &[Duty]) -> Vec<Finding> {
    let redis = match Redis::new(config) {
        Ok(redis) => redis,
        Err(error) => return vec![Err(error.to_string())],
    };
    match look(&redis, duties).await {
        Ok((server, problems)) if problems.is_empty() => {
            vec![Ok(format!("{server}, nothing is wrong"))]
        }
        Ok((server, problems)) => {
            let told = problems.into_iter();
            told.map(|problem| Err(format!("{server}: {problem}")))
                .collect()
        }
        Err(error) => vec![Err(format!(
            "{error} (REDIS_URL, or REDIS_HOST and REDIS_PORT)"
        ))],
    }
}

async fn look(redis: &Redis, duties: &[Duty]) -> Result<(String, Vec<String>), StreamsError> {
    let first = duties.first().copied().unwrap_or(Duty::TakeIn);
    let report = match redis.server_report().await {
        Ok(report) => report,
        // A write is told why more often than a question.
        Err(error) => {
            let refused = redis.check_writable(first).await;
            return Err(refused.err().unwrap_or(error));
        }
    };
    let mut problems = report.warnings();
    let (stored, wanted) = (redis.stored_layout().await, redis.partitions().to_string());
    if let Ok(Some(stored)) = stored
        && stored != wanted
    {
        problems.push(format!(
            "it holds {stored} partitions, REDIS_PARTITIONS is {wanted}: set REDIS_PARTITIONS={stored}"
        ));
    }
    for check in [
        redis.check_writable(first).await,
        redis.check_permissions(duties).await,
    ] {
        problems.extend(check.err().map(|error| error.to_string()));
        // Both may fail of the same.
        problems.dedup();
    }
    Ok((format!("{} {}", report.name, report.version), problems))
}
