//! Colleagues who write to customers of every channel in the middle of a storm, and whether anybody was
//! talked over.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use streams::StreamId;
use tokio::time::{Instant, sleep, sleep_until};

use super::Judgement;
use crate::{SimulatorClient, System, question};

const PROVIDERS: [&str; 3] = ["twilio", "waha", "chatwoot"];
/// Customers of each.
const CUSTOMERS: u32 = 8;
/// Between two messages of a customer, in milliseconds.
const PAUSES: std::ops::Range<u64> = 300..1_200;
/// As a provider repeats what was not taken.
const RETRIES: u32 = 100;
const RETRY_DELAY_MS: u64 = 200;

/// A colleague's message.
#[derive(Debug, Clone)]
pub(super) struct Interjection {
    provider: &'static str,
    customer: String,
    /// When the provider had it.
    at: Timestamp,
}

/// Lets customers write all the time, and a colleague to each of them once.
pub(super) async fn write(
    simulator: &SimulatorClient,
    seed: u64,
    duration: Duration,
) -> Vec<Interjection> {
    let customers = (0..).zip(PROVIDERS).flat_map(|(place, provider)| {
        (0..CUSTOMERS).map(move |n| (provider, place * CUSTOMERS + n))
    });
    join_all(customers.map(|(provider, n)| talk(simulator, provider, n, seed, duration))).await
}

/// A customer who writes, is interrupted by a colleague at some moment, and goes on.
async fn talk(
    simulator: &SimulatorClient,
    provider: &'static str,
    number: u32,
    seed: u64,
    duration: Duration,
) -> Interjection {
    let mut rng = StdRng::seed_from_u64(seed ^ (u64::from(number) << 32));
    let customer = format!("+3168{number:07}");
    let started = Instant::now();
    let moment = started + duration.mul_f64(rng.random_range(0.2..0.8));
    let mut place = 0;
    let mut interjection = None;
    while started.elapsed() < duration || interjection.is_none() {
        if place > 0 && interjection.is_none() && Instant::now() >= moment {
            let written = json!({
                "provider": provider, "to": customer, "text": "Wacht, ik help u verder",
                "retries": RETRIES, "retry_delay_ms": RETRY_DELAY_MS,
            });
            let at = Timestamp::now();
            simulator.interject(written).await;
            interjection = Some(Interjection {
                provider,
                customer: customer.clone(),
                at,
            });
            continue;
        }
        place += 1;
        let message = json!({
            "provider": provider, "from": customer, "text": question(place),
            "retries": RETRIES, "retry_delay_ms": RETRY_DELAY_MS,
        });
        simulator.write(message).await;
        let next = Instant::now() + Duration::from_millis(rng.random_range(PAUSES));
        let next = if interjection.is_none() {
            next.min(moment)
        } else {
            next
        };
        sleep_until(next).await;
    }
    interjection.expect("the loop ends with one")
}

/// How long it may take until the last message of a colleague is noticed.
const PATIENCE: Duration = Duration::from_secs(45);

/// Adds to a judgement what became of the colleagues' messages.
pub(super) async fn judge(
    judgement: &mut Judgement,
    system: &System,
    interjections: &[Interjection],
) {
    let fences = fences(system, interjections).await;
    let arrivals = system.simulator().arrivals().await;
    let (mut before, mut on_the_wire, mut talked_over) = (0, 0, Vec::new());
    let mut latest = SignedDuration::ZERO;
    for interjection in interjections {
        let Some(fence) = fences.get(&interjection.customer) else {
            continue;
        };
        latest = latest.max(fence.duration_since(interjection.at));
        let replies = arrivals
            .iter()
            .filter(|it| it.customer == interjection.customer);
        let (after, earlier): (Vec<_>, Vec<_>) = replies.partition(|reply| reply.at > *fence);
        before += earlier.len();
        match after.len() {
            0 => {}
            1 => on_the_wire += 1,
            more => talked_over.push(format!("{} of {}", more, interjection.provider)),
        }
    }
    judgement.note("colleagues wrote", &interjections.len());
    judgement.note("  noticed", &fences.len());
    judgement.note(
        "  noticed after at most",
        &format!("{:.1} s", latest.as_secs_f64()),
    );
    judgement.note("  replies before them", &before);
    judgement.note("  talked over by the request on the wire", &on_the_wire);
    judgement.note("  talked over by more", &talked_over.len());
    if fences.len() < interjections.len() {
        let lost = interjections.len() - fences.len();
        judgement
            .broken
            .push(format!("{lost} messages of colleagues were not noticed"));
    }
    if !talked_over.is_empty() {
        let broken = format!("colleagues were talked over: {}", talked_over.join(", "));
        judgement.broken.push(broken);
    }
}

/// When each colleague's message was taken in, by customer: of what was ours before, nothing is sent since.
async fn fences(system: &System, interjections: &[Interjection]) -> HashMap<String, Timestamp> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut fences = HashMap::new();
        for interjection in interjections {
            if let Some(fence) = fence(system, interjection).await {
                fences.insert(interjection.customer.clone(), fence);
            }
        }
        if fences.len() == interjections.len() || Instant::now() > deadline {
            return fences;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

async fn fence(system: &System, interjection: &Interjection) -> Option<Timestamp> {
    let customer = &interjection.customer;
    let conversation = match interjection.provider {
        "twilio" => format!("whatsapp:{customer}"),
        "waha" => format!("waha:default:{}@c.us", customer.trim_start_matches('+')),
        _ => {
            let number = system.simulator().chatwoot_conversation(customer).await?;
            format!("chatwoot:1:{number}")
        }
    };
    let redis = system.client();
    let partition = redis.partitions().partition_of(&conversation);
    let key = redis.keys().of(partition).conversation(&conversation);
    let state = redis.hash(&key).await.ok()?;
    let id: StreamId = state.get("colleague")?.parse().ok()?;
    let milliseconds = id.to_string();
    let milliseconds = milliseconds.split('-').next()?.parse().ok()?;
    Timestamp::from_millisecond(milliseconds).ok()
}

/// What customers' messages in the storm are answered with that nobody sends: colleagues have them.
pub(super) const SILENCED: [&str; 2] = ["colleague_wrote", "human_in_charge"];

/// The environment in which colleagues' messages are noticed soon, also where no event tells of them.
pub(super) fn settings() -> Vec<(String, String)> {
    let settings = json!({
        "INGRESS_RECONCILE_INTERVAL_SECS": "1",
        "INGRESS_RECONCILE_SETTLE_SECS": "2",
        "INGRESS_RECONCILE_OVERLAP_SECS": "15",
    });
    let settings = settings.as_object().into_iter().flatten();
    let pair = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    settings.filter_map(pair).collect()
}
