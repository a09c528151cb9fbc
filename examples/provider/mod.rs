//! A third party on the loopback, for the examples: a real HTTP server that answers as it is told.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

/// Starts a server that answers its first request with `answer(1, …)`, and so on; returns its URL.
pub(crate) async fn start<F>(answer: F) -> io::Result<String>
where
    F: Fn(u32, &Request<Incoming>) -> Response<String> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (answer, requests) = (Arc::new(answer), Arc::new(AtomicU32::new(0)));
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
            let service = service_fn(move |request| {
                let response = answer(requests.fetch_add(1, Ordering::Relaxed) + 1, &request);
                println!("    provider: {} {}", request.method(), response.status());
                async { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                server.serve_connection(TokioIo::new(connection), service).await
            });
        }
    });
    Ok(url)
}

/// An answer with this status and text.
pub(crate) fn answer(status: u16, text: &str) -> Response<String> {
    let mut response = Response::new(text.to_owned());
    *response.status_mut() = status.try_into().expect("the examples' statuses are statuses");
    response
}
