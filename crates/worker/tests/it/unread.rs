//! Pushes that nobody could read: what an operator does with them, and what becomes of newer ones.

use clap::Parser as _;
use jiff::Timestamp;
use streams::{Redis, StockPush};
use test_support::RedisServer;

use crate::chat::Cli;
use crate::feeds::{crm, keeper_with};

fn vehicle(action: &str, id: u32, price: u32) -> Vec<u8> {
    format!(
        "<voertuig actie=\"{action}\" voertuignr_hexon=\"{id}\"><merk>Opel</merk><model>Corsa</model>\
         <verkoopprijs_particulier>{price}</verkoopprijs_particulier></voertuig>"
    )
    .into_bytes()
}

/// `worker stock unread`: whether it ended well, and what it said.
fn unread(url: &str, args: &[&str]) -> (bool, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_worker"));
    command.args(["stock", "unread"]).args(args).env_clear();
    command.env("REDIS_URL", url).env("USER", "jan");
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), told)
}

#[tokio::test]
async fn a_replay_overwrites_nothing_newer() {
    let folder = tempfile::tempdir().unwrap();
    let crm = crm(&folder);
    crm.migrate().await.unwrap();
    let server = RedisServer::builder().tcp().start();
    let url = server.url();
    let (mut keeper, shelf) = keeper_with(&crm, &["--redis-url", &url], &[]).unwrap();
    let worker = Cli::parse_from(["worker", "--redis-url", &url]).worker;
    let redis = Redis::new(&worker.redis).unwrap();
    redis.claim_layout().await.unwrap().unwrap();
    let price = |id: &str| {
        let item = shelf.now()?.get("hexon", id).cloned();
        Some(item?.price?.whole())
    };
    // They could not be read an hour ago; since then something came of the first, and the second is gone.
    let long_ago = Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let old = [(1, 9_000), (2, 8_000), (3, 7_000)].map(|(id, price)| StockPush {
        at: Some(long_ago),
        text: vehicle("add", id, price),
    });
    redis.stock_pushes_taken(0, &old, &[]).await.unwrap();
    for push in [
        vehicle("change", 1, 8_500),
        vehicle("add", 2, 8_000),
        vehicle("delete", 2, 0),
    ] {
        assert!(redis.push_stock(&push).await.unwrap());
    }
    keeper.round().await.unwrap();
    let [first, second, third] = [0, 1, 2].map(|at: usize| old[at].id());
    let (whole, told) = unread(&url, &["replay", &first, &second, &third]);
    assert!(!whole && told.contains("1 replayed"), "{told}");
    let newer = format!("{first} is not replayed: something newer of 1 was taken over");
    assert!(told.contains(&newer), "{told}");
    keeper.round().await.unwrap();
    assert_eq!(
        (price("1"), price("2"), price("3")),
        (Some(8_500), None, Some(7_000))
    );
    // The ids stay when others go.
    let (listed, told) = unread(&url, &["list"]);
    assert!(
        listed && told.contains(&second) && !told.contains(&third),
        "{told}"
    );
    // What came while it waited its turn counts as well.
    let waits = StockPush {
        at: Some(long_ago),
        text: vehicle("add", 4, 1_000),
    };
    redis
        .stock_pushes_taken(0, std::slice::from_ref(&waits), &[])
        .await
        .unwrap();
    redis.push_stock(&vehicle("add", 4, 2_000)).await.unwrap();
    assert!(unread(&url, &["replay", &waits.id()]).0);
    keeper.round().await.unwrap();
    assert_eq!(price("4"), Some(2_000));
    assert!(unread(&url, &["replay", &first, "--force"]).0);
    keeper.round().await.unwrap();
    assert_eq!(price("1"), Some(9_000));
}

#[tokio::test]
async fn of_two_of_one_thing_the_last_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let crm = crm(&folder);
    crm.migrate().await.unwrap();
    let server = RedisServer::builder().tcp().start();
    let url = server.url();
    let (mut keeper, shelf) = keeper_with(&crm, &["--redis-url", &url], &[]).unwrap();
    let worker = Cli::parse_from(["worker", "--redis-url", &url]).worker;
    let redis = Redis::new(&worker.redis).unwrap();
    redis.claim_layout().await.unwrap().unwrap();
    // They came a microsecond after one another.
    let at = "2026-12-01T10:00:00Z".parse::<Timestamp>().unwrap();
    let two = [(0, 9_000), (1, 8_000)].map(|(after, price)| StockPush {
        at: Some(at + jiff::SignedDuration::from_micros(after)),
        text: vehicle("add", 1, price),
    });
    redis.stock_pushes_taken(0, &two, &[]).await.unwrap();
    assert_eq!(redis.stock_unread().await.unwrap(), two);
    assert!(unread(&url, &["replay", "--all"]).0);
    keeper.round().await.unwrap();
    let price = || Some(shelf.now()?.get("hexon", "1")?.price.as_ref()?.whole());
    assert_eq!(price(), Some(8_000));
    let ids = ["1".to_owned()];
    let newest = redis.stock_newest(&ids).await.unwrap();
    assert_eq!(newest, [two[1].at]);
    // An older one takes nothing back.
    let older = [("1".to_owned(), at)];
    redis.stock_pushes_taken(0, &[], &older).await.unwrap();
    assert_eq!(redis.stock_newest(&ids).await.unwrap(), newest);
    // As an older build stored it.
    server.run::<u32>(&["RPUSH", "stock:unread", "@1796119200000 <other/>"]);
    assert!(unread(&url, &["discard", "--all", "--yes"]).0);
    assert!(redis.stock_unread().await.unwrap().is_empty());
    let older = &two[..1];
    redis.stock_pushes_taken(0, older, &[]).await.unwrap();
    assert!(
        !unread(&url, &["replay", "--all"]).0,
        "something newer is known"
    );
}

#[tokio::test]
async fn what_could_not_be_read_is_shown_replayed_and_discarded() {
    let server = RedisServer::builder().tcp().start();
    let url = server.url();
    let worker = Cli::parse_from(["worker", "--redis-url", &url]).worker;
    let redis = Redis::new(&worker.redis).unwrap();
    redis.claim_layout().await.unwrap().unwrap();
    let at = "2026-12-01T10:00:00Z".parse().ok();
    let pushes = [
        (at, "<html>"),
        (at, "<voertuig><actie>delete</actie></voertuig>"),
        (None, "<other/>"),
    ];
    let pushes = pushes.map(|(at, text)| StockPush {
        at,
        text: text.into(),
    });
    redis.stock_pushes_taken(0, &pushes, &[]).await.unwrap();
    let unread = |args: &[&str]| unread(&url, args);
    let [first, second, third] = [0, 1, 2].map(|at: usize| pushes[at].id());
    let (listed, told) = unread(&["list"]);
    assert!(listed && told.lines().count() == 3, "{told}");
    let line = format!("{first} 2026-12-01T10:00:00Z       6 bytes  ");
    assert!(told.contains(&line), "{told}");
    let shown = unread(&["show", &second]).1;
    assert_eq!(shown.trim_end().as_bytes(), pushes[1].text);
    assert!(!unread(&["show", "4"]).0);
    let (replayed, told) = unread(&["replay", &second]);
    assert!(!replayed && told.contains("cannot be read still"), "{told}");
    let forced = unread(&["replay", &second, "--force"]);
    assert_eq!(forced, (true, "1 replayed\n".into()));
    let waits = redis.stock_pushes(10).await.unwrap();
    let anew = StockPush {
        at: None,
        ..pushes[1].clone()
    };
    assert_eq!(waits, [anew]);
    assert!(!unread(&["discard", "--all"]).0, "nobody agreed");
    assert_eq!(
        unread(&["discard", &first, "7"]),
        (false, "1 discarded\n".into())
    );
    assert!(unread(&["list"]).1.starts_with(&third));
    assert_eq!(
        unread(&["discard", "--all", "--yes"]),
        (true, "1 discarded\n".into())
    );
    assert!(redis.stock_unread().await.unwrap().is_empty());
    // What came twice is not two that were asked for.
    let twice = [pushes[0].clone(), pushes[0].clone()];
    redis.stock_pushes_taken(0, &twice, &[]).await.unwrap();
    assert!(!unread(&["discard", &first, "7"]).0);
}
