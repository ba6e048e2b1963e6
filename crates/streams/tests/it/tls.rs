//! A Redis that speaks TLS alone, whose authority is private, and that knows services by certificate.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use streams::{Duty, Queue, Redis};
use tempfile::TempDir;
use test_support::{RedisServer, free_port};

use crate::harness::{Echo, add, config, redis_with, replies, run, until_empty};

struct Tls {
    server: RedisServer,
    folder: TempDir,
    port: u16,
}

const CURVE: &str = "ec_paramgen_curve:prime256v1";

fn openssl(folder: &Path, words: &str) {
    let words = words.replace("NEW_KEY", &format!("-newkey ec -pkeyopt {CURVE} -nodes"));
    let mut command = Command::new("openssl");
    let ran = command.current_dir(folder).args(words.split(' ')).output();
    let ran = ran.unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{words}: {said}");
}

fn authority(folder: &Path, name: &str) {
    let files = format!("-keyout {name}.key -out {name}.pem");
    openssl(
        folder,
        &format!("req -x509 NEW_KEY -days 2 -subj /CN={name} {files}"),
    );
}

fn certificate(folder: &Path, name: &str, authority: &str) {
    let files = format!("-keyout {name}.key -out {name}.csr");
    openssl(folder, &format!("req NEW_KEY -subj /CN={name} {files}"));
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost").unwrap();
    let signed_by = format!("-CA {authority}.pem -CAkey {authority}.key -CAcreateserial");
    let files = format!("-in {name}.csr -extfile names -out {name}.pem");
    openssl(folder, &format!("x509 -req {signed_by} -days 2 {files}"));
}

impl Tls {
    fn start() -> Self {
        // Each service does so at its start.
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::tempdir().unwrap();
        authority(folder.path(), "ours");
        authority(folder.path(), "another");
        for name in ["server", "client"] {
            certificate(folder.path(), name, "ours");
        }
        let file = |name: &str| folder.path().join(name).display().to_string();
        let port = free_port();
        let server = RedisServer::builder()
            .setting("tls-port", &port.to_string())
            .setting("tls-cert-file", &file("server.pem"))
            .setting("tls-key-file", &file("server.key"))
            .setting("tls-ca-cert-file", &file("ours.pem"))
            .start();
        Self {
            server,
            folder,
            port,
        }
    }

    /// With these files: `("redis-tls-ca-file", "ours.pem")`.
    fn client(&self, address: &[String], files: &[(&str, &str)]) -> Redis {
        let path = |file: &str| self.folder.path().join(file).display().to_string();
        let files = files
            .iter()
            .flat_map(|(flag, file)| [format!("--{flag}"), path(file)]);
        let common = ["--redis-partitions".to_owned(), "8".to_owned()];
        let words: Vec<String> = address.iter().cloned().chain(files).chain(common).collect();
        redis_with(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn by_url(&self) -> Vec<String> {
        vec![
            "--redis-url".into(),
            format!("rediss://localhost:{}", self.port),
        ]
    }

    fn by_host(&self) -> Vec<String> {
        let words = ["--redis-tls", "--redis-host", "localhost", "--redis-port"];
        let words = words.map(str::to_owned).into_iter();
        words.chain([self.port.to_string()]).collect()
    }
}

const AUTHORITY: (&str, &str) = ("redis-tls-ca-file", "ours.pem");
const CERTIFICATE: (&str, &str) = ("redis-tls-cert-file", "client.pem");
const KEY: (&str, &str) = ("redis-tls-key-file", "client.key");

#[tokio::test]
async fn all_work_goes_over_tls_with_a_private_authority_and_a_client_certificate() {
    let tls = Tls::start();
    for (mailbox, address) in [("url", tls.by_url()), ("host", tls.by_host())] {
        let redis = tls.client(&address, &[AUTHORITY, CERTIFICATE, KEY]);
        let running = run(&redis, config(), &Arc::new(Echo::default()));
        add(&redis, mailbox, &format!("{mailbox}-1"), "echo").await;
        until_empty(&tls.server).await;
        assert_eq!(replies(&tls.server, mailbox), [format!("{mailbox}-1")]);
        running.stop().await;
    }
}

#[tokio::test]
async fn whoever_is_not_trusted_is_not_spoken_to() {
    let tls = Tls::start();
    let address = tls.by_url();
    let duty = Duty::Consume(Queue::Inbound);
    let all = tls.client(&address, &[AUTHORITY, CERTIFICATE, KEY]);
    all.check_writable(duty).await.unwrap();
    for (what, files) in [
        (
            "an authority that the machine does not know",
            &[CERTIFICATE, KEY][..],
        ),
        (
            "another authority",
            &[("redis-tls-ca-file", "another.pem"), CERTIFICATE, KEY],
        ),
        ("no client certificate", &[AUTHORITY]),
    ] {
        let redis = tls.client(&address, files);
        assert!(redis.check_writable(duty).await.is_err(), "{what}");
    }
}
