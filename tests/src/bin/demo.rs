//! `demo`: the whole system on this machine, with a customer who writes to it.

use std::io::BufRead;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use e2e_tests::Role;
use e2e_tests::demo::{Demo, Trip};
use shared_types::ConversationState;
use tokio::sync::mpsc;

/// Starts Redis, the services and a fake Twilio, sends a message and shows its way.
#[derive(Debug, Parser)]
#[command(name = "demo")]
struct Cli {
    /// What the customer writes first.
    #[arg(default_value = "Ik zoek een Volkswagen Golf")]
    text: String,

    /// Stop after this message: exit code 0 when its reply arrived.
    #[arg(long)]
    once: bool,
}

impl runtime::CommandLine for Cli {}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let (cli, _) = runtime::parse::<Cli>();
    std::panic::set_hook(Box::new(|panic| {
        let reason = panic.payload_as_str().unwrap_or("unknown");
        let _ignored = runtime::print(&format!("\nThe demo cannot go on: {reason}"));
    }));
    let stop = runtime::stop_signal()?;
    let played = stop.run_until_cancelled(play(&cli)).await;
    Ok(match played {
        Some(code) => code?,
        None => ExitCode::SUCCESS,
    })
}

async fn play(cli: &Cli) -> anyhow::Result<ExitCode> {
    say("Starting Redis, the simulator, ingress, worker and egress ...")?;
    let mut demo = Demo::start().await;
    let arrived = show(&mut demo, &cli.text).await?;
    if cli.once {
        return Ok(if arrived {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let page = demo.system().service(Role::Simulator, 0).url();
    let logs = demo.system().folder().display().to_string();
    say(&format!(
        "\nWrite as the customer, one message a line. Ctrl-C ends everything.\nThe same in a browser: {page}\nLogs: {logs}\n"
    ))?;
    let mut lines = typed();
    while let Some(line) = lines.recv().await {
        if !line.trim().is_empty() {
            show(&mut demo, line.trim()).await?;
        }
    }
    // Standard input has ended; the chat page goes on until Ctrl-C.
    std::future::pending::<()>().await;
    Ok(ExitCode::SUCCESS)
}

/// Sends a message and prints its way. Whether a reply arrived.
async fn show(demo: &mut Demo, text: &str) -> anyhow::Result<bool> {
    say(&format!("\ncustomer  {text}"))?;
    let trip = match demo.send(text).await {
        Ok(trip) => trip,
        Err(error) => {
            say(&format!("failed    {error}"))?;
            return Ok(false);
        }
    };
    for line in lines_of(&trip) {
        say(&line)?;
    }
    Ok(trip.reply.is_some())
}

fn lines_of(trip: &Trip) -> Vec<String> {
    let (status, took) = trip.webhook;
    let mut lines = vec![format!(
        "ingress   {status} to the signed webhook, in {}",
        shown(took)
    )];
    if let Some((state, after)) = &trip.turn {
        lines.push(format!(
            "worker    {}, after {}",
            understood(state),
            shown(*after)
        ));
    }
    match &trip.reply {
        Some((reply, after)) => {
            lines.push(format!(
                "egress    201 from Twilio's API, after {}",
                shown(*after)
            ));
            lines.push(format!("reply     {}", reply.text));
        }
        None => lines.push("reply     none: the bot stays silent here".to_owned()),
    }
    lines
}

fn understood(state: &ConversationState) -> String {
    let mut parts = Vec::new();
    if let Some(router) = &state.router_output {
        parts.push(format!("{} ({:.2})", router.intent, router.confidence));
    }
    let slots = state
        .extraction_output
        .iter()
        .flat_map(|output| &output.slots);
    parts.extend(slots.map(|(name, value)| format!("{name}={value}")));
    if let Some(crm) = &state.crm_output {
        parts.extend(crm.contact_created.then(|| "new contact".to_owned()));
        parts.extend(crm.lead_created.then(|| "new lead".to_owned()));
    }
    parts.join(", ")
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// Lines from standard input. The thread ends with the process.
fn typed() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn say(line: &str) -> std::io::Result<()> {
    runtime::print(&line)
}
