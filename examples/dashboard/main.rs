//! Metrics of three integrations whose provider has trouble, for Prometheus to scrape.
//!
//! `cargo run --example dashboard --features metrics` lives through eight seconds of it, scrapes
//! itself once and prints a few lines; with `-- --serve` it goes on, one bad day after the other,
//! until it is stopped. Alert rules and a Grafana dashboard for these metrics are in
//! `examples/observability`.

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;
mod server;

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, Request, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use outrigger::circuit_breaker::Consecutive;
use outrigger::context::PathTemplate;
use outrigger::control::Registry;
use outrigger::event::SwitchMode;
use outrigger::fallback::FallbackLayer;
use outrigger::telemetry::metrics::{Metrics, names};
use outrigger::{Body, Integration};
use tokio::time::{interval, sleep};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let exporter = exporter()?;
    let metrics = Metrics::new();
    let registry = Registry::new().subscriber(metrics.clone());
    let integrations = integrations(&registry)?;

    let provider = provider::start().await?;
    let page = server::start(exporter, metrics, registry).await?;
    println!("metrics: {page}");
    for integration in &integrations {
        tokio::spawn(load(integration.clone(), provider));
    }
    tokio::spawn(a_person_at_the_wheel(integrations[2].clone()));

    if std::env::args().any(|argument| argument == "--serve") {
        std::future::pending::<()>().await;
    }
    sleep(A_FEW_SECONDS).await;
    for line in scrape(&page).await?.lines().filter(|line| is_worth_a_look(line)) {
        println!("{line}");
    }
    Ok(())
}

/// First the exporter, and with it the buckets; then everything that is measured.
fn exporter() -> Result<PrometheusHandle, Box<dyn Error>> {
    let attempts = Matcher::Full(names::CALL_ATTEMPTS.name.to_owned());
    let exporter = PrometheusBuilder::new()
        .with_recommended_naming(true)
        .set_buckets(&names::SECONDS)?
        .set_buckets_for_metric(attempts, &names::ATTEMPTS)?
        .install_recorder()?;
    Ok(exporter)
}

fn integrations(registry: &Registry) -> Result<[Integration; 3], outrigger::ConfigError> {
    // Quicker than the preset, so that a short bad day is enough to see it open.
    let payments = Integration::user_flow("payments")
        .breaker(|breaker| breaker.consecutive(Consecutive::Always(5)));
    let rates = Integration::user_flow("rates")
        .fallback(FallbackLayer::value(Response::new(r#"{"EUR":1.0}"#)));
    let mails = Integration::background("mails");
    let integrations = [payments, rates, mails].map(|builder| builder.register(registry).build());
    let [payments, rates, mails] = integrations;
    Ok([payments?, rates?, mails?])
}

/// Twenty calls a second, three of ten of which change something.
async fn load(integration: Integration, provider: SocketAddr) {
    let mut pace = interval(Duration::from_millis(50));
    for order in 0_u64.. {
        pace.tick().await;
        let method = if order % 10 < 3 { Method::POST } else { Method::GET };
        let uri = format!("http://{provider}/orders/{order}");
        let request = Request::builder().method(method).uri(uri).body(Body::empty());
        let mut request = request.expect("a fixed request is well formed");
        request.extensions_mut().insert(PathTemplate::new("/orders/{id}"));
        let call = integration.send(request);
        tokio::spawn(async move {
            if let Ok(response) = call.await {
                let _read = response.into_body().bytes().await;
            }
        });
    }
}

/// Stops the third integration for a moment, again and again.
async fn a_person_at_the_wheel(integration: Integration) {
    loop {
        sleep(A_FEW_SECONDS / 2).await;
        integration.kill_switch().set(SwitchMode::Off, "ada", "the mails look odd");
        sleep(A_FEW_SECONDS).await;
        integration.kill_switch().set(SwitchMode::On, "ada", "they are well");
    }
}

async fn scrape(page: &str) -> Result<String, Box<dyn Error>> {
    let scraper = Integration::user_flow("own metrics").build()?;
    let response = scraper.send(Request::get(page).body(Body::empty())?).await?;
    Ok(response.into_body().text().await?)
}

/// A few of the many: what a person would ask first.
fn is_worth_a_look(line: &str) -> bool {
    const FIRST: [&str; 4] = [
        "outrigger_status{",
        "outrigger_calls_total{",
        "outrigger_fallback_answers_total{",
        "outrigger_breaker_open_time_seconds{",
    ];
    FIRST.iter().any(|name| line.starts_with(name)) && !line.ends_with(" 0")
}

/// As long as one bad day of the provider.
const A_FEW_SECONDS: Duration = Duration::from_secs(8);
