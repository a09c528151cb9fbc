use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use outrigger::console::{Console, Peer};
use outrigger::control::Registry;
use outrigger::telemetry::metrics::Metrics;
use tokio::net::TcpListener;

/// Serves the console at `/` and `/metrics`, and says where. The port is 7070, or any other if that is taken.
pub(crate) async fn start(
    exporter: PrometheusHandle,
    metrics: Metrics,
    registry: Registry,
    console: Console,
) -> io::Result<SocketAddr> {
    let listener = match TcpListener::bind(("127.0.0.1", 7070)).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await?,
    };
    let address = listener.local_addr()?;
    let scrape = move || async move {
        // What is a state is read when somebody asks.
        metrics.observe(&registry);
        exporter.run_upkeep();
        exporter.render()
    };
    let routes = Router::new()
        .route("/metrics", get(scrape))
        .route_service("/", console)
        .layer(from_fn(tell_peer))
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

/// Who connects, for the console's access.
async fn tell_peer(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(Peer(peer));
    next.run(request).await
}
