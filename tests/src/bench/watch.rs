//! What processes, Redis and the rest of the machine do while something is measured.

use std::fs;
use std::time::Duration;

use test_support::RedisServer;
use tokio::time::Instant;

use super::figures::Figures;
use crate::{Role, System, cpu_time};

/// Counts from its making on.
pub(crate) struct Watch {
    /// Name, process id, and the CPU time that it had used.
    processes: Vec<(&'static str, u32, Duration)>,
    /// What only helps to measure: the provider's part, and this program.
    helpers: Vec<(u32, Duration)>,
    calls: Calls,
    machine: Duration,
    began: Instant,
}

impl Watch {
    /// Watches Redis and what is up of these roles.
    pub(crate) fn of(system: &mut System, roles: &[Role]) -> Self {
        let counted = |name, pid| (name, pid, cpu_time(pid));
        let redis = system.redis.server();
        let calls = Calls::read(redis);
        let mut processes = vec![counted("redis-server", redis.process().id())];
        for role in roles {
            let services = system.all(*role).iter();
            let up = services.filter(|service| service.is_up());
            processes.extend(up.map(|service| counted(role.as_str(), service.id())));
        }
        let simulators = system.all(Role::Simulator).iter();
        let up = simulators.filter(|service| service.is_up());
        let helpers = up.map(|service| service.id()).chain([std::process::id()]);
        Self {
            processes,
            helpers: helpers.map(|pid| (pid, cpu_time(pid))).collect(),
            calls,
            machine: machine_busy(),
            began: Instant::now(),
        }
    }

    /// How long it has been.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Adds what one of so many messages cost since then; gives the CPU time of all together in µs.
    pub(crate) fn add_costs(
        &self,
        figures: &mut Figures,
        server: &RedisServer,
        messages: u64,
    ) -> f64 {
        let each = |total: f64| total / messages as f64;
        let used = |pid: u32, before: Duration| cpu_time(pid).saturating_sub(before);
        let mut whole = Duration::ZERO;
        for (name, pid, before) in &self.processes {
            let used = used(*pid, *before);
            whole += used;
            figures.add(format!("CPU of {name}"), each(micros(used)), "µs");
        }
        figures.add("CPU together", each(micros(whole)), "µs");
        let calls = Calls::read(server).since(self.calls);
        figures.add("scripts", each(calls.scripts), "calls");
        figures.add("time in scripts", each(calls.script_micros), "µs");
        figures.add("XREAD", each(calls.xreads), "calls");
        let helped = self.helpers.iter();
        let known: Duration = helped.map(|(pid, before)| used(*pid, *before)).sum();
        let others = machine_busy().saturating_sub(self.machine + whole + known);
        let there = self.elapsed().as_secs_f64() * cores();
        figures.others = others.as_secs_f64() / there;
        each(micros(whole))
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn cores() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64)
}

/// How long all cores together have worked since the machine started.
fn machine_busy() -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks = line.split_whitespace().skip(1);
    let ticks: Vec<u32> = ticks.filter_map(|word| word.parse().ok()).collect();
    // user, nice, system, then idle and waiting for disks, then interrupts.
    let busy = ticks.iter().take(3).chain(ticks.iter().skip(5).take(2));
    TICK * busy.sum::<u32>()
}

/// How often Redis was asked.
#[derive(Debug, Clone, Copy)]
struct Calls {
    scripts: f64,
    script_micros: f64,
    xreads: f64,
}

impl Calls {
    fn read(server: &RedisServer) -> Self {
        let stats: String = server.run(&["INFO", "commandstats"]);
        let number = |command: &str, what: &str| {
            let start = format!("cmdstat_{command}:");
            let line = stats.lines().find_map(|line| line.strip_prefix(&start));
            let mut parts = line.unwrap_or_default().split(',');
            let number = parts.find_map(|part| part.strip_prefix(what));
            number.and_then(|number| number.parse().ok()).unwrap_or(0.0)
        };
        Self {
            scripts: number("evalsha", "calls="),
            script_micros: number("evalsha", "usec="),
            xreads: number("xread", "calls="),
        }
    }

    const fn since(self, before: Self) -> Self {
        Self {
            scripts: self.scripts - before.scripts,
            script_micros: self.script_micros - before.script_micros,
            xreads: self.xreads - before.xreads,
        }
    }
}
