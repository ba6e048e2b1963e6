use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer;
use super::chat::{Chat, channel};
use super::faults::{self, Other, Preset};
use crate::counts::{self, Counts};
use crate::journal::{Query as Entries, Record};
use crate::provider::{Endpoint, Provider};
use crate::stats::SenderStats;
use crate::supervisor::Service;
use crate::world::World;
use crate::xray::Xray;

/// What a customer may say by the press of a button: what the button says, and what is sent.
const SAMPLES: [(&str, &str); 13] = [
    ("Ik zoek een Golf", "Ik zoek een Volkswagen Golf"),
    (
        "Proefrit zaterdag",
        "Kan ik zaterdag een proefrit maken in de Peugeot 208?",
    ),
    ("Burst of three", ":burst"),
    ("Zondag open?", "Zijn jullie zondag open?"),
    (
        "Inruil",
        "Wat krijg ik nog voor mijn Opel Corsa uit 2015 met 120.000 km?",
    ),
    (
        "Klacht",
        "Mijn auto staat alweer stil, dit is al de derde keer!",
    ),
    ("Mens?", "Kan ik iemand spreken?"),
    ("STOP", "STOP"),
    ("Photo", ":photo"),
    ("Voice", ":voice"),
    ("Place", ":place"),
    ("Contact", ":contact"),
    ("Button", ":button"),
];

/// What the address says.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Address {
    /// The message under the X-ray; the newest one when absent.
    message: Option<u64>,
    /// `faults`, or the X-ray.
    panel: Option<String>,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    chats: Vec<Chat>,
    samples: &'a [(&'a str, &'a str)],
    number: &'a str,
    ingress: &'a str,
    counts: Counts,
    /// Whether the panel was asked for; on a phone it lies over the conversations then.
    is_panel_open: bool,
    shows_faults: bool,
    is_pinned: bool,
    xray: Option<Shown>,
    presets: Vec<Preset>,
    others: Vec<Other>,
    services: Vec<Service>,
    senders: Vec<SenderStats>,
}

/// An X-ray with what is shown of it word by word.
struct Shown {
    xray: Xray,
    channel: &'static str,
    webhook: String,
    calls: Vec<ShownCall>,
}

/// A call of egress.
struct ShownCall {
    title: String,
    is_bad: bool,
    body: String,
}

/// The whole page, as it stands.
pub(super) async fn page(world: Data<World>, address: Query<Address>) -> HttpResponse {
    let seats = world.desk.seats(&world.journal);
    let seq = address.message.or_else(|| newest(&world));
    let xray = seq.and_then(|seq| Xray::of(&world, seq)).map(shown);
    let (presets, others) = faults::shown(&world);
    let page = Page {
        chats: seats
            .into_iter()
            .map(|seat| Chat::of(&world, seat))
            .collect(),
        samples: &SAMPLES,
        number: world
            .config
            .twilio
            .numbers
            .first()
            .map_or("", String::as_str),
        ingress: &world.config.ingress_url,
        counts: counts::count(&world),
        is_panel_open: address.message.is_some() || address.panel.is_some(),
        shows_faults: address.panel.as_deref() == Some("faults"),
        is_pinned: address.message.is_some(),
        xray,
        presets,
        others,
        services: world.supervisor.services(),
        senders: world.journal.stats().senders,
    };
    match page.render() {
        Ok(html) => answer("text/html; charset=utf-8").body(html),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

/// The newest message of a customer.
fn newest(world: &World) -> Option<u64> {
    let query = Entries {
        endpoint: Some(Endpoint::Webhook),
        limit: 1,
        ..Entries::default()
    };
    Some(world.journal.newest(&query, 0).first()?.entry.seq)
}

fn shown(xray: Xray) -> Shown {
    Shown {
        channel: channel(xray.message.entry.provider),
        webhook: webhook(&xray.message),
        calls: xray.calls.iter().map(call).collect(),
        xray,
    }
}

/// The webhook as it was posted: headers, then the body.
fn webhook(message: &Record) -> String {
    let request = &message.entry.request;
    let headers = request["headers"].as_array().into_iter().flatten();
    let headers = headers.filter_map(|header| {
        Some(format!(
            "{}: {}\n",
            header[0].as_str()?,
            header[1].as_str()?
        ))
    });
    let body = match message.entry.provider {
        Provider::Twilio | Provider::Llm => fields(request["form"].as_str().unwrap_or_default()),
        Provider::Waha | Provider::Chatwoot => pretty(&request["event"]),
    };
    format!("{}\n{body}", headers.collect::<String>())
}

/// A form, a field a line.
fn fields(form: &str) -> String {
    let fields = form_urlencoded::parse(form.as_bytes());
    fields
        .map(|(name, value)| format!("{name} = {value}\n"))
        .collect()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn call(record: &Record) -> ShownCall {
    let entry = &record.entry;
    let is_accepted = entry.outcome.is_accepted();
    let outcome = match &entry.outcome {
        crate::journal::Outcome::Accepted => "accepted",
        crate::journal::Outcome::Refused { code } => code,
    };
    let fault = entry.fault.map(|fault| format!(", fault: {fault}"));
    ShownCall {
        title: format!("{outcome}{}", fault.unwrap_or_default()),
        is_bad: !is_accepted || entry.fault.is_some(),
        body: pretty(&json!({
            "id": entry.id,
            "outbound id": entry.oid,
            "status": record.progress.status,
            "request": entry.request,
        })),
    }
}
