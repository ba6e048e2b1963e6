//! What a process uses, as Linux tells it under `/proc`.

use std::fs;
use std::time::Duration;

/// The resident memory of a process in KiB; 0 when it is gone.
pub fn rss_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    line.trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap_or_default()
}

/// The CPU time that a process has used, in user and system mode.
pub fn cpu_time(pid: u32) -> Duration {
    /// `sysconf(_SC_CLK_TCK)` on every Linux of today.
    const TICKS_PER_SECOND: u64 = 100;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name in parentheses may hold spaces; what follows is numbers.
    let numbers = stat.rsplit(')').next().unwrap_or_default();
    let field = |index: usize| {
        let word = numbers.split_whitespace().nth(index);
        word.and_then(|word| word.parse::<u64>().ok()).unwrap_or(0)
    };
    Duration::from_millis((field(11) + field(12)) * 1000 / TICKS_PER_SECOND)
}
