use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use test_support::eventually;
use tokio::time::sleep;

use crate::{RedisShape, Role, System};

/// Something that happens to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// `kill -9`, then a start.
    Kill(Role),
    /// SIGSTOP until its leases have run out, then SIGCONT: it believes that no time has passed.
    Freeze(Role),
    /// SIGTERM, then a start.
    Terminate(Role),
    /// `kill -9` of redis-server, then a start over the same append-only file.
    KillRedis,
    /// SIGSTOP of redis-server for longer than its clients wait, then SIGCONT.
    FreezeRedis,
}

impl Fault {
    /// The name in tables.
    pub fn name(self) -> String {
        match self {
            Self::Kill(role) => format!("kill -9 {}", role.as_str()),
            Self::Freeze(role) => format!("SIGSTOP {}", role.as_str()),
            Self::Terminate(role) => format!("SIGTERM {}", role.as_str()),
            Self::KillRedis => "kill -9 redis-server".into(),
            Self::FreezeRedis => "SIGSTOP redis-server".into(),
        }
    }
}

/// How often each fault struck.
pub type FaultCounts = BTreeMap<Fault, u32>;

/// A fault that may strike any of a role's processes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strike {
    /// What happens.
    pub fault: Fault,
    /// To which of the role's processes, as a number to divide by how many there are.
    pub index: usize,
    /// The pause before it.
    pub after: Duration,
    /// How long the process is away, as a share from 0 to 1 of the longest time.
    pub severity: f64,
}

/// An endless schedule of faults, the same for the same seed, with pauses around `pause`.
pub fn schedule(seed: u64, pause: Duration) -> impl Iterator<Item = Strike> {
    const FAULTS: [Fault; 16] = [
        Fault::Kill(Role::Worker),
        Fault::Kill(Role::Worker),
        Fault::Kill(Role::Egress),
        Fault::Kill(Role::Egress),
        Fault::Kill(Role::Ingress),
        Fault::Freeze(Role::Worker),
        Fault::Freeze(Role::Worker),
        Fault::Freeze(Role::Egress),
        Fault::Freeze(Role::Egress),
        Fault::Freeze(Role::Ingress),
        Fault::Terminate(Role::Worker),
        Fault::Terminate(Role::Egress),
        Fault::Terminate(Role::Ingress),
        Fault::KillRedis,
        Fault::KillRedis,
        Fault::FreezeRedis,
    ];
    let mut rng = StdRng::seed_from_u64(seed);
    std::iter::repeat_with(move || Strike {
        fault: FAULTS[rng.random_range(0..FAULTS.len())],
        index: rng.random_range(0..60),
        after: pause.mul_f64(rng.random_range(0.2..1.8)),
        severity: rng.random(),
    })
}

/// Carries out one fault and mends it.
pub async fn strike(system: &mut System, strike: Strike) {
    let lease = Duration::from_millis(system.settings().lease_ms);
    let away = Duration::from_millis(50) + lease.mul_f64(strike.severity * 0.8);
    match strike.fault {
        Fault::Kill(role) => {
            pick(system, role, strike.index).kill();
            sleep(away).await;
            pick(system, role, strike.index).start();
        }
        Fault::Freeze(role) => {
            let service = pick(system, role, strike.index);
            service.pause();
            sleep(lease.mul_f64(1.2 + strike.severity)).await;
            service.resume();
        }
        Fault::Terminate(role) => {
            let service = pick(system, role, strike.index);
            let code = service.terminate().await;
            assert_eq!(
                code,
                Some(0),
                "{} ended badly:\n{}",
                role.as_str(),
                service.log()
            );
            service.start();
        }
        Fault::KillRedis => restart_redis(system, away).await,
        Fault::FreezeRedis => {
            let RedisShape::Single(server) = &system.redis else {
                return;
            };
            server.process().signal("STOP");
            sleep(Duration::from_millis(500) + lease.mul_f64(2.0 * strike.severity)).await;
            server.process().signal("CONT");
        }
    }
}

/// Kills redis-server and starts it again after `away`. With `appendfsync everysec` a slow disk
/// makes Redis keep in its memory what it has acknowledged; that it loses it then is known, and not
/// what is looked for here.
pub(crate) async fn restart_redis(system: &mut System, away: Duration) {
    eventually(async || {
        let info: String = system.redis.server().run(&["INFO", "persistence"]);
        if info.contains("aof_buffer_length:0\r\n") {
            Ok(())
        } else {
            Err("the append-only file is behind")
        }
    })
    .await;
    system.redis.server().kill();
    sleep(away).await;
    // Reading the append-only file takes a moment, and the load must go on meanwhile.
    tokio::task::block_in_place(|| system.redis.server().restart());
}

fn pick(system: &mut System, role: Role, index: usize) -> &mut crate::Service {
    let all = system.all(role);
    let count = all.len();
    &mut all[index % count]
}
