//! Takes spans to the collector, on a thread of its own. Nothing in the service waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData,
};
use tokio::runtime::{Builder, Runtime};

use crate::RuntimeConfig;

/// How long a collector may take for a batch.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn provider(
    endpoint: &str,
    config: &RuntimeConfig,
    service: &'static str,
) -> Result<SdkTracerProvider, ExportError> {
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(opentelemetry::KeyValue::new(
            "service.version",
            env!("CARGO_PKG_VERSION"),
        ));
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_share)));
    let batches = BatchConfigBuilder::default()
        .with_scheduled_delay(Duration::from_millis(config.trace_delay_ms));
    let processor = BatchSpanProcessor::builder(exporter(endpoint)?)
        .with_batch_config(batches.build())
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_resource(resource.build())
        .with_sampler(sampler);
    Ok(provider.build())
}

/// The exporter cannot be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error("HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("exporter: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    #[error("runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

fn exporter(endpoint: &str) -> Result<Exporter, ExportError> {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none());
    let inner = SpanExporter::builder()
        .with_http()
        .with_http_client(client.build()?)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .with_timeout(PATIENCE);
    Ok(Exporter {
        inner: inner.build()?,
        runtime: Builder::new_current_thread().enable_all().build()?,
        away: AtomicBool::new(false),
    })
}

/// Exports over HTTP, and says once when the collector is away.
#[derive(Debug)]
struct Exporter {
    inner: SpanExporter,
    /// The thread that exports is none of the service's runtime, and the HTTP client needs one.
    runtime: Runtime,
    away: AtomicBool,
}

impl opentelemetry_sdk::trace::SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exported = self.runtime.block_on(self.inner.export(batch));
        if exported.is_err() && !self.away.swap(true, Ordering::Relaxed) {
            tracing::warn!("the collector of traces takes nothing; spans are dropped from now on");
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
