//! `worker erase` and `worker release`, as operators run them, on everything that is kept of a person.

use std::path::Path;
use std::process::Command;

use crm::{ContactWrite, Crm, CrmWrite, LeadField, LeadWrite};
use jiff::Timestamp;
use secrecy::SecretString;
use tempfile::TempDir;
use test_support::RedisServer;

const NUMBER: &str = "31612345678";
const SECRET: &str = "zilverreiger";

struct Deployment {
    redis: RedisServer,
    folder: TempDir,
}

impl Deployment {
    /// Everything that two people left: the one who is erased, and one who stays.
    async fn start() -> Self {
        let this = Self {
            redis: RedisServer::start(),
            folder: tempfile::tempdir().unwrap(),
        };
        let redis = &this.redis;
        redis.run::<()>(&["SET", "partitions", "4"]);
        this.leaves("3", NUMBER, SECRET);
        this.leaves("2", "31687654321", "blijft");
        // The other one speaks of the first: that is the other one's.
        redis.run::<u64>(&[
            "RPUSH",
            "hist:whatsapp:+31687654321",
            "{\"text\":\"groetjes aan Jan\"}",
        ]);
        let crm = Crm::new(&SecretString::from(this.database())).unwrap();
        crm.migrate().await.unwrap();
        for (number, text) in [(NUMBER, SECRET), ("31687654321", "blijft")] {
            let write = CrmWrite {
                message: format!("waha:false_{number}@c.us_1"),
                at: Timestamp::now(),
                contact: ContactWrite {
                    also: Vec::new(),
                    addresses: vec![
                        format!("{number}@c.us"),
                        format!("tel:+{number}"),
                        format!("{number}9@lid"),
                    ],
                    name: Some(text.into()),
                    language: None,
                    wants_messages: None,
                },
                lead: Some(LeadWrite {
                    conversation: format!("chatwoot:1:{}", number.len() + text.len()),
                    intent: "car_inquiry".into(),
                    fields: vec![LeadField {
                        name: "car_model".into(),
                        value: text.into(),
                        agent: "extraction".into(),
                        confidence: 1.0,
                    }],
                    complete: false,
                }),
                appointments: Vec::new(),
                withdrawn: None,
                questions: Vec::new(),
                handover: None,
            };
            crm.apply(&write).await.unwrap();
        }
        this
    }

    fn database(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("crm.sqlite").display())
    }

    fn leaves(&self, partition: &str, number: &str, text: &str) {
        let redis = &self.redis;
        let set = |key: String, value: &str| redis.run::<()>(&["SET", &key, value]);
        let hash = |key: String, fields: &[&str]| {
            let words = [&["HSET", key.as_str()][..], fields].concat();
            redis.run::<u64>(&words);
        };
        let chatwoot = format!("chatwoot:1:{}", number.len() + text.len());
        for conversation in [
            format!("whatsapp:+{number}"),
            format!("waha:default:{number}@c.us"),
            chatwoot,
        ] {
            let turn = format!("{{\"sender_phone\":\"+{number}\",\"content\":\"{text}\"}}");
            let until = "9999999999999";
            let sender = format!("+{number}");
            hash(
                format!("conv:{conversation}"),
                &["ver", "1", "sender", &sender, "human_until", until],
            );
            set(format!("turn:{conversation}"), &turn);
            redis.run::<u64>(&["RPUSH", &format!("hist:{conversation}"), text]);
            hash(format!("contact:{conversation}"), &["opted_out", "1"]);
            redis.run::<u64>(&["RPUSH", &format!("sends:{conversation}"), "ob_1"]);
        }
        // Only the last hundred are listed anywhere.
        for send in 0..150 {
            let id = format!("ob_{number}x{send}").replace(number, text);
            let payload = format!("{{\"to\":\"whatsapp:+{number}\",\"text\":\"{text}\"}}");
            hash(
                format!("sent:{id}"),
                &["conv", &format!("whatsapp:+{number}"), "payload", &payload],
            );
            set(format!("sid:twilio:SM{text}{send}"), &id);
        }
        set(format!("sid:waha:true_{number}@c.us_3EB0"), "ob_gone");
        set(
            format!("done:waha:message:default:false_{number}@c.us_3A"),
            "1-0",
        );
        set(format!("waha:message:default:false_{number}@c.us_3A"), "1");
        let message = format!(
            "{{\"sender\":{{\"id\":\"{number}9@lid\",\"phone_number\":\"+{number}\"}},\"content\":\"{text}\"}}"
        );
        let rejected = format!(
            "{{\"source\":\"twilio\",\"body\":\"From=whatsapp%3A%2B{number}&Body={text}\"}}"
        );
        let outbound = format!("{{\"to\":\"{number}@c.us\",\"text\":\"{text}\"}}");
        let write =
            format!("{{\"contact\":{{\"addresses\":[\"tel:+{number}\"],\"name\":\"{text}\"}}}}");
        for (stream, payload) in [
            ("in", &message),
            ("out", &outbound),
            ("crm", &write),
            ("dlq", &message),
            ("odlq", &outbound),
            ("cdlq", &write),
            ("rejected", &rejected),
        ] {
            let key = format!("{stream}:{partition}");
            redis.run::<String>(&[
                "XADD", &key, "*", "v", "1", "kind", "x", "event", "e", "conv", "?", "payload",
                payload,
            ]);
        }
    }

    fn worker(&self, words: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_worker"))
            .args(words)
            .env_clear()
            .env("REDIS_URL", self.redis.url())
            .env("REDIS_PARTITIONS", "7")
            .env("CRM_DATABASE_URL", self.database())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// Every key, and every byte of the CRM.
    fn dump(&self) -> String {
        let bytes = |name: &str| {
            std::fs::read(self.folder.path().join(Path::new(name))).unwrap_or_default()
        };
        let crm = [bytes("crm.sqlite"), bytes("crm.sqlite-wal")].concat();
        self.redis.dump() + &String::from_utf8_lossy(&crm)
    }
}

#[tokio::test]
async fn one_call_in_any_spelling_leaves_nothing_of_a_person_and_all_of_the_others() {
    let deployment = Deployment::start().await;
    let (known, dry) = deployment.worker(&["erase", "--dry-run", "0612345678"]);
    assert!(known && dry.contains("would be removed"), "{dry}");
    assert!(deployment.dump().contains(SECRET));
    let (done, said) = deployment.worker(&["erase", "+31 6 1234 5678"]);
    assert!(done, "{said}");
    assert_eq!(
        said,
        dry.replace("would be removed", "removed"),
        "it does what it said"
    );
    for line in [
        "    15  conversations",
        "   150  records of sends",
        "   151  providers' message ids",
        "     2  markers of handled messages",
        "     3  waiting entries",
        "     3  dead letters",
        "     1  rejected webhooks",
        "     1  CRM contacts",
        "     3  CRM addresses",
        "     1  CRM leads",
    ] {
        assert!(said.contains(line), "{line} is not in\n{said}");
    }
    let left = deployment.dump();
    assert!(!left.contains(NUMBER) && !left.contains(SECRET), "{left}");
    assert!(left.contains("31687654321") && left.matches("blijft").count() > 300);
    let (again, said) = deployment.worker(&["erase", "whatsapp:+31612345678"]);
    assert!(!again && said.contains("Nobody is known"), "{said}");
}

#[tokio::test]
async fn an_address_of_the_crm_leads_to_all_the_others() {
    let deployment = Deployment::start().await;
    let (done, said) = deployment.worker(&["erase", &format!("{NUMBER}9@lid")]);
    assert!(done, "{said}");
    assert!(!deployment.dump().contains(SECRET));
}

#[tokio::test]
async fn who_is_nobody_is_neither_erased_nor_released() {
    let deployment = Deployment::start().await;
    let before = deployment.redis.dump();
    for words in [
        ["erase", "foo"],
        ["erase", "0699999999"],
        ["release", "foo"],
        ["release", "0699999999"],
    ] {
        let (done, said) = deployment.worker(&words);
        assert!(!done, "{words:?}: {said}");
    }
    assert_eq!(deployment.redis.dump(), before);
}

#[tokio::test]
async fn a_release_reaches_the_partition_that_somebody_reads() {
    let deployment = Deployment::start().await;
    let redis = &deployment.redis;
    redis.run::<u64>(&["DEL", "in:0", "in:1", "in:2", "in:3"]);
    let (done, said) = deployment.worker(&["release", "06 12345678"]);
    assert!(done && said.contains("given back: 3"), "{said}");
    let queued: u64 = (0..4)
        .map(|p| redis.run::<u64>(&["XLEN", &format!("in:{p}")]))
        .sum();
    assert_eq!(queued, 3, "within the four partitions of the deployment");
    for conversation in ["whatsapp:+31612345678", "waha:default:31612345678@c.us"] {
        redis.run::<u64>(&["HSET", &format!("conv:{conversation}"), "human_until", "0"]);
    }
    let (done, said) = deployment.worker(&["release", "waha:default:31687654321@c.us"]);
    assert!(done, "{said}");
    let (again, said) = {
        redis.run::<u64>(&["HSET", "conv:chatwoot:1:23", "human_until", "0"]);
        deployment.worker(&["release", "0612345678"])
    };
    assert!(!again && said.contains("No colleague"), "{said}");
}

#[tokio::test]
async fn a_conversation_of_which_only_an_older_build_told_whose_it_is_is_found() {
    let deployment = Deployment::start().await;
    let redis = &deployment.redis;
    let turn = format!("{{\"sender_phone\":\"+{NUMBER}\",\"content\":\"{SECRET}\"}}");
    redis.run::<u64>(&["HDEL", "conv:chatwoot:1:23", "sender"]);
    redis.run::<u64>(&["HSET", "conv:chatwoot:1:23", "turn", &turn]);
    let (done, said) = deployment.worker(&["erase", "0612345678"]);
    assert!(done && said.contains("    15  conversations"), "{said}");
    assert!(!deployment.dump().contains(SECRET));
}

#[tokio::test]
async fn who_released_and_who_erased_is_kept_and_not_whom() {
    let deployment = Deployment::start().await;
    for words in [
        ["release", "--by", "anna", "0612345678"],
        ["erase", "--by", "bram", "0612345678"],
    ] {
        let (done, said) = deployment.worker(&words);
        assert!(done, "{said}");
    }
    let (_, acts) = deployment.worker(&["acts"]);
    assert_eq!(acts.matches("anna").count(), 3, "{acts}");
    assert!(acts.contains("gave back whatsapp:+31*******78"), "{acts}");
    assert!(
        acts.contains("bram") && acts.contains("erased a person"),
        "{acts}"
    );
    assert!(!acts.contains(NUMBER) && !acts.contains(SECRET), "{acts}");
    deployment.worker(&["erase", "--dry-run", "--by", "carla", "0687654321"]);
    assert!(!deployment.worker(&["acts"]).1.contains("carla"));
}
