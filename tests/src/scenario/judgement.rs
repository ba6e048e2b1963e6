use std::collections::{HashMap, HashSet};
use std::time::Duration;

use streams::{Letter, Queue, Redis};
use tokio::time::{Instant, sleep};

use super::interjections::SILENCED;
use crate::{Arrival, FaultCounts, LoadReport, Role, Sent, System, Tally, tally};

/// How a story ended.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// What was sent and what arrived.
    pub tally: Tally,
    /// Dead letters of all queues.
    pub dead_letters: usize,
    /// What happened to the processes.
    pub faults: FaultCounts,
    /// Further lines for the table.
    pub notes: Vec<(String, String)>,
    /// Invariants that broke, each as a sentence.
    pub broken: Vec<String>,
}

/// What is expected besides one answer to each message.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    /// Dead letters that the story puts there on purpose.
    pub(super) dead_letters: usize,
    /// Faults that struck.
    pub(super) faults: FaultCounts,
    /// Processes that ended by themselves.
    pub(super) ended: Vec<Role>,
    /// Whether one turn may answer several messages.
    pub(super) merged: bool,
    /// Whether colleagues write, so that replies are set aside.
    pub(super) silenced: bool,
}

/// No reply for this long means that none will come.
const PATIENCE: Duration = Duration::from_secs(45);
/// Time for what must not come: a second reply.
const AFTERMATH: Duration = Duration::from_secs(3);

impl Judgement {
    /// Waits until the system has come to rest, and compares what was sent with what arrived.
    pub(super) async fn of(
        system: &mut System,
        report: &LoadReport,
        mut expected: Expected,
    ) -> Self {
        settle(system, report, &mut expected).await;
        sleep(AFTERMATH).await;
        let arrivals = system.simulator().arrivals().await;
        let mut letters = system.dead_letters().await;
        if expected.silenced {
            letters.retain(|letter| !SILENCED.contains(&letter.reason.as_str()));
        }
        let answered = to_be_answered(system, report, &expected);
        let mut judgement = Self {
            tally: tally(&answered, &arrivals, &HashSet::new()),
            dead_letters: letters.len(),
            faults: expected.faults.clone(),
            ..Self::default()
        };
        judgement.judge(&letters, &expected);
        let merged = report.sent.len() - answered.len();
        judgement.note("answered with an earlier one", &merged);
        judgement.check_rest(system, report, answered.len()).await;
        judgement.note("webhooks posted again", &report.repeated);
        judgement.note("webhooks refused", &report.refused);
        judgement.note("ended by themselves", &expected.ended.len());
        judgement
    }

    /// Adds a line to the table.
    pub(super) fn note(&mut self, name: &str, value: &impl ToString) {
        self.notes.push((name.to_owned(), value.to_string()));
    }

    fn judge(&mut self, letters: &[Letter], expected: &Expected) {
        let tally = &self.tally;
        let counts = [
            (tally.missing, "acknowledged messages were never answered"),
            (tally.duplicated, "replies were handed over twice"),
            (tally.out_of_order, "replies overtook an earlier one"),
        ];
        let broken = counts.iter().filter(|(count, _)| *count > 0);
        self.broken
            .extend(broken.map(|(count, what)| format!("{count} {what}")));
        if letters.len() != expected.dead_letters {
            let reasons: Vec<_> = letters
                .iter()
                .map(|letter| format!("{} {}: {}", letter.id, letter.reason, letter.error))
                .collect();
            self.broken.push(format!(
                "{} dead letters instead of {}: {}",
                letters.len(),
                expected.dead_letters,
                reasons.join("; ")
            ));
        }
    }

    /// Nothing is left in a queue, and conversations have had as many turns as were wanted.
    async fn check_rest(&mut self, system: &System, report: &LoadReport, wanted: usize) {
        let redis = system.client();
        // Reports of the last deliveries may still come in.
        let deadline = Instant::now() + PATIENCE;
        let mut left = left_in_queues(&redis).await;
        while left > 0 && Instant::now() < deadline {
            sleep(Duration::from_millis(200)).await;
            left = left_in_queues(&redis).await;
        }
        if left > 0 {
            self.broken
                .push(format!("{left} entries are left in the queues"));
        }
        let mut turns = 0;
        let customers: HashSet<_> = report.sent.iter().map(|sent| &sent.from).collect();
        for customer in customers {
            let conversation = format!("whatsapp:{customer}");
            let partition = redis.partitions().partition_of(&conversation);
            let key = redis.keys().of(partition).conversation(&conversation);
            let state = redis.hash(&key).await.unwrap_or_default();
            let version = state.get("ver").and_then(|ver| ver.parse::<usize>().ok());
            turns += version.unwrap_or_default();
        }
        self.note("turns committed", &turns);
        if turns != wanted {
            self.broken
                .push(format!("{turns} turns were committed instead of {wanted}"));
        }
    }

    /// The lines of the table.
    pub fn rows(&self) -> Vec<(String, String)> {
        let tally = &self.tally;
        let row = |name: &str, value: String| (name.to_owned(), value);
        let mut rows = vec![
            row("sent", tally.sent.to_string()),
            row("answered", tally.answered.to_string()),
            row("missing", tally.missing.to_string()),
            row("duplicated", tally.duplicated.to_string()),
            row("out of order", tally.out_of_order.to_string()),
            row("dead letters", self.dead_letters.to_string()),
            row("half waited at most", seconds(tally.wait_ms(0.5))),
            row("99 % waited at most", seconds(tally.wait_ms(0.99))),
            row(
                "longest stall",
                format!(
                    "{}, from {:.0}",
                    seconds(tally.wait_ms(1.0)),
                    tally.longest_since
                ),
            ),
            row("faults", self.faults.values().sum::<u32>().to_string()),
        ];
        let faults = self.faults.iter();
        rows.extend(
            faults.map(|(fault, count)| (format!("  {}", fault.name()), count.to_string())),
        );
        rows.extend(self.notes.iter().cloned());
        rows.extend(self.broken.iter().map(|what| row("BROKEN", what.clone())));
        rows
    }
}

fn seconds(ms: i64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}

/// Waits until everything is answered and the queues are empty, or nothing moves any more. Starts
/// again what ends by itself meanwhile.
async fn settle(system: &mut System, report: &LoadReport, expected: &mut Expected) {
    let simulator = system.simulator();
    let redis = system.client();
    let mut arrivals: Vec<Arrival> = Vec::new();
    let mut last_change = Instant::now();
    let mut last_state = (0, 0);
    while last_change.elapsed() < PATIENCE {
        expected.ended.extend(system.revive());
        let since = arrivals.last().map_or(0, |arrival| arrival.seq);
        arrivals.extend(simulator.arrivals_since(since).await);
        let left = left_in_queues(&redis).await;
        let answered = to_be_answered(system, report, expected);
        let missing = tally(&answered, &arrivals, &HashSet::new()).missing;
        if missing == 0 && left == 0 {
            return;
        }
        if last_state != (missing, left) {
            last_state = (missing, left);
            last_change = Instant::now();
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// The messages that have a reply of their own: the first of those that one turn answered stands
/// for all of them. A message whose turn is not known stands for itself.
fn to_be_answered(system: &mut System, report: &LoadReport, expected: &Expected) -> Vec<Sent> {
    if !expected.merged || report.sent.is_empty() {
        return report.sent.clone();
    }
    let redis = system.client();
    let done = report.sent.iter().map(|sent| {
        let conversation = format!("whatsapp:{}", sent.from);
        let partition = redis.partitions().partition_of(&conversation);
        redis.keys().of(partition).done(&sent.event)
    });
    let words: Vec<String> = std::iter::once("MGET".to_owned()).chain(done).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let turns: Vec<Option<String>> = system.redis.server().run(&words);
    let mut firsts: HashMap<(&str, String), &Sent> = HashMap::new();
    for (sent, turn) in report.sent.iter().zip(turns) {
        let turn = turn.unwrap_or_else(|| format!("unknown {}", sent.place));
        let first = firsts.entry((&sent.from, turn)).or_insert(sent);
        if sent.place < first.place {
            *first = sent;
        }
    }
    firsts.into_values().cloned().collect()
}

/// Entries of all queues; very many while Redis cannot be asked.
async fn left_in_queues(redis: &Redis) -> u64 {
    let mut left = 0;
    for queue in Queue::ALL {
        let backlog = redis.backlog(queue, 0).await;
        left += backlog.map_or(u64::MAX / 4, |backlog| backlog.entries);
    }
    left
}
