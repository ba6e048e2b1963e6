use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use test_support::{Process, binary, eventually, free_port};

/// What a process is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Plays Twilio.
    Simulator,
    /// Takes webhooks in.
    Ingress,
    /// Consumes the inbound queue: the worker, or the echo in its place.
    Worker,
    /// Consumes the outbound queue.
    Egress,
    /// What operators use.
    Console,
}

impl Role {
    /// The name in tables and of log files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::Ingress => "ingress",
            Self::Worker => "worker",
            Self::Egress => "egress",
            Self::Console => "console",
        }
    }
}

/// One process of the system. Keeps its port and settings over restarts.
#[derive(Debug)]
pub struct Service {
    role: Role,
    program: &'static str,
    port: u16,
    settings: Vec<(String, String)>,
    log: PathBuf,
    process: Option<Process>,
}

/// A drain may take as long as its deadline, and a loaded machine a little longer.
const DRAIN_PATIENCE: Duration = Duration::from_secs(40);

impl Service {
    /// Prepares a service; `log` is the file that its output goes to.
    pub fn new(
        role: Role,
        program: &'static str,
        settings: Vec<(String, String)>,
        log: PathBuf,
    ) -> Self {
        Self {
            role,
            program,
            port: free_port(),
            settings,
            log,
            process: None,
        }
    }

    /// What it is for.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Adds settings, or replaces them from the next start on.
    pub fn set(&mut self, settings: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in settings {
            self.settings.retain(|(old, _)| *old != name);
            self.settings.push((name, value));
        }
    }

    /// Starts the process, with its own settings as its whole environment.
    pub fn start(&mut self) {
        let open = File::options().create(true).append(true).open(&self.log);
        let log = open.expect("a log file");
        let mut command = Command::new(binary(self.program));
        command
            .arg("serve")
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .env("BIND", "127.0.0.1")
            .env("PORT", self.port.to_string())
            .stdout(Stdio::from(log.try_clone().expect("a log file")))
            .stderr(Stdio::from(log));
        self.process = Some(Process::start(self.program, &mut command));
    }

    /// Waits until the service says that it is ready.
    pub async fn until_ready(&self) {
        let url = format!("{}/health/ready", self.url());
        eventually(async || match reqwest::get(&url).await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("{}: {}", self.program, answer.status())),
            Err(error) => Err(format!(
                "{}: {error}; see {}",
                self.program,
                self.log.display()
            )),
        })
        .await;
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(process) = &mut self.process {
            process.kill();
        }
        self.process = None;
    }

    /// SIGSTOP: it lives and does nothing.
    pub fn pause(&self) {
        self.process().signal("STOP");
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub fn resume(&self) {
        self.process().signal("CONT");
    }

    /// SIGTERM, and waits for the end; gives the exit code.
    pub async fn terminate(&mut self) -> Option<i32> {
        self.process().signal("TERM");
        let process = self.process.as_mut().expect("a running service");
        test_support::eventually_within(DRAIN_PATIENCE, async || {
            if process.is_running() {
                Err("still draining")
            } else {
                Ok(())
            }
        })
        .await;
        let code = process.exit_code();
        self.process = None;
        code
    }

    /// Whether it should run and does not.
    pub fn has_died(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| !process.is_running())
    }

    /// Whether it was started and not stopped since.
    pub const fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process().id()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("a running service")
    }
}
