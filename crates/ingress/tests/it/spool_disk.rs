//! A spool whose disk fails, and works again. A limit of the file's size plays a full disk: it needs
//! no root, and the program sees an error of the same write.

use std::process::Command;

use serde_json::Value;
use test_support::{RedisServer, eventually};

use crate::http::Request;
use crate::program::Program;
use crate::signing::twilio_message;
use crate::support::{length, stream};

struct Rig {
    redis: RedisServer,
    program: Program,
    _folder: tempfile::TempDir,
}

impl Rig {
    async fn start() -> Self {
        let redis = RedisServer::builder().append_only("always").start();
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().to_str().unwrap();
        let variables = [("INGRESS_SPOOL_DIR", spool), ("REDIS_TIMEOUT_MS", "500")];
        // The signal of that limit would end the program; a full disk sends none.
        let program = Program::start_after("trap '' XFSZ", &redis, &variables).await;
        let rig = Self {
            redis,
            program,
            _folder: folder,
        };
        rig.until_ready_says(200, "ok").await;
        rig
    }

    fn limit_files(&self, bytes: &str) {
        let pid = self.program.process.id().to_string();
        let limited = Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")])
            .status();
        assert!(limited.unwrap().success());
    }

    fn disk_is_full(&self) {
        self.limit_files("4096");
    }

    fn disk_is_freed(&self) {
        self.limit_files("unlimited");
    }

    fn send(&self, sid: &str) -> u16 {
        twilio_message(sid, sid).send(self.program.port).status
    }

    async fn until_ready_says(&self, status: u16, spool: &str) {
        eventually(async || {
            let answer = Request::get("/health/ready").send(self.program.port);
            let found = answer.json()["checks"]["spool"].clone();
            if (answer.status, &found) == (status, &Value::from(spool)) {
                Ok(())
            } else {
                Err(answer)
            }
        })
        .await;
    }

    fn texts(&self) -> Vec<String> {
        let entries = stream(&self.redis, "in:0").into_iter();
        entries
            .map(|entry| entry.payload()["content"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn after_a_full_disk_webhooks_are_taken_again_and_each_is_queued_once() {
    let mut rig = Rig::start().await;
    rig.redis.kill();
    assert_eq!(rig.send("SM1"), 200);
    rig.disk_is_full();
    assert_eq!(rig.send("SM2"), 503);
    rig.until_ready_says(503, "down").await;
    assert_eq!(rig.send("SM2"), 503);
    rig.disk_is_freed();
    rig.until_ready_says(200, "degraded").await;
    assert_eq!(rig.send("SM2"), 200);
    assert_eq!(rig.send("SM3"), 200);
    rig.redis.restart();
    rig.until_ready_says(200, "ok").await;
    assert_eq!(rig.texts(), ["SM1", "SM2", "SM3"]);
    assert_eq!(rig.send("SM4"), 200);
    assert_eq!(length(&rig.redis, "in:0"), 4);
}

#[tokio::test]
async fn a_disk_that_fills_up_while_the_spool_is_empty_is_told_before_it_is_needed() {
    let rig = Rig::start().await;
    rig.disk_is_full();
    rig.until_ready_says(200, "degraded").await;
    let said = Request::get("/health/ready").send(rig.program.port).json();
    assert!(said["reasons"]["spool"].is_string(), "{said}");
    assert_eq!(rig.send("SM1"), 200, "Redis takes it");
    rig.disk_is_freed();
    rig.until_ready_says(200, "ok").await;
}

#[tokio::test]
async fn what_was_drained_onto_a_full_disk_is_not_queued_again_after_its_id_is_forgotten() {
    let mut rig = Rig::start().await;
    rig.redis.kill();
    for sid in ["SM1", "SM2", "SM3"] {
        assert_eq!(rig.send(sid), 200);
    }
    rig.disk_is_full();
    assert_eq!(rig.send("SM4"), 503);
    rig.until_ready_says(503, "down").await;
    rig.redis.restart();
    // Read or not, as the disk has it: what was taken in is known for longer than by its id.
    rig.disk_is_freed();
    rig.until_ready_says(200, "ok").await;
    rig.redis.run::<u64>(&[
        "DEL",
        "twilio:message:SM1",
        "twilio:message:SM2",
        "twilio:message:SM3",
    ]);
    assert_eq!(rig.send("SM4"), 200);
    assert_eq!(rig.texts(), ["SM1", "SM2", "SM3", "SM4"]);
}
