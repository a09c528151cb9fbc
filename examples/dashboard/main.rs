//! A page for people over three integrations whose provider has trouble, and metrics for Prometheus.
//!
//! `cargo run --example dashboard --features console,metrics -- --serve` says where the page is: stop the
//! payments, find an order, send again what is dead. It goes on, one bad day after the other, until it is
//! stopped. Without `--serve` it lives through eight seconds, looks at its own pages and prints a few
//! lines of them. Alert rules and a Grafana dashboard for the metrics are in `examples/observability`.

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;
mod server;

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, Request, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use outrigger::circuit_breaker::Consecutive;
use outrigger::console::{Console, OpenOnLoopback, Recent};
use outrigger::control::Registry;
use outrigger::event::SwitchMode;
use outrigger::fallback::FallbackLayer;
use outrigger::outbox::{Lane, Message, Outbox, Schedule};
use outrigger::telemetry::metrics::{Metrics, names};
use outrigger::{Body, CallOptions, Integration};
use tokio::time::{interval, sleep};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let exporter = exporter()?;
    let metrics = Metrics::new();
    let recent = Recent::new();
    let registry = Registry::new().subscriber(metrics.clone()).subscriber(recent.clone());
    let integrations = integrations(&registry)?;

    let provider = provider::start().await?;
    let outbox = outbox(&integrations[2])?;
    let console = Console::builder(&registry, OpenOnLoopback).recent(recent);
    let console = console.outbox(outbox.clone()).build()?;
    let page = format!("http://{}", server::start(exporter, metrics, registry, console).await?);
    println!("the page: {page}/");
    println!("metrics:  {page}/metrics");
    let delivers = outbox.clone();
    tokio::spawn(async move { delivers.run().await });
    tokio::spawn(mails(outbox, provider));
    for integration in &integrations {
        tokio::spawn(load(integration.clone(), provider));
    }
    tokio::spawn(a_person_at_the_wheel(integrations[2].clone()));

    if std::env::args().any(|argument| argument == "--serve") {
        std::future::pending::<()>().await;
    }
    sleep(A_FEW_SECONDS).await;
    for line in read(&page, "/metrics").await?.lines().filter(|line| is_worth_a_look(line)) {
        println!("{line}");
    }
    let overview = read(&page, "/").await?;
    for sentence in overview.split("<bdi>").filter_map(|text| text.split("</bdi>").next()).skip(1) {
        println!("{sentence}");
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
        .fallback(FallbackLayer::value(Response::new(r#"{"EUR":1.0}"#)).label("yesterday's rates"));
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
        let request = request.expect("a fixed request is well formed");
        let options = CallOptions::new().template("/orders/{id}");
        let call = integration.send_with(request, options.business_key(format!("order {order}")));
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

/// A durable queue whose jobs give up quickly, so that there are dead letters to look at.
fn outbox(mails: &Integration) -> Result<Outbox, Box<dyn Error>> {
    let lane = Lane::new(mails).name("mails").schedule(Schedule::new([Duration::from_secs(1)]));
    Ok(Outbox::memory().lane(lane).build()?)
}

/// Two mails a second, each with two attempts.
async fn mails(outbox: Outbox, provider: SocketAddr) {
    let mut pace = interval(Duration::from_millis(500));
    for number in 0_u64.. {
        pace.tick().await;
        let mail =
            Message::post(format!("http://{provider}/mails/{number}")).template("/mails/{id}");
        let mail = mail.body("to=ada@example.com").dedup_key(format!("order {}", 1000 + number));
        // A full store is no reason to stop.
        let _ticket = outbox.enqueue(mail.max_attempts(2)).await;
    }
}

async fn read(page: &str, path: &str) -> Result<String, Box<dyn Error>> {
    let reader = Integration::user_flow("own pages").build()?;
    let response = reader.send(Request::get(format!("{page}{path}")).body(Body::empty())?).await?;
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
