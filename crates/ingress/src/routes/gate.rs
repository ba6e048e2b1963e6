//! What the providers' endpoints have in common.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use runtime::traces;
use shared_types::Source;
use tracing::Instrument;

use crate::config::IngressConfig;
use crate::event::Reading;
use crate::failure_budget::FailureBudget;
use crate::intake::{Intake, Taken};
use crate::metrics::WebhookStatus;
use crate::reply;
use crate::request::Webhook;
use crate::twilio::{Params, TwilioKeys};

/// What a handler works with. One for each thread.
pub(crate) struct Gate {
    pub(crate) config: Arc<IngressConfig>,
    pub(crate) base_url: String,
    pub(crate) twilio_keys: TwilioKeys,
    pub(crate) intake: Intake,
    pub(crate) failures: Arc<Mutex<FailureBudget>>,
}

const RETRY_SOON: Duration = Duration::from_secs(5);

impl Gate {
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

    /// Reads a request, or counts and gives the answer to one that breaks the limits.
    pub(crate) async fn read(
        &self,
        source: Source,
        request: HttpRequest,
        payload: Payload,
    ) -> Result<Webhook, HttpResponse> {
        let read = Webhook::read(request, payload, source, &self.config.limits).await;
        read.map_err(|limit| {
            self.intake.metrics.webhook(source, WebhookStatus::Invalid);
            let (status, code, message) = limit.answer();
            tracing::warn!(request.id = limit.request_id, %source, code, "webhook refused: {message}");
            reply::error(status, &limit.request_id, code, message)
        })
    }

    /// Answers a request that nothing could be verified of.
    pub(crate) fn unreadable(
        &self,
        webhook: &Webhook,
        source: Source,
        status: StatusCode,
        code: &str,
        message: &str,
    ) -> HttpResponse {
        self.intake.metrics.webhook(source, WebhookStatus::Invalid);
        tracing::warn!(request.id = webhook.id, %source, code, "webhook refused: {message}");
        reply::error(status, &webhook.id, code, message)
    }

    /// A signature is missing or wrong. Gives the answer, or none in observe mode.
    pub(crate) fn refused(
        &self,
        webhook: &Webhook,
        source: Source,
        reason: &'static str,
        likely_cause: &str,
    ) -> Option<HttpResponse> {
        self.intake.metrics.signature_error(source);
        if self.config.limits.observe_only {
            tracing::warn!(
                request.id = webhook.id, %source, reason,
                "observe mode lets a webhook through that would be refused: {likely_cause}"
            );
            return None;
        }
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(retry_after) = failures.spend(&webhook.client, Instant::now()) {
            self.intake
                .metrics
                .webhook(source, WebhookStatus::RateLimited);
            return Some(reply::error_for_now(
                StatusCode::TOO_MANY_REQUESTS,
                &webhook.id,
                "too_many_failed_signatures",
                "too many requests with a bad signature",
                retry_after,
            ));
        }
        drop(failures);
        tracing::warn!(
            request.id = webhook.id, %source, reason,
            client = webhook.client, "webhook refused: {likely_cause}"
        );
        let text = "the signature is missing or wrong";
        Some(reply::error(
            StatusCode::FORBIDDEN,
            &webhook.id,
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
            Taken::RateLimited { retry_after } => {
                tracing::warn!(
                    request.id = webhook.id, %source, client = webhook.client,
                    "rate limit exceeded by a genuine webhook"
                );
                reply::error_for_now(
                    StatusCode::TOO_MANY_REQUESTS,
                    &webhook.id,
                    "rate_limited",
                    "too many requests from this address",
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
