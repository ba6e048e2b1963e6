use std::io;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::{self, Stream, StreamExt as _};
use serde_json::{Value, json};

use super::connection::Connection;
use super::fault::{ErrorBody, Fault};
use crate::answer::Answer;
use crate::errors;
use crate::journal::Call;
use crate::provider::Provider;
use crate::world::World;

/// What a redirect adds to the address, so that who follows it is served without faults.
const REDIRECTED: &str = "redirected=true";
/// Time for the first bytes of a body to leave before the connection is reset.
const FLUSH: Duration = Duration::from_millis(50);

/// Answers a call that is valid in itself: as documented, or with the fault that strikes it.
///
/// `accept` is what the provider does when it takes the call. It runs exactly when the call is
/// taken, and never when it is refused, which is written down here.
pub(crate) async fn respond(
    world: &World,
    request: &HttpRequest,
    call: Call,
    accept: impl FnOnce(Call, Option<&Fault>) -> Answer,
) -> HttpResponse {
    let followed = request.query_string().contains(REDIRECTED);
    let fault = if followed {
        None
    } else {
        world.faults.pick(&call)
    };
    let quotes = call.request.get("reply_to").is_some();
    let fault = fault.filter(|fault| quotes || *fault != Fault::QuoteNotFound {});
    let Some(fault) = fault else {
        return accept(call, None).into();
    };
    let provider = call.provider;
    let answer = if fault.accepts() {
        accept(call, Some(&fault))
    } else {
        world
            .journal
            .refuse(call, fault.refusal(), Some(fault.kind()));
        errors::answer(provider, 500, None, None)
    };
    act(world, request, provider, fault, answer).await
}

/// `answer` is the documented one of a call that was taken, else the provider's error 500.
async fn act(
    world: &World,
    request: &HttpRequest,
    provider: Provider,
    fault: Fault,
    answer: Answer,
) -> HttpResponse {
    match fault {
        Fault::Error {
            status,
            code,
            message,
        } => errors::answer(provider, status, code, message).into(),
        Fault::RateLimited { retry_after_secs } => {
            let answer = errors::rate_limited(provider);
            match retry_after_secs {
                Some(seconds) => answer.header("retry-after", seconds.to_string()).into(),
                None => answer.into(),
            }
        }
        Fault::QuoteNotFound {} => {
            let words = "Could not get the quoted message.".to_owned();
            errors::answer(provider, 500, None, Some(words)).into()
        }
        Fault::ServerError { status, body, .. } => error_body(provider, status, body).into(),
        Fault::EmptyBody { .. } => answer.head().finish(),
        Fault::WrongTypes {} => wrong_types(&answer).into(),
        Fault::WrongStatus { status } => Answer { status, ..answer }.into(),
        Fault::Redirect { status, location } => {
            let location = location.unwrap_or_else(|| format!("{}?{REDIRECTED}", request.path()));
            Answer::new(status, "text/html", "")
                .header("location", location)
                .into()
        }
        Fault::HugeBody { bytes, .. } => answer
            .head()
            .body(SizedStream::new(bytes, huge_body(bytes))),
        Fault::Delay { ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            answer.into()
        }
        Fault::Timeout { .. } => {
            world.stopping().await;
            reset(request, &answer, 0)
        }
        Fault::Reset { .. } => reset(request, &answer, 0),
        Fault::ResetMidBody { after_bytes, .. } => reset(request, &answer, after_bytes),
        Fault::Stall { after_bytes, .. } => stall(world, &answer, after_bytes),
        Fault::Stale { .. }
        | Fault::EventTwice {}
        | Fault::EventLost {}
        | Fault::OldServer {}
        | Fault::Delivery(_) => answer.into(),
    }
}

fn error_body(provider: Provider, status: u16, body: ErrorBody) -> Answer {
    match body {
        ErrorBody::Json => errors::answer(provider, status, None, None),
        ErrorBody::Html => Answer::new(
            status,
            "text/html",
            format!(
                "<html><head><title>{status}</title></head>\
                 <body><center><h1>{status}</h1></center><hr></body></html>\n"
            ),
        ),
        ErrorBody::Empty => Answer::new(status, "text/plain", ""),
    }
}

/// The same JSON with other types: what was a text is a number, and so on.
fn wrong_types(answer: &Answer) -> Answer {
    let twist = |value: Value| match value {
        Value::Null => json!([]),
        Value::Bool(flag) => json!(if flag { "yes" } else { "no" }),
        Value::Number(number) => json!(number.to_string()),
        Value::String(text) => json!(text.len()),
        Value::Array(_) => json!({}),
        Value::Object(_) => json!("object"),
    };
    let twisted = match serde_json::from_slice(&answer.body) {
        Ok(Value::Object(fields)) => fields
            .into_iter()
            .map(|(name, value)| (name, twist(value)))
            .collect(),
        Ok(other) => twist(other),
        Err(_) => json!(0),
    };
    let body = twisted.to_string().into();
    Answer {
        body,
        ..answer.clone()
    }
}

/// The first bytes of the answer, then a reset. None of it, not even a status, when `bytes` is 0.
fn reset(request: &HttpRequest, answer: &Answer, bytes: usize) -> HttpResponse {
    let prepared = request
        .conn_data::<Connection>()
        .map(Connection::reset_on_close);
    if !matches!(prepared, Some(Ok(()))) {
        tracing::warn!("a connection will be closed instead of reset");
    }
    let start = beginning(answer, bytes);
    let nothing_sent = start.is_empty();
    let cut = stream::once(async move {
        if !nothing_sent {
            tokio::time::sleep(FLUSH).await;
        }
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    unfinished(answer, start, cut)
}

fn stall(world: &World, answer: &Answer, bytes: usize) -> HttpResponse {
    let stopping = world.stopping();
    let silence = stream::once(async move {
        stopping.await;
        Err(io::Error::from(io::ErrorKind::TimedOut))
    });
    unfinished(answer, beginning(answer, bytes), silence)
}

fn unfinished(
    answer: &Answer,
    start: Bytes,
    end: impl Stream<Item = io::Result<Bytes>> + 'static,
) -> HttpResponse {
    let promised = answer.body.len().max(start.len() + 1) as u64;
    let start = stream::iter((!start.is_empty()).then_some(Ok(start)));
    answer
        .head()
        .body(SizedStream::new(promised, Box::pin(start.chain(end))))
}

fn beginning(answer: &Answer, bytes: usize) -> Bytes {
    let body = &answer.body;
    body.slice(..bytes.min(body.len().saturating_sub(1)))
}

/// One JSON string that goes on and on.
fn huge_body(bytes: u64) -> impl Stream<Item = io::Result<Bytes>> {
    const CHUNK: u64 = 64 * 1024;
    let opening = b"{\"filler\":\"";
    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
    stream::unfold(0_u64, move |sent| {
        let filler = chunk.clone();
        async move {
            let left = bytes - sent;
            let piece = if sent == 0 {
                Bytes::from_static(opening)
            } else {
                filler
            };
            let length = left.min(CHUNK).min(piece.len() as u64);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            (left > 0).then(|| (Ok(piece.slice(..length)), sent + length as u64))
        }
    })
}
