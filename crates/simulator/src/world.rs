use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address;
use crate::answer::Answer;
use crate::chatwoot::ChatwootState;
use crate::chatwoot::api_inbox::ApiInbox;
use crate::clock::Clock;
use crate::config::SimulatorConfig;
use crate::delivery::DeliveryPlan;
use crate::desk::Desk;
use crate::faults::Faults;
use crate::journal::{Call, Journal};
use crate::llm::LlmRules;
use crate::media::MediaStore;
use crate::supervisor::Supervisor;
use crate::traces::Traces;
use crate::waha::WahaState;
use crate::webhook::{Webhook, WebhookClient};

/// Everything that a running simulator knows, shared by all its requests.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: SimulatorConfig,
    /// Where the simulator can be reached.
    pub(crate) url: String,
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) llm: LlmRules,
    pub(crate) waha: WahaState,
    pub(crate) chatwoot: ChatwootState,
    pub(crate) api_inbox: ApiInbox,
    pub(crate) media: MediaStore,
    pub(crate) webhooks: WebhookClient,
    pub(crate) traces: Traces,
    pub(crate) desk: Desk,
    pub(crate) supervisor: Supervisor,
    deliveries: Mutex<DeliveryPlan>,
    background: Background,
}

/// Work that outlives the request that caused it.
#[derive(Debug)]
struct Background {
    runtime: Handle,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Cancelled by a reset, so that nothing of an earlier test arrives in a later one.
    round: Mutex<CancellationToken>,
    /// Notices posted at the same time: enough to keep up, too few to drown an ingress.
    permits: Semaphore,
}

impl World {
    const MAX_NOTICES: usize = 128;

    pub(crate) fn new(
        config: SimulatorConfig,
        url: String,
        stop: CancellationToken,
        runtime: Handle,
    ) -> anyhow::Result<Self> {
        let clock = Clock::start();
        let entries = usize::try_from(config.journal_entries)?;
        let plan = default_plan(&config);
        Ok(Self {
            url,
            clock,
            journal: Journal::new(entries, config.journal_bytes, clock),
            faults: Faults::default(),
            llm: LlmRules::default(),
            waha: WahaState::new(&config.waha.session),
            chatwoot: ChatwootState::default(),
            api_inbox: ApiInbox::default(),
            media: MediaStore::default(),
            webhooks: WebhookClient::new()?,
            traces: Traces::default(),
            desk: Desk::default(),
            supervisor: Supervisor::default(),
            deliveries: Mutex::new(plan),
            background: Background {
                runtime,
                tasks: TaskTracker::new(),
                round: Mutex::new(stop.child_token()),
                stop,
                permits: Semaphore::new(Self::MAX_NOTICES),
            },
            config,
        })
    }

    /// Forgets everything that happened and every order to misbehave.
    pub(crate) fn reset(&self) {
        let next = self.background.stop.child_token();
        std::mem::replace(&mut *lock(&self.background.round), next).cancel();
        self.faults.clear();
        self.llm.clear();
        self.waha.reset();
        self.chatwoot.clear();
        self.api_inbox.clear();
        self.media.clear();
        self.traces.clear();
        self.desk.clear();
        self.set_deliveries(default_plan(&self.config));
        self.journal.clear();
    }

    /// The usual course of delivery.
    pub(crate) fn deliveries(&self) -> DeliveryPlan {
        lock(&self.deliveries).clone()
    }

    pub(crate) fn set_deliveries(&self, plan: DeliveryPlan) {
        *lock(&self.deliveries) = plan;
    }

    /// The course of delivery of this message: what a rule orders, else the usual one.
    pub(crate) fn delivery_plan(&self, call: &Call) -> DeliveryPlan {
        self.faults
            .delivery(call)
            .unwrap_or_else(|| self.deliveries())
    }

    /// Writes down a call that its provider refuses, and answers it.
    pub(crate) fn refuse(&self, call: Call, code: String, answer: Answer) -> HttpResponse {
        self.journal.refuse(call, code, None);
        answer.into()
    }

    /// The chat id of the business on WAHA: the first number of the configuration.
    pub(crate) fn business_chat_id(&self) -> String {
        let number = self.config.twilio.numbers.first();
        address::chat_id(number.map_or("", String::as_str))
    }

    /// Runs work in the background until it ends, the next reset or the stop.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let round = lock(&self.background.round).clone();
        let work = async move {
            round.run_until_cancelled(work).await;
        };
        drop(
            self.background
                .tasks
                .spawn_on(work, &self.background.runtime),
        );
    }

    /// Posts a callback, an ack or an event. What becomes of it is the ingress's business.
    pub(crate) async fn post_notice(&self, webhook: &Webhook) {
        let Ok(_permit) = self.background.permits.acquire().await else {
            return;
        };
        let posted = self.webhooks.post(webhook).await;
        if !posted.is_success() {
            tracing::debug!(
                http.status = posted.status,
                error = posted.error,
                "a notice was not taken"
            );
        }
    }

    pub(crate) fn post_in_background(self: &Arc<Self>, webhook: Webhook) {
        let world = Arc::clone(self);
        self.spawn(async move { world.post_notice(&webhook).await });
    }

    pub(crate) fn token(&self) -> CancellationToken {
        self.background.stop.clone()
    }

    /// Ends when the simulator is told to stop.
    pub(crate) fn stopping(&self) -> impl Future<Output = ()> + 'static {
        self.background.stop.clone().cancelled_owned()
    }

    /// Waits for the work in the background, but not longer than this.
    pub(crate) async fn drain(&self, limit: Duration) {
        self.background.tasks.close();
        if tokio::time::timeout(limit, self.background.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                tasks = self.background.tasks.len(),
                "stopped before all notices were posted"
            );
        }
    }
}

fn default_plan(config: &SimulatorConfig) -> DeliveryPlan {
    DeliveryPlan {
        delay_ms: config.status_delay_ms,
        ..DeliveryPlan::default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
