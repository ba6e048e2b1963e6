//! `plain`: what a webhook costs when nothing is done with it, for the benchmark of ingress.

use actix_web::{App, HttpResponse, HttpServer, web};
use clap::{Args, Parser, Subcommand};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read forms and answer what ingress answers.
    Serve(PlainConfig),
}

#[derive(Debug, Args)]
struct PlainConfig {
    /// Where to listen.
    #[arg(long, env = "PORT")]
    port: u16,
}

type Form = web::Form<Vec<(String, String)>>;

/// The same bytes as ingress, headers included; only the request's id is always the same.
async fn answer(_form: Form) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("x-request-id", "01a206d9560b76dfb83396a119207f7d"))
        .insert_header(("content-type", "text/xml"))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("cache-control", "no-store"))
        .insert_header((
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ))
        .insert_header(("referrer-policy", "no-referrer"))
        .body(e2e_tests::TWILIO_ANSWER)
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let Command::Serve(config) = Cli::parse().command;
    let ready = || async { "ready" };
    let app = move || {
        App::new()
            .route("/webhooks/twilio/whatsapp", web::post().to(answer))
            .route("/health/ready", web::get().to(ready))
    };
    HttpServer::new(app)
        .workers(1)
        .bind(("127.0.0.1", config.port))?
        .run()
        .await
}
