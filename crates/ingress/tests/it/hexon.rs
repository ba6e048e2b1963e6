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
