//! Mistakes that people make with settings, made on purpose: each is named with its cause and its cure, in one
//! go with all others, and no secret is shown.

use std::net::TcpListener;
use std::process::Command;

use simulator::{Simulator, SimulatorConfig, SimulatorHandle};
use test_support::{PostgresServer, RedisServer, binary, eventually};
use tokio_util::sync::CancellationToken;

const ACCOUNT: &str = "AC00000000000000000000000000000000";
const SECRET: &str = "b1946ac92492d2347c6235b4d2611184";

// A line each: the settings as they are changed (to nothing: left out), what is wrong, and what to do. What stands
// between percent signs is known when the servers run.

const INGRESS: &str = r#"
TWILIO_AUTH_TOKEN=your-token | TWILIO_AUTH_TOKEN: still has the value of an example | put your own
TWILIO_AUTH_TOKEN=changeme | TWILIO_AUTH_TOKEN | put your own
TWILIO_AUTH_TOKEN=<auth token> | TWILIO_AUTH_TOKEN | put your own
TWILIO_AUTH_TOKEN=${TOKEN} | TWILIO_AUTH_TOKEN | put your own
TWILIO_AUTH_TOKEN=%quoted% | TWILIO_AUTH_TOKEN: the quotation marks | Take them away
TWILIO_AUTH_TOKEN=fake-twilio-token | the simulator's | put your own
TWILIO_AUTH_TOKEN= | TWILIO_AUTH_TOKEN: is missing | TWILIO_ACCOUNT_SID is set
TWILIO_ACCOUNT_SID=AC… | TWILIO_ACCOUNT_SID | put your own
TWILIO_ACCOUNT_SID=ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | TWILIO_ACCOUNT_SID | put your own
TWILIO_ACCOUNT_SID=%key% | SID of an API key | AC… is wanted
TWILIO_ACCOUNT_SID=AC123 | TWILIO_ACCOUNT_SID | 32 hexadecimal digits
PUBLIC_BASE_URL= | PUBLIC_BASE_URL: is missing | such as https://
PUBLIC_BASE_URL=localhost | PUBLIC_BASE_URL | must start with https://
PUBLIC_BASE_URL=https://localhost/webhooks/twilio/whatsapp | PUBLIC_BASE_URL | must end before /webhooks
PUBLIC_BASE_URL=https://bot.example.nl | PUBLIC_BASE_URL | put your own
PUBLIC_BASE_URL=http://www.nl | PUBLIC_BASE_URL is http | Use https
PUBLIC_BASE_URL=%base% | PUBLIC_BASE_URL: the host | does not resolve
INGRESS_RATE_LIMIT=50 | INGRESS_RATE_LIMIT: nothing reads it | is INGRESS_RATE_LIMIT_PER_MINUTE meant
TWILLIO_WHATSAPP_NUMBER=+31201112233 | nothing reads it | is TWILIO_WHATSAPP_NUMBER meant
INGRESS_RATE_LIMIT_PER_MINUTE=4294967295 | INGRESS_RATE_LIMIT_PER_MINUTE | from 0 to 100000
INGRESS_RATE_LIMIT_PER_MINUTE=fifty | INGRESS_RATE_LIMIT_PER_MINUTE | expected a whole number
PORT=80800 | PORT | 80800 is not in
INGRESS_CLIENT_ADDRESS=proxy | INGRESS_CLIENT_ADDRESS | expected one of peer
INGRESS_SPOOL_DIR=%file% | INGRESS_SPOOL_DIR: it is a file | name a folder
INGRESS_SPOOL_DIR=%below% | INGRESS_SPOOL_DIR: the folder cannot be made | may write to
INGRESS_OBSERVE_ONLY=true | INGRESS_OBSERVE_ONLY is on | anybody can send
WAHA_WEBHOOK_SECRET=short | WAHA_WEBHOOK_SECRET | at least 12
CHATWOOT_PATH_TOKEN=short | CHATWOOT_PATH_TOKEN | at least 16
BIND=localhost | BIND | such as 127.0.0.1
RUST_LOG=verbose | RUST_LOG | expected info
PUBLIC_BASE_URL=https://localhosthttps://localhost | its port is no number | write one URL
PUBLIC_BASE_URL=https://localhost:80800 | its port is no number | from 1 to 65535
INGRESS_TRUSTED_PROXIES=10.0.0.0/33 | INGRESS_TRUSTED_PROXIES | written like 10.0.0.0/8
CHATWOOT_ACCOUNT_ID=acme | CHATWOOT_ACCOUNT_ID | expected a whole number
TWILIO_WHATSAPP_NUMBER=+31201112233; TWILIO_API_BASE_URL=http://127.0.0.1:1 | lost messages: twilio:whatsapp:+31201112233: it cannot be reached | TWILIO_API_BASE_URL
WAHA_BASE_URL=http://127.0.0.1:1; WAHA_API_KEY=%SECRET%; WAHA_WEBHOOK_SECRET=%SECRET% | lost messages: waha:default: it cannot be reached | WAHA_SESSIONS
REDIS_URL=%silent% | connection refused | is the port right
REDIS_URL=%unknown% | host name is unknown | check its spelling
REDIS_URL=%tls% | no answer in time | one side speaks TLS alone
REDIS_URL=; REDIS_HOST=%host%; REDIS_PORT=%port%; REDIS_SENTINELS=redis | REDIS_SENTINELS | host:port
REDIS_SENTINELS=a:26379 | REDIS_SENTINELS and REDIS_URL | name Redis in one way
REDIS_URL=%broken_url% | no append-only file | appendonly yes
REDIS_URL=%broken_url% | evicts keys | maxmemory-policy noeviction
REDIS_URL=%broken_url% | holds 8 partitions | REDIS_PARTITIONS=8
"#;

const EGRESS: &str = r#"
TWILIO_AUTH_TOKEN=%SECRET% | Twilio refuses it (20003) | copy the token
TWILIO_EXTRA_AUTH_TOKENS=%SECRET% | TWILIO_EXTRA_AUTH_TOKENS: Twilio refuses it | copy the token
TWILIO_WHATSAPP_NUMBER= | TWILIO_WHATSAPP_NUMBER: is missing | need a number
TWILIO_WHATSAPP_NUMBER=0201112233 | TWILIO_WHATSAPP_NUMBER | such as +31
TWILIO_API_BASE_URL=http://127.0.0.1:1 | connection refused | TWILIO_API_BASE_URL
TWILIO_API_BASE_URL=%https% | no TLS is spoken | TWILIO_API_BASE_URL
TWILIO_API_BASE_URL=%unknown% | host name is unknown | TWILIO_API_BASE_URL
TWILIO_WINDOW_TEMPLATE_SID=%template% | no such template | TWILIO_WINDOW_TEMPLATE_SID
TWILIO_WINDOW_TEMPLATE_SID=%service% | SID of a Messaging Service | HX… is wanted
TWILIO_MESSAGING_SERVICE_SID=%service% | no such service | TWILIO_MESSAGING_SERVICE_SID
PUBLIC_BASE_URL= | PUBLIC_BASE_URL is not set | whether a message was delivered
WAHA_API_KEY=%SECRET% | WAHA refuses it | copy it anew
WAHA_BASE_URL=waha:3000 | WAHA_BASE_URL | must start with http
WAHA_BASE_URL=%wrong_port% | WAHA | check the port
WAHA_BASE_URL=%dashboard% | it has no such API (404) | WAHA_BASE_URL
CHATWOOT_BASE_URL=%dashboard% | there is no such thing | CHATWOOT_ACCOUNT_ID
EGRESS_SENDER_PACE=+31201112233:20 | EGRESS_SENDER_PACE | must look like
REDIS_PASSWORD=%SECRET% | exclude each other | put them into the URL
CHATWOOT_API_TOKEN=%SECRET% | Chatwoot does not know it | copy the agent bot's
CHATWOOT_API_TOKEN=fake-chatwoot-user-token | it is a person's | use the agent bot's
CHATWOOT_MIRROR_INBOX_ID=6 | CHATWOOT_MIRROR_USER_TOKEN: is missing | CHATWOOT_MIRROR_INBOX_ID is set
EGRESS_TWILIO_PER_SECOND=-1 | EGRESS_TWILIO_PER_SECOND | from 0 to 10000
EGRESS_LEASE_MS=900 | EGRESS_LEASE_MS | EGRESS_REQUEST_TIMEOUT_MS
EGRESS_PER_SECOND=5 | EGRESS_PER_SECOND: nothing reads it | PER_SECOND meant
TWILIO_ACCOUNT_SID=; TWILIO_AUTH_TOKEN=; WAHA_BASE_URL=; CHATWOOT_BASE_URL= | no provider is configured | set TWILIO_ACCOUNT_SID
REDIS_URL=%full% | its memory is full | raise maxmemory
REDIS_URL=%replica% | it is a replica | name its master
REDIS_URL=%locked% | user name or password | REDIS_URL
REDIS_URL=%http_as_redis% | something else listens | REDIS_URL
"#;

const WORKER: &str = r#"
TWILIO_ACCOUNT_SID=%ACCOUNT%; TWILIO_AUTH_TOKEN=%SECRET% | answered as the invented business | WORKER_DOMAIN_FILE
TWILIO_ACCOUNT_SID=%ACCOUNT%; WORKER_DOMAIN_FILE=/nowhere.toml | TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN | set both or none
WORKER_DOMAIN_FILE=/nowhere.toml | business:  | WORKER_DOMAIN_FILE
CRM_DATABASE_URL=mysql://crm; WORKER_DOMAIN_FILE=/nowhere.toml | CRM_DATABASE_URL | must be sqlite:… or postgres://…
CRM_DATABASE_URL=postgres://crm@127.0.0.1:1/crm; WORKER_DOMAIN_FILE=/nowhere.toml | connection refused | CRM_DATABASE_URL
CRM_DATABASE_URL=sqlite:/nowhere/crm.sqlite; WORKER_DOMAIN_FILE=/nowhere.toml | cannot be opened | the folder must exist
CRM_DATABASE_URL=%text%; WORKER_DOMAIN_FILE=/nowhere.toml | is no SQLite database | CRM_DATABASE_URL
CRM_DATABASE_URL=postgres://postduif:change-me@postgres/postduif; WORKER_DOMAIN_FILE=/nowhere.toml | CRM_DATABASE_URL: still has | put your own
LLM_BASE_URL=http://127.0.0.1:1/v1 | connection refused | LLM_BASE_URL
LLM_BASE_URL=api.openai.com; WORKER_DOMAIN_FILE=/nowhere.toml | LLM_BASE_URL | must start with http
TRANSCRIBE_BASE_URL=http://127.0.0.1:1/v1; WORKER_DOMAIN_FILE=/nowhere.toml | connection refused | TRANSCRIBE_BASE_URL
WORKER_TURN_BUDGET_MS=2000; LLM_BASE_URL=http://127.0.0.1:1; WORKER_DOMAIN_FILE=/nowhere.toml | WORKER_TURN_BUDGET_MS | its steps
WORKER_HISTORY_LINES=0; WORKER_DOMAIN_FILE=/nowhere.toml | WORKER_HISTORY_LINES | from 1 to 1000
NOTICE_SMTP=x; WORKER_DOMAIN_FILE=/nowhere.toml | NOTICE_SMTP: nothing reads it | is NOTICE_SMTP_URL meant
WORKER_TIMEZONE=Europe/Amsterdam; WORKER_DOMAIN_FILE=/nowhere.toml | WORKER_TIMEZONE: nothing reads it | --help lists
NOTICE_SMTP_URL=smtps://mail.postduif.test; WORKER_DOMAIN_FILE=/nowhere.toml | NOTICE_MAIL_TO: is missing | NOTICE_SMTP_URL is set
WORKER_DOMAIN_FILE=%folder% | Is a directory | WORKER_DOMAIN_FILE
CRM_DATABASE_URL=sqlite:; WORKER_DOMAIN_FILE=/nowhere.toml | names no file | write sqlite:crm.sqlite
CRM_DATABASE_URL=sqlite::memory:; WORKER_DOMAIN_FILE=/nowhere.toml | everything would be forgotten | write sqlite:crm.sqlite
CRM_DATABASE_URL=/data/crm.sqlite; WORKER_DOMAIN_FILE=/nowhere.toml | CRM_DATABASE_URL | must be sqlite:…
CRM_DATABASE_URL=%no_database%; WORKER_DOMAIN_FILE=/nowhere.toml | there is no database of this name | CRM_DATABASE_URL
LLM_BASE_URL=%api% | it answers 404 | often in /v1
TRANSCRIBE_BASE_URL=%api%; WORKER_DOMAIN_FILE=/nowhere.toml | it answers 404 | often in /v1
WORKER_STOCK=site=/nowhere.xml; WORKER_DOMAIN_FILE= | stock of site: the file cannot be read | WORKER_STOCK
"#;

struct Doctor<'a> {
    service: &'a str,
    well: Vec<(&'a str, &'a str)>,
}

impl Doctor<'_> {
    fn says(&self, changes: &[(&str, &str)]) -> (bool, String) {
        let mut command = Command::new(binary(self.service));
        command
            .arg("doctor")
            .env_clear()
            .envs(self.well.iter().copied());
        for (name, value) in changes {
            match *value {
                "" => command.env_remove(name),
                value => command.env(name, value),
            };
        }
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    fn knows(&self, table: &str, values: &[(&str, &str)]) {
        let (is_well, said) = self.says(&[]);
        assert!(is_well, "{said}");
        let wrong: Vec<_> = table
            .trim()
            .lines()
            .filter_map(|line| self.misses(line, values))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    /// What is said where a line does not hold.
    fn misses(&self, line: &str, values: &[(&str, &str)]) -> Option<String> {
        let filled = values.iter().fold(line.to_owned(), |line, (name, value)| {
            line.replace(&format!("%{name}%"), value)
        });
        let [settings, cause, cure] = filled.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{line} has three columns");
        };
        let changes = settings.split("; ").map(|one| one.split_once('=').unwrap());
        let changes: Vec<_> = changes.collect();
        let (is_well, said) = self.says(&changes);
        let is_told =
            |line: &str| line.starts_with("problem") && line.contains(cause) && line.contains(cure);
        let is_secret = said.contains(SECRET) || said.contains("your-token");
        let holds = !is_well && !is_secret && said.lines().any(is_told);
        (!holds).then(|| format!("{line}\n{said}"))
    }
}

/// A server of Redis that is well until it is changed.
fn redis() -> RedisServer {
    RedisServer::builder().tcp().append_only("everysec").start()
}

fn simulator() -> SimulatorHandle {
    runtime::install_tls();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = SimulatorConfig::for_ingress("http://127.0.0.1:9");
    Simulator::new(config, listener, CancellationToken::new())
        .start()
        .unwrap()
}

fn unknown_host(scheme: &str) -> String {
    // Longer than a name may be: refused before anybody is asked.
    format!("{scheme}://{}.nl:6379", "x".repeat(64))
}

#[test]
fn ingress_names_each_mistake_with_its_cure() {
    let (server, broken) = (
        redis(),
        RedisServer::builder()
            .tcp()
            .setting("maxmemory-policy", "allkeys-lru")
            .start(),
    );
    broken.run::<()>(&["SET", "partitions", "8"]);
    let (url, broken_url) = (server.url(), broken.url());
    let (host, port) = ("127.0.0.1", server.port().to_string());
    let tls = url.replace("redis://", "rediss://");
    let (silent, unknown) = ("redis://127.0.0.1:1", unknown_host("redis"));
    let (file, base) = (
        tempfile::NamedTempFile::new().unwrap(),
        unknown_host("https"),
    );
    let file = file.path().to_str().unwrap();
    let below = format!("{file}/spool");
    let quoted = format!("\"{SECRET}\"");
    let key = ACCOUNT.replace("AC", "SK");
    Doctor {
        service: "ingress",
        well: vec![
            ("REDIS_URL", &url),
            ("PUBLIC_BASE_URL", "https://localhost"),
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            ("TWILIO_AUTH_TOKEN", SECRET),
        ],
    }
    .knows(
        INGRESS,
        &[
            ("SECRET", SECRET),
            ("base", &base),
            ("below", &below),
            ("broken_url", &broken_url),
            ("file", file),
            ("host", host),
            ("key", &key),
            ("port", &port),
            ("quoted", &quoted),
            ("silent", silent),
            ("tls", &tls),
            ("unknown", &unknown),
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn egress_names_each_mistake_with_its_cure() {
    let (server, simulator) = (redis(), simulator());
    let (url, api) = (server.url(), simulator.url().to_owned());
    let closed = RedisServer::builder().tcp().append_only("everysec").start();
    closed.run::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let full = closed.url();
    let locked = redis();
    locked.run::<()>(&["CONFIG", "SET", "requirepass", "geheim"]);
    let locked = locked.url();
    let replica = redis();
    replica.run::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
    let replica = replica.url();
    let (https, unknown) = (
        api.replace("http://", "https://"),
        "https://no-such-host.invalid",
    );
    let (wrong_port, template) = (
        url.replace("redis://", "http://"),
        ACCOUNT.replace("AC", "HX"),
    );
    let service = ACCOUNT.replace("AC", "MG");
    let dashboard = format!("{api}/app/accounts/1/dashboard");
    let http_as_redis = api.replace("http://", "redis://");
    Doctor {
        service: "egress",
        well: vec![
            ("REDIS_URL", &url),
            ("PUBLIC_BASE_URL", "http://127.0.0.1:8080"),
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            ("TWILIO_AUTH_TOKEN", "fake-twilio-token"),
            ("TWILIO_WHATSAPP_NUMBER", "+14155238886"),
            ("TWILIO_API_BASE_URL", &api),
            ("WAHA_BASE_URL", &api),
            ("WAHA_API_KEY", "fake-waha-key"),
            ("CHATWOOT_BASE_URL", &api),
            ("CHATWOOT_API_TOKEN", "fake-chatwoot-bot-token"),
            ("CHATWOOT_ACCOUNT_ID", "1"),
        ],
    }
    .knows(
        EGRESS,
        &[
            ("SECRET", SECRET),
            ("dashboard", &dashboard),
            ("full", &full),
            ("http_as_redis", &http_as_redis),
            ("https", &https),
            ("locked", &locked),
            ("replica", &replica),
            ("service", &service),
            ("template", &template),
            ("unknown", unknown),
            ("wrong_port", &wrong_port),
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_names_each_mistake_with_its_cure() {
    let (server, simulator) = (redis(), simulator());
    let postgres = tokio::task::block_in_place(PostgresServer::start);
    let well = postgres.url();
    let no_database = well.trim_end_matches("/postgres").to_owned() + "/crm";
    let url = server.url();
    let folder = tempfile::tempdir().unwrap();
    let (crm, text) = (
        folder.path().join("crm.sqlite"),
        folder.path().join("notes.txt"),
    );
    std::fs::write(&text, "no database, and long enough for none").unwrap();
    let crm = format!("sqlite:{}", crm.display());
    let text = format!("sqlite:{}", text.display());
    let salon = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../deploy/domains/hair-salon.toml"
    );
    let doctor = Doctor {
        service: "worker",
        well: vec![
            ("REDIS_URL", &url),
            ("CRM_DATABASE_URL", &crm),
            ("WORKER_DOMAIN_FILE", salon),
        ],
    };
    // PostgreSQL takes a moment until it answers.
    eventually(async || match doctor.says(&[("CRM_DATABASE_URL", &well)]) {
        (true, _) => Ok(()),
        (false, said) => Err(said),
    })
    .await;
    doctor.knows(
        WORKER,
        &[
            ("ACCOUNT", ACCOUNT),
            ("SECRET", SECRET),
            ("api", simulator.url()),
            ("folder", folder.path().to_str().unwrap()),
            ("no_database", &no_database),
            ("text", &text),
        ],
    );
}
