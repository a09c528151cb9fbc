//! What it costs a call that somebody listens: spans, metrics and an audit, beside nobody.
//!
//! `cargo bench --bench telemetry --all-features`. The figures of one run compare with each other.
//! `switched_off` is a call that a kill switch refuses.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use divan::Bencher;
use http::{Request, Response, Uri};
use outrigger::event::SwitchMode;
use outrigger::integration::Service as Given;
use outrigger::telemetry::audit::{Audit, AuditRecord, AuditSink};
use outrigger::telemetry::metrics::Metrics;
use outrigger::telemetry::tracing::Spans;
use outrigger::{Body, BoxError, Integration, IntegrationBuilder};
use tower::Service;

fn main() {
    divan::main();
}

/// A provider that answers at once.
#[derive(Clone)]
struct AtOnce;

impl Service<Request<Body>> for AtOnce {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        drop(black_box(request));
        ready(Ok(Response::new(Body::empty())))
    }
}

/// Takes records and keeps none.
struct Nowhere;

impl AuditSink for Nowhere {
    fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError> {
        black_box(record);
        Ok(())
    }
}

fn user_flow() -> IntegrationBuilder<Given<AtOnce>> {
    Integration::user_flow("crm").service(AtOnce)
}

fn run(bencher: Bencher<'_, '_>, builder: IntegrationBuilder<Given<AtOnce>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("one");
    let _inside = runtime.enter();
    let crm = builder.build().expect("settings that can work");
    calls(bencher, &crm);
}

fn calls(bencher: Bencher<'_, '_>, crm: &Integration) {
    let mut cx = Context::from_waker(Waker::noop());
    bencher.bench_local(|| {
        let mut request = Request::new(());
        *request.uri_mut() = Uri::from_static("https://api.example/v1/charges");
        let mut call = pin!(crm.send(request));
        match call.as_mut().poll(&mut cx) {
            Poll::Ready(result) => drop(black_box(result)),
            Poll::Pending => panic!("it answers at once"),
        }
    });
}

#[divan::bench]
fn nobody(bencher: Bencher<'_, '_>) {
    run(bencher, user_flow());
}

#[divan::bench]
fn metrics(bencher: Bencher<'_, '_>) {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new();
        recorder.install_recorder().expect("the first");
    });
    run(bencher, user_flow().subscriber(Metrics::new()));
}

#[divan::bench]
fn spans(bencher: Bencher<'_, '_>) {
    let collected = tracing_subscriber::registry();
    tracing::subscriber::with_default(collected, || {
        run(bencher, user_flow().subscriber(Spans::new()));
    });
}

#[divan::bench]
fn audit(bencher: Bencher<'_, '_>) {
    let audit = Audit::to(Nowhere).start().expect("a thread");
    run(bencher, user_flow().subscriber(audit));
}

#[divan::bench]
fn switched_off(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("one");
    let _inside = runtime.enter();
    let crm = user_flow().build().expect("settings that can work");
    crm.kill_switch().set(SwitchMode::Off, "ada", "a drill");
    calls(bencher, &crm);
}
