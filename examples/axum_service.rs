//! A service to start from: payments through the reqwest client that it has, rates with a fallback,
//! a route that stops either, metrics and spans.
//!
//! `cargo run --example axum_service --features metrics,reqwest,tracing`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod provider;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post, put};
use metrics_exporter_prometheus::PrometheusBuilder;
use outrigger::telemetry::{metrics::Metrics, tracing::Spans};
use outrigger::transport::reqwest::ReqwestTransport;
use outrigger::{Delivery, Error, Integration, ResponseExt};
use outrigger::{control::Registry, fallback::FallbackLayer, kill_switch::SwitchSetting};
use tokio::net::TcpListener;

type Answer = Result<String, (StatusCode, String)>;

#[derive(Clone)]
struct App {
    payments: Integration,
    rates: Integration,
}

fn app(provider: &str) -> Result<Router, Box<dyn std::error::Error>> {
    let exporter = PrometheusBuilder::new().with_recommended_naming(true).install_recorder()?;
    let (metrics, registry) = (Metrics::new(), Registry::new());
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = client.retry(reqwest::retry::never()).build()?; // and all that yours has
    let payments = Integration::user_flow("payments")
        .reqwest(ReqwestTransport::new(client).single_hop())
        .base_url(provider)
        .subscriber(metrics.clone())
        .subscriber(Spans::new());
    let rates = Integration::user_flow("rates")
        .fallback(FallbackLayer::value(Response::new("1.08 (yesterday's)")))
        .base_url(provider)
        .subscriber(metrics.clone())
        .subscriber(Spans::new());
    let payments = payments.register(&registry).build()?;
    let rates = rates.register(&registry).build()?;
    let page = move || {
        metrics.observe(&registry);
        std::future::ready(exporter.render())
    };
    Ok(Router::new()
        .route("/orders/{id}/charge", post(charge))
        .route("/rate", get(rate))
        .route("/switches/{integration}", put(switch))
        .route("/metrics", get(page))
        .with_state(App { payments, rates }))
}

/// By the order's key, a charge is sent again and done once.
async fn charge(State(app): State<App>, Path(id): Path<u64>) -> Answer {
    let charge = app.payments.post("charges").json(&serde_json::json!({ "order": id }));
    let answer = charge.idempotency_key(format!("order-{id}")).template("/charges").send().await;
    answer.and_then(ResponseExt::error_for_status).map_err(failed)?.text().await.map_err(failed)
}

async fn rate(State(app): State<App>) -> Answer {
    app.rates.get("rates/eur").send().await.map_err(failed)?.text().await.map_err(failed)
}

/// For people on call only. The body is the mode, and lines for who and why.
async fn switch(State(app): State<App>, Path(name): Path<String>, setting: String) -> StatusCode {
    let which = [app.payments, app.rates].into_iter().find(|one| one.name() == name);
    let Some(integration) = which else { return StatusCode::NOT_FOUND };
    let Ok(setting) = setting.parse::<SwitchSetting>() else { return StatusCode::BAD_REQUEST };
    integration.kill_switch().apply(setting);
    StatusCode::NO_CONTENT
}

fn failed(error: Error) -> (StatusCode, String) {
    match error.delivery() {
        Delivery::NotSent => (StatusCode::SERVICE_UNAVAILABLE, format!("not done: {error}")),
        _ => (StatusCode::BAD_GATEWAY, format!("ask whether it was done: {error}")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    let provider = provider::start(|nth, request| match request.uri().path() {
        "/charges" if nth > 1 => provider::answer(201, "charged"),
        _ => provider::answer(503, "try again"),
    });
    let (app, listener) = (app(&provider.await?)?, TcpListener::bind("127.0.0.1:0").await?);
    let service = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let user = Integration::user_flow("user").base_url(service).without_retry().build()?;
    println!("{}", user.post("orders/1042/charge").send().await?.text().await?);
    println!("{}", user.get("rate").send().await?.text().await?);
    let off = user.put("switches/payments").body("off\nwho: ada\nwhy: double charges").send();
    println!("{}", off.await?.status());
    println!("{}", user.post("orders/1043/charge").send().await?.text().await?);
    let metrics = user.get("metrics").send().await?.text().await?;
    println!("{}", metrics.lines().find(|line| line.starts_with("outrigger_calls")).unwrap_or(""));
    Ok(())
}
