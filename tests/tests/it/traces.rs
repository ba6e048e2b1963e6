//! What a collector gets of one message, from the webhook to the status callback.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use e2e_tests::{Role, Settings, System, SystemBuilder};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use test_support::{eventually, free_port};
use tokio::task::JoinSet;

use crate::support::{answers, write};

const TEXT: &str = "Ik zoek een Volkswagen Golf";

/// A span, with the name of its service.
#[derive(Debug, Clone)]
struct Span {
    service: String,
    data: opentelemetry_proto::tonic::trace::v1::Span,
}

impl Span {
    fn attribute(&self, name: &str) -> Option<String> {
        let attribute = self.data.attributes.iter().find(|pair| pair.key == name)?;
        match attribute.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text.clone()),
            Value::IntValue(number) => Some(number.to_string()),
            other => panic!("{name} is {other:?}"),
        }
    }

    fn is(&self, service: &str, name: &str, kind: SpanKind) -> bool {
        let data = &self.data;
        (self.service.as_str(), data.name.as_str(), data.kind) == (service, name, kind as i32)
    }
}

type Spans = Arc<Mutex<Vec<Span>>>;

/// Takes OTLP over HTTP as long as it lives.
struct Collector {
    url: String,
    spans: Spans,
    _server: JoinSet<std::io::Result<()>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spans = Spans::default();
        let data = Data::new(spans.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/v1/traces", web::post().to(collect))
        });
        let server = server
            .workers(1)
            .disable_signals()
            .listen(listener)
            .unwrap();
        let mut running = JoinSet::new();
        running.spawn(server.run());
        Self {
            url,
            spans,
            _server: running,
        }
    }

    /// Every span, once there are as many.
    async fn until(&self, count: usize) -> Vec<Span> {
        eventually(async || {
            let spans = self.spans.lock().unwrap();
            if spans.len() >= count {
                return Ok(());
            }
            let seen = spans
                .iter()
                .map(|span| (span.service.clone(), span.data.name.clone()));
            Err(seen.collect::<Vec<_>>())
        })
        .await;
        self.spans.lock().unwrap().clone()
    }
}

async fn collect(body: Bytes, spans: Data<Spans>) -> HttpResponse {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut all = spans.lock().unwrap();
    for resource in request.resource_spans {
        let attributes = resource.resource.unwrap_or_default().attributes;
        let name = attributes
            .into_iter()
            .find(|pair| pair.key == "service.name");
        let service = match name.unwrap().value.unwrap().value.unwrap() {
            Value::StringValue(name) => name,
            other => panic!("service.name is {other:?}"),
        };
        let data = resource
            .scope_spans
            .into_iter()
            .flat_map(|scope| scope.spans);
        all.extend(data.map(|data| Span {
            service: service.clone(),
            data,
        }));
    }
    HttpResponse::Ok().finish()
}

/// A system whose services send their spans to this address at once.
async fn traced(collector: &str, settings: Settings) -> System {
    let mut system = SystemBuilder::new(settings).prepare();
    for role in [Role::Ingress, Role::Worker, Role::Egress] {
        let settings = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        system.service(role, 0).set(settings);
    }
    for role in [Role::Simulator, Role::Ingress, Role::Worker, Role::Egress] {
        system.start(role).await;
    }
    system.simulator().deliver(&["delivered"], 0).await;
    system
}

fn is_report(span: &Span) -> bool {
    span.attribute("postduif.entry.kind").as_deref() == Some("delivery")
}

/// The only span of a trace that looks like this.
fn only(trace: &[Span], is: impl Fn(&Span) -> bool) -> &Span {
    let found: Vec<_> = trace.iter().filter(|span| is(span)).collect();
    assert_eq!(found.len(), 1, "{trace:#?}");
    found[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_is_one_trace_over_three_services() {
    let collector = Collector::start();
    let system = traced(&collector.url, Settings::default()).await;
    write(&system, TEXT).await;
    // Two webhooks, a turn of four agents, a send, its request, a report.
    let spans = collector.until(10).await;

    let callback = only(&spans, |span| {
        span.is("ingress", "POST /webhooks/twilio/status", SpanKind::Server)
    });
    let webhook = only(&spans, |span| {
        span.is(
            "ingress",
            "POST /webhooks/twilio/whatsapp",
            SpanKind::Server,
        )
    });
    assert!(webhook.data.parent_span_id.is_empty());
    let of_trace = |span: &&Span| span.data.trace_id == webhook.data.trace_id;
    let trace: Vec<_> = spans.iter().filter(of_trace).cloned().collect();

    let turn = only(&trace, |span| {
        span.is("worker", "process inbound", SpanKind::Consumer)
    });
    assert_eq!(turn.data.parent_span_id, webhook.data.span_id);
    let agents = trace
        .iter()
        .filter(|span| span.data.parent_span_id == turn.data.span_id);
    let agents: Vec<_> = agents
        .filter_map(|span| span.attribute("gen_ai.agent.name"))
        .collect();
    assert_eq!(agents, ["router", "extraction", "conversation", "crm"]);
    let send = only(&trace, |span| {
        span.is("egress", "process outbound", SpanKind::Consumer) && !is_report(span)
    });
    assert_eq!(send.data.parent_span_id, turn.data.span_id);
    let request = only(&trace, |span| span.is("egress", "POST", SpanKind::Client));
    assert_eq!(request.data.parent_span_id, send.data.span_id);
    assert_eq!(
        request.attribute("http.response.status_code").as_deref(),
        Some("201")
    );
    let report = only(&trace, is_report);
    assert_eq!(report.data.parent_span_id, send.data.span_id);
    assert_eq!(report.data.links[0].trace_id, callback.data.trace_id);

    assert_eq!(
        webhook.attribute("http.response.status_code").as_deref(),
        Some("200")
    );
    for consumer in [turn, send, report] {
        assert_eq!(
            consumer.attribute("messaging.system").as_deref(),
            Some("redis")
        );
        let operation = consumer.attribute("messaging.operation.name");
        assert_eq!(operation.as_deref(), Some("process"));
    }
    let shown = format!("{spans:?}");
    for private in ["31612345678", "Volkswagen", "AC0000000"] {
        assert!(!shown.contains(private), "{private} is in a span");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sample_nothing_is_collected_and_everything_works() {
    let collector = Collector::start();
    let mut system = traced(&collector.url, Settings::default()).await;
    let ingress = system.service(Role::Ingress, 0);
    assert_eq!(ingress.terminate().await, Some(0));
    ingress.set([("OTEL_TRACES_SAMPLER_ARG".to_owned(), "0".to_owned())]);
    system.start(Role::Ingress).await;
    // Where a trace begins is decided whether it is kept; the others do as ingress says.
    system.simulator().deliver(&[], 0).await;
    write(&system, TEXT).await;
    answers(&system, 1).await;
    for role in [Role::Ingress, Role::Worker, Role::Egress] {
        assert_eq!(system.service(role, 0).terminate().await, Some(0));
    }
    let spans = collector.spans.lock().unwrap();
    assert!(spans.is_empty(), "{spans:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_one_warning() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let mut system = traced(&nobody, Settings::default()).await;
    for text in ["Hallo", TEXT] {
        write(&system, text).await;
    }
    answers(&system, 2).await;
    for role in [Role::Ingress, Role::Worker, Role::Egress] {
        let service = system.service(role, 0);
        assert_eq!(service.terminate().await, Some(0));
        let log = service.log();
        assert_eq!(log.matches("collector").count(), 1, "{log}");
    }
}
