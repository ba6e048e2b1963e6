//! What the data of the understanding takes in memory, read from a real process.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// The bound for the data. The few megabytes of the process itself are counted in, and some twenty that the
/// allocator keeps of the loading for the messages to come.
const MOST_KILOBYTES: u64 = 45_000;

#[test]
fn embedded_domain_stays_within_its_bound() {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_worker"))
        .arg("understand")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = worker.stdin.take().unwrap();
    let mut output = BufReader::new(worker.stdout.take().unwrap());
    input.write_all(b"ik zoek een golf\n").unwrap();
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.contains("Volkswagen"), "{line}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", worker.id())).unwrap();
    drop(input);
    worker.wait().unwrap();
    let anonymous = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|kilobytes| kilobytes.parse().ok());
    let kilobytes: u64 = anonymous.unwrap();
    assert!(kilobytes < MOST_KILOBYTES, "{kilobytes} kB");
}
