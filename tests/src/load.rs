use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::webhook::{Webhooks, inbound_event, outbound_id};

/// Many customers who write at the same time, each one message after the other.
///
/// A message that is not acknowledged is posted again under the same id, as a provider does; some
/// are posted again although they were.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many customers.
    pub conversations: u32,
    /// How many messages in all.
    pub messages: u32,
    /// Messages that a customer writes without a pause.
    pub burst: u32,
    /// The time over which the bursts are spread.
    pub spread: Duration,
    /// The chance that a message is posted twice more, at once.
    pub duplicates: f64,
    /// Decides all chances.
    pub seed: u64,
}

/// A message that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The customer.
    pub from: String,
    /// Its place among the customer's messages, from 1.
    pub place: u32,
    /// The id of its event.
    pub event: String,
    /// The id that the reply has.
    pub outbound_id: String,
    /// When the 200 came.
    pub acknowledged_at: Timestamp,
}

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct LoadReport {
    /// What was acknowledged, in no order.
    pub sent: Vec<Sent>,
    /// Webhooks posted once more although they had been acknowledged.
    pub repeated: u64,
    /// Webhooks that were refused or got no answer, and were posted again.
    pub refused: u64,
    /// Of these, the ones that ran into a limit.
    pub limited: u64,
}

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Load {
    /// Writes everything. Ends when all is acknowledged, or at `stop`.
    pub async fn run(&self, webhooks: &Webhooks, stop: &CancellationToken) -> LoadReport {
        let started = Instant::now();
        let customers = (0..self.conversations)
            .map(|number| self.customer(number, webhooks.clone(), started, stop));
        let mut whole = LoadReport::default();
        for report in join_all(customers).await {
            whole.sent.extend(report.sent);
            whole.repeated += report.repeated;
            whole.refused += report.refused;
            whole.limited += report.limited;
        }
        whole
    }

    /// How many messages a customer writes: all of them together write exactly what was asked for.
    fn share(&self, customer: u32) -> u32 {
        let each = self.messages / self.conversations;
        each + u32::from(customer < self.messages % self.conversations)
    }

    async fn customer(
        &self,
        number: u32,
        webhooks: Webhooks,
        started: Instant,
        stop: &CancellationToken,
    ) -> LoadReport {
        let mut rng = StdRng::seed_from_u64(self.seed ^ (u64::from(number) << 20));
        let from = format!("+3161{number:07}");
        let messages = self.share(number);
        let bursts = messages.div_ceil(self.burst.max(1));
        let mut report = LoadReport::default();
        let mut place = 0;
        for burst in 0..bursts {
            let share = (f64::from(burst) + rng.random::<f64>()) / f64::from(bursts);
            sleep_until(started + self.spread.mul_f64(share)).await;
            for _ in 0..self.burst.min(messages - place) {
                place += 1;
                let sid = format!("SM{:08x}{number:012x}{place:012x}", self.seed as u32);
                let text = question(place);
                let write = write(&webhooks, (&sid, &from, &text), &mut report);
                if stop.run_until_cancelled(write).await.is_none() {
                    return report;
                }
                report.sent.push(Sent {
                    from: from.clone(),
                    place,
                    event: inbound_event(&sid),
                    outbound_id: outbound_id(&sid),
                    acknowledged_at: Timestamp::now(),
                });
                if rng.random::<f64>() < self.duplicates {
                    let again = [0, 1].map(|_| webhooks.post(&sid, &from, &text));
                    join_all(again).await;
                    report.repeated += 2;
                }
            }
        }
        report
    }
}

/// Posts one message until it is acknowledged.
async fn write(
    webhooks: &Webhooks,
    (sid, from, text): (&str, &str, &str),
    report: &mut LoadReport,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        match webhooks.post(sid, from, text).await {
            Ok(200) => return,
            Ok(429) => report.limited += 1,
            Ok(_) | Err(_) => {}
        }
        report.refused += 1;
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Something that a customer asks and the worker answers without calling for a colleague. The
/// number keeps two messages of one customer apart, and its name in letters those of two bursts:
/// who writes the same words after every answer is taken for a machine.
pub fn question(place: u32) -> String {
    let subjects = [
        "Ik zoek een Volkswagen Golf",
        "Wat kost een proefrit?",
        "Do you have a Toyota Yaris in stock?",
        "Wann haben Sie geöffnet?",
    ];
    let subject = subjects[place as usize % subjects.len()];
    let letters: String = place
        .to_string()
        .bytes()
        .map(|digit| char::from(digit - b'0' + b'k'))
        .collect();
    format!("{subject} ({place}{letters})")
}
