//! The simulator's page in a browser, over a whole system.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use e2e_tests::demo::Demo;
use e2e_tests::{Role, supervise};

/// Another address of this machine leads to no service.
async fn listens_on_loopback_alone(demo: &Demo) {
    let system = demo.system();
    let mut system = system.lock().await;
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        let url = system.service(role, 0).url();
        let elsewhere = url.replace("http://127.0.0.1", "127.0.0.2");
        assert!(TcpStream::connect(&elsewhere).is_err(), "{}", role.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_write_and_look_on_in_a_browser() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let installed = Command::new(folder.join("setup")).status().unwrap();
    assert!(installed.success(), "tests/browser/setup");
    let demo = Demo::start().await;
    listens_on_loopback_alone(&demo).await;
    let mut browser = Command::new("node");
    browser
        .args(["--test", "--test-reporter=spec", "page.test.mjs"])
        .current_dir(folder)
        .env("PAGE", demo.page());
    let looked = tokio::task::spawn_blocking(move || browser.output().unwrap());
    let output = tokio::select! {
        output = looked => output.unwrap(),
        () = supervise(demo.system(), demo.simulator()) => unreachable!("it goes on"),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
