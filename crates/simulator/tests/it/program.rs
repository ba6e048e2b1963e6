use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

fn simulator() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
    command.env_clear();
    command
}

fn one_line(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn bad_configuration_exits_with_64_and_one_line_that_names_it() {
    for (name, value) in [
        ("PORT", "many"),
        ("SIMULATOR_INGRESS_URL", "nowhere"),
        ("SIMULATOR_THREADS", "0"),
        ("CHATWOOT_ACCOUNT_ID", "one"),
    ] {
        let output = simulator().arg("serve").env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{name}");
        let line = one_line(&output);
        assert!(line.contains(name), "{line}");
    }
}

#[test]
fn help_explains_and_hides_secrets() {
    let output = simulator()
        .args(["serve", "--help"])
        .env("TWILIO_AUTH_TOKEN", "hush-hush")
        .output()
        .unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("SIMULATOR_INGRESS_URL") && help.contains("TWILIO_AUTH_TOKEN"));
    assert!(!help.contains("hush-hush"));
}

#[test]
fn serves_until_it_is_told_to_stop_and_answers_health_checks() {
    let mut serving = simulator()
        .args(["serve", "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = serving.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let url = line["url"].as_str().unwrap();
    let port = url.rsplit(':').next().unwrap().to_owned();

    let check = |port: &str| {
        let mut command = simulator();
        command.args(["healthcheck", "--port", port]);
        command.output().unwrap()
    };
    assert_eq!(check(&port).status.code(), Some(0));
    let stop = Command::new("kill")
        .args(["-TERM", &serving.id().to_string()])
        .status();
    assert!(stop.unwrap().success());
    assert_eq!(serving.wait().unwrap().code(), Some(0));
    let dead = check(&port);
    assert_eq!(dead.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&dead.stderr).contains(&port));
}
