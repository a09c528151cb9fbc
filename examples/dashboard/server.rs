use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use http::{Response, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use metrics_exporter_prometheus::PrometheusHandle;
use outrigger::control::Registry;
use outrigger::telemetry::metrics::Metrics;
use tokio::net::TcpListener;

/// Serves `/metrics`, and says where.
pub(crate) async fn start(
    exporter: PrometheusHandle,
    metrics: Metrics,
    registry: Registry,
) -> io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/metrics", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (exporter, metrics, registry) =
                (exporter.clone(), metrics.clone(), registry.clone());
            let answer = service_fn(move |_| {
                // What is a state is read when somebody asks.
                metrics.observe(&registry);
                let page = page(&exporter);
                async { Ok::<_, Infallible>(page) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
        }
    });
    Ok(url)
}

fn page(exporter: &PrometheusHandle) -> Response<Full<Bytes>> {
    exporter.run_upkeep();
    let mut response = Response::new(Full::from(exporter.render()));
    let text = header::HeaderValue::from_static("text/plain; version=0.0.4");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}
