//! `demo`: the whole system on this machine, with a page to write on.

use std::io::BufRead;
use std::process::ExitCode;

use clap::Parser;
use e2e_tests::demo::Demo;
use e2e_tests::supervise;
use tokio::sync::mpsc;

/// Starts Redis, the services and a fake Twilio, WAHA and Chatwoot; a message is written and its way shown.
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
    say("Starting Redis, the simulator, ingress, worker, egress and console ...")?;
    let mut demo = Demo::start().await;
    say(&format!(
        "\nSee it and write on three channels:  {}",
        demo.page()
    ))?;
    say(&format!(
        "Be the colleague who is asked for:        {}\n",
        demo.console()
    ))?;
    demo.write(&cli.text).await;
    let is_answered = show(&mut demo).await?;
    if cli.once {
        return Ok(if is_answered {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    say(&format!(
        "\nOr write here as {}, one message a line. What others write on the page is shown as well.\n\
         Ctrl-C ends everything. Logs: {}",
        "Sanne",
        demo.logs().display()
    ))?;
    let supervised = supervise(demo.system(), demo.simulator());
    tokio::select! {
        () = supervised => Ok(ExitCode::SUCCESS),
        shown = talk(&mut demo) => shown.map(|()| ExitCode::SUCCESS),
    }
}

/// Sends what is typed, and shows what becomes of every message. When standard input has ended, the page
/// goes on until Ctrl-C.
async fn talk(demo: &mut Demo) -> anyhow::Result<()> {
    let mut lines = typed();
    let mut is_typing = true;
    loop {
        tokio::select! {
            line = lines.recv(), if is_typing => match line {
                Some(line) if line.trim().is_empty() => {}
                Some(line) => demo.write(line.trim()).await,
                None => is_typing = false,
            },
            shown = show(demo) => drop(shown?),
        }
    }
}

/// Prints the way of the next message. Whether it was answered.
async fn show(demo: &mut Demo) -> anyhow::Result<bool> {
    let trip = demo.next().await;
    say("")?;
    for line in trip.lines() {
        say(&line)?;
    }
    Ok(trip.is_answered())
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
