//! `POST /webhooks/twilio/whatsapp`, `POST /webhooks/twilio/status` and `POST /webhooks/twilio/events`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde_json::{Map, Value};
use shared_types::Source;

use super::endpoint::Disbelief;
use super::{Endpoint, Refusals};
use crate::event::{Reading, Rejection};
use crate::metrics::WebhookStatus;
use crate::reply;
use crate::request::{Head, Webhook};
use crate::twilio::{
    Params, Refusal, SignedBody, SignedRequest, are_ambiguous, read_events, read_message,
    read_status, replay_mark, verify, with_path,
};

const SOURCE: Source = Source::Twilio;
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// A message from a customer.
#[utoipa::path(
    post,
    path = "/webhooks/twilio/whatsapp",
    request_body(content_type = "application/x-www-form-urlencoded", content = String,
        description = "Twilio's parameters of an inbound WhatsApp message"),
    params(("X-Twilio-Signature" = String, Header, description = "HMAC-SHA1 over URL and parameters, base64")),
    responses(
        (status = 200, description = "Taken in, or known already: empty TwiML", content_type = "text/xml", body = String),
        (status = 415, description = "Neither a form nor JSON", body = reply::ErrorBody),
        (status = 503, description = "Redis is away and there is no room on disk", body = reply::ErrorBody),
        Refusals
    ),
    tag = "webhooks"
)]
pub(crate) async fn whatsapp(
    request: HttpRequest,
    payload: Payload,
    endpoint: Data<Endpoint>,
) -> HttpResponse {
    let read = |params: &Params<'_>, _: &str| read_message(params, Timestamp::now());
    let answer = Box::pin(handle(request, payload, &endpoint, reply::twiml, read));
    endpoint
        .counted(SOURCE, "/webhooks/twilio/whatsapp", answer)
        .await
}

/// A report of how far a message of ours got.
#[utoipa::path(
    post,
    path = "/webhooks/twilio/status",
    request_body(content_type = "application/x-www-form-urlencoded", content = String,
        description = "Twilio's parameters of a status callback"),
    params(
        ("X-Twilio-Signature" = String, Header, description = "HMAC-SHA1 over URL and parameters, base64"),
        ("oid" = Option<String>, Query, description = "Our id of the message; part of the signed URL"),
    ),
    responses(
        (status = 204, description = "Taken in, or known already"),
        (status = 415, description = "Neither a form nor JSON", body = reply::ErrorBody),
        (status = 503, description = "Redis is away and there is no room on disk", body = reply::ErrorBody),
        Refusals
    ),
    tag = "webhooks"
)]
pub(crate) async fn status(
    request: HttpRequest,
    payload: Payload,
    endpoint: Data<Endpoint>,
) -> HttpResponse {
    let read = |params: &Params<'_>, query: &str| read_status(params, query, Timestamp::now());
    let answer = Box::pin(handle(request, payload, &endpoint, reply::empty, read));
    endpoint
        .counted(SOURCE, "/webhooks/twilio/status", answer)
        .await
}

/// What happened to messages of the account, by whomever they were sent: those that are not ours are looked up.
#[utoipa::path(
    post,
    path = "/webhooks/twilio/events",
    request_body(content_type = "application/json", content = String,
        description = "An array of CloudEvents of Twilio's Event Streams"),
    params(
        ("X-Twilio-Signature" = String, Header, description = "HMAC-SHA1 over the URL, base64"),
        ("bodySHA256" = String, Query, description = "The hash of the body; part of the signed URL"),
    ),
    responses(
        (status = 204, description = "Noted; what is no message that went out is passed over"),
        (status = 415, description = "Neither a form nor JSON", body = reply::ErrorBody),
        (status = 503, description = "Too many messages wait to be looked up", body = reply::ErrorBody),
        Refusals
    ),
    tag = "webhooks"
)]
pub(crate) async fn events(
    request: HttpRequest,
    payload: Payload,
    endpoint: Data<Endpoint>,
) -> HttpResponse {
    let noted = endpoint.clone();
    let answer = Box::pin(async move { note_events(request, payload, &noted).await });
    endpoint
        .counted(SOURCE, "/webhooks/twilio/events", answer)
        .await
}

async fn note_events(request: HttpRequest, payload: Payload, endpoint: &Endpoint) -> HttpResponse {
    let webhook = match read_signed(request, payload, endpoint).await {
        Ok(webhook) => webhook,
        Err(answer) => return answer,
    };
    if let Err(answer) = believed(&webhook, endpoint) {
        return *answer;
    }
    let account = endpoint.config.twilio.twilio_account_sid.as_deref();
    let reports = match read_events(&webhook.body, account, Timestamp::now()) {
        Ok(reports) => reports,
        Err(rejection) => {
            let (status, text) = (StatusCode::BAD_REQUEST, &rejection.message);
            return endpoint.unreadable(&webhook, SOURCE, status, rejection.code, text);
        }
    };
    if reports.iter().all(|report| endpoint.intake.note(report)) {
        endpoint
            .intake
            .metrics
            .webhook(SOURCE, WebhookStatus::Queued);
        return reply::empty(&webhook.id);
    }
    let text = "too many messages wait to be looked up; Twilio repeats the events";
    let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, "unavailable");
    endpoint.unreadable(&webhook, SOURCE, status, code, text)
}

async fn handle(
    request: HttpRequest,
    payload: Payload,
    endpoint: &Endpoint,
    done: impl FnOnce(&str) -> HttpResponse,
    read: impl FnOnce(&Params<'_>, &str) -> Reading,
) -> HttpResponse {
    let mut webhook = match read_signed(request, payload, endpoint).await {
        Ok(webhook) => webhook,
        Err(answer) => return answer,
    };
    let (body, mark) = match believed(&webhook, endpoint) {
        Ok(believed) => believed,
        Err(answer) => return *answer,
    };
    let reading = match body.params() {
        Ok(params) if !endpoint.is_own_account(&params) => {
            let text = "the webhook belongs to another Twilio account than TWILIO_ACCOUNT_SID";
            match endpoint.refused(&webhook, SOURCE, "account", text) {
                Some(answer) => return answer,
                None => read(&params, webhook.query()),
            }
        }
        Ok(params) if are_ambiguous(&params) => Reading::Rejected(Rejection::new(
            "ambiguous_parameter",
            "a parameter's name could be a part of another name or value, which the signature \
             does not tell apart",
        )),
        Ok(params) => read(&params, webhook.query()),
        Err(rejection) => Reading::Rejected(rejection),
    };
    webhook.replay_mark = Some(mark);
    endpoint
        .take(
            &webhook,
            SOURCE,
            reading,
            done,
            StatusCode::SERVICE_UNAVAILABLE,
        )
        .await
}

/// Reads a request that has a signature, or gives the answer.
async fn read_signed(
    request: HttpRequest,
    payload: Payload,
    endpoint: &Endpoint,
) -> Result<Webhook, HttpResponse> {
    let is_signed = |head: &Head| match endpoint.has_signature(head, &["x-twilio-signature"]) {
        true => Ok(()),
        false => Err(disbelief(Refusal::Missing)),
    };
    endpoint.read(SOURCE, request, payload, is_signed).await
}

/// The body of a genuine request and the mark of what was signed, or the answer.
fn believed<'a>(
    webhook: &'a Webhook,
    endpoint: &Endpoint,
) -> Result<(Body<'a>, String), Box<HttpResponse>> {
    let body = Body::of(webhook).map_err(|(status, code, message)| {
        Box::new(endpoint.unreadable(webhook, SOURCE, status, code, message))
    })?;
    let url = with_path(&endpoint.base_url, webhook.path_and_query());
    let signed = SignedRequest {
        url: &url,
        body: body.signed(webhook),
        signature: webhook.header("x-twilio-signature"),
        settings: webhook.header("x-twilio-webhooks-signature-settings"),
    };
    match verify(&signed, &endpoint.twilio_keys) {
        Ok(()) => webhook.verified(),
        Err(refusal) => {
            let (reason, likely_cause) = disbelief(refusal);
            if let Some(answer) = endpoint.refused(webhook, SOURCE, reason, &likely_cause) {
                return Err(Box::new(answer));
            }
        }
    }
    let mark = replay_mark(&signed);
    Ok((body, mark))
}

fn disbelief(refusal: Refusal) -> Disbelief {
    (refusal.name(), refusal.to_string())
}

/// A body in one of the two encodings that Twilio signs.
enum Body<'a> {
    Form(Params<'a>),
    Json(&'a [u8]),
}

type Unreadable = (StatusCode, &'static str, &'static str);

impl<'a> Body<'a> {
    fn of(webhook: &'a Webhook) -> Result<Self, Unreadable> {
        match webhook.media_type().as_str() {
            JSON => Ok(Self::Json(&webhook.body)),
            FORM => Params::parse(&webhook.body).map(Self::Form).ok_or((
                StatusCode::BAD_REQUEST,
                "too_many_parameters",
                "the body has more than 1,000 parameters",
            )),
            "" if webhook.body.is_empty() => Ok(Self::Form(Params::default())),
            _ => Err((
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Twilio sends application/x-www-form-urlencoded",
            )),
        }
    }

    fn signed(&self, webhook: &'a Webhook) -> SignedBody<'_> {
        match self {
            Self::Form(params) => SignedBody::Form(params),
            Self::Json(_) => SignedBody::Raw(&webhook.body),
        }
    }

    fn params(self) -> Result<Params<'a>, Rejection> {
        match self {
            Self::Form(params) => Ok(params),
            Self::Json(bytes) => match serde_json::from_slice::<Map<String, Value>>(bytes) {
                Ok(object) => Ok(Params::from_json(&object)),
                Err(_) => Err(Rejection::new(
                    "malformed_json",
                    "the body is not a JSON object",
                )),
            },
        }
    }
}
