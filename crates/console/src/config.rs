//! Settings of the console.

use clap::Args;
use crm::{Crm, CrmConfig};
use jiff::tz::TimeZone;
use runtime::RuntimeConfig;
use secrecy::SecretString;
use streams::RedisConfig;

use crate::access::password::Password;
use crate::templates::TemplateArgs;

/// Services that are asked how they do, at most; each may be many processes.
const MOST_SERVICES: usize = 16;

/// Everything that `console serve` reads.
#[derive(Debug, Clone, Args)]
pub struct ConsoleConfig {
    /// Where to listen for pages, API, health and metrics.
    #[arg(long, env = "PORT", default_value_t = 8070)]
    pub port: u16,

    /// What `console hash-password` printed. Without it the console serves nobody but this machine
    /// (BIND=127.0.0.1).
    #[arg(
        long,
        env = "CONSOLE_PASSWORD_HASH",
        hide_env_values = true,
        value_name = "HASH"
    )]
    pub console_password_hash: Option<SecretString>,

    /// Browsers reach the console by plain http, and not on this machine: the cookie goes over the wire
    /// unprotected.
    #[arg(long, env = "CONSOLE_INSECURE_COOKIE", action = clap::ArgAction::Set, default_value_t = false,
          value_parser = clap::builder::BoolishValueParser::new())]
    pub console_insecure_cookie: bool,

    /// The operators' time zone.
    #[arg(
        long,
        env = "CONSOLE_TIME_ZONE",
        default_value = "Europe/Amsterdam",
        value_name = "ZONE"
    )]
    pub console_time_zone: String,

    /// The country that telephone numbers beginning with a zero are from.
    #[arg(
        long,
        env = "CONSOLE_COUNTRY",
        default_value = "31",
        value_parser = country_code,
        value_name = "CODE"
    )]
    pub console_country: String,

    /// Where the services have /health/ready and /metrics, separated by commas: a name that several have
    /// stands for all of them. The page Overview says what they tell.
    #[arg(
        long,
        env = "CONSOLE_SERVICES",
        value_delimiter = ',',
        value_parser = place,
        value_name = "HOST:PORT"
    )]
    pub console_services: Vec<String>,

    #[command(flatten)]
    pub(crate) templates: TemplateArgs,

    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub crm: CrmConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub redis: RedisConfig,
    #[command(flatten)]
    #[allow(
        missing_docs,
        reason = "a comment here would become the heading in --help"
    )]
    pub runtime: RuntimeConfig,
}

impl ConsoleConfig {
    /// What is wrong with the settings as a whole; empty when nothing is.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let Err(error) = self.redis.check() {
            mistakes.push(error.to_string());
        }
        if let Err(error) = Crm::check_url(&self.crm.crm_database_url) {
            mistakes.push(error.to_string());
        }
        mistakes.extend(self.templates.read().err());
        if self.console_services.len() > MOST_SERVICES {
            mistakes.push(format!("CONSOLE_SERVICES: at most {MOST_SERVICES}"));
        }
        if self.zone().is_none() {
            let zone = &self.console_time_zone;
            mistakes.push(format!("CONSOLE_TIME_ZONE: {zone} is no time zone"));
        }
        match &self.console_password_hash {
            Some(hash) if Password::read(hash).is_none() => mistakes
                .push("CONSOLE_PASSWORD_HASH: must be what `console hash-password` prints".into()),
            None if !self.is_local() => mistakes.push(
                "CONSOLE_PASSWORD_HASH: not set, so the console is off. Make one with `console \
                 hash-password`, or set BIND=127.0.0.1 for this machine alone"
                    .into(),
            ),
            _ => {}
        }
        mistakes
    }

    /// Whether nobody but this machine can reach it.
    pub(crate) fn is_local(&self) -> bool {
        self.runtime.bind.is_some_and(|bind| bind.is_loopback())
    }

    pub(crate) fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(&self.console_time_zone).ok()
    }
}

/// The code of a country: one to three digits, of which no first is a zero.
pub(crate) fn country_code(text: &str) -> Result<String, &'static str> {
    let is_code = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match is_code && !text.starts_with('0') {
        true => Ok(text.to_owned()),
        false => Err("must be the code of a country, such as 31"),
    }
}

/// A host and a port: `worker:8081`, `[::1]:8081`.
fn place(text: &str) -> Result<String, &'static str> {
    let (host, port) = text.rsplit_once(':').unwrap_or_default();
    let is_host = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte));
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    match is_port && is_host && !host.is_empty() {
        true => Ok(text.to_owned()),
        false => Err("must be a host and a port, such as worker:8081"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        console: ConsoleConfig,
    }

    fn mistakes(args: &[&str]) -> String {
        let words = ["test"].iter().chain(args);
        Cli::parse_from(words).console.mistakes().join("\n")
    }

    #[test]
    fn it_is_off_without_a_password_but_on_this_machine() {
        assert!(mistakes(&[]).contains("so the console is off"));
        assert!(mistakes(&["--bind", "0.0.0.0"]).contains("so the console is off"));
        assert_eq!(mistakes(&["--bind", "127.0.0.1"]), "");
        let hash = crate::hash("a long enough password").unwrap();
        assert_eq!(mistakes(&["--console-password-hash", &hash]), "");
    }

    #[test]
    fn a_country_is_one_to_three_digits() {
        for code in ["1", "31", "352"] {
            assert_eq!(country_code(code).as_deref(), Ok(code));
        }
        for wrong in ["", "-1", "0", "031", "+31", "4294967295", "NaN", "NL"] {
            assert!(country_code(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_service_is_a_host_and_a_port() {
        for right in ["worker:8081", "10.0.0.7:80", "[::1]:8081", "a.b-c.svc:1"] {
            assert_eq!(place(right).as_deref(), Ok(right));
        }
        for wrong in [
            "",
            "worker",
            "worker:",
            ":80",
            "worker:0",
            "http://worker:80",
            "worker:80/x",
        ] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
        let many = ["w:1"; MOST_SERVICES + 1].join(",");
        let given = ["--bind", "127.0.0.1", "--console-services", &many];
        assert!(mistakes(&given).contains("CONSOLE_SERVICES"));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_secret() {
        let told = mistakes(&[
            "--console-password-hash",
            "hunter2",
            "--console-time-zone",
            "Mars/Base",
        ]);
        assert!(told.contains("CONSOLE_PASSWORD_HASH"), "{told}");
        assert!(told.contains("CONSOLE_TIME_ZONE"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
