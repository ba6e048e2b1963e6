//! What the providers' endpoints have in common.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use runtime::traces;
use serde_json::json;
use shared_types::Source;
use tracing::Instrument;

use crate::address_budget::AddressBudget;
use crate::bodies::Bodies;
use crate::config::IngressConfig;
use crate::event::Reading;
use crate::intake::{Intake, Taken};
use crate::lines::LineBudget;
use crate::metrics::WebhookStatus;
use crate::reply;
use crate::request::{Head, Webhook};
use crate::twilio::{Params, TwilioKeys};

/// What a handler works with. One for each thread.
pub(crate) struct Endpoint {
    pub(crate) config: Arc<IngressConfig>,
    pub(crate) base_url: String,
    pub(crate) twilio_keys: TwilioKeys,
    pub(crate) intake: Intake,
    pub(crate) shared: Arc<Shared>,
}

/// What all threads have in common.
pub(crate) struct Shared {
    failures: Mutex<AddressBudget>,
    bodies: Bodies,
    /// About requests of which nothing was verified, by client address.
    unverified_lines: LineBudget,
    /// About genuine webhooks beyond a limit, by conversation.
    limited_lines: LineBudget,
}

impl Shared {
    /// Counts a failed login of a client. Whether it may fail again.
    pub(crate) fn may_fail(&self, head: &Head, now: Instant) -> bool {
        let failures = self.failures.lock();
        let mut failures = failures.unwrap_or_else(PoisonError::into_inner);
        failures.spend(&head.client.address, now).is_ok()
    }

    /// The memory for bodies.
    pub(crate) const fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    /// With the budgets of these settings. At 400 bytes a line, strangers can write 70 MB a day.
    pub(crate) fn new(config: &IngressConfig) -> Self {
        Self {
            failures: Mutex::new(AddressBudget::new(config.failed_signatures())),
            bodies: Bodies::new(config.strangers.body_memory()),
            unverified_lines: LineBudget::new(30, 120),
            limited_lines: LineBudget::new(5, 120),
        }
    }
}

/// Why a request is not believed: a short name and the likely cause.
pub(crate) type Disbelief = (&'static str, String);

/// The id of the request that an answer names.
fn request_of(answer: &HttpResponse) -> Option<&str> {
    answer.headers().get(reply::REQUEST_ID)?.to_str().ok()
}

const RETRY_SOON: Duration = Duration::from_secs(5);

impl Endpoint {
    /// Counts an arrival, times its answer and traces it. `route` is the path's pattern.
    /// The answer's future is boxed once: it is large, and would be copied at every turn.
    pub(crate) async fn counted(
        &self,
        source: Source,
        route: &'static str,
        answer: Pin<Box<impl Future<Output = HttpResponse>>>,
    ) -> HttpResponse {
        let started = Instant::now();
        self.intake.metrics.webhook(source, WebhookStatus::Received);
        let span = traces::server_span("POST", route);
        let response = answer.instrument(span.clone()).await;
        let status = response.status();
        traces::answered(&span, status.as_u16(), status.is_server_error());
        span.in_scope(|| {
            traces::content("answered", || json!({ "request": request_of(&response) }))
        });
        self.intake.metrics.answered(source, started.elapsed());
        response
    }

    /// Whether a Twilio webhook belongs to the account that is configured, where one is.
    pub(crate) fn is_own_account(&self, params: &Params<'_>) -> bool {
        let own = self.config.twilio.twilio_account_sid.as_deref();
        match (own, params.get("AccountSid")) {
            (Some(own), Ok(Some(given))) => own == given,
            (Some(_), Err(_)) => false,
            (None, _) | (_, Ok(None)) => true,
        }
    }

    /// Reads a request whose head gives no reason to refuse it, or gives the answer. Nothing of the
    /// body is read of one that cannot be genuine.
    pub(crate) async fn read(
        &self,
        source: Source,
        request: HttpRequest,
        payload: Payload,
        check: impl FnOnce(&Head) -> Result<(), Disbelief>,
    ) -> Result<Webhook, HttpResponse> {
        let head = Head::of(request, &self.config.strangers);
        if head.client.distrusted {
            self.intake.metrics.distrusted();
            if self.may_say(&head) {
                tracing::warn!(
                    request.id = head.id, %source, client = head.client.address,
                    "a client address in a header is not believed: INGRESS_TRUSTED_PROXIES does \
                     not name the peer that sent it"
                );
            }
        }
        if let Err((reason, likely_cause)) = check(&head)
            && let Some(answer) = self.refused(&head, source, reason, &likely_cause)
        {
            return Err(answer);
        }
        let patience = self.config.strangers.request_patience();
        let read = head
            .read(payload, source, &self.shared.bodies, patience)
            .await;
        read.map_err(|(head, limit)| {
            let (status, code, message) = limit.answer();
            self.unreadable(&head, source, status, code, message)
        })
    }

    /// Whether a request has what a signature needs, each header once. Observe mode leaves that to
    /// the verification, which counts it.
    pub(crate) fn has_signature(&self, head: &Head, headers: &[&str]) -> bool {
        let given = |name: &&str| head.header(name).is_some();
        self.config.limits.observe_only || headers.iter().all(given)
    }

    /// Answers a request that nothing could be verified of.
    pub(crate) fn unreadable(
        &self,
        head: &Head,
        source: Source,
        status: StatusCode,
        code: &str,
        message: &str,
    ) -> HttpResponse {
        self.intake.metrics.webhook(source, WebhookStatus::Invalid);
        if self.may_say(head) {
            tracing::warn!(
                request.id = head.id, %source, code, client = head.client.address,
                "webhook refused: {message}"
            );
        }
        reply::error(status, &head.id, code, message)
    }

    /// Whether there may be one more line about an unverified request of this client.
    fn may_say(&self, head: &Head) -> bool {
        let may = self.shared.unverified_lines.spend(&head.client.address);
        if !may {
            self.intake.metrics.line_dropped("unverified");
        }
        may
    }

    /// A signature is missing or wrong. Gives the answer, or none in observe mode.
    pub(crate) fn refused(
        &self,
        head: &Head,
        source: Source,
        reason: &'static str,
        likely_cause: &str,
    ) -> Option<HttpResponse> {
        self.intake.metrics.signature_error(source);
        if self.config.limits.observe_only {
            if self.may_say(head) {
                tracing::warn!(
                    request.id = head.id, %source, reason,
                    "observe mode lets a webhook through that would be refused: {likely_cause}"
                );
            }
            return None;
        }
        let failures = self.shared.failures.lock();
        let spent = failures
            .unwrap_or_else(PoisonError::into_inner)
            .spend(&head.client.address, Instant::now());
        if let Err(retry_after) = spent {
            self.intake
                .metrics
                .webhook(source, WebhookStatus::RateLimited);
            return Some(reply::error_for_now(
                StatusCode::TOO_MANY_REQUESTS,
                &head.id,
                "too_many_failed_signatures",
                "too many requests with a bad signature",
                retry_after,
            ));
        }
        if self.may_say(head) {
            tracing::warn!(
                request.id = head.id, %source, reason,
                client = head.client.address, "webhook refused: {likely_cause}"
            );
        }
        let text = "the signature is missing or wrong";
        Some(reply::error(
            StatusCode::FORBIDDEN,
            &head.id,
            "invalid_signature",
            text,
        ))
    }

    /// Takes in what was read and answers. `done` is the provider's idea of success;
    /// `unavailable` is the status on which it tries again.
    pub(crate) async fn take(
        &self,
        webhook: &Webhook,
        source: Source,
        reading: Reading,
        done: impl FnOnce(&str) -> HttpResponse,
        unavailable: StatusCode,
    ) -> HttpResponse {
        match self.intake.take(webhook, source, reading).await {
            Taken::Done => done(&webhook.id),
            Taken::Rejected(rejection) => {
                let stale = rejection.code == "stale_timestamp";
                let status = if stale {
                    StatusCode::FORBIDDEN
                } else {
                    StatusCode::BAD_REQUEST
                };
                reply::error(status, &webhook.id, rejection.code, rejection.message)
            }
            Taken::RateLimited { whom, retry_after } => {
                if self.shared.limited_lines.spend(&whom) {
                    tracing::warn!(
                        request.id = webhook.id, %source,
                        conversation = whom,
                        "rate limit exceeded by a genuine webhook"
                    );
                } else {
                    self.intake.metrics.line_dropped("limited");
                }
                reply::error_for_now(
                    StatusCode::TOO_MANY_REQUESTS,
                    &webhook.id,
                    "rate_limited",
                    "too many messages of this conversation, or of all together",
                    retry_after,
                )
            }
            Taken::Unavailable => reply::error_for_now(
                unavailable,
                &webhook.id,
                "unavailable",
                "the message cannot be taken in right now",
                RETRY_SOON,
            ),
        }
    }
}
