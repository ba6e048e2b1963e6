//! What a reply costs egress.

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::json;
use streams::{Ingest, NewEntry, Queue, Redis};

use super::figures::Figures;
use super::shape::{Shape, until_empty};
use super::watch::Watch;
use crate::settings::NUMBER;
use crate::{Role, outbound_id, rss_kib};

const AT_ONCE: u32 = 500;

/// So many replies wait, each for another customer; only egress and the provider run.
pub async fn measure_egress(shape: &Shape, messages: u32) -> Figures {
    let mut measured = shape.prepare(Shape::settings());
    let system = &mut measured.system;
    let redis = system.client();
    let claimed = redis.claim_layout().await.expect("Redis answers");
    claimed.expect("an empty Redis");
    for start in (0..messages).step_by(AT_ONCE as usize) {
        let batch = start..messages.min(start + AT_ONCE);
        join_all(batch.map(|number| add(&redis, number))).await;
    }
    system.start(Role::Simulator).await;
    system.simulator().deliver(&[], 0).await;
    system.service(Role::Egress, 0).start();
    let watch = Watch::of(system, &[Role::Egress]);
    until_empty(&redis, &[Queue::Outbound]).await;
    let took = watch.elapsed();
    let name = format!("One of {messages} replies that wait, {}", shape.name());
    let mut figures = Figures::new(name);
    watch.add_costs(&mut figures, system.redis.server(), u64::from(messages));
    let speed = f64::from(messages) / took.as_secs_f64();
    figures.add("speed", speed, "msg/s");
    let resident = rss_kib(system.service(Role::Egress, 0).id()) as f64 / 1024.0;
    figures.add("resident after", resident, "MB");
    figures
}

async fn add(redis: &Redis, number: u32) {
    let customer = format!("whatsapp:+3161{number:07}");
    let (sid, now) = (format!("SM{number:032x}"), Timestamp::now());
    let id = outbound_id(&sid);
    let payload = json!({
        "id": id,
        "source": "twilio",
        "conversation_id": customer,
        "to": customer,
        "endpoint": { "address": NUMBER },
        "text": "Wij hebben een Volkswagen Golf uit 2019 voor 14.950 euro. Wilt u een proefrit maken?",
        "in_reply_to": sid,
        "created_at": now,
    });
    let entry = NewEntry {
        kind: "message".into(),
        event: id,
        conversation: customer,
        payload: payload.to_string(),
        ..NewEntry::default()
    };
    let ingest = Ingest::unlimited(Queue::Outbound, &entry);
    redis.ingest(&ingest).await.expect("Redis answers");
}
