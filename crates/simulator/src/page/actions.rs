//! What people do on the page: forms, which work without a script too.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Form};
use serde::Deserialize;
use serde_json::json;

use super::faults::{self, Often};
use crate::address;
use crate::chatwoot::{self, ConversationStatus};
use crate::colleague::{self, ColleagueMessage};
use crate::customer::{Button, CustomerMessage, Location, Media, post};
use crate::desk::Seat;
use crate::journal::{Call, MessageStatus};
use crate::provider::{Endpoint, Provider};
use crate::supervisor::{Action, Order};
use crate::world::World;

const PETRA: &str = "Petra";

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/page/write", web::post().to(write))
        .route("/page/sample", web::post().to(sample))
        .route("/page/hand", web::post().to(hand))
        .route("/page/customers", web::post().to(put))
        .route("/page/away", web::post().to(put_away))
        .route("/page/faults", web::post().to(fault))
        .route("/page/faults/remove", web::post().to(remove_fault))
        .route("/page/behave", web::post().to(behave))
        .route("/page/reset", web::post().to(reset))
        .route("/page/services", web::post().to(service));
}

/// Back to the page, or what is wrong.
fn done(result: Result<(), String>) -> HttpResponse {
    match result {
        Ok(()) => HttpResponse::SeeOther()
            .insert_header(("location", "/"))
            .finish(),
        Err(error) => HttpResponse::BadRequest()
            .content_type("text/plain; charset=utf-8")
            .insert_header(("x-content-type-options", "nosniff"))
            .body(error),
    }
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    Customer,
    Colleague,
}

#[derive(Debug, Deserialize)]
struct Written {
    provider: Provider,
    customer: String,
    name: String,
    text: String,
    by: By,
}

async fn write(world: Data<World>, form: Form<Written>) -> HttpResponse {
    let (world, form) = (world.into_inner(), form.into_inner());
    let written = match form.by {
        By::Customer => {
            let message = CustomerMessage::text(form.provider, &form.customer, &form.text);
            let message = message.with_name(&form.name);
            post(&world, message).await.map(drop)
        }
        By::Colleague => {
            let message = ColleagueMessage {
                provider: form.provider,
                to: form.customer,
                text: form.text,
                by: Some(PETRA.to_owned()),
                ..ColleagueMessage::default()
            };
            colleague::write(&world, message).await.map(drop)
        }
    };
    done(written)
}

#[derive(Debug, Deserialize)]
struct Sample {
    provider: Provider,
    customer: String,
    name: String,
    sample: String,
}

/// What is posted by the press of one button: a text, or one of a few kinds.
async fn sample(world: Data<World>, form: Form<Sample>) -> HttpResponse {
    let (world, form) = (world.into_inner(), form.into_inner());
    let blank = CustomerMessage::text(form.provider, &form.customer, "").with_name(&form.name);
    let text = |text: &str| CustomerMessage {
        text: text.to_owned(),
        ..blank.clone()
    };
    let file = |text: &str, media: Media| CustomerMessage {
        text: text.to_owned(),
        media: vec![media],
        ..blank.clone()
    };
    let messages = match form.sample.as_str() {
        ":burst" => vec![
            text("Hoi"),
            text("ik zoek een auto"),
            text("een Golf, max 15.000 euro"),
        ],
        ":place" => vec![CustomerMessage {
            location: Some(dam()),
            ..blank.clone()
        }],
        ":photo" => vec![file("Dit is mijn auto", photo())],
        ":voice" => vec![file("", voice())],
        ":contact" => vec![file("", contact())],
        ":button" => vec![CustomerMessage {
            button: Some(Button {
                text: "Ja, graag".to_owned(),
                payload: Some("yes".to_owned()),
            }),
            ..blank.clone()
        }],
        words => vec![text(words)],
    };
    done(post_in_turn(&world, messages).await)
}

async fn post_in_turn(world: &Arc<World>, messages: Vec<CustomerMessage>) -> Result<(), String> {
    for message in messages {
        post(world, message).await?;
    }
    Ok(())
}

fn dam() -> Location {
    Location {
        latitude: 52.3731,
        longitude: 4.8926,
        label: Some("De Dam".to_owned()),
        address: Some("Dam, Amsterdam".to_owned()),
    }
}

fn photo() -> Media {
    use base64::Engine as _;
    let bytes = include_bytes!("car.png");
    Media {
        content_type: "image/png".to_owned(),
        base64: Some(base64::engine::general_purpose::STANDARD.encode(bytes)),
        filename: Some("auto.png".to_owned()),
        ..Media::default()
    }
}

fn voice() -> Media {
    Media {
        content_type: "audio/ogg".to_owned(),
        filename: Some("voice message".to_owned()),
        ..Media::default()
    }
}

fn contact() -> Media {
    Media {
        content_type: "text/vcard".to_owned(),
        content: Some(
            "BEGIN:VCARD\nVERSION:3.0\nFN:Kees Bakker\nTEL:+31699999999\nEND:VCARD".to_owned(),
        ),
        filename: Some("Kees Bakker".to_owned()),
        ..Media::default()
    }
}

#[derive(Debug, Deserialize)]
struct Handed {
    customer: String,
    status: ConversationStatus,
}

/// Chatwoot's human takes a conversation over, or gives it back.
async fn hand(world: Data<World>, form: Form<Handed>) -> HttpResponse {
    let (world, form) = (world.into_inner(), form.into_inner());
    let Some(conversation) = world.chatwoot.of_customer(&form.customer) else {
        return done(Err("the customer has not written yet".to_owned()));
    };
    let is_taken = form.status == ConversationStatus::Open;
    let assignee = is_taken.then(|| PETRA.to_owned());
    world.chatwoot.assign(conversation.id, assignee);
    let status = json!(form.status);
    let call = Call {
        customer: form.customer,
        text: format!("{} by {PETRA}", status.as_str().unwrap_or_default()),
        ..Call::new(Provider::Chatwoot, Endpoint::Status)
    };
    world.journal.accept(call, "", MessageStatus::None, None);
    chatwoot::change_status(&world, conversation.id, Some(form.status));
    done(Ok(()))
}

#[derive(Debug, Deserialize)]
struct Newcomer {
    provider: Provider,
    from: String,
    name: String,
}

async fn put(world: Data<World>, form: Form<Newcomer>) -> HttpResponse {
    let form = form.into_inner();
    let customer = address::customer(&form.from);
    if customer.is_empty() {
        return done(Err("a customer has a number or an address".to_owned()));
    }
    world.desk.put(Seat {
        provider: form.provider,
        customer,
        name: Some(form.name.trim().to_owned()).filter(|name| !name.is_empty()),
    });
    done(Ok(()))
}

#[derive(Debug, Deserialize)]
struct Away {
    provider: Provider,
    customer: String,
}

async fn put_away(world: Data<World>, form: Form<Away>) -> HttpResponse {
    let last = world.journal.stats().last;
    world.desk.put_away(form.provider, &form.customer, last);
    done(Ok(()))
}

#[derive(Debug, Deserialize)]
struct Flip {
    preset: usize,
    provider: String,
    often: Often,
}

async fn fault(world: Data<World>, form: Form<Flip>) -> HttpResponse {
    let provider = serde_json::from_value(json!(form.provider)).ok();
    done(faults::flip(&world, form.preset, provider, form.often))
}

#[derive(Debug, Deserialize)]
struct Removed {
    id: u64,
}

async fn remove_fault(world: Data<World>, form: Form<Removed>) -> HttpResponse {
    world.faults.remove(form.id);
    done(Ok(()))
}

async fn behave(world: Data<World>) -> HttpResponse {
    world.faults.clear();
    done(Ok(()))
}

async fn reset(world: Data<World>) -> HttpResponse {
    world.reset();
    done(Ok(()))
}

#[derive(Debug, Deserialize)]
struct Ordered {
    service: String,
    action: Action,
}

async fn service(world: Data<World>, form: Form<Ordered>) -> HttpResponse {
    let Ordered { service, action } = form.into_inner();
    let ordered = world.supervisor.order(Order { service, action });
    done(ordered.map_err(str::to_owned))
}
