//! What providers and orchestrators see while Redis is away, with and without a spool.

use std::path::Path;

use redb::{Database, TableDefinition};
use serde_json::Value;
use test_support::{RedisServer, eventually};

use crate::http::Request;
use crate::signing::{
    STATUS, WHATSAPP, chatwoot, chatwoot_message, text_message, twilio_form, twilio_message, waha,
    waha_message,
};
use crate::support::{Service, config, length, stream};

fn lasting_redis() -> RedisServer {
    RedisServer::builder().append_only("always").start()
}

fn waha_one() -> Request {
    waha(waha_message("A1", "hoi").to_string())
}

fn chatwoot_one() -> Request {
    chatwoot(chatwoot_message(1, "hoi").to_string())
}

fn outcomes(port: u16) -> [(u16, String); 3] {
    let requests = [twilio_message("SM1", "hoi"), waha_one(), chatwoot_one()];
    requests.map(|request| {
        let answer = request.send(port);
        assert_eq!(answer.header("retry-after").is_some(), answer.status >= 400);
        answer.outcome()
    })
}

/// Twilio and WAHA repeat a 503; Chatwoot repeats a 500.
fn unavailable() -> [(u16, String); 3] {
    [503, 503, 500].map(|status| (status, "unavailable".into()))
}

fn taken() -> [(u16, String); 3] {
    [200; 3].map(|status| (status, String::new()))
}

#[tokio::test]
async fn ingress_starts_without_redis_and_works_as_soon_as_it_comes() {
    let mut redis = lasting_redis();
    redis.kill();
    let ingress = Service::start(config(&redis.url(), &[]));
    assert_eq!(Request::get("/health/live").send(ingress.port).status, 200);
    let (status, page) = ingress.ready();
    assert_eq!((status, &page["checks"]["redis"]), (503, &"down".into()));
    assert_eq!(outcomes(ingress.port), unavailable());
    redis.restart();
    ingress.until_ready_says(200, "ready").await;
    assert_eq!(outcomes(ingress.port), taken());
    assert_eq!(length(&redis, "in:0"), 3);
}

#[tokio::test]
async fn ingress_survives_a_loss_of_redis_and_loses_nothing_that_it_took() {
    let mut redis = lasting_redis();
    let ingress = Service::start(config(&redis.url(), &[]));
    ingress.until_ready_says(200, "ready").await;
    assert_eq!(twilio_message("SM0", "hoi").send(ingress.port).status, 200);
    redis.kill();
    assert_eq!(outcomes(ingress.port), unavailable());
    ingress.until_ready_says(503, "unavailable").await;
    let away = |source: &str| {
        ingress.metric(&format!(
            "postduif_verified_webhooks_refused_total{{reason=\"redis_away\",source=\"{source}\"}}"
        ))
    };
    assert_eq!(["twilio", "waha", "chatwoot"].map(away), [1.0; 3]);
    assert_eq!(ingress.counted("twilio", "error"), 1.0);
    redis.restart();
    ingress.until_ready_says(200, "ready").await;
    assert_eq!(outcomes(ingress.port), taken());
    assert_eq!(twilio_message("SM0", "hoi").send(ingress.port).status, 200);
    assert_eq!(
        length(&redis, "in:0"),
        4,
        "what was taken before is known again"
    );
}

#[tokio::test]
async fn a_restart_of_redis_that_nobody_noticed_costs_no_webhook() {
    let mut redis = lasting_redis();
    let ingress = Service::start(config(&redis.url(), &["--threads", "1"]));
    ingress.until_ready_says(200, "ready").await;
    assert_eq!(outcomes(ingress.port), taken());
    redis.kill();
    redis.restart();
    assert_eq!(twilio_message("SM2", "hoi").send(ingress.port).status, 200);
    assert_eq!(length(&redis, "in:0"), 4);
}

#[tokio::test]
async fn a_redis_that_hangs_is_as_good_as_away() {
    let redis = lasting_redis();
    let ingress = Service::start(config(&redis.url(), &["--redis-timeout-ms", "100"]));
    ingress.until_ready_says(200, "ready").await;
    redis.process().signal("STOP");
    let answer = twilio_message("SM1", "hoi").send(ingress.port);
    redis.process().signal("CONT");
    assert_eq!(answer.outcome(), (503, "unavailable".into()));
    // Whether or not the first try went through: the message is there once.
    eventually(
        async || match twilio_message("SM1", "hoi").send(ingress.port).status {
            200 => Ok(()),
            other => Err(other),
        },
    )
    .await;
    assert_eq!(length(&redis, "in:0"), 1);
}

/// A Redis, an ingress with a spool, and the spool's folder.
struct Spooling {
    redis: RedisServer,
    ingress: Service,
    folder: tempfile::TempDir,
    flags: Vec<String>,
}

fn with_spool(redis: &RedisServer, folder: &Path, flags: &[String]) -> Service {
    let mut all = vec!["--spool-dir", folder.to_str().unwrap()];
    all.extend(flags.iter().map(String::as_str));
    Service::start(config(&redis.url(), &all))
}

/// The spool's file, once the threads of an ingress that has ended have let go of it.
async fn closed_spool(folder: &Path) -> Database {
    let file = folder.join("webhooks.redb");
    eventually(async || Database::create(&file)).await
}

impl Spooling {
    async fn start(flags: &[&str]) -> Self {
        let redis = lasting_redis();
        let folder = tempfile::tempdir().unwrap();
        let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let ingress = with_spool(&redis, folder.path(), &flags);
        ingress.until_ready_says(200, "ready").await;
        Self {
            redis,
            ingress,
            folder,
            flags,
        }
    }

    fn port(&self) -> u16 {
        self.ingress.port
    }

    async fn restart_ingress(self) -> Self {
        self.ingress.stop();
        drop(closed_spool(self.folder.path()).await);
        let ingress = with_spool(&self.redis, self.folder.path(), &self.flags);
        Self { ingress, ..self }
    }

    async fn redis_returns(&mut self) {
        let waiting = || self.ingress.metric("postduif_spool_entries");
        eventually(async || {
            if waiting() > 0.0 {
                Ok(())
            } else {
                Err("nothing waits")
            }
        })
        .await;
        self.redis.restart();
        self.ingress.until_ready_says(200, "ready").await;
        assert_eq!(self.ingress.metric("postduif_spool_entries"), 0.0);
    }

    fn texts(&self) -> Vec<Value> {
        let entries = stream(&self.redis, "in:0");
        entries
            .iter()
            .map(|entry| entry.payload()["content"].clone())
            .collect()
    }
}

#[tokio::test]
async fn the_spool_takes_webhooks_while_redis_is_away_and_drains_in_order_without_doubles() {
    let mut rig = Spooling::start(&[]).await;
    assert_eq!(twilio_message("SM0", "nul").send(rig.port()).status, 200);
    rig.redis.kill();
    for (sid, text) in [
        ("SM1", "een"),
        ("SM0", "nul"),
        ("SM2", "twee"),
        ("SM1", "een"),
        ("SM3", "drie"),
    ] {
        let answer = twilio_message(sid, text).send(rig.port());
        assert_eq!(answer.status, 200, "{sid}: {answer:?}");
    }
    assert_eq!(waha_one().send(rig.port()).status, 200);
    assert_eq!(chatwoot_one().send(rig.port()).status, 200);
    let report = [
        ("MessageSid", "SM9"),
        ("MessageStatus", "read"),
        ("To", "whatsapp:+31612345678"),
    ];
    assert_eq!(twilio_form(STATUS, &report).send(rig.port()).status, 204);
    rig.ingress.until_ready_says(200, "degraded").await;
    rig.redis_returns().await;
    assert_eq!(rig.texts(), ["nul", "een", "twee", "drie", "hoi", "hoi"]);
    assert_eq!(length(&rig.redis, "out:0"), 1);
    assert_eq!(twilio_message("SM4", "vier").send(rig.port()).status, 200);
    assert_eq!(rig.texts().len(), 7);
}

/// It was tried for ever, and nothing behind it left the spool.
#[tokio::test]
async fn a_spooled_webhook_that_redis_always_refuses_becomes_a_dead_letter() {
    let mut rig = Spooling::start(&[]).await;
    rig.redis
        .run::<u64>(&["HSET", "twilio:message:SM1", "no", "text"]);
    rig.redis.kill();
    for sid in ["SM1", "SM2"] {
        assert_eq!(twilio_message(sid, sid).send(rig.port()).status, 200);
    }
    rig.redis_returns().await;
    assert_eq!(rig.texts(), ["SM2"]);
    let letters = stream(&rig.redis, "dlq:0");
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].payload()["content"], "SM1");
}

#[tokio::test]
async fn what_redis_denies_waits_in_the_spool_until_it_is_permitted_again() {
    let rig = Spooling::start(&[]).await;
    let permit = |rule| {
        rig.redis.run::<()>(&["ACL", "SETUSER", "default", rule]);
    };
    permit("-xadd");
    for sid in ["SM1", "SM2"] {
        assert_eq!(twilio_message(sid, sid).send(rig.port()).status, 200);
    }
    let refused = "postduif_redis_refused_total{code=\"NOPERM\",script=\"ingest\"}";
    eventually(async || match rig.ingress.metric(refused) {
        often if often > 4.0 => Ok(()),
        seldom => Err(seldom),
    })
    .await;
    permit("+xadd");
    eventually(async || match rig.texts() {
        texts if texts == ["SM1", "SM2"] => Ok(()),
        other => Err(other),
    })
    .await;
    assert_eq!(length(&rig.redis, "dlq:0"), 0);
}

#[tokio::test]
async fn full_memory_sends_webhooks_to_the_spool_and_ready_says_why() {
    let rig = Spooling::start(&[]).await;
    rig.redis.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(twilio_message("SM1", "een").send(rig.port()).status, 200);
    assert_eq!(length(&rig.redis, "in:0"), 0);
    eventually(async || match rig.ingress.ready() {
        (200, page)
            if page["reasons"]["redis"]
                .as_str()
                .is_some_and(|why| why.contains("OOM")) =>
        {
            Ok(())
        }
        other => Err(other),
    })
    .await;
    rig.redis.run::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    rig.ingress.until_ready_says(200, "ready").await;
    assert_eq!(rig.texts(), ["een"]);
}

#[tokio::test]
async fn spooled_webhooks_outlive_ingress() {
    let mut rig = Spooling::start(&[]).await;
    rig.redis.kill();
    for sid in ["SM1", "SM2"] {
        assert_eq!(twilio_message(sid, sid).send(rig.port()).status, 200);
    }
    let mut rig = rig.restart_ingress().await;
    assert_eq!(twilio_message("SM3", "SM3").send(rig.port()).status, 200);
    rig.redis_returns().await;
    assert_eq!(rig.texts(), ["SM1", "SM2", "SM3"]);
}

#[tokio::test]
async fn a_full_spool_refuses_and_takes_the_replica_out_of_service() {
    let mut rig = Spooling::start(&["--spool-max-entries", "2"]).await;
    rig.redis.kill();
    for sid in ["SM1", "SM2"] {
        assert_eq!(twilio_message(sid, sid).send(rig.port()).status, 200);
    }
    assert_eq!(outcomes(rig.port()), unavailable());
    rig.ingress.until_ready_says(503, "unavailable").await;
    assert_eq!(rig.ingress.ready().1["checks"]["spool"], "down");
    let refused = "postduif_verified_webhooks_refused_total{reason=\"spool\",source=\"chatwoot\"}";
    assert_eq!(rig.ingress.metric(refused), 1.0);
    rig.redis_returns().await;
    assert_eq!(rig.texts(), ["SM1", "SM2"]);
    assert_eq!(twilio_message("SM3", "SM3").send(rig.port()).status, 200);
}

#[tokio::test]
async fn what_is_rejected_while_redis_is_away_is_kept_too() {
    let mut rig = Spooling::start(&["--max-rejected", "1"]).await;
    rig.redis.kill();
    for sid in ["SM1", "SM2"] {
        let mut pairs = text_message(sid, "hoi");
        pairs[2].1 = "tel:112";
        let answer = twilio_form(WHATSAPP, &pairs).send(rig.port());
        assert_eq!(answer.outcome(), (400, "not_whatsapp".into()));
    }
    assert_eq!(rig.ingress.counted("twilio", "invalid"), 2.0);
    rig.redis_returns().await;
    let kept = stream(&rig.redis, "rejected:0");
    assert_eq!(kept.len(), 1, "the cap holds for what comes from the spool");
    assert_eq!(kept[0].field("event"), "twilio:rejected:SM2");
    assert_eq!(rig.texts(), [""; 0]);
}

#[tokio::test]
async fn a_spooled_webhook_that_cannot_be_read_is_kept_as_rejected_and_stops_nothing() {
    let mut rig = Spooling::start(&[]).await;
    rig.redis.kill();
    rig.ingress.stop();
    let database = closed_spool(rig.folder.path()).await;
    let write = database.begin_write().unwrap();
    let webhooks: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("webhooks");
    let junk: &[u8] = b"from another version";
    write.open_table(webhooks).unwrap().insert(1, junk).unwrap();
    write.commit().unwrap();
    drop(database);
    rig.ingress = with_spool(&rig.redis, rig.folder.path(), &[]);
    assert_eq!(twilio_message("SM1", "een").send(rig.port()).status, 200);
    rig.redis_returns().await;
    assert_eq!(rig.texts(), ["een"]);
    let kept = &stream(&rig.redis, "rejected:0")[0];
    assert_eq!(
        kept.payload()["rejection"]["code"],
        "unreadable_spool_entry"
    );
    assert_eq!(kept.payload()["body"], "from another version");
}
