use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Service as _;
use actix_web::web::{Data, JsonConfig, PayloadConfig, QueryConfig};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Context as _;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::SimulatorConfig;
use crate::faults::remember_connection;
use crate::handle::SimulatorHandle;
use crate::world::World;
use crate::{chatwoot, control, errors, health, llm, origin, page, traces, twilio, waha};

/// A simulator that is about to run.
#[derive(Debug)]
pub struct Simulator {
    config: SimulatorConfig,
    listener: TcpListener,
    stop: CancellationToken,
}

impl Simulator {
    /// Largest request: a customer's attachments come as base64 inside JSON.
    const MAX_REQUEST: usize = 32 * 1024 * 1024;
    /// Whole seconds that open requests get to end after the stop.
    const DRAIN_SECS: u64 = 2;

    /// A simulator on this listener, until `stop` is cancelled.
    pub fn new(config: SimulatorConfig, listener: TcpListener, stop: CancellationToken) -> Self {
        Self {
            config,
            listener,
            stop,
        }
    }

    /// Starts to serve on threads of its own, and returns at once. To be called within a Tokio
    /// runtime, which then runs the work in the background.
    ///
    /// # Errors
    ///
    /// When the configuration is bad, the listener cannot be used or TLS is not available.
    pub fn start(self) -> anyhow::Result<SimulatorHandle> {
        self.config.validate().map_err(anyhow::Error::msg)?;
        let address = self
            .listener
            .local_addr()
            .context("the listener is unusable")?;
        let threads = usize::from(self.config.threads);
        let url = match &self.config.simulator_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => local_url(address),
        };
        let url_of_ours = url.clone();
        let world = World::new(self.config, url, self.stop.clone(), Handle::current())?;
        let data = Data::new(world);
        let world = data.clone().into_inner();
        let own_names = own_names(&url_of_ours);
        let server = HttpServer::new(move || {
            let own_names = own_names.clone();
            App::new()
                .wrap_fn(move |request, service| {
                    let answer = if origin::is_welcome(request.headers(), &own_names) {
                        Ok(service.call(request))
                    } else {
                        Err(request)
                    };
                    async move {
                        match answer {
                            Ok(answer) => answer.await,
                            Err(request) => {
                                let refusal = HttpResponse::from(errors::foreign_page());
                                Ok(request.into_response(refusal))
                            }
                        }
                    }
                })
                .app_data(data.clone())
                .app_data(PayloadConfig::new(Self::MAX_REQUEST))
                .app_data(json_config())
                .app_data(QueryConfig::default().error_handler(control::unreadable))
                .configure(health::routes)
                .configure(control::routes)
                .configure(page::routes)
                .configure(traces::routes)
                .configure(twilio::routes)
                .configure(chatwoot::routes)
                .configure(waha::routes)
                .configure(llm::routes)
                .default_service(actix_web::web::to(|| async {
                    HttpResponse::from(errors::unknown_path())
                }))
        })
        .on_connect(remember_connection)
        .workers(threads)
        .shutdown_timeout(Self::DRAIN_SECS)
        .disable_signals()
        .shutdown_signal(self.stop.cancelled_owned())
        .listen(self.listener)
        .context("cannot listen")?
        .run();
        let tasks = TaskTracker::new();
        let running = tasks.spawn(server);
        Ok(SimulatorHandle::new(world, address, running))
    }

    /// Waits until the server has ended, then for what is left in the background.
    pub(crate) async fn ended(
        world: &World,
        running: JoinHandle<std::io::Result<()>>,
    ) -> anyhow::Result<()> {
        running.await.context("the server panicked")??;
        world.drain(Duration::from_secs(Self::DRAIN_SECS)).await;
        Ok(())
    }
}

/// The host of our own URL, which a proxy may lead here.
fn own_names(url: &str) -> Vec<String> {
    let host = reqwest::Url::parse(url).ok();
    let host = host.as_ref().and_then(|url| url.host_str());
    host.map(str::to_owned).into_iter().collect()
}

fn json_config() -> JsonConfig {
    JsonConfig::default()
        .limit(Simulator::MAX_REQUEST)
        .error_handler(control::unreadable)
}

/// How this machine reaches the listener.
fn local_url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}
