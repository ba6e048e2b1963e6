//! Vehicles that a dealer's system pushes.

use reqwest::{Client, StatusCode};
use test_support::RedisServer;

use crate::program::Program;

const LOGIN: &str = "dealer:correct horse battery";
const VEHICLE: &str = "<?xml version=\"1.0\"?><voertuig actie=\"add\" voertuignr_hexon=\"1\"><merk>Opel</merk></voertuig>";

async fn push(program: &Program, login: Option<(&str, &str)>, body: &str) -> (StatusCode, String) {
    runtime::install_tls();
    let url = format!("http://127.0.0.1:{}/webhooks/hexon", program.port);
    let mut request = Client::new().post(url).body(body.to_owned());
    if let Some((user, password)) = login {
        request = request.basic_auth(user, Some(password));
    }
    let answer = request.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_vehicle_is_kept_in_its_order_and_told_with_a_one() {
    let redis = RedisServer::start();
    let program = Program::start(&redis, &[("HEXON_LOGIN", LOGIN)]).await;
    let right = LOGIN.split_once(':');
    for number in 0..3 {
        let vehicle = format!("{VEHICLE}<!-- {number} -->");
        assert_eq!(
            push(&program, right, &vehicle).await,
            (StatusCode::OK, "1".into())
        );
    }
    let kept: Vec<String> = redis.run(&["LRANGE", "stock:pushes", "0", "-1"]);
    assert_eq!(kept.len(), 3);
    assert!(
        kept.iter()
            .enumerate()
            .all(|(number, text)| text.ends_with(&format!("<!-- {number} -->")))
    );
    let large = format!("<voertuig>{}", "x".repeat(600 * 1024));
    for (login, body, status) in [
        (right, "{}", StatusCode::BAD_REQUEST),
        (right, "", StatusCode::BAD_REQUEST),
        (right, large.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
        (None, VEHICLE, StatusCode::UNAUTHORIZED),
        (
            Some(("dealer", "correct horse batterz")),
            VEHICLE,
            StatusCode::UNAUTHORIZED,
        ),
        (Some(("dealer", "")), VEHICLE, StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(push(&program, login, body).await, (status, "0".into()));
    }
    assert_eq!(redis.run::<usize>(&["LLEN", "stock:pushes"]), 3);
    let metrics = reqwest::get(format!("http://127.0.0.1:{}/metrics", program.port))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for line in [
        "{outcome=\"kept\"} 3",
        "{outcome=\"invalid\"} 3",
        "{outcome=\"refused\"} 3",
    ] {
        assert!(
            metrics.contains(&format!("postduif_stock_pushes_total{line}")),
            "{metrics}"
        );
    }
}

#[tokio::test]
async fn without_a_login_nothing_is_there() {
    let redis = RedisServer::start();
    let program = Program::start(&redis, &[]).await;
    let (status, _) = push(&program, LOGIN.split_once(':'), VEHICLE).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// A sender repeats what was not answered with a `1`: neither Redis' absence nor the spool may say it.
#[tokio::test]
async fn while_redis_is_away_the_answer_is_a_zero_and_the_repetition_is_kept() {
    let mut redis = RedisServer::builder().append_only("always").start();
    let spool = tempfile::tempdir().unwrap();
    let folder = spool.path().display().to_string();
    let settings = [("HEXON_LOGIN", LOGIN), ("INGRESS_SPOOL_DIR", &folder)];
    let program = Program::start(&redis, &settings).await;
    let right = LOGIN.split_once(':');
    redis.kill();
    let refused = (StatusCode::SERVICE_UNAVAILABLE, "0".to_owned());
    assert_eq!(push(&program, right, VEHICLE).await, refused);
    redis.restart();
    test_support::eventually(async || match push(&program, right, VEHICLE).await {
        (StatusCode::OK, answer) if answer == "1" => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!(redis.run::<usize>(&["LLEN", "stock:pushes"]), 1);
}
