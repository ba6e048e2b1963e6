//! The pace of a sender, measured where the provider counts.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use futures_util::future::join_all;
use simulator::{Provider, Query, Record};
use socket2::{Domain, Socket, Type};

use crate::harness::{CUSTOMER, PATIENCE, Rig, reply, reply_to};
use crate::logs;

/// The most requests in any half-open second, in order of arrival.
pub(crate) fn busiest_second(requests: &[Record]) -> usize {
    let arrivals: Vec<u64> = requests.iter().map(|r| r.entry.arrived.micros).collect();
    let busy = arrivals.iter().enumerate().map(|(first, start)| {
        arrivals[first..]
            .iter()
            .take_while(|at| *at - start < 1_000_000)
            .count()
    });
    busy.max().unwrap_or_default()
}

#[tokio::test]
async fn three_replicas_together_keep_the_pace_and_send_everything() {
    const MESSAGES: usize = 120;
    let rig = Rig::start();
    // A machine that is busy with other tests delays what arrives: the allowance is larger here.
    let args = [
        "twilio-per-second=80",
        "pace-jitter-ms=300",
        "pace-warning-ms=300",
    ];
    let messages: Vec<_> = (0..MESSAGES)
        .map(|n| reply_to(&format!("whatsapp:+3160000{n:04}"), "Hallo"))
        .collect();
    for message in &messages {
        rig.queue(message).await;
    }
    let replicas = [rig.egress(&args), rig.egress(&args), rig.egress(&args)];
    let query = Query {
        provider: Some(Provider::Twilio),
        ..Query::accepted_messages()
    };
    let sent = rig.simulator.wait(&query, MESSAGES, PATIENCE).await;
    assert_eq!(sent.len(), MESSAGES);
    let busiest = busiest_second(&sent);
    assert!(busiest <= 80, "{busiest} in one second");
    let name = r#"postduif_sends_total{outcome="rate_limited",source="twilio"}"#;
    let warnings: f64 = join_all(replicas.iter().map(|r| r.metric(name)))
        .await
        .iter()
        .sum();
    assert!(
        warnings > 0.5,
        "waits of more than 300 ms are worth a warning"
    );
    let last = sent
        .last()
        .and_then(|record| record.entry.oid.clone())
        .unwrap();
    let lines = logs::about(&last).join("\n");
    assert!(lines.contains("Twilio rate limit reached"), "{lines}");
    assert!(
        lines.contains(r#"{\"status\":\"rate_limited\"}"#),
        "{lines}"
    );
    rig.letters(0).await;
}

#[tokio::test]
async fn without_an_allowance_for_jitter_messages_leave_all_the_same() {
    let rig = Rig::start();
    let _egress = rig.egress(&["twilio-per-second=80", "pace-jitter-ms=0"]);
    rig.queue(&reply("Hallo")).await;
    rig.sent(CUSTOMER, 1).await;
}

#[tokio::test]
async fn a_machine_too_slow_for_its_slots_sends_in_the_end() {
    let rig = Rig::start();
    // Half a millisecond after its slot begins, no message has left yet.
    let _egress = rig.egress(&["twilio-per-second=80", "pace-jitter-ms=1"]);
    for number in 0..10 {
        rig.queue(&reply(&number.to_string())).await;
    }
    rig.sent(CUSTOMER, 10).await;
}

/// A way to the simulator on which the first connection takes a second: its queue of connections is
/// full, and TCP asks again only then.
fn slow_to_connect(rig: &Rig) -> (String, Vec<TcpStream>) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any.into()).unwrap();
    socket.listen(1).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let queue = [(), ()].map(|()| TcpStream::connect(address).unwrap());
    let simulator = rig.simulator.address();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        for client in listener.incoming() {
            let (mut client, mut server) =
                (client.unwrap(), TcpStream::connect(simulator).unwrap());
            let (mut answers, mut asks) =
                (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut client, &mut server));
            std::thread::spawn(move || std::io::copy(&mut answers, &mut asks));
        }
    });
    (format!("http://{address}"), queue.into())
}

#[tokio::test]
async fn a_slow_connection_costs_no_slot() {
    let rig = Rig::start();
    let (url, _queue) = slow_to_connect(&rig);
    let base = format!("twilio-api-base-url={url}");
    let egress = rig.egress(&[
        &base,
        "twilio-per-second=2",
        "pace-jitter-ms=1000",
        "request-timeout-ms=5000",
        "lease-ms=12000",
    ]);
    rig.queue(&reply("Hallo")).await;
    rig.sent(CUSTOMER, 1).await;
    rig.until_empty().await;
    let name = r#"postduif_send_attempts_sum{source="twilio"}"#;
    assert!((egress.metric(name).await - 1.0).abs() < f64::EPSILON);
    let warned = r#"postduif_sends_total{outcome="rate_limited",source="twilio"}"#;
    assert!(egress.metric(warned).await < 0.5);
}
